//! What clients may keep, and how they ask whether it still holds.

use serde_json::{Value, json};

use crate::support::app::{Answer, Scenario, TestApp};
use crate::support::databases::Database;

async fn get_if(app: &TestApp, path: &str, condition: &str) -> Answer {
    app.send(app.client.get(format!("{}{path}", app.url)).header("if-none-match", condition)).await
}

fn header<'a>(answer: &'a Answer, name: &str) -> &'a str {
    answer.headers.get(name).map_or("", |value| value.to_str().unwrap())
}

async fn an_answer_that_still_holds_is_not_sent_again(database: Database) {
    let (app, world) = TestApp::in_world_as_superuser(&database, 8).await;
    let by_id = format!("/connections/{}", world.own_row("id"));
    for path in ["/connections", "/connections?envelope=true", "/connections?relationship_type=buyer", &by_id] {
        let whole = app.get(path).await;
        assert_eq!(whole.status, 200);
        assert_eq!((header(&whole, "cache-control"), header(&whole, "vary")), ("private, no-cache", "Authorization"));
        let etag = header(&whole, "etag").to_owned();
        let strong = etag.trim_start_matches("W/").to_owned();
        for condition in [&etag, &strong, "*", &format!("\"another\", {etag}"), &format!("{strong},W/\"x\"")] {
            let again = get_if(&app, path, condition).await;
            assert_eq!((again.status, &again.body), (304, &Value::Null), "{path}, {condition}");
            for name in ["etag", "cache-control", "vary"] {
                assert_eq!(header(&again, name), header(&whole, name), "{path}: {name} of a 304");
            }
            assert!(!header(&again, "x-request-id").is_empty());
        }
        for condition in ["W/\"another\"", "\"\"", "nonsense", ""] {
            assert_eq!(get_if(&app, path, condition).await.body, whole.body, "{path}, {condition}");
        }
    }
    let validators: Vec<String> = {
        let mut validators = Vec::new();
        for path in ["/connections", "/connections?envelope=true", "/connections?relationship_type=buyer"] {
            validators.push(header(&app.get(path).await, "etag").to_owned());
        }
        validators
    };
    assert!(validators[0] != validators[1] && validators[0] != validators[2], "each body has its own");
    // A write ends it.
    let etag = validators[0].as_str();
    app.post("/connections", &json!({"connection_id": world.missing()[0]})).await;
    let repaired = get_if(&app, "/connections", etag).await;
    assert!(repaired.status == 200 && header(&repaired, "etag") != etag);
}

crate::on_both_databases!(an_answer_that_still_holds_is_not_sent_again);

async fn a_validator_ends_when_an_invitation_expires(database: Database) {
    let (app, world) = TestApp::in_world_as_superuser(&database, 8).await;
    let in_an_hour = lc_connections::domain::timestamp::Timestamp::from_millis(app.clock.now().as_millis() + 3_600_000);
    database.execute(&format!("UPDATE account_entities SET invitation_expires_at = '{in_an_hour}'")).await;
    let expired = |list: &Value| {
        let entries = list.as_array().unwrap().iter().filter(|entry| !entry["account_entity"].is_null());
        let mut values: Vec<Value> = entries.map(|entry| entry["account_entity"]["expired"].clone()).collect();
        values.dedup();
        values
    };
    let before = app.get("/connections").await;
    assert_eq!(expired(&before.body), [json!(false)]);
    let etag = header(&before, "etag");
    let by_id = format!("/connections/{}", world.own_row("id"));
    let etag_by_id = header(&app.get(&by_id).await, "etag").to_owned();
    app.clock.advance(3_599_000 - 60_000);
    assert_eq!(get_if(&app, "/connections", etag).await.status, 304, "nothing has changed yet");
    app.clock.advance(62_000);
    let after = get_if(&app, "/connections", etag).await;
    assert_eq!((after.status, expired(&after.body)), (200, vec![json!(true)]), "nobody wrote, but time went by");
    assert_eq!(get_if(&app, &by_id, &etag_by_id).await.status, 304, "this one says nothing of expiry");
}

crate::on_both_databases!(a_validator_ends_when_an_invitation_expires);

async fn degraded_answers_are_never_kept(database: Database) {
    let (app, world) = TestApp::in_world_as_superuser(&database, 8).await;
    let etag = header(&app.get("/connections").await, "etag").to_owned();
    app.simulator.set(Scenario::Down);
    for path in ["/connections", "/connections?envelope=true"] {
        for condition in [etag.as_str(), "*"] {
            let degraded = get_if(&app, path, condition).await;
            assert_eq!((degraded.status, header(&degraded, "cache-control")), (200, "no-store"), "{path}, {condition}");
            assert!(degraded.is_degraded() && !degraded.headers.contains_key("etag"));
        }
    }
    let graphql = app.graphql("{ connections { totalCount } }", &json!({})).await;
    assert!(graphql.is_degraded() && header(&graphql, "cache-control") == "no-store");
    // SSO has no part in these, so they are no worse than ever.
    let by_id = app.get(&format!("/connections/{}", world.own_row("id"))).await;
    assert!(!by_id.is_degraded() && by_id.headers.contains_key("etag"));
    let local = app.graphql("{ connections(consistency: LOCAL_ONLY) { totalCount } }", &json!({})).await;
    assert!(!local.is_degraded());
    assert_eq!(
        (header(&local, "cache-control"), header(&local, "vary")),
        ("private, no-cache", "Accept, Authorization")
    );
}

crate::on_both_databases!(degraded_answers_are_never_kept);

async fn errors_are_never_kept(database: Database) {
    let (app, _) = TestApp::in_world_as_superuser(&database, 8).await;
    for (path, status) in [
        ("/connections?relationship_type=x", 400),
        ("/connections/nonsense", 400),
        ("/connections/0123456789abcdef01234567", 404),
        ("/nowhere", 404),
        ("/graphql?query=%7B", 200),
    ] {
        let answer = get_if(&app, path, "*").await;
        assert_eq!((answer.status, header(&answer, "cache-control")), (status, "no-store"), "{path}");
    }
    for path in ["/connections", "/graphql?query=%7Bviewer%7BisSuperuser%7D%7D"] {
        let answer = app.without_key().get(path).await;
        assert_eq!((answer.status, header(&answer, "cache-control")), (401, "no-store"), "{path}");
    }
}

crate::on_both_databases!(errors_are_never_kept);

async fn head_is_get_without_its_body(database: Database) {
    let (app, world) = TestApp::in_world_as_superuser(&database, 8).await;
    let by_id = format!("/connections/{}", world.own_row("id"));
    let graphql = "/graphql?query=%7Bviewer%7BisSuperuser%7D%7D";
    let paths = ["/connections", &by_id, "/connections/nonsense", "/nowhere", graphql, "/livez", "/readyz", "/metrics"];
    for path in paths {
        let url = format!("{}{path}", app.url);
        let (get, head) = (app.get(path).await, app.send(app.client.head(&url)).await);
        assert_eq!((head.status, &head.body), (get.status, &Value::Null), "{path}");
        let names: &[&str] = if path == "/metrics" {
            &["content-type", "cache-control"]
        } else {
            &["content-type", "cache-control", "etag", "vary", "content-length"]
        };
        for name in names {
            assert_eq!(header(&head, name), header(&get, name), "{path}: {name}");
        }
    }
    let etag = header(&app.get("/connections").await, "etag").to_owned();
    let request = app.client.head(format!("{}/connections", app.url)).header("if-none-match", etag);
    assert_eq!(app.send(request).await.status, 304);
}

crate::on_both_databases!(head_is_get_without_its_body);

//! The legacy routes, to the letter.

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::support::app::TestApp;
use crate::support::databases::{Database, Kind};

async fn a_row_is_found_by_any_of_its_three_ids(database: Database) {
    let (app, world) = TestApp::in_world(&database, 8).await;
    let caller = json!(world.caller().id);
    let row =
        world.connections.iter().find(|row| row["account_id"] == caller && !row["invitation_id"].is_null()).unwrap();
    for column in ["id", "external_id", "invitation_id"] {
        let id = row[column].as_str().unwrap();
        for id in [id.to_owned(), id.to_uppercase()] {
            let answer = app.get(&format!("/connections/{id}")).await;
            assert_eq!(answer.status, 200, "{column}");
            let body = answer.body.as_object().unwrap();
            let keys: Vec<&str> = body.keys().map(String::as_str).collect();
            let seed = "connected_account created_at created_by external_id id invitation_id relationship_type ui_state updated_at";
            assert_eq!(keys, seed.split(' ').collect::<Vec<_>>());
            for column in [
                "id",
                "external_id",
                "invitation_id",
                "relationship_type",
                "created_at",
                "updated_at",
                "created_by",
                "ui_state",
            ] {
                assert_eq!(body[column], row[column], "{column}");
            }
        }
    }
}

crate::on_both_databases!(a_row_is_found_by_any_of_its_three_ids);

async fn what_is_not_the_callers_is_unknown(database: Database) {
    let (app, world) = TestApp::in_world(&database, 8).await;
    let caller = json!(world.caller().id);
    let others = world.connections.iter().find(|row| row["account_id"] != caller).unwrap();
    let unknown = app.get("/connections/0123456789abcdef01234567").await;
    assert_eq!((unknown.status, &unknown.body), (404, &json!({"error": "connection not found"})));
    for column in ["id", "external_id"] {
        let answer = app.get(&format!("/connections/{}", others[column].as_str().unwrap())).await;
        assert_eq!((answer.status, &answer.body), (404, &unknown.body), "{column}");
    }
    // In SSO alone: unknown here too.
    assert_eq!(app.get(&format!("/connections/{}", world.missing()[0])).await.status, 404);
    for bad in ["5d9a4c421d011c553e00000", "zzzzzzzzzzzzzzzzzzzzzzzz", "%00", "%ff"] {
        assert_eq!(app.get(&format!("/connections/{bad}")).await.status, 400, "{bad}");
    }
}

crate::on_both_databases!(what_is_not_the_callers_is_unknown);

async fn errors_have_one_form(database: Database) {
    let (app, _) = TestApp::in_world(&database, 8).await;
    let answer = app.get("/connections?relationship_type=both").await;
    assert_eq!(answer.status, 400);
    assert!(answer.body["error"].is_string());
    for path in ["/connections", "/connections/nonsense", "/connections/0123456789abcdef01234567"] {
        let answer = app.without_key().get(path).await;
        assert_eq!((answer.status, &answer.body), (401, &json!({"error": "authentication failed"})), "{path}");
        assert!(answer.headers["www-authenticate"].to_str().unwrap().starts_with("Basic"));
    }
    for caller in [&app, &app.without_key()] {
        let answer = caller.get("/nowhere").await;
        assert_eq!(answer.status, 404);
        assert!(answer.body["error"].is_string());
        let answer = caller.send(caller.client.delete(format!("{}/connections", caller.url))).await;
        assert_eq!(answer.status, 405);
        assert!(answer.body["error"].is_string());
        let allowed = answer.headers["allow"].to_str().unwrap();
        assert!(allowed.contains("GET") && allowed.contains("POST"), "{allowed}");
    }
}

crate::on_both_databases!(errors_have_one_form);

async fn every_answer_has_a_request_id(database: Database) {
    let (app, _) = TestApp::in_world(&database, 8).await;
    for (given, is_kept) in [("my-own.ID_1", true), ("bad id", false), (&"x".repeat(65), false)] {
        for path in ["/connections", "/nowhere", "/livez", "/graphql"] {
            let request = app.client.get(format!("{}{path}", app.url)).header("x-request-id", given);
            let id = app.send(request).await.headers["x-request-id"].to_str().unwrap().to_owned();
            assert_eq!(id == given, is_kept, "{path}: {id}");
            assert!(!id.is_empty());
        }
    }
}

crate::on_both_databases!(every_answer_has_a_request_id);

async fn a_body_over_the_limit_is_refused_on_both_front_ends(database: Database) {
    let (app, world) = TestApp::in_world(&database, 8).await;
    let app = app.become_superuser(world.caller()).await;
    let large = json!({"connection_id": "x".repeat(300_000)});
    let answer = app.post("/connections", &large).await;
    assert_eq!(answer.status, 413);
    assert!(answer.body["error"].as_str().unwrap().contains("limit"));
    let answer = app.post("/graphql", &large).await;
    assert_eq!((answer.status, &answer.body["errors"][0]["extensions"]["code"]), (413, &json!("LIMIT_EXCEEDED")));
}

crate::on_both_databases!(a_body_over_the_limit_is_refused_on_both_front_ends);

#[tokio::test]
async fn a_request_names_exactly_one_host() {
    let database = Database::fresh(Kind::Sqlite).await;
    let app = TestApp::start(&database).await;
    let address = app.url.strip_prefix("http://").unwrap();
    for (hosts, status) in
        [("", "400"), ("Host: a\r\nHost: b\r\n", "400"), ("Host: a\r\nHost: a\r\n", "400"), ("Host: a\r\n", "200")]
    {
        let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
        let request = format!("GET /livez HTTP/1.1\r\n{hosts}Connection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{hosts:?}: {answer}");
        assert!(answer.contains("x-request-id: "), "{answer}");
        assert!(
            status == "200" || answer.ends_with("{\"error\":\"a request must have exactly one Host header\"}"),
            "{answer}"
        );
    }
}

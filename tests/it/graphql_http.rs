//! GraphQL over HTTP: methods, media types, statuses, and where errors stand.

use reqwest::header::HeaderValue;
use serde_json::{Value, json};

use crate::support::app::{Answer, Scenario, TestApp};
use crate::support::databases::Database;

async fn ask(app: &TestApp, accept: &str, body: &Value) -> Answer {
    let request = app.client.post(format!("{}/graphql", app.url)).header("accept", accept);
    app.send(request.header("content-type", "application/json").body(body.to_string())).await
}

const MODERN: &str = "application/graphql-response+json";

fn code(answer: &Answer) -> &Value {
    &answer.body["errors"][0]["extensions"]["code"]
}

async fn request_errors_carry_no_data_and_a_status_by_media_type(database: Database) {
    let (app, _) = TestApp::in_world(&database, 6).await;
    for (body, expected) in [
        (json!({"query": "{"}), "GRAPHQL_PARSE_FAILED"),
        (json!({"query": "{ nope }"}), "GRAPHQL_VALIDATION_FAILED"),
        (json!({"query": "{ viewer { account { name } } connection }"}), "GRAPHQL_VALIDATION_FAILED"),
        (
            json!({"query": "query A { viewer { isSuperuser } } query B { viewer { isSuperuser } }"}),
            "GRAPHQL_VALIDATION_FAILED",
        ),
        (json!({"query": "query A { viewer { isSuperuser } }", "operationName": "B"}), "GRAPHQL_VALIDATION_FAILED"),
        (json!({"query": "{ connection(id: \"nope\") { id } }"}), "GRAPHQL_VALIDATION_FAILED"),
        (json!({"query": "query Q($id: ObjectID!) { connection(id: $id) { id } }"}), "BAD_USER_INPUT"),
        (
            json!({"query": "query Q($id: ObjectID!) { connection(id: $id) { id } }", "variables": {"id": "nope"}}),
            "BAD_USER_INPUT",
        ),
        (
            json!({"query": "query Q($id: ObjectID!) { connection(id: $id) { id } }", "variables": {"id": 5}}),
            "BAD_USER_INPUT",
        ),
        (json!({"query": "{ connections(consistency: \"FAIL_OPEN\") { totalCount } }"}), "GRAPHQL_VALIDATION_FAILED"),
        (json!({"query": "{ a: viewer { isSuperuser } a: connections { totalCount } }"}), "GRAPHQL_VALIDATION_FAILED"),
    ] {
        for (accept, status) in [(MODERN, 400), ("application/json", 200)] {
            let answer = ask(&app, accept, &body).await;
            assert_eq!((answer.status, answer.body.get("data")), (status, None), "{body}: {}", answer.body);
            assert_eq!(code(&answer), expected, "{body}: {}", answer.body);
            assert!(answer.body["errors"][0]["extensions"]["requestId"].is_string());
            assert_eq!(answer.headers["content-type"], format!("{accept}; charset=utf-8"));
        }
    }
}

crate::on_both_databases!(request_errors_carry_no_data_and_a_status_by_media_type);

async fn executed_requests_are_200_with_data(database: Database) {
    let (app, _) = TestApp::in_world(&database, 6).await;
    for accept in [MODERN, "application/json"] {
        // A bad cursor costs the whole answer its data: the field is non-null.
        let answer = ask(&app, accept, &json!({"query": "{ connections(after: \"nope\") { totalCount } }"})).await;
        assert_eq!((answer.status, &answer.body["data"]), (200, &Value::Null), "{}", answer.body);
        assert!(answer.body.as_object().unwrap().contains_key("data"));
        assert_eq!(code(&answer), "CURSOR_INVALID");
        assert_eq!(answer.body["errors"][0]["path"], json!(["connections"]));
    }
    let answer = ask(&app, MODERN, &json!({"query": "{ connections(first: 101) { totalCount } }"})).await;
    assert_eq!(code(&answer), "BAD_USER_INPUT");
    let unknown = json!({"query": "{ connection(id: \"0123456789abcdef01234567\") { id } }"});
    assert_eq!(ask(&app, MODERN, &unknown).await.body, json!({"data": {"connection": null}}));
}

crate::on_both_databases!(executed_requests_are_200_with_data);

async fn keys_come_in_query_order(database: Database) {
    let (app, _) = TestApp::in_world(&database, 6).await;
    let query = "{ z: viewer { isSuperuser } connections(first: 1) { totalCount nodes { status id } asOf } a: viewer { userEmail } }";
    let request = app.client.post(format!("{}/graphql", app.url)).header("content-type", "application/json");
    let request = request.basic_auth("", app.key.as_deref()).body(json!({"query": query}).to_string());
    let text = request.send().await.unwrap().text().await.unwrap();
    let mut last = 0;
    for key in [
        "\"data\"",
        "\"z\"",
        "\"connections\"",
        "\"totalCount\"",
        "\"nodes\"",
        "\"status\"",
        "\"id\"",
        "\"asOf\"",
        "\"a\"",
    ] {
        let place = text[last..].find(key).unwrap_or_else(|| panic!("{key} is out of order in {text}"));
        last += place;
    }
}

crate::on_both_databases!(keys_come_in_query_order);

async fn methods_and_media_types_are_kept_to(database: Database) {
    let (app, _) = TestApp::in_world(&database, 6).await;
    let url = format!("{}/graphql", app.url);
    let get = |query: &str| app.client.get(url::Url::parse_with_params(&url, [("query", query)]).unwrap());
    let answer = app.send(get("{ viewer { isSuperuser } }")).await;
    assert_eq!((answer.status, &answer.body), (200, &json!({"data": {"viewer": {"isSuperuser": false}}})));
    let mutation = "mutation { repairConnection(input: {connectionId: \"0123456789abcdef01234567\"}) { outcome } }";
    let answer = app.send(get(mutation)).await;
    assert_eq!((answer.status, answer.headers["allow"].to_str().unwrap()), (405, "POST"));
    let answer = app.send(app.client.put(&url).body("{}")).await;
    assert_eq!(answer.status, 405);
    assert!(answer.headers["allow"].to_str().unwrap().contains("POST"));
    for content_type in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"] {
        let answer = app.post_text("/graphql", content_type, r#"{"query": "{ viewer { isSuperuser } }"}"#).await;
        assert_eq!(answer.status, 415, "{content_type}");
    }
    for body in ["", "[]", "{}", r#"{"query": 1}"#, r#"[{"query": "{ viewer { isSuperuser } }"}]"#] {
        assert_eq!(app.post_text("/graphql", "application/json", body).await.status, 400, "{body}");
    }
    assert_eq!(ask(&app, "text/html", &json!({"query": "{ viewer { isSuperuser } }"})).await.status, 406);
    let large = json!({"query": "{ viewer { isSuperuser } }", "variables": {"x": "y".repeat(300_000)}});
    assert_eq!(app.post("/graphql", &large).await.status, 413);
    let answer = app.without_key().post("/graphql", &json!({"query": "{ viewer { isSuperuser } }"})).await;
    assert_eq!((answer.status, code(&answer)), (401, &json!("UNAUTHENTICATED")));
    assert!(answer.headers["www-authenticate"].to_str().unwrap().starts_with("Bearer"));
}

crate::on_both_databases!(methods_and_media_types_are_kept_to);

async fn an_answer_to_a_get_is_asked_for_again_conditionally(database: Database) {
    let (app, world) = TestApp::in_world(&database, 6).await;
    let url = |query: &str| url::Url::parse_with_params(&format!("{}/graphql", app.url), [("query", query)]).unwrap();
    let query = "{ connections { totalCount nodes { status connectedAccount { name } } } }";
    let get = |query: &str, tag: Option<&str>| {
        let request = app.client.get(url(query));
        app.send(tag.iter().fold(request, |request, tag| request.header("if-none-match", *tag)))
    };
    let first = get(query, None).await;
    let tag = first.headers["etag"].to_str().unwrap();
    assert_eq!((first.status, &first.headers["cache-control"]), (200, &HeaderValue::from_static("private, no-cache")));
    let again = get(query, Some(tag)).await;
    assert_eq!((again.status, &again.body, &again.headers["etag"]), (304, &Value::Null, &first.headers["etag"]));
    assert_eq!((again.headers.get("content-type"), &again.headers["vary"]), (None, &first.headers["vary"]));

    // What is not to be kept has no validator: errors, a degraded answer, a POST's.
    for answer in [get("{ connections(first: 1000) { totalCount } }", None).await, app.graphql(query, &json!({})).await]
    {
        assert_eq!((answer.status, answer.headers.get("etag")), (200, None));
    }
    app.simulator.set(Scenario::Down);
    let degraded = get(query, Some(tag)).await;
    assert!(degraded.status == 200 && degraded.is_degraded() && !degraded.headers.contains_key("etag"));
    app.simulator.set(Scenario::Ok);
    database.execute(&format!("DELETE FROM account_connections WHERE id = '{}'", world.own_row("id"))).await;
    let moved = get(query, Some(tag)).await;
    assert_eq!(moved.status, 200);
    assert_ne!(moved.headers["etag"], tag);
}

crate::on_both_databases!(an_answer_to_a_get_is_asked_for_again_conditionally);

async fn a_fragment_bomb_is_refused_before_anything_executes(database: Database) {
    let (app, _) = TestApp::in_world(&database, 6).await;
    let mut bomb = (0..25).fold("{ ...F0 }".to_owned(), |bomb, level| {
        format!("{bomb} fragment F{level} on Query {{ ...F{0} ...F{0} }}", level + 1)
    });
    bomb.push_str(" fragment F25 on Query { connections { totalCount } }");
    app.graphql("{ viewer { isSuperuser } }", &json!({})).await;
    let (statements, calls) = (app.store.statements(), app.simulator.list_calls());
    let answer = ask(&app, MODERN, &json!({"query": bomb})).await;
    assert_eq!((answer.status, code(&answer)), (400, &json!("LIMIT_EXCEEDED")), "{}", answer.body);
    assert_eq!((app.store.statements(), app.simulator.list_calls()), (statements, calls));
}

crate::on_both_databases!(a_fragment_bomb_is_refused_before_anything_executes);

async fn the_introspection_query_of_clients_is_answered(database: Database) {
    let (app, _) = TestApp::in_world(&database, 6).await;
    let query = include_str!("support/introspection.graphql");
    let answer = ask(&app, MODERN, &json!({"query": query})).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let types = answer.body["data"]["__schema"]["types"].as_array().unwrap();
    assert!(types.iter().any(|one| one["name"] == json!("Partnership")));
}

crate::on_both_databases!(the_introspection_query_of_clients_is_answered);

async fn what_is_not_given_has_its_default(database: Database) {
    let (app, world) = TestApp::in_world_as_superuser(&database, 6).await;
    let list = "query List($first: Int, $after: String, $filter: PartnershipFilter, $order: PartnershipOrder, \
        $consistency: ReadConsistency, $search: String) { \
        a: connections(first: $first, after: $after, filter: $filter, orderBy: $order, consistency: $consistency) { \
            nodes { id } } \
        b: connections(filter: {search: $search, status: [COMPLETED, SSO_ONLY]}) { nodes { id } } }";
    let plain =
        app.graphql("{ a: connections { nodes { id } } b: connections { nodes { id } } }", &json!({})).await.body;
    assert_eq!(app.graphql(list, &json!({})).await.body, plain);
    let given = json!({"first": 2, "order": {"field": "CREATED_AT", "direction": "DESC"}});
    let two = app.graphql(list, &given).await.body;
    assert_eq!(two["data"]["a"]["nodes"].as_array().map(Vec::len), Some(2), "{two}");
    assert_eq!(two["data"]["a"]["nodes"][0], plain["data"]["a"]["nodes"][5]);

    let id = world.own_row("id");
    let trail =
        "query Trail($id: ObjectID!, $first: Int) { connection(id: $id) { repairs(first: $first) { totalCount } } }";
    let answer = app.graphql(trail, &json!({"id": id})).await.body;
    assert_eq!(answer, json!({"data": {"connection": {"repairs": {"totalCount": 0}}}}));
    let repair = "mutation Repair($id: ObjectID!, $dry: Boolean, $reason: String, $account: ObjectID) { repairConnection( \
        input: {connectionId: $id, dryRun: $dry, reason: $reason, accountId: $account}) { outcome } }";
    let answer = app.graphql(repair, &json!({"id": world.missing()[0]})).await.body;
    assert_eq!(answer, json!({"data": {"repairConnection": {"outcome": "CREATED"}}}), "by default it is no dry run");
}

crate::on_both_databases!(what_is_not_given_has_its_default);

//! JSON that stands in a text of a request is that text, however deep it nests: nobody here reads it.

use serde_json::json;

use crate::support::app::TestApp;
use crate::support::databases::{Database, Kind};

/// The key by which `serde_json`'s own `Value` takes a text for JSON.
const RAW: &str = "$serde_json::private::RawValue";

/// Lists around a text with lists around a text …, as deep as so many bytes can hold.
fn nested(bytes: usize) -> String {
    let (open, close) = ("[".repeat(120), "]".repeat(120));
    let mut text = format!("{open}{close}");
    loop {
        let outer = format!("{open}{}{close}", json!({RAW: text}));
        if outer.len() > bytes {
            return text;
        }
        text = outer;
    }
}

#[tokio::test]
async fn a_text_is_not_read_as_json_and_nests_nothing() {
    let database = Database::fresh(Kind::Sqlite).await;
    let (app, world) = TestApp::in_world_as_superuser(&database, 1).await;

    // Read to its bottom, it has 1,900 levels, and ended an unoptimised process.
    let answer = app.post_text("/connections", "application/json", &nested(200_000)).await;
    assert_eq!(
        (answer.status, &answer.body["error"]),
        (400, &json!("the body must be a JSON object like {\"connection_id\": \"…\"}, not an array"))
    );
    let repair = json!({RAW: json!({"connection_id": world.missing()[0]}).to_string()});
    let answer = app.post("/connections", &repair).await;
    assert_eq!((answer.status, &answer.body["error"]), (400, &json!("missing connection_id")));

    let variables = format!("{{\"first\": {{\"{RAW}\": \"1\"}}, \"other\": {}}}", nested(20_000));
    for (document, code) in [
        ("{ __typename }", None),
        ("query($first: Int) { connections(first: $first) { totalCount } }", Some("BAD_USER_INPUT")),
    ] {
        let parameters = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("query", document)
            .append_pair("variables", &variables)
            .finish();
        let by_get = app.get(&format!("/graphql?{parameters}")).await;
        let body = format!("{{\"query\": {}, \"variables\": {variables}}}", json!(document));
        let by_post = app.post_text("/graphql", "application/json", &body).await;
        for answer in [by_get, by_post] {
            assert_eq!(answer.body["errors"][0]["extensions"]["code"].as_str(), code, "{document}: {}", answer.body);
        }
    }
}

//! Automatic persisted queries, as Apollo's clients speak them: by POST and by GET.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::support::app::{Answer, TestApp};
use crate::support::databases::{Database, Kind};

const QUERY: &str = "query Who($first: Int) { viewer { isSuperuser } connections(first: $first) { nodes { status } } }";
const MODERN: &str = "application/graphql-response+json";

fn hash(query: &str) -> String {
    format!("{:x}", Sha256::digest(query))
}

fn extensions(hash: &str) -> Value {
    json!({"persistedQuery": {"version": 1, "sha256Hash": hash}})
}

async fn app(database: &Database) -> TestApp {
    TestApp::in_world(database, 6).await.0
}

async fn post(app: &TestApp, accept: &str, body: &Value) -> Answer {
    let request = app.client.post(format!("{}/graphql", app.url)).header("accept", accept);
    app.send(request.header("content-type", "application/json").body(body.to_string())).await
}

async fn get(app: &TestApp, parameters: &[(&str, String)]) -> Answer {
    let url = url::Url::parse_with_params(&format!("{}/graphql", app.url), parameters).unwrap();
    app.send(app.client.get(url).header("accept", MODERN)).await
}

fn code(answer: &Answer) -> (u16, &Value) {
    assert_eq!(answer.body.get("data"), None, "{}", answer.body);
    (answer.status, &answer.body["errors"][0]["extensions"]["code"])
}

#[tokio::test]
async fn a_document_that_was_sent_once_with_its_hash_is_known_by_it() {
    let database = Database::fresh(Kind::Sqlite).await;
    let app = app(&database).await;
    let variables = json!({"first": 2});
    let by_hash = json!({"extensions": extensions(&hash(QUERY)), "operationName": "Who", "variables": variables});
    for (accept, status) in [(MODERN, 400), ("application/json", 200)] {
        let unknown = post(&app, accept, &by_hash).await;
        assert_eq!(code(&unknown), (status, &json!("PERSISTED_QUERY_NOT_FOUND")));
        assert_eq!(unknown.body["errors"][0]["message"], "PersistedQueryNotFound", "clients know it by these words");
        assert_eq!(unknown.headers["cache-control"], "no-store");
    }

    let mut with_text = by_hash.clone();
    with_text["query"] = json!(QUERY);
    let whole = post(&app, MODERN, &with_text).await;
    assert_eq!((whole.status, whole.body["data"]["connections"]["nodes"].as_array().map(Vec::len)), (200, Some(2)));
    assert_eq!(post(&app, MODERN, &by_hash).await.body, whole.body);

    let in_url = |extensions: &Value| {
        [("extensions", extensions.to_string()), ("variables", variables.to_string()), ("operationName", "Who".into())]
    };
    assert_eq!(get(&app, &in_url(&extensions(&hash(QUERY)))).await.body, whole.body);
    // Hexadecimal digits have two cases.
    assert_eq!(get(&app, &in_url(&extensions(&hash(QUERY).to_uppercase()))).await.body, whole.body);
    let unknown = get(&app, &in_url(&extensions(&hash("{ other }")))).await;
    assert_eq!(code(&unknown), (400, &json!("PERSISTED_QUERY_NOT_FOUND")));
}

#[tokio::test]
async fn a_get_may_bring_a_document_too() {
    let database = Database::fresh(Kind::Sqlite).await;
    let app = app(&database).await;
    let extensions = ("extensions", extensions(&hash(QUERY)).to_string());
    let whole = get(&app, &[extensions.clone(), ("query", QUERY.to_owned())]).await;
    assert_eq!((whole.status, whole.body.get("errors")), (200, None));
    assert_eq!(get(&app, &[extensions]).await.body, whole.body);
}

#[tokio::test]
async fn only_a_document_that_is_fit_is_kept_and_only_by_its_own_hash() {
    let database = Database::fresh(Kind::Sqlite).await;
    let app = app(&database).await;
    let refused = post(&app, MODERN, &json!({"query": QUERY, "extensions": extensions(&hash("{ other }"))})).await;
    assert_eq!(code(&refused), (400, &json!("BAD_USER_INPUT")));
    assert!(refused.body["errors"][0]["message"].as_str().unwrap().contains("sha256Hash"));

    let unfit = "{ nope }";
    let refused = post(&app, MODERN, &json!({"query": unfit, "extensions": extensions(&hash(unfit))})).await;
    assert_eq!(code(&refused), (400, &json!("GRAPHQL_VALIDATION_FAILED")));
    for unknown in [hash(unfit), hash(QUERY), hash("{ other }")] {
        let refused = post(&app, MODERN, &json!({"extensions": extensions(&unknown)})).await;
        assert_eq!(code(&refused), (400, &json!("PERSISTED_QUERY_NOT_FOUND")));
    }
}

#[tokio::test]
async fn a_kept_mutation_needs_a_post_all_the_same() {
    let database = Database::fresh(Kind::Sqlite).await;
    let app = app(&database).await;
    let mutation = "mutation { repairConnection(input: {connectionId: \"0123456789abcdef01234567\"}) { outcome } }";
    let by_hash = json!({"extensions": extensions(&hash(mutation)), "query": mutation});
    let executed = post(&app, MODERN, &by_hash).await;
    assert_eq!(executed.body["errors"][0]["extensions"]["code"], "SUPERUSER_REQUIRED");
    let refused = get(&app, &[("extensions", extensions(&hash(mutation)).to_string())]).await;
    assert_eq!((refused.status, refused.headers["allow"].to_str().unwrap()), (405, "POST"));
}

#[tokio::test]
async fn other_extensions_are_ignored_and_odd_ones_refused() {
    let database = Database::fresh(Kind::Sqlite).await;
    let app = app(&database).await;
    for extensions in [json!({}), json!({"clientLibrary": {"name": "@apollo/client"}}), json!({"persistedQuery": null})]
    {
        let answer = post(&app, MODERN, &json!({"query": QUERY, "extensions": extensions})).await;
        assert_eq!((answer.status, answer.body.get("errors")), (200, None), "{extensions}");
    }
    for persisted in [json!({"version": 2, "sha256Hash": hash(QUERY)}), json!({"version": 1}), json!("x"), json!([])] {
        let extensions = json!({"persistedQuery": persisted});
        let answer = post(&app, MODERN, &json!({"query": QUERY, "extensions": extensions})).await;
        assert_eq!(code(&answer), (400, &json!("BAD_USER_INPUT")), "{extensions}");
    }
    // Without a hash nothing is known.
    assert_eq!(code(&post(&app, MODERN, &json!({"extensions": {}})).await), (400, &json!("BAD_USER_INPUT")));
    assert_eq!(code(&get(&app, &[]).await), (400, &json!("BAD_USER_INPUT")));
}

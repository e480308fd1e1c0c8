//! The closed list of error codes: each can be met, each says the same everywhere, and the documents list them all.

use std::collections::BTreeMap;
use std::path::Path;

use lc_connections::api_error::{ErrorCode, ErrorFacts};
use lc_connections::app::AppSettings;
use serde_json::{Value, json};

use crate::support::app::{Answer, Scenario, Setup, TestApp, settings};
use crate::support::databases::Database;
use crate::support::world::World;

/// The errors of an answer by their codes. Each bears the request's id, and says that waiting helps where it does.
fn codes(answer: &Answer) -> BTreeMap<String, String> {
    let errors = answer.body["errors"].as_array().unwrap_or_else(|| panic!("no errors: {}", answer.body));
    let told = errors.iter().map(|error| {
        let extensions = &error["extensions"];
        assert_eq!(extensions["requestId"], answer.headers["x-request-id"].to_str().unwrap(), "{error}");
        let code = extensions["code"].as_str().unwrap().to_owned();
        let known = ErrorCode::ALL.map(ErrorCode::facts).into_iter().find(|facts| facts.code == code);
        let is_retryable = known.unwrap_or_else(|| panic!("{code} is not in the list")).is_retryable;
        assert_eq!(extensions["retryable"].as_bool(), is_retryable.then_some(true), "{error}");
        (code, error["message"].as_str().unwrap().to_owned())
    });
    told.collect()
}

async fn each_code_can_be_met_and_bears_the_requests_id(database: Database) {
    let (app, _) = TestApp::in_world(&database, 6).await;
    let mut met = BTreeMap::new();
    let ask = async |query: &str| app.graphql(query, &json!({})).await;

    met.extend(codes(&app.without_key().graphql("{ viewer { isSuperuser } }", &json!({})).await));
    met.extend(codes(&ask("{").await));
    met.extend(codes(&ask("{ nope }").await));
    met.extend(codes(&ask(&format!("{{ {} }}", "__typename ".repeat(21))).await));
    met.extend(codes(&ask("{ connections(first: -1) { totalCount } }").await));
    met.extend(codes(&ask("{ connections(after: \"nope\") { totalCount } }").await));
    met.extend(codes(&ask("{ account(id: \"0123456789abcdef01234567\") { name } }").await));
    let unknown = json!({"extensions": {"persistedQuery": {"version": 1, "sha256Hash": "a".repeat(64)}}});
    met.extend(codes(&app.post("/graphql", &unknown).await));
    app.simulator.set(Scenario::Down);
    met.extend(codes(&ask("{ connections(consistency: REQUIRE_SSO) { totalCount } }").await));

    let card = "{ connections { nodes { accountEntity { name } } } }";
    database.execute("ALTER TABLE account_entities RENAME TO elsewhere").await;
    met.extend(codes(&ask(card).await));
    database.execute("ALTER TABLE elsewhere RENAME TO account_entities").await;
    app.store.close().await;
    met.extend(codes(&ask(card).await));

    let one_a_second = AppSettings { rate_limit_per_second: 1, ..settings() };
    let limited = TestApp::start_with(&database, Setup { settings: one_a_second, ..Setup::default() }).await;
    let limited = limited.become_caller(World::with_connections(6).caller()).await;
    let nothing = json!({});
    let asked = [(); 3].map(|()| limited.graphql("{ viewer { isSuperuser } }", &nothing));
    let answers = futures_util::future::join_all(asked).await;
    let refused = answers.iter().find(|answer| answer.status == 429).expect("three at once are too many");
    met.extend(codes(refused));

    let never: Vec<_> = ErrorCode::ALL.iter().filter(|code| !met.contains_key(code.facts().code)).collect();
    assert!(never.is_empty(), "{never:?} of {met:#?}");
}

crate::on_both_databases!(each_code_can_be_met_and_bears_the_requests_id);

async fn long_lists_and_messages_are_capped(database: Database) {
    let (app, _) = TestApp::in_world(&database, 40).await;
    let card = "{ connections { nodes { accountEntity { name } } } }";
    database.execute("ALTER TABLE account_entities RENAME TO elsewhere").await;
    let many = app.graphql(card, &json!({})).await;
    assert_eq!(many.body["errors"].as_array().map(Vec::len), Some(10));
    let query = format!("{{ {}(first: 1) }}", "x".repeat(1_000));
    let long = app.graphql(&query, &json!({})).await;
    let message = long.body["errors"][0]["message"].as_str().unwrap();
    assert!(message.chars().count() == 200 && message.ends_with('…'), "{message}");
    let of_each = |part: fn(u32) -> String| (0..20).map(part).collect::<Vec<_>>().join(" ");
    let definitions = of_each(|number| format!("$v{number}: Int!"));
    let uses = of_each(|number| format!("a{number}: connections(first: $v{number}) {{ totalCount }}"));
    let faults = app.graphql(&format!("query({definitions}) {{ {uses} }}"), &json!({})).await;
    assert_eq!(faults.body["errors"].as_array().map(Vec::len), Some(10), "{}", faults.body);
}

crate::on_both_databases!(long_lists_and_messages_are_capped);

async fn null_where_a_default_stands_is_an_error_of_its_field_alone(database: Database) {
    let (app, world) = TestApp::in_world_as_superuser(&database, 6).await;
    let id = world.own_row("id");
    let one = "query($id: ObjectID!, $x: ReadConsistency, $n: Int) { viewer { isSuperuser } \
        connection(id: $id, consistency: $x) { status repairs(first: $n) { totalCount } } }";
    let answer = app.graphql(one, &json!({"id": id, "x": null})).await.body;
    assert_eq!(answer["data"], json!({"viewer": {"isSuperuser": true}, "connection": null}));
    assert_eq!(answer["errors"][0]["message"], "\"consistency\" must not be null: leave it out for its default");
    let answer = app.graphql(one, &json!({"id": id, "n": null})).await.body;
    let expected = json!({"viewer": {"isSuperuser": true}, "connection": {"status": "COMPLETED", "repairs": null}});
    assert_eq!((&answer["data"], &answer["errors"][0]["path"]), (&expected, &json!(["connection", "repairs"])));

    let repair = "mutation($id: ObjectID!, $dry: Boolean) { \
        repairConnection(input: {connectionId: $id, dryRun: $dry}) { outcome } }";
    let answer = app.graphql(repair, &json!({"id": world.missing()[0], "dry": null})).await.body;
    assert_eq!((&answer["data"], &answer["errors"][0]["path"]), (&Value::Null, &json!(["repairConnection"])));
    assert_eq!(answer["errors"][0]["message"], "\"dryRun\" must not be null: leave it out for its default");

    let list =
        "query($o: PartnershipOrder, $x: ReadConsistency) { connections(orderBy: $o, consistency: $x) { totalCount } }";
    for variables in [json!({"o": null}), json!({"x": null})] {
        let answer = app.graphql(list, &variables).await;
        assert_eq!((answer.status, answer.body.get("data")), (200, Some(&Value::Null)), "{variables}");
        assert_eq!(answer.body["errors"][0]["extensions"]["code"], "BAD_USER_INPUT");
        assert_eq!(answer.body["errors"][0]["path"], json!(["connections"]));
    }
}

crate::on_both_databases!(null_where_a_default_stands_is_an_error_of_its_field_alone);

/// The table, as the documents have it.
fn table() -> String {
    let row = |code: ErrorCode| {
        let ErrorFacts { code, status, is_retryable, meaning } = code.facts();
        let retryable = if is_retryable { "true" } else { "" };
        format!("| `{code}` | {} | {retryable} | {meaning} |\n", status.as_u16())
    };
    let head = "| code | status where it is the whole answer | `retryable` | what it means, and what to do |\n|---|---|---|---|\n";
    [head.to_owned()].into_iter().chain(ErrorCode::ALL.map(row)).collect()
}

#[test]
fn the_documents_list_the_codes_as_the_program_has_them() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/frontend.md");
    let document = std::fs::read_to_string(path).unwrap();
    let (begin, end) = ("<!-- error codes: begin -->\n", "<!-- error codes: end -->");
    let listed = document.split_once(begin).and_then(|(_, rest)| rest.split_once(end)).expect("the marks are there").0;
    assert!(listed.trim() == table().trim(), "docs/frontend.md is stale; between its marks it must say:\n{}", table());
}

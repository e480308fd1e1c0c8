//! Stored JSON reaches clients as it is stored, in REST and in GraphQL, and an odd part of it costs only itself.
//!
//! The kinds come from public reports: numbers beyond 64 bits (<https://github.com/serde-rs/json/issues/1258>), lone
//! surrogates that JavaScript writes (<https://github.com/serde-rs/json/issues/495>,
//! <https://github.com/serde-rs/json/issues/827>), nesting beyond 128 levels
//! (<https://github.com/serde-rs/json/issues/478>), and what `arbitrary_precision` does to other code
//! (<https://github.com/davidhewitt/pythonize/issues/101>).

use std::collections::HashMap;
use std::fmt::Write as _;

use sea_orm::DbBackend;
use serde_json::json;
use serde_json::value::RawValue;

use crate::support::app::TestApp;
use crate::support::databases::{Database, Kind};
use crate::support::json_texts::JsonTexts;
use crate::support::world::Account;

const OWNER: &str = "a00000000000000000000000";
const TIME: &str = "2024-06-21T10:00:00.000Z";
const DEEP: &str = "{\"has_setup_buyer_delivery\": true, \"notes\": \"kept\", \"deep\": ";

/// The owner's account with so many connections, each with a partner and that partner's entity.
async fn app_of(database: &Database, connections: usize) -> TestApp {
    let app = TestApp::start(database).await;
    let mut sql =
        format!("INSERT INTO accounts VALUES ('{OWNER}', '500000000000000000000000', 'Owner', '{TIME}', '{TIME}');");
    for number in 1..=connections {
        write!(
            sql,
            "INSERT INTO accounts VALUES ('a{number:023}', '5{number:023}', 'Partner', '{TIME}', '{TIME}');
             INSERT INTO account_connections (id, account_id, external_id, relationship_type, connected_account_id, \
             connected_account_sso_id, connected_account_name, created_at, updated_at) VALUES ('b{number:023}', \
             '{OWNER}', 'c{number:023}', 'buyer', 'a{number:023}', '5{number:023}', 'Partner', '{TIME}', '{TIME}');
             INSERT INTO account_entities (account_id, id, connected_account_id, name, created_at, updated_at) VALUES \
             ('{OWNER}', 'e{number:023}', 'a{number:023}', 'Card', '{TIME}', '{TIME}');"
        )
        .unwrap();
    }
    database.execute(&sql).await;
    app.become_caller(&Account::of_id(OWNER)).await
}

/// Stores a text in a JSON column of a connection or of its entity.
async fn store(database: &Database, number: usize, column: &str, text: &str) {
    let (table, id) = if column == "ui_state" { ("account_connections", 'b') } else { ("account_entities", 'e') };
    let cast = if database.backend() == DbBackend::Postgres { "::jsonb" } else { "" };
    let text = text.replace('\'', "''");
    database.execute(&format!("UPDATE {table} SET {column} = '{text}'{cast} WHERE id = '{id}{number:023}'")).await;
}

/// The stored JSON as the database prints it.
async fn stored(database: &Database, number: usize, column: &str) -> String {
    let (table, id) = if column == "ui_state" { ("account_connections", 'b') } else { ("account_entities", 'e') };
    database.scalar(&format!("SELECT CAST({column} AS text) FROM {table} WHERE id = '{id}{number:023}'")).await
}

/// A part of a JSON text, as it is written there: names of members, and numbers of elements.
fn part<'a>(json: &'a str, path: &[&str]) -> &'a str {
    path.iter().fold(json, |json, step| {
        if json.starts_with('[') {
            let elements: Vec<&RawValue> = serde_json::from_str(json).unwrap();
            elements[step.parse::<usize>().unwrap()].get()
        } else {
            let members: HashMap<String, &RawValue> = serde_json::from_str(json).unwrap();
            members.get(*step).unwrap_or_else(|| panic!("{step} is not in {json}")).get()
        }
    })
}

const LIST: &str =
    "{ connections { nodes { uiState { hasSetupBuyerDelivery raw } accountEntity { name flowIds moduleIds } } } }";

/// One connection as both APIs show it. Its number is its place in the list.
struct Told {
    rest: String,
    graphql: String,
    place: String,
}

async fn told(app: &TestApp) -> (String, String) {
    let (rest, graphql) = (app.get_text("/connections").await, app.graphql_text(LIST, &json!({})).await);
    let members: HashMap<String, &RawValue> = serde_json::from_str(&graphql).unwrap();
    assert_eq!(members.keys().collect::<Vec<_>>(), ["data"], "{graphql:.2000}");
    (rest, graphql)
}

impl Told {
    fn of((rest, graphql): &(String, String), number: usize) -> Self {
        let place = (number - 1).to_string();
        let graphql = part(graphql, &["data", "connections", "nodes", &place]);
        Self { rest: part(rest, &[&place]).to_owned(), graphql: graphql.to_owned(), place }
    }

    fn rest(&self, path: &[&str]) -> &str {
        part(&self.rest, path)
    }

    fn graphql(&self, path: &[&str]) -> &str {
        part(&self.graphql, path)
    }
}

fn flag(meaning: Option<bool>) -> &'static str {
    match meaning {
        None => "null",
        Some(true) => "true",
        Some(false) => "false",
    }
}

async fn odd_numbers_texts_and_nesting_pass_and_cost_no_neighbour(database: Database) {
    let is_postgres = database.backend() == DbBackend::Postgres;
    let nested = |levels: usize| format!("{DEEP}{}{}}}", "[".repeat(levels), "]".repeat(levels));
    let mut cases = vec![
        (r#"{"has_setup_buyer_delivery":true,"zoom":1e400}"#.to_owned(), Some(true)),
        (r#"{"zoom": -1e400, "has_setup_buyer_delivery": false}"#.to_owned(), Some(false)),
        (r#"{"id": 123456789012345678901234567890, "cost": 1.10, "x": 0.1e-400}"#.to_owned(), None),
        (r#"{"$serde_json::private::RawValue": "[1]", "has_setup_buyer_delivery": true}"#.to_owned(), Some(true)),
        (r#"{"$serde_json::private::Number": "1", "has_setup_buyer_delivery": true}"#.to_owned(), Some(true)),
        (r#"{"has_setup_buyer_delivery": true, "has_setup_buyer_delivery": false}"#.to_owned(), Some(false)),
        (r#"{"has_setup_buyer_deliver\u0079": true}"#.to_owned(), Some(true)),
        (r#"{"has_setup_buyer_delivery": "true"}"#.to_owned(), None),
        (r#"{"has_setup_buyer_delivery": [true]}"#.to_owned(), None),
        (nested(126), Some(true)),
        (nested(127), Some(true)),
        (nested(128), Some(true)),
        (nested(3_000), Some(true)),
    ];
    if !is_postgres {
        cases.extend([
            (nested(100_000), Some(true)),
            (r#"{"a": "\ud800", "has_setup_buyer_delivery": true}"#.to_owned(), Some(true)),
            (r#"{"\udfff": 1, "has_setup_buyer_delivery": true, "b": "\ud83d\ud83d\ude00"}"#.to_owned(), Some(true)),
            (r#"{"a": "\u0000", "\u0000": 1, "has_setup_buyer_delivery": false}"#.to_owned(), Some(false)),
            (" \n{ \"has_setup_buyer_delivery\"\t:\r\ntrue , \"a\" : [ 1 , -0 ] }\n ".to_owned(), Some(true)),
        ]);
    }
    let app = app_of(&database, cases.len()).await;
    for (number, (text, _)) in (1..).zip(&cases) {
        store(&database, number, "ui_state", text).await;
    }
    let list = told(&app).await;
    for (number, (text, has_setup)) in (1..).zip(&cases) {
        let told = Told::of(&list, number);
        let stored = stored(&database, number, "ui_state").await;
        let stored = stored.trim();
        assert!(is_postgres || stored == text.trim());
        assert_eq!(told.rest(&["ui_state"]), stored, "{text:.200}");
        assert_eq!(told.graphql(&["uiState", "raw"]), stored, "{text:.200}");
        assert_eq!(told.graphql(&["uiState", "hasSetupBuyerDelivery"]), flag(*has_setup), "{text:.200}");
        let by_id = app.get_text(&format!("/connections/b{number:023}")).await;
        assert_eq!(part(&by_id, &["ui_state"]), stored, "{text:.200}");
    }
}

crate::on_both_databases!(odd_numbers_texts_and_nesting_pass_and_cost_no_neighbour);

async fn elements_beside_an_odd_element_stay(database: Database) {
    let odd = if database.backend() == DbBackend::Postgres { "1e400" } else { "1e400, \"\\ud800\"" };
    let deep = format!("{}{}", "[".repeat(1_000), "]".repeat(1_000));
    let (one, two) = ("f00000000000000000000001", "f00000000000000000000002");
    let app = app_of(&database, 2).await;
    let flow_ids = format!("[\"{one}\", {odd}, {deep}, \"no id\", null, \"{}\"]", two.to_uppercase());
    let module_ids = format!("[{deep}, \"one\", {odd}, {{\"a\": {deep}}}, \"t\\u0077o\"]");
    store(&database, 1, "flow_ids", &flow_ids).await;
    store(&database, 1, "module_ids", &module_ids).await;
    let list = told(&app).await;
    let told = Told::of(&list, 1);
    assert_eq!(told.rest(&["account_entity", "flow_ids"]), stored(&database, 1, "flow_ids").await);
    assert_eq!(told.rest(&["account_entity", "module_ids"]), stored(&database, 1, "module_ids").await);
    assert_eq!(told.graphql(&["accountEntity", "flowIds"]), format!("[\"{one}\",\"{two}\"]"));
    assert_eq!(told.graphql(&["accountEntity", "moduleIds"]), "[\"one\",\"two\"]");
    assert_eq!(Told::of(&list, 2).graphql(&["accountEntity", "moduleIds"]), "[]");
}

crate::on_both_databases!(elements_beside_an_odd_element_stay);

async fn random_json_passes_through_as_it_is_stored(database: Database) {
    const CONNECTIONS: usize = 30;
    let app = app_of(&database, CONNECTIONS).await;
    let (flows, modules) = (["f00000000000000000000001", "F00000000000000000000002"], ["one", "t wo", "日本"]);
    for seed in 0..8 {
        let mut texts = JsonTexts::new(seed, database.backend());
        let mut flags = Vec::new();
        for number in 1..=CONNECTIONS {
            let (ui_state, has_setup) = texts.ui_state();
            store(&database, number, "ui_state", &ui_state).await;
            store(&database, number, "flow_ids", &texts.list_of(&flows)).await;
            store(&database, number, "module_ids", &texts.list_of(&modules)).await;
            flags.push(has_setup);
        }
        let list = told(&app).await;
        for (number, has_setup) in (1..).zip(flags) {
            let told = Told::of(&list, number);
            let context = format!("seed {seed}, place {}", told.place);
            for (column, in_rest) in [
                ("ui_state", &["ui_state"][..]),
                ("flow_ids", &["account_entity", "flow_ids"]),
                ("module_ids", &["account_entity", "module_ids"]),
            ] {
                assert_eq!(told.rest(in_rest), stored(&database, number, column).await.trim(), "{context}");
            }
            assert_eq!(told.graphql(&["uiState", "raw"]), told.rest(&["ui_state"]), "{context}");
            let raw = told.rest(&["ui_state"]);
            assert_eq!(told.graphql(&["uiState", "hasSetupBuyerDelivery"]), flag(has_setup), "{context}: {raw:.500}");
            let flows = json!(flows.map(str::to_lowercase)).to_string();
            assert_eq!(told.graphql(&["accountEntity", "flowIds"]), flows, "{context}");
            assert_eq!(told.graphql(&["accountEntity", "moduleIds"]), json!(modules).to_string(), "{context}");
        }
    }
}

crate::on_both_databases!(random_json_passes_through_as_it_is_stored);

async fn another_type_passes_in_rest_and_is_no_object_in_graphql(database: Database) {
    let cases = ["1e400", "\"text\"", "null", "true", "[1e400, {}]", "-123456789012345678901234567890"];
    let app = app_of(&database, cases.len()).await;
    for (number, text) in (1..).zip(cases) {
        for column in ["ui_state", "flow_ids", "module_ids"] {
            store(&database, number, column, text).await;
        }
    }
    let list = told(&app).await;
    for (number, text) in (1..).zip(cases) {
        let told = Told::of(&list, number);
        let stored = stored(&database, number, "ui_state").await;
        assert_eq!(told.rest(&["ui_state"]), stored);
        assert_eq!(told.rest(&["account_entity", "flow_ids"]), stored);
        assert_eq!(told.rest(&["account_entity", "module_ids"]), stored);
        assert_eq!(told.graphql(&["uiState"]), r#"{"hasSetupBuyerDelivery":null,"raw":{}}"#, "{text}");
        let known = if text.starts_with('[') { "[]" } else { "null" };
        assert_eq!(told.graphql(&["accountEntity", "flowIds"]), known, "{text}");
        assert_eq!(told.graphql(&["accountEntity", "moduleIds"]), "[]", "{text}");
    }
}

crate::on_both_databases!(another_type_passes_in_rest_and_is_no_object_in_graphql);

/// Only SQLite can store such text in a JSON column.
#[tokio::test]
async fn text_that_is_no_json_is_an_odd_value_of_its_field_alone() {
    let database = Database::fresh(Kind::Sqlite).await;
    let cases = [
        "",
        " ",
        "no JSON",
        "NaN",
        "{\"a\": NaN}",
        "{'a': 1}",
        "{a: 1}",
        "{\"a\": 1,}",
        "{\"a\": 1}}",
        "{\"a\": 01}",
        "{\"a\": \"\t\"}",
        "{\"a\": \"\\x\"}",
        "{\"a\": \"\\ud80\"}",
        "[\"a\"",
        "\u{feff}{}",
    ];
    let app = app_of(&database, cases.len() + 1).await;
    for (number, text) in (1..).zip(cases) {
        for column in ["ui_state", "flow_ids", "module_ids"] {
            store(&database, number, column, text).await;
        }
    }
    let list = told(&app).await;
    for (number, text) in (1..).zip(cases.iter().chain([&"untouched"])) {
        let told = Told::of(&list, number);
        assert_eq!(told.rest(&["ui_state"]), "{}", "{text}");
        assert_eq!(told.rest(&["account_entity", "flow_ids"]), "null", "{text}");
        assert_eq!(told.rest(&["account_entity", "module_ids"]), "[]", "{text}");
        assert_eq!(told.graphql(&["uiState", "raw"]), "{}", "{text}");
        assert_eq!(told.graphql(&["accountEntity"]), r#"{"name":"Card","flowIds":null,"moduleIds":[]}"#, "{text}");
    }
}

async fn an_odd_part_of_a_repairs_changes_costs_only_itself(database: Database) {
    let is_postgres = database.backend() == DbBackend::Postgres;
    let app = app_of(&database, 1).await.become_superuser(&Account::of_id(OWNER)).await;
    let deep = format!("{}{}", "[".repeat(500), "]".repeat(500));
    let good = r#"{"path":"created_by","before":null,"after":"someone","from":"SSO"}"#;
    let shown = r#"{"path":"created_by","before":null,"after":"someone","from":"SSO"}"#;
    let mut cases = vec![
        (
            format!(r#"[{{"path":"a","before":{deep},"after":1e400,"from":"LOCAL","more":1e400}},{good}]"#),
            format!(r#"[{{"path":"a","before":{deep},"after":1e400,"from":"LOCAL"}},{shown}]"#),
        ),
        (
            format!(r#"[{{"path":"a","after":12345678901234567890123,"from":"SSO"}},{good}]"#),
            format!(r#"[{{"path":"a","before":null,"after":12345678901234567890123,"from":"SSO"}},{shown}]"#),
        ),
        // Without a path or a known source there is nothing to show.
        (
            format!(r#"[{{"path":7,"from":"SSO"}},{good},{{"path":"a","from":"ELSEWHERE"}},null,7,"a",[]]"#),
            format!("[{shown}]"),
        ),
        (r#"{"not": "a list"}"#.to_owned(), "[]".to_owned()),
        ("1e400".to_owned(), "[]".to_owned()),
    ];
    if !is_postgres {
        cases.extend([
            (
                format!(r#"[{{"path":"a","after":"\ud800","\udfff":1,"from":"SSO"}},{good}]"#),
                format!(r#"[{{"path":"a","before":null,"after":"\ud800","from":"SSO"}},{shown}]"#),
            ),
            (
                format!(r#"[{{"path":"a\ud800b","after":{{ "x" : 1 }},"from":"SSO"}},{good}]"#),
                format!(
                    "[{{\"path\":\"a\u{fffd}b\",\"before\":null,\"after\":{{ \"x\" : 1 }},\"from\":\"SSO\"}},{shown}]"
                ),
            ),
            ("no JSON".to_owned(), "[]".to_owned()),
        ]);
    }
    for (number, (changes, _)) in (1..).zip(&cases) {
        let cast = if is_postgres { "::jsonb" } else { "" };
        database
            .execute(&format!(
                "INSERT INTO repair_records (id, account_id, external_id, actor, via, request_id, changes, created_at) \
                 VALUES ('d{number:023}', '{OWNER}', 'c{:023}', 'staff@example.com', 'cli', 'r', '{changes}'{cast}, \
                 '2024-06-21T10:00:{number:02}.000Z')",
                1
            ))
            .await;
    }
    let query = "query Trail($id: ObjectID!) { connection(id: $id) { repairs(first: 50) { nodes { \
        changes { path before after from } } } } }";
    let answer = app.graphql_text(query, &json!({"id": "c00000000000000000000001"})).await;
    for (place, (changes, expected)) in cases.iter().rev().enumerate() {
        let path = ["data", "connection", "repairs", "nodes", &place.to_string(), "changes"];
        // `jsonb` has numbers of its own.
        let expected = if is_postgres {
            expected.replace("1e400", &database.scalar::<String>("SELECT '1e400'::jsonb::text").await)
        } else {
            expected.clone()
        };
        assert_eq!(part(&answer, &path), expected, "{changes:.300}");
    }
}

crate::on_both_databases!(an_odd_part_of_a_repairs_changes_costs_only_itself);

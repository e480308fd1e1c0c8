//! Bytes that are not UTF-8 in a text column are an odd value of that column, and cost nobody a list.
//!
//! SQLite stores any bytes as text (<https://github.com/rusqlite/rusqlite/issues/548>), and so does PostgreSQL in a
//! database with the encoding `SQL_ASCII`, whose server then refuses to send them to a client of UTF-8
//! (<https://github.com/brianc/node-postgres/issues/2475>, <https://github.com/dimitri/pgcopydb/issues/874>).

use std::fmt::Write as _;

use sea_orm::DbBackend;
use serde_json::{Value, json};

use crate::support::app::TestApp;
use crate::support::databases::{Database, Kind};
use crate::support::world::Account;

const OWNER: &str = "a00000000000000000000001";
const PARTNER: &str = "a00000000000000000000002";
const TIME: &str = "2024-06-21T10:00:00.000Z";
/// The stored bytes are `Caf`, é in Latin-1, and an end.
const SHOWN: &str = "Caf\u{fffd}!";
const TABLES: [&str; 6] =
    ["accounts", "account_connections", "account_entities", "api_keys", "custom_entities", "repair_records"];

const EVERYTHING: &str = "query All($id: ObjectID!) { connections { nodes { ...All } } connection(id: $id) { ...All } } \
    fragment All on Partnership { id invitationId relationshipType createdBy createdAt updatedAt permissions \
    connectedAccount { id name } uiState { hasSetupBuyerDelivery raw } accountEntity { name description see source recipient logoUrl \
    website timeZone flowIds moduleIds fieldSuffix connectedAccountId invitationId invitationExpiresAt createdAt } \
    customEntities { id name source recipient } \
    repairs { nodes { id actor reason requestId via outcome errorCode changes { path before after from } } } }";

/// An expression of text bytes, of which one is not UTF-8 wherever `\xe9` stands.
fn bytes(database: &Database, text: &str) -> String {
    if database.backend() == DbBackend::Postgres {
        return format!("E'{text}'");
    }
    let mut hex = String::new();
    for character in text.replace("\\xe9", "é").chars() {
        write!(hex, "{:02x}", u32::from(character)).unwrap();
    }
    format!("CAST(x'{hex}' AS TEXT)")
}

/// Two connections of the owner's, one of them with everything, and a trail.
async fn app(database: &Database) -> TestApp {
    let app = TestApp::start(database).await;
    database
        .execute(&format!(
            "INSERT INTO accounts VALUES ('{OWNER}', '500000000000000000000001', 'Owner', '{TIME}', '{TIME}'), \
             ('{PARTNER}', '500000000000000000000002', 'Partner', '{TIME}', '{TIME}');
             INSERT INTO account_connections (id, account_id, external_id, invitation_id, relationship_type, \
             connected_account_id, connected_account_sso_id, connected_account_name, created_by, ui_state, created_at, \
             updated_at) VALUES \
             ('b00000000000000000000001', '{OWNER}', 'c00000000000000000000001', 'f00000000000000000000001', 'buyer', \
             '{PARTNER}', '500000000000000000000002', 'Copy', 'someone', '{{\"a\": \"b\"}}', '{TIME}', '{TIME}'), \
             ('b00000000000000000000002', '{OWNER}', 'c00000000000000000000002', NULL, 'seller', \
             NULL, '500000000000000000000003', 'Neighbour', NULL, '{{}}', '{TIME}', '{TIME}');
             INSERT INTO account_entities (account_id, id, connected_account_id, name, description, see, field_suffix, \
             invitation_id, invitation_expires_at, flow_ids, logo_url, module_ids, source, recipient, time_zone, website, \
             created_at, updated_at) VALUES ('{OWNER}', 'e00000000000000000000001', '{PARTNER}', 'Card', 'words', \
             'e00000000000000000000002', 'suffix', 'f00000000000000000000001', '{TIME}', '[]', 'https://a.example/', '[]', \
             'form', 'crm', 'Europe/Berlin', 'https://a.example/', '{TIME}', '{TIME}');
             INSERT INTO custom_entities (id, account_id, connected_account_id, name, source, recipient, created_at, \
             updated_at) VALUES ('d00000000000000000000001', '{OWNER}', '{PARTNER}', 'Mine', 'form', 'crm', '{TIME}', '{TIME}');
             INSERT INTO repair_records (id, account_id, external_id, actor, api_key_id, via, reason, request_id, outcome, \
             changes, created_at) VALUES ('900000000000000000000001', '{OWNER}', 'c00000000000000000000001', 'staff', \
             '900000000000000000000002', 'cli', 'why', 'request', 'CREATED', \
             '[{{\"path\": \"created_by\", \"after\": \"someone\", \"from\": \"SSO\"}}]', '{TIME}');"
        ))
        .await;
    app.become_superuser(&Account::of_id(OWNER)).await
}

async fn bytes_that_are_not_text_are_shown_as_replaced(database: Database) {
    let app = app(&database).await;
    let odd = bytes(&database, "Caf\\xe9!");
    let odd_json = bytes(&database, r#"{"a": "Caf\xe9!", "has_setup_buyer_delivery": true, "b": 1}"#);
    let odd_list = bytes(&database, r#"["Caf\xe9!", "one"]"#);
    let json = if database.backend() == DbBackend::Postgres { "::jsonb" } else { "" };
    database
        .execute(&format!(
            "UPDATE accounts SET name = {odd} WHERE id = '{PARTNER}';
             UPDATE account_connections SET connected_account_name = {odd}, created_by = {odd}, \
             ui_state = {odd_json}{json} WHERE id = 'b00000000000000000000001';
             UPDATE account_entities SET name = {odd}, description = {odd}, see = {odd}, field_suffix = {odd}, \
             logo_url = {url}, source = {odd}, recipient = {odd}, time_zone = {odd}, website = {url}, \
             flow_ids = {odd_list}{json}, module_ids = {odd_list}{json};
             UPDATE custom_entities SET name = {odd}, source = {odd}, recipient = {odd};
             UPDATE api_keys SET user_email = {odd};
             INSERT INTO repair_records (id, account_id, external_id, actor, via, reason, request_id, changes, created_at) \
             VALUES ('900000000000000000000003', '{OWNER}', 'c00000000000000000000001', {odd}, 'cli', {odd}, {odd}, \
             {changes}{json}, '2024-06-22T10:00:00.000Z');",
            url = bytes(&database, "https://a.example/\\xe9"),
            changes = bytes(&database, r#"[{"path": "Caf\xe9!", "after": "Caf\xe9!", "from": "SSO"}]"#),
        ))
        .await;

    let list = app.get("/connections").await;
    assert_eq!(list.status, 200);
    let entry = &list.body[0];
    assert_eq!(entry["connected_account"]["name"], json!(SHOWN));
    assert_eq!(entry["created_by"], json!(SHOWN));
    assert_eq!(entry["ui_state"], json!({"a": SHOWN, "has_setup_buyer_delivery": true, "b": 1}));
    for key in ["name", "description", "see", "field_suffix", "source", "recipient", "time_zone"] {
        assert_eq!(entry["account_entity"][key], json!(SHOWN), "{key}");
    }
    for key in ["logo_url", "website"] {
        assert_eq!(entry["account_entity"][key], json!("https://a.example/\u{fffd}"), "{key}");
    }
    for key in ["flow_ids", "module_ids"] {
        assert_eq!(entry["account_entity"][key], json!([SHOWN, "one"]), "{key}");
    }
    assert_eq!(entry["custom_entities"][0]["name"], json!(SHOWN));
    assert_eq!(entry["custom_entities"][0]["source"], json!(SHOWN));
    assert_eq!(list.body[1]["connected_account"]["name"], json!("Neighbour"));
    let by_id = app.get("/connections/b00000000000000000000001").await;
    assert_eq!(by_id.body["connected_account"]["name"], json!(SHOWN));

    let answer = app.graphql(EVERYTHING, &json!({"id": "c00000000000000000000001"})).await.body;
    assert_eq!(answer.get("errors"), None, "{answer}");
    for node in [&answer["data"]["connections"]["nodes"][0], &answer["data"]["connection"]] {
        assert_eq!(node["connectedAccount"]["name"], json!(SHOWN));
        assert_eq!(node["createdBy"], json!(SHOWN));
        assert_eq!(node["uiState"]["hasSetupBuyerDelivery"], json!(true));
        assert_eq!(node["uiState"]["raw"], entry["ui_state"]);
        let card = &node["accountEntity"];
        for key in ["name", "description", "fieldSuffix", "timeZone"] {
            assert_eq!(card[key], json!(SHOWN), "{key}");
        }
        // A word, an id or a URL of other bytes is none that is known.
        for key in ["see", "source", "recipient", "logoUrl", "website"] {
            assert_eq!(card[key], Value::Null, "{key}");
        }
        assert_eq!((&card["flowIds"], &card["moduleIds"]), (&json!([]), &json!([SHOWN, "one"])));
        assert_eq!(
            node["customEntities"],
            json!([{"id": "d00000000000000000000001", "name": SHOWN, "source": null, "recipient": null}])
        );
        let record = &node["repairs"]["nodes"][0];
        assert_eq!(
            (&record["actor"], &record["reason"], &record["requestId"]),
            (&json!(SHOWN), &json!(SHOWN), &json!(SHOWN))
        );
        assert_eq!(record["changes"], json!([{"path": SHOWN, "before": null, "after": SHOWN, "from": "SSO"}]));
    }

    let metrics = app.client.get(format!("{}/metrics", app.url)).send().await.unwrap().text().await.unwrap();
    for field in [
        "accounts.name",
        "account_connections.connected_account_name",
        "account_connections.created_by",
        "account_connections.ui_state",
        "account_entities.name",
        "account_entities.description",
        "account_entities.see",
        "account_entities.field_suffix",
        "account_entities.logo_url",
        "account_entities.time_zone",
        "account_entities.module_ids",
        "custom_entities.name",
        "api_keys.user_email",
        "repair_records.actor",
        "repair_records.reason",
        "repair_records.request_id",
        "repair_records.changes",
    ] {
        assert!(metrics.contains(&format!("stored_values_unknown_total{{field=\"{field}\"}} ")), "{field}");
    }
}

crate::on_both_databases!(bytes_that_are_not_text_are_shown_as_replaced, of_any_bytes);

/// The rows that are changed: one of each table, and the caller's own.
const ROWS: [(&str, &str); 7] = [
    ("accounts", PARTNER),
    ("accounts", OWNER),
    ("account_connections", "b00000000000000000000001"),
    ("account_entities", "e00000000000000000000001"),
    ("custom_entities", "d00000000000000000000001"),
    ("repair_records", "900000000000000000000001"),
    ("api_keys", ""),
];

/// Values that another program may write into a column of this type when nothing checks it.
fn odd_values(database: &Database, column_type: &str) -> Vec<String> {
    let odd_bytes = bytes(database, "\\xe9\\xe9");
    let values: &[&str] = match (database.backend(), column_type) {
        (DbBackend::Postgres, "timestamp with time zone") => {
            &["NULL", "'infinity'", "'-infinity'", "'4713-01-01 00:00:00Z BC'", "'294276-01-01 00:00:00Z'"]
        }
        (DbBackend::Postgres, "boolean") => &["NULL"],
        (DbBackend::Postgres, "jsonb") => &["NULL", "'null'", "'7'", "'\"text\"'", "'[7, \"x\"]'", "'{\"a\": {}}'"],
        (DbBackend::Postgres, "bytea") => &["NULL", "''"],
        (DbBackend::Postgres, _) => &["NULL", "''", "'no id'", "E'\\x01'"],
        _ => &["NULL", "''", "'no id'", "2", "-1.5", "9e999", "x'ff00'", "'9999-99-99T00:00:00Z'", "'a' || char(0)"],
    };
    let is_text = database.backend() != DbBackend::Postgres || column_type == "text";
    values.iter().map(|value| (*value).to_owned()).chain(is_text.then_some(odd_bytes)).collect()
}

async fn no_odd_value_of_any_column_costs_a_list(database: Database) {
    let app = app(&database).await;
    let is_postgres = database.backend() == DbBackend::Postgres;
    // The same tables without what checks them. The caller's key is made anew each time, since keys are kept for a
    // while.
    for table in TABLES {
        database
            .execute(&format!(
                "ALTER TABLE {table} RENAME TO kept_{table}; CREATE TABLE {table} AS SELECT * FROM kept_{table}"
            ))
            .await;
    }
    let id = json!({"id": "c00000000000000000000001"});
    let rest = app.get("/connections").await.body;
    let graphql = app.graphql(EVERYTHING, &id).await.body;
    assert_eq!((rest.as_array().unwrap().len(), graphql.get("errors")), (2, None));
    let (neighbour, neighbour_node) = (&rest[1], &graphql["data"]["connections"]["nodes"][1]);
    let mut tried = 0;
    for (table, row) in ROWS {
        let columns = if is_postgres {
            format!(
                "SELECT column_name || ':' || data_type FROM information_schema.columns WHERE table_name = '{table}'"
            )
        } else {
            format!("SELECT name || ':' || type FROM pragma_table_info('{table}')")
        };
        for column in database.texts(&columns).await {
            let (column, column_type) = column.split_once(':').unwrap();
            for value in odd_values(&database, column_type) {
                tried += 1;
                let context = format!("{table}.{column} = {value}");
                database.execute("DELETE FROM api_keys").await;
                let app = app.become_superuser(&Account::of_id(OWNER)).await;
                let condition = if table == "api_keys" { "TRUE".to_owned() } else { format!("id = '{row}'") };
                database.execute(&format!("UPDATE {table} SET {column} = {value} WHERE {condition}")).await;

                let (by_rest, by_graphql) = (app.get("/connections").await, app.graphql(EVERYTHING, &id).await);
                if table == "api_keys" || row == OWNER {
                    // A key of which a part cannot be read opens nothing, or no more than it should.
                    // Many keys that open nothing are taken for guesses, hence 429.
                    for status in [by_rest.status, by_graphql.status] {
                        assert!([200, 401, 429].contains(&status), "{context}: {status}");
                    }
                    let code = by_graphql.body["errors"][0]["extensions"]["code"].as_str();
                    let is_expected = [None, Some("UNAUTHENTICATED"), Some("SUPERUSER_REQUIRED"), Some("RATE_LIMITED")]
                        .contains(&code);
                    assert!(is_expected, "{context}: {}", by_graphql.body);
                } else {
                    assert_eq!((by_rest.status, by_graphql.status), (200, 200), "{context}");
                    assert_eq!(by_graphql.body.get("errors"), None, "{context}: {}", by_graphql.body);
                    let nodes = by_graphql.body["data"]["connections"]["nodes"].as_array().unwrap();
                    assert!(by_rest.body.as_array().unwrap().contains(neighbour), "{context}: {}", by_rest.body);
                    assert!(nodes.contains(neighbour_node), "{context}: {}", by_graphql.body);
                }
                database.execute(&format!("DELETE FROM {table}; INSERT INTO {table} SELECT * FROM kept_{table}")).await;
            }
        }
    }
    assert!(tried > 200, "{tried}");
}

crate::on_both_databases!(no_odd_value_of_any_column_costs_a_list, of_any_bytes);

async fn a_repair_writes_text_of_any_language_and_reads_it_back(database: Database) {
    let app = app(&database).await;
    let (id, name) = ("c00000000000000000000009", "Ümlaut 日本 \u{fffd}");
    // JavaScript escapes half of a pair where it cuts a text.
    let body = json!({"network_connections": [{
        "id": id, "invitation_id": null, "buyer": {"id": "500000000000000000000001", "name": "Owner"},
        "seller": {"id": "500000000000000000000009", "name": "Ümlaut 日本 HALF"},
        "permissions": {"buyer": [], "seller": []}, "created_by": null, "created_at": TIME, "updated_at": TIME,
    }]});
    app.simulator.replace_text(&body.to_string().replace("HALF", "\\ud83d"));
    let list = app.get("/connections").await;
    assert_eq!((list.is_degraded(), &list.body[2]["connected_account"]["name"]), (false, &json!(name)));
    assert_eq!(app.post("/connections", &json!({"connection_id": id})).await.status, 201);
    assert_eq!(app.get("/connections").await.body[2]["connected_account"]["name"], json!(name));
    let answer = app.graphql(EVERYTHING, &json!({"id": id})).await.body;
    let record = &answer["data"]["connection"]["repairs"]["nodes"][0];
    let changes = record["changes"].as_array().unwrap();
    assert!(
        changes
            .iter()
            .any(|change| change["path"] == json!("connected_account_name") && change["after"] == json!(name))
    );
}

crate::on_both_databases!(a_repair_writes_text_of_any_language_and_reads_it_back, of_any_bytes);

/// SQLite hands out UTF-8 whatever it stores, but half of a surrogate pair is none.
#[tokio::test]
async fn a_database_of_utf_16_is_read_too() {
    let database = Database::unmigrated(Kind::Sqlite).await;
    database.execute("PRAGMA encoding = 'UTF-16le'; CREATE TABLE first (a)").await;
    database.store().await.migrate().await.unwrap();
    let app = app(&database).await;
    assert_eq!(database.scalar::<String>("PRAGMA encoding").await, "UTF-16le");
    database
        .execute(&format!(
            "UPDATE accounts SET name = 'Ümlaut 日本 😀' WHERE id = '{PARTNER}'; \
             UPDATE account_entities SET name = CAST(x'4100e9003dd8' AS TEXT), description = 'Ü'; \
             UPDATE account_connections SET ui_state = '{{\"a\": \"日本\"}}'"
        ))
        .await;
    let entry = app.get("/connections").await.body[0].clone();
    assert_eq!(entry["connected_account"]["name"], json!("Ümlaut 日本 😀"));
    assert_eq!(entry["ui_state"], json!({"a": "日本"}));
    assert_eq!(entry["account_entity"]["description"], json!("Ü"));
    let name = entry["account_entity"]["name"].as_str().unwrap();
    assert!(name.starts_with("Aé\u{fffd}"), "{name}");
}

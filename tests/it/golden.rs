//! The three response samples of the user's own document: their key sets, JSON types and nullability bind.
//!
//! `golden/*.json` are the samples as they stand there. Two things about them are a renderer's: `source` and `recipient`
//! of an account entity are printed as `{ }`, and the lists show one element.

use serde_json::{Value, json};

use crate::support::app::TestApp;
use crate::support::databases::Database;
use crate::support::world::Account;

const OWNER: &str = "a00000000000000000000001";

/// A connection of which everything is known (1), one of which nothing is that may be missing (2), and one in SSO alone (3).
async fn start(database: &Database) -> TestApp {
    let app = TestApp::start(database).await;
    let yes = if database.backend() == sea_orm::DbBackend::Postgres { "true" } else { "1" };
    let time = "2024-06-21T10:00:00.000Z";
    database
        .execute(&format!(
            "INSERT INTO accounts VALUES ('{OWNER}', '500000000000000000000001', 'Owner', '{time}', '{time}'), \
             ('a00000000000000000000002', '500000000000000000000002', 'Partner', '{time}', '{time}'), \
             ('a00000000000000000000003', '500000000000000000000003', 'Bare', '{time}', '{time}');
             INSERT INTO account_connections VALUES ('b00000000000000000000001', '{OWNER}', 'c00000000000000000000001', \
             'f00000000000000000000001', 'seller', 'a00000000000000000000002', '500000000000000000000002', 'Copy', \
             'a@b.example', '{{\"has_setup_buyer_delivery\": true}}', '{time}', '{time}');
             INSERT INTO account_connections (id, account_id, external_id, relationship_type, connected_account_id, \
             connected_account_sso_id, connected_account_name, ui_state, created_at, updated_at) VALUES \
             ('b00000000000000000000002', '{OWNER}', 'c00000000000000000000002', 'buyer', 'a00000000000000000000003', \
             '500000000000000000000003', 'Copy', '{{}}', '{time}', '{time}'), \
             ('b00000000000000000000004', '{OWNER}', 'c00000000000000000000004', 'buyer', NULL, \
             '500000000000000000000004', 'Copy', '{{}}', '{time}', '{time}');
             INSERT INTO account_entities (account_id, id, connected_account_id, name, description, standard, account, \
             pending, deprecated, see, field_suffix, invitation_id, invitation_expires_at, flow_ids, logo_url, module_ids, \
             source, recipient, time_zone, trustedform_certified_vendor, website, created_at, updated_at) VALUES \
             ('{OWNER}', 'e00000000000000000000001', 'a00000000000000000000002', 'Card', 'text', {yes}, {yes}, {yes}, \
             {yes}, 'e00000000000000000000002', 'suffix', 'f00000000000000000000001', '{time}', \
             '[\"5fd4371e940df5a34a3888b2\"]', 'https://a.example/logo.png', '[\"module\"]', 'seller', 'crm', 'UTC', {yes}, \
             'https://a.example/', '{time}', '{time}');
             INSERT INTO account_entities (account_id, id, connected_account_id, name, module_ids, created_at, updated_at) \
             VALUES ('{OWNER}', 'e00000000000000000000003', 'a00000000000000000000003', 'Bare card', '[]', '{time}', '{time}');
             INSERT INTO custom_entities VALUES ('d00000000000000000000001', '{OWNER}', 'a00000000000000000000002', 'Mine', \
             'seller', NULL, '{time}', '{time}');"
        ))
        .await;
    let listed = |number: u8, invitation_id: Value, created_by: Value| {
        json!({
            "id": format!("c{number:023}"), "invitation_id": invitation_id,
            "buyer": {"id": "500000000000000000000001", "name": "Owner"},
            "seller": {"id": format!("5{:023}", number + 1), "name": "Partner"},
            "permissions": {"buyer": ["view_submission_docs"], "seller": []},
            "created_by": created_by, "created_at": time, "updated_at": time,
        })
    };
    app.simulator.replace(&[
        listed(1, json!("f00000000000000000000001"), json!("a@b.example")),
        listed(3, Value::Null, Value::Null),
    ]);
    app.become_superuser(&Account::of_id(OWNER)).await
}

fn sample(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// Compares key sets and types, and gives the paths at which the answer has null.
fn nulls(answer: &Value, sample: &Value, path: &str) -> Vec<String> {
    match (answer, sample) {
        (Value::Null, _) => vec![path.to_owned()],
        (Value::Object(answer), Value::Object(sample)) => {
            let keys = |object: &serde_json::Map<String, Value>| object.keys().cloned().collect::<Vec<_>>();
            // Open by nature.
            if path.ends_with("ui_state") {
                return Vec::new();
            }
            assert_eq!(keys(answer), keys(sample), "{path}");
            answer.iter().flat_map(|(key, value)| nulls(value, &sample[key], &format!("{path}.{key}"))).collect()
        }
        (Value::Array(answer), Value::Array(sample)) => {
            answer.iter().flat_map(|value| nulls(value, &sample[0], &format!("{path}[]"))).collect()
        }
        (answer, sample) => {
            assert_eq!(type_of(answer), type_of(sample), "{path}");
            Vec::new()
        }
    }
}

async fn the_list_has_the_shape_of_its_sample(database: Database) {
    let app = start(&database).await;
    let mut sample = sample(include_str!("golden/list.json"));
    for (printed, real) in [("source", "seller"), ("recipient", "buyer")] {
        assert_eq!(sample[0]["account_entity"][printed], json!({}), "as the renderer prints it");
        sample[0]["account_entity"][printed] = json!(real);
    }
    sample[0]["custom_entities"][0]["recipient"] = json!("crm");
    let list = app.get("/connections").await.body;
    let entries: Vec<&Value> = list.as_array().unwrap().iter().collect();
    assert_eq!(entries.len(), 4);
    let nulls_of = |number: usize| nulls(entries[number], &sample[0], "");
    assert_eq!(nulls_of(0), [".custom_entities[].recipient"], "where everything is known");
    let mut bare: Vec<&str> = ".created_by .invitation_id .account_entity.description .account_entity.standard \
        .account_entity.account .account_entity.pending .account_entity.deprecated .account_entity.see \
        .account_entity.field_suffix .account_entity.invitation_id .account_entity.invitation_expires_at \
        .account_entity.expired .account_entity.flow_ids .account_entity.logo_url .account_entity.source \
        .account_entity.recipient .account_entity.time_zone .account_entity.trustedform_certified_vendor \
        .account_entity.website"
        .split_whitespace()
        .collect();
    bare.sort_unstable();
    assert_eq!(nulls_of(1), bare, "where a row and its card know nothing more");
    let alone = [".account_entity", ".connected_account.id", ".created_by", ".invitation_id"];
    assert_eq!(entries[2]["status"], json!("sso_only"));
    assert_eq!((nulls_of(2), nulls_of(3)), (alone.map(str::to_owned).to_vec(), alone.map(str::to_owned).to_vec()));
    for key in ["created_at", "updated_at"] {
        assert_eq!(entries[0][key], json!("2024-06-21T10:00:00.000Z"), "milliseconds and Z");
    }
    assert_eq!(entries[2]["ui_state"], json!({}));
}

crate::on_both_databases!(the_list_has_the_shape_of_its_sample);

async fn one_connection_has_the_shape_of_its_sample(database: Database) {
    let app = start(&database).await;
    let sample = sample(include_str!("golden/single.json"));
    let nulls_of = async |id: &str| nulls(&app.get(&format!("/connections/{id}")).await.body, &sample, "");
    assert_eq!(nulls_of("b00000000000000000000001").await, [""; 0]);
    assert_eq!(nulls_of("b00000000000000000000002").await, [".created_by", ".invitation_id"]);
    assert_eq!(nulls_of("c00000000000000000000004").await, [".connected_account.id", ".created_by", ".invitation_id"]);
}

crate::on_both_databases!(one_connection_has_the_shape_of_its_sample);

async fn a_repair_has_the_shape_of_its_sample(database: Database) {
    let app = start(&database).await;
    let sample = sample(include_str!("golden/created.json"));
    let repaired = app.post("/connections", &json!({"connection_id": "c00000000000000000000003"})).await;
    assert_eq!(repaired.status, 201);
    assert_eq!(nulls(&repaired.body, &sample, ""), [""; 0]);
    let id = repaired.body["id"].as_str().unwrap();
    assert_eq!(app.get(&format!("/connections/{id}")).await.body["external_id"], json!("c00000000000000000000003"));
}

crate::on_both_databases!(a_repair_has_the_shape_of_its_sample);

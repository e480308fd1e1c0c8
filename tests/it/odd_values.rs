//! What other programs stored oddly costs nobody a list: REST passes it on, GraphQL shows null, and it is counted.

use std::collections::HashMap;

use sea_orm::DbBackend;
use serde_json::{Value, json};

use crate::support::app::TestApp;
use crate::support::databases::Database;
use crate::support::world::Account;

const OWNER: &str = "a00000000000000000000001";
const PARTNER: &str = "a00000000000000000000002";

/// One connection of the owner's, whose card and custom entity have an odd value wherever one can be.
async fn odd_row(database: &Database) -> TestApp {
    let app = TestApp::start(database).await;
    let time = "2024-06-21T10:00:00.000Z";
    database
        .execute(&format!(
            "INSERT INTO accounts VALUES ('{OWNER}', '500000000000000000000001', 'Owner', '{time}', '{time}'), \
             ('{PARTNER}', '500000000000000000000002', 'Partner', '{time}', '{time}');
             INSERT INTO account_connections (id, account_id, external_id, relationship_type, connected_account_id, \
             connected_account_sso_id, connected_account_name, ui_state, created_at, updated_at) VALUES \
             ('b00000000000000000000001', '{OWNER}', 'c00000000000000000000001', 'buyer', '{PARTNER}', \
             '500000000000000000000002', 'Partner', '[\"odd\"]', '{time}', '{time}');
             INSERT INTO account_entities (account_id, id, connected_account_id, name, see, source, recipient, logo_url, \
             website, time_zone, flow_ids, module_ids, created_at, updated_at) VALUES ('{OWNER}', \
             'e00000000000000000000001', '{PARTNER}', 'Card', 'the other', 'magic', 'Buyer', 'no url', '//nowhere', \
             'America/Los Angeles', '[\"F00000000000000000000001\", \"no id\", 7]', '{{\"not\": \"a list\"}}', '{time}', '{time}');
             INSERT INTO custom_entities (id, account_id, connected_account_id, name, source, recipient, created_at, \
             updated_at) VALUES ('d00000000000000000000001', '{OWNER}', '{PARTNER}', 'Mine', '', 'sms', '{time}', '{time}');"
        ))
        .await;
    app.become_caller(&Account::of_id(OWNER)).await
}

const LIST: &str = "{ connections { nodes { uiState { hasSetupBuyerDelivery raw } accountEntity { name see source recipient \
    logoUrl website timeZone flowIds moduleIds expired createdAt invitationExpiresAt standard } \
    customEntities { name source recipient } } } }";

async fn odd_values_are_passed_on_by_rest_and_null_in_graphql(database: Database) {
    let app = odd_row(&database).await;
    let list = app.get("/connections").await;
    let card = &list.body[0]["account_entity"];
    for (key, stored) in [
        ("see", json!("the other")),
        ("source", json!("magic")),
        ("recipient", json!("Buyer")),
        ("logo_url", json!("no url")),
        ("website", json!("//nowhere")),
        ("flow_ids", json!(["F00000000000000000000001", "no id", 7])),
        ("module_ids", json!({"not": "a list"})),
    ] {
        assert_eq!(card[key], stored, "{key}");
    }
    assert_eq!(list.body[0]["ui_state"], json!(["odd"]));
    let mine = &list.body[0]["custom_entities"][0];
    assert_eq!((&mine["source"], &mine["recipient"]), (&json!(""), &json!("sms")));

    let answer = app.graphql(LIST, &json!({})).await.body;
    assert_eq!(answer.get("errors"), None, "{answer}");
    let node = &answer["data"]["connections"]["nodes"][0];
    assert_eq!(node["uiState"], json!({"hasSetupBuyerDelivery": null, "raw": {}}));
    let card = json!({
        "name": "Card", "see": null, "source": null, "recipient": null, "logoUrl": null, "website": null,
        "timeZone": "America/Los Angeles", "flowIds": ["f00000000000000000000001"], "moduleIds": [], "expired": null,
        "createdAt": "2024-06-21T10:00:00.000Z", "invitationExpiresAt": null, "standard": null,
    });
    assert_eq!(node["accountEntity"], card);
    assert_eq!(node["customEntities"], json!([{"name": "Mine", "source": null, "recipient": null}]));

    let counted = counted(&app).await;
    for (field, times) in [
        ("account_entities.see", 2),
        ("account_entities.source", 2),
        ("account_entities.recipient", 2),
        ("account_entities.logo_url", 2),
        ("account_entities.website", 2),
        ("account_entities.flow_ids", 4),
        ("account_entities.module_ids", 2),
        ("custom_entities.source", 2),
        ("custom_entities.recipient", 2),
        ("account_connections.ui_state", 2),
    ] {
        assert!(counted[field] >= times, "{field}: {counted:?}");
    }
}

/// Odd values by their columns. The process counts for all its tests.
async fn counted(app: &TestApp) -> HashMap<String, u64> {
    let metrics = app.client.get(format!("{}/metrics", app.url)).send().await.unwrap().text().await.unwrap();
    let lines = metrics
        .lines()
        .filter_map(|line| line.strip_prefix("stored_values_unknown_total{field=\"")?.split_once("\"} "));
    lines.map(|(field, times)| (field.to_owned(), times.parse().unwrap())).collect()
}

crate::on_both_databases!(odd_values_are_passed_on_by_rest_and_null_in_graphql);

async fn what_only_this_database_can_hold_costs_no_list_either(database: Database) {
    let app = odd_row(&database).await;
    let is_postgres = database.backend() == DbBackend::Postgres;
    let odd = if is_postgres {
        "UPDATE account_entities SET invitation_expires_at = 'infinity', created_at = '-infinity', \
         module_ids = 'null', flow_ids = '[null]'; UPDATE account_connections SET ui_state = 'null'"
    } else {
        "UPDATE account_entities SET invitation_expires_at = 'tomorrow', created_at = 17, standard = 'maybe', \
         module_ids = 'no JSON', flow_ids = x'00ff', description = x'00ff', name = x'00ff'; \
         UPDATE account_connections SET ui_state = 'no JSON'"
    };
    database.execute(odd).await;
    let list = app.get("/connections").await;
    assert_eq!(list.status, 200);
    let card = &list.body[0]["account_entity"];
    let answer = app.graphql(LIST, &json!({})).await.body;
    assert_eq!(answer.get("errors"), None, "{answer}");
    let node = &answer["data"]["connections"]["nodes"][0];
    assert_eq!(node["uiState"]["raw"], json!({}));
    let seen = &node["accountEntity"];
    assert_eq!(seen["moduleIds"], json!([]));
    if is_postgres {
        assert_eq!(card["invitation_expires_at"], json!("9999-12-31T23:59:59.999Z"));
        assert_eq!((&seen["expired"], &seen["createdAt"]), (&json!(false), &json!("0001-01-01T00:00:00.000Z")));
        assert_eq!((&card["module_ids"], &card["flow_ids"]), (&Value::Null, &json!([null])));
        assert_eq!((&seen["flowIds"], &list.body[0]["ui_state"]), (&json!([]), &Value::Null));
    } else {
        assert_eq!(
            (&card["invitation_expires_at"], &card["standard"], &card["name"]),
            (&Value::Null, &Value::Null, &json!(""))
        );
        assert_eq!((&seen["expired"], &seen["createdAt"]), (&Value::Null, &json!("1970-01-01T00:00:00.000Z")));
        assert_eq!((&card["module_ids"], &card["flow_ids"]), (&json!([]), &Value::Null));
        assert_eq!(list.body[0]["ui_state"], json!({}), "what is no JSON cannot be passed on in JSON");
    }
}

crate::on_both_databases!(what_only_this_database_can_hold_costs_no_list_either);

async fn a_key_whose_expiry_cannot_be_read_opens_nothing(database: Database) {
    let app = odd_row(&database).await;
    let (never, odd) = match database.backend() {
        DbBackend::Postgres => ("infinity", "-infinity"),
        _ => ("9999-12-31T00:00:00Z", "some day"),
    };
    database.execute(&format!("UPDATE api_keys SET expires_at = '{never}'")).await;
    assert_eq!(app.get("/connections").await.status, 200);
    let other = app.become_caller(&Account::of_id(PARTNER)).await;
    database.execute(&format!("UPDATE api_keys SET expires_at = '{odd}'")).await;
    assert_eq!(other.get("/connections").await.status, 401);
}

crate::on_both_databases!(a_key_whose_expiry_cannot_be_read_opens_nothing);

async fn a_row_that_cannot_be_read_is_still_a_row_to_a_repair(database: Database) {
    let app = odd_row(&database).await.become_superuser(&Account::of_id(OWNER)).await;
    let id = "c00000000000000000000001";
    app.simulator.replace(&[json!({
        "id": id, "invitation_id": null, "buyer": {"id": "500000000000000000000002", "name": "Partner"},
        "seller": {"id": "500000000000000000000001", "name": "Owner"}, "permissions": {"buyer": [], "seller": []},
        "created_by": null, "created_at": "2024-06-21T10:00:00Z", "updated_at": "2024-06-21T10:00:00Z",
    })]);
    database.execute("UPDATE account_connections SET connected_account_sso_id = 'no id'").await;
    let repair = "mutation Repair($id: ObjectID!, $dry: Boolean!) { repairConnection(input: {connectionId: $id, dryRun: $dry}) \
        { outcome userErrors { code } } }";
    for dry in [true, false] {
        let answer = app.graphql(repair, &json!({"id": id, "dry": dry})).await.body;
        let refused = json!({"outcome": null, "userErrors": [{"code": "ALREADY_EXISTS"}]});
        assert_eq!(answer["data"]["repairConnection"], refused, "{answer}");
    }
    assert_eq!(app.simulator.single_calls(), 0);
    assert_eq!(database.count("account_connections").await, 1);
}

crate::on_both_databases!(a_row_that_cannot_be_read_is_still_a_row_to_a_repair);

async fn nulls_where_none_may_be_are_odd_values_like_others(database: Database) {
    let app = odd_row(&database).await;
    // Copies of the tables, which allow all that the tables forbid.
    for table in ["accounts", "account_connections", "account_entities"] {
        let rename = format!("ALTER TABLE {table} RENAME TO kept_{table}");
        database.execute(&format!("{rename}; CREATE TABLE {table} AS SELECT * FROM kept_{table}")).await;
    }
    database
        .execute(
            "UPDATE accounts SET name = NULL WHERE name = 'Partner'; \
             UPDATE account_connections SET connected_account_name = NULL, ui_state = NULL, created_at = NULL; \
             UPDATE account_entities SET name = NULL, module_ids = NULL, updated_at = NULL",
        )
        .await;
    let before = counted(&app).await;
    let entry = app.get("/connections").await.body[0].clone();
    assert_eq!((&entry["ui_state"], &entry["created_at"]), (&json!({}), &json!("1970-01-01T00:00:00.000Z")));
    assert_eq!(entry["connected_account"]["name"], json!(""));
    let card = &entry["account_entity"];
    assert_eq!((&card["name"], &card["module_ids"]), (&json!(""), &json!([])));
    assert_eq!(card["updated_at"], json!("1970-01-01T00:00:00.000Z"));
    let answer = app.graphql(LIST, &json!({})).await.body;
    assert_eq!(answer.get("errors"), None, "{answer}");
    let node = &answer["data"]["connections"]["nodes"][0];
    assert_eq!(node["uiState"], json!({"hasSetupBuyerDelivery": null, "raw": {}}));
    assert_eq!((&node["accountEntity"]["name"], &node["accountEntity"]["moduleIds"]), (&json!(""), &json!([])));
    let after = counted(&app).await;
    for field in [
        "accounts.name",
        "account_connections.connected_account_name",
        "account_connections.ui_state",
        "account_connections.created_at",
        "account_entities.name",
        "account_entities.module_ids",
        "account_entities.updated_at",
    ] {
        assert!(after[field] > *before.get(field).unwrap_or(&0), "{field}");
    }
}

crate::on_both_databases!(nulls_where_none_may_be_are_odd_values_like_others);

async fn an_odd_outcome_costs_no_entry_of_a_trail(database: Database) {
    let app = odd_row(&database).await.become_superuser(&Account::of_id(OWNER)).await;
    for (number, columns) in
        ["'CREATED', NULL", "NULL, 'PLAN_STALE'", "'MAYBE', NULL", "NULL, NULL", "'MAYBE', 'ALREADY_EXISTS'"]
            .into_iter()
            .enumerate()
    {
        database
            .execute(&format!(
                "INSERT INTO repair_records (id, account_id, external_id, actor, via, request_id, outcome, error_code, created_at) \
                 VALUES ('d{number:023}', '{OWNER}', 'c00000000000000000000001', 'staff', 'cli', 'r', {columns}, \
                 '2024-06-21T10:00:0{number}.000Z')"
            ))
            .await;
    }
    let query = "query T($id: ObjectID!) { connection(id: $id) { repairs { nodes { actor outcome errorCode } } } }";
    let answer = app.graphql(query, &json!({"id": "c00000000000000000000001"})).await.body;
    assert_eq!(answer.get("errors"), None, "{answer}");
    let entry = |outcome: Value, code: Value| json!({"actor": "staff", "outcome": outcome, "errorCode": code});
    let expected = [
        entry(Value::Null, json!("ALREADY_EXISTS")),
        entry(Value::Null, Value::Null),
        entry(Value::Null, Value::Null),
        entry(Value::Null, Value::Null),
        entry(json!("CREATED"), Value::Null),
    ];
    assert_eq!(answer["data"]["connection"]["repairs"]["nodes"], json!(expected));
}

crate::on_both_databases!(an_odd_outcome_costs_no_entry_of_a_trail);

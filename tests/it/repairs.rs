//! Repair: exactly one row, a trail of every attempt, and nothing else touched.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::support::app::{Scenario, TestApp};
use crate::support::databases::Database;
use crate::support::world::World;

const REPAIR: &str = "mutation Repair($input: RepairConnectionInput!) { repairConnection(input: $input) { \
    outcome partnership { id status connectionId ssoConnectionId drift permissions } \
    plan { untouched changes { path before after from } } record { id actor via reason requestId outcome errorCode } \
    userErrors { message field code retryable existing { id connectionId } } } }";

/// A superuser over a random world, and an SSO id that has no row.
async fn superuser(database: &Database) -> (TestApp, World, String) {
    let (app, world) = TestApp::in_world_as_superuser(database, 12).await;
    let missing = world.missing().into_iter().next().unwrap();
    (app, world, missing)
}

async fn fifty_repairs_at_once_insert_one_row(database: Database) {
    let (app, _world, missing) = superuser(&database).await;
    let tables = ["account_entities", "custom_entities", "accounts"];
    let before = database.dump(&tables).await;
    let rows = database.count("account_connections").await;
    let app = Arc::new(app);
    let attempts: Vec<_> = (0..50)
        .map(|number| {
            let (app, missing) = (Arc::clone(&app), missing.clone());
            tokio::spawn(async move {
                if number % 2 == 0 {
                    let answer = app.post("/connections", &json!({"connection_id": missing})).await;
                    match answer.status {
                        201 => true,
                        409 => false,
                        other => panic!("{other}: {}", answer.body),
                    }
                } else {
                    let answer = app.graphql(REPAIR, &json!({"input": {"connectionId": missing}})).await;
                    let payload = &answer.body["data"]["repairConnection"];
                    match (payload["outcome"].as_str(), payload["userErrors"][0]["code"].as_str()) {
                        (Some("CREATED"), None) => true,
                        (None, Some("ALREADY_EXISTS")) => false,
                        _ => panic!("{}", answer.body),
                    }
                }
            })
        })
        .collect();
    let mut created = 0;
    for attempt in attempts {
        created += usize::from(attempt.await.unwrap());
    }
    assert_eq!(created, 1);
    assert_eq!(database.count("account_connections").await, rows + 1);
    assert_eq!(database.count("repair_records").await, 50);
    assert_eq!(database.count("repair_records WHERE outcome = 'CREATED'").await, 1);
    assert_eq!(database.count("repair_records WHERE error_code = 'ALREADY_EXISTS'").await, 49);
    assert_eq!(database.dump(&tables).await, before);
}

crate::on_both_databases!(fifty_repairs_at_once_insert_one_row);

async fn a_repair_keeps_the_entry_its_place_and_its_global_id(database: Database) {
    let (app, _world, missing) = superuser(&database).await;
    let query = "query One($id: ObjectID!) { connection(id: $id) { id status drift localId } }";
    let read = async || app.graphql(query, &json!({"id": missing})).await;
    let before = read().await.body["data"]["connection"].clone();
    assert_eq!(
        (&before["status"], &before["drift"], &before["localId"]),
        (&json!("SSO_ONLY"), &json!("MISSING_LOCALLY"), &Value::Null)
    );
    let positions =
        |list: Value| list.as_array().unwrap().iter().map(|entry| entry["created_at"].clone()).collect::<Vec<_>>();
    let list_before = positions(app.get("/connections").await.body);

    let dry = app.graphql(REPAIR, &json!({"input": {"connectionId": missing.to_uppercase(), "dryRun": true}})).await;
    let dry = &dry.body["data"]["repairConnection"];
    assert_eq!(
        (&dry["outcome"], &dry["partnership"], &dry["record"]),
        (&json!("WOULD_CREATE"), &Value::Null, &Value::Null)
    );
    assert_eq!(database.count("repair_records").await, 0);

    let repaired = app.graphql(REPAIR, &json!({"input": {"connectionId": missing, "reason": "missed message"}})).await;
    let repaired = &repaired.body["data"]["repairConnection"];
    assert_eq!(repaired["outcome"], json!("CREATED"), "{repaired}");
    assert_eq!(repaired["userErrors"], json!([]));
    assert_eq!(repaired["plan"], dry["plan"], "the dry run told what the real one wrote");
    assert_eq!(repaired["record"]["via"], json!("GRAPHQL"));
    assert_eq!(repaired["record"]["reason"], json!("missed message"));
    assert_eq!(repaired["partnership"]["id"], before["id"]);
    assert_eq!(repaired["partnership"]["status"], json!("COMPLETED"));
    assert_eq!(repaired["partnership"]["drift"], json!("IN_SYNC"));
    assert_eq!(positions(app.get("/connections").await.body), list_before);

    let again = app.graphql(REPAIR, &json!({"input": {"connectionId": missing}})).await;
    let refusal = &again.body["data"]["repairConnection"]["userErrors"][0];
    assert_eq!(refusal["code"], json!("ALREADY_EXISTS"));
    assert_eq!(refusal["field"], json!(["connectionId"]));
    assert_eq!(refusal["existing"]["id"], before["id"]);
}

crate::on_both_databases!(a_repair_keeps_the_entry_its_place_and_its_global_id);

/// A row of `account_connections`, each column as the plan's JSON would have it, but for its `id`.
async fn row_without_id(database: &Database, account: &str, external_id: &str) -> Value {
    let is_postgres = database.backend() == sea_orm::DbBackend::Postgres;
    let columns = if is_postgres {
        "SELECT column_name::text FROM information_schema.columns WHERE table_name = 'account_connections'"
    } else {
        "SELECT name FROM pragma_table_info('account_connections')"
    };
    let mut row = serde_json::Map::new();
    for column in database.texts(columns).await.into_iter().filter(|column| column != "id") {
        let text = match (column.ends_with("_at"), is_postgres) {
            (true, true) => format!("to_char({column} AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"')"),
            _ => format!("CAST({column} AS text)"),
        };
        let sql = format!(
            "SELECT {text} FROM account_connections WHERE account_id = '{account}' AND external_id = '{external_id}'"
        );
        let stored: Option<String> = database.scalar(&sql).await;
        let value = match stored {
            Some(json) if column == "ui_state" => serde_json::from_str(&json).unwrap(),
            text => json!(text),
        };
        row.insert(column, value);
    }
    Value::Object(row)
}

async fn a_dry_run_tells_exactly_what_the_real_run_inserts(database: Database) {
    let app = TestApp::start(&database).await;
    let mut repaired = 0;
    for seed in 0..30 {
        let world = World::random(seed, 14);
        database.empty().await;
        let app = app.enter_as_superuser(&database, &world).await;
        // Of the caller's account and, by name, of the others'.
        for number in 0..world.accounts.len() {
            let account = &world.accounts[number].id;
            for missing in world.asked_by(number).missing() {
                let input = |dry_run: bool| json!({"input": {"connectionId": missing, "accountId": account, "dryRun": dry_run}});
                let dry = app.graphql(REPAIR, &input(true)).await.body["data"]["repairConnection"].clone();
                assert_eq!(dry["outcome"], json!("WOULD_CREATE"), "{dry}");
                let count =
                    |id: &str| format!("account_connections WHERE account_id = '{account}' AND external_id = '{id}'");
                assert_eq!(database.count(&count(&missing)).await, 0, "a dry run writes nothing");
                let real = app.graphql(REPAIR, &input(false)).await.body["data"]["repairConnection"].clone();
                assert_eq!(real["plan"], dry["plan"]);
                let changes = dry["plan"]["changes"].as_array().unwrap();
                assert!(changes.iter().all(|change| change["before"].is_null()));
                let told: serde_json::Map<String, Value> = changes
                    .iter()
                    .map(|change| (change["path"].as_str().unwrap().to_owned(), change["after"].clone()))
                    .collect();
                assert_eq!(Value::Object(told), row_without_id(&database, account, &missing).await, "seed {seed}");
                repaired += 1;
            }
        }
    }
    assert!(repaired > 100, "{repaired}");
}

crate::on_both_databases!(a_dry_run_tells_exactly_what_the_real_run_inserts);

async fn refusals_write_a_trail_and_nothing_else(database: Database) {
    let (app, world, missing) = superuser(&database).await;
    let rows = database.count("account_connections").await;
    let post = async |id: String| app.post("/connections", &json!({"connection_id": id})).await;

    let existing = world.own_row("external_id");
    assert_eq!(post(existing).await.status, 409);
    let unknown = post("0123456789abcdef01234567".to_owned()).await;
    let foreign = post(world.foreign().into_iter().next().unwrap()).await;
    assert_eq!((unknown.status, foreign.status), (422, 422));
    assert_eq!(unknown.body, foreign.body, "another account's tells nothing");
    app.simulator.set(Scenario::Down);
    let unavailable = post(missing.clone()).await;
    assert_eq!(unavailable.status, 503);
    assert!(unavailable.headers.contains_key("retry-after"));
    let answer = app.graphql(REPAIR, &json!({"input": {"connectionId": missing}})).await;
    let refusal = &answer.body["data"]["repairConnection"]["userErrors"][0];
    assert_eq!((&refusal["code"], &refusal["retryable"]), (&json!("SSO_UNAVAILABLE"), &json!(true)));
    app.simulator.set(Scenario::Ok);
    let input = json!({"input": {"connectionId": missing, "accountId": "0123456789abcdef01234567"}});
    let answer = app.graphql(REPAIR, &input).await;
    let refusal = &answer.body["data"]["repairConnection"]["userErrors"][0];
    assert_eq!((&refusal["code"], &refusal["field"]), (&json!("ACCOUNT_NOT_FOUND"), &json!(["accountId"])));

    assert_eq!(database.count("account_connections").await, rows);
    assert_eq!(database.count("repair_records").await, 6);
    assert_eq!(database.count("repair_records WHERE outcome IS NULL AND error_code IS NOT NULL").await, 6);
}

crate::on_both_databases!(refusals_write_a_trail_and_nothing_else);

async fn checks_run_in_their_order(database: Database) {
    let (app, world, missing) = superuser(&database).await;
    let plain = app.become_caller(world.caller()).await;
    let no_one = app.without_key();
    for (caller, text) in [(&no_one, "authentication failed"), (&plain, "not authorized")] {
        for body in ["{", "{}", "[]"] {
            let answer = caller.post_text("/connections", "application/json", body).await;
            assert_eq!((answer.status, &answer.body), (401, &json!({"error": text})), "{body}");
        }
    }
    for (content_type, body, status) in [
        ("text/plain", r#"{"connection_id": "x"}"#, 415),
        ("application/json", "{", 400),
        ("application/json", "[]", 400),
        ("application/json", "{}", 400),
        ("application/json", r#"{"connection_id": 1}"#, 400),
        ("application/json", r#"{"connection_id": "5d9a4c421d011c553e00000"}"#, 400),
        ("application/json", r#"{"connection_id": null}"#, 400),
    ] {
        let answer = app.post_text("/connections", content_type, body).await;
        assert_eq!(answer.status, status, "{body}: {}", answer.body);
        assert!(answer.body["error"].is_string());
    }
    // The row is looked for before SSO is asked.
    app.simulator.set(Scenario::Down);
    let existing = world.own_row("external_id");
    assert_eq!(app.post("/connections", &json!({"connection_id": existing})).await.status, 409);
    assert_eq!(app.post("/connections", &json!({"connection_id": missing})).await.status, 503);
    let refused = plain.graphql(REPAIR, &json!({"input": {"connectionId": missing}})).await;
    assert_eq!(refused.body["errors"][0]["extensions"]["code"], json!("SUPERUSER_REQUIRED"));
    assert_eq!(database.count("repair_records").await, 2);
}

crate::on_both_databases!(checks_run_in_their_order);

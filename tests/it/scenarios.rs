//! What clients see in each of the simulator's scenarios, as the README tells it; and what time does between the two
//! sources.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::app::{SSO_PAGE_SIZE, Scenario, Setup, TestApp};
use crate::support::databases::Database;
use crate::support::world::World;

const LIST: &str = "{ connections(first: 100) { degraded totalCount asOf sources { source state reason asOf } \
    nodes { status drift permissions provenance { local sso } connectedAccount { name } ssoConnectionId } } }";

async fn start(database: &Database, setup: Setup) -> (TestApp, World) {
    let app = TestApp::start_with(database, setup).await;
    let world = World::with_connections(8);
    let app = app.enter_as_superuser(database, &world).await;
    (app, world)
}

async fn list(app: &TestApp) -> Value {
    let answer = app.graphql(LIST, &json!({})).await;
    assert_eq!(answer.body.get("errors"), None, "{}", answer.body);
    let list = answer.body["data"]["connections"].clone();
    assert_eq!(list["degraded"], json!(answer.is_degraded()));
    list
}

fn of_drift(list: &Value, drift: &str) -> usize {
    list["nodes"].as_array().unwrap().iter().filter(|node| node["drift"] == json!(drift)).count()
}

async fn each_scenario_shows_what_the_readme_says(database: Database) {
    let (app, world) = start(&database, Setup { budget: Duration::from_secs(2), ..Setup::default() }).await;
    assert!(world.listed_for_caller() > SSO_PAGE_SIZE);
    let rows = world.expected_list(false).as_array().unwrap().len();
    let missing = &world.missing()[0];
    let repair = async || app.post("/connections", &json!({"connection_id": missing})).await.status;

    for (scenario, reason, repaired) in [
        (Scenario::PageFails, "BAD_STATUS", None),
        (Scenario::Down, "BAD_STATUS", Some(503)),
        (Scenario::Garbage, "BAD_PAYLOAD", Some(503)),
        (Scenario::Hang, "TIMEOUT", Some(503)),
    ] {
        app.simulator.set(scenario);
        let list = list(&app).await;
        let nodes = list["nodes"].as_array().unwrap();
        assert_eq!((&list["degraded"], &list["sources"][1]["reason"]), (&json!(true), &json!(reason)), "{scenario}");
        assert_eq!((&list["sources"][1]["asOf"], &list["asOf"]), (&Value::Null, &list["sources"][0]["asOf"]));
        assert!(nodes.len() == rows && nodes.iter().all(|node| node["permissions"].is_null()), "{scenario}");
        let rest = app.get("/connections").await;
        assert!(rest.is_degraded(), "{scenario}");
        assert!(rest.body.as_array().unwrap().iter().all(|entry| entry["permissions"] == json!([])));
        if let Some(status) = repaired {
            assert_eq!(repair().await, status, "{scenario}");
        }
    }

    app.simulator.set(Scenario::Flap);
    let mut degraded = Vec::new();
    for _ in 0..4 {
        degraded.push(app.get("/connections").await.is_degraded());
    }
    assert_eq!(degraded, [true, false, true, false]);

    app.simulator.set(Scenario::Ok);
    let whole = list(&app).await;
    assert_eq!((&whole["degraded"], whole["nodes"].as_array().unwrap().len()), (&json!(false), 8));
    app.simulator.set(Scenario::Slow);
    assert_eq!(list(&app).await["nodes"], whole["nodes"]);

    app.simulator.set(Scenario::Revoked);
    let revoked = list(&app).await;
    assert_eq!((&revoked["degraded"], of_drift(&revoked, "MISSING_IN_SSO")), (&json!(false), rows));
    let entries = app.get("/connections").await.body;
    assert!(entries.as_array().unwrap().iter().all(|entry| entry["status"] == json!("completed")));
    assert_eq!(repair().await, 422);

    app.simulator.set(Scenario::Missing);
    let with_one_more = list(&app).await;
    assert_eq!(with_one_more["totalCount"], json!(9));
    let nodes = with_one_more["nodes"].as_array().unwrap();
    let one = nodes.iter().find(|node| node["connectedAccount"]["name"] == json!("Missed Message Media")).unwrap();
    assert_eq!((&one["status"], &one["drift"]), (&json!("SSO_ONLY"), &json!("MISSING_LOCALLY")));
    assert_eq!(app.post("/connections", &json!({"connection_id": one["ssoConnectionId"]})).await.status, 201);
    assert_eq!(of_drift(&list(&app).await, "MISSING_LOCALLY"), of_drift(&with_one_more, "MISSING_LOCALLY") - 1);
}

crate::on_both_databases!(each_scenario_shows_what_the_readme_says);

async fn a_row_that_is_written_while_sso_is_asked_never_looks_missing(database: Database) {
    let (app, world) = start(&database, Setup::default()).await;
    let missing = world.missing();
    app.simulator.set(Scenario::Slow);
    let reading = tokio::spawn({
        let app = app.clone();
        async move { list(&app).await }
    });
    // SSO has the call, and takes its time over it: the message arrives.
    while app.simulator.list_calls() == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    for (number, id) in missing.iter().enumerate() {
        let (owner, partner) = (world.caller(), &world.accounts[1]);
        let (time, name) = ("2024-06-21T10:00:00.000Z", partner.name.replace('\'', "''"));
        database
            .execute(&format!(
                "INSERT INTO account_connections (id, account_id, external_id, relationship_type, connected_account_id, \
                 connected_account_sso_id, connected_account_name, ui_state, created_at, updated_at) VALUES \
                 ('beef{number:020}', '{}', '{id}', 'buyer', '{}', '{}', '{name}', '{{}}', '{time}', '{time}')",
                owner.id, partner.id, partner.sso_id
            ))
            .await;
    }
    let list = reading.await.unwrap();
    assert_eq!((of_drift(&list, "MISSING_LOCALLY"), &list["totalCount"]), (0, &json!(8)));
}

crate::on_both_databases!(a_row_that_is_written_while_sso_is_asked_never_looks_missing);

async fn a_repair_makes_its_accounts_kept_view_stale(database: Database) {
    let (app, world) = start(&database, Setup { max_age: Duration::from_mins(10), ..Setup::default() }).await;
    let (listed, new) = (world.listed.clone(), world.missing()[0].clone());
    app.simulator.replace(&listed.iter().filter(|one| one["id"] != json!(new)).cloned().collect::<Vec<_>>());
    assert_eq!(list(&app).await["totalCount"], json!(7));
    app.simulator.replace(&listed);
    assert_eq!(list(&app).await["totalCount"], json!(7), "the view is kept for a while");
    assert_eq!(app.post("/connections", &json!({"connection_id": new})).await.status, 201);
    let after = list(&app).await;
    let repaired = after["nodes"].as_array().unwrap().iter().find(|node| node["ssoConnectionId"] == json!(new));
    assert_eq!(repaired.map(|node| &node["drift"]), Some(&json!("IN_SYNC")), "not MISSING_IN_SSO by an old view");
}

crate::on_both_databases!(a_repair_makes_its_accounts_kept_view_stale);

async fn as_of_is_an_instant_that_the_answer_is_not_older_than(database: Database) {
    let (app, _) = start(&database, Setup { max_age: Duration::from_mins(10), ..Setup::default() }).await;
    let instant = |value: &Value| value.as_str().unwrap().to_owned();
    let (before, first) = (app.clock.now().to_string(), list(&app).await);
    app.clock.advance(60_000);
    let second = list(&app).await;
    assert!(before <= instant(&first["asOf"]) && instant(&first["asOf"]) <= app.clock.now().to_string());
    assert_eq!(second["sources"][1]["asOf"], first["sources"][1]["asOf"], "SSO's list is the one of before");
    assert_eq!(second["asOf"], first["asOf"], "no newer than its older part");
    assert!(instant(&second["sources"][0]["asOf"]) > instant(&first["sources"][0]["asOf"]), "the rows are read anew");
}

crate::on_both_databases!(as_of_is_an_instant_that_the_answer_is_not_older_than);

async fn one_request_waits_for_sso_once_however_often_it_asks(database: Database) {
    let (app, world) = start(&database, Setup { budget: Duration::from_millis(300), ..Setup::default() }).await;
    app.simulator.set(Scenario::Hang);
    let missing = &world.missing()[0];
    let repair = |alias: &str| {
        format!("{alias}: repairConnection(input: {{connectionId: \"{missing}\"}}) {{ userErrors {{ code }} }}")
    };
    let mutation = format!("mutation {{ {} {} {} }}", repair("a"), repair("b"), repair("c"));
    let answer = app.graphql(&mutation, &json!({})).await.body;
    for alias in ["a", "b", "c"] {
        assert_eq!(answer["data"][alias]["userErrors"], json!([{"code": "SSO_UNAVAILABLE"}]), "{answer}");
    }
    assert_eq!(app.simulator.single_calls(), 1, "the first spent the request's whole budget");
    assert_eq!(database.count("repair_records").await, 3);
}

crate::on_both_databases!(one_request_waits_for_sso_once_however_often_it_asks);

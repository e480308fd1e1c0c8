//! SSO being down costs what only SSO knows, and nothing else.

use serde_json::{Value, json};

use crate::support::app::{Scenario, TestApp};
use crate::support::databases::Database;
use crate::support::projection::NESTED;
use crate::support::world::World;

async fn with_sso_down_from_the_start_the_server_is_ready_and_answers_degraded(database: Database) {
    let app = TestApp::start(&database).await;
    app.simulator.set(Scenario::Down);
    let world = World::with_connections(6);
    database.execute(&world.sql()).await;
    let app = app.become_superuser(world.caller()).await;
    assert_eq!(app.get("/livez").await.status, 200);
    assert_eq!(app.get("/readyz").await.status, 200);
    let rest = app.get("/connections").await;
    assert!(rest.status == 200 && rest.is_degraded());
    assert_eq!(rest.body, world.expected_list(false));
    let answer = app.graphql(NESTED, &json!({})).await;
    assert!(answer.is_degraded());
    assert_eq!(answer.headers["cache-control"], "no-store");
    assert_eq!(answer.body.get("errors"), None);
    let list = &answer.body["data"]["connections"];
    assert_eq!((&list["degraded"], &list["totalCountPrecision"]), (&json!(true), &json!("LOCAL_ONLY")));
    assert_eq!(
        list["sources"][1],
        json!({"source": "SSO", "state": "UNAVAILABLE", "asOf": null, "reason": "BAD_STATUS"})
    );
    for node in list["nodes"].as_array().unwrap() {
        assert_eq!((&node["permissions"], &node["drift"]), (&Value::Null, &json!("UNKNOWN")));
        assert_eq!(node["provenance"], json!({"local": "PRESENT", "sso": "UNKNOWN", "ssoAsOf": null}));
    }
}

crate::on_both_databases!(with_sso_down_from_the_start_the_server_is_ready_and_answers_degraded);

async fn each_consistency_does_what_it_says(database: Database) {
    let (app, world) = TestApp::in_world(&database, 6).await;
    let ask = async |consistency: &str| app.graphql(NESTED, &json!({"consistency": consistency})).await;

    assert_eq!(ask("REQUIRE_SSO").await.body["data"]["connections"]["totalCount"], json!(6));
    let before = app.simulator.list_calls();
    let local = ask("LOCAL_ONLY").await;
    assert_eq!(app.simulator.list_calls(), before);
    assert!(!local.is_degraded());
    let list = &local.body["data"]["connections"];
    assert_eq!((&list["degraded"], &list["sources"][1]["state"]), (&json!(false), &json!("SKIPPED")));
    assert_eq!(list["totalCount"], json!(world.expected_list(false).as_array().unwrap().len()));

    app.simulator.set(Scenario::Down);
    let required = ask("REQUIRE_SSO").await;
    assert_eq!((required.status, &required.body["data"]), (200, &Value::Null));
    assert_eq!(required.body["errors"][0]["extensions"]["code"], json!("SSO_UNAVAILABLE"));
    assert_eq!(required.body["errors"][0]["extensions"]["retryable"], json!(true));

    // By id, SSO is asked only for what it alone knows.
    let id = world.own_row("id");
    let one = async |fields: &str| {
        app.graphql(&format!("query One($id: ObjectID!) {{ connection(id: $id) {{ {fields} }} }}"), &json!({"id": id}))
            .await
    };
    assert!(!one("status connectedAccount { name }").await.is_degraded());
    let degraded = one("status permissions").await;
    assert!(degraded.is_degraded());
    assert_eq!(degraded.body["data"]["connection"], json!({"status": "COMPLETED", "permissions": null}));
    // Without a row nobody can tell: null, and degraded.
    let missing = json!({"id": world.missing()[0]});
    let unknown = app.graphql("query One($id: ObjectID!) { connection(id: $id) { status } }", &missing).await;
    assert_eq!(unknown.body, json!({"data": {"connection": null}}));
    assert!(unknown.is_degraded());
    app.simulator.set(Scenario::Ok);
    let found = app.graphql("query One($id: ObjectID!) { connection(id: $id) { status } }", &missing).await;
    assert_eq!(found.body, json!({"data": {"connection": {"status": "SSO_ONLY"}}}));
}

crate::on_both_databases!(each_consistency_does_what_it_says);

async fn a_part_that_cannot_be_read_is_null_alone(database: Database) {
    let (app, world) = TestApp::in_world(&database, 6).await;
    let query = "query List($search: String) { connections(filter: {search: $search}) { totalCount nodes { status \
        connectedAccount { name } accountEntity { name } customEntities { name } } } }";
    let whole = app.graphql(query, &json!({})).await.body;
    database.execute("ALTER TABLE account_entities RENAME TO elsewhere").await;

    let partial = app.graphql(query, &json!({})).await;
    assert_eq!(partial.status, 200);
    let mut expected = whole["data"].clone();
    let nodes = expected["connections"]["nodes"].as_array_mut().unwrap();
    for node in nodes {
        node["accountEntity"] = Value::Null;
    }
    assert_eq!(app.get("/connections").await.status, 500, "REST knows no partial answer");
    assert_eq!(partial.body["data"], expected);
    let errors = partial.body["errors"].as_array().unwrap();
    assert!(!errors.is_empty() && errors.len() <= 6);
    for error in errors {
        assert_eq!(error["extensions"]["code"], json!("INTERNAL"));
        let path = error["path"].as_array().unwrap();
        assert_eq!((path.len(), &path[1], &path[3]), (4, &json!("nodes"), &json!("accountEntity")));
        assert!(!error["message"].as_str().unwrap().contains("account_entities"), "no internal text: {error}");
    }
    // Who judges by the cards cannot do without them.
    let judged = app.graphql(query, &json!({"search": "a"})).await.body;
    assert_eq!((&judged["data"], &judged["errors"][0]["path"]), (&Value::Null, &json!(["connections"])));

    let one = "query One($id: ObjectID!) { connection(id: $id) { status accountEntity { name connected } } }";
    let id = world.own_row("id");
    let answer = app.graphql(one, &json!({"id": id})).await.body;
    assert_eq!(answer["data"]["connection"], json!({"status": "COMPLETED", "accountEntity": null}));
    assert_eq!(answer["errors"][0]["path"], json!(["connection", "accountEntity"]));
    assert_eq!(answer["errors"].as_array().map(Vec::len), Some(1));
    database.execute("ALTER TABLE elsewhere RENAME TO account_entities").await;

    // The trail, too, is missed alone.
    let superuser = app.become_superuser(world.caller()).await;
    database.execute("ALTER TABLE repair_records RENAME TO elsewhere").await;
    let trail = "query Trail($id: ObjectID!) { connection(id: $id) { status repairs { totalCount } } }";
    let answer = superuser.graphql(trail, &json!({"id": id})).await.body;
    assert_eq!(answer["data"], json!({"connection": {"status": "COMPLETED", "repairs": null}}));
    assert_eq!(answer["errors"][0]["path"], json!(["connection", "repairs"]));
    assert_eq!(app.graphql(query, &json!({})).await.body, whole);
}

crate::on_both_databases!(a_part_that_cannot_be_read_is_null_alone);

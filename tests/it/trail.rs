//! The trail of repairs, as superusers read it.

use serde_json::{Value, json};

use crate::support::app::TestApp;
use crate::support::databases::Database;
use crate::support::world::World;

const TRAIL: &str = "query Trail($id: ObjectID!, $first: Int! = 10, $after: String) { connection(id: $id) { \
    repairs(first: $first, after: $after) { totalCount pageInfo { hasNextPage hasPreviousPage startCursor endCursor } \
    edges { cursor node { id reason } } nodes { id at actor via reason requestId outcome errorCode \
    changes { path before after from } } } } }";

/// A superuser, and a connection with a trail of seven attempts: one that worked, after three refusals and before three.
async fn with_a_trail(database: &Database) -> (TestApp, World, String) {
    let app = TestApp::start(database).await;
    let world = World::with_connections(12);
    database.execute(&world.sql()).await;
    let app = app.become_superuser(world.caller()).await;
    let missing = world.missing()[0].clone();
    for number in 0..7 {
        app.simulator.replace(if number < 3 { &[] } else { &world.listed });
        let input = json!({"input": {"connectionId": missing, "reason": format!("attempt {number}")}});
        let mutation =
            "mutation Repair($input: RepairConnectionInput!) { repairConnection(input: $input) { outcome } }";
        app.graphql(mutation, &input).await;
    }
    (app, world, missing)
}

async fn a_trail_is_paged_newest_first(database: Database) {
    let (app, _, id) = with_a_trail(&database).await;
    let answer = app.graphql(TRAIL, &json!({"id": id})).await.body;
    let whole = &answer["data"]["connection"]["repairs"];
    let nodes = whole["nodes"].as_array().unwrap();
    let reasons: Vec<&Value> = nodes.iter().map(|node| &node["reason"]).collect();
    assert_eq!(json!(reasons), json!((0..7).rev().map(|number| format!("attempt {number}")).collect::<Vec<_>>()));
    let codes: Vec<&Value> = nodes.iter().map(|node| &node["errorCode"]).collect();
    let (exists, unknown) = ("ALREADY_EXISTS", "SSO_CONNECTION_NOT_FOUND");
    assert_eq!(json!(codes), json!([exists, exists, exists, null, unknown, unknown, unknown]));
    for node in nodes {
        let is_created = node["errorCode"].is_null();
        assert_eq!(node["outcome"], if is_created { json!("CREATED") } else { Value::Null });
        assert_eq!(node["changes"].as_array().unwrap().len(), if is_created { 11 } else { 0 });
        assert_eq!((&node["actor"], &node["via"]), (&json!("staff@example.com"), &json!("GRAPHQL")));
    }

    let mut cursor = Value::Null;
    let mut paged = Vec::new();
    loop {
        let answer = app.graphql(TRAIL, &json!({"id": id, "first": 3, "after": cursor})).await.body;
        let page = &answer["data"]["connection"]["repairs"];
        assert_eq!(page["totalCount"], json!(7), "{answer}");
        assert_eq!(page["pageInfo"]["hasPreviousPage"], json!(!paged.is_empty()));
        let edges = page["edges"].as_array().unwrap();
        assert_eq!(page["pageInfo"]["startCursor"], edges[0]["cursor"]);
        paged.extend(edges.iter().map(|edge| edge["node"]["reason"].clone()));
        assert_eq!(page["pageInfo"]["hasNextPage"], json!(paged.len() < 7));
        cursor = page["pageInfo"]["endCursor"].clone();
        if paged.len() >= 7 {
            break;
        }
    }
    assert_eq!(json!(paged), json!(reasons));

    let empty = app.graphql(TRAIL, &json!({"id": id, "first": 0})).await.body["data"]["connection"]["repairs"].clone();
    assert_eq!((&empty["nodes"], &empty["totalCount"]), (&json!([]), &json!(7)));
    assert_eq!(empty["pageInfo"]["hasNextPage"], json!(true));

    // Each entry is a node of its own.
    let ids: Vec<&Value> = nodes.iter().map(|node| &node["id"]).collect();
    let query = "query N($ids: [ID!]!) { nodes(ids: $ids) { ... on RepairRecord { id reason } } }";
    let found = app.graphql(query, &json!({"ids": ids})).await.body["data"]["nodes"].clone();
    let expected: Vec<Value> = nodes.iter().map(|node| json!({"id": node["id"], "reason": node["reason"]})).collect();
    assert_eq!(found, json!(expected));
}

crate::on_both_databases!(a_trail_is_paged_newest_first);

async fn trails_add_at_most_two_statements_to_a_list(database: Database) {
    let (app, ..) = with_a_trail(&database).await;
    let cost = async |selection: &str| {
        let before = app.store.statements();
        let query = format!("{{ connections {{ nodes {{ connectionId status {selection} }} }} }}");
        let answer = app.graphql(&query, &json!({})).await;
        assert_eq!(answer.body.get("errors"), None, "{}", answer.body);
        app.store.statements() - before
    };
    let plain = cost("").await;
    assert_eq!(cost("repairs { nodes { reason } }").await - plain, 1);
    assert_eq!(
        cost("repairs { totalCount nodes { reason } pageInfo { hasPreviousPage hasNextPage } }").await - plain,
        2
    );
}

crate::on_both_databases!(trails_add_at_most_two_statements_to_a_list);

async fn a_trail_is_for_superusers_and_bad_arguments_null_it_alone(database: Database) {
    let (app, world, id) = with_a_trail(&database).await;
    let plain = app.become_caller(world.caller()).await;
    let query = "query T($id: ObjectID!, $first: Int! = 10, $after: String) { \
        connection(id: $id) { status repairs(first: $first, after: $after) { totalCount } } }";
    for (caller, variables, code) in [
        (&plain, json!({"id": id}), "SUPERUSER_REQUIRED"),
        (&app, json!({"id": id, "first": -1}), "BAD_USER_INPUT"),
        (&app, json!({"id": id, "first": 101}), "BAD_USER_INPUT"),
        (&app, json!({"id": id, "after": "nonsense"}), "CURSOR_INVALID"),
    ] {
        let answer = caller.graphql(query, &variables).await.body;
        assert_eq!(answer["data"], json!({"connection": {"status": "COMPLETED", "repairs": null}}), "{answer}");
        assert_eq!(answer["errors"][0]["path"], json!(["connection", "repairs"]));
        assert_eq!(answer["errors"][0]["extensions"]["code"], json!(code));
    }
}

crate::on_both_databases!(a_trail_is_for_superusers_and_bad_arguments_null_it_alone);

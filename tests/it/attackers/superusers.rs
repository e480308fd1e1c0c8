//! What is for superusers is refused to all others before anything is looked up: it costs no statement and no call to SSO, and
//! tells nothing of what exists.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;

use super::{Cost, Seen, TABLES, UNKNOWN, graphql, repair, request, weigh};
use crate::support::app::TestApp;
use crate::support::databases::Database;
use crate::support::world::World;

const NOTHING: Cost = Cost { statements: 0, sso_calls: 0 };

/// A caller that is no superuser, whose key is known already, in a world with a trail of repairs.
async fn start(database: &Database) -> (TestApp, World) {
    let (superuser, world) = TestApp::in_world_as_superuser(database, 6).await;
    // One that is repaired, and one that is refused: two entries.
    for id in [&world.missing()[0], UNKNOWN] {
        superuser.post("/connections", &json!({"connection_id": id})).await;
    }
    let app = superuser.become_caller(world.caller()).await;
    assert_eq!(app.get(&format!("/connections/{UNKNOWN}")).await.status, 404);
    (app, world)
}

/// All of them are answered alike, for nothing.
async fn assert_alike(app: &TestApp, requests: Vec<reqwest::RequestBuilder>) -> Seen {
    let mut first: Option<Seen> = None;
    for request in requests {
        let (seen, cost) = weigh(app, request).await;
        assert_eq!(cost, NOTHING, "{seen:?}");
        assert_eq!(first.get_or_insert_with(|| seen.clone()), &seen);
    }
    first.unwrap()
}

async fn a_repair_is_refused_before_anything_is_looked_up(database: Database) {
    let (app, world) = start(&database).await;
    let before = database.dump(&TABLES).await;
    let ids = [world.own_row("external_id"), world.own_row("id"), world.foreign()[0].clone(), UNKNOWN.to_owned()];
    let mut by_rest: Vec<_> = ids.iter().chain(&world.missing()).map(|id| repair(&app, id)).collect();
    by_rest.push(repair(&app, "no id"));
    let post = || request(&app, reqwest::Method::POST, "/connections");
    by_rest.extend([
        post(),
        post().body("no JSON").header("content-type", "application/json"),
        post().body("x".repeat(200_000)).header("content-type", "application/json"),
        post().body("{}").header("content-type", "text/plain"),
        post().body("{}").header("content-encoding", "gzip"),
    ]);
    let seen = assert_alike(&app, by_rest).await;
    assert_eq!((seen.status, seen.body.as_str()), (401, r#"{"error":"not authorized"}"#));

    let mutation = "mutation R($input: RepairConnectionInput!) { repairConnection(input: $input) { outcome plan { untouched } \
                    userErrors { code existing { id } } partnership { id } record { id } } }";
    let mut by_graphql = Vec::new();
    for id in ids.iter().chain(&world.missing()) {
        by_graphql.push(graphql(&app, mutation, &json!({"input": {"connectionId": id}})));
        for account in [&world.caller().id, &world.accounts[1].id, UNKNOWN] {
            for is_dry_run in [true, false] {
                let input = json!({"connectionId": id, "accountId": account, "dryRun": is_dry_run, "reason": "x"});
                by_graphql.push(graphql(&app, mutation, &json!({"input": input})));
            }
        }
    }
    let seen = assert_alike(&app, by_graphql).await;
    assert!(seen.body.contains("SUPERUSER_REQUIRED") && seen.body.starts_with(r#"{"data":null"#), "{seen:?}");
    assert_eq!(database.dump(&TABLES).await, before, "and leaves no trace");
}

crate::on_both_databases!(a_repair_is_refused_before_anything_is_looked_up);

async fn tenants_and_trails_are_refused_before_anything_is_looked_up(database: Database) {
    let (app, world) = start(&database).await;
    let account = "query A($id: ObjectID!) { account(id: $id) { id name connections { totalCount nodes { id repairs { totalCount } } } } }";
    let accounts = world.accounts.iter().map(|account| account.id.as_str()).chain([UNKNOWN]);
    let seen = assert_alike(&app, accounts.map(|id| graphql(&app, account, &json!({"id": id}))).collect()).await;
    assert!(seen.body.contains("SUPERUSER_REQUIRED") && seen.body.contains(r#""account":null"#), "{seen:?}");

    let own = &world.caller().id;
    let records = database.texts("SELECT id FROM repair_records").await;
    assert_eq!(records.len(), 2);
    let owners = [own.as_str(), &world.accounts[1].id, UNKNOWN];
    let ids = records.iter().map(String::as_str).chain([UNKNOWN]);
    let ids: Vec<String> =
        ids.flat_map(|id| owners.map(|owner| URL_SAFE_NO_PAD.encode(format!("RepairRecord:{owner}:{id}")))).collect();
    let node = "query N($id: ID!) { node(id: $id) { __typename id } }";
    let seen = assert_alike(&app, ids.iter().map(|id| graphql(&app, node, &json!({"id": id}))).collect()).await;
    assert_eq!(seen.body, r#"{"data":{"node":null}}"#);
    let nodes = "query N($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }";
    let (seen, cost) = weigh(&app, graphql(&app, nodes, &json!({"ids": ids}))).await;
    assert_eq!((cost, seen.body.contains("__typename")), (NOTHING, false), "{seen:?}");
}

crate::on_both_databases!(tenants_and_trails_are_refused_before_anything_is_looked_up);

async fn a_trail_costs_others_nothing_and_tells_them_nothing(database: Database) {
    let (app, world) = start(&database).await;
    let repaired = &world.missing()[0];
    let by_id = |id: &str, trail: &str| {
        let query =
            format!("query C($id: ObjectID!) {{ connection(id: $id, consistency: LOCAL_ONLY) {{ status {trail} }} }}");
        graphql(&app, &query, &json!({"id": id}))
    };
    let trail = "repairs(first: 5) { totalCount nodes { actor reason } }";
    let (with_trail, cost) = weigh(&app, by_id(repaired, trail)).await;
    assert_eq!(cost, weigh(&app, by_id(repaired, "")).await.1);
    assert!(with_trail.body.contains("SUPERUSER_REQUIRED"), "{with_trail:?}");
    assert!(with_trail.body.contains(r#""repairs":null"#), "{with_trail:?}");
    let (without, _) = weigh(&app, by_id(&world.own_row("external_id"), trail)).await;
    assert_eq!(without, with_trail, "whether there is a trail cannot be told");
}

crate::on_both_databases!(a_trail_costs_others_nothing_and_tells_them_nothing);

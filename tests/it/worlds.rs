//! Random worlds: REST's body is the projection of GraphQL's answer is what the oracle says, whatever SSO does.

use serde_json::{Value, json};

use crate::support::app::{SSO_PAGE_SIZE, Scenario, TestApp};
use crate::support::databases::Database;
use crate::support::projection::{NESTED, rest_entry};
use crate::support::world::World;

const WORLDS_A_DATABASE: u64 = 120;

/// Pages through the GraphQL list in either direction, and gives it in list order.
async fn graphql_list(app: &TestApp, page_size: usize, backwards: bool) -> (Vec<Value>, bool) {
    let mut all = Vec::new();
    let mut cursor = Value::Null;
    loop {
        let variables = if backwards {
            json!({"last": page_size, "before": cursor})
        } else {
            json!({"first": page_size, "after": cursor})
        };
        let answer = app.graphql(NESTED, &variables).await;
        assert_eq!(answer.body.get("errors"), None, "{}", answer.body);
        let list = &answer.body["data"]["connections"];
        assert_eq!(list["degraded"], json!(answer.is_degraded()));
        let nodes = list["nodes"].as_array().unwrap();
        let edges = list["edges"].as_array().unwrap();
        let ids = |items: &[Value]| items.iter().map(|item| item["id"].clone()).collect::<Vec<_>>();
        assert_eq!(ids(nodes), edges.iter().map(|edge| edge["node"]["id"].clone()).collect::<Vec<_>>());
        let info = &list["pageInfo"];
        if backwards {
            all.splice(0..0, nodes.iter().cloned());
            assert_eq!(info["hasNextPage"], json!(!cursor.is_null() && all.len() > nodes.len()));
        } else {
            all.extend(nodes.iter().cloned());
            assert_eq!(info["hasPreviousPage"], json!(all.len() > nodes.len()));
        }
        let (more, next) = if backwards { ("hasPreviousPage", "startCursor") } else { ("hasNextPage", "endCursor") };
        if info[more] != json!(true) {
            assert_eq!(list["totalCount"], json!(all.len()));
            return (all, list["degraded"] == json!(true));
        }
        cursor = info[next].clone();
    }
}

async fn rest_and_graphql_tell_what_the_oracle_tells(database: Database) {
    let app = TestApp::start(&database).await;
    for seed in 0..WORLDS_A_DATABASE {
        let world = World::random(seed, 14);
        database.empty().await;
        let world_app = app.enter(&database, &world).await;
        // A failing page first: once a list is kept, an unchanged one is told without pages.
        // And it fails nothing where one page holds everything.
        let fits_a_page = world.listed_for_caller() <= SSO_PAGE_SIZE;
        for (scenario, is_up) in [
            (Scenario::PageFails, fits_a_page),
            (Scenario::Ok, true),
            (Scenario::Down, false),
            (Scenario::Garbage, false),
        ] {
            world_app.simulator.set(scenario);
            let answer = world_app.get("/connections").await;
            assert_eq!(answer.status, 200);
            assert_eq!(answer.is_degraded(), !is_up, "seed {seed}, {scenario:?}");
            let expected = world.expected_list(is_up);
            assert_eq!(answer.body, expected, "seed {seed}, {scenario:?}");

            let page_size = 1 + usize::try_from(seed).unwrap() % 7;
            let (partnerships, degraded) = graphql_list(&world_app, page_size, seed % 2 == 1).await;
            assert_eq!(degraded, !is_up);
            let projected: Vec<Value> = partnerships.iter().map(rest_entry).collect();
            assert_eq!(Value::from(projected), expected, "seed {seed}, {scenario:?}");
            for partnership in &partnerships {
                assert_eq!(partnership["permissions"].is_null(), !is_up);
            }
        }
    }
}

crate::on_both_databases!(rest_and_graphql_tell_what_the_oracle_tells);

async fn each_type_filters_the_merged_list(database: Database) {
    let app = TestApp::start(&database).await;
    let world = World::random(7, 14);
    let app = app.enter(&database, &world).await;
    let all = world.expected_list(true);
    for kind in ["seller", "buyer"] {
        let expected: Value =
            all.as_array().unwrap().iter().filter(|entry| entry["relationship_type"] == json!(kind)).cloned().collect();
        let answer = app.get(&format!("/connections?relationship_type={kind}")).await;
        assert_eq!(answer.body, expected);
        let variables = json!({"filter": {"relationshipType": kind.to_uppercase()}});
        let list = app.graphql(NESTED, &variables).await.body["data"]["connections"].clone();
        let projected: Value = list["nodes"].as_array().unwrap().iter().map(rest_entry).collect();
        assert_eq!(projected, expected);
    }
    let answer = app.get("/connections?envelope=true").await;
    assert_eq!(answer.body, json!({"degraded": false, "connections": all}));
}

crate::on_both_databases!(each_type_filters_the_merged_list);

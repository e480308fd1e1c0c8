//! Costs that must not grow: SQL statements and calls to SSO.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;

use crate::support::app::{Setup, TestApp};
use crate::support::databases::Database;
use crate::support::projection::NESTED;
use crate::support::world::World;

/// Needs whatever a list can need, and costs an unoptimised build little else.
const ALL_TABLES: &str = "query List($first: Int) { connections(first: $first) { nodes { permissions \
    connectedAccount { name } accountEntity { connected } customEntities { id } } } }";

async fn a_list_costs_the_same_statements_whatever_its_length_and_load(database: Database) {
    let app = TestApp::start(&database).await;
    let mut costs = Vec::new();
    for count in [10, 50, 100] {
        let world = World::with_connections(count);
        database.empty().await;
        let app = app.enter(&database, &world).await;
        let variables = json!({"first": 100});
        // The first request authenticates and fetches SSO's list.
        let first = app.graphql(NESTED, &variables).await;
        assert_eq!(first.body["data"]["connections"]["nodes"].as_array().unwrap().len(), count, "{}", first.body);

        let before = app.store.statements();
        app.graphql(NESTED, &variables).await;
        costs.push(app.store.statements() - before);

        let before = app.store.statements();
        let app = Arc::new(app);
        let requests: Vec<_> = (0..32)
            .map(|_| {
                let (app, variables) = (Arc::clone(&app), variables.clone());
                tokio::spawn(async move { app.graphql(ALL_TABLES, &variables).await })
            })
            .collect();
        for request in requests {
            let answer = request.await.unwrap();
            assert_eq!(answer.body["data"]["connections"]["nodes"].as_array().unwrap().len(), count);
        }
        let under_load = app.store.statements() - before;
        assert_eq!(under_load % 32, 0);
        costs.push(under_load / 32);

        let before = app.store.statements();
        app.get("/connections").await;
        costs.push(app.store.statements() - before);
    }
    assert!(costs.iter().all(|cost| *cost == costs[0] && *cost <= 4), "{costs:?}");
}

crate::on_both_databases!(a_list_costs_the_same_statements_whatever_its_length_and_load);

async fn what_is_not_selected_is_not_read(database: Database) {
    let (app, _) = TestApp::in_world(&database, 10).await;
    app.graphql("{ viewer { isSuperuser } }", &json!({})).await;
    let mut costs = Vec::new();
    for query in [
        "{ viewer { account { name } } }",
        "{ connections { nodes { connectionId status } } }",
        "{ connections { nodes { connectedAccount { name } } } }",
        "{ connections { nodes { customEntities { name } } } }",
        // Two spellings of one field are one field.
        "{ connections { nodes { status } } ...More } fragment More on Query { connections { nodes { createdAt } } }",
    ] {
        let before = app.store.statements();
        let answer = app.graphql(query, &json!({})).await;
        assert_eq!(answer.body.get("errors"), None, "{}", answer.body);
        costs.push(app.store.statements() - before);
    }
    assert_eq!(costs[..2], [0, 1]);
    assert_eq!(costs[2], 2);
    assert!(costs[3] <= 3);
    assert_eq!(costs[4], 1);
}

crate::on_both_databases!(what_is_not_selected_is_not_read);

async fn requests_at_once_share_one_call_to_sso(database: Database) {
    let app = TestApp::start_with(&database, Setup { max_age: Duration::from_mins(1), ..Setup::default() }).await;
    let world = World::with_connections(20);
    database.execute(&world.sql()).await;
    let app = Arc::new(app.become_caller(world.caller()).await);
    app.simulator.replace(&world.listed);
    app.simulator.set_page_size(1000);
    let before = app.simulator.list_calls();
    let requests: Vec<_> = (0..32)
        .map(|number| {
            let app = Arc::clone(&app);
            tokio::spawn(async move {
                if number % 2 == 0 { app.get("/connections").await } else { app.graphql(NESTED, &json!({})).await }
            })
        })
        .collect();
    for request in requests {
        assert!(!request.await.unwrap().is_degraded());
    }
    assert_eq!(app.simulator.list_calls() - before, 1);
    // By id too, the list's view serves; a legacy by-id read asks nobody.
    let id = world.own_row("id");
    app.graphql("query One($id: ObjectID!) { connection(id: $id) { permissions drift } }", &json!({"id": id})).await;
    app.get(&format!("/connections/{id}")).await;
    assert_eq!(app.simulator.list_calls() - before, 1);
    assert_eq!(app.simulator.single_calls(), 0);
}

crate::on_both_databases!(requests_at_once_share_one_call_to_sso);

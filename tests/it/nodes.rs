//! Look-ups by global id and by account: what they find, for whom, and what they cost.

use serde_json::{Value, json};

use crate::support::app::{Scenario, TestApp};
use crate::support::databases::Database;
use crate::support::projection::{everything, rest_entry};
use crate::support::world::World;

const UNKNOWN: &str = "0123456789abcdef01234567";

fn nodes_query() -> String {
    format!("query Nodes($ids: [ID!]!) {{ nodes(ids: $ids) {{ id __typename ...Everything }} }} {}", everything())
}

fn code(answer: &Value) -> &Value {
    &answer["errors"][0]["extensions"]["code"]
}

/// One query with the lists of all accounts, under the aliases a0, a1, …
fn all_accounts_query(world: &World, first: usize) -> String {
    let accounts = world.accounts.iter().enumerate().map(|(number, account)| {
        format!(
            "a{number}: account(id: \"{}\") {{ id name connections(first: {first}) {{ nodes {{ ...Everything }} }} }} ",
            account.id
        )
    });
    format!("query All {{ {} }} {}", accounts.collect::<String>(), everything())
}

fn list(answer: &Value) -> &Vec<Value> {
    answer["connections"]["nodes"].as_array().unwrap()
}

async fn a_superuser_sees_each_tenant_as_it_sees_itself_with_one_call_to_sso(database: Database) {
    let app = TestApp::start(&database).await;
    for seed in 0..40 {
        let world = World::random(seed, 14);
        database.empty().await;
        let app = app.enter_as_superuser(&database, &world).await;
        app.simulator.set_page_size(1000);
        let calls = app.simulator.list_calls();
        let answer = app.graphql(&all_accounts_query(&world, 100), &json!({})).await;
        assert_eq!(answer.body.get("errors"), None, "{}", answer.body);
        assert_eq!(app.simulator.list_calls() - calls, 1, "seed {seed}");
        let mut by_id = Vec::new();
        for number in 0..world.accounts.len() {
            let account = &answer.body["data"][format!("a{number}")];
            let projected: Vec<Value> = list(account).iter().map(rest_entry).collect();
            assert_eq!(Value::from(projected), world.asked_by(number).expected_list(true), "seed {seed}, {number}");
            by_id.push((account["id"].clone(), json!("Account"), Value::Null));
            by_id.extend(list(account).iter().map(|node| (node["id"].clone(), json!("Partnership"), node.clone())));
        }

        // Each is a node, among others that are none, in any order.
        by_id.reverse();
        for ids in by_id.chunks(20) {
            let mut asked = vec![json!("nonsense"), json!("")];
            asked.extend(ids.iter().map(|(id, ..)| id.clone()));
            asked.push(json!("Tm90aGluZzo1"));
            let answer = app.graphql(&nodes_query(), &json!({"ids": asked})).await;
            assert_eq!(answer.body.get("errors"), None, "{}", answer.body);
            let nodes = answer.body["data"]["nodes"].as_array().unwrap();
            assert_eq!(nodes.len(), asked.len());
            assert!([&nodes[0], &nodes[1], nodes.last().unwrap()].iter().all(|node| node.is_null()));
            for (node, (id, kind, expected)) in nodes[2..].iter().zip(ids) {
                assert_eq!((&node["id"], &node["__typename"]), (id, kind));
                if !expected.is_null() {
                    assert_eq!(rest_entry(node), rest_entry(expected), "seed {seed}");
                    for field in ["localId", "drift", "permissions", "uiState"] {
                        assert_eq!(node[field], expected[field], "{field}");
                    }
                }
            }
        }

        app.simulator.set(Scenario::Down);
        let answer = app.graphql(&all_accounts_query(&world, 100), &json!({})).await;
        assert!(answer.is_degraded());
        for number in 0..world.accounts.len() {
            let projected: Vec<Value> =
                list(&answer.body["data"][format!("a{number}")]).iter().map(rest_entry).collect();
            assert_eq!(Value::from(projected), world.asked_by(number).expected_list(false), "seed {seed}, {number}");
        }
        app.simulator.set(Scenario::Ok);
    }
}

crate::on_both_databases!(a_superuser_sees_each_tenant_as_it_sees_itself_with_one_call_to_sso);

async fn nodes_cost_one_statement_a_type_whatever_their_number(database: Database) {
    let (app, world) = TestApp::in_world_as_superuser(&database, 60).await;
    app.simulator.set_page_size(1000);
    let answer = app.graphql(&all_accounts_query(&world, 100), &json!({})).await;
    let ids: Vec<Value> = (0..world.accounts.len())
        .flat_map(|number| list(&answer.body["data"][format!("a{number}")]).clone())
        .map(|node| node["id"].clone())
        .collect();
    assert!(ids.len() > 60);
    let mut costs = Vec::new();
    for count in [12, 30, 60] {
        // From both ends, so that several tenants' are among them.
        let ids: Vec<&Value> = ids.iter().take(count / 2).chain(ids.iter().rev().take(count / 2)).collect();
        let (statements, calls) = (app.store.statements(), app.simulator.list_calls());
        let answer = app.graphql(&nodes_query(), &json!({"ids": ids})).await;
        assert!(answer.body["data"]["nodes"].as_array().unwrap().iter().all(|node| node["id"].is_string()));
        costs.push(app.store.statements() - statements);
        assert_eq!(app.simulator.list_calls() - calls, 1);
    }
    // Owners; rows; partners; entities; custom entities; the rows that make `connected`.
    assert_eq!(costs, [6, 6, 6]);

    let names = |count: usize| {
        let accounts = world.accounts.iter().cycle().take(count).enumerate();
        let fields =
            accounts.map(|(number, account)| format!("a{number}: account(id: \"{}\") {{ name }} ", account.id));
        format!("{{ {} }}", fields.collect::<String>())
    };
    for count in [2, 5, 20] {
        let statements = app.store.statements();
        let answer = app.graphql(&names(count), &json!({})).await;
        assert_eq!(answer.body.get("errors"), None, "{}", answer.body);
        assert_eq!(app.store.statements() - statements, 1);
    }
}

crate::on_both_databases!(nodes_cost_one_statement_a_type_whatever_their_number);

async fn another_tenants_node_is_as_unknown_as_one_that_is_nowhere(database: Database) {
    let app = TestApp::start(&database).await;
    let world = World::random(5, 14);
    database.execute(&world.sql()).await;
    app.simulator.replace(&world.listed);
    let superuser = app.become_superuser(world.caller()).await;
    let caller = app.become_caller(world.caller()).await;
    let all = superuser.graphql(&all_accounts_query(&world, 100), &json!({})).await.body["data"].clone();
    let id_of = |number: usize| list(&all[format!("a{number}")])[0]["id"].clone();
    let (own, foreign) = (id_of(0), id_of(1));
    let repaired = superuser
        .graphql(
            "mutation Repair($id: ObjectID!) { repairConnection(input: {connectionId: $id}) { record { id } } }",
            &json!({"id": UNKNOWN}),
        )
        .await;
    let record = repaired.body["data"]["repairConnection"]["record"]["id"].clone();
    assert!(record.is_string(), "{}", repaired.body);

    let node = async |app: &TestApp, id: &Value| {
        app.graphql("query One($id: ID!) { node(id: $id) { id __typename } }", &json!({"id": id})).await.body
    };
    let nothing = json!({"data": {"node": null}});
    for (id, kind) in [(&own, "Partnership"), (&all["a0"]["id"], "Account")] {
        let expected = json!({"data": {"node": {"id": id, "__typename": kind}}});
        assert_eq!(node(&caller, id).await, expected);
        assert_eq!(node(&superuser, id).await, expected);
    }
    for (id, kind) in [(&foreign, "Partnership"), (&all["a1"]["id"], "Account"), (&record, "RepairRecord")] {
        assert_eq!(node(&caller, id).await, nothing);
        assert_eq!(node(&superuser, id).await, json!({"data": {"node": {"id": id, "__typename": kind}}}));
    }
    for id in [json!("x"), json!(""), json!(UNKNOWN)] {
        assert_eq!(node(&caller, &id).await, nothing);
        assert_eq!(node(&superuser, &id).await, nothing);
    }

    let account = async |app: &TestApp, id: &str| {
        app.graphql("query One($id: ObjectID!) { account(id: $id) { name } }", &json!({"id": id})).await.body
    };
    for id in [world.caller().id.as_str(), world.accounts[1].id.as_str(), UNKNOWN] {
        let refused = account(&caller, id).await;
        assert_eq!((&refused["data"], code(&refused)), (&json!({"account": null}), &json!("SUPERUSER_REQUIRED")));
        assert_eq!(refused["errors"][0]["path"], json!(["account"]));
    }
    let other = &world.accounts[1];
    let upper = other.id.to_uppercase();
    assert_eq!(account(&superuser, &upper).await, json!({"data": {"account": {"name": other.name}}}));
    assert_eq!(account(&superuser, UNKNOWN).await, json!({"data": {"account": null}}));

    let many = |count: usize| json!({"ids": vec!["x"; count]});
    let answer = caller.graphql("query N($ids: [ID!]!) { nodes(ids: $ids) { id } }", &many(101)).await.body;
    assert_eq!((&answer["data"], code(&answer)), (&Value::Null, &json!("LIMIT_EXCEEDED")));
    let answer = caller.graphql("query N($ids: [ID!]!) { nodes(ids: $ids) { id } }", &many(100)).await.body;
    assert_eq!(answer["data"]["nodes"], json!(vec![Value::Null; 100]));
}

crate::on_both_databases!(another_tenants_node_is_as_unknown_as_one_that_is_nowhere);

async fn a_node_of_sso_alone_needs_sso(database: Database) {
    let (app, _) = TestApp::in_world(&database, 6).await;
    let answer = app.graphql("{ connections { nodes { id status } } }", &json!({})).await.body;
    let nodes = answer["data"]["connections"]["nodes"].as_array().unwrap().clone();
    let of_status = |status: &str| nodes.iter().find(|node| node["status"] == json!(status)).unwrap()["id"].clone();
    let ids = json!({"ids": [of_status("SSO_ONLY"), of_status("COMPLETED")]});
    let query = "query N($ids: [ID!]!) { nodes(ids: $ids) { ... on Partnership { status } } }";
    let (calls, completed) = (app.simulator.list_calls(), json!({"status": "COMPLETED"}));
    assert_eq!(app.graphql(query, &ids).await.body["data"]["nodes"], json!([{"status": "SSO_ONLY"}, completed]));
    assert_eq!(app.simulator.list_calls() - calls, 1);
    // One with a row needs no SSO for what the row tells.
    let row_alone = json!({"ids": [of_status("COMPLETED")]});
    assert_eq!(app.graphql(query, &row_alone).await.body["data"]["nodes"], json!([completed]));
    assert_eq!(app.simulator.list_calls() - calls, 1);

    app.simulator.set(Scenario::Down);
    let answer = app.graphql(query, &ids).await;
    assert!(answer.is_degraded());
    assert_eq!(answer.body, json!({"data": {"nodes": [null, completed]}}));
    assert!(!app.graphql(query, &row_alone).await.is_degraded());
}

crate::on_both_databases!(a_node_of_sso_alone_needs_sso);

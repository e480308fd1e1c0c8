//! Which connections of the whole list GraphQL gives, and in what order: every filter, order and kind of page.

use std::cmp::Ordering;

use caseless::default_case_fold_str;
use serde_json::{Value, json};

use crate::support::app::{Scenario, TestApp};
use crate::support::databases::Database;
use crate::support::projection::NESTED;
use crate::support::world::World;

async fn list(app: &TestApp, variables: &Value) -> Value {
    let answer = app.graphql(NESTED, variables).await;
    assert_eq!(answer.body.get("errors"), None, "{variables}: {}", answer.body);
    answer.body["data"]["connections"].clone()
}

async fn nodes(app: &TestApp, variables: &Value) -> Vec<Value> {
    list(app, variables).await["nodes"].as_array().unwrap().clone()
}

fn texts(value: &Value) -> Vec<&str> {
    value.as_array().into_iter().flatten().map(|one| one.as_str().unwrap()).collect()
}

fn ids(nodes: &[Value]) -> Vec<&str> {
    nodes.iter().map(|node| node["id"].as_str().unwrap()).collect()
}

fn ids_of(list: &Value) -> Vec<&str> {
    ids(list["nodes"].as_array().unwrap())
}

/// Whether a partnership passes a filter, by the schema's words.
fn passes(filter: &Value, node: &Value) -> bool {
    let name_has =
        |name: &Value, part: &str| name.as_str().is_some_and(|name| default_case_fold_str(name).contains(part));
    let judge = |key: &str, given: &Value| match key {
        "relationshipType" => node["relationshipType"] == *given,
        "status" => given.as_array().unwrap().contains(&node["status"]),
        "drift" => given.as_array().unwrap().contains(&node["drift"]),
        "search" => {
            let part = default_case_fold_str(given.as_str().unwrap());
            name_has(&node["connectedAccount"]["name"], &part) || name_has(&node["accountEntity"]["name"], &part)
        }
        "hasPermission" => {
            let granted = texts(&node["permissions"]);
            texts(given).iter().all(|wanted| granted.contains(wanted))
        }
        "updatedSince" => node["updatedAt"].as_str().unwrap() >= given.as_str().unwrap(),
        other => panic!("{other}"),
    };
    filter.as_object().unwrap().iter().all(|(key, given)| judge(key, given))
}

fn in_order(field: &str, one: &Value, other: &Value) -> Ordering {
    let key = |node: &Value| {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let first = match field {
            "CREATED_AT" => String::new(),
            "UPDATED_AT" => text(&node["updatedAt"]),
            _ => text(&node["connectedAccount"]["name"]).to_lowercase(),
        };
        (first, text(&node["createdAt"]), text(&node["ssoConnectionId"]))
    };
    key(one).cmp(&key(other))
}

async fn every_filter_and_order_means_what_the_schema_says(database: Database) {
    let app = TestApp::start(&database).await;
    let (mut met, mut left_out) = (0, 0);
    for seed in 0..3 {
        let world = World::random(1_000 + seed, 14);
        database.empty().await;
        let app = app.enter(&database, &world).await;
        app.simulator.set(Scenario::Ok);
        let all = nodes(&app, &json!({"first": 100})).await;
        let some =
            |key: &str| all.get(all.len() / 2).map_or(json!("2024-05-02T10:00:00.000Z"), |node| node[key].clone());
        let granted: Vec<&str> = all.iter().flat_map(|node| texts(&node["permissions"])).collect();
        for filter in [
            json!({}),
            json!({"relationshipType": "SELLER"}),
            json!({"relationshipType": "BUYER"}),
            json!({"status": ["COMPLETED"]}),
            json!({"status": ["SSO_ONLY"]}),
            json!({"status": ["SSO_ONLY", "COMPLETED"]}),
            json!({"status": []}),
            json!({"drift": ["IN_SYNC"]}),
            json!({"drift": ["MISSING_LOCALLY", "MISSING_IN_SSO"]}),
            json!({"drift": ["FIELD_MISMATCH", "UNKNOWN"]}),
            json!({"drift": []}),
            json!({"search": "ACME"}),
            json!({"search": "SÖHNE"}),
            json!({"search": "GROSSHANDEL"}),
            json!({"search": "%"}),
            json!({"search": ""}),
            json!({"hasPermission": []}),
            json!({"hasPermission": ["no such permission"]}),
            json!({"hasPermission": granted.first().map(|one| vec![*one]).unwrap_or_default()}),
            json!({"hasPermission": granted.iter().take(2).collect::<Vec<_>>()}),
            json!({"updatedSince": some("updatedAt")}),
            json!({"updatedSince": "2100-01-01T00:00:00Z"}),
            json!({"relationshipType": "SELLER", "status": ["COMPLETED"], "search": "a", "updatedSince": "2000-01-01T00:00:00Z"}),
        ] {
            let orders = ["CREATED_AT", "UPDATED_AT", "PARTNER_NAME"].map(|field| [(field, "ASC"), (field, "DESC")]);
            for (field, direction) in orders.into_iter().flatten() {
                let mut expected: Vec<Value> = all.iter().filter(|node| passes(&filter, node)).cloned().collect();
                expected.sort_by(|one, other| in_order(field, one, other));
                if direction == "DESC" {
                    expected.reverse();
                }
                let order = json!({"field": field, "direction": direction});
                let given = list(&app, &json!({"first": 100, "filter": filter, "orderBy": order})).await;
                assert_eq!(ids_of(&given), ids(&expected), "seed {seed}: {filter}, {order}");
                assert_eq!(given["totalCount"], json!(expected.len()));
                met += expected.len();
                left_out += all.len() - expected.len();
            }
        }
        // Unknown permissions match nothing but the empty filter, and drift is unknown.
        app.simulator.set(Scenario::Down);
        let rows = nodes(&app, &json!({"first": 100})).await.len();
        for (filter, count) in [
            (json!({"hasPermission": ["view_submission_docs"]}), 0),
            (json!({"hasPermission": []}), rows),
            (json!({"drift": ["UNKNOWN"]}), rows),
            (json!({"drift": ["IN_SYNC", "MISSING_IN_SSO", "FIELD_MISMATCH"]}), 0),
            (json!({"status": ["SSO_ONLY"]}), 0),
        ] {
            assert_eq!(nodes(&app, &json!({"first": 100, "filter": filter})).await.len(), count, "{filter}");
        }
    }
    assert!(met > 400 && left_out > 400, "{met}, {left_out}");
}

crate::on_both_databases!(every_filter_and_order_means_what_the_schema_says);

async fn a_cursor_outlives_its_item(database: Database) {
    let (app, world) = TestApp::in_world(&database, 9).await;
    for field in ["CREATED_AT", "UPDATED_AT", "PARTNER_NAME"] {
        let order = json!({"field": field, "direction": "DESC"});
        let whole = nodes(&app, &json!({"orderBy": order})).await;
        let page = list(&app, &json!({"first": 4, "orderBy": order})).await;
        let cursor = page["pageInfo"]["endCursor"].clone();
        let gone = &whole[3]["ssoConnectionId"];
        app.simulator.replace(&world.listed.iter().filter(|one| one["id"] != *gone).cloned().collect::<Vec<_>>());
        let (caller, other) = (&world.caller().id, &world.accounts[1].id);
        let gone = gone.as_str().unwrap();
        let give = async |from: &str, to: &str| {
            let rows = format!("external_id = '{gone}' AND account_id = '{from}'");
            database.execute(&format!("UPDATE account_connections SET account_id = '{to}' WHERE {rows}")).await;
        };
        give(caller, other).await;

        let rest = list(&app, &json!({"first": 100, "after": cursor, "orderBy": order})).await;
        assert_eq!(ids_of(&rest), ids(&whole[4..]), "{field}: nothing twice, nothing lost");
        assert_eq!((&rest["totalCount"], &rest["pageInfo"]["hasPreviousPage"]), (&json!(8), &json!(true)));
        let before = list(&app, &json!({"last": 100, "before": cursor, "orderBy": order})).await;
        assert_eq!(ids_of(&before), ids(&whole[..3]), "{field}");

        give(other, caller).await;
        app.simulator.replace(&world.listed);
    }
}

crate::on_both_databases!(a_cursor_outlives_its_item);

async fn an_empty_page_tells_on_which_sides_there_is_more(database: Database) {
    let (app, _) = TestApp::in_world(&database, 5).await;
    let sides = async |variables: Value| {
        let list = list(&app, &variables).await;
        assert_eq!((&list["nodes"], &list["totalCount"]), (&json!([]), &json!(5)));
        assert_eq!((&list["pageInfo"]["startCursor"], &list["pageInfo"]["endCursor"]), (&Value::Null, &Value::Null));
        let has = |key: &str| list["pageInfo"][key] == json!(true);
        (has("hasPreviousPage"), has("hasNextPage"))
    };
    let edges = list(&app, &json!({})).await["edges"].clone();
    let cursor = |number: usize| edges[number]["cursor"].clone();
    assert_eq!(sides(json!({"first": 0})).await, (false, true));
    assert_eq!(sides(json!({"last": 0})).await, (true, false));
    assert_eq!(sides(json!({"first": 0, "after": cursor(1)})).await, (true, true));
    assert_eq!(sides(json!({"first": 0, "after": cursor(4)})).await, (true, false));
    assert_eq!(sides(json!({"last": 0, "before": cursor(0)})).await, (false, true));
    assert_eq!(sides(json!({"first": 5, "after": cursor(1), "before": cursor(2)})).await, (true, true));
}

crate::on_both_databases!(an_empty_page_tells_on_which_sides_there_is_more);

//! Another tenant's id is no different from one that nobody has: in status, headers, body, and what it costs to find out, by
//! every route and for every kind of id. Statements and calls to SSO are what an answer's time is made of.

use std::collections::BTreeSet;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use lc_connections::domain::timestamp::Timestamp;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use super::{TABLES, UNKNOWN, graphql, repair, request, weigh};
use crate::support::app::TestApp;
use crate::support::databases::Database;
use crate::support::world::{Row, World};

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

/// The rows that are the other tenant's alone: what is between the two is the caller's business as well.
fn theirs<'a>(world: &World, table: &'a [Row]) -> Vec<&'a Row> {
    let own = json!(world.caller().sso_id);
    let is_shared = |row: &&Row| {
        let listed = world.listed.iter().find(|one| row.get("external_id") == Some(&one["id"]));
        listed.is_some_and(|one| [&one["buyer"]["id"], &one["seller"]["id"]].contains(&&own))
    };
    table.iter().filter(|row| row["account_id"] == json!(world.accounts[1].id)).filter(|row| !is_shared(row)).collect()
}

/// A world in which another tenant has everything that can be named: ids by their kinds.
async fn neighbours(database: &Database) -> (TestApp, World, Vec<(&'static str, String)>) {
    let (app, world) = TestApp::in_world(database, 6).await;
    let other = &world.accounts[1];
    let foreign = world.foreign();
    let mut ids = Vec::new();
    for row in theirs(&world, &world.connections) {
        ids.push(("row id", text(&row["id"])));
        ids.push(("SSO id of a row", text(&row["external_id"])));
        ids.extend(row["invitation_id"].as_str().map(|id| ("invitation of a row", id.to_owned())));
    }
    for listed in world.listed.iter().filter(|one| foreign.contains(&text(&one["id"]))) {
        ids.push(("SSO id", text(&listed["id"])));
        ids.extend(listed["invitation_id"].as_str().map(|id| ("invitation at SSO", id.to_owned())));
    }
    ids.push(("account", other.id.clone()));
    ids.push(("account at SSO", other.sso_id.clone()));
    for (kind, table) in [("account entity", &world.entities), ("custom entity", &world.custom_entities)] {
        ids.extend(theirs(&world, table).first().map(|row| (kind, text(&row["id"]))));
    }
    ids.push(("key", database.texts("SELECT id FROM api_keys").await.remove(0)));
    let superuser = app.become_superuser(other).await;
    superuser.post("/connections", &json!({"connection_id": UNKNOWN})).await;
    ids.push(("record", database.texts("SELECT id FROM repair_records").await.remove(0)));
    let kinds: BTreeSet<&str> = ids.iter().map(|(kind, _)| *kind).collect();
    assert!(kinds.len() >= 9, "the world is too small: {kinds:?}");
    // From here on the key is known.
    app.get("/connections").await;
    (app, world, ids)
}

/// Both are answered alike, at the same cost.
async fn assert_alike(app: &TestApp, what: &str, theirs: RequestBuilder, nobodys: RequestBuilder) {
    let (theirs, nobodys) = (weigh(app, theirs).await, weigh(app, nobodys).await);
    assert_eq!(theirs, nobodys, "{what}");
}

async fn by_rest_anothers_id_is_one_that_nobody_has(database: Database) {
    let (app, world, ids) = neighbours(&database).await;
    let (unknown, _) = weigh(&app, request(&app, Method::GET, &format!("/connections/{UNKNOWN}"))).await;
    assert_eq!((unknown.status, unknown.body.as_str()), (404, r#"{"error":"connection not found"}"#));
    // Nor does this route tell of the caller's own that SSO alone knows.
    let (only_at_sso, _) =
        weigh(&app, request(&app, Method::GET, &format!("/connections/{}", world.missing()[0]))).await;
    assert_eq!(only_at_sso, unknown);
    for (kind, id) in &ids {
        for method in [Method::GET, Method::HEAD] {
            let by = |id: &str| request(&app, method.clone(), &format!("/connections/{id}"));
            assert_alike(&app, kind, by(id), by(UNKNOWN)).await;
            assert_alike(&app, kind, by(&id.to_uppercase()), by(&UNKNOWN.to_uppercase())).await;
            let conditional = |id: &str| by(id).header("if-none-match", "*");
            assert_alike(&app, kind, conditional(id), conditional(UNKNOWN)).await;
        }
    }
}

crate::on_both_databases!(by_rest_anothers_id_is_one_that_nobody_has);

async fn by_graphql_anothers_id_is_one_that_nobody_has(database: Database) {
    let (app, world, ids) = neighbours(&database).await;
    let (own, other) = (&world.caller().id, &world.accounts[1].id);
    let global = |kind: &str, owner: &str, id: &str| URL_SAFE_NO_PAD.encode(format!("{kind}:{owner}:{id}"));
    let everything = "__typename id status permissions drift accountEntity { connected } provenance { local sso } repairs { totalCount }";
    let node = format!(
        "query N($id: ID!) {{ node(id: $id) {{ __typename id ... on Partnership {{ {everything} }} ... on Account {{ name }} }} }}"
    );
    for (kind, id) in &ids {
        for (consistency, selection) in
            [("FAIL_OPEN", everything), ("FAIL_OPEN", "status"), ("REQUIRE_SSO", "status"), ("LOCAL_ONLY", "status")]
        {
            let query = format!(
                "query C($id: ObjectID!) {{ connection(id: $id, consistency: {consistency}) {{ {selection} }} }}"
            );
            let by = |id: &str| graphql(&app, &query, &json!({"id": id}));
            assert_alike(&app, kind, by(id), by(UNKNOWN)).await;
        }
        let by = |id: &str| graphql(&app, "query A($id: ObjectID!) { account(id: $id) { name } }", &json!({"id": id}));
        assert_alike(&app, kind, by(id), by(UNKNOWN)).await;

        let by = |id: String| graphql(&app, &node, &json!({"id": id}));
        for named in ["Partnership", "RepairRecord"] {
            // As the other's own, as the caller's, and as that of an account that nobody has.
            assert_alike(&app, kind, by(global(named, other, id)), by(global(named, other, UNKNOWN))).await;
            assert_alike(&app, kind, by(global(named, other, id)), by(global(named, UNKNOWN, UNKNOWN))).await;
            assert_alike(&app, kind, by(global(named, own, id)), by(global(named, own, UNKNOWN))).await;
        }
        let account = |id: &str| URL_SAFE_NO_PAD.encode(format!("Account:{id}"));
        assert_alike(&app, kind, by(account(id)), by(account(UNKNOWN))).await;

        let input = |connection: &str, account: &str| {
            let mutation = "mutation R($input: RepairConnectionInput!) { repairConnection(input: $input) { outcome } }";
            graphql(&app, mutation, &json!({"input": {"connectionId": connection, "accountId": account}}))
        };
        assert_alike(&app, kind, input(id, other), input(UNKNOWN, UNKNOWN)).await;
    }
    let nodes = |owner: &str, ids: Vec<&str>| {
        let ids: Vec<_> = ids.into_iter().map(|id| global("Partnership", owner, id)).collect();
        graphql(&app, "query N($ids: [ID!]!) { nodes(ids: $ids) { id } }", &json!({"ids": ids}))
    };
    let all: Vec<&str> = ids.iter().map(|(_, id)| id.as_str()).collect();
    for owner in [own, other] {
        assert_alike(&app, "nodes", nodes(owner, all.clone()), nodes(owner, vec![UNKNOWN; all.len()])).await;
    }
}

crate::on_both_databases!(by_graphql_anothers_id_is_one_that_nobody_has);

async fn filters_and_cursors_reach_nothing_of_another_tenant(database: Database) {
    let (app, world, ids) = neighbours(&database).await;
    let query = "query L($filter: PartnershipFilter, $after: String, $before: String) { connections(filter: $filter, \
                 after: $after, before: $before, first: 100) { totalCount nodes { id } pageInfo { hasNextPage hasPreviousPage } } }";
    let list = |variables: Value| graphql(&app, query, &variables);
    for row in theirs(&world, &world.connections) {
        let id = text(&row["external_id"]);
        let millis = Timestamp::parse(&text(&row["created_at"])).unwrap().as_millis();
        // One that no list gave, in the same place: another's id moved by its last digit.
        let beside = format!("{}{}", &id[..23], if id.ends_with('0') { '1' } else { '0' });
        let cursor = |id: &str| URL_SAFE_NO_PAD.encode(json!({"c": millis, "i": id}).to_string());
        for side in ["after", "before"] {
            assert_alike(&app, side, list(json!({side: cursor(&id)})), list(json!({side: cursor(&beside)}))).await;
        }
    }
    for (kind, id) in &ids {
        assert_alike(&app, kind, list(json!({"filter": {"search": id}})), list(json!({"filter": {"search": UNKNOWN}})))
            .await;
    }
    // A name and a permission that only others have.
    database
        .execute(&format!(
            "UPDATE account_entities SET name = 'Only Theirs' WHERE account_id = '{}'",
            world.accounts[1].id
        ))
        .await;
    let (theirs, nobodys) = (json!({"search": "only theirs"}), json!({"search": "of nobody's"}));
    assert_alike(&app, "name", list(json!({"filter": theirs})), list(json!({"filter": nobodys}))).await;
    let foreign = world.foreign();
    let listed = world.listed.iter().cloned().map(|mut one| {
        if foreign.contains(&text(&one["id"])) {
            one["permissions"] = json!({"buyer": ["only_theirs"], "seller": ["only_theirs"]});
        }
        one
    });
    app.simulator.replace(&listed.collect::<Vec<_>>());
    let (theirs, nobodys) = (json!({"hasPermission": ["only_theirs"]}), json!({"hasPermission": ["of_nobody"]}));
    assert_alike(&app, "permission", list(json!({"filter": theirs})), list(json!({"filter": nobodys}))).await;
}

crate::on_both_databases!(filters_and_cursors_reach_nothing_of_another_tenant);

async fn a_superusers_repair_of_anothers_connection_is_one_that_sso_does_not_know(database: Database) {
    let (app, world, ids) = neighbours(&database).await;
    let app = app.become_superuser(world.caller()).await;
    let rows = [&TABLES[..5]].concat();
    let before = database.dump(&rows).await;
    app.get(&format!("/connections/{UNKNOWN}")).await;
    for (kind, id) in ids.iter().filter(|(kind, _)| kind.starts_with("SSO id") || *kind == "row id") {
        assert_alike(&app, kind, repair(&app, id), repair(&app, UNKNOWN)).await;
        let by = |id: &str| {
            let mutation = "mutation R($input: RepairConnectionInput!) { repairConnection(input: $input) { outcome userErrors { code message field retryable } } }";
            graphql(&app, mutation, &json!({"input": {"connectionId": id}}))
        };
        assert_alike(&app, kind, by(id), by(UNKNOWN)).await;
    }
    let (seen, _) = weigh(&app, repair(&app, &world.foreign()[0])).await;
    assert_eq!(seen.status, 422, "{seen:?}");
    let after = database.dump(&rows).await;
    assert!(rows.iter().filter(|table| **table != "api_keys").all(|table| before[*table] == after[*table]));
}

crate::on_both_databases!(a_superusers_repair_of_anothers_connection_is_one_that_sso_does_not_know);

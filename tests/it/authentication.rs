//! Who may call: keys in their two forms, those that ended, and how soon a revocation is seen.

use serde_json::json;

use crate::support::app::TestApp;
use crate::support::databases::Database;
use crate::support::world::World;

async fn world(database: &Database) -> (TestApp, World) {
    let app = TestApp::start(database).await;
    let world = World::with_connections(3);
    database.execute(&world.sql()).await;
    (app, world)
}

async fn a_key_works_by_basic_and_by_bearer_on_both_front_ends(database: Database) {
    let (app, world) = world(&database).await;
    let app = app.become_caller(world.caller()).await;
    let key = app.key.clone().unwrap();
    let viewer = json!({"query": "{ viewer { account { accountId } isSuperuser userEmail } }"}).to_string();
    for by_basic in [true, false] {
        let with_key = |request: reqwest::RequestBuilder| {
            if by_basic { request.basic_auth("anyone", Some(&key)) } else { request.bearer_auth(&key) }
        };
        let list = with_key(app.client.get(format!("{}/connections", app.url))).send().await.unwrap();
        assert_eq!(list.status(), 200);
        let graphql = app.client.post(format!("{}/graphql", app.url)).header("content-type", "application/json");
        let answer = with_key(graphql).body(viewer.clone()).send().await.unwrap().bytes().await.unwrap();
        let answer: serde_json::Value = serde_json::from_slice(&answer).unwrap();
        let expected = json!({"data": {"viewer": {"account": {"accountId": world.caller().id}, "isSuperuser": false, "userEmail": null}}});
        assert_eq!(answer, expected);
    }
}

crate::on_both_databases!(a_key_works_by_basic_and_by_bearer_on_both_front_ends);

async fn an_expired_or_revoked_key_is_no_key(database: Database) {
    let (app, world) = world(&database).await;
    let expiring = app.become_caller(world.caller()).await;
    let expires_at = lc_connections::domain::timestamp::Timestamp::from_millis(app.clock.now().as_millis() + 60_000);
    database.execute(&format!("UPDATE api_keys SET expires_at = '{expires_at}'")).await;
    let revoked = app.become_caller(world.caller()).await;
    database.execute(&format!("UPDATE api_keys SET revoked_at = '{}' WHERE expires_at IS NULL", app.clock.now())).await;
    assert_eq!(expiring.get("/connections").await.status, 200);
    assert_eq!(revoked.get("/connections").await.status, 401);
    app.clock.advance(61_000);
    // Believed a moment ago, and over now.
    assert_eq!(expiring.get("/connections").await.status, 401);
}

crate::on_both_databases!(an_expired_or_revoked_key_is_no_key);

async fn a_revocation_is_seen_within_thirty_seconds(database: Database) {
    let (app, world) = world(&database).await;
    let app = app.become_caller(world.caller()).await;
    assert_eq!(app.get("/connections").await.status, 200);
    let id = database.texts("SELECT id FROM api_keys").await.pop().unwrap();
    assert!(app.store.revoke_key(id.parse().unwrap(), app.clock.now()).await.unwrap());
    let start = std::time::Instant::now();
    while app.get("/connections").await.status == 200 {
        assert!(start.elapsed().as_secs() < 30, "a revoked key still works");
        tokio::time::sleep(std::time::Duration::from_millis(250)).await;
    }
}

crate::on_both_databases!(a_revocation_is_seen_within_thirty_seconds);

async fn when_the_database_is_gone_nobody_is_refused_as_unknown(database: Database) {
    let (app, world) = world(&database).await;
    let app = app.become_caller(world.caller()).await;
    app.store.close().await;
    let answer = app.get("/connections").await;
    assert_eq!(answer.status, 503);
    assert!(answer.headers.contains_key("retry-after") && answer.body["error"].is_string());
    let answer = app.graphql("{ viewer { isSuperuser } }", &json!({})).await;
    assert_eq!((answer.status, &answer.body["errors"][0]["extensions"]["code"]), (503, &json!("UNAVAILABLE")));
    assert!(answer.headers.contains_key("retry-after"));
    assert_eq!(app.get("/readyz").await.status, 503);
    assert_eq!(app.get("/livez").await.status, 200);
}

crate::on_both_databases!(when_the_database_is_gone_nobody_is_refused_as_unknown);

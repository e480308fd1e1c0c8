//! How often one may ask: by key, and by address for keys that are none.

use std::sync::Arc;

use lc_connections::app::AppSettings;
use serde_json::json;

use crate::support::app::{Answer, Setup, TestApp, settings};
use crate::support::databases::{Database, Kind};
use crate::support::world::World;

async fn start(settings: AppSettings) -> (Database, TestApp, World) {
    let database = Database::fresh(Kind::Sqlite).await;
    let app = TestApp::start_with(&database, Setup { settings, ..Setup::default() }).await;
    let world = World::with_connections(3);
    database.execute(&world.sql()).await;
    (database, app, world)
}

fn seconds_to_wait(answer: &Answer) -> u64 {
    answer.headers["retry-after"].to_str().unwrap().parse().unwrap()
}

#[tokio::test]
async fn a_key_over_its_limit_is_told_when_to_come_back_and_others_are_served() {
    let (_database, app, world) = start(AppSettings { rate_limit_per_second: 3, ..settings() }).await;
    let (first, second) = (app.become_caller(world.caller()).await, app.become_caller(world.caller()).await);
    let statuses: Vec<u16> = {
        let mut statuses = Vec::new();
        for _ in 0..12 {
            statuses.push(first.get("/connections/0123456789abcdef01234567").await.status);
        }
        statuses
    };
    assert_eq!(statuses[..3], [404; 3]);
    assert!(statuses.contains(&429), "{statuses:?}");
    let (mut rest, mut graphql) = (None, None);
    for _ in 0..10 {
        let answer = first.get("/connections").await;
        rest = rest.or((answer.status == 429).then_some(answer));
        let answer = first.graphql("{ viewer { isSuperuser } }", &json!({})).await;
        graphql = graphql.or((answer.status == 429).then_some(answer));
    }
    let (rest, graphql) = (rest.unwrap(), graphql.unwrap());
    assert!(rest.body["error"].is_string() && seconds_to_wait(&rest) == 1);
    let error = &graphql.body["errors"][0];
    assert_eq!(error["extensions"]["code"], json!("RATE_LIMITED"));
    assert_eq!((&error["extensions"]["retryable"], graphql.body.get("data")), (&json!(true), None));
    assert!(error["extensions"]["requestId"].is_string() && seconds_to_wait(&graphql) == 1);
    assert_eq!(second.get("/connections").await.status, 200, "another key, though of the same account");
    tokio::time::sleep(std::time::Duration::from_millis(1_100)).await;
    assert_eq!(first.get("/connections").await.status, 200);
}

#[tokio::test]
async fn guessing_is_limited_by_address_and_a_good_key_is_never_refused_for_it() {
    let proxies = ["127.0.0.0/8".parse().unwrap()];
    let (_database, app, world) = start(AppSettings { trusted_proxies: Arc::new(proxies), ..settings() }).await;
    let good = app.become_caller(world.caller()).await;
    let guess = async |address: &str| {
        let request = app.client.get(format!("{}/connections", app.url)).header("x-forwarded-for", address);
        app.send(request.bearer_auth("lck_guess")).await
    };
    let mut answers = Vec::new();
    for _ in 0..200 {
        answers.push(guess("192.0.2.1").await);
    }
    assert!(answers[..50].iter().all(|answer| answer.status == 401));
    let refused = answers.iter().rfind(|answer| answer.status == 429).expect("guessing goes on for ever");
    assert!(refused.body["error"].as_str().unwrap().contains("address") && seconds_to_wait(refused) >= 1);
    // From the same address: a good key, and no key at all.
    let url = format!("{}/connections", app.url);
    let from_there = || good.client.get(&url).header("x-forwarded-for", "192.0.2.1");
    assert_eq!(good.send(from_there()).await.status, 200);
    assert_eq!(app.without_key().send(from_there()).await.status, 401);
    // Another address behind the same proxy.
    assert_eq!(guess("192.0.2.2").await.status, 401);
}

#[tokio::test]
async fn who_is_no_proxy_cannot_choose_its_address() {
    let (_database, app, _) = start(settings()).await;
    let mut statuses = Vec::new();
    for number in 0..200 {
        let request =
            app.client.get(format!("{}/connections", app.url)).header("x-forwarded-for", format!("192.0.2.{number}"));
        statuses.push(app.send(request.bearer_auth("lck_guess")).await.status);
    }
    assert!(statuses.contains(&429), "{statuses:?}");
}

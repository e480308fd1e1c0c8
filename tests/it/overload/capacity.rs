//! More requests at once than are worked on.

use std::collections::BTreeSet;
use std::time::Duration;

use futures_util::future::join_all;
use http::Method;
use lc_connections::app::AppSettings;
use lc_connections::http::router::RouterOptions;
use serde_json::json;

use crate::support::app::{Answer, Scenario, Setup, TestApp, settings};
use crate::support::databases::{Database, Kind};
use crate::support::http_2_client;
use crate::support::world::World;

const USUAL: usize = 2;

const ORIGIN: &str = "https://ours.example";

/// In a burst, which a test is.
const MOST: usize = 4 * USUAL;

/// Works on few requests at once, of which each takes as long as SSO may: it hangs.
async fn start(database: &Database) -> TestApp {
    let settings = AppSettings { max_concurrent_requests: USUAL, ..settings() };
    let options = RouterOptions { cors_origins: vec![ORIGIN.parse().unwrap()], ..RouterOptions::default() };
    let setup = Setup { settings, options, budget: Duration::from_secs(3), ..Setup::default() };
    let app = TestApp::start_with(database, setup).await;
    let app = app.enter_as_superuser(database, &World::with_connections(3)).await;
    assert_eq!(app.get("/connections").await.status, 200);
    app.simulator.set(Scenario::Hang);
    app
}

fn assert_told_to_come_back(answer: &Answer) {
    assert_eq!((answer.status, &answer.headers["retry-after"]), (503, &"1".parse().unwrap()), "{}", answer.body);
    assert!(answer.headers.contains_key("x-request-id"));
    assert!(!answer.is_degraded());
}

/// While all places are taken, what comes on top; afterwards, that those who had them were served.
async fn while_full<T>(app: &TestApp, on_top: impl AsyncFn() -> T) -> T {
    let calls = app.simulator.list_calls();
    let served = join_all((0..MOST).map(|_| app.get("/connections")));
    let on_top = async {
        // They share one call.
        while app.simulator.list_calls() == calls {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
        on_top().await
    };
    let (served, told) = tokio::join!(served, on_top);
    assert!(served.iter().all(|answer| answer.status == 200 && answer.is_degraded()));
    told
}

#[tokio::test]
async fn they_are_refused_at_once_in_each_front_ends_own_words() {
    let database = Database::fresh(Kind::Sqlite).await;
    let app = start(&database).await;
    let (list, by_id, repair, graphql) = while_full(&app, async || {
        let (repair, none) = (json!({"connection_id": "0123456789abcdef01234567"}), json!({}));
        tokio::join!(
            app.get("/connections"),
            app.get("/connections/0123456789abcdef01234567"),
            app.post("/connections", &repair),
            app.graphql("{ viewer { isSuperuser } }", &none),
        )
    })
    .await;
    for answer in [list, by_id, repair] {
        assert_told_to_come_back(&answer);
        assert!(answer.body["error"].as_str().unwrap().contains("too much to do"), "{}", answer.body);
    }
    assert_told_to_come_back(&graphql);
    let extensions = &graphql.body["errors"][0]["extensions"];
    assert_eq!((&extensions["code"], &extensions["retryable"]), (&json!("UNAVAILABLE"), &json!(true)));
    assert!(extensions["requestId"].is_string() && graphql.body.get("data").is_none());
    app.simulator.set(Scenario::Ok);
    assert_eq!(app.get("/connections").await.status, 200, "there is room again");
}

fn header_names(answer: &reqwest::Response) -> BTreeSet<String> {
    answer.headers().keys().map(ToString::to_string).collect()
}

#[tokio::test]
async fn their_answers_have_the_headers_of_all_others() {
    let database = Database::fresh(Kind::Sqlite).await;
    let app = start(&database).await;
    let ask = async || {
        let (list, graphql) = (format!("{}/connections", app.url), format!("{}/graphql", app.url));
        let requests = [app.client.get(list), app.client.post(graphql).body("{")];
        let requests = requests.map(|request| request.header("origin", ORIGIN).header("x-request-id", "mine"));
        join_all(requests.map(async |request| request.send().await.unwrap())).await
    };
    let usual = ask().await;
    let refused = while_full(&app, &ask).await;
    for (usual, refused) in usual.iter().zip(&refused) {
        assert_eq!((usual.status().as_u16(), refused.status().as_u16()), (401, 503));
        assert_eq!(refused.headers()["x-request-id"], "mine");
        assert_eq!(refused.headers()["access-control-allow-origin"], ORIGIN);
        let mut expected = header_names(usual);
        expected.remove("www-authenticate");
        expected.insert("retry-after".to_owned());
        assert_eq!(header_names(refused), expected);
    }
}

#[tokio::test]
async fn what_a_browser_asks_before_is_answered_all_the_same() {
    let database = Database::fresh(Kind::Sqlite).await;
    let app = start(&database).await;
    let answer = while_full(&app, async || {
        let url = format!("{}/graphql", app.url);
        let request = app.client.request(Method::OPTIONS, url).header("origin", ORIGIN);
        request.header("access-control-request-method", "POST").send().await.unwrap()
    })
    .await;
    assert_eq!(answer.status(), 200);
    for name in ["x-request-id", "x-content-type-options", "access-control-allow-methods"] {
        assert!(answer.headers().contains_key(name), "{name}");
    }
}

#[tokio::test]
async fn they_are_counted_by_route_and_status() {
    let database = Database::fresh(Kind::Sqlite).await;
    let app = start(&database).await;
    let refused = r#"http_requests_total{route="/connections/{id}",method="GET",status="503"}"#;
    let counters = [refused, "http_requests_shed_total"];
    let count = async || {
        let text = app.client.get(format!("{}/metrics", app.url)).send().await.unwrap().text().await.unwrap();
        counters
            .map(|counter| text.lines().find_map(|line| line.strip_prefix(counter)?.trim().parse().ok()).unwrap_or(0))
    };
    let (before, after) = while_full(&app, async || {
        let before: [u64; 2] = count().await;
        app.get("/connections/0123456789abcdef01234567").await;
        (before, count().await)
    })
    .await;
    for (counter, (before, after)) in counters.iter().zip(before.iter().zip(after)) {
        assert!(after > *before, "{counter}");
    }
}

#[tokio::test]
async fn they_are_refused_before_anything_is_looked_at() {
    let database = Database::fresh(Kind::Sqlite).await;
    let app = start(&database).await;
    let (without_key, with_wrong_key) = while_full(&app, async || {
        let (without, wrong) = (app.without_key(), app.with_key("lck_wrong"));
        tokio::join!(without.get("/connections"), wrong.get("/connections"))
    })
    .await;
    assert_told_to_come_back(&without_key);
    assert_told_to_come_back(&with_wrong_key);
}

#[tokio::test]
async fn whoever_looks_after_the_server_is_answered_all_the_same() {
    let database = Database::fresh(Kind::Sqlite).await;
    let app = start(&database).await;
    let answers =
        while_full(&app, async || join_all(["/livez", "/readyz", "/metrics", "/"].map(|path| app.get(path))).await)
            .await;
    assert!(answers.iter().all(|answer| answer.status == 200));
}

#[tokio::test]
async fn the_requests_of_one_http_2_connection_are_counted_one_by_one() {
    let database = Database::fresh(Kind::Sqlite).await;
    let mut app = start(&database).await;
    app.client = http_2_client();
    let answers = while_full(&app, async || join_all((0..60).map(|_| app.get("/connections"))).await).await;
    answers.iter().for_each(assert_told_to_come_back);
}

#[tokio::test]
async fn a_client_that_goes_away_gives_its_place_back() {
    let database = Database::fresh(Kind::Sqlite).await;
    let app = start(&database).await;
    for _ in 0..3 {
        let impatient = join_all((0..MOST).map(|_| app.get("/connections")));
        assert!(tokio::time::timeout(Duration::from_millis(200), impatient).await.is_err());
    }
    let served = async { while app.get("/connections/0123456789abcdef01234567").await.status != 404 {} };
    tokio::time::timeout(Duration::from_secs(20), served).await.expect("its place must be free again");
}

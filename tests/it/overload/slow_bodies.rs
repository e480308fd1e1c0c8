//! Bodies that come slowly, not at all, or without end.

use std::time::Duration;

use http_server::Timeouts;
use lc_connections::app::AppSettings;
use serde_json::{Value, json};

use super::Raw;
use crate::support::app::{Setup, TestApp, settings};
use crate::support::databases::{Database, Kind};
use crate::support::world::World;

async fn start(database: &Database, timeouts: Timeouts) -> TestApp {
    let settings = AppSettings { max_concurrent_requests: 1, ..settings() };
    let app = TestApp::start_with(database, Setup { settings, timeouts, ..Setup::default() }).await;
    app.enter_as_superuser(database, &World::with_connections(3)).await
}

/// A POST's head, for a body of so many bytes.
fn head(app: &TestApp, path: &str, length: u64) -> String {
    let key = app.key.as_ref().unwrap();
    format!(
        "POST {path} HTTP/1.1\r\nHost: test\r\nAuthorization: Bearer {key}\r\nContent-Type: application/json\r\n\
         Connection: close\r\nContent-Length: {length}\r\n\r\n"
    )
}

fn body_of(answer: &str) -> Value {
    serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap()
}

#[tokio::test]
async fn bodies_that_come_slowly_keep_no_place_from_others() {
    let database = Database::fresh(Kind::Sqlite).await;
    let app = start(&database, Timeouts::default()).await;
    let body = json!({"query": "{ viewer { isSuperuser } }"}).to_string();
    let mut slow = Vec::new();
    for _ in 0..20 {
        let mut one = Raw::connect(&app.url).await;
        one.send(&head(&app, "/graphql", body.len() as u64)).await;
        one.send(&body[..10]).await;
        slow.push(one);
        // Until it is seen to be slow it has a place.
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    tokio::time::sleep(Duration::from_millis(200)).await;
    for _ in 0..20 {
        assert_eq!(app.get("/connections").await.status, 200);
    }
    for mut one in slow {
        one.send(&body[10..]).await;
        let answer = one.until_closed().await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        assert_eq!(body_of(&answer), json!({"data": {"viewer": {"isSuperuser": true}}}));
    }
}

#[tokio::test]
async fn a_body_that_does_not_come_is_answered_408_and_the_connection_closed() {
    let database = Database::fresh(Kind::Sqlite).await;
    let timeouts = Timeouts { body: Duration::from_millis(200), ..Timeouts::default() };
    let app = start(&database, timeouts).await;
    for path in ["/connections", "/graphql"] {
        let mut stuck = Raw::connect(&app.url).await;
        stuck.send(&head(&app, path, 1_000)).await;
        stuck.send("{").await;
        let answer = stuck.until_closed().await;
        assert!(answer.starts_with("HTTP/1.1 408") && answer.contains("connection: close"), "{answer}");
        let body = body_of(&answer);
        let text = if path == "/graphql" { &body["errors"][0]["message"] } else { &body["error"] };
        assert!(text.as_str().unwrap().contains("in time"), "{body}");
    }
}

#[tokio::test]
async fn a_body_that_is_declared_too_large_is_refused_before_any_of_it_comes() {
    let database = Database::fresh(Kind::Sqlite).await;
    let app = start(&database, Timeouts::default()).await;
    for path in ["/connections", "/graphql"] {
        for length in [256 * 1024 + 1, 10 * 1024 * 1024 * 1024] {
            let mut stuck = Raw::connect(&app.url).await;
            stuck.send(&head(&app, path, length)).await;
            let answer = stuck.until_closed().await;
            assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
        }
    }
}

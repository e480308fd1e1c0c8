//! How large a head may be: up to the limit it is served, beyond it refused, over both protocols, and whatever it is made
//! large by.

use reqwest::{Client, Method};

use crate::support::app::{Setup, TestApp};
use crate::support::databases::{Database, Kind};
use crate::support::raw_http::{short_timeouts, statuses, tell_in_text};
use crate::support::world::World;
use crate::support::{http_2_client, plain_client};

/// Well within the limit of 64 KiB, and beyond it.
const FITS: usize = 60_000;
const TOO_LARGE: usize = 66_000;

async fn start() -> (Database, TestApp) {
    let database = Database::fresh(Kind::Sqlite).await;
    let app = TestApp::start_with(&database, Setup { timeouts: short_timeouts(), ..Setup::default() }).await;
    let app = app.enter(&database, &World::with_connections(3)).await;
    (database, app)
}

/// The status; `None`: the connection or the request was ended without one.
async fn status(app: &TestApp, client: &Client, path: &str, headers: &[(String, String)]) -> Option<u16> {
    let mut request = client.request(Method::GET, format!("{}{path}", app.url)).bearer_auth(app.key.as_ref().unwrap());
    for (name, value) in headers {
        request = request.header(name, value);
    }
    request.send().await.ok().map(|response| response.status().as_u16())
}

#[tokio::test]
async fn a_head_is_served_up_to_its_limit_and_refused_beyond_it() {
    let (_database, app) = start().await;
    let one = |length: usize| vec![("x-big".to_owned(), "x".repeat(length))];
    let many = |count: usize| (0..count).map(|number| (format!("x-{number}"), "x".repeat(550))).collect::<Vec<_>>();
    for client in [plain_client(), http_2_client()] {
        assert_eq!(status(&app, &client, "/connections", &one(FITS)).await, Some(200));
        assert_eq!(status(&app, &client, "/connections", &many(90)).await, Some(200));
        let path = format!("/connections?ignored={}", "x".repeat(FITS));
        assert_eq!(status(&app, &client, &path, &[]).await, Some(200));

        for headers in [one(TOO_LARGE), many(130), vec![("x".repeat(300), "x".repeat(TOO_LARGE))]] {
            let refused = status(&app, &client, "/connections", &headers).await;
            assert!(matches!(refused, None | Some(431)), "{refused:?}");
        }
        let path = format!("/connections?ignored={}", "x".repeat(TOO_LARGE));
        let refused = status(&app, &client, &path, &[]).await;
        assert!(matches!(refused, None | Some(414 | 431)), "{refused:?}");
        assert_eq!(status(&app, &client, "/connections", &[]).await, Some(200));
    }
}

#[tokio::test]
async fn whoever_says_a_head_that_is_too_large_is_told_so() {
    let (_database, app) = start().await;
    let long = "x".repeat(TOO_LARGE);
    let empty: String = (0..5_000).map(|_| "a:\r\n").collect();
    for (request, expected) in [
        (format!("GET /{long} HTTP/1.1\r\nHost: test\r\n\r\n"), &[414, 431][..]),
        (format!("{long} / HTTP/1.1\r\nHost: test\r\n\r\n"), &[400, 431]),
        (format!("GET / HTTP/1.1\r\nHost: test\r\n{long}: a\r\n\r\n"), &[431]),
        (format!("GET / HTTP/1.1\r\nHost: test\r\nX: {long}\r\n\r\n"), &[431]),
        (format!("GET / HTTP/1.1\r\nHost: {long}\r\n\r\n"), &[431]),
        (format!("GET / HTTP/1.1\r\nHost: test\r\n{empty}\r\n"), &[431]),
        // It says no end of it.
        ("x".repeat(10_000_000), &[400, 431]),
    ] {
        let heard = tell_in_text(&app.url, &request).await;
        let statuses = statuses(&heard);
        assert!(statuses.len() == 1 && expected.contains(&statuses[0]), "{}: {heard}", &request[..40]);
    }
    assert_eq!(app.get("/connections").await.status, 200);
}

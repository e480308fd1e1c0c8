//! CORS: the listed origins' pages may call both front ends, no other's may.

use lc_connections::http::router::RouterOptions;
use reqwest::Method;
use reqwest::header::HeaderMap;
use serde_json::json;

use crate::support::app::{Answer, Scenario, Setup, TestApp};
use crate::support::databases::{Database, Kind};
use crate::support::world::World;

const OURS: &str = "https://app.example.com";
const OURS_TOO: &str = "http://localhost:3000";
const PATHS: [&str; 3] = ["/graphql", "/connections", "/connections/0123456789abcdef01234567"];

async fn app(database: &Database, origins: &[&'static str]) -> TestApp {
    let cors_origins = origins.iter().map(|origin| origin.parse().unwrap()).collect();
    let options = RouterOptions { cors_origins, ..RouterOptions::default() };
    TestApp::start_with(database, Setup { options, ..Setup::default() }).await
}

/// As a browser asks before it sends what it may not send unasked.
async fn preflight(app: &TestApp, path: &str, origin: &str) -> Answer {
    let request = app.client.request(Method::OPTIONS, format!("{}{path}", app.url));
    let request = request.header("origin", origin).header("access-control-request-method", "POST");
    app.send(request.header("access-control-request-headers", "authorization,content-type")).await
}

/// The words of a header that lists some, sorted.
fn words(headers: &HeaderMap, name: &str) -> Vec<String> {
    let lines = headers.get_all(name).iter().map(|value| value.to_str().unwrap().to_ascii_lowercase());
    let mut words: Vec<String> =
        lines.flat_map(|line| line.split(',').map(|word| word.trim().to_owned()).collect::<Vec<_>>()).collect();
    words.sort();
    words
}

fn has_no_cors(headers: &HeaderMap) -> bool {
    !headers.keys().any(|name| name.as_str().starts_with("access-control-"))
}

#[tokio::test]
async fn a_preflight_of_a_listed_origin_is_allowed_without_a_key() {
    let database = Database::fresh(Kind::Sqlite).await;
    let app = app(&database, &[OURS, OURS_TOO]).await;
    for path in PATHS {
        for origin in [OURS, OURS_TOO] {
            let Answer { status, headers, .. } = preflight(&app, path, origin).await;
            assert_eq!((status, headers["access-control-allow-origin"].to_str().unwrap()), (200, origin), "{path}");
            assert_eq!(words(&headers, "access-control-allow-methods"), ["get", "head", "options", "post"]);
            assert_eq!(words(&headers, "access-control-allow-headers"), ["authorization", "content-type"]);
            assert_eq!(headers["access-control-max-age"], "3600");
            assert!(!headers.contains_key("access-control-allow-credentials"));
            assert!(headers.contains_key("x-request-id"));
        }
    }
}

#[tokio::test]
async fn the_headers_of_clients_and_their_libraries_are_allowed() {
    let database = Database::fresh(Kind::Sqlite).await;
    let app = app(&database, &[OURS]).await;
    for (method, sent) in [
        // Apollo Client by POST, and by GET where queries are persisted.
        ("POST", "accept,apollographql-client-name,apollographql-client-version,authorization,content-type"),
        ("GET", "apollo-require-preflight,authorization,content-type,x-apollo-operation-name"),
        // urql and Relay.
        ("POST", "accept,authorization,content-type"),
        // What measures a page adds to its requests.
        ("POST", "authorization,baggage,content-type,sentry-trace,traceparent,tracestate,x-request-id"),
        ("GET", "authorization,if-none-match"),
        ("HEAD", "authorization"),
    ] {
        for path in PATHS {
            let request = app.client.request(Method::OPTIONS, format!("{}{path}", app.url)).header("origin", OURS);
            let request = request.header("access-control-request-method", method);
            let Answer { status, headers, .. } = app.send(request.header("access-control-request-headers", sent)).await;
            assert_eq!((status, headers["access-control-allow-origin"].to_str().unwrap()), (200, OURS), "{path}");
            assert_eq!(words(&headers, "access-control-allow-headers").join(","), sent, "{path}");
            assert!(words(&headers, "access-control-allow-methods").contains(&method.to_ascii_lowercase()));
            let vary = words(&headers, "vary");
            assert_eq!(vary, ["access-control-request-headers", "origin"]);
        }
    }
}

#[tokio::test]
async fn another_origin_is_allowed_nothing() {
    let database = Database::fresh(Kind::Sqlite).await;
    let app = app(&database, &[OURS]).await;
    for origin in ["https://other.example.com", "http://app.example.com", "https://app.example.com:8443", "null"] {
        for path in PATHS {
            let answer = preflight(&app, path, origin).await;
            assert!(!answer.headers.contains_key("access-control-allow-origin"), "{path} {origin}");
            let answer = app.send(app.client.get(format!("{}{path}", app.url)).header("origin", origin)).await;
            assert!(!answer.headers.contains_key("access-control-allow-origin"), "{path} {origin}");
        }
    }
}

#[tokio::test]
async fn a_page_of_a_listed_origin_can_read_answers_and_what_their_headers_say() {
    let database = Database::fresh(Kind::Sqlite).await;
    let app = app(&database, &[OURS]).await;
    let world = World::with_connections(3);
    let app = app.enter(&database, &world).await;
    let url = |path: &str| format!("{}{path}", app.url);
    let query = json!({"query": "{ connections { totalCount } }"});
    let list = || app.client.get(url("/connections")).header("origin", OURS);
    let graphql = || {
        let request = app.client.post(url("/graphql")).header("origin", OURS);
        request.header("content-type", "application/json").body(query.to_string())
    };
    let check = |answer: &Answer, status: u16| {
        assert_eq!(answer.status, status);
        assert_eq!(answer.headers["access-control-allow-origin"], OURS);
        let exposed = words(&answer.headers, "access-control-expose-headers");
        let readable = ["allow", "etag", "retry-after", "www-authenticate", "x-connections-degraded", "x-request-id"];
        assert_eq!(exposed, readable);
        assert!(words(&answer.headers, "vary").contains(&"origin".to_owned()));
    };

    let healthy = app.send(list()).await;
    check(&healthy, 200);
    assert!(words(&healthy.headers, "vary").contains(&"authorization".to_owned()), "the handler's own stays");
    check(&app.send(list().header("if-none-match", &healthy.headers["etag"])).await, 304);
    let answer = app.send(graphql()).await;
    check(&answer, 200);
    let vary = words(&answer.headers, "vary");
    assert!(vary.contains(&"accept".to_owned()) && vary.contains(&"authorization".to_owned()), "{vary:?}");

    app.simulator.set(Scenario::Down);
    let degraded = app.send(list()).await;
    check(&degraded, 200);
    assert!(degraded.is_degraded());

    let nobody = app.without_key();
    check(&nobody.send(list()).await, 401);
    check(&nobody.send(graphql()).await, 401);
    check(&nobody.send(app.client.get(url("/nowhere")).header("origin", OURS)).await, 404);
    check(&nobody.send(app.client.delete(url("/connections")).header("origin", OURS)).await, 405);
}

#[tokio::test]
async fn without_listed_origins_no_answer_says_a_word_of_cors() {
    let database = Database::fresh(Kind::Sqlite).await;
    let app = app(&database, &[]).await;
    for path in PATHS {
        let answer = preflight(&app, path, OURS).await;
        assert_eq!(answer.status, 405, "{path}");
        assert!(has_no_cors(&answer.headers) && !words(&answer.headers, "vary").contains(&"origin".to_owned()));
        let answer = app.send(app.client.get(format!("{}{path}", app.url)).header("origin", OURS)).await;
        assert!(has_no_cors(&answer.headers) && !words(&answer.headers, "vary").contains(&"origin".to_owned()));
    }
}

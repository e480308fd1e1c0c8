//! What browsers and caches are told of every answer, whoever gives it.

use axum::Router;
use lc_connections::http::router::RouterOptions;
use reqwest::{Method, RequestBuilder};
use serde_json::json;

use super::{Seen, UNKNOWN, graphql, repair, request, see};
use crate::support::app::{Scenario, Setup, TestApp};
use crate::support::binary::{free_port, serve};
use crate::support::databases::{Database, Kind};
use crate::support::world::World;
use crate::support::{http_2_client, plain_client};

const OURS: &str = "https://app.example";
const PUBLIC: [&str; 8] = [
    "/",
    "/graphiql",
    "/graphiql/graphiql.js",
    "/docs",
    "/docs/page.css",
    "/openapi.json",
    "/openapi-3.0.json",
    "/schema.graphql",
];

fn assert_is_guarded(seen: &Seen, what: &str) {
    assert_eq!(seen.header("x-content-type-options"), Some("nosniff"), "{what}: {seen:?}");
    assert_eq!(seen.header("x-frame-options"), Some("DENY"), "{what}: {seen:?}");
    assert_eq!(seen.header("referrer-policy"), Some("no-referrer"), "{what}: {seen:?}");
    let policy = seen.header("content-security-policy").unwrap_or_default();
    assert!(policy.starts_with("default-src 'none'") && policy.ends_with("frame-ancestors 'none'"), "{what}: {policy}");
    for teller in ["server", "x-powered-by", "via", "x-aspnet-version", "set-cookie"] {
        assert_eq!(seen.header(teller), None, "{what}");
    }
    let caching = seen.header("cache-control").unwrap_or_else(|| panic!("{what} says nothing to caches: {seen:?}"));
    assert!(!caching.contains("public") && !caching.contains("max-age"), "{what}: {caching}");
    let mut names: Vec<_> = seen.headers.iter().map(|(name, _)| name).filter(|name| *name != "vary").collect();
    let count = names.len();
    names.dedup();
    assert_eq!(names.len(), count, "{what}: a header twice: {seen:?}");
}

#[tokio::test]
async fn every_answer_is_guarded_and_none_that_is_private_or_an_error_may_be_kept_by_others() {
    let database = Database::fresh(Kind::Sqlite).await;
    let cors_origins = vec![OURS.parse().unwrap()];
    let options = RouterOptions { graphiql: true, docs: true, metrics: true, cors_origins };
    let app = TestApp::start_with(&database, Setup { options, ..Setup::default() }).await;
    let world = World::with_connections(6);
    let app = app.enter_as_superuser(&database, &world).await;
    let get = |path: &str| request(&app, Method::GET, path);
    let with_key = |request: RequestBuilder| request.basic_auth("", app.key.as_deref());
    let own = format!("/connections/{}", world.own_row("id"));
    let etag = see(with_key(get(&own))).await.header("etag").unwrap().to_owned();

    // What anyone may read: kept, if it is asked for each time whether it still holds.
    for path in PUBLIC {
        let seen = see(get(path)).await;
        assert_is_guarded(&seen, path);
        assert_eq!((seen.status, seen.header("cache-control")), (200, Some("no-cache")), "{path}");
        let again = see(get(path).header("if-none-match", "*")).await;
        assert_is_guarded(&again, path);
        assert_eq!(again.status, 304, "{path}");
    }
    // What is the caller's own.
    let query = "{ viewer { isSuperuser } }";
    for (status, request) in [
        (200, get("/connections")),
        (200, get(&own)),
        (200, request(&app, Method::HEAD, "/connections")),
        (304, get(&own).header("if-none-match", &etag)),
        (200, get("/connections").header("origin", OURS)),
        (200, get("/connections").header("accept-encoding", "gzip")),
        (200, get("/graphql?query=%7Bviewer%7BisSuperuser%7D%7D")),
        (304, get("/graphql?query=%7Bviewer%7BisSuperuser%7D%7D").header("if-none-match", "*")),
        (200, graphql(&app, query, &json!({}))),
        (201, repair(&app, &world.missing()[0])),
    ] {
        let seen = see(with_key(request)).await;
        assert_is_guarded(&seen, "private");
        assert_eq!(seen.status, status, "{seen:?}");
        let caching = seen.header("cache-control").unwrap();
        assert!(caching.contains("private") || caching == "no-store", "{seen:?}");
        if caching != "no-store" {
            assert!(
                seen.headers.iter().any(|(name, value)| name == "vary" && value.contains("Authorization")),
                "{seen:?}"
            );
        }
    }
    // Operations and refusals: nobody keeps them.
    let not_json = || with_key(request(&app, Method::POST, "/connections"));
    for (status, request) in [
        (200, get("/livez")),
        (200, get("/readyz")),
        (200, get("/metrics")),
        (400, with_key(get("/connections/no-id"))),
        (400, with_key(get("/connections?relationship_type=x"))),
        (400, with_key(get("/graphql"))),
        (400, get("/livez").header("host", "a b")),
        (401, get("/connections")),
        (401, get("/connections").header("origin", OURS)),
        (401, repair(&app, UNKNOWN)),
        (401, graphql(&app, query, &json!({}))),
        (404, get("/nowhere")),
        (404, with_key(get(&format!("/connections/{UNKNOWN}")))),
        (405, request(&app, Method::DELETE, "/connections")),
        (405, request(&app, Method::from_bytes(b"BREW").unwrap(), "/graphiql")),
        (405, with_key(get("/graphql?query=mutation%7B__typename%7D"))),
        (406, with_key(get("/graphql?query=%7B__typename%7D").header("accept", "text/html"))),
        (413, not_json().header("content-type", "application/json").body("x".repeat(300_000))),
        (415, not_json().body("{}")),
        (200, with_key(graphql(&app, "{ nothing }", &json!({})))),
        (422, with_key(repair(&app, UNKNOWN))),
        (409, with_key(repair(&app, &world.own_row("external_id")))),
        (
            200,
            request(&app, Method::OPTIONS, "/graphql")
                .header("origin", OURS)
                .header("access-control-request-method", "POST"),
        ),
    ] {
        let seen = see(request).await;
        assert_is_guarded(&seen, "refusal");
        assert_eq!((seen.status, seen.header("cache-control")), (status, Some("no-store")), "{seen:?}");
    }
    app.simulator.set(Scenario::Down);
    for (status, request) in [(200, get("/connections")), (503, repair(&app, &world.missing()[0]))] {
        let seen = see(with_key(request)).await;
        assert_is_guarded(&seen, "without SSO");
        if status == 200 {
            assert_eq!((seen.status, seen.header("cache-control")), (200, Some("no-store")));
        }
    }
    app.store.close().await;
    for path in ["/connections", "/graphql", "/readyz"] {
        let seen = see(with_key(get(path))).await;
        assert_is_guarded(&seen, "without a database");
        assert_eq!(seen.header("cache-control"), Some("no-store"), "{path}: {seen:?}");
    }
}

#[tokio::test]
async fn a_panic_tells_its_client_nothing_and_harms_no_other() {
    let database = Database::fresh(Kind::Sqlite).await;
    let more_routes = Router::new().route("/panic", axum::routing::get(async || -> () { panic!("{}", "insides") }));
    let app = TestApp::start_with(&database, Setup { more_routes, ..Setup::default() }).await;
    for client in [plain_client(), http_2_client()] {
        let seen = see(client.get(format!("{}/panic", app.url))).await;
        assert_eq!((seen.status, seen.header("cache-control")), (500, Some("no-store")));
        assert_is_guarded(&seen, "panic");
        assert_eq!(seen.body, r#"{"error":"internal error; please report it with the request id"}"#);
        assert_eq!(see(client.get(format!("{}/livez", app.url))).await.status, 200);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn metrics_at_an_address_of_their_own_are_guarded_too() {
    let database = Database::fresh(Kind::Sqlite).await;
    let admin = format!("127.0.0.1:{}", free_port());
    let (_server, url, _) = serve(&database, "http://127.0.0.1:1/", &[("ADMIN_LISTEN", &admin)]).await;
    let seen = see(plain_client().get(format!("http://{admin}/metrics"))).await;
    assert_eq!(seen.status, 200);
    assert_is_guarded(&seen, "metrics");
    assert_eq!(see(plain_client().get(format!("{url}/metrics"))).await.status, 404);
}

//! Compression: asked for by `Accept-Encoding`, and the same answer underneath.

use std::io::Read;

use lc_connections::http::router::RouterOptions;
use reqwest::header::HeaderMap;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use crate::support::app::{Scenario, Setup, TestApp};
use crate::support::databases::{Database, Kind};
use crate::support::world::World;

const OURS: &str = "https://app.example.com";
const CODINGS: [&str; 3] = ["zstd", "br", "gzip"];
const LIST: &str = "{ connections { nodes { id connectionId ssoConnectionId connectedAccount { id ssoId name } } } }";

async fn app(database: &Database) -> (TestApp, World) {
    let options =
        RouterOptions { cors_origins: vec![OURS.parse().unwrap()], graphiql: true, ..RouterOptions::default() };
    let app = TestApp::start_with(database, Setup { options, ..Setup::default() }).await;
    let world = World::with_connections(40);
    (app.enter_as_superuser(database, &world).await, world)
}

/// An answer as it is on the wire.
struct Raw {
    status: u16,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Raw {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    fn varies_by(&self) -> Vec<String> {
        let lines = self.headers.get_all("vary").iter().map(|line| line.to_str().unwrap().to_ascii_lowercase());
        let mut names: Vec<String> =
            lines.flat_map(|line| line.split(", ").map(str::to_owned).collect::<Vec<_>>()).collect();
        names.sort();
        names
    }

    fn decompressed(&self) -> Vec<u8> {
        let mut body = Vec::new();
        match self.header("content-encoding") {
            None => body.clone_from(&self.body),
            Some("zstd") => body = zstd::decode_all(&self.body[..]).unwrap(),
            Some("br") => _ = brotli::Decompressor::new(&self.body[..], 4096).read_to_end(&mut body).unwrap(),
            Some("gzip") => _ = flate2::read::GzDecoder::new(&self.body[..]).read_to_end(&mut body).unwrap(),
            Some(other) => panic!("{other}"),
        }
        body
    }
}

async fn raw(request: RequestBuilder) -> Raw {
    let response = request.send().await.unwrap();
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let body = response.bytes().await.unwrap().to_vec();
    Raw { status, headers, body }
}

/// A request of the app's caller.
fn ask(app: &TestApp, method: Method, path: &str) -> RequestBuilder {
    app.client.request(method, format!("{}{path}", app.url)).basic_auth("", app.key.as_ref())
}

fn graphql(app: &TestApp) -> RequestBuilder {
    let body = json!({"query": LIST}).to_string();
    ask(app, Method::POST, "/graphql").header("content-type", "application/json").body(body)
}

#[tokio::test]
async fn each_coding_carries_the_same_answer() {
    let database = Database::fresh(Kind::Sqlite).await;
    let (app, _) = app(&database).await;
    let list = || ask(&app, Method::GET, "/connections");
    let query = url::form_urlencoded::Serializer::new("/graphql?".to_owned()).append_pair("query", LIST).finish();
    let get = || ask(&app, Method::GET, &query);
    let script = || app.client.get(format!("{}/graphiql/graphiql.js", app.url));
    let (post, metrics) = (|| graphql(&app), || app.client.get(format!("{}/metrics", app.url)));
    let cases: [(&dyn Fn() -> RequestBuilder, &[&str]); 5] = [
        (&list, &["accept-encoding", "authorization"]),
        (&get, &["accept", "accept-encoding", "authorization"]),
        (&post, &["accept", "accept-encoding", "authorization"]),
        (&script, &["accept-encoding"]),
        (&metrics, &["accept-encoding"]),
    ];
    for (number, (request, varies_by)) in cases.into_iter().enumerate() {
        let plain = raw(request().header("accept-encoding", "identity")).await;
        assert_eq!((plain.status, plain.header("content-encoding")), (200, None), "case {number}");
        assert!(plain.body.len() > 2048);
        let vary: Vec<String> = plain
            .varies_by()
            .into_iter()
            .filter(|name| name != "origin" && !name.starts_with("access-control"))
            .collect();
        assert_eq!(vary, varies_by, "case {number}");
        for coding in CODINGS {
            let compressed = raw(request().header("accept-encoding", coding)).await;
            assert_eq!(
                (compressed.status, compressed.header("content-encoding")),
                (200, Some(coding)),
                "case {number}"
            );
            assert_eq!(compressed.header("content-length"), Some(&*compressed.body.len().to_string()));
            assert!(compressed.body.len() < plain.body.len() / 2, "{coding}: {}", compressed.body.len());
            assert_eq!(compressed.varies_by(), plain.varies_by());
            for name in ["etag", "content-type", "cache-control"] {
                assert_eq!(compressed.header(name), plain.header(name), "case {number}, {coding}: {name}");
            }
            // The metrics tell of the requests in between.
            assert!(number == 4 || compressed.decompressed() == plain.body, "case {number}, {coding}");
        }
    }
}

#[tokio::test]
async fn a_validator_holds_for_every_coding_and_a_304_has_none() {
    let database = Database::fresh(Kind::Sqlite).await;
    let (app, world) = app(&database).await;
    let by_id = format!("/connections/{}", world.own_row("id"));
    for path in ["/connections", "/connections?envelope=true", &by_id, "/graphiql/graphiql.js"] {
        let etag = raw(ask(&app, Method::GET, path).header("accept-encoding", "br")).await;
        let etag = etag.header("etag").unwrap().to_owned();
        assert!(etag.starts_with("W/"), "a strong one would name one form alone");
        for coding in ["zstd", "br", "gzip", "identity", "*"] {
            for method in [Method::GET, Method::HEAD] {
                let request = ask(&app, method, path).header("accept-encoding", coding);
                let unchanged = raw(request.header("if-none-match", &etag)).await;
                assert_eq!((unchanged.status, unchanged.header("etag")), (304, Some(&*etag)), "{path}, {coding}");
                assert!(unchanged.body.is_empty() && unchanged.header("content-encoding").is_none());
                assert!(unchanged.header("content-length").is_none());
                assert!(unchanged.varies_by().contains(&"accept-encoding".to_owned()));
            }
        }
    }
}

#[tokio::test]
async fn head_says_what_get_would_send() {
    let database = Database::fresh(Kind::Sqlite).await;
    let (app, world) = app(&database).await;
    let by_id = format!("/connections/{}", world.own_row("id"));
    for path in ["/connections", &by_id, "/connections/nonsense", "/graphiql", "/livez"] {
        for coding in ["zstd", "br", "gzip", "identity"] {
            let get = raw(ask(&app, Method::GET, path).header("accept-encoding", coding)).await;
            let head = raw(ask(&app, Method::HEAD, path).header("accept-encoding", coding)).await;
            assert!(head.body.is_empty());
            for name in ["content-length", "content-encoding", "content-type", "etag", "cache-control"] {
                assert_eq!(head.header(name), get.header(name), "{path}, {coding}: {name}");
            }
            assert_eq!((head.status, head.varies_by()), (get.status, get.varies_by()), "{path}, {coding}");
        }
    }
}

#[tokio::test]
async fn refusals_and_other_small_answers_are_sent_as_they_are_and_degraded_ones_are_compressed() {
    let database = Database::fresh(Kind::Sqlite).await;
    let (app, world) = app(&database).await;
    let by_id = format!("/connections/{}", world.own_row("id"));
    let nobody = app.without_key();
    let small = [
        (200, ask(&app, Method::GET, &by_id)),
        (200, ask(&app, Method::GET, "/livez")),
        (400, ask(&app, Method::GET, "/connections/nonsense")),
        (401, nobody.client.get(format!("{}/connections", app.url))),
        (401, nobody.client.post(format!("{}/graphql", app.url))),
        (404, ask(&app, Method::GET, "/nowhere")),
        (405, ask(&app, Method::DELETE, "/connections")),
        (406, graphql(&app).header("accept", "text/html")),
    ];
    for (status, request) in small {
        let answer = raw(request.header("accept-encoding", "gzip, br, zstd")).await;
        assert_eq!((answer.status, answer.header("content-encoding")), (status, None));
        assert!(answer.varies_by().contains(&"accept-encoding".to_owned()), "{status}");
        assert!(serde_json::from_slice::<Value>(&answer.body).is_ok(), "{status}");
    }
    app.simulator.set(Scenario::Down);
    for request in [ask(&app, Method::GET, "/connections"), graphql(&app)] {
        let answer = raw(request.header("accept-encoding", "gzip, br, zstd")).await;
        assert_eq!((answer.status, answer.header("content-encoding")), (200, Some("zstd")));
        assert_eq!(
            (answer.header("x-connections-degraded"), answer.header("cache-control")),
            (Some("true"), Some("no-store"))
        );
        assert!(serde_json::from_slice::<Value>(&answer.decompressed()).is_ok());
    }
}

#[tokio::test]
async fn a_page_of_another_origin_gets_compressed_answers_too() {
    let database = Database::fresh(Kind::Sqlite).await;
    let (app, _) = app(&database).await;
    let answer = raw(graphql(&app).header("accept-encoding", "gzip, deflate, br, zstd").header("origin", OURS)).await;
    assert_eq!(answer.header("content-encoding"), Some("zstd"));
    assert_eq!(answer.header("access-control-allow-origin"), Some(OURS));
    for name in ["origin", "accept-encoding", "accept", "authorization"] {
        assert!(answer.varies_by().contains(&name.to_owned()), "{name}: {:?}", answer.varies_by());
    }
}

#[tokio::test]
async fn a_compressed_request_is_refused_in_words() {
    let database = Database::fresh(Kind::Sqlite).await;
    let (app, world) = app(&database).await;
    let body = json!({"connection_id": world.missing()[0], "query": "{ viewer { isSuperuser } }"}).to_string();
    let mut encoder = flate2::read::GzEncoder::new(body.as_bytes(), flate2::Compression::fast());
    let mut compressed = Vec::new();
    encoder.read_to_end(&mut compressed).unwrap();
    for path in ["/connections", "/graphql"] {
        let post = |app: &TestApp, coding: &str| {
            let request = ask(app, Method::POST, path).header("content-type", "application/json");
            request.header("content-encoding", coding).body(compressed.clone())
        };
        for coding in ["gzip", "GZIP", "br", "identity, gzip"] {
            let refused = raw(post(&app, coding)).await;
            assert_eq!(
                (refused.status, refused.header("accept-encoding")),
                (415, Some("identity")),
                "{path}, {coding}"
            );
            assert!(String::from_utf8(refused.body).unwrap().contains("Content-Encoding"), "{path}");
        }
        assert_eq!(raw(post(&app.without_key(), "gzip")).await.status, 401, "who asks comes first");
        let plain = ask(&app, Method::POST, path).header("content-type", "application/json");
        let plain = raw(plain.header("content-encoding", "identity").body(body.clone())).await;
        assert!(plain.status < 300, "{path}: {}", plain.status);
        let other = raw(ask(&app, Method::POST, path).header("content-type", "text/plain").body(body.clone())).await;
        assert_eq!((other.status, other.header("accept-encoding")), (415, None), "{path}: the type was at fault");
    }
    // Nothing was written by those that were refused.
    assert_eq!(database.count("repair_records").await, 1);
}

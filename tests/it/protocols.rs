//! HTTP/1.1 and HTTP/2 on the same port: every answer is the same over both.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use lc_connections::http::router::RouterOptions;
use reqwest::{Client, Method, RequestBuilder, Version};
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};

use crate::support::app::{Scenario, Setup, TestApp};
use crate::support::binary::{curl, serve};
use crate::support::databases::{Database, Kind};
use crate::support::world::World;
use crate::support::{http_2_client, plain_client};

const OURS: &str = "https://app.example.com";

async fn app(database: &Database) -> (TestApp, World) {
    let options =
        RouterOptions { cors_origins: vec![OURS.parse().unwrap()], graphiql: true, ..RouterOptions::default() };
    let app = TestApp::start_with(database, Setup { options, ..Setup::default() }).await;
    let world = World::with_connections(12);
    (app.enter_as_superuser(database, &world).await, world)
}

type Ask<'a> = Box<dyn Fn(&Client) -> RequestBuilder + 'a>;

/// An answer to its last byte, but for what differs from one request to the next, and is no part of HTTP/2.
async fn answer(request: RequestBuilder, expected: Version) -> (u16, Vec<(String, String)>, Vec<u8>) {
    let response = request.header("x-request-id", "same").send().await.unwrap();
    assert_eq!(response.version(), expected);
    let status = response.status().as_u16();
    let mut headers: Vec<(String, String)> = response
        .headers()
        .iter()
        .filter(|(name, _)| !["connection", "date", "transfer-encoding"].contains(&name.as_str()))
        .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
        .collect();
    headers.sort();
    (status, headers, response.bytes().await.unwrap().to_vec())
}

#[tokio::test]
async fn every_answer_is_the_same_over_both() {
    let database = Database::fresh(Kind::Sqlite).await;
    let (app, world) = app(&database).await;
    let key = app.key.clone().unwrap();
    let (list, by_id) =
        (format!("{}/connections", app.url), format!("{}/connections/{}", app.url, world.own_row("id")));
    let (graphql, nowhere) = (format!("{}/graphql", app.url), format!("{}/nowhere", app.url));
    let etag = app.get("/connections").await.headers["etag"].to_str().unwrap().to_owned();
    let query = json!({"query": "query Names { connections { nodes { id connectedAccount { name } } } }"}).to_string();
    let repair = json!({"connection_id": world.missing()[0]}).to_string();
    let with_key = |request: RequestBuilder| request.basic_auth("", Some(&key));
    let in_json = |request: RequestBuilder, body: &str| {
        with_key(request).header("content-type", "application/json").body(body.to_owned())
    };
    let cases: Vec<(u16, Ask<'_>)> = vec![
        (200, Box::new(|client| with_key(client.get(&list)))),
        (200, Box::new(|client| with_key(client.head(&list)))),
        (200, Box::new(|client| with_key(client.get(&list)).header("accept-encoding", "gzip"))),
        (200, Box::new(|client| with_key(client.head(&list)).header("accept-encoding", "gzip"))),
        (304, Box::new(|client| with_key(client.get(&list)).header("if-none-match", &etag))),
        (304, Box::new(|client| with_key(client.head(&list)).header("if-none-match", &etag))),
        (200, Box::new(|client| with_key(client.get(&by_id)))),
        (400, Box::new(|client| with_key(client.get(format!("{list}/nonsense"))))),
        (401, Box::new(|client| client.get(&list))),
        (401, Box::new(|client| client.post(&graphql).header("content-type", "application/json").body("{}"))),
        (404, Box::new(|client| client.get(&nowhere))),
        (405, Box::new(|client| client.delete(&list))),
        (405, Box::new(|client| client.request(Method::from_bytes(b"BREW").unwrap(), &graphql))),
        (405, Box::new(|client| with_key(client.get(format!("{graphql}?query=mutation%7B__typename%7D"))))),
        (413, Box::new(|client| in_json(client.post(&list), &"x".repeat(300_000)))),
        (415, Box::new(|client| with_key(client.post(&list)).body(repair.clone()))),
        (400, Box::new(|client| in_json(client.post(&list), "{"))),
        (200, Box::new(|client| in_json(client.post(&graphql), &query))),
        (200, Box::new(|client| with_key(client.get(format!("{graphql}?query=%7Bviewer%7BisSuperuser%7D%7D"))))),
        (406, Box::new(|client| in_json(client.post(&graphql), &query).header("accept", "text/html"))),
        (200, Box::new(|client| client.get(format!("{}/livez", app.url)))),
        (200, Box::new(|client| client.get(format!("{}/readyz", app.url)))),
        (200, Box::new(|client| client.get(format!("{}/graphiql", app.url)))),
        (200, Box::new(|client| client.get(format!("{}/graphiql/graphiql.js", app.url)))),
        (200, {
            let preflight = |client: &Client| {
                let request = client.request(Method::OPTIONS, &graphql).header("origin", OURS);
                request.header("access-control-request-method", "POST")
            };
            Box::new(preflight)
        }),
        (200, Box::new(|client| with_key(client.get(&list)).header("origin", OURS))),
    ];
    for (number, (status, ask)) in cases.iter().enumerate() {
        let http_1 = answer(ask(&plain_client()), Version::HTTP_11).await;
        let http_2 = answer(ask(&http_2_client()), Version::HTTP_2).await;
        assert_eq!(http_1.0, *status, "case {number}: {http_1:?}");
        assert_eq!(http_1, http_2, "case {number}");
        let has_length = http_1.1.iter().any(|(name, _)| name == "content-length");
        assert_eq!(has_length, *status != 304, "case {number}: a 304 says nothing of its own body");
        assert!(http_2.1.contains(&("x-request-id".to_owned(), "same".to_owned())), "case {number}");
    }

    app.simulator.set(Scenario::Down);
    let degraded = [(plain_client(), Version::HTTP_11), (http_2_client(), Version::HTTP_2)];
    for (client, version) in degraded {
        for request in [with_key(client.get(&list)), in_json(client.post(&graphql), &query)] {
            let (status, headers, _) = answer(request, version).await;
            assert_eq!(status, 200);
            assert!(headers.contains(&("x-connections-degraded".to_owned(), "true".to_owned())), "{headers:?}");
        }
    }
}

/// Passes on what comes, and counts the connections that it comes by.
async fn counting_proxy(to: &str) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let count = Arc::new(AtomicUsize::new(0));
    let (counted, to) = (Arc::clone(&count), to.trim_start_matches("http://").to_owned());
    tokio::spawn(async move {
        while let Ok((mut from, _)) = listener.accept().await {
            counted.fetch_add(1, Ordering::Relaxed);
            let to = to.clone();
            tokio::spawn(async move {
                let mut to = TcpStream::connect(to).await.unwrap();
                let _ = tokio::io::copy_bidirectional(&mut from, &mut to).await;
            });
        }
    });
    (url, count)
}

#[tokio::test]
async fn fifty_requests_at_once_share_one_connection_and_each_has_its_own_answer() {
    let database = Database::fresh(Kind::Sqlite).await;
    let (app, _) = app(&database).await;
    let (url, connections) = counting_proxy(&app.url).await;
    let client = http_2_client();
    // So that there is a connection to share.
    client.get(format!("{url}/livez")).send().await.unwrap();
    let asked = (0..50).map(|number| {
        let body = json!({
            "query": "query Page($first: Int) { connections(first: $first) { totalCount nodes { id } } }",
            "variables": {"first": number % 12}
        });
        let request = client.post(format!("{url}/graphql")).header("content-type", "application/json");
        let request = request.header("x-request-id", number.to_string()).body(body.to_string());
        tokio::spawn(request.basic_auth("", app.key.as_ref()).send())
    });
    let asked: Vec<_> = asked.collect();
    for (number, answer) in asked.into_iter().enumerate() {
        let answer = answer.await.unwrap().unwrap();
        assert_eq!((answer.status().as_u16(), answer.version()), (200, Version::HTTP_2));
        assert_eq!(answer.headers()["x-request-id"], number.to_string());
        let body: Value = serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap();
        assert_eq!(body["data"]["connections"]["nodes"].as_array().map(Vec::len), Some(number % 12), "{body}");
    }
    assert_eq!(connections.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn curl_is_answered_in_the_protocol_that_it_speaks() {
    let database = Database::fresh(Kind::Sqlite).await;
    let (app, _) = app(&database).await;
    let list = format!("-u :{} {}/connections", app.key.as_ref().unwrap(), app.url);
    // Over clear text, `--http2` is an offer in HTTP/1.1 to change over, and servers need not take it.
    for (flag, protocol) in
        [("--http1.0", "1"), ("--http1.1", "1.1"), ("--http2", "1.1"), ("", "1.1"), ("--http2-prior-knowledge", "2")]
    {
        let line = format!("curl -s -o /dev/null -w '%{{http_code}} %{{http_version}}' {flag} {list}");
        let told = tokio::task::spawn_blocking(move || curl(&line)).await.unwrap();
        assert_eq!(told, (true, format!("200 {protocol}")), "{flag}");
    }
}

async fn a_stop_in_the_middle_breaks_no_answer_of_either(database: Database) {
    let sso = wiremock::MockServer::start().await;
    let slow = wiremock::ResponseTemplate::new(200).set_delay(Duration::from_millis(700));
    let slow = slow.set_body_json(json!({"network_connections": [], "next_cursor": null}));
    wiremock::Mock::given(wiremock::matchers::method("GET")).respond_with(slow).mount(&sso).await;
    let more = [("SSO_TIMEOUT_MS", "5000"), ("SSO_MAX_AGE_MS", "0")];
    let (server, url, key) = serve(&database, &sso.uri(), &more).await;
    let in_flight: Vec<_> = [plain_client(), http_2_client()]
        .iter()
        .flat_map(|client| (0..10).map(|_| client.get(format!("{url}/connections")).basic_auth("", Some(&key)).send()))
        .map(tokio::spawn)
        .collect();
    while sso.received_requests().await.unwrap().is_empty() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    tokio::time::sleep(Duration::from_millis(200)).await;
    let ended = tokio::task::spawn_blocking(|| server.terminate());
    for answer in in_flight {
        let answer = answer.await.unwrap().unwrap();
        assert_eq!(answer.status().as_u16(), 200);
        assert!(serde_json::from_slice::<Vec<Value>>(&answer.bytes().await.unwrap()).is_ok());
    }
    let (code, log) = ended.await.unwrap();
    assert_eq!(code, 0, "{log}");
    assert_eq!(log.lines().filter(|line| line.contains("\"request\"") && line.contains("/connections")).count(), 20);
}

crate::on_both_databases!(a_stop_in_the_middle_breaks_no_answer_of_either);

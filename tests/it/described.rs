//! Real answers are as `openapi.json` and `openapi-3.0.json` describe them: each status of each route, its headers and
//! its body.

use lc_connections::app::AppSettings;
use reqwest::Method;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::app::{Scenario, Setup, TestApp, settings};
use crate::support::binary::{free_port, serve};
use crate::support::databases::Database;
use crate::support::description::{Description, Operation};
use crate::support::raw_http::{self, short_timeouts};
use crate::support::world::World;

fn wanted(id: &str) -> String {
    json!({"connection_id": id}).to_string()
}

const JSON: &str = "application/json";
const REPAIR: Operation<'static> = Operation { method: &Method::POST, path: "/connections", is_enveloped: false };
const UNKNOWN: &str = "0123456789abcdef01234567";
const ROUTES: [&str; 5] = ["/connections", "/connections/0123456789abcdef01234567", "/livez", "/readyz", "/metrics"];
/// More of them than HTTP takes.
const MANY_HEADERS: usize = 200;

async fn every_answer_is_as_described(database: Database) {
    let mut description = Description::open();
    let (app, world) = TestApp::in_world_as_superuser(&database, 12).await;
    let user = app.become_caller(world.caller()).await;
    let known = format!("/connections/{}", world.own_row("id"));

    for path in ["/connections", "/connections?envelope=true", "/connections?relationship_type=buyer", &known] {
        let tag = description.get(&user, path, &[], 200).await.headers["etag"].to_str().unwrap().to_owned();
        description.get(&user, path, &[("if-none-match", &tag)], 304).await;
    }
    for query in ["relationship_type=both", "envelope=yes", "relationship_type=buyer&relationship_type=seller"] {
        description.get(&user, &format!("/connections?{query}"), &[], 400).await;
    }
    description.get(&user, "/connections/nonsense", &[], 400).await;
    description.get(&user, &format!("/connections/{UNKNOWN}"), &[], 404).await;
    for path in &ROUTES[..2] {
        description.get(&app.without_key(), path, &[], 401).await;
    }
    for path in &ROUTES[2..] {
        description.get(&app.without_key(), path, &[], 200).await;
    }
    let names: Vec<String> = (0..MANY_HEADERS).map(|number| format!("x-{number}")).collect();
    let headers: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "x")).collect();
    for path in ROUTES {
        description.get(&app, path, &headers, 431).await;
    }
    let request = app.client.post(format!("{}/connections", app.url));
    let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
    assert_eq!(description.send(&app, REPAIR, request).await.status, 431);

    let missing = &world.missing()[0];
    for body in ["{", "[]", "{}", "{\"connection_id\": 7}", "{\"connection_id\": \"x\"}"] {
        description.post(&app, JSON, body, 400).await;
    }
    description.post(&app.without_key(), JSON, &wanted(missing), 401).await;
    description.post(&user, JSON, &wanted(missing), 401).await;
    description.post(&app, JSON, &" ".repeat(300_000), 413).await;
    description.post(&app, "text/plain", &wanted(missing), 415).await;
    let request = app.client.post(format!("{}/connections", app.url)).header("content-encoding", "gzip");
    let compressed = description.send(&app, REPAIR, request.body("x")).await;
    assert_eq!((compressed.status, &compressed.headers["accept-encoding"]), (415, &"identity".parse().unwrap()));
    description.post(&app, JSON, &wanted(UNKNOWN), 422).await;
    description.post(&app, JSON, &wanted(&world.foreign()[0]), 422).await;
    app.simulator.set(Scenario::Down);
    assert!(description.get(&user, "/connections", &[], 200).await.is_degraded());
    description.post(&app, JSON, &wanted(missing), 503).await;
    app.simulator.set(Scenario::Ok);
    let created = description.post(&app, JSON, &wanted(&missing.to_uppercase()), 201).await.body;
    description.post(&app, JSON, &wanted(missing), 409).await;
    // The link of the description, followed.
    description.get(&user, &format!("/connections/{}", created["id"].as_str().unwrap()), &[], 200).await;

    ambiguous(&mut description, &app).await;
    cut_short(&mut description, &app).await;
    too_slow(&mut description, &database, &world).await;
    too_often(&mut description, &database, &world).await;
    elsewhere(&mut description, &database).await;

    database.execute("DROP TABLE account_connections").await;
    description.get(&user, "/connections", &[], 500).await;
    description.get(&user, &known, &[], 500).await;
    description.post(&app, JSON, &wanted(UNKNOWN), 500).await;
    app.store.close().await;
    description.get(&user, "/connections", &[], 503).await;
    description.get(&user, &known, &[], 503).await;
    description.post(&app, JSON, &wanted(UNKNOWN), 503).await;
    description.get(&user, "/readyz", &[], 503).await;

    let never_seen: Vec<_> = description.all().difference(&description.seen).cloned().collect();
    assert!(never_seen.is_empty(), "described, but never answered: {never_seen:#?}");
}

crate::on_both_databases!(every_answer_is_as_described);

/// A request to two hosts.
async fn ambiguous(description: &mut Description, app: &TestApp) {
    let key = app.key.as_ref().unwrap();
    for (method, path) in
        ROUTES.iter().flat_map(|path| [(Method::GET, path), (Method::HEAD, path)]).chain([(Method::POST, &ROUTES[0])])
    {
        let head = format!("{method} {path} HTTP/1.1\r\nHost: one\r\nHost: two\r\nAuthorization: Bearer {key}\r\n\r\n");
        let answer = raw_http::one_answer(&raw_http::tell_in_text(&app.url, head).await);
        assert_eq!(answer.status, 400, "{method} {path}");
        let text = if method == Method::HEAD { String::new() } else { answer.body.to_string() };
        let path = if path.starts_with("/connections/") { "/connections/{id}" } else { path };
        description.check(Operation::new(&method, path), &answer, &text);
    }
}

/// A body that ends before it is whole.
async fn cut_short(description: &mut Description, app: &TestApp) {
    let key = app.key.as_ref().unwrap();
    let request = format!(
        "POST /connections HTTP/1.1\r\nHost: test\r\nAuthorization: Bearer {key}\r\nContent-Type: {JSON}\r\n\
         Content-Length: 100\r\n\r\n{{\"connection_id\":"
    );
    let mut stream = TcpStream::connect(app.url.trim_start_matches("http://")).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    stream.shutdown().await.unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).await.unwrap();
    let answer = raw_http::one_answer(&text);
    assert_eq!(answer.status, 400, "{text}");
    description.check(REPAIR, &answer, &answer.body.to_string());
}

/// A body that does not come.
async fn too_slow(description: &mut Description, database: &Database, world: &World) {
    let app = TestApp::start_with(database, Setup { timeouts: short_timeouts(), ..Setup::default() }).await;
    let app = app.become_superuser(world.caller()).await;
    let key = app.key.as_ref().unwrap();
    let head = format!(
        "POST /connections HTTP/1.1\r\nHost: test\r\nAuthorization: Bearer {key}\r\nContent-Type: {JSON}\r\n\
         Content-Length: 100\r\n\r\n"
    );
    let answer = raw_http::one_answer(&raw_http::tell_in_text(&app.url, head).await);
    assert_eq!(answer.status, 408);
    description.check(REPAIR, &answer, &answer.body.to_string());
}

/// Over a key's limit, and over an address's.
async fn too_often(description: &mut Description, database: &Database, world: &World) {
    let settings = AppSettings { rate_limit_per_second: 1, ..settings() };
    let app = TestApp::start_with(database, Setup { settings, ..Setup::default() }).await;
    let app = app.become_superuser(world.caller()).await;
    let guess = app.with_key("lck_guess");
    let single = format!("/connections/{UNKNOWN}");
    for caller in [app, guess] {
        for path in ["/connections", &single] {
            while description.both(&caller, path, &[]).await.iter().any(|answer| answer.status != 429) {}
        }
        loop {
            let request =
                caller.client.post(format!("{}/connections", caller.url)).header("content-type", "text/plain");
            if description.send(&caller, REPAIR, request).await.status == 429 {
                break;
            }
        }
    }
}

/// Where metrics have an address of their own.
async fn elsewhere(description: &mut Description, database: &Database) {
    let admin = format!("127.0.0.1:{}", free_port());
    let (_server, url, _) = serve(database, "http://127.0.0.1:1/", &[("ADMIN_LISTEN", &admin)]).await;
    let app = TestApp::start(database).await.at(&url);
    description.get(&app, "/metrics", &[], 404).await;
}

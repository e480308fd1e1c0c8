//! Real answers are as `openapi.json` describes them: each status of each route, its headers and its body.

use std::collections::BTreeSet;

use lc_connections::app::AppSettings;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use crate::openapi::exported;
use crate::support::app::{Answer, Scenario, Setup, TestApp, settings};
use crate::support::binary::{free_port, serve};
use crate::support::databases::Database;
use crate::support::raw_http::{self, short_timeouts};
use crate::support::world::World;

/// What HTTP itself adds, what says nothing to clients of one route, and what every answer says to browsers.
const UNDESCRIBED_HEADERS: [&str; 11] = [
    "allow",
    "connection",
    "content-length",
    "content-security-policy",
    "content-type",
    "date",
    "referrer-policy",
    "transfer-encoding",
    "vary",
    "x-content-type-options",
    "x-frame-options",
];
/// Described, and absent in some states.
const OPTIONAL_HEADERS: [&str; 3] = ["accept-encoding", "etag", "x-connections-degraded"];

/// The description, and which of its answers were seen.
struct Description {
    document: Value,
    seen: BTreeSet<String>,
}

impl Description {
    fn open() -> Self {
        Self { document: exported(), seen: BTreeSet::new() }
    }

    /// Follows a reference, if it is one.
    fn resolve<'a>(&'a self, value: &'a Value) -> &'a Value {
        match value["$ref"].as_str() {
            Some(reference) => self.document.pointer(reference.trim_start_matches('#')).unwrap(),
            None => value,
        }
    }

    /// Whether a value is what a schema says, formats included.
    fn assert_fits(&self, value: &Value, schema: &Value, what: &str) {
        let mut schema = schema.clone();
        schema["components"] = self.document["components"].clone();
        let validator = jsonschema::options().should_validate_formats(true).build(&schema).unwrap();
        let errors: Vec<String> =
            validator.iter_errors(value).map(|error| format!("{}: {error}", error.instance_path())).collect();
        assert!(errors.is_empty(), "{what}: {errors:#?}");
    }

    /// Every answer that is described, as `GET /connections 200`.
    fn all(&self) -> BTreeSet<String> {
        let paths = self.document["paths"].as_object().unwrap().iter();
        let operations = paths.flat_map(|(path, item)| {
            item.as_object().unwrap().iter().map(move |(method, operation)| (path, method, operation))
        });
        operations
            .flat_map(|(path, method, operation)| {
                let statuses = operation["responses"].as_object().unwrap().keys();
                statuses.map(move |status| format!("{} {path} {status}", method.to_uppercase()))
            })
            .collect()
    }

    /// Holds an answer against the description.
    fn check(&mut self, method: &Method, path: &str, answer: &Answer, text: &str) {
        let status = answer.status;
        let what = format!("{method} {path} {status}");
        let operation = &self.document["paths"][path][method.as_str().to_lowercase()];
        let response = self.resolve(&operation["responses"][status.to_string()]);
        assert!(response.is_object(), "{what} is not described: {text}");

        let described = response["headers"].as_object();
        let described: Vec<(String, &Value)> =
            described.into_iter().flatten().map(|(name, header)| (name.to_lowercase(), self.resolve(header))).collect();
        for name in answer.headers.keys().map(reqwest::header::HeaderName::as_str) {
            let is_described = described.iter().any(|(known, _)| known == name);
            assert!(is_described || UNDESCRIBED_HEADERS.contains(&name), "{what}: {name} is not described");
        }
        for (name, header) in described {
            let Some(value) = answer.headers.get(&name).map(|value| value.to_str().unwrap()) else {
                assert!(OPTIONAL_HEADERS.contains(&name.as_str()), "{what}: {name} is missing");
                continue;
            };
            let value =
                if header["schema"]["type"] == "integer" { json!(value.parse::<u64>().unwrap()) } else { json!(value) };
            self.assert_fits(&value, &header["schema"], &format!("{what}: {name}"));
        }

        match response["content"].as_object() {
            None => assert_eq!(text, "", "{what}: a body that is not described"),
            Some(content) => {
                let content_type = answer.headers["content-type"].to_str().unwrap().split(';').next().unwrap();
                let described = content.get(content_type).unwrap_or_else(|| panic!("{what}: {content_type}"));
                let body = if content_type == "text/plain" { json!(text) } else { serde_json::from_str(text).unwrap() };
                self.assert_fits(&body, &described["schema"], &what);
                let examples = described["examples"].as_object().into_iter().flatten();
                let mut texts =
                    examples.map(|(_, example)| &example["value"]).filter(|value| value["error"].is_string());
                let is_shown = texts.any(|shown| *shown == body);
                assert!(status < 400 || described.get("example").is_some() || is_shown, "{what}: {body} is no example");
            }
        }
        self.seen.insert(what);
    }

    /// GET and HEAD, both with this status and as described. Gives GET's answer.
    async fn get(&mut self, app: &TestApp, path: &str, headers: &[(&str, &str)], status: u16) -> Answer {
        let [answer, _] = self.both(app, path, headers).await.map(|answer| {
            assert_eq!(answer.status, status, "{path}: {}", answer.body);
            answer
        });
        answer
    }

    /// GET and HEAD, both as described, whatever their status.
    async fn both(&mut self, app: &TestApp, path: &str, headers: &[(&str, &str)]) -> [Answer; 2] {
        [self.ask(app, Method::GET, path, headers).await, self.ask(app, Method::HEAD, path, headers).await]
    }

    async fn ask(&mut self, app: &TestApp, method: Method, path: &str, headers: &[(&str, &str)]) -> Answer {
        let url = format!("{}{path}", app.url);
        let request = app.client.request(method.clone(), url);
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        let route = match path.split('?').next().unwrap() {
            one if one.starts_with("/connections/") => "/connections/{id}",
            route => route,
        };
        self.send(app, &method, route, request).await
    }

    async fn post(&mut self, app: &TestApp, content_type: &str, body: &str, status: u16) -> Answer {
        let request = app.client.post(format!("{}/connections", app.url)).header("content-type", content_type);
        let answer = self.send(app, &Method::POST, "/connections", request.body(body.to_owned())).await;
        assert_eq!(answer.status, status, "{body}: {}", answer.body);
        answer
    }

    async fn send(&mut self, app: &TestApp, method: &Method, route: &str, request: RequestBuilder) -> Answer {
        let request = match &app.key {
            Some(key) => request.basic_auth("ignored", Some(key)),
            None => request,
        };
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = response.text().await.unwrap();
        let answer = Answer { status, headers, body: serde_json::from_str(&text).unwrap_or_default() };
        self.check(method, route, &answer, &text);
        answer
    }
}

fn wanted(id: &str) -> String {
    json!({"connection_id": id}).to_string()
}

const JSON: &str = "application/json";
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
    assert_eq!(description.send(&app, &Method::POST, "/connections", request).await.status, 431);

    let missing = &world.missing()[0];
    for body in ["{", "[]", "{}", "{\"connection_id\": 7}", "{\"connection_id\": \"x\"}"] {
        description.post(&app, JSON, body, 400).await;
    }
    description.post(&app.without_key(), JSON, &wanted(missing), 401).await;
    description.post(&user, JSON, &wanted(missing), 401).await;
    description.post(&app, JSON, &" ".repeat(300_000), 413).await;
    description.post(&app, "text/plain", &wanted(missing), 415).await;
    let request = app.client.post(format!("{}/connections", app.url)).header("content-encoding", "gzip");
    let compressed = description.send(&app, &Method::POST, "/connections", request.body("x")).await;
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
    description.check(&Method::POST, "/connections", &answer, &answer.body.to_string());
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
            if description.send(&caller, &Method::POST, "/connections", request).await.status == 429 {
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

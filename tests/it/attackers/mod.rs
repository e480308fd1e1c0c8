//! Those who mean harm: other sites' pages, desynchronised proxies, guessers, curious tenants, forgers of log lines.

mod credentials;
mod csrf;
mod guessing;
mod http_1;
mod http_2;
mod log_lines;
mod logged;
mod noise;
mod secrets;
mod security_headers;
mod sizes;
mod superusers;
mod tenancy;
mod timing;

use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use crate::support::app::TestApp;
use crate::support::binary::is_long;

/// Every table that this server writes or reads.
const TABLES: [&str; 6] =
    ["accounts", "api_keys", "account_connections", "account_entities", "custom_entities", "repair_records"];

/// No id of anything.
const UNKNOWN: &str = "0123456789abcdef01234567";

/// How often something is tried: more often where there is time.
fn times(usually: usize, long: usize) -> usize {
    if is_long() { long } else { usually }
}

/// All that a client sees of an answer, but its time.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Seen {
    status: u16,
    headers: Vec<(String, String)>,
    body: String,
}

impl Seen {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }
}

/// What an answer costs behind the scenes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Cost {
    statements: u64,
    sso_calls: u64,
}

fn request(app: &TestApp, method: Method, path: &str) -> RequestBuilder {
    app.client.request(method, format!("{}{path}", app.url))
}

fn graphql(app: &TestApp, query: &str, variables: &Value) -> RequestBuilder {
    let body = json!({"query": query, "variables": variables}).to_string();
    request(app, Method::POST, "/graphql").header("content-type", "application/json").body(body)
}

fn repair(app: &TestApp, id: &str) -> RequestBuilder {
    let body = json!({"connection_id": id}).to_string();
    request(app, Method::POST, "/connections").header("content-type", "application/json").body(body)
}

/// Sends it as it is, under an id that is always the same, so that no part of the answer differs by it.
async fn see(request: RequestBuilder) -> Seen {
    let response = request.header("x-request-id", "same").send().await.unwrap();
    let status = response.status().as_u16();
    let text = |value: &reqwest::header::HeaderValue| value.to_str().unwrap().to_owned();
    let headers = response.headers().iter().filter(|(name, _)| *name != "date");
    let mut headers: Vec<_> = headers.map(|(name, value)| (name.as_str().to_owned(), text(value))).collect();
    headers.sort();
    Seen { status, headers, body: response.text().await.unwrap() }
}

/// Sends it with the app's key, and tells what it cost.
async fn weigh(app: &TestApp, request: RequestBuilder) -> (Seen, Cost) {
    let counts = || (app.store.statements(), app.simulator.list_calls() + app.simulator.single_calls());
    let before = counts();
    let request = match &app.key {
        Some(key) => request.basic_auth("ignored", Some(key)),
        None => request,
    };
    let seen = see(request).await;
    let after = counts();
    (seen, Cost { statements: after.0 - before.0, sso_calls: after.1 - before.1 })
}

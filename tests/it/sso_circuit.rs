//! The circuit around the real binary, at its default settings: SSO down is left alone, costs nobody any time, and is
//! noticed soon when it is back.

#![expect(clippy::print_stdout, reason = "figures, for who asks for them with --nocapture")]

use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::support::binary::{is_long, serve_world};
use crate::support::databases::{Database, Kind};
use crate::support::plain_client;
use crate::support::raw_sso::{Answer, End, RawSso, Script};
use crate::support::world::World;

/// Failures in a row that open it.
const FAILURES: usize = 5;

/// The default budget: what a request waits that does ask an SSO that hangs.
const BUDGET: Duration = Duration::from_millis(800);

/// How long SSO stays down under load.
fn outage() -> Duration {
    Duration::from_secs(if is_long() { 60 } else { 7 })
}

struct Clients {
    url: String,
    key: String,
    client: reqwest::Client,
}

impl Clients {
    /// Whether a list was degraded, and how long it took.
    async fn list(&self) -> (bool, Duration) {
        let started = Instant::now();
        let request = self.client.get(format!("{}/connections", self.url)).basic_auth("", Some(&self.key));
        let response = request.send().await.unwrap();
        assert_eq!(response.status().as_u16(), 200);
        let is_degraded = response.headers().contains_key("x-connections-degraded");
        response.bytes().await.unwrap();
        (is_degraded, started.elapsed())
    }

    async fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        let request = self.client.post(format!("{}{path}", self.url)).header("content-type", "application/json");
        let response = request.body(body.to_string()).basic_auth("", Some(&self.key)).send().await.unwrap();
        (response.status().as_u16(), serde_json::from_slice(&response.bytes().await.unwrap()).unwrap())
    }

    async fn metric(&self, line: &str) -> bool {
        let metrics = self.client.get(format!("{}/metrics", self.url)).send().await.unwrap().text().await.unwrap();
        metrics.lines().any(|found| found == line)
    }
}

/// A whole outage, from the first failure until SSO is noticed to be back.
async fn outage_of(fault: Answer, retries: usize) {
    let database = Database::fresh(Kind::Sqlite).await;
    let world = World::with_connections(16);
    let sso = RawSso::start(world.listed.clone()).await;
    let log = tempfile::NamedTempFile::new().unwrap();
    let to_log = Stdio::from(std::fs::File::create(log.path()).unwrap());
    let settings = [("SSO_MAX_AGE_MS", "0")];
    let (_server, url, key) = serve_world(&database, &world, &sso.url, &settings, to_log).await;
    let clients = Clients { url, key, client: plain_client() };
    assert!(!clients.list().await.0);
    assert!(clients.metric("sso_circuit_open 0").await);

    sso.play(fault);
    let before = sso.calls();
    for _ in 0..FAILURES {
        assert!(clients.list().await.0);
    }
    assert_eq!(sso.calls() - before, FAILURES + retries);
    assert!(clients.metric("sso_circuit_open 1").await);
    let query = json!({"query": "{ connections { sources { state reason } } }"});
    let list = clients.post("/graphql", &query).await.1["data"]["connections"].clone();
    assert_eq!(list["sources"][1], json!({"state": "UNAVAILABLE", "reason": "CIRCUIT_OPEN"}));
    let repair = clients.post("/connections", &json!({"connection_id": world.missing()[0]})).await;
    assert_eq!(repair.0, 503);
    assert_eq!(sso.calls() - before, FAILURES + retries, "neither asked");

    // Under load: four clients, one request after another.
    let (until, opened) = (Instant::now() + outage(), Instant::now());
    let answers = join_all((0..4).map(async |_| {
        let mut took = Vec::new();
        while Instant::now() < until {
            let (is_degraded, time) = clients.list().await;
            assert!(is_degraded);
            took.push(time);
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        took
    }));
    let mut took = answers.await.concat();
    took.sort();
    let probes: Vec<Instant> = sso.call_times().into_iter().filter(|called| *called > opened).collect();
    let median = took[took.len() / 2];
    println!("{} degraded answers, {median:?} at the median, {} probes in {:?}", took.len(), probes.len(), outage());
    assert!(!probes.is_empty() && probes.len() < usize::try_from(outage().as_secs()).unwrap(), "{}", probes.len());
    assert!(probes.windows(2).all(|pair| pair[1] - pair[0] > Duration::from_secs(1)), "{probes:?}");
    assert!(median < BUDGET / 2, "{median:?}");

    sso.tell_the_truth();
    let well = Instant::now();
    while clients.list().await.0 {
        assert!(well.elapsed() < Duration::from_secs(10), "still degraded");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    println!("noticed after {:?}", well.elapsed());
    assert!(clients.metric("sso_circuit_open 0").await);

    // One line for each failure that cost anything, and one for either turn of the circuit: not one for each answer.
    let log = std::fs::read_to_string(log.path()).unwrap();
    let warnings = log.lines().filter(|line| line.contains("SSO could not be consulted")).count();
    assert_eq!(warnings, FAILURES + probes.len());
    assert_eq!(log.lines().filter(|line| line.contains("circuit breaker opened")).count(), 1);
    assert_eq!(log.lines().filter(|line| line.contains("circuit breaker closed")).count(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_sso_that_refuses_is_left_alone_and_noticed_when_it_is_back() {
    outage_of(Arc::new(|_: &_| Script::answer("503 Service Unavailable", "", "")), 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_sso_that_hangs_is_left_alone_and_noticed_when_it_is_back() {
    outage_of(Arc::new(|_: &_| Script::bytes(Vec::new()).end(End::Hang)), 0).await;
}

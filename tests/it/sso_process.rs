//! What SSO's faults cost the process: the real binary's time, memory, descriptors, and what its log tells at its most
//! talkative.

use std::fs::File;
use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::support::binary::{Running, serve_world, superuser_key};
use crate::support::databases::{Database, Kind};
use crate::support::plain_client;
use crate::support::raw_sso::RawSso;
use crate::support::sso_faults::{self, Fault, SECRET};
use crate::support::world::World;

const TOKEN: &str = "sso-token-that-nobody-may-see";

/// The default budget, and what a request may take beyond it.
const IN_TIME: Duration = Duration::from_millis(800 + 100);

/// So much more than before any memory may be.
const FLAT: i64 = 32 * 1024 * 1024;

/// The real binary in front of a raw SSO; its circuit never opens, so that each fault is met.
struct Process {
    server: Running,
    url: String,
    key: String,
    sso: RawSso,
    world: World,
    client: reqwest::Client,
    log: tempfile::NamedTempFile,
}

impl Process {
    async fn start(database: &Database) -> Self {
        let world = World::with_connections(16);
        let sso = RawSso::start(world.listed.clone()).await;
        let log = tempfile::NamedTempFile::new().unwrap();
        let to_log = Stdio::from(File::create(log.path()).unwrap());
        let settings =
            [("SSO_MAX_AGE_MS", "0"), ("SSO_CIRCUIT_FAILURES", "0"), ("SSO_TOKEN", TOKEN), ("RUST_LOG", "trace")];
        let (server, url, key) = serve_world(database, &world, &sso.url, &settings, to_log).await;
        Self { server, url, key, sso, world, client: plain_client(), log }
    }

    /// The status, whether the answer is degraded, the answer as text, and how long it took.
    async fn send(&self, request: reqwest::RequestBuilder, key: &str) -> (u16, bool, String, Duration) {
        let started = Instant::now();
        let response = request.basic_auth("", Some(key)).send().await.unwrap();
        let (status, headers) = (response.status().as_u16(), format!("{:?}", response.headers()));
        let is_degraded = response.headers().contains_key("x-connections-degraded");
        let text = headers + &response.text().await.unwrap();
        (status, is_degraded, text, started.elapsed())
    }

    async fn list(&self, key: &str) -> (u16, bool, String, Duration) {
        self.send(self.client.get(format!("{}/connections", self.url)), key).await
    }

    async fn post(&self, path: &str, body: &Value) -> (u16, bool, String, Duration) {
        let request = self.client.post(format!("{}{path}", self.url)).header("content-type", "application/json");
        self.send(request.body(body.to_string()), &self.key).await
    }

    /// A list, a GraphQL list and a repair at once under this fault.
    async fn meet(&self, fault: &Fault) -> Duration {
        self.sso.play(Arc::clone(&fault.answer));
        let query = json!({"query": "{ connections { degraded nodes { permissions } } }"});
        let repair = match &self.world.missing()[0] {
            missing if !fault.spares_single => json!({"connection_id": missing}),
            _ => json!({"connection_id": "no id"}),
        };
        let (list, graphql, repair) =
            tokio::join!(self.list(&self.key), self.post("/graphql", &query), self.post("/connections", &repair));
        assert_eq!((list.0, list.1, graphql.0, graphql.1), (200, true, 200, true), "{}", fault.name);
        assert_eq!(repair.0, if fault.spares_single { 400 } else { 503 }, "{}: {}", fault.name, repair.2);
        for (.., text, _) in [&list, &graphql, &repair] {
            assert!(!text.contains(SECRET), "{}: {text}", fault.name);
        }
        list.3.max(graphql.3).max(repair.3)
    }

    /// How much more anonymous memory there was while this went on than before, at the most; by samples.
    async fn growth_during(&self, work: impl Future<Output = ()>) -> i64 {
        let before = self.server.memory();
        let mut most = before;
        tokio::pin!(work);
        let mut ticks = tokio::time::interval(Duration::from_millis(2));
        loop {
            tokio::select! {
                () = &mut work => return most - before,
                _ = ticks.tick() => most = most.max(self.server.memory()),
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_fault_of_sso_costs_the_program_time_memory_descriptors_or_its_tongue() {
    let database = Database::fresh(Kind::Sqlite).await;
    let process = Process::start(&database).await;
    // Pools fill, caches and buffers are made.
    for _ in 0..10 {
        let lists = join_all((0..40).map(|_| process.list(&process.key))).await;
        // Other tests run on the same cores: SSO, too, may be late at first.
        if lists.iter().all(|(_, is_degraded, ..)| !is_degraded) {
            break;
        }
    }
    let files = process.server.open_files();
    for fault in &sso_faults::all() {
        let mut took = Duration::MAX;
        let growth = process.growth_during(async {
            // Other tests run on the same cores: one of several tries must be in time.
            for _ in 0..5 {
                took = took.min(process.meet(fault).await);
                if took <= IN_TIME {
                    break;
                }
            }
        });
        let growth = growth.await;
        println!("{:>6} kB {:>5} ms  {}", growth / 1024, took.as_millis(), fault.name);
        assert!(took <= IN_TIME, "{}: {took:?}", fault.name);
        assert!(growth < FLAT, "{}: {growth} bytes", fault.name);
    }

    process.sso.tell_the_truth();
    assert!(!process.list(&process.key).await.1, "all is well again");
    let left = process.server.open_files();
    assert!(left <= files + 16, "{files} became {left}");
    let log = std::fs::read_to_string(process.log.path()).unwrap();
    assert!(log.contains("\"level\":\"TRACE\"") || log.contains("\"level\":\"DEBUG\""), "it is talkative");
    for secret in [SECRET, TOKEN, &process.key] {
        let line = log.lines().find(|line| line.contains(secret));
        assert_eq!(line, None, "{secret}");
    }
}

/// Each flood is cut at 16 MiB, and none beyond half a mebibyte is read beside another.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_floods_at_once_take_hardly_more_memory_than_one() {
    const REPAIRS: usize = 40;
    let database = Database::fresh(Kind::Sqlite).await;
    let process = Process::start(&database).await;
    let mut keys = Vec::new();
    for account in &process.world.accounts {
        keys.push(superuser_key(&database, account).await);
    }
    let repair = json!({"connection_id": process.world.missing()[0]});
    for fault in sso_faults::floods() {
        process.sso.play(Arc::clone(&fault.answer));
        let growth = process.growth_during(async {
            let lists = join_all(keys.iter().map(|key| process.list(key)));
            let repairs = join_all((0..REPAIRS).map(|_| process.post("/connections", &repair)));
            let (lists, repairs) = tokio::join!(lists, repairs);
            assert!(
                lists.iter().all(|(status, is_degraded, ..)| (*status, *is_degraded) == (200, true)),
                "{}",
                fault.name
            );
            assert!(repairs.iter().all(|(status, ..)| *status == 503), "{}", fault.name);
        });
        let growth = growth.await;
        println!("{:>6} kB  {} and {REPAIRS} at once: {}", growth / 1024, keys.len(), fault.name);
        // Each has buffers of its connection, and half a mebibyte of the body. Whole bodies would be 720 MiB.
        let own = i64::try_from(keys.len() + REPAIRS).unwrap() * 3 * 1024 * 1024;
        assert!(growth < FLAT + own, "{}: {growth} bytes", fault.name);
    }
}

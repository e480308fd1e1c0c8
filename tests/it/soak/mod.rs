//! The real binary at half load for minutes, with faults that come and go: no answer is wrong, nothing grows.

mod clients;
mod ends;
mod figures;
mod oracle;
mod past;
mod trouble;

use std::sync::Arc;
use std::time::{Duration, Instant};

use lc_connections::sso::simulator::Simulator;
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::Mutex;
use tokio::task::JoinSet;
use tokio::time::{interval, sleep};

use self::clients::Clients;
use self::figures::{sample, watch};
use self::oracle::Oracle;
use self::trouble::{Log, bring, write};
use crate::support::binary::{is_long, superuser_key};
use crate::support::cluster::Cluster;
use crate::support::databases::{Database, Kind};
use crate::support::plain_client;
use crate::support::server::{Server, sso_of};
use crate::support::world::World;

/// How long everything takes.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// The closed loop that finds out the capacity.
    measuring: Duration,
    /// The open loop at half of it.
    duration: Duration,
    /// A fault, and the time without one before it.
    fault: Duration,
    quiet: Duration,
    /// After how long all must be well again.
    recovery_of_sso: Duration,
    recovery_of_database: Duration,
    /// Whether there is a database that may be gone.
    database_may_be_gone: bool,
}

impl Pace {
    fn new(database_may_be_gone: bool) -> Self {
        let seconds = Duration::from_secs;
        let recovery_of_database = seconds(5);
        let (measuring, duration, fault, quiet) = if is_long() {
            (seconds(15), seconds(600), seconds(4), seconds(16))
        } else {
            (seconds(3), seconds(24), seconds(2), seconds(3))
        };
        let recovery_of_sso = CIRCUIT_OPEN + seconds(3);
        Self { measuring, duration, fault, quiet, recovery_of_sso, recovery_of_database, database_may_be_gone }
    }
}

/// Shorter than by default, so that it opens and closes often.
const CIRCUIT_OPEN: Duration = Duration::from_secs(1);

/// One of the callers.
pub struct Account {
    key: String,
    oracle: Oracle,
    /// Connections that are repaired one after the other.
    repairable: Vec<String>,
    /// Connections at SSO with their global ids, as they were at the beginning.
    ids: Vec<(String, String)>,
}

/// How many connections each of the accounts has of its own making.
const CONNECTIONS: usize = 60;
/// How many of them all are repaired meanwhile.
const REPAIRS: usize = 12;

/// Connections that an account lacks, each with a partner that nobody else knows, so that no other entry changes with them.
fn repairable(world: &World, number: usize) -> Vec<Value> {
    let repairs = if is_long() { REPAIRS * 4 } else { REPAIRS };
    let one = |index: usize| {
        json!({
            "id": format!("eeee{number:04}{index:016}"),
            "invitation_id": null,
            "buyer": {"id": world.accounts[number].sso_id, "name": "The caller"},
            "seller": {"id": format!("ffff{number:04}{index:016}"), "name": format!("Seller {index}")},
            "permissions": {"buyer": ["view_submission_docs"], "seller": []},
            "created_by": null,
            "created_at": format!("2024-05-0{}T10:00:00.500Z", index % 3 + 1),
            "updated_at": "2024-05-04T10:00:00.000Z",
        })
    };
    (0..repairs).map(one).collect()
}

/// SSO in threads of its own: those of the clients are busy with judging.
struct OwnThreads(Option<Runtime>);

impl Drop for OwnThreads {
    fn drop(&mut self) {
        // Without waiting, which may not be done here.
        self.0.take().unwrap().shutdown_background();
    }
}

/// SSO's side of the world, and its URL.
async fn own_sso(world: &World) -> (Simulator, String, OwnThreads) {
    let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let world = world.clone();
    let (simulator, url) = runtime.spawn(async move { sso_of(&world).await }).await.unwrap();
    (simulator, url, OwnThreads(Some(runtime)))
}

/// Asks for the global ids of all connections that an account has.
async fn global_ids(server: &Server, key: &str) -> Vec<(String, String)> {
    let query = json!({"query": "{ connections(first: 1000) { nodes { id ssoConnectionId } } }"}).to_string();
    let request = plain_client().post(format!("{}/graphql", server.url)).bearer_auth(key);
    let answer = request.header("content-type", "application/json").body(query).send().await.unwrap();
    let answer: Value = serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap();
    let nodes = answer["data"]["connections"]["nodes"].as_array().unwrap_or_else(|| panic!("{answer}"));
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    nodes.iter().map(|node| (text(&node["ssoConnectionId"]), text(&node["id"]))).collect()
}

/// The closed loop: how many requests a second are answered when everybody asks again at once.
async fn capacity(clients: &Arc<Clients>) -> f64 {
    let (before, start) = (clients.figures.all(), Instant::now());
    let mut loops = JoinSet::new();
    for _ in 0..8 {
        let clients = Arc::clone(clients);
        loops.spawn(async move {
            while start.elapsed() < clients.pace.measuring {
                clients.ask().await;
            }
        });
    }
    loops.join_all().await;
    #[expect(clippy::cast_precision_loss, reason = "a rate")]
    let answered = (clients.figures.all() - before) as f64;
    answered / start.elapsed().as_secs_f64()
}

/// Asked at once at most: where the machine is slower than it was when the capacity was found out, more would only wait. While
/// the database answers nothing, all wait.
const MOST_AT_ONCE: usize = 24;
const MOST_WAITING: usize = 150;

/// The open loop: so many requests a second, whether the ones before are answered or not. Gives how many were not sent.
async fn at_rate(clients: &Arc<Clients>, rate: f64, until: Instant) -> usize {
    let mut next = interval(Duration::from_secs_f64(1.0 / rate));
    let (mut requests, mut not_sent) = (JoinSet::new(), 0);
    while Instant::now() < until {
        next.tick().await;
        while let Some(request) = requests.try_join_next() {
            request.unwrap();
        }
        let most = if clients.log.database.is_on() { MOST_WAITING } else { MOST_AT_ONCE };
        if requests.len() >= most {
            not_sent += 1;
            continue;
        }
        let clients = Arc::clone(clients);
        requests.spawn(async move { clients.ask().await });
    }
    requests.join_all().await;
    not_sent
}

async fn soak(database: Database, mut cluster: Option<Cluster>) {
    let pace = Pace::new(cluster.is_some());
    let mut world = World::of_many(CONNECTIONS);
    database.execute(&world.sql()).await;
    let missing: Vec<Vec<Value>> = (0..world.accounts.len()).map(|number| repairable(&world, number)).collect();
    world.listed.extend(missing.iter().flatten().cloned());
    let (simulator, sso, _threads) = own_sso(&world).await;
    // So that lists have several pages.
    simulator.set_page_size(100);
    let folder = tempfile::tempdir().unwrap();
    let log_file = folder.path().join("log");
    let open_for = CIRCUIT_OPEN.as_millis().to_string();
    let mut server = Server::new(database.url.expose_secret(), &sso)
        .logging_to(&log_file)
        .with("MAX_PAGE_SIZE", "1000")
        // Wide, since SSO shares the machine.
        .with("SSO_TIMEOUT_MS", "1500")
        .with("SSO_CIRCUIT_OPEN_MS", &open_for);
    server.start().await;

    let mut accounts = Vec::new();
    for (number, missing) in missing.iter().enumerate() {
        let world = world.asked_by(number);
        let key = superuser_key(&database, world.caller()).await;
        let ids = global_ids(&server, &key).await;
        let repairable: Vec<String> = missing.iter().map(|one| one["id"].as_str().unwrap().to_owned()).collect();
        let oracle = Oracle::new(world, repairable.iter().cloned().collect());
        accounts.push(Account { key, oracle, repairable, ids });
    }
    let accounts = Arc::new(accounts);
    let log = Arc::new(Log::default());
    let clients = Clients::new(server.address(), Arc::clone(&accounts), Arc::clone(&log), pace);

    let database = Arc::new(Mutex::new(database));
    let shared = Arc::new(clients);
    let capacity = capacity(&shared).await;
    println!("capacity {capacity:.0}/s");
    let until = Instant::now() + pace.duration;
    let before = sample(server.running());
    let writer = tokio::spawn(write(Arc::clone(&database), Arc::clone(&accounts), until));
    let (not_sent, faults, samples) = tokio::join!(
        at_rate(&shared, capacity / 2.0, until),
        bring(&simulator, &database, &mut cluster, &log, &pace, until),
        watch(server.running(), until),
    );
    let written = writer.await.unwrap();
    sleep(pace.recovery_of_sso).await;
    let figures = &shared.figures;
    println!("{} asked, {not_sent} not sent, {faults} faults, {written} writes of another program", figures.all());
    figures.print();
    figures.are_right();
    ends::load_was_borne_flat(before, &samples);
    for outcome in ["whole", "degraded", "304", "changed", "201", "409", "503"] {
        assert!(figures.count(outcome) > 0, "nothing came out so: {outcome}");
    }
    ends::lists_are_right(&shared).await;
    ends::repairs_are_right(&shared, &*database.lock().await).await;
    let asked = figures.all();
    drop(shared);
    ends::nothing_is_left(before, server.running()).await;
    ends::log_is_bounded(&std::fs::read_to_string(&log_file).unwrap(), asked);
    server.running().signal("-TERM");
    assert_eq!(server.ends(Duration::from_secs(11)).await, Some(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn half_load_with_faults_is_borne_on_sqlite() {
    soak(Database::fresh(Kind::Sqlite).await, None).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn half_load_with_faults_is_borne_on_postgres() {
    let cluster = Cluster::start().await;
    soak(cluster.database().await, Some(cluster)).await;
}

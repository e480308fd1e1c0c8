//! Three times as many requests as the real binary can answer: it goes on answering as many as it can, and tells the others
//! at once. With `--nocapture` it tells what was measured; times and shares are this machine's, so that only what must hold
//! anywhere is asserted.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use secrecy::ExposeSecret;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{interval, sleep, timeout};

use crate::support::binary::is_long;
use crate::support::careful::{Asked, Fate, KeepAlive, Manner};
use crate::support::databases::Database;
use crate::support::server::{Server, furnish};
use crate::support::world::World;

/// How many clients find out what the server can do, each with one request after the other.
const CLIENTS: usize = 16;

/// How many connections three times that is sent over: enough to fill all places thrice.
const CONNECTIONS: usize = 600;

/// The server's log, in its folder.
const LOG: &str = "log";

const QUERY: &str = "query ($first: Int!) { connections(first: $first) { totalCount nodes { id status drift permissions createdAt \
    updatedAt connectedAccount { id ssoId name } accountEntity { id name description website } customEntities { id name } } } }";

/// What came of the requests of one phase.
#[derive(Debug, Default)]
struct Told {
    served: Vec<Duration>,
    shed: Vec<Duration>,
}

impl Told {
    fn add(&mut self, other: Self) {
        self.served.extend(other.served);
        self.shed.extend(other.shed);
    }

    fn note(&mut self, fate: &Fate, took: Duration) {
        match fate {
            Fate::Answered { status: 200, .. } => self.served.push(took),
            Fate::Answered { status: 503, body } => {
                let body = String::from_utf8_lossy(body);
                assert!(body.contains("too much to do"), "{body}");
                self.shed.push(took);
            }
            other => panic!("{other:?}"),
        }
    }
}

fn at(times: &mut [Duration], part: usize) -> Duration {
    times.sort_unstable();
    times.get(times.len() * part / 100).copied().unwrap_or_default()
}

/// What was measured in one round.
#[derive(Debug)]
struct Round {
    /// Answers a second, of what was asked for as fast as it was answered.
    peak: f64,
    /// The same of three times as many, as a share of the peak.
    served: f64,
    /// The processor's time for each that was shed, in seconds: beyond what those that were served took at the peak.
    for_shed: f64,
}

struct Load {
    server: Server,
    asked: Asked,
    /// How long each half of a round is.
    lasts: Duration,
    /// Connections for three times as much.
    many: Vec<KeepAlive>,
    folder: TempDir,
}

impl Load {
    async fn start(database: &Database) -> Self {
        let world = World::with_connections(60);
        let (key, sso) = furnish(database, &world).await;
        // A processor of its own, so that whoever asks does not take its time.
        let server = Server::new(database.url.expose_secret(), &sso).through(&["taskset", "-c", "0"]);
        let folder = tempfile::tempdir().unwrap();
        let mut server = server.logging_to(&folder.path().join(LOG));
        server.start().await;
        let body = json!({"query": QUERY, "variables": {"first": 100}}).to_string();
        let asked = Asked { method: "POST", path: "/graphql".into(), key, request_id: "load".into(), body: Some(body) };
        let many = (0..CONNECTIONS).map(|_| KeepAlive::new(server.address(), Manner::Brisk)).collect();
        Self { server, asked, lasts: Duration::from_secs(if is_long() { 5 } else { 3 }), many, folder }
    }

    /// As much as it can: some clients, each with one request after the other.
    async fn as_much_as_it_can(&self) -> Told {
        let mut clients = JoinSet::new();
        for _ in 0..CLIENTS {
            let (mut client, asked, lasts) = (self.client(), self.asked.clone(), self.lasts);
            clients.spawn(async move {
                let (mut told, started) = (Told::default(), Instant::now());
                while started.elapsed() < lasts {
                    let sent = Instant::now();
                    let fate = client.ask(&asked).await;
                    told.note(&fate, sent.elapsed());
                }
                (told, client)
            });
        }
        gather(clients).await.0
    }

    /// So many a second, whatever becomes of them. Gives what came of them, and how many of them were sent.
    async fn so_many(&mut self, a_second: usize) -> (Told, usize) {
        let (due, sent) = (Arc::new(Semaphore::new(0)), Arc::new(AtomicUsize::new(0)));
        let mut clients = JoinSet::new();
        for mut client in std::mem::take(&mut self.many) {
            let asked = self.asked.clone();
            let (due, sent) = (Arc::clone(&due), Arc::clone(&sent));
            clients.spawn(async move {
                let mut told = Told::default();
                while let Ok(one) = due.acquire().await {
                    one.forget();
                    sent.fetch_add(1, Ordering::Relaxed);
                    let started = Instant::now();
                    let fate = client.ask(&asked).await;
                    told.note(&fate, started.elapsed());
                }
                (told, client)
            });
        }
        let (started, mut given, mut ticks) = (Instant::now(), 0, interval(Duration::from_millis(2)));
        while started.elapsed() < self.lasts {
            ticks.tick().await;
            let wanted = usize::try_from(started.elapsed().as_millis()).unwrap() * a_second / 1_000;
            due.add_permits(wanted - given);
            given = wanted;
        }
        due.close();
        let told;
        (told, self.many) = gather(clients).await;
        (told, sent.load(Ordering::Relaxed))
    }

    /// Both, one after the other. What came of three times as much is added to what came of it before.
    async fn round(&mut self, all: &mut Told) -> Round {
        let (start, used_before) = (Instant::now(), self.processor_time());
        let told = self.as_much_as_it_can().await;
        let (took, used) = (start.elapsed(), self.processor_time() - used_before);
        assert!(told.shed.is_empty(), "{CLIENTS} at once are no overload");
        let peak = float(told.served.len()) / took.as_secs_f64();
        let for_served = used / float(told.served.len());

        let three_times = 3 * told.served.len() * 1_000 / usize::try_from(took.as_millis()).unwrap();
        let (start, used_before) = (Instant::now(), self.processor_time());
        let (told, sent) = self.so_many(three_times).await;
        let (took, used) = (start.elapsed(), self.processor_time() - used_before);
        let (served, shed) = (told.served.len(), told.shed.len());
        assert_eq!(served + shed, sent);
        all.add(told);
        Round {
            peak,
            served: float(served) / took.as_secs_f64() / peak,
            for_shed: (used - float(served) * for_served) / float(shed),
        }
    }

    /// Of the server, in seconds.
    fn processor_time(&self) -> f64 {
        self.server.running().processor_time().as_secs_f64()
    }

    /// How many the log tells were refused, in how many lines. It tells it after a second.
    async fn logged_as_refused(&self) -> (u64, usize) {
        sleep(Duration::from_millis(1_500)).await;
        let log = std::fs::read_to_string(self.folder.path().join(LOG)).unwrap();
        let lines = log.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        let told: Vec<_> = lines
            .inspect(|line| assert_ne!(line["http.status"], 503, "a line of its own: {line}"))
            .filter_map(|line| line["requests"].as_u64())
            .collect();
        (told.iter().sum(), told.len())
    }

    fn client(&self) -> KeepAlive {
        KeepAlive::new(self.server.address(), Manner::Brisk)
    }
}

async fn gather(mut clients: JoinSet<(Told, KeepAlive)>) -> (Told, Vec<KeepAlive>) {
    let (mut all, mut kept) = (Told::default(), Vec::new());
    while let Some(told) = timeout(Duration::from_mins(1), clients.join_next()).await.expect("no request may hang") {
        let (told, client) = told.unwrap();
        all.add(told);
        kept.push(client);
    }
    (all, kept)
}

fn float(number: usize) -> f64 {
    f64::from(u32::try_from(number).unwrap())
}

/// The middle one.
fn median(rounds: &[Round], number: impl Fn(&Round) -> f64) -> f64 {
    let mut numbers: Vec<_> = rounds.iter().map(number).collect();
    numbers.sort_unstable_by(f64::total_cmp);
    numbers[numbers.len() / 2]
}

async fn what_cannot_be_served_is_told_and_the_rest_is_served(database: Database) {
    let mut load = Load::start(&database).await;
    load.as_much_as_it_can().await;
    let before = load.server.running().memory();
    let (mut rounds, mut told) = (Vec::new(), Told::default());
    for _ in 0..if is_long() { 7 } else { 1 } {
        rounds.push(load.round(&mut told).await);
        println!("{:.5?}", rounds.last());
    }
    let grown = load.server.running().memory() - before;
    let served = median(&rounds, |round| round.served);
    println!(
        "can {:.0}/s; of three times as many serves {:.0} % of that, p50 {:?}, p99 {:?}; sheds the others, p50 {:?}, p99 {:?}, \
         for {:.0} microseconds of the processor each; memory +{} MB",
        median(&rounds, |round| round.peak),
        served * 100.0,
        at(&mut told.served, 50),
        at(&mut told.served, 99),
        at(&mut told.shed, 50),
        at(&mut told.shed, 99),
        median(&rounds, |round| round.for_shed) * 1e6,
        grown / 1024 / 1024,
    );
    // Nearly all of it where nothing else runs; here other tests do, and not always as many. What collapses serves a tenth.
    assert!(served > 0.33, "it goes on serving");
    assert!(grown < 256 * 1024 * 1024, "memory grew by {grown} bytes");
    let (refused, lines) = load.logged_as_refused().await;
    assert!(!told.shed.is_empty(), "three times as much is too much");
    assert_eq!(refused, told.shed.len() as u64);
    // A line a second, and some room for a machine that is busy with other things.
    assert!(lines <= rounds.len() * 12, "{lines} lines for {} rounds", rounds.len());
    let mut later = Told::default();
    later.note(&load.client().ask(&load.asked).await, Duration::ZERO);
    assert_eq!(later.served.len(), 1, "it is over");
}

crate::on_both_databases!(what_cannot_be_served_is_told_and_the_rest_is_served);

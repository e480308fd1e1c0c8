//! Three times as many requests as the real binary can answer: it goes on answering as many as it can, and tells the others
//! at once. With `--nocapture` it tells what was measured; times and shares are this machine's, so that only what must hold
//! anywhere is asserted.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use secrecy::ExposeSecret;
use serde_json::json;
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

struct Load {
    server: Server,
    asked: Asked,
    lasts: Duration,
}

impl Load {
    async fn start(database: &Database) -> Self {
        let world = World::with_connections(60);
        let (key, sso) = furnish(database, &world).await;
        // A processor of its own, so that whoever asks does not take its time.
        let mut server = Server::new(database.url.expose_secret(), &sso).through(&["taskset", "-c", "0"]);
        server.start().await;
        let body = json!({"query": QUERY, "variables": {"first": 100}});
        let asked = Asked { method: "POST", path: "/graphql".into(), key, request_id: "load".into(), body: Some(body) };
        Self { server, asked, lasts: Duration::from_secs(if is_long() { 15 } else { 3 }) }
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
                told
            });
        }
        gather(clients).await
    }

    /// So many a second, whatever becomes of them. Gives what came of them, and how many of them were sent.
    async fn so_many(&self, a_second: usize) -> (Told, usize) {
        let (due, sent) = (Arc::new(Semaphore::new(0)), Arc::new(AtomicUsize::new(0)));
        let mut clients = JoinSet::new();
        for _ in 0..CONNECTIONS {
            let (mut client, asked) = (self.client(), self.asked.clone());
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
                told
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
        (gather(clients).await, sent.load(Ordering::Relaxed))
    }

    fn client(&self) -> KeepAlive {
        KeepAlive::new(self.server.address(), Manner::Brisk)
    }

    fn a_second(&self, number: usize) -> usize {
        number * 1_000 / usize::try_from(self.lasts.as_millis()).unwrap()
    }
}

async fn gather(mut clients: JoinSet<Told>) -> Told {
    let mut all = Told::default();
    while let Some(told) = timeout(Duration::from_mins(1), clients.join_next()).await.expect("no request may hang") {
        all.add(told.unwrap());
    }
    all
}

async fn what_cannot_be_served_is_told_and_the_rest_is_served(database: Database) {
    let load = Load::start(&database).await;
    load.as_much_as_it_can().await;
    let before = load.server.running().memory();
    let peak = load.as_much_as_it_can().await;
    assert!(peak.shed.is_empty(), "{CLIENTS} at once are no overload");
    let peak = load.a_second(peak.served.len());
    let (Told { mut served, mut shed }, sent) = load.so_many(3 * peak).await;
    let grown = load.server.running().memory() - before;
    println!(
        "can {peak}/s; at {} sent a second served {}/s ({} %), p50 {:?}, p99 {:?}; shed {}/s, p50 {:?}, p99 {:?}; memory +{} MB",
        load.a_second(sent),
        load.a_second(served.len()),
        load.a_second(served.len()) * 100 / peak,
        at(&mut served, 50),
        at(&mut served, 99),
        load.a_second(shed.len()),
        at(&mut shed, 50),
        at(&mut shed, 99),
        grown / 1024 / 1024,
    );
    assert_eq!(served.len() + shed.len(), sent);
    // Nearly all of it where nothing else runs; here other tests do, and not always as many. What collapses serves a tenth.
    assert!(load.a_second(served.len()) * 3 > peak, "it goes on serving");
    assert!(grown < 256 * 1024 * 1024, "memory grew by {grown} bytes");
    sleep(Duration::from_millis(100)).await;
    let mut later = Told::default();
    later.note(&load.client().ask(&load.asked).await, Duration::ZERO);
    assert_eq!(later.served.len(), 1, "it is over");
}

crate::on_both_databases!(what_cannot_be_served_is_told_and_the_rest_is_served);

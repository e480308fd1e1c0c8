//! Hundreds of clients that never finish: all are closed in time, others notice nothing, and nothing is left of them.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use secrecy::ExposeSecret;
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::support::binary::FEW_DESCRIPTORS;
use crate::support::careful::{Asked, Fate, KeepAlive, Manner, Multiplexed};
use crate::support::databases::{Database, Kind};
use crate::support::server::{Server, furnish};
use crate::support::slow::{LONGEST, Slow};
use crate::support::world::World;

/// Of each kind.
const MANY: usize = 200;

/// Two processes share the kinds, so that neither has more connections than it takes.
const OF_HTTP_1: [Slow; 4] = [Slow::HeadDripped, Slow::BodyDripped, Slow::AnswerUnread, Slow::AnswerSipped];
const OF_EITHER: [Slow; 4] = [Slow::Idle, Slow::HalfPreface, Slow::Deaf, Slow::StreamsUnread];

/// What may be used beyond what it was before: buffers of hundreds of connections, of which the allocator keeps some.
const MOST_MEMORY: i64 = 48 * 1024 * 1024;

/// What a busy machine may add to the longest that any may stay.
const SPARE: Duration = Duration::from_secs(2);

/// An ordinary client: it asks again and again, and is answered each time.
async fn ordinary(address: SocketAddr, key: String, manner: Option<Manner>, ends: Arc<AtomicBool>) -> Vec<Duration> {
    let mut took = Vec::new();
    let mut http_1 = KeepAlive::new(address, manner.unwrap_or(Manner::Brisk));
    let mut http_2 = Multiplexed::connect(address).await;
    while !ends.load(Ordering::Relaxed) {
        let (method, path) = ("GET", "/connections".to_owned());
        let asked = Asked { method, path, key: key.clone(), request_id: "ordinary".to_owned(), body: None };
        let start = Instant::now();
        let fate = if manner.is_some() { http_1.ask(&asked).await } else { http_2.ask(&asked).await };
        assert!(matches!(fate, Fate::Answered { status: 200, .. }), "{manner:?}: {fate:?}");
        took.push(start.elapsed());
        sleep(Duration::from_millis(100)).await;
    }
    took
}

/// Ordinary clients of every kind, until they are told to end: how long each answer took, in order.
fn ordinary_clients(address: SocketAddr, key: &str, ends: &Arc<AtomicBool>) -> JoinSet<Vec<Duration>> {
    let manners = [Some(Manner::Brisk), Some(Manner::Afresh), Some(Manner::SlowToSend), Some(Manner::SlowToRead), None];
    manners.into_iter().map(|manner| ordinary(address, key.to_owned(), manner, Arc::clone(ends))).collect()
}

async fn times(clients: JoinSet<Vec<Duration>>, ends: &AtomicBool) -> Vec<Duration> {
    ends.store(true, Ordering::Relaxed);
    let mut times = clients.join_all().await.concat();
    times.sort();
    times
}

fn told(times: &[Duration]) -> String {
    let (half, most) = (times[times.len() / 2], times[times.len() * 99 / 100]);
    format!("{} answers, p50 {half:?}, p99 {most:?}", times.len())
}

/// One process and its slow clients.
async fn bears(kinds: &'static [Slow], database: &Database) {
    let (key, sso) = furnish(database, &World::with_connections(20)).await;
    let mut server = Server::new(database.url.expose_secret(), &sso);
    server.start().await;
    let address = server.address();

    // A quiet time, in which the pool and SSO's client fill.
    let ends = Arc::new(AtomicBool::new(false));
    let clients = ordinary_clients(address, &key, &ends);
    sleep(Duration::from_secs(3)).await;
    let quiet = times(clients, &ends).await;
    let (files, memory) = (server.running().open_files(), server.running().memory());

    ends.store(false, Ordering::Relaxed);
    let clients = ordinary_clients(address, &key, &ends);
    let mut slow = JoinSet::new();
    for number in 0..kinds.len() * MANY {
        let (kind, key) = (kinds[number % kinds.len()], key.clone());
        slow.spawn(async move {
            let start = Instant::now();
            kind.hold(address, &key).await;
            (kind, start.elapsed())
        });
        // As fast as a machine lets them come, they would measure the accept queue.
        sleep(Duration::from_millis(2)).await;
    }
    let (opened, all) = (Instant::now(), files + kinds.len() * MANY);
    let (mut most_files, mut most_memory) = (server.running().open_files(), 0);
    // The last of them may wait to be accepted still.
    while most_files < all && opened.elapsed() < Duration::from_secs(5) {
        sleep(Duration::from_millis(50)).await;
        most_files = server.running().open_files();
    }
    assert!(most_files >= all, "they are not there: {most_files} of {files}");
    while server.running().open_files() > files + FEW_DESCRIPTORS {
        assert!(opened.elapsed() < LONGEST + SPARE, "{} of {files} descriptors", server.running().open_files());
        most_memory = most_memory.max(server.running().memory());
        sleep(Duration::from_millis(500)).await;
    }
    let all_closed = opened.elapsed();
    let mut last = vec![Duration::ZERO; kinds.len()];
    while let Some(held) = slow.join_next().await {
        let (kind, after) = held.unwrap();
        assert!(after < LONGEST + SPARE || !kind.sees_its_end(), "{after:?}: {kind:?}");
        let kind = kinds.iter().position(|one| *one == kind).unwrap();
        last[kind] = last[kind].max(after);
    }
    let with_them = times(clients, &ends).await;
    println!(
        "{kinds:?}\n  the last saw its end after {last:?}; the server had closed all after {all_closed:?}\n  quiet: {}\n  \
         meanwhile: {}\n  descriptors {files} → {most_files}, memory {} → {} MB at most",
        told(&quiet),
        told(&with_them),
        memory >> 20,
        most_memory >> 20
    );
    let grown = server.running().memory().max(most_memory) - memory;
    assert!(grown < MOST_MEMORY, "{} MB more", grown >> 20);
}

// The database has no part in it. Both wait at the same time.

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hundreds_that_never_finish_over_http_1_are_closed_and_nobody_else_notices() {
    bears(&OF_HTTP_1, &Database::fresh(Kind::Sqlite).await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hundreds_that_are_idle_or_never_finish_over_http_2_are_closed_and_nobody_else_notices() {
    bears(&OF_EITHER, &Database::fresh(Kind::Sqlite).await).await;
}

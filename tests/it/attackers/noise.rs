//! Bytes put together at random out of what HTTP is made of: whatever comes, the server answers or closes, never with a 5xx,
//! and goes on.

use futures_util::StreamExt;
use futures_util::stream::iter;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};

use super::times;
use crate::support::app::{Setup, TestApp};
use crate::support::databases::{Database, Kind};
use crate::support::raw_http::{short_timeouts, statuses, tell};
use crate::support::world::World;

const PIECES: [&str; 48] = [
    "GET ",
    "POST ",
    "HEAD ",
    "/connections",
    "/graphql",
    "/livez",
    "/graphql?query=%7B__typename%7D",
    "http://test/livez",
    "*",
    " HTTP/1.1",
    " HTTP/1.0",
    " HTTP/2.0",
    "\r\n",
    "\r\n",
    "\r\n",
    "\r\n\r\n",
    "\r\n\r\n",
    "\n",
    "\r",
    " ",
    "\t",
    "\0",
    "\u{1b}",
    "Host: test",
    "Host: other",
    "Content-Length: ",
    "Content-Length: 5",
    "Content-Length: 100000",
    "Transfer-Encoding: chunked",
    "Transfer-Encoding: ",
    "chunked",
    "identity",
    ", ",
    ": ",
    ";",
    "0\r\n\r\n",
    "5\r\nhello\r\n",
    "ffffffff",
    "Connection: close",
    "Connection: keep-alive",
    "Upgrade: h2c",
    "Expect: 100-continue",
    "Content-Type: application/json",
    "{\"query\": \"{ __typename }\"}",
    "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "\0\0\0\u{4}\0\0\0\0\0",
    "\0\0\u{1}\u{1}\u{5}\0\0\0\u{1}\u{2}",
    "é",
];

/// A request at random; most begin as one does, so that they come some way.
fn noise(random: &mut StdRng, authorization: &str) -> String {
    let mut text = String::new();
    if random.random_bool(0.7) {
        let (method, target) = (PIECES[..3].choose(random).unwrap(), PIECES[3..8].choose(random).unwrap());
        text = format!("{method}{target} HTTP/1.1\r\nHost: test\r\n{authorization}");
    }
    for _ in 0..random.random_range(1..30) {
        text += PIECES.choose(random).unwrap();
    }
    text
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_bytes_come_the_server_answers_or_closes_and_goes_on() {
    let database = Database::fresh(Kind::Sqlite).await;
    let app = TestApp::start_with(&database, Setup { timeouts: short_timeouts(), ..Setup::default() }).await;
    let app = app.enter(&database, &World::with_connections(3)).await;
    let authorization = format!("Authorization: Bearer {}\r\n", app.key.as_ref().unwrap());
    let mut random = StdRng::seed_from_u64(7);
    let told: Vec<String> = (0..times(600, 20_000)).map(|_| noise(&mut random, &authorization)).collect();
    let count = told.len();
    let heard: Vec<(String, Vec<u8>)> = iter(told)
        .map(|text| async { (text.clone(), tell(&app.url, text).await) })
        .buffer_unordered(32)
        .collect()
        .await;
    let mut answers = 0;
    for (text, heard) in &heard {
        let statuses = statuses(&String::from_utf8_lossy(heard));
        assert!(statuses.iter().all(|status| *status < 500), "{text:?}: {statuses:?}");
        answers += statuses.len();
    }
    println!("{count} noises, {answers} answers");
    assert!(answers > count / 3, "most come some way: {answers} of {count}");
    assert_eq!(app.get("/connections").await.status, 200);
}

//! More connections than there is room for, to the real binary.

use std::time::Duration;

use futures_util::future::join_all;
use tokio::time::timeout;

use super::Raw;
use crate::support::binary::{Running, serve};
use crate::support::databases::{Database, Kind};
use crate::support::{http_2_client, plain_client};

const ROOM: usize = 5;

/// So many more are taken to be told.
const TOLD: usize = 50;

async fn start(database: &Database) -> (Running, String, String) {
    serve(database, "http://127.0.0.1:9", &[("HTTP_MAX_CONNECTIONS", &ROOM.to_string())]).await
}

/// Connections that are open, and say nothing.
async fn idle(url: &str, number: usize) -> Vec<Raw> {
    let mut open = Vec::new();
    for _ in 0..number {
        open.push(Raw::connect(url).await);
    }
    open
}

fn get(path: &str, key: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: test\r\nAuthorization: Bearer {key}\r\n\r\n")
}

async fn ask(url: &str, path: &str, key: &str) -> String {
    let mut raw = Raw::connect(url).await;
    raw.send(&get(path, key)).await;
    raw.until_closed().await
}

#[tokio::test]
async fn a_client_beyond_them_is_told_once_and_closed_but_probes_are_answered() {
    let database = Database::fresh(Kind::Sqlite).await;
    let (_server, url, key) = start(&database).await;
    let open = idle(&url, ROOM).await;
    let answer = ask(&url, "/connections", &key).await;
    assert!(answer.starts_with("HTTP/1.1 503") && answer.contains("retry-after: 1\r\n"), "{answer}");
    assert!(answer.contains("connection: close\r\n") && answer.contains("too much to do"), "{answer}");
    for probe in ["/livez", "/readyz"] {
        let answer = ask(&url, probe, &key).await;
        assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("connection: close\r\n"), "{answer}");
    }
    let over_http_2 = http_2_client().get(format!("{url}/connections")).send().await.unwrap();
    assert_eq!((over_http_2.status().as_u16(), &over_http_2.headers()["retry-after"]), (503, &"1".parse().unwrap()));
    drop(open);
    let client = plain_client();
    let served = async {
        while client.get(format!("{url}/connections")).bearer_auth(&key).send().await.unwrap().status() != 200 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), served).await.expect("there must be room again");
}

#[tokio::test]
async fn a_flood_of_them_is_closed_at_once_and_costs_nothing() {
    let database = Database::fresh(Kind::Sqlite).await;
    let (server, url, key) = start(&database).await;
    let mut ordinary = Raw::connect(&url).await;
    ordinary.send(&get("/livez", &key)).await;
    let files = server.open_files();
    let _open = idle(&url, ROOM - 1).await;
    let flood = join_all((0..500).map(async |_| {
        let mut one_more = Raw::connect(&url).await;
        one_more.until_closed().await
    }));
    let mut most_files = 0;
    tokio::pin!(flood);
    let answers = loop {
        match timeout(Duration::from_millis(10), &mut flood).await {
            Ok(answers) => break answers,
            Err(_) => most_files = most_files.max(server.open_files()),
        }
    };
    assert!(answers.iter().all(String::is_empty));
    // The last one is the one that was just accepted.
    assert!((1..=files + ROOM + TOLD + 1).contains(&most_files), "{most_files} from {files}");
    ordinary.send(&get("/livez", &key).replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n")).await;
    assert_eq!(ordinary.until_closed().await.matches("HTTP/1.1 200").count(), 2, "who has room keeps it");
}

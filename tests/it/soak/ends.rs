//! What must be so when the load is over and all is well again.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::time::sleep;

use super::MOST_AT_ONCE;
use super::clients::Clients;
use super::figures::{Sample, median};
use super::past::Span;
use crate::support::binary::{FEW_DESCRIPTORS, Running, is_long};
use crate::support::databases::Database;
use crate::support::plain_client;
use crate::support::projection::{NESTED, rest_entry};

/// Each list is whole and right, and the same over both front ends.
pub async fn lists_are_right(clients: &Clients) {
    let (http, url) = (plain_client(), format!("http://{}", clients.address));
    for account in &*clients.accounts {
        let sent = Instant::now();
        let rest = http.get(format!("{url}/connections")).bearer_auth(&account.key).send().await.unwrap();
        assert!(rest.status() == 200 && !rest.headers().contains_key("x-connections-degraded"), "{rest:?}");
        let rest: Vec<Value> = serde_json::from_slice(&rest.bytes().await.unwrap()).unwrap();
        account.oracle.check_list(&rest, false, true, Span { sent, come: Instant::now() }).unwrap();
        let asked = json!({"query": NESTED, "variables": {"first": 1_000}}).to_string();
        let graphql = http.post(format!("{url}/graphql")).bearer_auth(&account.key);
        let graphql = graphql.header("content-type", "application/json").body(asked).send().await.unwrap();
        let graphql: Value = serde_json::from_slice(&graphql.bytes().await.unwrap()).unwrap();
        let nodes = graphql["data"]["connections"]["nodes"].as_array().unwrap();
        assert_eq!(nodes.iter().map(rest_entry).collect::<Vec<_>>(), rest);
    }
}

/// Of each connection that was repaired there is one row, the one that everybody saw, and one record of its insertion.
pub async fn repairs_are_right(clients: &Clients, database: &Database) {
    let rows = database
        .texts("SELECT external_id || ' ' || id FROM account_connections WHERE external_id LIKE 'eeee%' ORDER BY 1")
        .await;
    let records = "SELECT external_id FROM repair_records WHERE outcome = 'CREATED' ORDER BY 1";
    let inserted: Vec<&str> = rows.iter().map(|row| row.split_once(' ').unwrap().0).collect();
    assert_eq!(database.texts(records).await, inserted, "a row and a record each");
    let by_id: HashMap<&str, &str> = rows.iter().map(|row| row.split_once(' ').unwrap()).collect();
    assert_eq!(by_id.len(), rows.len(), "two rows of one connection");
    let known = clients.accounts.iter().flat_map(|account| account.oracle.repairs.known());
    let mut count = 0;
    for (id, row) in known {
        let found = by_id.get(id.as_str()).unwrap_or_else(|| panic!("the row of {id} is lost"));
        assert!(row.is_none_or(|row| row == *found), "{id}: another row than was seen");
        count += 1;
    }
    println!("  {count} connections repaired, {} rows", rows.len());
    assert!(count > 0);
}

/// More memory than before: buffers, lists of several states, what the allocator keeps.
const MOST_MEMORY: i64 = 64 * 1024 * 1024;
/// From the third minute on nothing new is to be held; what the allocator keeps still moves by so much.
const FLAT_MEMORY: i64 = 8 * 1024 * 1024;

/// Memory and descriptors under load.
pub fn load_was_borne_flat(before: Sample, samples: &[Sample]) {
    let most = samples.iter().map(|sample| sample.memory).max().unwrap();
    let files = samples.iter().map(|sample| sample.files).max().unwrap();
    println!(
        "  memory {} MB before, {} MB at most; descriptors {} before, {files} at most",
        before.memory >> 20,
        most >> 20,
        before.files
    );
    assert!(most - before.memory < MOST_MEMORY, "{} MB more", (most - before.memory) >> 20);
    if !is_long() {
        return;
    }
    // Minutes two and three against the last two.
    let (early, late) = (&samples[60..180], &samples[samples.len() - 120..]);
    let memory = [early, late].map(|part| median(part, |sample| sample.memory));
    let files = [early, late].map(|part| median(part, |sample| sample.files));
    println!("  early to late: memory {} kB → {} kB, descriptors {files:?}", memory[0] >> 10, memory[1] >> 10);
    assert!(memory[1] - memory[0] < memory[0] / 10 + FLAT_MEMORY, "memory grows: {memory:?}");
    assert!(files[1] <= files[0] + MOST_AT_ONCE, "descriptors grow: {files:?}");
}

/// Once all clients are gone.
pub async fn nothing_is_left(before: Sample, server: &Running) {
    let start = Instant::now();
    while server.open_files() > before.files + FEW_DESCRIPTORS {
        assert!(start.elapsed() < Duration::from_secs(10), "{} descriptors of {}", server.open_files(), before.files);
        sleep(Duration::from_millis(100)).await;
    }
}

/// A line for each request, and few others, none of a defect.
pub fn log_is_bounded(log: &str, asked: usize) {
    let lines: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let others: Vec<&Value> = lines.iter().filter(|line| line["message"] != "request").collect();
    let mut kinds: HashMap<(&str, &str), usize> = HashMap::new();
    for line in &others {
        *kinds.entry((line["level"].as_str().unwrap(), line["message"].as_str().unwrap())).or_default() += 1;
    }
    println!("  {} log lines, {} bytes; not of requests: {kinds:?}", lines.len(), log.len());
    let defects: Vec<_> = others.iter().filter(|line| line["level"] == "ERROR").collect();
    assert!(defects.is_empty(), "{defects:?}");
    assert!(lines.len() < asked * 2 && log.len() < asked * 1_000, "{} lines for {asked}", lines.len());
}

//! What is between the program and PostgreSQL fails.

use std::time::{Duration, Instant};

use lc_connections::domain::timestamp::Timestamp;
use lc_connections::store::{Inserted, Store, StoreError};

use crate::store::{other_programs_rows, repair_of};
use crate::support::cluster::Cluster;
use crate::support::proxy::Proxy;

use super::Subject;

/// A database behind a network of its own, and the application that reaches it through that.
async fn behind_a_proxy() -> (Cluster, Proxy, Subject) {
    let cluster = Cluster::start().await;
    let proxy = Proxy::before(cluster.port()).await;
    let subject = Subject::start(&cluster.database_behind(&proxy).await).await;
    (cluster, proxy, subject)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_network_swallows_everything_for_a_while() {
    let (_cluster, proxy, subject) = behind_a_proxy().await;
    proxy.fall_silent();
    subject.is_out_of_service().await;
    proxy.resume();
    subject.recovers().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_network_forgets_the_connections_that_were_open() {
    let (_cluster, proxy, subject) = behind_a_proxy().await;
    proxy.fall_silent();
    subject.is_out_of_service().await;
    proxy.resume_without_the_old();
    subject.recovers().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_network_resets_all_connections() {
    let (_cluster, proxy, subject) = behind_a_proxy().await;
    proxy.reset();
    subject.works().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_repair_that_is_cut_off_before_its_commit_does_not_block_the_next_for_long() {
    let cluster = Cluster::start().await;
    let proxy = Proxy::before(cluster.port()).await;
    let database = cluster.database_behind(&proxy).await;
    other_programs_rows(&database).await;
    let far = Store::connect(&database.url, 1).await.unwrap();
    proxy.hold_at("COMMIT");
    let (row, record) = repair_of(7, Timestamp::EPOCH);
    let cut_off = far.insert_repair(&row, &record);
    let cut_off = tokio::time::timeout(Duration::from_millis(500), cut_off).await;
    assert!(cut_off.is_err(), "it waits for its commit");
    // PostgreSQL hears nothing of that end, and keeps the transaction and the key that it holds.
    let near = Store::connect(&cluster.url_of(&database).await, 1).await.unwrap();
    let start = Instant::now();
    let inserted = loop {
        let (row, record) = repair_of(7, Timestamp::EPOCH);
        match near.insert_repair(&row, &record).await {
            Ok(inserted) => break inserted,
            Err(error) => assert!(matches!(error, StoreError::Unavailable { .. }), "{error:?}"),
        }
        assert!(start.elapsed() < Duration::from_secs(15), "it is blocked for ever");
    };
    println!("blocked for {:?}", start.elapsed());
    assert_eq!(inserted, Inserted::Created);
    proxy.let_go();
    assert_eq!(database.count("repair_records").await, 1);
    assert_eq!(database.count("account_connections WHERE external_id LIKE '%7'").await, 1);
}

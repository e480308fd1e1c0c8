//! Clients hang up, anywhere: no connection of the pool is spoiled by it, and nothing is half written.

use std::time::{Duration, Instant};

use lc_connections::domain::timestamp::Timestamp;
use lc_connections::store::{Inserted, Store};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde_json::json;

use crate::store::{other_programs_rows, repair_of};
use crate::support::app::TestApp;
use crate::support::cluster::Cluster;
use crate::support::databases::{Database, OTHER_SESSIONS};
use crate::support::projection::NESTED;
use crate::support::proxy::Proxy;

/// A PostgreSQL behind a proxy, and a database in it.
async fn behind_a_proxy() -> (Cluster, Proxy, Database) {
    let cluster = Cluster::start().await;
    let proxy = Proxy::before(cluster.port()).await;
    let database = cluster.database_behind(&proxy).await;
    (cluster, proxy, database)
}

/// Waits until no connection of the pool is at work, and then has each of them write: what one writes alone must be there
/// for everybody at once.
async fn is_sound(store: &Store, database: &Database) {
    let start = Instant::now();
    while store.pool_size().in_use > 0 {
        assert!(start.elapsed() < Duration::from_secs(5), "{:?} are not given back", store.pool_size());
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    if database.backend() == sea_orm::DbBackend::Postgres {
        let in_transaction = format!("{OTHER_SESSIONS} AND state LIKE 'idle in transaction%'");
        assert_eq!(database.count(&in_transaction).await, 0);
    }
    for number in 0..20 {
        let before = database.count("repair_records").await;
        let (_, record) = repair_of(50_000 + number, Timestamp::EPOCH);
        store.insert_record(&record).await.unwrap();
        assert_eq!(database.count("repair_records").await, before + 1, "it is written and not committed");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_write_that_is_dropped_while_it_begins_leaves_no_transaction_open() {
    let (_cluster, proxy, database) = behind_a_proxy().await;
    other_programs_rows(&database).await;
    let store = Store::connect(&database.url, 3).await.unwrap();
    let words = ["BEGIN", "INSERT INTO \"account_connections\"", "INSERT INTO \"repair_records\"", "COMMIT"];
    let mut held = 0;
    for _ in 0..12 {
        for word in words {
            proxy.hold_at(word);
            let (row, record) = repair_of(1_000 + held, Timestamp::EPOCH);
            let writing = tokio::spawn({
                let store = store.clone();
                async move { store.insert_repair(&row, &record).await }
            });
            held += 1;
            proxy.held(held.into()).await;
            writing.abort();
            assert!(writing.await.unwrap_err().is_cancelled());
            proxy.let_go();
        }
    }
    is_sound(&store, &database).await;
    // A row and its record, or neither.
    let rows_alone = "account_connections c WHERE id NOT LIKE 'b%' AND NOT EXISTS \
                      (SELECT 1 FROM repair_records r WHERE r.external_id = c.external_id)";
    let records_alone = "repair_records r WHERE external_id LIKE '%0010__' AND NOT EXISTS \
                         (SELECT 1 FROM account_connections c WHERE r.external_id = c.external_id)";
    assert_eq!((database.count(rows_alone).await, database.count(records_alone).await), (0, 0));
    let (row, record) = repair_of(9_999, Timestamp::EPOCH);
    assert_eq!(store.insert_repair(&row, &record).await.unwrap(), Inserted::Created);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_repair_whose_client_hangs_up_while_it_begins_is_finished() {
    let (_cluster, proxy, database) = behind_a_proxy().await;
    let (app, world) = TestApp::in_world_as_superuser(&database, 60).await;
    let missing = world.missing();
    for (number, id) in missing.iter().enumerate() {
        proxy.hold_at("BEGIN");
        let (asking, asked) = (app.clone(), json!({"connection_id": id}));
        let client = tokio::spawn(async move { asking.post("/connections", &asked).await });
        proxy.held(number as u64 + 1).await;
        client.abort();
        assert!(client.await.unwrap_err().is_cancelled());
        proxy.let_go();
    }
    let start = Instant::now();
    let created = "repair_records WHERE outcome = 'CREATED'";
    while database.count(created).await < i64::try_from(missing.len()).unwrap() {
        assert!(
            start.elapsed() < Duration::from_secs(5),
            "of {} only {}",
            missing.len(),
            database.count(created).await
        );
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let list = app.get("/connections").await.body;
    assert!(list.as_array().unwrap().iter().all(|entry| entry["status"] == "completed"), "{list}");
    is_sound(&app.store, &database).await;
}

async fn clients_that_hang_up_anywhere_cost_the_others_nothing(database: Database) {
    let (app, world) = TestApp::in_world_as_superuser(&database, 12).await;
    let (expected, existing) = (world.expected_list(true), world.own_row("external_id"));
    let seed = rand::random();
    println!("seed {seed}");
    let mut random = StdRng::seed_from_u64(seed);
    let ask = async |kind: usize| match kind {
        0 => app.get("/connections").await,
        1 => app.graphql(NESTED, &json!({})).await,
        _ => app.post("/connections", &json!({"connection_id": existing})).await,
    };
    let mut hung_up = 0;
    for _ in 0..20 {
        for kind in 0..3 {
            let start = Instant::now();
            ask(kind).await;
            // Somewhere in what it takes.
            let patience = start.elapsed().mul_f64(random.random_range(0.0..1.0));
            for _ in 0..3 {
                hung_up += u32::from(tokio::time::timeout(patience, ask(kind)).await.is_err());
            }
        }
    }
    println!("{hung_up} of 180 hung up");
    assert!(hung_up > 30, "only {hung_up} of 180 hung up");
    assert_eq!(app.get("/connections").await.body, expected);
    is_sound(&app.store, &database).await;
    assert!(app.store.pool_size().idle <= 10);
}

crate::on_both_databases!(clients_that_hang_up_anywhere_cost_the_others_nothing);

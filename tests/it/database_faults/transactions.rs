//! PostgreSQL lives, and refuses transactions: for another's sake, for a lock, or because it only reads.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use lc_connections::store::PoolSize;
use serde_json::json;

use crate::support::app::{Answer, TestApp};
use crate::support::cluster::Cluster;
use crate::support::databases::{Database, Kind, OTHER_SESSIONS};
use crate::support::world::World;

use super::{Subject, in_time, is_refused};

/// Has PostgreSQL itself refuse the first transactions that write the table, with the error that it has for one that was in
/// another's way.
async fn refuse_transactions(database: &Database, table: &str, sqlstate: &str, times: u32) {
    database
        .execute(&format!(
            "DROP SEQUENCE IF EXISTS tries CASCADE; CREATE SEQUENCE tries; \
             CREATE OR REPLACE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
             IF nextval('tries') <= {times} THEN RAISE EXCEPTION 'in the way' USING ERRCODE = '{sqlstate}'; END IF; \
             RETURN NEW; END $$; \
             CREATE OR REPLACE TRIGGER refuse BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION refuse()"
        ))
        .await;
}

/// A superuser's application in a world where much is missing.
async fn superuser(database: &Database) -> (TestApp, World, Vec<String>) {
    let (app, world) = TestApp::in_world_as_superuser(database, 60).await;
    let missing = world.missing();
    assert!(missing.len() >= 8, "{}", missing.len());
    (app, world, missing)
}

async fn repair(app: &TestApp, id: &str) -> Answer {
    in_time(app.post("/connections", &json!({"connection_id": id}))).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_in_anothers_way_is_tried_again() {
    let database = Database::fresh(Kind::Postgres).await;
    let (app, world, missing) = superuser(&database).await;
    let rows = database.count("account_connections").await;
    let mut missing = missing.iter();
    let (mut created, mut refused) = (0, 0);
    for sqlstate in ["40001", "40P01"] {
        for table in ["account_connections", "repair_records"] {
            refuse_transactions(&database, table, sqlstate, 3).await;
            let answer = repair(&app, missing.next().unwrap()).await;
            assert_eq!(answer.status, 201, "{sqlstate} {table}: {}", answer.body);
            assert_eq!(database.scalar::<i64>("SELECT last_value FROM tries").await, 4, "{sqlstate} {table}");
            created += 1;
            database.execute(&format!("DROP TRIGGER refuse ON {table}")).await;
        }
        // The record of a refusal is written again too.
        refuse_transactions(&database, "repair_records", sqlstate, 3).await;
        let answer = repair(&app, &world.own_row("external_id")).await;
        assert_eq!(answer.status, 409, "{sqlstate}: {}", answer.body);
        refused += 1;
        database.execute("DROP TRIGGER refuse ON repair_records").await;
    }
    let metrics = app.client.get(format!("{}/metrics", app.url)).send().await.unwrap().text().await.unwrap();
    let retries = metrics.lines().find_map(|line| line.strip_prefix("db_retries_total ")).unwrap();
    assert!(retries.parse::<u32>().unwrap() >= 18, "three for each: {retries}");
    assert_eq!(database.count("account_connections").await, rows + created);
    assert_eq!(database.count("repair_records WHERE outcome = 'CREATED'").await, created);
    assert_eq!(database.count("repair_records WHERE error_code = 'ALREADY_EXISTS'").await, refused);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_always_in_anothers_way_is_refused_and_writes_nothing() {
    let database = Database::fresh(Kind::Postgres).await;
    let (app, _, missing) = superuser(&database).await;
    let rows = database.count("account_connections").await;
    refuse_transactions(&database, "repair_records", "40001", 1_000_000).await;
    let answers = join_all(missing[..8].iter().map(|id| repair(&app, id))).await;
    assert!(answers.iter().all(is_refused), "{answers:?}");
    assert_eq!(database.scalar::<i64>("SELECT last_value FROM tries").await, 8 * 5, "a few tries, not endless ones");
    assert_eq!(database.count("account_connections").await, rows);
    database.execute("DROP TRIGGER refuse ON repair_records").await;
    for id in &missing[..8] {
        assert_eq!(repair(&app, id).await.status, 201);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn repairs_at_once_get_along_where_every_transaction_is_serializable() {
    let cluster = Cluster::start().await;
    let database = cluster.database().await;
    database.set_for_new_sessions("default_transaction_isolation = 'serializable'").await;
    let (app, _, missing) = superuser(&database).await;
    let same = |id: &String| (0..8).map(|_| id.clone()).collect::<Vec<_>>();
    let ids: Vec<String> = missing.iter().flat_map(same).collect();
    let answers = join_all(ids.iter().map(|id| repair(&app, id))).await;
    for (id, answers) in missing.iter().zip(answers.chunks(8)) {
        let count = |status| answers.iter().filter(|answer| answer.status == status).count();
        assert_eq!((count(201), count(409)), (1, 7), "{id}: {answers:?}");
    }
    assert!(cluster.log().contains("could not serialize access"), "nobody was in anybody's way");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_repair_that_is_chosen_to_break_a_deadlock_is_tried_again() {
    let cluster = Cluster::start().await;
    let database = cluster.database().await;
    // Of the two, the repair looks for a deadlock first, and is then its victim.
    database.set_for_new_sessions("deadlock_timeout = '200ms'").await;
    let (app, world, missing) = superuser(&database).await;
    database.execute("SET deadlock_timeout = '1min'").await;
    database.execute("BEGIN; LOCK TABLE repair_records").await;
    let repairing = tokio::spawn({
        let (app, id) = (app.clone(), missing[0].clone());
        async move { repair(&app, &id).await }
    });
    // Until the repair waits for the trail, and holds its account's row, to which its own refers.
    while database.count("pg_locks WHERE NOT granted").await == 0 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    database.execute(&format!("SELECT 1 FROM accounts WHERE id = '{}' FOR UPDATE", world.caller().id)).await;
    database.execute("COMMIT").await;
    assert_eq!(repairing.await.unwrap().status, 201);
    assert!(cluster.log().contains("deadlock detected"));
    assert_eq!(database.count("repair_records WHERE outcome = 'CREATED'").await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_only_reads_is_read_and_written_again_as_soon_as_it_may() {
    let cluster = Cluster::start().await;
    let database = cluster.database().await;
    let subject = Subject::start(&database).await;
    database.set_for_new_sessions("default_transaction_read_only = 'on'").await;
    database.end_other_sessions().await;
    let missing = subject.world.missing();
    for _ in 0..3 {
        assert_eq!(subject.ask_much().await, Vec::<String>::new());
        let answers = subject.repair(&missing[0]).await;
        assert!(answers.iter().all(is_refused), "{answers:?}");
    }
    assert_eq!(subject.app.get("/readyz").await.status, 200, "there is something to read");
    database.set_for_new_sessions("default_transaction_read_only = 'off'").await;
    // The pool's connections are of before, and go on reading only.
    subject.works().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lock_that_everybody_waits_for_exhausts_neither_patience_nor_postgres() {
    let cluster = Cluster::start().await;
    let database = cluster.database().await;
    let subject = Subject::start(&database).await;
    database.execute("BEGIN; LOCK TABLE account_connections").await;
    let exhausted = PoolSize { idle: 0, in_use: 10 };
    let mut seen_unready = 0;
    for round in 0.. {
        assert!(round < 12, "the pool never was exhausted soon enough to tell");
        let started = Instant::now();
        let health = async {
            while subject.app.store.pool_size() != exhausted {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            let exhausted_after = started.elapsed();
            let health = tokio::join!(in_time(subject.app.get("/readyz")), in_time(subject.app.get("/livez")));
            (exhausted_after, health)
        };
        let (answers, (exhausted_after, (ready, live))) =
            tokio::join!(join_all((0..20).map(|_| subject.read())), health);
        let answers: Vec<Answer> = answers.into_iter().flatten().collect();
        assert!(answers.iter().all(is_refused), "{answers:?}");
        assert_eq!(live.status, 200);
        // Later, the first to give up gives its connection to whoever asks whether the server is ready.
        if exhausted_after < Duration::from_millis(300) {
            assert_eq!(ready.status, 503);
            seen_unready += 1;
        }
        let sessions = database.count(OTHER_SESSIONS).await;
        assert!(sessions <= 20, "{sessions} sessions for a pool of 10");
        if seen_unready == 3 {
            break;
        }
    }
    database.execute("ROLLBACK").await;
    subject.recovers().await;
}

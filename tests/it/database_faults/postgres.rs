//! PostgreSQL itself ends, stands still, or is at its limits.

use std::time::Duration;

use lc_connections::store::Store;
use sea_orm::ConnectionTrait;
use secrecy::ExposeSecret;
use serde_json::json;

use crate::support::cluster::Cluster;
use crate::support::databases::OTHER_SESSIONS;

use super::Subject;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_is_killed() {
    let mut cluster = Cluster::start().await;
    let subject = Subject::start(&cluster.database().await).await;
    cluster.kill();
    subject.is_out_of_service().await;
    cluster.start_again().await;
    subject.recovers().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_is_stopped_without_farewell() {
    let mut cluster = Cluster::start().await;
    let subject = Subject::start(&cluster.database().await).await;
    cluster.stop_immediately();
    subject.is_out_of_service().await;
    cluster.start_again().await;
    subject.recovers().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_is_restarted_between_two_requests() {
    let mut cluster = Cluster::start().await;
    let subject = Subject::start(&cluster.database().await).await;
    cluster.kill();
    cluster.start_again().await;
    subject.works().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_connections_are_ended_by_an_administrator() {
    let cluster = Cluster::start().await;
    let database = cluster.database().await;
    let subject = Subject::start(&database).await;
    assert_eq!(database.count(OTHER_SESSIONS).await, 10, "the pool is full");
    database.end_other_sessions().await;
    subject.works().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_backend_is_killed_and_postgres_restarts_all() {
    let cluster = Cluster::start().await;
    let database = cluster.database().await;
    let subject = Subject::start(&database).await;
    let pid: i32 = database.scalar(&format!("SELECT MIN(pid) FROM {OTHER_SESSIONS}")).await;
    cluster.kill_backend(u32::try_from(pid).unwrap());
    subject.recovers().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dropped_and_recreated_database_is_not_ready() {
    let cluster = Cluster::start().await;
    let database = cluster.database().await;
    let subject = Subject::start(&database).await;
    let name: String = database.scalar("SELECT current_database()::text").await;
    let admin = sea_orm::Database::connect(cluster.url("postgres").expose_secret()).await.unwrap();
    admin.execute_unprepared(&format!("DROP DATABASE {name} WITH (FORCE)")).await.unwrap();
    subject.is_out_of_service().await;
    admin.execute_unprepared(&format!("CREATE DATABASE {name}")).await.unwrap();
    tokio::time::sleep(Duration::from_millis(150)).await;
    let ready = subject.app.get("/readyz").await;
    assert_eq!((ready.status, &ready.body["reason"]), (503, &json!("database schema not current")));
    let store = Store::connect(&cluster.url(&name), 1).await.unwrap();
    assert_eq!(store.migrate().await.unwrap().len(), 6);
    tokio::time::sleep(Duration::from_millis(150)).await;
    assert_eq!(subject.app.get("/readyz").await.status, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_is_frozen() {
    let cluster = Cluster::start().await;
    let subject = Subject::start(&cluster.database().await).await;
    cluster.freeze();
    subject.is_out_of_service().await;
    cluster.thaw();
    subject.recovers().await;
}

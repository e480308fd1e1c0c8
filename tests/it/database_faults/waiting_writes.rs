//! Many repairs wait for a lock that another program holds: reads go on.

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::json;

use crate::support::app::TestApp;
use crate::support::databases::Database;

use super::{in_time, is_refused};

/// More than the pool has connections.
const WAITING: usize = 30;

async fn repairs_that_wait_leave_connections_to_reads(database: Database) {
    let (app, world) = TestApp::in_world_as_superuser(&database, 60).await;
    let missing = world.missing();
    // So that the key is believed.
    assert_eq!(app.get("/connections").await.status, 200);
    let blocker = database.block_writers().await;
    let repairs = (0..WAITING).map(|number| {
        let (app, body) = (app.clone(), json!({"connection_id": missing[number % missing.len()]}));
        tokio::spawn(async move { in_time(app.post("/connections", &body)).await })
    });
    let repairs: Vec<_> = repairs.collect();
    tokio::time::sleep(Duration::from_millis(300)).await;
    for _ in 0..5 {
        let answers = join_all((0..4).map(|_| in_time(app.get("/connections")))).await;
        let refused: Vec<_> = answers.iter().filter(|answer| answer.status != 200).collect();
        assert!(refused.is_empty(), "{refused:?}");
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    for repair in repairs {
        let answer = repair.await.unwrap();
        assert!(is_refused(&answer), "{} {}", answer.status, answer.body);
    }
    blocker.release().await;
    let created =
        join_all(missing.iter().map(async |id| app.post("/connections", &json!({"connection_id": id})).await));
    assert!(created.await.iter().all(|answer| answer.status == 201));
}

crate::on_both_databases!(repairs_that_wait_leave_connections_to_reads);

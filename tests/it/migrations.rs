//! The schema's history: applied once, by whoever comes first.

use lc_connections::store::SchemaState;

use crate::support::databases::Database;

async fn an_empty_database_becomes_current_and_stays_so(database: Database) {
    let store = database.store().await;
    assert_eq!(store.schema_state().await.unwrap(), SchemaState::Empty);
    let applied = store.migrate().await.unwrap();
    assert_eq!(applied.len(), 6);
    assert_eq!(store.schema_state().await.unwrap(), SchemaState::Current);
    assert_eq!(store.migrate().await.unwrap(), Vec::<String>::new());

    database.execute(&format!("DELETE FROM seaql_migrations WHERE version = '{}'", applied[5])).await;
    assert_eq!(store.schema_state().await.unwrap(), SchemaState::Pending(vec![applied[5].clone()]));
    database
        .execute("INSERT INTO seaql_migrations (version, applied_at) VALUES ('m29991231_000001_from_the_future', 0)")
        .await;
    let unknown = SchemaState::Unknown(vec!["m29991231_000001_from_the_future".to_owned()]);
    assert_eq!(store.schema_state().await.unwrap(), unknown);
}

crate::on_both_databases!(an_empty_database_becomes_current_and_stays_so, unmigrated);

async fn two_that_migrate_at_once_do_it_once(database: Database) {
    let (one, other) = (database.store().await, database.store().await);
    let (one, other) = tokio::join!(one.migrate(), other.migrate());
    let (one, other) = (one.unwrap(), other.unwrap());
    assert_eq!(one.len() + other.len(), 6, "{one:?} {other:?}");
    assert!(one.is_empty() || other.is_empty());
}

crate::on_both_databases!(two_that_migrate_at_once_do_it_once, unmigrated);

async fn a_migration_that_fails_leaves_nothing_behind(database: Database) {
    let store = database.store().await;
    // In the way of the third.
    database.execute("CREATE TABLE account_connections (id text)").await;
    store.migrate().await.unwrap_err();
    assert_eq!(store.schema_state().await.unwrap(), SchemaState::Empty);
    database.execute("DROP TABLE account_connections").await;
    assert_eq!(store.migrate().await.unwrap().len(), 6);
}

crate::on_both_databases!(a_migration_that_fails_leaves_nothing_behind, unmigrated);

//! The schema's history, for PostgreSQL and SQLite.
//!
//! Each migration is SQL, one text for both databases. [`migrate`] is all-or-nothing, and safe when several processes
//! do it at once.

#![expect(elided_lifetimes_in_paths, reason = "the trait's own signatures hide one, and must be repeated as they are")]

mod dialect;
mod m20261124_000001_create_accounts;
mod m20261124_000002_create_api_keys;
mod m20261124_000003_create_account_connections;
mod m20261124_000004_create_account_entities;
mod m20261124_000005_create_custom_entities;
mod m20261124_000006_create_repair_records;

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::{
    ConnectionTrait, DatabaseConnection, DbBackend, SqliteTransactionMode, Statement, TransactionOptions,
    TransactionTrait,
};

/// The migrations, in order.
pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m20261124_000001_create_accounts::Migration),
            Box::new(m20261124_000002_create_api_keys::Migration),
            Box::new(m20261124_000003_create_account_connections::Migration),
            Box::new(m20261124_000004_create_account_entities::Migration),
            Box::new(m20261124_000005_create_custom_entities::Migration),
            Box::new(m20261124_000006_create_repair_records::Migration),
        ]
    }
}

/// How the database's schema stands to this program's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SchemaState {
    /// All migrations are applied, and no other.
    Current,
    /// None is.
    Empty,
    /// These are still to be applied.
    Pending(Vec<String>),
    /// These were applied by a newer program.
    Unknown(Vec<String>),
}

/// How a schema stands to which these were applied.
#[must_use]
pub fn schema_state(applied: &[String]) -> SchemaState {
    let known: Vec<String> = Migrator::migrations().iter().map(|migration| migration.name().to_owned()).collect();
    let unknown: Vec<String> = applied.iter().filter(|name| !known.contains(name)).cloned().collect();
    let pending: Vec<String> = known.into_iter().filter(|name| !applied.contains(name)).collect();
    if !unknown.is_empty() {
        SchemaState::Unknown(unknown)
    } else if applied.is_empty() {
        SchemaState::Empty
    } else if !pending.is_empty() {
        SchemaState::Pending(pending)
    } else {
        SchemaState::Current
    }
}

/// The statement that gives a row if [`APPLIED`] can be asked; without one, nothing was ever applied.
#[must_use]
pub fn is_any_applied(backend: DbBackend) -> &'static str {
    match backend {
        DbBackend::Postgres => "SELECT 1 WHERE to_regclass('seaql_migrations') IS NOT NULL",
        _ => "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'seaql_migrations'",
    }
}

/// The statement that gives the names of what was applied.
pub const APPLIED: &str = "SELECT version FROM seaql_migrations ORDER BY version";

async fn applied(database: &impl ConnectionTrait) -> Result<Vec<String>, DbErr> {
    let backend = database.get_database_backend();
    if database.query_one_raw(Statement::from_string(backend, is_any_applied(backend))).await?.is_none() {
        return Ok(Vec::new());
    }
    let rows = database.query_all_raw(Statement::from_string(backend, APPLIED)).await?;
    rows.iter().map(|row| row.try_get_by_index(0)).collect()
}

/// Any number, the same for all processes: who holds it migrates.
const LOCK: &str = "SELECT pg_advisory_xact_lock(7241106310)";

/// A migration takes as long as it takes, whatever limits the session has for requests.
const NO_LIMITS: &str = "SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0";

/// Applies what is pending, in one transaction under a lock, and gives the names.
///
/// # Errors
/// The database's; then nothing was applied.
pub async fn migrate(database: &DatabaseConnection) -> Result<Vec<String>, DbErr> {
    let options = TransactionOptions {
        sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
        ..TransactionOptions::default()
    };
    let transaction = database.begin_with_options(options).await?;
    if transaction.get_database_backend() == DbBackend::Postgres {
        transaction.execute_unprepared(NO_LIMITS).await?;
        transaction.execute_unprepared(LOCK).await?;
    }
    let before = applied(&transaction).await?;
    Migrator::up(&transaction, None).await?;
    let after = applied(&transaction).await?;
    transaction.commit().await?;
    Ok(after.into_iter().filter(|name| !before.contains(name)).collect())
}

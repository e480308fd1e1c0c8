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
    /// All migrations are applied.
    Current,
    /// None is.
    Empty,
    /// These are still to be applied.
    Pending(Vec<String>),
    /// These look like migrations of a newer program.
    Unknown(Vec<String>),
    /// None of this program's migrations is applied, but these of another program, which uses the same table.
    Foreign(Vec<String>),
}

fn known() -> Vec<String> {
    Migrator::migrations().iter().map(|migration| migration.name().to_owned()).collect()
}

/// How a schema stands to which these were applied. Other programs' migrations beside ours change nothing.
#[must_use]
pub fn schema_state(applied: &[String]) -> SchemaState {
    let known = known();
    let (ours, others): (Vec<String>, Vec<String>) = applied.iter().cloned().partition(|name| known.contains(name));
    let newer: Vec<String> = others.iter().filter(|name| may_be_newer(name, &known)).cloned().collect();
    let pending: Vec<String> = known.into_iter().filter(|name| !applied.contains(name)).collect();
    if ours.is_empty() {
        // A newer program would have applied what this one knows before anything else.
        if others.is_empty() { SchemaState::Empty } else { SchemaState::Foreign(others) }
    } else if !newer.is_empty() {
        SchemaState::Unknown(newer)
    } else if !pending.is_empty() {
        SchemaState::Pending(pending)
    } else {
        SchemaState::Current
    }
}

/// Those of another program that uses the same table, as far as that can be told.
#[must_use]
pub fn foreign(applied: &[String]) -> Vec<String> {
    let known = known();
    applied.iter().filter(|name| !known.contains(name) && !may_be_newer(name, &known)).cloned().collect()
}

/// Whether it is named as ours are, and comes after all that this program knows: new migrations are added at the end.
fn may_be_newer(name: &str, known: &[String]) -> bool {
    let digits = |text: Option<&str>, count: usize| {
        text.is_some_and(|text| text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit()))
    };
    let mut parts = name.splitn(3, '_');
    let is_named_like_ours = digits(parts.next().and_then(|part| part.strip_prefix('m')), 8)
        && digits(parts.next(), 6)
        && parts.next().is_some_and(|rest| !rest.is_empty());
    is_named_like_ours && known.iter().all(|known| name > known.as_str())
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
    Migrator::install(&transaction).await?;
    let before = applied(&transaction).await?;
    let manager = SchemaManager::new(&transaction);
    let mut names = Vec::new();
    // The library's own loop refuses a table that lists migrations of another program.
    for migration in
        Migrator::migrations().iter().filter(|migration| !before.iter().any(|name| name == migration.name()))
    {
        migration.up(&manager).await?;
        let name = migration.name();
        let now = match transaction.get_database_backend() {
            DbBackend::Postgres => "EXTRACT(EPOCH FROM now())::bigint",
            _ => "unixepoch()",
        };
        let note = format!("INSERT INTO seaql_migrations (version, applied_at) VALUES ('{name}', {now})");
        transaction.execute_unprepared(&note).await?;
        names.push(name.to_owned());
    }
    transaction.commit().await?;
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn applied(ours: usize, others: &[&str]) -> Vec<String> {
        known().into_iter().take(ours).chain(others.iter().map(ToString::to_string)).collect()
    }

    #[test]
    fn foreign_migrations_are_distinguished_from_newer_ones() {
        let count = known().len();
        let foreign_names = [
            "m20220101_000001_create_post",
            "20240101000000_init",
            "src/m20991231_000001_x",
            "mabcdefgh_000001_x",
            "m20990101_1_x",
            "m20991231_000001_",
            "",
            "é",
        ];
        for name in foreign_names {
            assert_eq!(schema_state(&applied(count, &[name])), SchemaState::Current, "{name}");
            assert_eq!(foreign(&applied(count, &[name])), [name]);
            assert_eq!(schema_state(&applied(0, &[name])), SchemaState::Foreign(vec![name.to_owned()]));
            assert_eq!(schema_state(&applied(4, &[name])), SchemaState::Pending(known()[4..].to_vec()));
        }
        let newer = "m20991231_000001_from_the_future";
        assert_eq!(
            schema_state(&applied(count, &[newer, "m20220101_000001_create_post"])),
            SchemaState::Unknown(vec![newer.to_owned()])
        );
        assert_eq!(foreign(&applied(count, &[newer])), Vec::<String>::new());
        assert_eq!(schema_state(&applied(0, &[newer])), SchemaState::Foreign(vec![newer.to_owned()]));
        assert_eq!((schema_state(&[]), schema_state(&known())), (SchemaState::Empty, SchemaState::Current));
    }

    #[test]
    fn migrations_are_in_order_and_named_alike() {
        let known = known();
        assert!(known.is_sorted());
        for name in &known {
            assert!(may_be_newer(name, &[]), "{name}");
        }
    }
}

//! The database: the only module of `src/` that names sea-orm. One file a topic; every finder takes the owning account.
//!
//! Statements are built here or by sea-orm's entities; every query and every write passes through `Store::counted`; rows
//! become domain values in `decode`.

mod accounts;
mod api_keys;
mod connections;
mod decode;
mod entities;
mod error;
mod pool;
mod repairs;
mod samples;
mod statement;
mod trail;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, DbErr, QueryResult, Statement, Value};
use tracing::Instrument;

use crate::telemetry;

pub use api_keys::{KeyHolder, KeyInfo, NewKey};
pub use error::StoreError;
pub use migration::SchemaState;
pub use pool::PoolSize;
pub use repairs::Inserted;

/// How long a call may take, waiting for a connection included. A database that has gone silent must not hold requests.
const CALL_DEADLINE: Duration = Duration::from_millis(2_800);

/// A database. Cheap to clone.
#[derive(Clone)]
pub struct Store {
    database: DatabaseConnection,
    statements: Arc<AtomicU64>,
}

/// Without the pool's insides, which hold the URL and its password.
impl std::fmt::Debug for Store {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Store")
    }
}

type Result<T> = std::result::Result<T, StoreError>;

impl Store {
    /// Whether the database answers.
    ///
    /// # Errors
    /// It does not.
    pub async fn ping(&self) -> Result<()> {
        within_deadline(self.database.ping()).await
    }

    /// How the schema stands to this program's.
    ///
    /// # Errors
    /// The database's.
    pub async fn schema_state(&self) -> Result<SchemaState> {
        within_deadline(migration::schema_state(&self.database)).await
    }

    /// Applies what is pending, all or nothing, and gives the names. Takes as long as it takes.
    ///
    /// # Errors
    /// The database's.
    pub async fn migrate(&self) -> Result<Vec<String>> {
        Ok(migration::migrate(&self.database).await?)
    }

    /// How many statements were run so far.
    #[must_use]
    pub fn statements(&self) -> u64 {
        self.statements.load(Ordering::Relaxed)
    }

    fn backend(&self) -> DbBackend {
        self.database.get_database_backend()
    }

    /// Runs a read of one text for both databases; `$1`, `$2`… are its values.
    async fn read(&self, sql: &str, values: impl IntoIterator<Item = Value>) -> Result<Vec<QueryResult>> {
        let statement = Statement::from_sql_and_values(self.backend(), sql, values);
        within_deadline(self.counted(self.database.query_all_raw(statement))).await
    }

    /// Runs a single write, and gives how many rows it touched.
    async fn write(&self, statement: Statement) -> Result<u64> {
        Ok(within_deadline(self.counted(self.database.execute_raw(statement))).await?.rows_affected())
    }

    /// Counts and times one statement: every query and every write passes here.
    async fn counted<T>(
        &self,
        run: impl Future<Output = std::result::Result<T, DbErr>>,
    ) -> std::result::Result<T, DbErr> {
        self.statements.fetch_add(1, Ordering::Relaxed);
        telemetry::statements::note();
        let span = tracing::debug_span!(target: telemetry::traces::TARGET, "statement", otel.kind = "client");
        let start = Instant::now();
        let result = run.instrument(span).await;
        metrics::histogram!("db_statement_duration_seconds").record(start.elapsed());
        result
    }
}

async fn within_deadline<T>(run: impl Future<Output = std::result::Result<T, DbErr>>) -> Result<T> {
    match tokio::time::timeout(CALL_DEADLINE, run).await {
        Ok(result) => Ok(result?),
        Err(_elapsed) => Err(StoreError::out_of_time()),
    }
}

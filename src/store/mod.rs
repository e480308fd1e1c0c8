//! The database: the only module of `src/` that names sea-orm. One file a topic; every finder takes the owning account.
//!
//! Statements are built here or by sea-orm's entities; every call passes through `work`, which limits its time and tries again
//! what may pass the next time; rows become domain values in `decode`.

mod accounts;
mod api_keys;
mod connections;
mod decode;
mod entities;
mod error;
mod pool;
mod postgres_url;
mod repairs;
mod samples;
mod session;
mod sqlite_file;
mod statement;
mod trail;
mod work;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use sea_orm::{DbBackend, QueryResult, Statement, Value};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Semaphore;

pub use api_keys::{KeyHolder, KeyInfo, NewKey};
pub use error::StoreError;
pub use migration::{SchemaState, foreign as foreign_migrations, schema_state};
pub use pool::PoolSize;
pub use repairs::Inserted;

use pool::Pool;
use work::{Read, Write};

/// A database. Cheap to clone.
#[derive(Clone)]
pub struct Store {
    pool: Pool,
    /// How many writes may be under way. Each may wait for somebody else's lock with a connection in its hand, and some
    /// connections must be left to reads.
    writes: Arc<Semaphore>,
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
    /// Opens `sqlite://…` or `postgres://…`. Migrates nothing.
    ///
    /// # Errors
    /// The database cannot be reached or opened.
    pub async fn connect(url: &SecretString, max_connections: u32) -> Result<Self> {
        let pool = Pool::connect(url.expose_secret(), max_connections).await?;
        let writes = usize::try_from(max_connections / 2).unwrap_or(usize::MAX).clamp(1, Semaphore::MAX_PERMITS);
        Ok(Self { pool, writes: Arc::new(Semaphore::new(writes)), statements: Arc::default() })
    }

    /// Closes all connections.
    pub async fn close(&self) {
        self.pool.close().await;
    }

    /// How the pool stands.
    #[must_use]
    pub fn pool_size(&self) -> PoolSize {
        self.pool.size()
    }

    /// Whether the database answers.
    ///
    /// # Errors
    /// It does not.
    pub async fn ping(&self) -> Result<()> {
        self.read("SELECT 1", []).await.map(|_| ())
    }

    /// How the schema stands to this program's.
    ///
    /// # Errors
    /// The database's.
    pub async fn schema_state(&self) -> Result<SchemaState> {
        Ok(migration::schema_state(&self.applied_migrations().await?))
    }

    /// The names in the table of migrations, those of other programs that use the same table among them.
    ///
    /// # Errors
    /// The database's.
    pub async fn applied_migrations(&self) -> Result<Vec<String>> {
        let mut applied = Vec::new();
        if !self.read(migration::is_any_applied(self.backend()), []).await?.is_empty() {
            for row in self.read(migration::APPLIED, []).await? {
                applied.push(row.try_get_by_index(0)?);
            }
        }
        Ok(applied)
    }

    /// Applies what is pending, all or nothing, and gives the names. Takes as long as it takes.
    ///
    /// # Errors
    /// The database's.
    pub async fn migrate(&self) -> Result<Vec<String>> {
        Ok(migration::migrate(&self.pool.for_migrations().await?).await?)
    }

    /// How many statements were run so far.
    #[must_use]
    pub fn statements(&self) -> u64 {
        self.statements.load(Ordering::Relaxed)
    }

    fn backend(&self) -> DbBackend {
        self.pool.backend()
    }

    /// Runs a read of one text for both databases; `$1`, `$2`… are its values.
    async fn read(&self, sql: &str, values: impl IntoIterator<Item = Value>) -> Result<Vec<QueryResult>> {
        self.done(Read(&Statement::from_sql_and_values(self.backend(), sql, values))).await
    }

    /// Runs writes in one transaction, or none of them, and gives how many rows the first touched. If it touched none, the
    /// others are not run.
    async fn write(&self, statements: &[Statement]) -> Result<u64> {
        self.done(Write(statements)).await
    }
}

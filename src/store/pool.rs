//! Opening a database, with every setting of the pool chosen on purpose.

use std::sync::Arc;
use std::time::Duration;

use sea_orm::sqlx::sqlite::{SqliteJournalMode, SqliteSynchronous};
use sea_orm::{ConnectOptions, Database, DbBackend};
use secrecy::{ExposeSecret, SecretString};

use super::{Result, Store};

/// Waiting for a connection of the pool ends after this, with 503.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(2);
/// How long SQLite waits for another writer.
const BUSY_TIMEOUT: Duration = Duration::from_secs(2);
/// A connection that was idle for longer is tried before it is used: the database may have been restarted.
const TRUSTED_IDLE: Duration = Duration::from_secs(5);

/// The pool's connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PoolSize {
    /// Open and free.
    pub idle: u32,
    /// Open and at work.
    pub in_use: u32,
}

impl Store {
    /// Opens `sqlite://…` or `postgres://…`. Migrates nothing.
    ///
    /// # Errors
    /// The database cannot be reached or opened.
    pub async fn connect(url: &SecretString, max_connections: u32) -> Result<Self> {
        let url = url.expose_secret();
        // Each connection to a database in memory would have one of its own.
        let in_memory = url.contains(":memory:") || url.contains("mode=memory");
        let mut options = ConnectOptions::new(url);
        options
            .max_connections(if in_memory { 1 } else { max_connections })
            .min_connections(u32::from(in_memory))
            .acquire_timeout(ACQUIRE_TIMEOUT)
            .connect_timeout(ACQUIRE_TIMEOUT)
            .test_before_acquire(false)
            .test_before_acquire_if_idle_for(TRUSTED_IDLE)
            .sqlx_logging(false)
            .map_sqlx_sqlite_opts(|options| {
                options
                    .journal_mode(SqliteJournalMode::Wal)
                    .synchronous(SqliteSynchronous::Normal)
                    .busy_timeout(BUSY_TIMEOUT)
                    .foreign_keys(true)
            });
        if in_memory {
            options.idle_timeout(None::<Duration>).max_lifetime(None::<Duration>);
        }
        let database = Database::connect(options).await?;
        Ok(Self { database, statements: Arc::default() })
    }

    /// Closes all connections.
    pub async fn close(&self) {
        // Nothing can be done about a connection that will not close.
        let _ = self.database.clone().close().await;
    }

    /// How the pool stands.
    #[must_use]
    pub fn pool_size(&self) -> PoolSize {
        let (size, idle) = if self.backend() == DbBackend::Postgres {
            let pool = self.database.get_postgres_connection_pool();
            (pool.size(), pool.num_idle())
        } else {
            let pool = self.database.get_sqlite_connection_pool();
            (pool.size(), pool.num_idle())
        };
        let idle = u32::try_from(idle).unwrap_or(u32::MAX);
        PoolSize { idle, in_use: size.saturating_sub(idle) }
    }
}

//! The pool of connections to either database, with every setting chosen on purpose.

use std::io;
use std::str::FromStr;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use sea_orm::sqlx::pool::{Pool as SqlxPool, PoolConnection, PoolConnectionMetadata, PoolOptions};
use sea_orm::sqlx::postgres::PgPool;
use sea_orm::sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sea_orm::sqlx::{ConnectOptions, Connection, Database, Executor, Postgres, Sqlite};
use sea_orm::{DatabaseConnection, DbBackend, DbErr, RuntimeErr, SqlxError};
use tokio::sync::Mutex;
use tokio::time::timeout;

use super::postgres_url::PostgresUrl;
use super::sqlite_file::{OpenFile, SqliteFile};
use crate::telemetry::chain;

/// Waiting for a connection of the pool ends after this, with 503.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(2);
/// How long SQLite waits for another writer. Shorter than a request waits, so that it is SQLite that gives up.
const BUSY_TIMEOUT: Duration = Duration::from_secs(2);
/// Limits for a statement that nobody waits for any more, or a transaction whose client has vanished without a word.
/// Otherwise their number, and that of their locks, would know no bounds.
///
/// A database of the encoding `SQL_ASCII` stores any bytes, and its server fails a statement whose rows are not in the
/// client's encoding. So the client has none there either, and `decode` replaces bytes that are not UTF-8. From all
/// other databases the server sends UTF-8.
const SESSION_SETUP: &str = "SET statement_timeout = '2200ms'; SET idle_in_transaction_session_timeout = '5s'; \
                             SELECT set_config('client_encoding', 'SQL_ASCII', false) \
                             WHERE current_setting('server_encoding') = 'SQL_ASCII'";
/// A connection that was idle for longer is tried before it is used: what is between may have forgotten it.
const TRUSTED_IDLE: Duration = Duration::from_secs(5);
/// A connection that is older is closed when it comes back, and another is opened: its name may lead elsewhere by now, and
/// what PostgreSQL keeps for a session only grows.
const MAX_CONNECTION_LIFETIME: Duration = Duration::from_mins(5);
/// How long a connection may take to show that it works. One that does not is closed, and another opened.
const LONGEST_TRIAL: Duration = Duration::from_millis(500);
/// Minimum time between two log lines about the reason that there is no connection.
const EXPLANATION_INTERVAL: Duration = Duration::from_secs(1);

/// The pool's connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PoolSize {
    /// Open and free.
    pub idle: u32,
    /// Open and at work.
    pub in_use: u32,
}

/// Either pool. Cheap to clone.
#[derive(Clone)]
pub(super) struct Pool {
    connections: Connections,
    last_loss: LastLoss,
    /// Held by the task that finds out why there is no connection.
    explanation: Arc<Mutex<()>>,
}

#[derive(Clone)]
enum Connections {
    Postgres(PgPool, Arc<PostgresUrl>),
    Sqlite(SqliteFile),
}

/// A connection taken out of the pool.
pub(super) enum Pooled {
    Postgres(PoolConnection<Postgres>),
    /// And the file that it is open on.
    Sqlite(PoolConnection<Sqlite>, Arc<OpenFile>),
}

/// When a connection was last found dead. What was idle then may be dead as well.
#[derive(Clone, Default)]
struct LastLoss(Arc<std::sync::Mutex<Option<Instant>>>);

impl LastLoss {
    fn note(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }

    fn makes_suspect(&self, idle_since: Instant) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).is_some_and(|lost_at| idle_since <= lost_at)
    }
}

impl Pool {
    pub(super) async fn connect(url: &str, max_connections: u32) -> Result<Self, DbErr> {
        let last_loss = LastLoss::default();
        let connections = if url.starts_with("postgres") {
            let url = PostgresUrl::parse(url).map_err(connection_error)?;
            let pool = options_of_pool::<Postgres>(&last_loss).max_connections(max_connections).after_connect(
                |connection, _| Box::pin(async move { connection.execute(SESSION_SETUP).await.map(|_| ()) }),
            );
            let pool = opened(pool, url.options.clone()).await.map_err(connection_error)?;
            Connections::Postgres(pool, Arc::new(url))
        } else {
            let options = SqliteConnectOptions::from_str(url)
                .map_err(connection_error)?
                .disable_statement_logging()
                .journal_mode(SqliteJournalMode::Wal)
                .synchronous(SqliteSynchronous::Normal)
                .busy_timeout(BUSY_TIMEOUT)
                .foreign_keys(true);
            // A connection to a file does not age.
            let pool = options_of_pool::<Sqlite>(&last_loss).max_connections(max_connections);
            let pool = pool.idle_timeout(None).max_lifetime(None);
            Connections::Sqlite(SqliteFile::open(options, pool).await?)
        };
        Ok(Self { connections, last_loss, explanation: Arc::default() })
    }

    /// A connection, opened if none is free.
    pub(super) async fn acquire(&self) -> Result<Pooled, DbErr> {
        match &self.connections {
            Connections::Postgres(pool, url) => match pool.acquire().await {
                Ok(connection) => Ok(Pooled::Postgres(connection)),
                Err(error) => {
                    self.explain(&error, pool, url);
                    // sqlx would not name the file.
                    Err(url.check_files().err().map_or_else(|| connection_error(error), connection_problem))
                }
            },
            Connections::Sqlite(file) => {
                let (connection, file) = file.acquire().await?;
                Ok(Pooled::Sqlite(connection, file))
            }
        }
    }

    /// When the pool had room and opened no connection in time, sqlx does not say why. A task then connects once without the
    /// pool, at most once per second, and logs the reason.
    fn explain(&self, error: &SqlxError, pool: &PgPool, url: &Arc<PostgresUrl>) {
        let has_room = pool.size() < pool.options().get_max_connections();
        if !(matches!(error, SqlxError::PoolTimedOut) && has_room) {
            return;
        }
        let Ok(turn) = Arc::clone(&self.explanation).try_lock_owned() else { return };
        let url = Arc::clone(url);
        tokio::spawn(async move {
            if let Ok(Err(error)) = timeout(LONGEST_TRIAL, url.options.connect()).await {
                tracing::warn!(error = chain(&error), "cannot connect to the database");
            }
            tokio::time::sleep(EXPLANATION_INTERVAL).await;
            drop(turn);
        });
    }

    /// A connection was found dead: from now on those that were idle meanwhile are tried before they are used.
    pub(super) fn note_loss(&self) {
        self.last_loss.note();
    }

    pub(super) async fn close(&self) {
        match &self.connections {
            Connections::Postgres(pool, _) => pool.close().await,
            Connections::Sqlite(file) => file.close().await,
        }
    }

    pub(super) fn size(&self) -> PoolSize {
        let (size, idle) = match &self.connections {
            Connections::Postgres(pool, _) => (pool.size(), pool.num_idle()),
            Connections::Sqlite(file) => file.current().map_or((0, 0), |file| (file.pool.size(), file.pool.num_idle())),
        };
        let idle = u32::try_from(idle).unwrap_or(u32::MAX);
        PoolSize { idle, in_use: size.saturating_sub(idle) }
    }

    pub(super) fn backend(&self) -> DbBackend {
        match &self.connections {
            Connections::Postgres(..) => DbBackend::Postgres,
            Connections::Sqlite(_) => DbBackend::Sqlite,
        }
    }

    /// The same pool as sea-orm's migrator wants it.
    pub(super) async fn for_migrations(&self) -> Result<DatabaseConnection, DbErr> {
        Ok(match &self.connections {
            Connections::Postgres(pool, _) => pool.clone().into(),
            Connections::Sqlite(file) => file.file().await?.pool.clone().into(),
        })
    }
}

fn connection_problem(problem: String) -> DbErr {
    DbErr::Conn(RuntimeErr::Internal(problem))
}

fn connection_error(error: SqlxError) -> DbErr {
    DbErr::Conn(RuntimeErr::SqlxError(error.into()))
}

/// Opens the pool's first connection. When the pool gives up it only says that its time was over; why that was is learnt
/// by one more try without it.
async fn opened<DB: Database>(
    pool: PoolOptions<DB>,
    options: <DB::Connection as Connection>::Options,
) -> Result<SqlxPool<DB>, SqlxError> {
    match pool.connect_with(options.clone()).await {
        Err(SqlxError::PoolTimedOut) => match timeout(LONGEST_TRIAL, options.connect()).await {
            Ok(Err(reason)) => Err(reason),
            Ok(Ok(_)) => Err(SqlxError::PoolTimedOut),
            Err(_elapsed) => Err(SqlxError::Io(io::Error::new(io::ErrorKind::TimedOut, "no answer in time"))),
        },
        opened => opened,
    }
}

fn options_of_pool<DB: Database>(last_loss: &LastLoss) -> PoolOptions<DB> {
    let last_loss = last_loss.clone();
    let options = PoolOptions::new().acquire_timeout(ACQUIRE_TIMEOUT).max_lifetime(MAX_CONNECTION_LIFETIME);
    options.test_before_acquire(false).before_acquire(move |connection, meta| {
        let is_trusted = is_trusted(&meta, &last_loss);
        Box::pin(async move { Ok(is_trusted || works(connection).await) })
    })
}

fn is_trusted(meta: &PoolConnectionMetadata, last_loss: &LastLoss) -> bool {
    let idle_since = Instant::now().checked_sub(meta.idle_for);
    meta.idle_for < TRUSTED_IDLE && idle_since.is_some_and(|idle_since| !last_loss.makes_suspect(idle_since))
}

async fn works<C: Connection>(connection: &mut C) -> bool {
    matches!(timeout(LONGEST_TRIAL, connection.ping()).await, Ok(Ok(())))
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicU64;

    use sea_orm::Statement;

    use super::super::session::Session;
    use super::*;

    async fn file(folder: &tempfile::TempDir, lifetime: Option<Duration>) -> Pool {
        let options = SqliteConnectOptions::new().filename(folder.path().join("lc.db")).create_if_missing(true);
        let mut pool = options_of_pool::<Sqlite>(&LastLoss::default());
        assert_eq!(pool.get_max_lifetime(), Some(MAX_CONNECTION_LIFETIME));
        if let Some(lifetime) = lifetime {
            pool = pool.max_lifetime(lifetime);
        }
        let connections = Connections::Sqlite(SqliteFile::open(options, pool).await.unwrap());
        Pool { connections, last_loss: LastLoss::default(), explanation: Arc::default() }
    }

    #[tokio::test]
    async fn connection_past_its_lifetime_is_closed_on_return() {
        let folder = tempfile::tempdir().unwrap();
        let one = Statement::from_string(DbBackend::Sqlite, "SELECT 1");
        for (lifetime, idle) in [(Some(Duration::ZERO), 0), (None, 1)] {
            let pool = file(&folder, lifetime).await;
            let deadline = Instant::now() + Duration::from_mins(1);
            let session = Session::begin(&pool, deadline, Arc::new(AtomicU64::new(0)));
            let mut session = session.await.unwrap();
            assert_eq!(session.rows(&one).await.unwrap().len(), 1);
            drop(session);
            while pool.size() != (PoolSize { idle, in_use: 0 }) {
                assert!(Instant::now() < deadline, "{:?} instead of {idle} idle", pool.size());
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            pool.close().await;
        }
    }
}

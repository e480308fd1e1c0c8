//! The file behind an SQLite pool, and whether it is still the one at its path.
//!
//! SQLite goes on reading and writing a file that was deleted, moved away or replaced, and what is written to it is
//! lost. So each use looks first. A file that is gone is waited for. One that was replaced is opened anew: what the old one has in
//! its write-ahead log goes to the old one, and never to the new one.
//! <https://www.sqlite.org/howtocorrupt.html> (1.3, 1.4) has the rules that other programs should keep, and do not.

use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use sea_orm::sqlx::pool::{PoolConnection, PoolOptions};
use sea_orm::sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqlitePool};
use sea_orm::sqlx::{ConnectOptions, Connection, Row, Sqlite, query, query_scalar};
use sea_orm::{DbBackend, DbErr, RuntimeErr, SqlxError};
use tokio::sync::Mutex;
use tokio::time::timeout;

/// How long the connections to a file that was replaced may take to come back. Each ends its statement first.
const LONGEST_RETIREMENT: Duration = Duration::from_secs(3);

/// The pool over whichever file is at the path. Clones are one.
#[derive(Clone)]
pub(super) struct SqliteFile(Arc<Inner>);

struct Inner {
    options: SqliteConnectOptions,
    pool: PoolOptions<Sqlite>,
    /// `None`: between two files.
    current: RwLock<Option<Arc<OpenFile>>>,
    /// Held by the one who opens the file anew; the file that is not closed yet.
    retired: Mutex<Option<Arc<OpenFile>>>,
    is_missed: AtomicBool,
    is_closed: AtomicBool,
}

/// A file while it is open.
pub(super) struct OpenFile {
    pub(super) pool: SqlitePool,
    /// Runs no request. While it is open, SQLite keeps the files beside the database, and they can be told by their identity.
    anchor: Mutex<Option<SqliteConnection>>,
    /// `None`: in memory.
    files: Option<Files>,
    /// Whether its schema is this program's. At the start, the commands look themselves.
    is_schema_current: AtomicBool,
}

struct Files {
    database: Watched,
    wal: Option<Watched>,
    shm: Option<Watched>,
}

struct Watched {
    path: PathBuf,
    identity: Identity,
}

/// Two files have the same only while none of them is open.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Identity {
    device: u64,
    inode: u64,
}

/// How an open file stands to its path.
enum Standing {
    Intact,
    /// There is none at the path, or it cannot be seen.
    Missing(io::Error),
    /// Another file is there, or one beside it is not what it was.
    Changed,
}

/// Why the file cannot be used.
#[derive(Debug, thiserror::Error)]
enum FileProblem {
    #[error("the database file {} is gone: {reason}", path.display())]
    Missing { path: PathBuf, reason: io::Error },
    #[error("the database file {} was replaced, and the one before is still in use", .0.display())]
    InUse(PathBuf),
    #[error("the database file {} was replaced, and {file} of the one before cannot be removed: {reason}", path.display())]
    Stale { path: PathBuf, file: String, reason: io::Error },
    #[error("the database file {} is replaced again and again", .0.display())]
    Restless(PathBuf),
    #[error("the database file was replaced by one whose schema is not current: run `lc-connections migrate`")]
    SchemaNotCurrent,
}

impl From<FileProblem> for DbErr {
    fn from(problem: FileProblem) -> Self {
        Self::Conn(RuntimeErr::Internal(problem.to_string()))
    }
}

fn failed(error: SqlxError) -> DbErr {
    DbErr::Conn(RuntimeErr::SqlxError(error.into()))
}

impl SqliteFile {
    /// Opens the file, which is made if it is missing and the options say so: at the start alone.
    pub(super) async fn open(options: SqliteConnectOptions, pool: PoolOptions<Sqlite>) -> Result<Self, DbErr> {
        let open = OpenFile::open(&options, &pool).await?;
        open.is_schema_current.store(true, Ordering::Relaxed);
        let inner = Inner {
            options: options.create_if_missing(false),
            pool,
            current: RwLock::new(Some(Arc::new(open))),
            retired: Mutex::default(),
            is_missed: AtomicBool::new(false),
            is_closed: AtomicBool::new(false),
        };
        Ok(Self(Arc::new(inner)))
    }

    /// A connection to the file at the path, and the file that it was then.
    pub(super) async fn acquire(
        &self,
        is_any_schema_welcome: bool,
    ) -> Result<(PoolConnection<Sqlite>, Arc<OpenFile>), DbErr> {
        let file = self.file().await?;
        let mut connection = file.pool.acquire().await.map_err(failed)?;
        if !is_any_schema_welcome {
            file.check_schema(&mut connection).await?;
        }
        Ok((connection, file))
    }

    /// The file at the path, opened anew if it is another one than before.
    pub(super) async fn file(&self) -> Result<Arc<OpenFile>, DbErr> {
        if self.0.is_closed.load(Ordering::Relaxed) {
            return Err(failed(SqlxError::PoolClosed));
        }
        if let Some(file) = self.current() {
            match file.standing() {
                Standing::Intact => {
                    self.note_back();
                    return Ok(file);
                }
                Standing::Missing(reason) => return Err(self.missing(reason).into()),
                Standing::Changed => {}
            }
        }
        // In a task, since a request that is given up half-way would leave two files open.
        let this = self.clone();
        let reopened = tokio::spawn(async move { this.reopen().await }).await;
        reopened.map_err(|error| DbErr::Conn(RuntimeErr::Internal(error.to_string())))?
    }

    /// The open file as it stands, whatever is at the path.
    pub(super) fn current(&self) -> Option<Arc<OpenFile>> {
        self.0.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// For good: the files beside the database go with the last connection, and would seem replaced.
    pub(super) async fn close(&self) {
        self.0.is_closed.store(true, Ordering::Relaxed);
        if let Some(file) = self.current() {
            file.pool.close().await;
            file.close_anchor().await;
        }
    }

    async fn reopen(&self) -> Result<Arc<OpenFile>, DbErr> {
        let mut retired = self.0.retired.lock().await;
        if let Some(file) = self.current() {
            match file.standing() {
                // Another was faster.
                Standing::Intact => return Ok(file),
                Standing::Missing(reason) => return Err(self.missing(reason).into()),
                Standing::Changed => {}
            }
            self.set_current(None);
            *retired = Some(file);
        }
        if let Some(file) = retired.as_deref() {
            file.retire().await?;
            *retired = None;
        }
        let path = self.0.options.get_filename();
        if let Err(reason) = identity(path) {
            return Err(self.missing(reason).into());
        }
        let file = Arc::new(OpenFile::open(&self.0.options, &self.0.pool).await?);
        self.set_current(Some(Arc::clone(&file)));
        self.note_back();
        tracing::warn!(path = %path.display(), "the database file, or one beside it, was replaced: opened again");
        Ok(file)
    }

    fn set_current(&self, file: Option<Arc<OpenFile>>) {
        *self.0.current.write().unwrap_or_else(PoisonError::into_inner) = file;
    }

    fn missing(&self, reason: io::Error) -> FileProblem {
        let path = self.0.options.get_filename().to_owned();
        if !self.0.is_missed.swap(true, Ordering::Relaxed) {
            tracing::error!(path = %path.display(), %reason, "the database file is gone: nothing is served until it is back");
        }
        FileProblem::Missing { path, reason }
    }

    fn note_back(&self) {
        if self.0.is_missed.load(Ordering::Relaxed) && self.0.is_missed.swap(false, Ordering::Relaxed) {
            tracing::info!("the database file is back");
        }
    }
}

impl OpenFile {
    async fn open(options: &SqliteConnectOptions, pool: &PoolOptions<Sqlite>) -> Result<Self, DbErr> {
        // Replaced while it is opened, it would be taken for the one that it was replaced by.
        for _ in 0..3 {
            let before = identity(options.get_filename()).ok();
            let mut anchor = options.connect().await.map_err(failed)?;
            let files = Files::of(&mut anchor, options.get_filename()).await?;
            let is_same =
                files.as_ref().is_none_or(|files| before.is_none_or(|before| before == files.database.identity));
            if is_same {
                let pool = match files {
                    Some(_) => pool.clone(),
                    // In memory, and gone with its last connection.
                    None => pool.clone().max_connections(1).min_connections(1).idle_timeout(None).max_lifetime(None),
                };
                let pool = pool.connect_lazy_with(options.clone().create_if_missing(false));
                let anchor = Mutex::new(Some(anchor));
                return Ok(Self { pool, anchor, files, is_schema_current: AtomicBool::new(false) });
            }
            anchor.close().await.map_err(failed)?;
        }
        Err(FileProblem::Restless(options.get_filename().to_owned()).into())
    }

    fn standing(&self) -> Standing {
        let Some(Files { database, wal, shm }) = &self.files else { return Standing::Intact };
        match identity(&database.path) {
            Err(reason) => Standing::Missing(reason),
            Ok(found) if found != database.identity => Standing::Changed,
            Ok(_) if [wal, shm].into_iter().flatten().all(Watched::is_there) => Standing::Intact,
            Ok(_) => Standing::Changed,
        }
    }

    /// For a transaction: what is written to a file that is at its path no more would be lost.
    pub(super) fn is_intact(&self) -> bool {
        matches!(self.standing(), Standing::Intact)
    }

    async fn check_schema(&self, connection: &mut SqliteConnection) -> Result<(), DbErr> {
        if self.is_schema_current.load(Ordering::Relaxed) {
            return Ok(());
        }
        let is_any_applied = query(migration::is_any_applied(DbBackend::Sqlite));
        let mut applied = Vec::new();
        if is_any_applied.fetch_optional(&mut *connection).await.map_err(failed)?.is_some() {
            applied = query_scalar(migration::APPLIED).fetch_all(connection).await.map_err(failed)?;
        }
        if migration::schema_state(&applied) != migration::SchemaState::Current {
            return Err(FileProblem::SchemaNotCurrent.into());
        }
        self.is_schema_current.store(true, Ordering::Relaxed);
        Ok(())
    }

    /// Closes all its connections. What is in its write-ahead log goes to this file before, wherever it is now, and the log is
    /// removed from beside the file that is at the path now.
    async fn retire(&self) -> Result<(), DbErr> {
        let Some(Files { database, wal, shm }) = &self.files else { return Ok(()) };
        let in_use = || DbErr::from(FileProblem::InUse(database.path.clone()));
        timeout(LONGEST_RETIREMENT, self.pool.close()).await.map_err(|_elapsed| in_use())?;
        if let Some(anchor) = &mut *self.anchor.lock().await {
            match query("PRAGMA wal_checkpoint(FULL)").fetch_one(anchor).await {
                Ok(row) => {
                    let number = |index| row.try_get::<i64, _>(index).map_err(failed);
                    let (busy, frames, written) = (number(0)?, number(1)?, number(2)?);
                    if busy != 0 || frames != written {
                        return Err(in_use());
                    }
                }
                // Nothing was written through it either.
                Err(error) if is_read_only(&error) => {}
                Err(error) => return Err(failed(error)),
            }
        }
        self.close_anchor().await;
        let is_replaced = !database.is_there();
        for stale in [wal, shm].into_iter().flatten().filter(|file| is_replaced && file.is_there()) {
            std::fs::remove_file(&stale.path).map_err(|reason| FileProblem::Stale {
                path: database.path.clone(),
                file: stale.path.display().to_string(),
                reason,
            })?;
        }
        Ok(())
    }

    async fn close_anchor(&self) {
        if let Some(anchor) = self.anchor.lock().await.take() {
            // It was used for nothing that could be lost.
            let _ = anchor.close().await;
        }
    }
}

impl Files {
    /// Those that the connection has open. `named` is the path as it was given, which may be a link to the file.
    async fn of(connection: &mut SqliteConnection, named: &Path) -> Result<Option<Self>, DbErr> {
        // SQLite opens the files beside the database when it first reads.
        query("SELECT 1 FROM sqlite_schema LIMIT 1").fetch_optional(&mut *connection).await.map_err(failed)?;
        let list = query("PRAGMA database_list").fetch_one(connection).await.map_err(failed)?;
        let real: String = list.try_get(2).map_err(failed)?;
        if real.is_empty() {
            return Ok(None);
        }
        let beside = |ending: &str| Watched::at(format!("{real}{ending}").into()).ok();
        let (wal, shm) = (beside("-wal"), beside("-shm"));
        let database = Watched::at(named.to_owned()).or_else(|_| Watched::at(real.into()));
        let database = database.map_err(|error| failed(error.into()))?;
        Ok(Some(Self { database, wal, shm }))
    }
}

impl Watched {
    fn at(path: PathBuf) -> io::Result<Self> {
        let identity = identity(&path)?;
        Ok(Self { path, identity })
    }

    fn is_there(&self) -> bool {
        identity(&self.path).is_ok_and(|found| found == self.identity)
    }
}

fn is_read_only(error: &SqlxError) -> bool {
    error.as_database_error().and_then(|error| error.code()?.parse::<u32>().ok()).is_some_and(|code| code & 0xff == 8)
}

fn identity(path: &Path) -> io::Result<Identity> {
    // Never by opening it: closing it again would take away the locks that SQLite holds.
    let metadata = std::fs::metadata(path)?;
    Ok(Identity { device: metadata.dev(), inode: metadata.ino() })
}

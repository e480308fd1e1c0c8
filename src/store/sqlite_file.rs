//! The file behind an SQLite pool, and whether it is still the one at its path.
//!
//! SQLite keeps reading and writing a file that was deleted, moved away or replaced, so that later writes are lost. Each use
//! therefore compares the open file with the path. A missing file is an error until it is back. A replaced file is
//! reopened; first the write-ahead log of the old file is written to the old file, and removed from beside the new one.

mod identity;

use std::fs::{File, TryLockError};
use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use futures_util::future::try_join_all;
use sea_orm::sqlx::pool::{PoolConnection, PoolOptions};
use sea_orm::sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqlitePool};
use sea_orm::sqlx::{ConnectOptions, Connection, Row, Sqlite, query, query_scalar};
use sea_orm::{DbBackend, DbErr, RuntimeErr, SqlxError};
use tokio::sync::Mutex;
use tokio::time::{sleep, timeout};

use crate::telemetry::chain;
use identity::{FileState, Files, Identity, identity};

/// Limit for the return of the connections to a replaced file. Each ends its statement first.
const RETIREMENT_TIMEOUT: Duration = Duration::from_secs(3);
/// Pause between two attempts to lock the folder.
const LOCK_INTERVAL: Duration = Duration::from_millis(5);

/// The pool over whichever file is at the path. Clones are one.
#[derive(Clone)]
pub(super) struct SqliteFile(Arc<Inner>);

struct Inner {
    options: SqliteConnectOptions,
    path: PathBuf,
    pool: PoolOptions<Sqlite>,
    /// `None`: between two files.
    current: RwLock<Option<Arc<OpenFile>>>,
    /// Held while the file is reopened; holds the old file until it is closed.
    retired: Mutex<Option<Arc<OpenFile>>>,
    is_missing_logged: AtomicBool,
    is_closed: AtomicBool,
}

/// A file while it is open.
pub(super) struct OpenFile {
    pub(super) pool: SqlitePool,
    /// Runs no request. While it is open, SQLite does not delete the WAL and the shared memory, so that their identities
    /// stay the same.
    anchor: Mutex<Option<SqliteConnection>>,
    /// `None`: in memory.
    files: Option<Files>,
}

/// The reason that the file cannot be used.
#[derive(Debug, thiserror::Error)]
enum FileProblem {
    #[error("the database file {} is missing: {reason}", path.display())]
    Missing { path: PathBuf, reason: io::Error },
    #[error("the database file {} was replaced, and the one before is still in use", .0.display())]
    InUse(PathBuf),
    #[error("the database file {} was replaced, and {file} of the one before cannot be removed: {reason}", path.display())]
    Stale { path: PathBuf, file: String, reason: io::Error },
    #[error("the database file {} is replaced again and again", .0.display())]
    Unstable(PathBuf),
    #[error("the database file {} was replaced by one whose schema is not current: run `lc-connections migrate`", .0.display())]
    SchemaNotCurrent(PathBuf),
}

impl From<FileProblem> for DbErr {
    fn from(problem: FileProblem) -> Self {
        match problem {
            FileProblem::SchemaNotCurrent(_) => Self::Migration(problem.to_string()),
            problem => Self::Conn(RuntimeErr::Internal(problem.to_string())),
        }
    }
}

fn failed(error: SqlxError) -> DbErr {
    DbErr::Conn(RuntimeErr::SqlxError(error.into()))
}

impl SqliteFile {
    /// Opens the file at the start. Only here a missing file is created, if the options say so, and only here the caller
    /// checks the schema.
    pub(super) async fn open(options: SqliteConnectOptions, pool: PoolOptions<Sqlite>) -> Result<Self, DbErr> {
        let open = OpenFile::open(&options, &pool).await?;
        let path = open.files.as_ref().map(|files| files.database.path.clone()).unwrap_or_default();
        let inner = Inner {
            options: options.create_if_missing(false),
            path,
            pool,
            current: RwLock::new(Some(Arc::new(open))),
            retired: Mutex::default(),
            is_missing_logged: AtomicBool::new(false),
            is_closed: AtomicBool::new(false),
        };
        Ok(Self(Arc::new(inner)))
    }

    /// Returns a connection to the file at the path, and that file.
    pub(super) async fn acquire(&self) -> Result<(PoolConnection<Sqlite>, Arc<OpenFile>), DbErr> {
        let file = self.file().await?;
        Ok((file.pool.acquire().await.map_err(failed)?, file))
    }

    /// Returns the file at the path, reopened if it was replaced.
    pub(super) async fn file(&self) -> Result<Arc<OpenFile>, DbErr> {
        if self.0.is_closed.load(Ordering::Relaxed) {
            return Err(failed(SqlxError::PoolClosed));
        }
        if let Some(file) = self.current() {
            match file.state() {
                FileState::Intact => {
                    self.log_recovery();
                    return Ok(file);
                }
                FileState::Missing(reason) => return Err(self.missing(reason).into()),
                FileState::Changed => {}
            }
        }
        // In a task, since a dropped request must not leave it half done.
        let this = self.clone();
        let reopened = tokio::spawn(async move { this.reopen().await }).await;
        reopened.map_err(|error| DbErr::Conn(RuntimeErr::Internal(error.to_string())))?
    }

    /// The open file, without a look at the path.
    pub(super) fn current(&self) -> Option<Arc<OpenFile>> {
        self.0.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// For good. SQLite deletes the WAL with the last connection, which must not look like a replaced file.
    pub(super) async fn close(&self) {
        self.0.is_closed.store(true, Ordering::Relaxed);
        let Some(file) = self.current() else { return };
        if file.is_intact() {
            file.close().await;
            return;
        }
        // The next program to open the file at the path would replay the WAL that is left.
        let closed = match file.lock_folder().await {
            Ok(_lock) => file.retire().await,
            Err(error) => Err(error),
        };
        if let Err(error) = closed {
            tracing::warn!(error = chain(&error), "the replaced database file was not closed in order");
        }
    }

    async fn reopen(&self) -> Result<Arc<OpenFile>, DbErr> {
        let mut retired = self.0.retired.lock().await;
        if let Some(file) = self.current() {
            match file.state() {
                // Another was faster.
                FileState::Intact => return Ok(file),
                FileState::Missing(reason) => return Err(self.missing(reason).into()),
                FileState::Changed => {}
            }
            self.set_current(None);
            *retired = Some(file);
        }
        let identity_before = retired.as_deref().and_then(OpenFile::identity);
        let _lock = match retired.as_deref() {
            Some(file) => {
                let lock = file.lock_folder().await?;
                file.retire().await?;
                lock
            }
            None => None,
        };
        *retired = None;
        let path = &self.0.path;
        // SQLite would write a header to an empty file, while another program may be about to fill it.
        if std::fs::metadata(path).map_err(|reason| self.missing(reason))?.len() == 0 {
            return Err(FileProblem::SchemaNotCurrent(path.clone()).into());
        }
        let file = Arc::new(OpenFile::open(&self.0.options, &self.0.pool).await?);
        // The same file was checked at the start, and a newer program may have migrated it since.
        let is_schema_known = identity_before.is_some() && identity_before == file.identity();
        // Otherwise it is closed again: SQLite would keep cached pages of a file that is still being copied.
        if let Err(error) = file.make_ready(is_schema_known).await {
            file.close().await;
            return Err(error);
        }
        self.set_current(Some(Arc::clone(&file)));
        self.log_recovery();
        tracing::warn!(path = %path.display(), "database file or its WAL was replaced: reopened");
        Ok(file)
    }

    fn set_current(&self, file: Option<Arc<OpenFile>>) {
        *self.0.current.write().unwrap_or_else(PoisonError::into_inner) = file;
    }

    fn missing(&self, reason: io::Error) -> FileProblem {
        let path = self.0.path.clone();
        if !self.0.is_missing_logged.swap(true, Ordering::Relaxed) {
            tracing::error!(path = %path.display(), %reason, "database file missing: requests are rejected until it is back");
        }
        FileProblem::Missing { path, reason }
    }

    fn log_recovery(&self) {
        if self.0.is_missing_logged.load(Ordering::Relaxed) && self.0.is_missing_logged.swap(false, Ordering::Relaxed) {
            tracing::info!("database file is back");
        }
    }
}

impl OpenFile {
    async fn open(options: &SqliteConnectOptions, pool: &PoolOptions<Sqlite>) -> Result<Self, DbErr> {
        // A file that is replaced meanwhile would get the identity of its successor.
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
                return Ok(Self { pool, anchor, files });
            }
            anchor.close().await.map_err(failed)?;
        }
        Err(FileProblem::Unstable(options.get_filename().to_owned()).into())
    }

    fn identity(&self) -> Option<Identity> {
        self.files.as_ref().map(|files| files.database.identity)
    }

    fn state(&self) -> FileState {
        self.files.as_ref().map_or(FileState::Intact, Files::state)
    }

    /// Whether a write to it reaches the file at the path.
    pub(super) fn is_intact(&self) -> bool {
        matches!(self.state(), FileState::Intact)
    }

    /// Checks the schema, and opens all connections: one that is opened later, just when the file is replaced, would combine
    /// the new file with the WAL of this one.
    async fn make_ready(&self, is_schema_known: bool) -> Result<(), DbErr> {
        let problem = |problem: fn(PathBuf) -> FileProblem| {
            let path = self.files.as_ref().map(|files| files.database.path.clone());
            Err(problem(path.unwrap_or_default()).into())
        };
        if !is_schema_known && !self.is_schema_current().await? {
            return problem(FileProblem::SchemaNotCurrent);
        }
        let all = (0..self.pool.options().get_max_connections()).map(|_| self.pool.acquire());
        try_join_all(all).await.map_err(failed)?;
        if self.is_intact() { Ok(()) } else { problem(FileProblem::Unstable) }
    }

    async fn is_schema_current(&self) -> Result<bool, DbErr> {
        let mut anchor = self.anchor.lock().await;
        let Some(anchor) = &mut *anchor else { return Ok(false) };
        let is_any_applied = query(migration::is_any_applied(DbBackend::Sqlite));
        if is_any_applied.fetch_optional(&mut *anchor).await.map_err(failed)?.is_none() {
            return Ok(false);
        }
        let applied: Vec<String> = query_scalar(migration::APPLIED).fetch_all(anchor).await.map_err(failed)?;
        Ok(migration::schema_state(&applied) == migration::SchemaState::Current)
    }

    async fn close(&self) {
        self.pool.close().await;
        self.close_anchor().await;
    }

    /// Closes all connections, after a checkpoint into this file, wherever it is now. The old WAL is removed from the path:
    /// SQLite would replay it into the new file. The folder must be locked, else it could be another process's new WAL.
    async fn retire(&self) -> Result<(), DbErr> {
        let Some(Files { database, wal, shm }) = &self.files else { return Ok(()) };
        timeout(RETIREMENT_TIMEOUT, self.pool.close()).await.map_err(|_elapsed| self.in_use())?;
        if let Some(anchor) = &mut *self.anchor.lock().await {
            match query("PRAGMA wal_checkpoint(FULL)").fetch_one(anchor).await {
                Ok(row) => {
                    let number = |index| row.try_get::<i64, _>(index).map_err(failed);
                    let (busy, frames, written) = (number(0)?, number(1)?, number(2)?);
                    if busy != 0 || frames != written {
                        return Err(self.in_use());
                    }
                }
                // It was never written either.
                Err(error) if is_read_only(&error) => {}
                Err(error) => return Err(failed(error)),
            }
            // The anchor is still open, so that no new file can have the identity of an old one.
            for stale in [wal, shm].into_iter().flatten().filter(|file| !self.is_intact() && file.is_there()) {
                std::fs::remove_file(&stale.path).map_err(|reason| FileProblem::Stale {
                    path: database.path.clone(),
                    file: stale.path.display().to_string(),
                    reason,
                })?;
            }
        }
        self.close_anchor().await;
        Ok(())
    }

    fn in_use(&self) -> DbErr {
        let path = self.files.as_ref().map(|files| files.database.path.clone());
        FileProblem::InUse(path.unwrap_or_default()).into()
    }

    /// Excludes other processes of this program that replace the same WAL. `None`: the file system has no such lock.
    async fn lock_folder(&self) -> Result<Option<File>, DbErr> {
        let wal = self.files.as_ref().and_then(|files| files.wal.as_ref());
        let Some(folder) = wal.and_then(|wal| wal.path.parent()) else { return Ok(None) };
        let Ok(folder) = File::open(folder) else { return Ok(None) };
        let start = Instant::now();
        loop {
            match folder.try_lock() {
                Ok(()) => return Ok(Some(folder)),
                Err(TryLockError::WouldBlock) if start.elapsed() < RETIREMENT_TIMEOUT => sleep(LOCK_INTERVAL).await,
                Err(TryLockError::WouldBlock) => return Err(self.in_use()),
                Err(TryLockError::Error(_)) => return Ok(None),
            }
        }
    }

    async fn close_anchor(&self) {
        if let Some(anchor) = self.anchor.lock().await.take() {
            // It wrote nothing.
            let _ = anchor.close().await;
        }
    }
}

fn is_read_only(error: &SqlxError) -> bool {
    error.as_database_error().and_then(|error| error.code()?.parse::<u32>().ok()).is_some_and(|code| code & 0xff == 8)
}

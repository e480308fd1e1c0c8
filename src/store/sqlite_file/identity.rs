//! Identities of the database file, its write-ahead log and its shared memory, compared with the files at their paths.
//!
//! It opens and closes no file, and knows nothing of pools.

use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use sea_orm::DbErr;
use sea_orm::sqlx::sqlite::SqliteConnection;
use sea_orm::sqlx::{Row, query};

use super::failed;

/// The files that an open connection uses.
pub(super) struct Files {
    pub(super) database: Watched,
    pub(super) wal: Option<Watched>,
    pub(super) shm: Option<Watched>,
}

/// A file, and the path that must lead to it.
pub(super) struct Watched {
    pub(super) path: PathBuf,
    pub(super) identity: Identity,
}

/// No other file gets the same one while this file is open.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Identity {
    device: u64,
    inode: u64,
}

/// Compares an open file with its path.
pub(super) enum FileState {
    Intact,
    /// The path has no file, or cannot be read.
    Missing(io::Error),
    /// The database, its WAL or its shared memory is another file.
    Changed,
}

impl Files {
    pub(super) fn state(&self) -> FileState {
        let Self { database, wal, shm } = self;
        match identity(&database.path) {
            Err(reason) => FileState::Missing(reason),
            Ok(found) if found != database.identity => FileState::Changed,
            Ok(_) if [wal, shm].into_iter().flatten().all(Watched::is_there) => FileState::Intact,
            Ok(_) => FileState::Changed,
        }
    }

    /// The files of an open connection. `named` is the configured path, which may be a symbolic link.
    pub(super) async fn of(connection: &mut SqliteConnection, named: &Path) -> Result<Option<Self>, DbErr> {
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

    pub(super) fn is_there(&self) -> bool {
        identity(&self.path).is_ok_and(|found| found == self.identity)
    }
}

pub(super) fn identity(path: &Path) -> io::Result<Identity> {
    // Not by opening it: closing the descriptor would release SQLite's POSIX locks.
    let metadata = std::fs::metadata(path)?;
    Ok(Identity { device: metadata.dev(), inode: metadata.ino() })
}

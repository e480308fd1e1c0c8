//! What the database can fail with, sorted by what a caller can do about it.

use sea_orm::{DbErr, RuntimeErr, SqlErr, SqlxError};

/// Why a call failed. Texts are for the log: no client sees them.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database cannot be reached, or not in time: waiting helps.
    #[error("the database is unavailable")]
    Unavailable {
        /// What it said.
        #[source]
        source: DbErr,
    },
    /// The database's URL has a part that means nothing.
    #[error("its URL cannot be used")]
    Url {
        /// What is wrong with it.
        #[source]
        source: DbErr,
    },
    /// A unique key is taken.
    #[error("a row with this key exists")]
    Conflict {
        /// What it said.
        #[source]
        source: DbErr,
    },
    /// Anything else.
    #[error("a statement failed")]
    Failed {
        /// What it said.
        #[source]
        source: DbErr,
    },
    /// A task that wrote was broken off.
    #[error("a writing task ended early")]
    Task(#[from] tokio::task::JoinError),
}

impl StoreError {
    /// There was no answer within the deadline of a call.
    pub(super) fn out_of_time() -> Self {
        Self::Unavailable { source: DbErr::Custom("no answer in time".to_owned()) }
    }
}

impl From<DbErr> for StoreError {
    fn from(source: DbErr) -> Self {
        if matches!(source.sql_err(), Some(SqlErr::UniqueConstraintViolation(_))) {
            return Self::Conflict { source };
        }
        if matches!(&source, DbErr::Conn(RuntimeErr::SqlxError(error)) if matches!(**error, SqlxError::Configuration(_)))
        {
            return Self::Url { source };
        }
        let is_unavailable = match &source {
            DbErr::ConnectionAcquire(_) | DbErr::Conn(_) => true,
            DbErr::Exec(RuntimeErr::SqlxError(error)) | DbErr::Query(RuntimeErr::SqlxError(error)) => {
                is_unreachable(error)
            }
            _ => false,
        };
        if is_unavailable { Self::Unavailable { source } } else { Self::Failed { source } }
    }
}

/// The connection, not the statement, was at fault.
fn is_unreachable(error: &SqlxError) -> bool {
    match error {
        SqlxError::Io(_)
        | SqlxError::Tls(_)
        | SqlxError::PoolTimedOut
        | SqlxError::PoolClosed
        | SqlxError::WorkerCrashed => true,
        SqlxError::Database(error) => error.code().is_some_and(|code| {
            // PostgreSQL: connection exception, insufficient resources, operator intervention. SQLite: busy, locked.
            ["08", "53", "57P"].iter().any(|class| code.len() == 5 && code.starts_with(class))
                || ["5", "6", "261", "517"].contains(&&*code)
        }),
        _ => false,
    }
}

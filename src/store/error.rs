//! What the database can fail with, sorted by what can be done about it: by a caller ([`StoreError`]), and before a caller
//! hears of it (`Fault`).

use sea_orm::sqlx::error::DatabaseError;
use sea_orm::{DbErr, RuntimeErr, SqlErr, SqlxError};

/// Why a call failed. Texts are for the log: no client sees them.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database cannot be reached, not in time, or does not take what is to be written: waiting helps.
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
}

impl StoreError {
    /// There was no answer while it was waited for.
    pub(super) fn out_of_time() -> Self {
        Self::Unavailable { source: DbErr::Custom("no answer in time".to_owned()) }
    }

    /// Whether the schema is not this program's: SQLite's file was replaced by such a one.
    #[must_use]
    pub fn is_schema_not_current(&self) -> bool {
        matches!(self, Self::Unavailable { source: DbErr::Migration(_) })
    }

    /// Whether the database may just not be there yet. A wrong password or a missing folder is not mended by waiting.
    #[must_use]
    pub fn may_be_starting(&self) -> bool {
        let Self::Unavailable { source } = self else { return false };
        match sqlx_error(source) {
            None | Some(SqlxError::Io(_) | SqlxError::PoolTimedOut) => true,
            Some(SqlxError::Database(error)) => error.code().is_some_and(|code| code.starts_with("57P")),
            Some(_) => false,
        }
    }
}

impl From<DbErr> for StoreError {
    fn from(source: DbErr) -> Self {
        if matches!(source.sql_err(), Some(SqlErr::UniqueConstraintViolation(_))) {
            return Self::Conflict { source };
        }
        if matches!(sqlx_error(&source), Some(SqlxError::Configuration(_))) {
            return Self::Url { source };
        }
        if Fault::of(&source) == Fault::OfStatement { Self::Failed { source } } else { Self::Unavailable { source } }
    }
}

/// What is at fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// This connection is of no use any more, and others that are as old may not be either.
    ConnectionLost,
    /// Another transaction was in the way; nothing was written, and the next try may pass.
    OtherTransaction,
    /// The database as a whole, which others than we must mend.
    Database,
    /// The statement: the next try would fail as well.
    OfStatement,
}

impl Fault {
    pub(super) fn of(error: &DbErr) -> Self {
        match (sqlx_error(error), error) {
            (Some(sqlx_error), DbErr::Conn(_)) => match Self::of_sqlx(sqlx_error) {
                // Who cannot connect has run no statement yet.
                Self::OfStatement => Self::Database,
                fault => fault,
            },
            (Some(sqlx_error), _) => Self::of_sqlx(sqlx_error),
            // Migration: a file took the place of SQLite's that is none of ours yet.
            (None, DbErr::Conn(_) | DbErr::ConnectionAcquire(_) | DbErr::Migration(_)) => Self::Database,
            (None, _) => Self::OfStatement,
        }
    }

    fn of_sqlx(error: &SqlxError) -> Self {
        match error {
            SqlxError::Io(_) | SqlxError::Tls(_) | SqlxError::Protocol(_) | SqlxError::WorkerCrashed => {
                Self::ConnectionLost
            }
            SqlxError::PoolTimedOut | SqlxError::PoolClosed => Self::Database,
            SqlxError::Database(error) => Self::of_code(&**error),
            _ => Self::OfStatement,
        }
    }

    fn of_code(error: &dyn DatabaseError) -> Self {
        let code = error.code().unwrap_or_default();
        // SQLSTATE has five characters; SQLite's codes are numbers.
        if code.len() == 5 { Self::of_sqlstate(&code) } else { Self::of_sqlite(code.parse().unwrap_or_default()) }
    }

    fn of_sqlstate(code: &str) -> Self {
        match code {
            // Serialization failure, deadlock.
            "40001" | "40P01" => Self::OtherTransaction,
            // The server ends, starts, or has ended this session. Read-only: it was demoted; its successor is elsewhere.
            "57P01" | "57P02" | "57P03" | "57P05" | "25P03" | "25006" => Self::ConnectionLost,
            // A statement that took too long, or waited too long for a lock.
            "57014" | "55P03" => Self::Database,
            _ if code.starts_with("08") => Self::ConnectionLost,
            // Insufficient resources, system error.
            _ if code.starts_with("53") || code.starts_with("58") => Self::Database,
            _ => Self::OfStatement,
        }
    }

    fn of_sqlite(extended: u32) -> Self {
        match extended & 0xff {
            // Read-only: what is opened anew may be written again.
            8 => Self::ConnectionLost,
            // Busy, locked, I/O error, full, cannot open, locking protocol.
            5 | 6 | 10 | 13 | 14 | 15 => Self::Database,
            _ => Self::OfStatement,
        }
    }
}

fn sqlx_error(error: &DbErr) -> Option<&SqlxError> {
    match error {
        DbErr::Conn(RuntimeErr::SqlxError(error))
        | DbErr::Exec(RuntimeErr::SqlxError(error))
        | DbErr::Query(RuntimeErr::SqlxError(error)) => Some(error),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_sorted_by_what_can_be_done() {
        for (code, fault) in [
            ("40001", Fault::OtherTransaction),
            ("40P01", Fault::OtherTransaction),
            ("57P01", Fault::ConnectionLost),
            ("08006", Fault::ConnectionLost),
            ("25006", Fault::ConnectionLost),
            ("53300", Fault::Database),
            ("57014", Fault::Database),
            ("58030", Fault::Database),
            ("23505", Fault::OfStatement),
            ("42P01", Fault::OfStatement),
        ] {
            assert_eq!(Fault::of_sqlstate(code), fault, "{code}");
        }
        // Busy, busy with recovery, read-only as its folder is, full, a write that failed; a constraint, a syntax error.
        for (code, fault) in [
            (5, Fault::Database),
            (261, Fault::Database),
            (1544, Fault::ConnectionLost),
            (13, Fault::Database),
            (778, Fault::Database),
            (2067, Fault::OfStatement),
            (1, Fault::OfStatement),
        ] {
            assert_eq!(Fault::of_sqlite(code), fault, "{code}");
        }
    }
}

//! A connection while it works for one call. It goes back to the pool only in a state that is known: not past its deadline,
//! not in a transaction, and after it has shown that it works.
//!
//! Transactions are begun and ended in plain SQL. The library's own, when it is dropped during its BEGIN, gives the
//! connection back inside a transaction of which it knows nothing, and whatever is written next is never committed.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use sea_orm::sqlx::{AssertSqlSafe, Executor, query_with};
use sea_orm::{DbErr, QueryResult, RuntimeErr, SqlxError, Statement, Values};
use sea_query_sqlx::SqlxValues;
use tracing::Instrument;

use super::pool::{Pool, Pooled};
use crate::database_use::note_statement;
use crate::telemetry;

/// How long a connection may take to show that it works before it goes back. When it takes longer it is closed.
const LONGEST_RETURN: Duration = Duration::from_secs(1);

/// Dropped, the connection goes back to the pool, or is closed.
pub(super) struct Session {
    pooled: Pooled,
    deadline: Instant,
    state: State,
    /// How many statements were run in all, over all sessions.
    statements: Arc<AtomicU64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// At most a read is under way, which may be left to itself.
    Clean,
    /// In a transaction that is not committed.
    InTransaction,
    /// The commit was sent. Unless the database says otherwise, it may have happened.
    Committing,
    Lost,
}

type Result<T> = std::result::Result<T, DbErr>;

impl Session {
    /// A connection out of the pool, wanted until the deadline.
    pub(super) async fn begin(pool: &Pool, deadline: Instant, statements: Arc<AtomicU64>) -> Result<Self> {
        let pooled = pool.acquire().await?;
        Ok(Self { pooled, deadline, state: State::Clean, statements })
    }

    /// Runs a query.
    pub(super) async fn rows(&mut self, statement: &Statement) -> Result<Vec<QueryResult>> {
        let (sql, values) = parts(statement);
        let rows = async {
            match &mut self.pooled {
                Pooled::Postgres(connection) => {
                    let rows = query_with(sql, values).fetch_all(&mut **connection).await?;
                    Ok(rows.into_iter().map(QueryResult::from).collect())
                }
                Pooled::Sqlite(connection, _) => {
                    let rows = query_with(sql, values).fetch_all(&mut **connection).await?;
                    Ok(rows.into_iter().map(QueryResult::from).collect())
                }
            }
        };
        timed(rows, &self.statements).await
    }

    /// Runs a write within a transaction, and gives how many rows it touched.
    pub(super) async fn write(&mut self, statement: &Statement) -> Result<u64> {
        let (sql, values) = parts(statement);
        let rows = async {
            match &mut self.pooled {
                Pooled::Postgres(connection) => {
                    Ok(query_with(sql, values).execute(&mut **connection).await?.rows_affected())
                }
                Pooled::Sqlite(connection, _) => {
                    Ok(query_with(sql, values).execute(&mut **connection).await?.rows_affected())
                }
            }
        };
        timed(rows, &self.statements).await
    }

    /// Begins a transaction that writes.
    pub(super) async fn begin_writing(&mut self) -> Result<()> {
        self.state = State::InTransaction;
        match &self.pooled {
            Pooled::Postgres(_) => self.run("BEGIN").await,
            // At once, since a read that becomes a write may not wait for other writers.
            Pooled::Sqlite(..) => self.run("BEGIN IMMEDIATE").await,
        }
    }

    /// Before it, a file that was replaced costs another try; after it, the commit may be lost with the file.
    pub(super) async fn commit(&mut self) -> Result<()> {
        self.check_file()?;
        self.state = State::Committing;
        self.run("COMMIT").await?;
        self.check_file()?;
        self.state = State::Clean;
        Ok(())
    }

    fn check_file(&self) -> Result<()> {
        match &self.pooled {
            Pooled::Sqlite(_, file) if !file.is_intact() => {
                Err(failed(io::Error::other("the database file was deleted or replaced").into()))
            }
            _ => Ok(()),
        }
    }

    pub(super) async fn roll_back(&mut self) -> Result<()> {
        self.run("ROLLBACK").await?;
        self.state = State::Clean;
        Ok(())
    }

    /// Ends a transaction that failed, so that the connection can go back. One that cannot be ended is closed.
    pub(super) async fn tidy(mut self) {
        if self.state != State::Clean {
            // It is told already what went wrong.
            let _ = self.roll_back().await;
        }
    }

    /// Whether what was begun may be in the database although nobody said so.
    pub(super) fn may_have_committed(&self) -> bool {
        self.state == State::Committing
    }

    /// Ends the connection too: it is of no use any more.
    pub(super) fn close(mut self) {
        self.state = State::Lost;
    }

    async fn run(&mut self, sql: &'static str) -> Result<()> {
        let done = match &mut self.pooled {
            Pooled::Postgres(connection) => connection.execute(sql).await.map(|_| ()),
            Pooled::Sqlite(connection, _) => connection.execute(sql).await.map(|_| ()),
        };
        done.map_err(failed)
    }
}

fn failed(error: SqlxError) -> DbErr {
    DbErr::Query(RuntimeErr::SqlxError(error.into()))
}

fn parts(statement: &Statement) -> (AssertSqlSafe<&str>, SqlxValues) {
    let values = statement.values.clone().unwrap_or(Values(Vec::new()));
    // Whatever comes from outside is among the values.
    (AssertSqlSafe(statement.sql.as_str()), SqlxValues(values))
}

/// Counts and times one statement: every query and every write passes here.
async fn timed<T>(run: impl Future<Output = std::result::Result<T, SqlxError>>, statements: &AtomicU64) -> Result<T> {
    statements.fetch_add(1, Ordering::Relaxed);
    note_statement();
    let span = tracing::debug_span!(target: telemetry::traces::TARGET, "statement", otel.kind = "client");
    let start = Instant::now();
    let result = run.instrument(span).await;
    metrics::histogram!("db_statement_duration_seconds").record(start.elapsed());
    result.map_err(failed)
}

impl Drop for Session {
    fn drop(&mut self) {
        let is_sound = self.state == State::Clean && Instant::now() < self.deadline;
        // The library's own way back has no limit: a connection that has gone silent would take its place for ever.
        match &mut self.pooled {
            Pooled::Postgres(connection) if is_sound => in_time(connection.return_to_pool()),
            Pooled::Sqlite(connection, _) if is_sound => in_time(connection.return_to_pool()),
            Pooled::Postgres(connection) => connection.close_on_drop(),
            Pooled::Sqlite(connection, _) => connection.close_on_drop(),
        }
    }
}

/// What is not back in time is closed.
fn in_time(returning: impl Future<Output = ()> + Send + 'static) {
    tokio::spawn(async move {
        let _ = tokio::time::timeout(LONGEST_RETURN, returning).await;
    });
}

//! Doing one call's work: how long it may take, and how often it is tried. Everything that runs statements passes here.

use std::sync::Arc;
use std::time::{Duration, Instant};

use rand::Rng;
use sea_orm::{DbErr, QueryResult, Statement};
use tokio::time::{sleep, timeout};

use crate::database_use;
use crate::telemetry::chain;

use super::error::Fault;
use super::session::Session;
use super::{Result, Store, StoreError};

/// How often a call's work is tried in all, while its time lasts.
const MOST_TRIES: u32 = 5;

/// What a call does in its session. Done twice, it is as if it had been done once, unless it was committed.
pub(super) trait Work: Sync {
    type Output: Send;

    /// Whether it may have to wait for another's lock.
    const IS_WRITE: bool;

    fn run(&self, session: &mut Session) -> impl Future<Output = std::result::Result<Self::Output, DbErr>> + Send;
}

/// One query.
pub(super) struct Read<'a>(pub(super) &'a Statement);

impl Work for Read<'_> {
    type Output = Vec<QueryResult>;
    const IS_WRITE: bool = false;

    async fn run(&self, session: &mut Session) -> std::result::Result<Vec<QueryResult>, DbErr> {
        session.rows(self.0).await
    }
}

/// Writes in one transaction. Gives how many rows the first touched; if it touched none, the others are not run.
pub(super) struct Write<'a>(pub(super) &'a [Statement]);

impl Work for Write<'_> {
    type Output = u64;
    const IS_WRITE: bool = true;

    async fn run(&self, session: &mut Session) -> std::result::Result<u64, DbErr> {
        session.begin_writing().await?;
        let mut touched = None;
        for statement in self.0 {
            let rows = session.write(statement).await?;
            if *touched.get_or_insert(rows) == 0 {
                session.roll_back().await?;
                return Ok(0);
            }
        }
        session.commit().await?;
        Ok(touched.unwrap_or_default())
    }
}

impl Store {
    /// Does a call's work, as long as its request may still wait for the database. Dropped or late, it has written nothing,
    /// unless the commit was under way.
    pub(super) async fn done<W: Work>(&self, work: W) -> Result<W::Output> {
        let waiting = database_use::wait();
        let deadline = Instant::now() + waiting.left;
        match timeout(waiting.left, self.tried(work, deadline)).await {
            Ok(done) => Ok(done?),
            Err(_elapsed) => {
                self.pool.note_loss();
                Err(StoreError::out_of_time())
            }
        }
    }

    /// What failed for another transaction's sake, or for a dead connection's, is tried again: the one place where that
    /// happens.
    async fn tried<W: Work>(&self, work: W, deadline: Instant) -> std::result::Result<W::Output, DbErr> {
        // The semaphore is never closed.
        let _turn = if W::IS_WRITE { self.writes.acquire().await.ok() } else { None };
        let mut tries = 1;
        loop {
            let (error, may_have_committed) = match self.session(deadline).await {
                Ok(mut session) => match work.run(&mut session).await {
                    Ok(done) => return Ok(done),
                    Err(error) => {
                        let may_have_committed = session.may_have_committed();
                        if Fault::of(&error) == Fault::ConnectionLost {
                            session.close();
                        } else {
                            session.tidy().await;
                        }
                        (error, may_have_committed)
                    }
                },
                Err(error) => (error, false),
            };
            let may_pass = match Fault::of(&error) {
                Fault::ConnectionLost => {
                    self.pool.note_loss();
                    !may_have_committed
                }
                Fault::OtherTransaction => true,
                Fault::Database | Fault::OfStatement => false,
            };
            if !may_pass || tries == MOST_TRIES {
                return Err(error);
            }
            tracing::info!(error = chain(&error), "the database is asked once more");
            metrics::counter!("db_retries_total").increment(1);
            // At random, so that two that were in each other's way are not so again.
            let longest = Duration::from_millis(10 << tries);
            let pause = rand::rng().random_range(Duration::ZERO..=longest);
            sleep(pause).await;
            tries += 1;
        }
    }

    async fn session(&self, deadline: Instant) -> std::result::Result<Session, DbErr> {
        Session::begin(&self.pool, deadline, Arc::clone(&self.statements)).await
    }
}

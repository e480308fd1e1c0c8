//! How many connections there is room for. A few more are taken so that their clients can be told, in a hurry; beyond them a
//! connection is closed as soon as it is accepted, which costs next to nothing.

use std::sync::Arc;
use std::time::{Duration, Instant};

use metrics::{counter, gauge};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::Patience;

/// How long a client may take for which there is no room.
pub(super) const HURRY: Patience = {
    let hurry = Duration::from_secs(1);
    Patience {
        first_bytes: hurry,
        head: hurry,
        body: hurry,
        rest: hurry,
        answer: hurry,
        last_request: hurry,
        farewell: hurry,
    }
};

/// How many such clients there may be.
const MOST_REFUSED: usize = 50;

/// How often at most the log tells that there is no room.
const BETWEEN_WARNINGS: Duration = Duration::from_secs(10);

/// Descriptors that are needed beside those of clients: the database's, SSO's, files.
const OTHER_FILES: usize = 200;

/// The room of one server.
#[derive(Debug)]
pub(super) struct Room {
    most: usize,
    seats: Arc<Semaphore>,
    refused: Arc<Semaphore>,
    last_warning: Option<Instant>,
}

impl Room {
    /// For so many connections.
    pub(super) fn new(most: usize) -> Self {
        let most = most.min(Semaphore::MAX_PERMITS);
        Self {
            most,
            seats: Arc::new(Semaphore::new(most)),
            refused: Arc::new(Semaphore::new(MOST_REFUSED)),
            last_warning: None,
        }
    }

    /// For one more connection. `None`: not even to be refused.
    pub(super) fn one_more(&mut self) -> Option<Seat> {
        if let Some(seat) = Seat::of(&self.seats, false) {
            return Some(seat);
        }
        counter!("http_connections_refused_total").increment(1);
        if self.last_warning.is_none_or(|last| last.elapsed() >= BETWEEN_WARNINGS) {
            self.last_warning = Some(Instant::now());
            tracing::warn!(HTTP_MAX_CONNECTIONS = self.most, "as many connections as there may be: more are refused");
        }
        Seat::of(&self.refused, true)
    }
}

/// A connection's, given back when it is dropped.
#[derive(Debug)]
pub(super) struct Seat {
    is_refused: bool,
    _permit: OwnedSemaphorePermit,
}

impl Seat {
    fn of(seats: &Arc<Semaphore>, is_refused: bool) -> Option<Self> {
        let permit = Arc::clone(seats).try_acquire_owned().ok()?;
        gauge!("http_connections").increment(1);
        Some(Self { is_refused, _permit: permit })
    }

    /// Whether it is only for being told that there is no room.
    pub(super) fn is_refused(&self) -> bool {
        self.is_refused
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        gauge!("http_connections").decrement(1);
    }
}

/// Raises this process's limit of open files, as far as the system lets it, so that so many connections fit into it. Where
/// they do not, the log says so.
pub fn allow_open_files(connections: usize) {
    let needed = connections.saturating_add(MOST_REFUSED + OTHER_FILES);
    let wanted = u64::try_from(needed).unwrap_or(u64::MAX);
    match rlimit::increase_nofile_limit(wanted) {
        Ok(allowed) if allowed < wanted => {
            tracing::warn!(allowed, wanted, "the system allows too few open files for HTTP_MAX_CONNECTIONS");
        }
        Ok(_) => {}
        Err(error) => tracing::warn!(%error, "the limit of open files cannot be read"),
    }
}

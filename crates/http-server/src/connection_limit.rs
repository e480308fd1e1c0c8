//! The connection limit. A few connections beyond it are accepted so that their clients receive a 503; further ones are
//! closed on accept, which costs next to nothing.

use std::sync::Arc;
use std::time::{Duration, Instant};

use metrics::{counter, gauge};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Among a request's extensions: its connection exceeds the limit, and was accepted for one 503 response.
#[derive(Debug, Clone, Copy)]
pub struct ConnectionLimitExceeded;

/// Maximum open connections beyond the limit.
const MAX_OVERFLOW_CONNECTIONS: usize = 50;

/// The minimum time between two warnings.
const WARNING_INTERVAL: Duration = Duration::from_secs(10);

/// File descriptors beside those of clients: database, upstreams, files.
const OTHER_OPEN_FILES: usize = 200;

/// Limits the open connections of one server.
#[derive(Debug)]
pub(crate) struct ConnectionLimiter {
    max: usize,
    permits: Arc<Semaphore>,
    overflow: Arc<Semaphore>,
    last_warning: Option<Instant>,
}

impl ConnectionLimiter {
    pub(crate) fn new(max: usize) -> Self {
        let max = max.min(Semaphore::MAX_PERMITS);
        Self {
            max,
            permits: Arc::new(Semaphore::new(max)),
            overflow: Arc::new(Semaphore::new(MAX_OVERFLOW_CONNECTIONS)),
            last_warning: None,
        }
    }

    /// A permit for one more connection. Returns `None` when the connection must be closed without a response.
    pub(crate) fn try_acquire(&mut self) -> Option<ConnectionPermit> {
        if let Some(permit) = ConnectionPermit::try_new(&self.permits, false) {
            return Some(permit);
        }
        counter!("http_connections_refused_total").increment(1);
        if self.last_warning.is_none_or(|last| last.elapsed() >= WARNING_INTERVAL) {
            self.last_warning = Some(Instant::now());
            tracing::warn!(max_connections = self.max, "connection limit reached: new connections are rejected");
        }
        ConnectionPermit::try_new(&self.overflow, true)
    }
}

/// Counts as an open connection until it is dropped.
#[derive(Debug)]
pub(crate) struct ConnectionPermit {
    is_overflow: bool,
    _permit: OwnedSemaphorePermit,
}

impl ConnectionPermit {
    fn try_new(permits: &Arc<Semaphore>, is_overflow: bool) -> Option<Self> {
        let permit = Arc::clone(permits).try_acquire_owned().ok()?;
        gauge!("http_connections").increment(1);
        Some(Self { is_overflow, _permit: permit })
    }

    /// Whether the connection exceeds the limit and gets one response only.
    pub(crate) fn is_overflow(&self) -> bool {
        self.is_overflow
    }
}

impl Drop for ConnectionPermit {
    fn drop(&mut self) {
        gauge!("http_connections").decrement(1);
    }
}

/// Raises this process's limit on open files, as far as the system allows, so that this many connections fit. Logs a
/// warning where they do not.
pub fn raise_open_file_limit(connections: usize) {
    let needed = connections.saturating_add(MAX_OVERFLOW_CONNECTIONS + OTHER_OPEN_FILES);
    let wanted = u64::try_from(needed).unwrap_or(u64::MAX);
    match rlimit::increase_nofile_limit(wanted) {
        Ok(allowed) if allowed < wanted => {
            tracing::warn!(
                allowed,
                wanted,
                "open file limit is too low for the connection limit: raise it with `ulimit -n`"
            );
        }
        Ok(_) => {}
        Err(error) => tracing::warn!(%error, "cannot read the limit on open files"),
    }
}

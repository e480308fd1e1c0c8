//! The one reader of the wall clock. The core has time passed in; a test can move it.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use chrono::Utc;

use crate::domain::timestamp::Timestamp;

/// Tells the time. Clones move together.
#[derive(Debug, Clone, Default)]
pub struct Clock {
    ahead_millis: Arc<AtomicI64>,
}

impl Clock {
    /// The instant it is.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "this is the one place")]
    pub fn now(&self) -> Timestamp {
        Timestamp::from_millis(Utc::now().timestamp_millis().saturating_add(self.ahead_millis.load(Ordering::Relaxed)))
    }

    /// Moves this clock and its clones, for tests of what ends with time.
    pub fn advance(&self, millis: i64) {
        self.ahead_millis.fetch_add(millis, Ordering::Relaxed);
    }
}

//! Stored values outside their known sets: other programs write the tables too, and one odd value must not cost a client
//! its list. It is counted and logged instead, without its content.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// A column that stays odd is met by every request, and logged no more often than this.
const BETWEEN_LINES: Duration = Duration::from_mins(1);

static LAST_LINES: Mutex<BTreeMap<&str, Instant>> = Mutex::new(BTreeMap::new());

/// Counts odd values of one column (`table.column`), and logs them now and then.
pub fn count_unknown(field: &'static str, times: usize) {
    metrics::counter!("stored_values_unknown_total", "field" => field).increment(times as u64);
    let now = Instant::now();
    let mut last_lines = LAST_LINES.lock().unwrap_or_else(PoisonError::into_inner);
    if last_lines.get(field).is_none_or(|last| now.duration_since(*last) >= BETWEEN_LINES) {
        last_lines.insert(field, now);
        tracing::warn!(field, "stored values outside their known set; see stored_values_unknown_total");
    }
}

//! Stored values outside their known sets: other programs write the tables too, and one odd value must not cost a client
//! its list. It is counted and logged instead, without its content.

/// Counts and logs odd values of one column.
pub fn count_unknown(field: &'static str, times: usize) {
    metrics::counter!("stored_values_unknown_total", "field" => field).increment(times as u64);
    tracing::warn!(field, times, "stored values outside their known set");
}

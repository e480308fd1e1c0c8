//! Spans that were lost: counted by cause, and logged once a minute at most while that lasts.
//!
//! Lines are logged by the exporter's own thread, never by a request's. They are no part of any trace.

use std::borrow::Cow;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The least time between two warnings.
const LINE_INTERVAL: Duration = Duration::from_mins(1);

/// The counter's name. Its label has the values of OpenTelemetry's attribute `error.type`.
const COUNTER: &str = "otel_spans_dropped_total";

/// Values of `error.type`; a response's status is another.
pub(super) const QUEUE_FULL: &str = "queue_full";
pub(super) const REJECTED: &str = "rejected";
pub(super) const TIMEOUT: &str = "timeout";
pub(super) const CONNECT_FAILED: &str = "connect_failed";
pub(super) const INVALID_RESPONSE: &str = "invalid_response";
pub(super) const OTHER: &str = "_OTHER";

/// Why spans were lost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Cause {
    /// One of few words.
    pub(super) error_type: Cow<'static, str>,
    /// For people: one line, without secrets.
    pub(super) error: String,
}

impl Cause {
    pub(super) fn new(error_type: &'static str, error: impl Into<String>) -> Self {
        Self { error_type: error_type.into(), error: error.into() }
    }
}

/// Lets a counter that nothing was added to be seen as 0, so that its first increase is seen as one.
pub(super) fn count_from_zero() {
    for error_type in [QUEUE_FULL, REJECTED, TIMEOUT, CONNECT_FAILED, INVALID_RESPONSE, OTHER] {
        metrics::counter!(COUNTER, "error_type" => error_type).increment(0);
    }
}

/// Counts lost spans, without a line.
pub(super) fn count(error_type: impl Into<Cow<'static, str>>, spans: usize) {
    metrics::counter!(COUNTER, "error_type" => error_type.into()).increment(spans as u64);
}

/// Losses that are not logged yet.
#[derive(Debug, Default)]
pub(super) struct Losses(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// Lost spans since the last line.
    unreported: usize,
    /// When the last warning was logged.
    warned_at: Option<Instant>,
    /// Whether a warning was logged since exports last succeeded.
    has_warned: bool,
}

impl State {
    /// The number of spans for a warning, where one is due.
    fn lost(&mut self, spans: usize, now: Instant) -> Option<usize> {
        self.unreported += spans;
        if self.warned_at.is_some_and(|last| now.duration_since(last) < LINE_INTERVAL) {
            return None;
        }
        self.warned_at = Some(now);
        self.has_warned = true;
        Some(std::mem::take(&mut self.unreported))
    }

    /// The number of spans for a line about the recovery, where one is due.
    fn recovered(&mut self) -> Option<usize> {
        let was_failing = std::mem::take(&mut self.has_warned);
        was_failing.then(|| std::mem::take(&mut self.unreported))
    }
}

impl Losses {
    /// Logs that spans were lost, unless it was logged less than a minute ago.
    pub(super) fn lost(&self, cause: &Cause, spans: usize, now: Instant) {
        let due = self.state(|state| state.lost(spans, now));
        if let Some(spans) = due {
            let Cause { error_type, error } = cause;
            tracing::warn!("error.type" = %error_type, %error, spans.dropped = spans, "trace export failed");
        }
    }

    /// Logs that exports succeed again, if a failure was logged.
    pub(super) fn recovered(&self) {
        if let Some(spans) = self.state(State::recovered) {
            tracing::info!(spans.dropped = spans, "trace export recovered");
        }
    }

    /// Logs the losses that no line has reported yet. Called once, at the end.
    pub(super) fn ended(&self) {
        let spans = self.state(|state| std::mem::take(&mut state.unreported));
        if spans > 0 {
            tracing::info!(spans.dropped = spans, "trace export ended");
        }
    }

    fn state<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lasting_failure_is_logged_once_a_minute_with_the_spans_lost_meanwhile() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut state = State::default();
        assert_eq!(state.lost(3, at(0)), Some(3));
        assert_eq!((state.lost(4, at(5)), state.lost(5, at(59))), (None, None));
        assert_eq!(state.lost(6, at(60)), Some(15));
        assert_eq!(state.lost(1, at(119)), None);
        assert_eq!(state.recovered(), Some(1));
        assert_eq!(state.recovered(), None);
    }

    #[test]
    fn failures_that_come_and_go_are_logged_twice_a_minute_at_most_and_none_is_forgotten() {
        let start = Instant::now();
        let mut state = State::default();
        let (mut lines, mut reported) = (0, 0);
        for second in 0..600 {
            let warning = state.lost(1, start + Duration::from_secs(second));
            for spans in [warning, state.recovered()].into_iter().flatten() {
                (lines, reported) = (lines + 1, reported + spans);
            }
        }
        assert_eq!((lines, reported + state.unreported), (20, 600));
    }
}

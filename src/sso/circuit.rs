//! The circuit breaker: consecutive failures open it, SSO is then not called for a while, and one probe decides.
//!
//! One per process. The client decides which outcomes are failures. Since the breaker knows how SSO has been, it also decides
//! who may retry.

use std::num::NonZeroU32;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// When the circuit opens, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CircuitSettings {
    /// Consecutive failures before it opens.
    pub failures: NonZeroU32,
    /// How long it stays open before a probe.
    pub open_for: Duration,
}

/// The breaker. Without settings it never opens.
pub(super) struct Circuit {
    breaker: Option<Breaker>,
    /// There was a failure, and no success since.
    is_failing: AtomicBool,
}

struct Breaker {
    settings: CircuitSettings,
    state: Mutex<State>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Closed {
        /// Failures since the last success.
        failures: u32,
    },
    /// No call is permitted until then; the next one is a probe.
    Open { until: Instant },
    /// A probe is in flight; no other call is permitted.
    Probing,
}

/// Permission for one exchange. Dropped without an outcome it leaves the breaker as it was.
pub(super) struct Permit<'a> {
    circuit: &'a Circuit,
    is_probe: bool,
}

impl Circuit {
    pub(super) fn new(settings: Option<CircuitSettings>) -> Self {
        metrics::gauge!("sso_circuit_open").set(0);
        let breaker = settings.map(|settings| Breaker { settings, state: Mutex::new(State::Closed { failures: 0 }) });
        Self { breaker, is_failing: AtomicBool::new(false) }
    }

    /// Permission to call SSO. Returns `None` while the circuit is open.
    pub(super) fn permit(&self) -> Option<Permit<'_>> {
        self.permit_at(Instant::now())
    }

    fn permit_at(&self, now: Instant) -> Option<Permit<'_>> {
        let Some(breaker) = &self.breaker else { return Some(Permit { circuit: self, is_probe: false }) };
        let mut state = breaker.state();
        let is_probe = match *state {
            State::Closed { .. } => false,
            State::Open { until } if now >= until => {
                *state = State::Probing;
                true
            }
            State::Open { .. } | State::Probing => return None,
        };
        drop(state);
        Some(Permit { circuit: self, is_probe })
    }

    /// Permission to retry the exchange that just failed: for the first failure after a success only. When SSO goes down
    /// under many exchanges at once, one of them retries.
    pub(super) fn claim_retry(&self) -> bool {
        !self.is_failing.swap(true, Ordering::AcqRel)
    }
}

impl Breaker {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn succeeded(&self, is_probe: bool) {
        let mut state = self.state();
        match *state {
            State::Closed { .. } => *state = State::Closed { failures: 0 },
            State::Probing if is_probe => {
                *state = State::Closed { failures: 0 };
                metrics::gauge!("sso_circuit_open").set(0);
                tracing::info!("circuit breaker closed: SSO responds again");
            }
            // An exchange that began before the circuit opened; the probe decides.
            State::Probing | State::Open { .. } => {}
        }
    }

    fn failed(&self, is_probe: bool, now: Instant) {
        let mut state = self.state();
        let open = State::Open { until: now + self.settings.open_for };
        match *state {
            State::Closed { failures } if failures + 1 < self.settings.failures.get() => {
                *state = State::Closed { failures: failures + 1 };
            }
            State::Closed { failures } => {
                *state = open;
                metrics::gauge!("sso_circuit_open").set(1);
                tracing::warn!(
                    failures = failures + 1,
                    "circuit breaker opened: SSO is not called and responses are degraded until a probe succeeds"
                );
            }
            State::Probing if is_probe => *state = open,
            State::Probing | State::Open { .. } => {}
        }
    }

    /// The probe ended without an outcome: the next call is a probe.
    fn abandoned(&self, now: Instant) {
        let mut state = self.state();
        if *state == State::Probing {
            *state = State::Open { until: now };
        }
    }
}

impl Permit<'_> {
    /// SSO responded.
    pub(super) fn succeeded(mut self) {
        self.circuit.is_failing.store(false, Ordering::Release);
        if let Some(breaker) = &self.circuit.breaker {
            breaker.succeeded(std::mem::take(&mut self.is_probe));
        }
    }

    /// SSO failed.
    pub(super) fn failed(self) {
        self.failed_at(Instant::now());
    }

    fn failed_at(mut self, now: Instant) {
        self.circuit.is_failing.store(true, Ordering::Release);
        if let Some(breaker) = &self.circuit.breaker {
            breaker.failed(std::mem::take(&mut self.is_probe), now);
        }
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        if let Some(breaker) = self.circuit.breaker.as_ref().filter(|_| self.is_probe) {
            breaker.abandoned(Instant::now());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn circuit(failures: u32, open_for: Duration) -> Circuit {
        Circuit::new(NonZeroU32::new(failures).map(|failures| CircuitSettings { failures, open_for }))
    }

    fn fail(circuit: &Circuit) {
        circuit.permit().unwrap().failed();
    }

    #[test]
    fn failures_in_a_row_open_it_and_a_success_between_begins_anew() {
        let circuit = circuit(3, Duration::from_mins(1));
        fail(&circuit);
        fail(&circuit);
        circuit.permit().unwrap().succeeded();
        fail(&circuit);
        fail(&circuit);
        assert!(circuit.permit().is_some());
        fail(&circuit);
        assert!(circuit.permit().is_none());
    }

    #[test]
    fn one_probe_at_a_time_decides() {
        let open_for = Duration::from_secs(5);
        let circuit = circuit(1, open_for);
        let start = Instant::now();
        circuit.permit_at(start).unwrap().failed_at(start);
        assert!(circuit.permit_at(start + open_for * 99 / 100).is_none(), "still open");
        let later = start + open_for;
        let probe = circuit.permit_at(later).unwrap();
        assert!(circuit.permit_at(later + open_for * 9).is_none(), "another probe is in flight");
        probe.failed_at(later);
        assert!(circuit.permit_at(later + open_for * 99 / 100).is_none(), "open for as long again");
        let later = later + open_for;
        let probe = circuit.permit_at(later).unwrap();
        drop(probe);
        let probe = circuit.permit_at(later).expect("a probe without an outcome makes room for the next");
        probe.succeeded();
        let (first, second) = (circuit.permit_at(later), circuit.permit_at(later));
        assert!(first.is_some() && second.is_some(), "closed again");
    }

    /// They began before the circuit opened.
    #[test]
    fn late_outcomes_change_nothing_while_it_is_open() {
        let open_for = Duration::from_secs(5);
        let circuit = circuit(1, open_for);
        let start = Instant::now();
        let late: Vec<_> = (0..4).map(|_| circuit.permit_at(start).unwrap()).collect();
        let [one, two, three, four] = late.try_into().ok().unwrap();
        circuit.permit_at(start).unwrap().failed_at(start);
        one.succeeded();
        two.failed_at(start + open_for / 2);
        assert!(circuit.permit_at(start + open_for / 2).is_none(), "a late success does not close it");
        let probe = circuit.permit_at(start + open_for).expect("a late failure does not prolong it");
        three.succeeded();
        four.failed_at(start + open_for);
        assert!(circuit.permit_at(start + open_for).is_none(), "the probe alone decides");
        probe.succeeded();
        assert!(circuit.permit_at(start + open_for).is_some());
    }

    #[test]
    fn the_first_failure_after_a_success_alone_may_be_tried_again() {
        for failures in [0, 3] {
            let circuit = circuit(failures, Duration::from_mins(1));
            assert!(circuit.claim_retry());
            assert!(!circuit.claim_retry(), "another has");
            circuit.permit().unwrap().succeeded();
            fail(&circuit);
            assert!(!circuit.claim_retry(), "the circuit counts");
            circuit.permit().unwrap().succeeded();
            assert!(circuit.claim_retry());
        }
    }

    #[test]
    fn without_settings_it_never_opens() {
        let circuit = circuit(0, Duration::ZERO);
        for _ in 0..100 {
            fail(&circuit);
        }
    }
}

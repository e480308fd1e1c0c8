//! The circuit breaker: after so many failures in a row SSO is left alone for a while, then one probe decides.
//!
//! One for the process. What counts as a failure is for the client to say. The library lets every call through while the
//! circuit is half open; `is_probing` admits one at a time. Since it knows how SSO has been, it also says who may retry.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use failsafe::failure_policy::{ConsecutiveFailures, consecutive_failures};
use failsafe::{Instrument, StateMachine, backoff};

/// When the circuit opens, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CircuitSettings {
    /// So many failures in a row open it.
    pub failures: NonZeroU32,
    /// How long until one probe.
    pub open_for: Duration,
}

type Policy = ConsecutiveFailures<backoff::Constant>;

/// The breaker, which without settings never opens.
pub(super) struct Circuit {
    breaker: Option<Breaker>,
    /// There was a failure, and no success since.
    is_failing: AtomicBool,
}

struct Breaker {
    machine: StateMachine<Policy, State>,
    state: State,
}

/// What the machine tells of itself. Clones are one.
#[derive(Debug, Clone, Default)]
struct State {
    /// Not closed: what passes is a probe.
    is_open: Arc<AtomicBool>,
    is_probing: Arc<AtomicBool>,
}

/// Leave for one exchange. Dropped without a word it says nothing about SSO.
pub(super) struct Permit<'a> {
    circuit: &'a Circuit,
    is_probe: bool,
}

impl Circuit {
    pub(super) fn new(settings: Option<CircuitSettings>) -> Self {
        metrics::gauge!("sso_circuit_open").set(0);
        let breaker = settings.map(|CircuitSettings { failures, open_for }| {
            let state = State::default();
            let policy = consecutive_failures(failures.get(), backoff::constant(open_for));
            Breaker { machine: StateMachine::new(policy, state.clone()), state }
        });
        Self { breaker, is_failing: AtomicBool::new(false) }
    }

    /// Leave to ask SSO; `None`: the circuit is open.
    pub(super) fn permit(&self) -> Option<Permit<'_>> {
        let Some(breaker) = &self.breaker else { return Some(Permit { circuit: self, is_probe: false }) };
        if !breaker.machine.is_call_permitted() {
            return None;
        }
        let is_probe = breaker.state.is_open.load(Ordering::Acquire);
        if is_probe && breaker.state.is_probing.swap(true, Ordering::AcqRel) {
            return None;
        }
        Some(Permit { circuit: self, is_probe })
    }

    /// Leave to try again what just failed: for the first failure after a success alone. When SSO goes down under many
    /// exchanges at once, one of them tries again.
    pub(super) fn claim_retry(&self) -> bool {
        !self.is_failing.swap(true, Ordering::AcqRel)
    }
}

impl Permit<'_> {
    /// SSO is there.
    pub(super) fn succeeded(self) {
        self.circuit.is_failing.store(false, Ordering::Release);
        if let Some(breaker) = &self.circuit.breaker {
            breaker.machine.on_success();
        }
    }

    /// SSO is not there.
    pub(super) fn failed(self) {
        self.circuit.is_failing.store(true, Ordering::Release);
        if let Some(breaker) = &self.circuit.breaker {
            breaker.machine.on_error();
        }
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        if let Some(breaker) = self.circuit.breaker.as_ref().filter(|_| self.is_probe) {
            breaker.state.is_probing.store(false, Ordering::Release);
        }
    }
}

impl Instrument for State {
    fn on_call_rejected(&self) {}

    fn on_open(&self) {
        if !self.is_open.swap(true, Ordering::AcqRel) {
            metrics::gauge!("sso_circuit_open").set(1);
            tracing::warn!("SSO keeps failing: it is left alone, and answers are degraded, until a probe succeeds");
        }
    }

    fn on_half_open(&self) {}

    fn on_closed(&self) {
        if self.is_open.swap(false, Ordering::AcqRel) {
            metrics::gauge!("sso_circuit_open").set(0);
            tracing::info!("SSO answers again");
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
        let circuit = circuit(1, Duration::ZERO);
        fail(&circuit);
        std::thread::sleep(Duration::from_millis(2));
        let probe = circuit.permit().unwrap();
        assert!(circuit.permit().is_none(), "another is on its way");
        drop(probe);
        let probe = circuit.permit().unwrap();
        probe.succeeded();
        let (first, second) = (circuit.permit(), circuit.permit());
        assert!(first.is_some() && second.is_some(), "closed again");
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

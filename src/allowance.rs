//! How long something may be waited for in all, however often and from however many places.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// An allowance. Clones share it. Times in which several wait at once count once.
#[derive(Debug, Clone)]
pub struct Allowance {
    budget: Duration,
    spent: Arc<Mutex<Spent>>,
}

#[derive(Debug, Default)]
struct Spent {
    before: Duration,
    waiting: u32,
    since: Option<Instant>,
}

impl Spent {
    fn begin(&mut self, now: Instant) {
        self.waiting += 1;
        self.since.get_or_insert(now);
    }

    fn end(&mut self, now: Instant) {
        self.waiting -= 1;
        if self.waiting == 0 {
            self.before = self.in_all(now);
            self.since = None;
        }
    }

    fn in_all(&self, now: Instant) -> Duration {
        self.before + self.since.map_or(Duration::ZERO, |since| now.duration_since(since))
    }
}

impl Allowance {
    /// So much in all.
    #[must_use]
    pub fn new(budget: Duration) -> Self {
        Self { budget, spent: Arc::default() }
    }

    /// Begins to wait; the guard tells how much is left, and ends it.
    #[must_use]
    pub fn wait(&self) -> Waiting {
        let (mut spent, now) = (lock(&self.spent), Instant::now());
        spent.begin(now);
        Waiting { left: self.budget.saturating_sub(spent.in_all(now)), spent: Arc::clone(&self.spent) }
    }
}

fn lock(spent: &Mutex<Spent>) -> MutexGuard<'_, Spent> {
    spent.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Someone waits.
#[derive(Debug)]
pub struct Waiting {
    /// What was left when it began.
    pub left: Duration,
    spent: Arc<Mutex<Spent>>,
}

impl Drop for Waiting {
    fn drop(&mut self) {
        lock(&self.spent).end(Instant::now());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_add_up_and_what_is_waited_for_at_once_counts_once() {
        let mut spent = Spent::default();
        let start = Instant::now();
        let at = |millis| start + Duration::from_millis(millis);
        let in_all = |spent: &Spent, millis| spent.in_all(at(millis)).as_millis();
        spent.begin(at(0));
        assert_eq!(in_all(&spent, 300), 300);
        spent.end(at(500));
        assert_eq!(in_all(&spent, 5_000), 500, "what goes by in between costs nothing");
        spent.begin(at(6_000));
        spent.begin(at(6_050));
        spent.end(at(6_060));
        spent.begin(at(6_070));
        spent.end(at(6_080));
        spent.end(at(6_100));
        assert_eq!(in_all(&spent, 9_000), 600);
    }
}

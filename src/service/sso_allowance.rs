//! How long one request may wait for SSO in all, however many reads and repairs it makes: the budget of one exchange.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, timeout};

use crate::domain::sso_view::SourceFailure;

/// One request's allowance. Clones share it. Times in which several exchanges run at once count once.
#[derive(Debug, Clone)]
pub struct SsoAllowance {
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

impl SsoAllowance {
    /// So much in all.
    #[must_use]
    pub fn new(budget: Duration) -> Self {
        Self { budget, spent: Arc::default() }
    }

    /// Waits for an exchange, as long as something is left. What is there at once needs nothing.
    ///
    /// # Errors
    /// [`SourceFailure::Timeout`] when nothing is left; the exchange is then dropped.
    pub async fn spend<T>(&self, exchange: impl Future<Output = T>) -> Result<T, SourceFailure> {
        let waiting = self.wait();
        timeout(waiting.left, exchange).await.map_err(|_elapsed| SourceFailure::Timeout)
    }

    /// Begins to wait; the guard tells how much is left, and ends it.
    #[must_use]
    pub fn wait(&self) -> Waiting<'_> {
        let (mut spent, now) = (self.lock(), Instant::now());
        spent.begin(now);
        Waiting { left: self.budget.saturating_sub(spent.in_all(now)), of: self }
    }

    fn lock(&self) -> MutexGuard<'_, Spent> {
        self.spent.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Someone waits for SSO.
#[derive(Debug)]
pub struct Waiting<'a> {
    /// What was left when it began.
    pub left: Duration,
    of: &'a SsoAllowance,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.of.lock().end(Instant::now());
    }
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};

    use super::*;

    #[test]
    fn exchanges_add_up_and_what_runs_at_once_counts_once() {
        let mut spent = Spent::default();
        let start = Instant::now();
        let at = |millis| start + Duration::from_millis(millis);
        let in_all = |spent: &Spent, millis| spent.in_all(at(millis)).as_millis();
        spent.begin(at(0));
        assert_eq!(in_all(&spent, 300), 300);
        spent.end(at(500));
        assert_eq!(in_all(&spent, 5_000), 500, "what goes by between exchanges costs nothing");
        spent.begin(at(6_000));
        spent.begin(at(6_050));
        spent.end(at(6_060));
        spent.begin(at(6_070));
        spent.end(at(6_080));
        spent.end(at(6_100));
        assert_eq!(in_all(&spent, 9_000), 600);
    }

    #[tokio::test]
    async fn when_nothing_is_left_only_what_is_there_at_once_is_served() {
        let allowance = SsoAllowance::new(Duration::from_millis(30));
        assert_eq!(allowance.clone().spend(pending::<()>()).await, Err(SourceFailure::Timeout));
        assert_eq!(allowance.wait().left, Duration::ZERO, "clones share it");
        assert_eq!(allowance.spend(pending::<()>()).await, Err(SourceFailure::Timeout));
        assert_eq!(allowance.spend(ready(7)).await, Ok(7));
    }
}

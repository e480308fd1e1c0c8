//! How long one request may wait for SSO in all, however many reads and repairs it makes: the budget of one exchange.

use std::time::Duration;

use tokio::time::timeout;

use crate::allowance::{Allowance, Waiting};
use crate::domain::sso_view::SourceFailure;

/// One request's allowance. Clones share it.
#[derive(Debug, Clone)]
pub struct SsoAllowance(Allowance);

impl SsoAllowance {
    /// So much in all.
    #[must_use]
    pub fn new(budget: Duration) -> Self {
        Self(Allowance::new(budget))
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
    pub fn wait(&self) -> Waiting {
        self.0.wait()
    }
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};

    use super::*;

    #[tokio::test]
    async fn when_nothing_is_left_only_what_is_there_at_once_is_served() {
        let allowance = SsoAllowance::new(Duration::from_millis(30));
        assert_eq!(allowance.clone().spend(pending::<()>()).await, Err(SourceFailure::Timeout));
        assert_eq!(allowance.wait().left, Duration::ZERO, "clones share it");
        assert_eq!(allowance.spend(pending::<()>()).await, Err(SourceFailure::Timeout));
        assert_eq!(allowance.spend(ready(7)).await, Ok(7));
    }
}

//! What one request has of the database: how many statements it ran, and how long it may still wait for them. Counted and
//! limited where statements are run, read where the request is logged.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::allowance::{Allowance, Waiting};

/// How long a request may wait for the database in all, pool included: a database that has gone silent must not hold
/// requests, however many statements they need. It leaves the rest of a request half a second of three.
const LONGEST_WAIT: Duration = Duration::from_millis(2_500);

tokio::task_local! {
    static USE: DatabaseUse;
}

#[derive(Debug, Clone)]
struct DatabaseUse {
    statements: Arc<AtomicU64>,
    allowance: Allowance,
}

impl DatabaseUse {
    fn new() -> Self {
        Self { statements: Arc::default(), allowance: Allowance::new(LONGEST_WAIT) }
    }
}

/// Runs a request, and tells how many statements were run for it.
pub async fn of_request<F: Future>(request: F) -> (F::Output, u64) {
    let of_request = DatabaseUse::new();
    let output = USE.scope(of_request.clone(), request).await;
    (output, of_request.statements.load(Ordering::Relaxed))
}

/// One more statement for the running request, if there is one.
pub fn note_statement() {
    // Outside a request, as in a command, nobody counts.
    let _ = USE.try_with(|of_request| of_request.statements.fetch_add(1, Ordering::Relaxed));
}

/// Begins to wait for the database, as long as the running request still may. Outside a request each call has an allowance
/// of its own.
#[must_use]
pub fn wait() -> Waiting {
    USE.try_with(|of_request| of_request.allowance.wait()).unwrap_or_else(|_| Allowance::new(LONGEST_WAIT).wait())
}

/// Makes a future that will run in a task of its own belong to the request that it is made in.
pub fn inherited<F: Future>(future: F) -> impl Future<Output = F::Output> {
    let of_request = USE.try_with(DatabaseUse::clone).unwrap_or_else(|_| DatabaseUse::new());
    USE.scope(of_request, future)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_task_of_its_own_counts_for_its_request() {
        let request = async {
            note_statement();
            tokio::spawn(inherited(async { note_statement() })).await.unwrap();
            tokio::spawn(async { note_statement() }).await.unwrap();
        };
        assert_eq!(of_request(request).await.1, 2);
    }

    #[tokio::test]
    async fn a_request_waits_no_longer_for_many_statements_than_for_one() {
        let waited = Duration::from_millis(30);
        let rest = LONGEST_WAIT.checked_sub(waited).unwrap();
        let request = async {
            let waiting = wait();
            tokio::time::sleep(waited).await;
            drop(waiting);
            let left = tokio::spawn(inherited(async { wait().left })).await.unwrap();
            assert!(left <= rest, "{left:?}");
        };
        of_request(request).await;
        drop(wait());
        assert!(wait().left > rest, "outside a request nothing adds up");
    }
}

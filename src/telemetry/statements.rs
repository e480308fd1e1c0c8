//! How many SQL statements a request took: counted where they are run, read where the request is logged.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

tokio::task_local! {
    static COUNT: Arc<AtomicU64>;
}

/// Runs a future, and tells how many statements were run for it.
pub async fn counted<F: Future>(future: F) -> (F::Output, u64) {
    let count = Arc::new(AtomicU64::new(0));
    let output = COUNT.scope(Arc::clone(&count), future).await;
    (output, count.load(Ordering::Relaxed))
}

/// One more statement for the running request, if there is one.
pub fn note() {
    // Outside a request, as in a command, nobody counts.
    let _ = COUNT.try_with(|count| count.fetch_add(1, Ordering::Relaxed));
}

/// Makes a future that will run in a task of its own count for the request that it is made in.
pub fn inherited<F: Future>(future: F) -> impl Future<Output = F::Output> {
    let count = COUNT.try_with(Arc::clone).unwrap_or_default();
    COUNT.scope(count, future)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_task_of_its_own_counts_for_its_request() {
        let request = async {
            note();
            tokio::spawn(inherited(async { note() })).await.unwrap();
            tokio::spawn(async { note() }).await.unwrap();
        };
        assert_eq!(counted(request).await.1, 2);
    }
}

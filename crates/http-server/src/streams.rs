//! The streams of one HTTP/2 connection: how many are open, and how long each client may take to read its response.
//!
//! hyper spawns a task for each. It sends a response as the client's window allows, and waits for that without a limit.

use std::sync::Arc;
use std::time::Duration;

use hyper::rt::Executor;
use tokio::sync::{SetOnce, watch};
use tokio::time::{sleep, timeout};

tokio::task_local! {
    /// Belongs to the stream that runs in the task.
    static RESPONSE_READY: Arc<SetOnce<()>>;
}

/// The streams of one connection. Clones share state.
#[derive(Debug, Clone)]
pub(super) struct Streams {
    counts: watch::Sender<Counts>,
    response_timeout: Duration,
}

#[derive(Debug, Clone, Copy, Default)]
struct Counts {
    open: usize,
    /// How many more were reset than answered.
    reset: usize,
}

/// A browser resets streams too, when its user navigates away, but it also waits for some responses.
const MAX_RESETS: usize = 100;

impl Streams {
    /// No streams yet. `response_timeout` limits how long a client may take to read a response.
    pub(crate) fn new(response_timeout: Duration) -> Self {
        Self { counts: watch::Sender::default(), response_timeout }
    }

    /// Waits for the first stream.
    pub(crate) async fn first(&self) {
        let _ = self.counts.subscribe().wait_for(|counts| counts.open > 0).await;
    }

    /// Waits until no stream has been open for this long.
    pub(crate) async fn idle(&self, duration: Duration) {
        let mut counts = self.counts.subscribe();
        // The sender is held by `self`, so that waiting cannot fail.
        while counts.wait_for(|counts| counts.open == 0).await.is_ok() {
            if timeout(duration, counts.changed()).await.is_err() {
                return;
            }
        }
    }

    /// Waits until the client has reset too many streams (CVE-2023-44487): the limit on open streams does not count
    /// those.
    pub(crate) async fn reset_too_often(&self) {
        let _ = self.counts.subscribe().wait_for(|counts| counts.reset > MAX_RESETS).await;
    }
}

impl<S: Future<Output = ()> + Send + 'static> Executor<S> for Streams {
    fn execute(&self, stream: S) {
        let open = OpenStream::new(self.counts.clone());
        let response_timeout = self.response_timeout;
        tokio::spawn(RESPONSE_READY.scope(Arc::clone(&open.response_ready), async move {
            let timed_out = async {
                open.response_ready.wait().await;
                sleep(response_timeout).await;
            };
            tokio::select! {
                biased;
                () = stream => {}
                () = timed_out => tracing::debug!("response timed out: the client does not read it"),
            }
        }));
    }
}

/// Counts as open until it is dropped.
struct OpenStream {
    counts: watch::Sender<Counts>,
    response_ready: Arc<SetOnce<()>>,
}

impl OpenStream {
    fn new(counts: watch::Sender<Counts>) -> Self {
        counts.send_modify(|counts| counts.open += 1);
        Self { counts, response_ready: Arc::default() }
    }
}

impl Drop for OpenStream {
    fn drop(&mut self) {
        let is_answered = self.response_ready.initialized();
        self.counts.send_modify(|counts| {
            counts.open -= 1;
            counts.reset = if is_answered { counts.reset.saturating_sub(1) } else { counts.reset + 1 };
        });
    }
}

/// The response of this task's stream is ready: from now on its response timeout runs.
pub(crate) fn response_ready() {
    // Outside of a stream's task no timeout runs.
    let _ = RESPONSE_READY.try_with(|ready| ready.set(()));
}

//! The requests of one HTTP/2 connection: how many are in flight, and how long each answer may take to be read.
//!
//! hyper spawns a task for each. It hands an answer over piece by piece as the client is ready to take them, and waits for
//! that without a limit.

use std::sync::Arc;
use std::time::Duration;

use hyper::rt::Executor;
use tokio::sync::{SetOnce, watch};
use tokio::time::{sleep, timeout};

tokio::task_local! {
    /// Of the stream whose task it is.
    static HAS_ANSWER: Arc<SetOnce<()>>;
}

/// The streams of one connection. Clones are one.
#[derive(Debug, Clone)]
pub(super) struct Streams {
    counts: watch::Sender<Counts>,
    patience: Duration,
}

#[derive(Debug, Clone, Copy, Default)]
struct Counts {
    in_flight: usize,
    /// How many more were taken back than answered.
    taken_back: usize,
}

/// A browser takes requests back too, when its user moves on, but it also waits for some.
const MOST_TAKEN_BACK: usize = 100;

impl Streams {
    /// None yet. `patience` is for reading an answer.
    pub(super) fn new(patience: Duration) -> Self {
        Self { counts: watch::Sender::default(), patience }
    }

    /// Waits until there is one.
    pub(super) async fn begun(&self) {
        let _ = self.counts.subscribe().wait_for(|counts| counts.in_flight > 0).await;
    }

    /// Waits until for so long there has been none.
    pub(super) async fn idle(&self, long: Duration) {
        let mut counts = self.counts.subscribe();
        // The sender is held by `self`, so that waiting cannot fail.
        while counts.wait_for(|counts| counts.in_flight == 0).await.is_ok() {
            if timeout(long, counts.changed()).await.is_err() {
                return;
            }
        }
    }

    /// Waits until the client has made work, and taken it back, too often: it can do that without end, since what it takes
    /// back is no longer in flight.
    pub(super) async fn taken_back_too_often(&self) {
        let _ = self.counts.subscribe().wait_for(|counts| counts.taken_back > MOST_TAKEN_BACK).await;
    }
}

impl<S: Future<Output = ()> + Send + 'static> Executor<S> for Streams {
    fn execute(&self, stream: S) {
        let in_flight = InFlight::new(self.counts.clone());
        let patience = self.patience;
        tokio::spawn(HAS_ANSWER.scope(Arc::clone(&in_flight.has_answer), async move {
            let too_slow = async {
                in_flight.has_answer.wait().await;
                sleep(patience).await;
            };
            tokio::select! {
                biased;
                () = stream => {}
                () = too_slow => tracing::debug!("a client does not read its answer"),
            }
        }));
    }
}

/// One of those in flight, until it is dropped.
struct InFlight {
    counts: watch::Sender<Counts>,
    has_answer: Arc<SetOnce<()>>,
}

impl InFlight {
    fn new(counts: watch::Sender<Counts>) -> Self {
        counts.send_modify(|counts| counts.in_flight += 1);
        Self { counts, has_answer: Arc::default() }
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        let is_answered = self.has_answer.initialized();
        self.counts.send_modify(|counts| {
            counts.in_flight -= 1;
            counts.taken_back = if is_answered { counts.taken_back.saturating_sub(1) } else { counts.taken_back + 1 };
        });
    }
}

/// The stream whose task it is has its answer. From now on its client's patience runs.
pub(super) fn has_answer() {
    // Outside of a stream's task there is none that could be late.
    let _ = HAS_ANSWER.try_with(|has_answer| has_answer.set(()));
}

//! The requests of one HTTP/2 connection: how many are in flight, and how long each answer may take to be read.
//!
//! hyper spawns a task for each. It hands an answer over piece by piece as the client is ready to take them, and waits for
//! that without a limit.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::response::Response;
use hyper::body::{Frame, SizeHint};
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

/// The answer in pieces that hyper hands over one by one, as the client is ready to take them. From now on its patience
/// runs.
pub(super) fn in_pieces(response: Response) -> http::Response<Pieces> {
    // Outside of a stream's task there is none that could be late.
    let _ = HAS_ANSWER.try_with(|has_answer| has_answer.set(()));
    response.map(|body| Pieces { body, rest: Bytes::new() })
}

/// A body whose pieces are small. hyper hands a piece over as soon as the client takes a byte of it, and forgets it.
#[derive(Debug)]
pub(super) struct Pieces {
    body: Body,
    rest: Bytes,
}

/// What one frame holds by default.
const PIECE: usize = 16 * 1024;

impl hyper::body::Body for Pieces {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        if self.rest.is_empty() {
            match Pin::new(&mut self.body).poll_frame(context) {
                Poll::Ready(Some(Ok(frame))) => match frame.into_data() {
                    Ok(data) => self.rest = data,
                    Err(other) => return Poll::Ready(Some(Ok(other))),
                },
                other => return other,
            }
        }
        let length = self.rest.len().min(PIECE);
        Poll::Ready(Some(Ok(Frame::data(self.rest.split_to(length)))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let (rest, body) = (self.rest.len() as u64, self.body.size_hint());
        let mut hint = SizeHint::new();
        hint.set_lower(body.lower() + rest);
        if let Some(upper) = body.upper() {
            hint.set_upper(upper + rest);
        }
        hint
    }
}

//! A request body with a timeout for the whole of it, and the remainder that no handler read.
//!
//! hyper has a timeout for heads alone. A timeout between two frames would not do: one byte now and then would reset
//! it. And hyper closes an HTTP/1.1 connection with an unread body without announcing that in the response.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::BoxError;
use axum::body::Bytes;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use tokio::time::{Sleep, sleep, timeout};

use crate::timeouts::Timeouts;

/// Fails with [`io::ErrorKind::TimedOut`] when the whole body has not arrived in time. The time runs from the first
/// wait.
#[derive(Debug)]
pub(crate) struct DeadlineBody {
    /// `None` after its end.
    body: Option<Incoming>,
    timeout: Duration,
    deadline: Option<Pin<Box<Sleep>>>,
    unread: UnreadBody,
}

/// The remainder of a body that its handler did not read.
#[derive(Debug, Clone)]
pub(crate) struct UnreadBody {
    body: Arc<Mutex<Option<Incoming>>>,
    timeout: Duration,
}

impl DeadlineBody {
    pub(crate) fn new(body: Incoming, timeouts: Timeouts) -> (Self, UnreadBody) {
        let unread = UnreadBody { body: Arc::default(), timeout: timeouts.body_drain };
        (Self { body: Some(body), timeout: timeouts.body, deadline: None, unread: unread.clone() }, unread)
    }
}

impl Drop for DeadlineBody {
    fn drop(&mut self) {
        *self.unread.body.lock().unwrap_or_else(PoisonError::into_inner) = self.body.take();
    }
}

impl UnreadBody {
    /// Reads and drops at most `max_bytes`, unless the client waits for `100 Continue`. Returns whether nothing is
    /// left; otherwise the connection cannot carry another request.
    pub(crate) async fn drain(self, expects_continue: bool, max_bytes: usize) -> bool {
        let unread = self.body.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(mut body) = unread.filter(|body| !body.is_end_stream()) else { return true };
        if expects_continue || body.size_hint().lower() > max_bytes as u64 {
            return false;
        }
        let mut read = 0;
        let end = async {
            while let Some(frame) = poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await {
                read += frame.ok()?.data_ref().map_or(0, Bytes::len);
                if read > max_bytes {
                    return None;
                }
            }
            Some(())
        };
        matches!(timeout(self.timeout, end).await, Ok(Some(())))
    }
}

impl Body for DeadlineBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let Some(body) = &mut self.body else { return Poll::Ready(None) };
        if let Poll::Ready(frame) = Pin::new(body).poll_frame(context) {
            if frame.is_none() {
                self.body = None;
            }
            return Poll::Ready(frame.map(|frame| frame.map_err(Into::into)));
        }
        let timeout = self.timeout;
        let deadline = self.deadline.get_or_insert_with(|| Box::pin(sleep(timeout)));
        ready!(deadline.as_mut().poll(context));
        Poll::Ready(Some(Err(io::Error::from(io::ErrorKind::TimedOut).into())))
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map_or_else(|| SizeHint::with_exact(0), Body::size_hint)
    }
}

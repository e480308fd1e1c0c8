//! A request's body that gives its client a limited time to send it, and what becomes of the part that nobody read.
//!
//! hyper times heads alone. A limit between two pieces would not do either: a byte now and then would keep it waiting. And
//! hyper closes a connection of HTTP/1.1 over which an unread body still comes, without having told the client in the answer.

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

use super::server::Patience;
use crate::front::body::LARGEST_BODY;

/// Fails with [`io::ErrorKind::TimedOut`] when the whole has not come in the given time after it was first waited for.
#[derive(Debug)]
pub(super) struct TimedBody {
    /// None once it has ended.
    body: Option<Incoming>,
    patience: Patience,
    limit: Option<Pin<Box<Sleep>>>,
    rest: Rest,
}

/// What is left of a body when its reader is done.
#[derive(Debug, Clone)]
pub(super) struct Rest {
    body: Arc<Mutex<Option<Incoming>>>,
    patience: Duration,
}

impl TimedBody {
    pub(super) fn new(body: Incoming, patience: Patience) -> (Self, Rest) {
        let rest = Rest { body: Arc::default(), patience: patience.rest };
        (Self { body: Some(body), patience, limit: None, rest: rest.clone() }, rest)
    }
}

impl Drop for TimedBody {
    fn drop(&mut self) {
        *self.rest.body.lock().unwrap_or_else(PoisonError::into_inner) = self.body.take();
    }
}

impl Rest {
    /// Reads it, if a handler would have, if it is there, and unless the client waits to be asked for it. True when nothing is left: if not,
    /// the connection cannot bear another request.
    pub(super) async fn discard(self, waits_to_be_asked: bool) -> bool {
        let rest = self.body.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(mut body) = rest.filter(|body| !body.is_end_stream()) else { return true };
        if waits_to_be_asked || body.size_hint().lower() > LARGEST_BODY as u64 {
            return false;
        }
        let mut read = 0;
        let end = async {
            while let Some(frame) = poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await {
                read += frame.ok()?.data_ref().map_or(0, Bytes::len);
                if read > LARGEST_BODY {
                    return None;
                }
            }
            Some(())
        };
        matches!(timeout(self.patience, end).await, Ok(Some(())))
    }
}

impl Body for TimedBody {
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
        let patience = self.patience.body;
        let limit = self.limit.get_or_insert_with(|| Box::pin(sleep(patience)));
        ready!(limit.as_mut().poll(context));
        Poll::Ready(Some(Err(io::Error::from(io::ErrorKind::TimedOut).into())))
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map_or_else(|| SizeHint::with_exact(0), Body::size_hint)
    }
}

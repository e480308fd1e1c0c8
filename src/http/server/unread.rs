//! Answers that clients have not read yet: how much memory they may hold, those of all connections together, and how they
//! are handed over piece by piece.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes};
use axum::response::{IntoResponse, Response};
use hyper::body::{Body as _, Frame, SizeHint};
use metrics::counter;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::api_error::ApiError;
use crate::front::request_id::X_REQUEST_ID;
use crate::http::files::Shared;
use crate::http::security_headers;
use crate::rest::error::RestError;

/// Answers up to this length are not counted: each connection may have a hundred of them, no more.
const SMALL: u64 = 4 * 1024;

/// All of one server. Clones are one.
#[derive(Debug, Clone)]
pub(super) struct Unread {
    most_kilobytes: u32,
    free: Arc<Semaphore>,
}

impl Unread {
    /// None yet, of at most so many kilobytes.
    pub(super) fn new(most_kilobytes: u32) -> Self {
        Self { most_kilobytes, free: Arc::new(Semaphore::new(most_kilobytes as usize)) }
    }

    /// An answer that is counted until its client has read it, or that there is no memory for it. It is handed over in
    /// pieces of so many bytes, as the client is ready to take them.
    pub(super) fn hold(&self, response: Response, piece: usize) -> http::Response<Pieces> {
        let length = response.body().size_hint().lower();
        if length <= SMALL || response.extensions().get::<Shared>().is_some() {
            return response.map(|body| Pieces { body, rest: Bytes::new(), piece, _held: None });
        }
        // The largest of all may take everything, when nothing else waits.
        let kilobytes = u32::try_from(length / 1024 + 1).unwrap_or(u32::MAX).min(self.most_kilobytes);
        let (response, held) = match Arc::clone(&self.free).try_acquire_many_owned(kilobytes) {
            Ok(held) => (response, Some(held)),
            Err(_) => (no_memory(&response), None),
        };
        response.map(|body| Pieces { body, rest: Bytes::new(), piece, _held: held })
    }
}

fn no_memory(response: &Response) -> Response {
    counter!("http_requests_shed_total").increment(1);
    tracing::warn!("an answer was not sent: too many others are not read");
    let mut refusal = RestError::from(ApiError::overloaded()).into_response();
    if let Some(id) = response.headers().get(X_REQUEST_ID) {
        refusal.headers_mut().insert(X_REQUEST_ID, id.clone());
    }
    security_headers::add(refusal.headers_mut());
    refusal
}

/// A body whose pieces are small. hyper takes a piece as soon as the client takes a byte of it, and forgets it.
#[derive(Debug)]
pub(super) struct Pieces {
    body: Body,
    rest: Bytes,
    piece: usize,
    _held: Option<OwnedSemaphorePermit>,
}

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
        let length = self.rest.len().min(self.piece);
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

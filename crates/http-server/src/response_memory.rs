//! A bound on the memory of responses that clients have not read yet, over all connections together.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes};
use axum::response::Response;
use hyper::body::{Body as _, Frame, SizeHint};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The usual bound: more than clients that read ever need, and less than a machine has.
pub const DEFAULT_RESPONSE_MEMORY_KIB: u32 = 1024 * 1024;

/// Responses up to this length are not counted: a connection has at most a hundred of them.
const UNCOUNTED_BYTES: u64 = 4 * 1024;

/// Among a response's extensions: all such responses share one body in memory, which is not counted.
#[derive(Debug, Clone, Copy)]
pub struct StaticBody;

/// The response memory of one server. Clones share it.
#[derive(Debug, Clone)]
pub struct ResponseMemory {
    max_kib: u32,
    free_kib: Arc<Semaphore>,
    exceeded: fn(&Response) -> Response,
}

impl ResponseMemory {
    pub(crate) fn new(max_kib: u32, exceeded: fn(&Response) -> Response) -> Self {
        Self { max_kib, free_kib: Arc::new(Semaphore::new(max_kib as usize)), exceeded }
    }

    /// Counts a response until its client has read it, or replaces it when it exceeds the bound. hyper receives the
    /// body in chunks of at most `chunk_bytes`, as the client reads.
    pub(crate) fn reserve(&self, response: Response, chunk_bytes: usize) -> http::Response<ChunkedBody> {
        let chunked = |body, permit| ChunkedBody { body, chunk: Bytes::new(), chunk_bytes, _permit: permit };
        let length = response.body().size_hint().lower();
        if length <= UNCOUNTED_BYTES || response.extensions().get::<StaticBody>().is_some() {
            return response.map(|body| chunked(body, None));
        }
        // A response larger than the bound may take all of it, when no other is unread.
        let kib = u32::try_from(length / 1024 + 1).unwrap_or(u32::MAX).min(self.max_kib);
        if let Ok(permit) = Arc::clone(&self.free_kib).try_acquire_many_owned(kib) {
            return response.map(|body| chunked(body, Some(permit)));
        }
        tracing::warn!(max_kib = self.max_kib, "response dropped: response memory limit reached");
        (self.exceeded)(&response).map(|body| chunked(body, None))
    }
}

/// A body in small chunks. hyper takes the next chunk as soon as the client has read a byte of the last one.
#[derive(Debug)]
pub(crate) struct ChunkedBody {
    body: Body,
    /// The remainder of the body's last frame.
    chunk: Bytes,
    chunk_bytes: usize,
    _permit: Option<OwnedSemaphorePermit>,
}

impl hyper::body::Body for ChunkedBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        if self.chunk.is_empty() {
            match Pin::new(&mut self.body).poll_frame(context) {
                Poll::Ready(Some(Ok(frame))) => match frame.into_data() {
                    Ok(data) => self.chunk = data,
                    Err(other) => return Poll::Ready(Some(Ok(other))),
                },
                other => return other,
            }
        }
        let length = self.chunk.len().min(self.chunk_bytes);
        Poll::Ready(Some(Ok(Frame::data(self.chunk.split_to(length)))))
    }

    fn is_end_stream(&self) -> bool {
        self.chunk.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let (buffered, body) = (self.chunk.len() as u64, self.body.size_hint());
        let mut hint = SizeHint::new();
        hint.set_lower(body.lower() + buffered);
        if let Some(upper) = body.upper() {
            hint.set_upper(upper + buffered);
        }
        hint
    }
}

//! A TCP stream that gives a client a limited time to read an answer, and to take its leave.
//!
//! hyper times how long a client takes to send a head, but waits for ever for one that does not read. It closes with what
//! it has not read, which takes away from the client what that one has not read.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Sleep, sleep};

use super::server::Patience;

/// Fails with [`io::ErrorKind::TimedOut`] once an answer that got stuck is not on its way after the given time. Reading a
/// byte now and then does not prolong it.
#[derive(Debug)]
pub(super) struct TimedStream {
    stream: TcpStream,
    patience: Patience,
    /// What was read to see how the stream begins.
    unread: Vec<u8>,
    /// Runs from the first time that an answer gets stuck until the whole of it is handed to the system.
    answer: Option<Pin<Box<Sleep>>>,
    /// Runs from the moment that the client was told that nothing more comes.
    farewell: Option<Pin<Box<Sleep>>>,
}

impl TimedStream {
    pub(super) fn new(stream: TcpStream, patience: Patience) -> Self {
        Self { stream, patience, unread: Vec::new(), answer: None, farewell: None }
    }

    /// Whether the first bytes are these. Waits for no more of them than it takes to tell, and leaves them to be read.
    pub(super) async fn begins_with(&mut self, expected: &[u8]) -> io::Result<bool> {
        while self.unread.len() < expected.len() && expected.starts_with(&self.unread) {
            let missing = expected.len() - self.unread.len();
            if (&mut self.stream).take(missing as u64).read_buf(&mut self.unread).await? == 0 {
                return Ok(false);
            }
        }
        Ok(self.unread == expected)
    }

    fn unless_too_slow<T>(&mut self, written: Poll<io::Result<T>>, context: &mut Context<'_>) -> Poll<io::Result<T>> {
        if written.is_ready() {
            return written;
        }
        let patience = self.patience.answer;
        let limit = self.answer.get_or_insert_with(|| Box::pin(sleep(patience)));
        limit.as_mut().poll(context).map(|()| Err(io::ErrorKind::TimedOut.into()))
    }
}

impl AsyncRead for TimedStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.unread.is_empty() {
            return Pin::new(&mut self.stream).poll_read(context, buffer);
        }
        let length = buffer.remaining().min(self.unread.len());
        buffer.put_slice(&self.unread[..length]);
        self.unread.drain(..length);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for TimedStream {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.unless_too_slow(written, context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        self.unless_too_slow(written, context)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    /// hyper flushes when it has written all that it had.
    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.answer = None;
        Pin::new(&mut self.stream).poll_flush(context)
    }

    /// Says that nothing more comes, and then reads what still does until the client closes its end too: closing with
    /// something unread resets the connection, and the client loses the end of its answer.
    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut limit = if let Some(limit) = self.farewell.take() {
            limit
        } else {
            ready!(Pin::new(&mut self.stream).poll_shutdown(context))?;
            Box::pin(sleep(self.patience.farewell))
        };
        let mut ignored = [0; 4096];
        loop {
            if limit.as_mut().poll(context).is_ready() {
                return Poll::Ready(Ok(()));
            }
            let mut buffer = ReadBuf::new(&mut ignored);
            match Pin::new(&mut self.stream).poll_read(context, &mut buffer) {
                Poll::Ready(Ok(())) if !buffer.filled().is_empty() => {}
                // Closed, or broken: it is over either way.
                Poll::Ready(_) => return Poll::Ready(Ok(())),
                Poll::Pending => {
                    self.farewell = Some(limit);
                    return Poll::Pending;
                }
            }
        }
    }
}

//! A TCP stream with a timeout for reading a response, and a lingering close.
//!
//! hyper waits for ever for a client that does not read. It also closes a socket that still holds unread request bytes,
//! which resets the connection and discards the response bytes that the client has not read.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Sleep, sleep};

use crate::timeouts::Timeouts;

/// Fails with [`io::ErrorKind::TimedOut`] when a blocked response is not written in time. Reading a byte now and then
/// does not extend the time.
#[derive(Debug)]
pub(crate) struct WriteTimeoutStream {
    stream: TcpStream,
    timeouts: Timeouts,
    /// Bytes read to detect the protocol.
    peeked: Vec<u8>,
    /// Runs from the first blocked write of a response until all of it is in the socket buffer.
    write_deadline: Option<Pin<Box<Sleep>>>,
    /// Runs from the end of the last response until the client closes its side.
    linger_deadline: Option<Pin<Box<Sleep>>>,
}

impl WriteTimeoutStream {
    pub(crate) fn new(stream: TcpStream, timeouts: Timeouts) -> Self {
        Self { stream, timeouts, peeked: Vec::new(), write_deadline: None, linger_deadline: None }
    }

    /// Whether the first bytes are these. Waits for no more bytes than the answer needs, and leaves them to be read.
    pub(crate) async fn begins_with(&mut self, expected: &[u8]) -> io::Result<bool> {
        while self.peeked.len() < expected.len() && expected.starts_with(&self.peeked) {
            let missing = expected.len() - self.peeked.len();
            if (&mut self.stream).take(missing as u64).read_buf(&mut self.peeked).await? == 0 {
                return Ok(false);
            }
        }
        Ok(self.peeked == expected)
    }

    fn within_timeout<T>(&mut self, written: Poll<io::Result<T>>, context: &mut Context<'_>) -> Poll<io::Result<T>> {
        if written.is_ready() {
            return written;
        }
        let timeout = self.timeouts.response;
        let deadline = self.write_deadline.get_or_insert_with(|| Box::pin(sleep(timeout)));
        deadline.as_mut().poll(context).map(|()| Err(io::ErrorKind::TimedOut.into()))
    }
}

impl AsyncRead for WriteTimeoutStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.peeked.is_empty() {
            return Pin::new(&mut self.stream).poll_read(context, buffer);
        }
        let length = buffer.remaining().min(self.peeked.len());
        buffer.put_slice(&self.peeked[..length]);
        self.peeked.drain(..length);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for WriteTimeoutStream {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.within_timeout(written, context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        self.within_timeout(written, context)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    /// hyper flushes after it has written all it had.
    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.write_deadline = None;
        Pin::new(&mut self.stream).poll_flush(context)
    }

    /// Closes the write side, then reads and drops until the client closes its side too: closing with unread bytes
    /// resets the connection, and the client loses the end of its response.
    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut deadline = if let Some(deadline) = self.linger_deadline.take() {
            deadline
        } else {
            ready!(Pin::new(&mut self.stream).poll_shutdown(context))?;
            Box::pin(sleep(self.timeouts.linger))
        };
        let mut ignored = [0; 4096];
        loop {
            if deadline.as_mut().poll(context).is_ready() {
                return Poll::Ready(Ok(()));
            }
            let mut buffer = ReadBuf::new(&mut ignored);
            match Pin::new(&mut self.stream).poll_read(context, &mut buffer) {
                Poll::Ready(Ok(())) if !buffer.filled().is_empty() => {}
                // Closed or reset.
                Poll::Ready(_) => return Poll::Ready(Ok(())),
                Poll::Pending => {
                    self.linger_deadline = Some(deadline);
                    return Poll::Pending;
                }
            }
        }
    }
}

//! Serving: accepts connections, gives slow clients a limited time, and ends in order.
//!
//! `axum::serve` waits for ever for a client that sends its head slowly, that does not read, or that does not end; hence the
//! loop over hyper. Knows nothing of the routes.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::time::Duration;

use axum::Router;
use http::header::{CONNECTION, HeaderValue};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until};
use tower::Service;

use super::stop::Stop;
use super::timed_body::TimedBody;
use super::timed_stream::TimedStream;
use crate::config::ShutdownConfig;
use crate::front::client_address::Peer;

/// How long a client may take.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// For a request's head, from the moment that one is awaited: it ends idle connections too.
    pub head: Duration,
    /// For sending the whole of a request's body.
    pub body: Duration,
    /// For reading an answer that does not fit into the system's buffers.
    pub answer: Duration,
    /// For one more request over an open connection, once no new ones are accepted. It may be on its way, and closing at
    /// once would break it; its answer says `Connection: close`.
    pub last_request: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            head: Duration::from_secs(20),
            body: Duration::from_secs(20),
            answer: Duration::from_secs(25),
            last_request: Duration::from_millis(500),
        }
    }
}

const LARGEST_HEAD: usize = 64 * 1024;

/// Connections that the system may have accepted before this program has: room for a burst of clients.
const BACKLOG: u32 = 1024;

/// Takes an address, so that from now on clients may connect. Port 0 takes a free one.
///
/// # Errors
/// The address is taken, or is not this machine's.
pub fn listen(address: SocketAddr) -> io::Result<std::net::TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // A restart need not wait for the connections of the process before.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)?.into_std()
}

/// Answers requests until `stop` begins, and then ends within `shutdown`: for its delay new connections are still accepted,
/// then what is in flight is finished, and what is not finished in time is cut off.
///
/// # Errors
/// The listener is not usable.
pub async fn serve(
    listener: std::net::TcpListener,
    router: Router,
    patience: Patience,
    shutdown: ShutdownConfig,
    stop: Stop,
) -> io::Result<()> {
    listener.set_nonblocking(true)?;
    let listener = TcpListener::from_std(listener)?;
    let closing = watch::Sender::new(Closing::No);
    let mut connections = JoinSet::new();

    let mut last_accept = pin!(delayed(&stop, shutdown.delay));
    let stopped_at = loop {
        tokio::select! {
            // In this order, so that a connection that the system has accepted for us is not dropped at the end.
            biased;
            (stream, peer) = accept(&listener) => {
                connections.spawn(answer(stream, peer, router.clone(), patience, closing.subscribe()));
            }
            stopped_at = &mut last_accept => break stopped_at,
            Some(_) = connections.join_next() => {}
        }
    };
    drop(listener);
    // Not earlier: clients that are told to close come back at once, and would be dropped in the middle of that.
    closing.send_replace(Closing::AfterNextAnswer);

    let deadline = stopped_at + finishing_time(shutdown);
    let finished = async {
        tokio::select! {
            () = all(&mut connections) => {}
            () = sleep(patience.last_request) => {}
        }
        closing.send_replace(Closing::Now);
        all(&mut connections).await;
    };
    let is_finished = tokio::select! {
        () = finished => true,
        () = sleep_until(deadline) => false,
        () = stop.asked_at_once() => false,
    };
    if !is_finished {
        tracing::warn!(connections = connections.len(), "cut off what was not finished in time");
    }
    Ok(())
}

/// Ends when the stop's delay is over, and tells when the stop began.
async fn delayed(stop: &Stop, delay: Duration) -> Instant {
    let stopped_at = stop.begun().await;
    tokio::select! {
        () = sleep(delay) => {}
        () = stop.asked_at_once() => {}
    }
    stopped_at
}

/// How long what is in flight may take to finish once the stop has begun: the limit, less a little that the rest of the
/// program needs to end in.
#[must_use]
pub fn finishing_time(shutdown: ShutdownConfig) -> Duration {
    shutdown.timeout.saturating_sub((shutdown.timeout / 10).min(Duration::from_millis(500)))
}

async fn all(connections: &mut JoinSet<()>) {
    while connections.join_next().await.is_some() {}
}

async fn accept(listener: &TcpListener) -> (TcpStream, Peer) {
    loop {
        match listener.accept().await {
            Ok((stream, address)) => return (stream, Peer(address.ip())),
            // Of this client alone.
            Err(error) if matches!(error.kind(), io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset) => {
            }
            // Most likely out of file descriptors: the next try fails as well, until some connection ends.
            Err(error) => {
                tracing::warn!(%error, "cannot accept connections");
                sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

/// When open connections are closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Closing {
    No,
    AfterNextAnswer,
    /// Those without a request; the others after their answer.
    Now,
}

/// Answers the requests of one connection.
async fn answer(
    stream: TcpStream,
    peer: Peer,
    router: Router,
    patience: Patience,
    mut closing: watch::Receiver<Closing>,
) {
    // Without it, small answers wait for the client's acknowledgements. The connection works if the system refuses.
    let _ = stream.set_nodelay(true);
    let heard = closing.clone();
    let service = service_fn(|mut request: hyper::Request<Incoming>| {
        request.extensions_mut().insert(peer);
        let answer = router.clone().call(request.map(|body| TimedBody::new(body, patience.body)));
        let closing = &heard;
        async move {
            let mut response = answer.await?;
            if *closing.borrow() > Closing::No {
                response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
            }
            Ok::<_, Infallible>(response)
        }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(patience.head)
        .max_header_size(LARGEST_HEAD)
        .serve_connection(TokioIo::new(TimedStream::new(stream, patience.answer)), service);
    let mut connection = pin!(connection);
    let is_time_to_close = async {
        // The other end outlives the connections.
        let _ = closing.wait_for(|closing| *closing == Closing::Now).await;
    };
    let ended = tokio::select! {
        biased;
        ended = connection.as_mut() => ended,
        () = is_time_to_close => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "connection ended early");
    }
}

#[cfg(test)]
mod tests;

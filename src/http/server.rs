//! Serving: accepts connections, gives slow clients a limited time, and ends in order.
//!
//! `axum::serve` waits for ever for a client that sends its head slowly, that does not read, or that does not end; hence the
//! loop over hyper, and why more connections are never taken than there is room for (`room`), nor more answers kept than memory is meant for (`unread`). `connection` is one connection of either protocol, `http2` and `streams` what HTTP/2 needs besides.
//! Knows nothing of the routes.

use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::time::Duration;

use axum::Router;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until};

use super::stop::Stop;
use crate::config::ShutdownConfig;
use crate::front::client_address::Peer;
use connection::{Client, Closing, answer};
pub use room::allow_open_files;
use room::{HURRY, Room};
use unread::Unread;

/// How long a client may take.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// For the first bytes of a connection, which tell its protocol.
    pub first_bytes: Duration,
    /// For a request's head, from the moment that one is awaited: it ends idle connections too.
    pub head: Duration,
    /// For sending the whole of a request's body.
    pub body: Duration,
    /// For sending the rest of a body that nobody wants, so that the connection can be kept. It may be 40 ms late, since the
    /// client's system waits for ours, and ours for more.
    pub rest: Duration,
    /// For reading an answer that does not fit into the system's buffers, or into what the client is ready to take.
    pub answer: Duration,
    /// For one more request over an open connection of HTTP/1.1, once no new ones are accepted. It may be on its way, and
    /// closing at once would break it; its answer says `Connection: close`.
    pub last_request: Duration,
    /// For closing its own end once it was told that nothing more comes.
    pub farewell: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            first_bytes: Duration::from_secs(10),
            head: Duration::from_secs(20),
            body: Duration::from_secs(20),
            rest: Duration::from_millis(100),
            answer: Duration::from_secs(25),
            last_request: Duration::from_millis(500),
            farewell: Duration::from_secs(2),
        }
    }
}

/// What a server is told by the configuration.
#[derive(Debug, Clone, Copy)]
pub struct ServerSettings {
    /// How long clients may take.
    pub patience: Patience,
    /// How many connections they may have open.
    pub max_connections: usize,
    /// How much memory answers may hold that they have not read, in kilobytes.
    pub max_unread_kilobytes: u32,
    /// How it ends.
    pub shutdown: ShutdownConfig,
}

/// What is usual: more than clients that read ever need at once, and less than a machine has.
pub const MAX_UNREAD_KILOBYTES: u32 = 1024 * 1024;

/// Connections that the system may have accepted before this program has: room for a burst of clients.
const BACKLOG: u32 = 1024;

/// How long those that the system has accepted are taken once no more are wanted.
const BACKLOG_TIME: Duration = Duration::from_millis(500);

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

/// Answers requests until `stop` begins, and then ends within the limit: for its delay new connections are still accepted,
/// then what is in flight is finished, and what is not finished in time is cut off.
///
/// # Errors
/// The listener is not usable.
pub async fn serve(
    listener: std::net::TcpListener,
    router: Router,
    settings: ServerSettings,
    stop: Stop,
) -> io::Result<()> {
    let ServerSettings { patience, max_connections, max_unread_kilobytes, shutdown } = settings;
    listener.set_nonblocking(true)?;
    let listener = TcpListener::from_std(listener)?;
    let closing = watch::Sender::new(Closing::No);
    // Each connection that there is no room for gets one answer.
    let closing_refused = watch::Sender::new(Closing::AfterNextAnswer);
    let mut room = Room::new(max_connections);
    let unread = Unread::new(max_unread_kilobytes);
    let mut connections = JoinSet::new();

    let mut last_accept = pin!(delayed(&stop, shutdown.delay));
    let stopped_at = loop {
        tokio::select! {
            // In this order, so that a connection that the system has accepted for us is not dropped at the end.
            biased;
            (stream, peer) = accept(&listener) => {
                // A flood of them would never let the other branches be heard.
                if let Some(stopped_at) = stop.began_at()
                    && (stopped_at.elapsed() > shutdown.delay + BACKLOG_TIME || stop.is_at_once())
                {
                    break stopped_at;
                }
                while connections.try_join_next().is_some() {}
                let Some(seat) = room.one_more() else { continue };
                let (patience, closing) =
                    if seat.is_refused() { (HURRY, &closing_refused) } else { (patience, &closing) };
                let client = Client { peer, seat, patience, unread: unread.clone() };
                connections.spawn(answer(stream, client, router.clone(), closing.subscribe()));
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
        closing_refused.send_replace(Closing::Now);
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

mod connection;
mod http2;
mod room;
mod streams;
#[cfg(test)]
mod tests;
mod unread;

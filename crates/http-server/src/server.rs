//! The accept loop, and the order of graceful shutdown.

use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::time::Duration;

use axum::Router;
use axum::response::Response;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until};

use crate::connection::{Connection, serve_connection};
use crate::connection_limit::ConnectionLimiter;
use crate::requests::Peer;
use crate::response_memory::ResponseMemory;
use crate::shutdown::{Shutdown, ShutdownPhase, ShutdownSettings};
use crate::timeouts::Timeouts;

/// Limits and timeouts of one server.
#[derive(Debug, Clone, Copy)]
pub struct ServerSettings {
    /// How long clients may take.
    pub timeouts: Timeouts,
    /// Maximum open connections.
    pub max_connections: usize,
    /// Maximum size of a request body, in bytes. A larger one that the handler did not read is not drained either.
    pub max_request_body: usize,
    /// Maximum memory of responses that clients have not read, in KiB.
    pub max_response_memory_kib: u32,
    /// Replaces a response that exceeds the response memory.
    pub response_memory_exceeded: fn(&Response) -> Response,
    /// How long shutdown may take.
    pub shutdown: ShutdownSettings,
}

/// Connections that the system accepts before this program does: enough for a burst of clients.
const LISTEN_BACKLOG: u32 = 1024;

/// How long connections in the listen backlog are accepted after the shutdown delay.
const BACKLOG_TIMEOUT: Duration = Duration::from_millis(500);

/// The pause after `accept` failed.
const ACCEPT_RETRY_INTERVAL: Duration = Duration::from_millis(100);

/// Binds an address; from now on clients can connect. Port 0 takes a free one.
///
/// # Errors
/// The address is in use, or does not belong to this machine.
pub fn listen(address: SocketAddr) -> io::Result<std::net::TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // A restart need not wait for connections of the previous process.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(LISTEN_BACKLOG)?.into_std()
}

/// Serves requests until `shutdown` starts, then shuts down within its timeout: it accepts connections during the
/// delay, finishes requests in flight, and aborts what exceeds the timeout.
///
/// # Errors
/// The listener is not usable.
pub async fn serve(
    listener: std::net::TcpListener,
    router: Router,
    settings: ServerSettings,
    shutdown: Shutdown,
) -> io::Result<()> {
    let ServerSettings { timeouts, max_connections, shutdown: limits, .. } = settings;
    listener.set_nonblocking(true)?;
    let listener = TcpListener::from_std(listener)?;
    let phase = watch::Sender::new(ShutdownPhase::Serving);
    // A connection beyond the limit gets one response.
    let overflow_phase = watch::Sender::new(ShutdownPhase::AfterNextResponse);
    let mut limiter = ConnectionLimiter::new(max_connections);
    let memory = ResponseMemory::new(settings.max_response_memory_kib, settings.response_memory_exceeded);
    let mut connections = JoinSet::new();

    let mut last_accept = pin!(delayed(&shutdown, limits.delay));
    let started_at = loop {
        tokio::select! {
            // In this order, so that a connection from the listen backlog is not dropped during shutdown.
            biased;
            (stream, peer) = accept(&listener) => {
                // A flood of connections would starve the other branches.
                if let Some(started_at) = shutdown.started_at()
                    && (started_at.elapsed() > limits.delay + BACKLOG_TIMEOUT || shutdown.is_forced())
                {
                    break started_at;
                }
                while connections.try_join_next().is_some() {}
                let Some(permit) = limiter.try_acquire() else { continue };
                let (timeouts, phase) =
                    if permit.is_overflow() { (Timeouts::OVERFLOW, &overflow_phase) } else { (timeouts, &phase) };
                let connection = Connection {
                    peer,
                    permit,
                    timeouts,
                    memory: memory.clone(),
                    max_request_body: settings.max_request_body,
                };
                connections.spawn(serve_connection(stream, connection, router.clone(), phase.subscribe()));
            }
            started_at = &mut last_accept => break started_at,
            Some(_) = connections.join_next() => {}
        }
    };
    drop(listener);
    // Not earlier: a client that must close reconnects at once, and the listener would drop it half-way.
    phase.send_replace(ShutdownPhase::AfterNextResponse);

    let deadline = started_at + limits.drain_time();
    let drained = async {
        tokio::select! {
            () = all(&mut connections) => {}
            () = sleep(timeouts.last_request) => {}
        }
        phase.send_replace(ShutdownPhase::Now);
        overflow_phase.send_replace(ShutdownPhase::Now);
        all(&mut connections).await;
    };
    let is_drained = tokio::select! {
        () = drained => true,
        () = sleep_until(deadline) => false,
        () = shutdown.forced() => false,
    };
    if !is_drained {
        tracing::warn!(connections = connections.len(), "shutdown timeout: connections aborted");
    }
    Ok(())
}

/// Waits until the shutdown delay is over, and returns when the shutdown started.
async fn delayed(shutdown: &Shutdown, delay: Duration) -> Instant {
    let started_at = shutdown.started().await;
    tokio::select! {
        () = sleep(delay) => {}
        () = shutdown.forced() => {}
    }
    started_at
}

async fn all(connections: &mut JoinSet<()>) {
    while connections.join_next().await.is_some() {}
}

async fn accept(listener: &TcpListener) -> (TcpStream, Peer) {
    loop {
        match listener.accept().await {
            Ok((stream, address)) => return (stream, Peer(address.ip())),
            // Concerns this client alone.
            Err(error) if matches!(error.kind(), io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset) => {
            }
            // Most likely out of file descriptors: the next attempt fails as well, until a connection closes.
            Err(error) => {
                tracing::warn!(%error, "accept failed");
                sleep(ACCEPT_RETRY_INTERVAL).await;
            }
        }
    }
}

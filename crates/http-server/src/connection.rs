//! One connection: detects its protocol, and serves it.
//!
//! HTTP/2 comes without TLS, so that a client cannot negotiate it by ALPN: it sends the preface (RFC 9113, 3.3).

use std::io;

use axum::Router;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::timeout;

use crate::connection_limit::ConnectionPermit;
use crate::requests::{Peer, Requests};
use crate::response_memory::ResponseMemory;
use crate::shutdown::ShutdownPhase;
use crate::timeouts::Timeouts;
use crate::write_timeout_stream::WriteTimeoutStream;
use crate::{http1, http2};

/// The first bytes of an HTTP/2 client; no HTTP/1.1 client sends them.
const HTTP_2_PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// An accepted connection and its limits.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) peer: Peer,
    pub(crate) permit: ConnectionPermit,
    pub(crate) timeouts: Timeouts,
    pub(crate) memory: ResponseMemory,
    pub(crate) max_request_body: usize,
}

/// Serves the requests of one connection until it ends.
pub(crate) async fn serve_connection(
    stream: TcpStream,
    connection: Connection,
    router: Router,
    mut phase: watch::Receiver<ShutdownPhase>,
) {
    let Connection { peer, permit, timeouts, memory, max_request_body } = connection;
    // Otherwise small responses wait for the client's acknowledgements. The connection works without it too.
    let _ = stream.set_nodelay(true);
    let mut stream = WriteTimeoutStream::new(stream, timeouts);
    let is_http_2 = tokio::select! {
        detected = timeout(timeouts.protocol_detection, stream.begins_with(HTTP_2_PREFACE)) => detected,
        // No request has arrived.
        () = ShutdownPhase::Now.reached(&mut phase) => return,
    };
    let requests = Requests { router, peer, is_overflow: permit.is_overflow(), timeouts, memory, max_request_body };
    let served = match is_http_2.unwrap_or(Err(io::ErrorKind::TimedOut.into())) {
        Ok(true) => http2::serve(stream, requests, phase).await,
        Ok(false) => http1::serve(stream, requests, phase).await,
        Err(error) => return tracing::debug!(%error, "connection closed before the first request"),
    };
    if let Err(error) = served {
        tracing::debug!(%error, "connection closed early");
    }
}

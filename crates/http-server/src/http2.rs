//! HTTP/2: its limits, and how a connection closes.
//!
//! One connection carries many requests: timeouts count for each stream (`streams`), buffers for the connection.

use std::convert::Infallible;
use std::pin::pin;
use std::time::Duration;

use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::sync::watch;

use crate::http1::MAX_HEAD_BYTES;
use crate::requests::Requests;
use crate::shutdown::ShutdownPhase;
use crate::streams::{Streams, response_ready};
use crate::write_timeout_stream::WriteTimeoutStream;

/// Requests in flight on one connection; the minimum that RFC 9113 recommends.
const MAX_STREAMS: u32 = 100;

/// Flow-control windows: unread bytes of one request body, and of all on a connection.
const STREAM_WINDOW: u32 = 256 * 1024;
const CONNECTION_WINDOW: u32 = 1024 * 1024;

/// Bytes of one response that may wait to be sent.
const MAX_SEND_BUFFER: usize = 64 * 1024;

/// The default frame size.
const FRAME_BYTES: usize = 16 * 1024;

/// Streams that a client may reset before the server accepts them, and errors it may cause, before the connection
/// closes. `streams` counts those it resets later.
const MAX_PENDING_RESETS: usize = 20;
const MAX_LOCAL_ERROR_RESETS: usize = 100;

/// The keep-alive ping: how often, and how long the client may take to acknowledge it.
const PING_INTERVAL: Duration = Duration::from_secs(10);
const PING_TIMEOUT: Duration = Duration::from_secs(10);

/// Serves the requests of one connection.
pub(crate) async fn serve(
    stream: WriteTimeoutStream,
    requests: Requests,
    mut phase: watch::Receiver<ShutdownPhase>,
) -> hyper::Result<()> {
    let (timeouts, is_overflow) = (requests.timeouts, requests.is_overflow);
    let streams = Streams::new(timeouts.response);
    let service = service_fn(|request| {
        let response = requests.respond(request);
        let memory = requests.memory.clone();
        async move {
            let response = response.await?;
            response_ready();
            Ok::<_, Infallible>(memory.reserve(response, FRAME_BYTES))
        }
    });
    let connection = http2::Builder::new(streams.clone())
        .timer(TokioTimer::new())
        .max_concurrent_streams(MAX_STREAMS)
        .max_header_list_size(MAX_HEAD_BYTES)
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_send_buf_size(MAX_SEND_BUFFER)
        .max_pending_accept_reset_streams(MAX_PENDING_RESETS)
        .max_local_error_reset_streams(MAX_LOCAL_ERROR_RESETS)
        .keep_alive_interval(PING_INTERVAL)
        .keep_alive_timeout(PING_TIMEOUT)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = pin!(connection);
    tokio::select! {
        biased;
        closed = connection.as_mut() => return closed,
        () = streams.idle(timeouts.head) => {}
        () = streams.reset_too_often() => {
            tracing::debug!("rapid reset: connection closed");
            return Ok(());
        }
        // GOAWAY lets the client finish its open streams, and loses no request on its way.
        () = async {
            // Wait for the first request before sending GOAWAY, so that the client receives the 503.
            if is_overflow {
                streams.first().await;
            }
            ShutdownPhase::AfterNextResponse.reached(&mut phase).await;
        } => {}
    }
    connection.as_mut().graceful_shutdown();
    tokio::select! {
        biased;
        closed = connection.as_mut() => closed,
        // The peer never acknowledged the GOAWAY.
        () = streams.idle(timeouts.linger) => Ok(()),
    }
}

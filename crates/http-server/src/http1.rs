//! HTTP/1.1: its limits, and how a connection closes during shutdown.

use std::convert::Infallible;
use std::pin::pin;

use http::header::{CONNECTION, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::sync::watch;

use crate::requests::Requests;
use crate::shutdown::ShutdownPhase;
use crate::write_timeout_stream::WriteTimeoutStream;

/// Maximum size of a request head, in bytes, over either protocol.
pub(crate) const MAX_HEAD_BYTES: u32 = 64 * 1024;

/// How many bytes of a response hyper takes at a time. It buffers a few such chunks.
const CHUNK_BYTES: usize = 128 * 1024;

/// Serves the requests of one connection.
pub(crate) async fn serve(
    stream: WriteTimeoutStream,
    requests: Requests,
    mut phase: watch::Receiver<ShutdownPhase>,
) -> hyper::Result<()> {
    let current_phase = phase.clone();
    let service = service_fn(|request| {
        let response = requests.respond(request);
        let (phase, memory) = (&current_phase, &requests.memory);
        async move {
            let mut response = response.await?;
            if *phase.borrow() > ShutdownPhase::Serving {
                response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
            }
            Ok::<_, Infallible>(memory.reserve(response, CHUNK_BYTES))
        }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(requests.timeouts.head)
        .max_header_size(MAX_HEAD_BYTES as usize)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = pin!(connection);
    tokio::select! {
        biased;
        closed = connection.as_mut() => closed,
        () = ShutdownPhase::Now.reached(&mut phase) => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    }
}

//! HTTP/2: its limits, and its end.
//!
//! One connection bears many requests, so that what a client may take is counted by request (`streams`), and what it may
//! hold by connection.

use std::convert::Infallible;
use std::pin::pin;
use std::time::Duration;

use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::sync::watch;

use super::super::timed_stream::TimedStream;
use super::Patience;
use super::connection::{Closing, LARGEST_HEAD, Requests, is_time_for};
use super::streams::{Streams, has_answer};

/// How many requests a connection may have in flight; the fewest that RFC 9113 recommends.
const MOST_STREAMS: u32 = 100;

/// How much of its requests' bodies a client may send before anybody reads them: of one, and of all together.
const STREAM_WINDOW: u32 = 256 * 1024;
const CONNECTION_WINDOW: u32 = 1024 * 1024;

/// How much of one answer may wait for being sent.
const LARGEST_SEND_BUFFER: usize = 64 * 1024;

/// What one frame holds by default.
const FRAME: usize = 16 * 1024;

/// How many requests a client may take back before they were even looked at, and how many errors it may make; a client that
/// goes on is told to leave. Those it takes back later are counted by `streams`.
const MOST_PENDING_RESETS: usize = 20;
const MOST_ERRORS: usize = 100;

/// How often a client is asked whether it is still there, and how long it may take to say so.
const PING_INTERVAL: Duration = Duration::from_secs(10);
const PING_PATIENCE: Duration = Duration::from_secs(10);

/// Answers the requests of one connection.
pub(super) async fn serve(
    stream: TimedStream,
    requests: Requests,
    patience: Patience,
    mut closing: watch::Receiver<Closing>,
) -> hyper::Result<()> {
    let streams = Streams::new(patience.answer);
    let is_refused = requests.is_refused();
    let service = service_fn(|request| {
        let answer = requests.answer(request);
        let unread = requests.unread().clone();
        async move {
            let response = answer.await?;
            has_answer();
            Ok::<_, Infallible>(unread.hold(response, FRAME))
        }
    });
    let connection = http2::Builder::new(streams.clone())
        .timer(TokioTimer::new())
        .max_concurrent_streams(MOST_STREAMS)
        .max_header_list_size(LARGEST_HEAD)
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_send_buf_size(LARGEST_SEND_BUFFER)
        .max_pending_accept_reset_streams(MOST_PENDING_RESETS)
        .max_local_error_reset_streams(MOST_ERRORS)
        .keep_alive_interval(PING_INTERVAL)
        .keep_alive_timeout(PING_PATIENCE)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = pin!(connection);
    tokio::select! {
        biased;
        ended = connection.as_mut() => return ended,
        () = streams.idle(patience.head) => {}
        () = streams.taken_back_too_often() => {
            tracing::debug!("a client takes back what it asks for");
            return Ok(());
        }
        // A client that is told to leave finishes what it has begun, and loses nothing that is on its way.
        () = async {
            // Who is told before it asks that it may not ask would never hear why.
            if is_refused {
                streams.begun().await;
            }
            is_time_for(&mut closing, Closing::AfterNextAnswer).await;
        } => {}
    }
    connection.as_mut().graceful_shutdown();
    tokio::select! {
        biased;
        ended = connection.as_mut() => ended,
        // It does not say that it has heard.
        () = streams.idle(patience.farewell) => Ok(()),
    }
}

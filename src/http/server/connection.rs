//! One connection: which protocol it speaks, its requests to the router, and its end.
//!
//! HTTP/2 comes without TLS here, so the client cannot ask for it by ALPN: it just begins (RFC 9113, 3.3).

use std::convert::Infallible;
use std::io;
use std::pin::pin;

use axum::Router;
use axum::response::Response;
use http::header::{CONNECTION, CONTENT_LENGTH, EXPECT, HeaderValue};
use http::{StatusCode, Version};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::timeout;
use tower::Service;

use super::super::timed_body::TimedBody;
use super::super::timed_stream::TimedStream;
use super::room::Seat;
use super::unread::Unread;
use super::{Patience, http2};
use crate::front::capacity::NoRoom;
use crate::front::client_address::Peer;

/// The most bytes that a request's head may have.
pub(super) const LARGEST_HEAD: u32 = 64 * 1024;

/// How much of an answer hyper takes at once over HTTP/1.1. It holds a few of them.
const WRITE: usize = 128 * 1024;

/// What a client of HTTP/2 says first, and none of HTTP/1.1 does.
const HTTP_2_PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// When open connections are closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Closing {
    No,
    AfterNextAnswer,
    /// Those without a request; the others after their answer.
    Now,
}

/// Waits until connections are to be closed in that way. The other end outlives the connections.
pub(super) async fn is_time_for(closing: &mut watch::Receiver<Closing>, way: Closing) {
    let _ = closing.wait_for(|closing| *closing >= way).await;
}

/// The other end of a connection, and what it is given.
#[derive(Debug)]
pub(super) struct Client {
    pub(super) peer: Peer,
    pub(super) seat: Seat,
    pub(super) patience: Patience,
    /// Its answers are among these.
    pub(super) unread: Unread,
}

/// Answers the requests of one connection.
pub(super) async fn answer(stream: TcpStream, client: Client, router: Router, mut closing: watch::Receiver<Closing>) {
    let Client { peer, seat, patience, unread } = client;
    // Without it, small answers wait for the client's acknowledgements. The connection works if the system refuses.
    let _ = stream.set_nodelay(true);
    let mut stream = TimedStream::new(stream, patience);
    let begins = tokio::select! {
        begins = timeout(patience.first_bytes, stream.begins_with(HTTP_2_PREFACE)) => begins,
        // It has asked for nothing yet.
        () = is_time_for(&mut closing, Closing::Now) => return,
    };
    let requests = Requests { router, peer, is_refused: seat.is_refused(), patience, unread };
    let ended = match begins.unwrap_or(Err(io::ErrorKind::TimedOut.into())) {
        Ok(true) => http2::serve(stream, requests, patience, closing).await,
        Ok(false) => http_1(stream, requests, patience, closing).await,
        Err(error) => return tracing::debug!(%error, "connection ended before it began"),
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "connection ended early");
    }
}

/// Hands the requests of one connection to the router.
#[derive(Debug, Clone)]
pub(super) struct Requests {
    router: Router,
    peer: Peer,
    is_refused: bool,
    patience: Patience,
    unread: Unread,
}

impl Requests {
    /// The answers that clients have not read.
    pub(super) fn unread(&self) -> &Unread {
        &self.unread
    }

    /// Whether there is no room for the connection.
    pub(super) fn is_refused(&self) -> bool {
        self.is_refused
    }

    pub(super) fn answer(
        &self,
        mut request: hyper::Request<Incoming>,
    ) -> impl Future<Output = Result<Response, Infallible>> + Send + use<> {
        request.extensions_mut().insert(self.peer);
        if self.is_refused {
            request.extensions_mut().insert(NoRoom);
        }
        let is_http_1 = request.version() < Version::HTTP_2;
        let waits_to_be_asked = request.headers().contains_key(EXPECT);
        let (head, body) = request.into_parts();
        let (body, rest) = TimedBody::new(body, self.patience);
        let answer = self.router.clone().call(hyper::Request::from_parts(head, body));
        async move {
            let mut response = answer.await.map(without_false_length)?;
            if is_http_1 && !rest.discard(waits_to_be_asked).await {
                response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
            }
            Ok(response)
        }
    }
}

/// What never has a body does not say that its body is empty: in a 304 that would be the length of what is kept. hyper
/// sees to it for GET over HTTP/1.1 alone.
fn without_false_length(mut response: Response) -> Response {
    if matches!(response.status(), StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED) {
        response.headers_mut().remove(CONTENT_LENGTH);
    }
    response
}

async fn http_1(
    stream: TimedStream,
    requests: Requests,
    patience: Patience,
    mut closing: watch::Receiver<Closing>,
) -> hyper::Result<()> {
    let heard = closing.clone();
    let service = service_fn(|request| {
        let answer = requests.answer(request);
        let (closing, unread) = (&heard, requests.unread());
        async move {
            let mut response = answer.await?;
            if *closing.borrow() > Closing::No {
                response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
            }
            Ok::<_, Infallible>(unread.hold(response, WRITE))
        }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(patience.head)
        .max_header_size(LARGEST_HEAD as usize)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = pin!(connection);
    tokio::select! {
        biased;
        ended = connection.as_mut() => ended,
        () = is_time_for(&mut closing, Closing::Now) => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    }
}

//! From a request on a connection to the router, and from its response to hyper.

use std::convert::Infallible;
use std::net::IpAddr;

use axum::Router;
use axum::response::Response;
use http::header::{CONNECTION, CONTENT_LENGTH, EXPECT, HeaderValue};
use http::{StatusCode, Version};
use hyper::body::Incoming;
use tower::Service;

use crate::connection_limit::ConnectionLimitExceeded;
use crate::deadline_body::DeadlineBody;
use crate::response_memory::ResponseMemory;
use crate::timeouts::Timeouts;

/// The remote address of a request's connection, among the request's extensions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer(pub IpAddr);

/// Passes the requests of one connection to the router.
#[derive(Debug, Clone)]
pub(crate) struct Requests {
    pub(crate) router: Router,
    pub(crate) peer: Peer,
    pub(crate) is_overflow: bool,
    pub(crate) timeouts: Timeouts,
    pub(crate) memory: ResponseMemory,
    pub(crate) max_request_body: usize,
}

impl Requests {
    pub(crate) fn respond(
        &self,
        mut request: hyper::Request<Incoming>,
    ) -> impl Future<Output = Result<Response, Infallible>> + Send + use<> {
        request.extensions_mut().insert(self.peer);
        if self.is_overflow {
            request.extensions_mut().insert(ConnectionLimitExceeded);
        }
        let is_http_1 = request.version() < Version::HTTP_2;
        let expects_continue = request.headers().contains_key(EXPECT);
        let (head, body) = request.into_parts();
        let (body, unread_body) = DeadlineBody::new(body, self.timeouts);
        let max_request_body = self.max_request_body;
        let response = self.router.clone().call(hyper::Request::from_parts(head, body));
        async move {
            let mut response = response.await.map(without_false_length)?;
            if is_http_1 && !unread_body.drain(expects_continue, max_request_body).await {
                response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
            }
            Ok(response)
        }
    }
}

/// Removes `Content-Length: 0` from responses that never have a body: in a 304 it would be the length of the cached
/// representation. hyper removes it for GET over HTTP/1.1 alone.
fn without_false_length(mut response: Response) -> Response {
    if matches!(response.status(), StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED) {
        response.headers_mut().remove(CONTENT_LENGTH);
    }
    response
}

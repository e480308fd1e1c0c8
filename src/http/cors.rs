//! CORS: which origins' pages may call this server from a browser, and what they may send and read.

use std::time::Duration;

use axum::http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, ETAG, IF_NONE_MATCH, RETRY_AFTER};
use axum::http::{HeaderName, HeaderValue, Method};
use tower_http::cors::CorsLayer;

use crate::front::degraded::X_CONNECTIONS_DEGRADED;
use crate::front::request_id::X_REQUEST_ID;

/// How long a browser may keep the answer to a preflight.
const MAX_AGE: Duration = Duration::from_hours(1);

/// The layer for these origins, if there are any. It answers preflights itself, so that they need no key. Credentials are
/// not allowed, since keys travel in `Authorization`, which the page sets; there are no cookies.
pub(super) fn layer(origins: Vec<HeaderValue>) -> Option<CorsLayer> {
    // What Apollo's clients send of themselves, and a page's own traces.
    let of_clients = [
        "apollo-require-preflight",
        "apollographql-client-name",
        "apollographql-client-version",
        "x-apollo-operation-name",
        "x-apollo-operation-id",
        "traceparent",
        "tracestate",
    ];
    let request_headers = [AUTHORIZATION, CONTENT_TYPE, ACCEPT, X_REQUEST_ID, IF_NONE_MATCH].into_iter();
    (!origins.is_empty()).then(|| {
        CorsLayer::new()
            .allow_origin(origins)
            .allow_methods([Method::GET, Method::HEAD, Method::POST, Method::OPTIONS])
            .allow_headers(request_headers.chain(of_clients.map(HeaderName::from_static)).collect::<Vec<_>>())
            .expose_headers([X_REQUEST_ID, X_CONNECTIONS_DEGRADED, ETAG, RETRY_AFTER])
            .max_age(MAX_AGE)
    })
}

//! CORS: which origins' pages may call this server from a browser, and what they may send and read.

use std::time::Duration;

use axum::http::header::{ALLOW, ETAG, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, Method};
use tower_http::cors::{AllowHeaders, CorsLayer};

use crate::front::degraded::X_CONNECTIONS_DEGRADED;
use crate::front::request_id::X_REQUEST_ID;

/// How long a browser may keep the answer to a preflight.
const MAX_AGE: Duration = Duration::from_hours(1);

/// The layer for these origins, if there are any. It answers preflights itself, so that they need no key. Credentials are
/// not allowed, since keys travel in `Authorization`, which the page sets; there are no cookies.
///
/// A listed page may send any header: clients' libraries add their own (`apollographql-client-name`, `traceparent`,
/// `sentry-trace`), and one that this server does not know does nothing here.
pub(super) fn layer(origins: Vec<HeaderValue>) -> Option<CorsLayer> {
    (!origins.is_empty()).then(|| {
        CorsLayer::new()
            .allow_origin(origins)
            .allow_methods([Method::GET, Method::HEAD, Method::POST, Method::OPTIONS])
            .allow_headers(AllowHeaders::mirror_request())
            .expose_headers([X_REQUEST_ID, X_CONNECTIONS_DEGRADED, ETAG, RETRY_AFTER, ALLOW, WWW_AUTHENTICATE])
            .max_age(MAX_AGE)
    })
}

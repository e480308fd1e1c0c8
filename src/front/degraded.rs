//! The mark of a degraded answer, the same for both front ends.

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};

/// The header that marks it.
pub const X_CONNECTIONS_DEGRADED: HeaderName = HeaderName::from_static("x-connections-degraded");

/// Which door the answer leaves by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Frontend {
    /// The legacy routes.
    Rest,
    /// `/graphql`.
    Graphql,
}

/// Says that SSO could not be consulted, and that the answer must not be kept; counts it.
pub fn mark_degraded(headers: &mut HeaderMap, frontend: Frontend) {
    headers.insert(X_CONNECTIONS_DEGRADED, HeaderValue::from_static("true"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    let frontend = match frontend {
        Frontend::Rest => "rest",
        Frontend::Graphql => "graphql",
    };
    metrics::counter!("connections_degraded_total", "frontend" => frontend).increment(1);
}

//! The weak `ETag` of a body, and whether a request already has that body.

use std::hash::{DefaultHasher, Hasher};

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::negotiate::{combined, entity_tags};

/// A digest of a body: it moves with whatever moves the body.
#[derive(Debug, Clone)]
pub struct Validator(HeaderValue);

impl Validator {
    /// Of a body.
    #[must_use]
    pub fn of(body: &[u8]) -> Self {
        let mut hasher = DefaultHasher::new();
        hasher.write(body);
        let tag = format!("W/\"{:016x}\"", hasher.finish());
        // Hexadecimal digits always make a header; a tag that is empty would match nothing.
        Self(HeaderValue::from_str(&tag).unwrap_or(HeaderValue::from_static("W/\"\"")))
    }

    /// Its body with its type, or 304 without either where the request has it already; the validator with both.
    #[must_use]
    pub fn answer(self, content_type: HeaderValue, body: impl IntoResponse, request: &HeaderMap) -> Response {
        let mut response = if self.matches(request) {
            StatusCode::NOT_MODIFIED.into_response()
        } else {
            ([(header::CONTENT_TYPE, content_type)], body).into_response()
        };
        response.headers_mut().insert(header::ETAG, self.0);
        response
    }

    /// `If-None-Match`, compared weakly as RFC 9110 wants it.
    fn matches(&self, request: &HeaderMap) -> bool {
        let weak = |tag: &str| tag.strip_prefix("W/").unwrap_or(tag).to_owned();
        let own = self.0.to_str().map(weak).unwrap_or_default();
        let known = combined(request, &header::IF_NONE_MATCH).unwrap_or_default();
        entity_tags(&known).any(|tag| tag == "*" || weak(tag) == own)
    }
}

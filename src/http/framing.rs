//! Rejects requests with ambiguous framing before anything reads them.

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http_server::FramingCheck;

use crate::api_error::ApiError;
use crate::rest::error::RestError;

/// The layer, for `axum::middleware::from_fn`.
pub(super) async fn require_unambiguous(request: Request, next: Next) -> Response {
    let framing = FramingCheck::new(&request);
    let mut response = match framing.violation() {
        None => next.run(request).await,
        Some(text) => RestError::new(StatusCode::BAD_REQUEST, ApiError::bad_input(text)).into_response(),
    };
    framing.finish(response.headers_mut());
    response
}

//! An HTTP/1.1 request names exactly one host (RFC 9112, 3.2). One that names two may mean one to a proxy and the other here.

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::header::HOST;
use http::{StatusCode, Version};

use crate::api_error::ApiError;
use crate::rest::error::RestError;

/// The layer, for `axum::middleware::from_fn`.
pub(super) async fn require_one(request: Request, next: Next) -> Response {
    if request.version() == Version::HTTP_11 && request.headers().get_all(HOST).iter().count() != 1 {
        let error = ApiError::bad_input("a request must have exactly one Host header");
        return RestError::new(StatusCode::BAD_REQUEST, error).into_response();
    }
    next.run(request).await
}

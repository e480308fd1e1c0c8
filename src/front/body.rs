//! Reading a request's body, within its limit.

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::http::StatusCode;

use crate::api_error::{ApiError, ErrorCode};

/// The largest body of a request, in bytes; the router enforces it.
pub const LARGEST_BODY: usize = 256 * 1024;

/// The body, or why there is none: 413 too large, 400 cut short.
///
/// # Errors
/// As said.
pub fn whole(body: Result<Bytes, BytesRejection>) -> Result<Bytes, (StatusCode, ApiError)> {
    body.map_err(|rejection| {
        if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
            let text = format!("the body is too large; the limit is {LARGEST_BODY} bytes");
            (StatusCode::PAYLOAD_TOO_LARGE, ApiError::new(ErrorCode::LimitExceeded, text))
        } else {
            (StatusCode::BAD_REQUEST, ApiError::bad_input("the body was cut short"))
        }
    })
}

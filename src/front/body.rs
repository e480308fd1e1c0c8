//! Reading a request's body: its media type, and all of it, within its limit.

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::http::{HeaderMap, StatusCode, header};

use crate::api_error::{ApiError, ErrorCode};

/// The largest body of a request, in bytes; the router enforces it.
pub const LARGEST_BODY: usize = 256 * 1024;

/// The parameters of `Content-Type: application/json`, by name; `None`: it is missing, given twice, or another type.
pub fn json_parameters(headers: &HeaderMap) -> Option<impl Iterator<Item = (&str, &str)>> {
    let mut given = headers.get_all(header::CONTENT_TYPE).iter();
    let (Some(content_type), None) = (given.next(), given.next()) else { return None };
    let mut parts = content_type.to_str().ok()?.split(';').map(str::trim);
    let is_json = parts.next()?.eq_ignore_ascii_case("application/json");
    is_json.then(|| parts.filter_map(|parameter| parameter.split_once('=')))
}

/// Refuses a body that is compressed, which nobody here would take apart: read as it is, it would be called nonsense.
///
/// # Errors
/// 415.
pub fn refuse_encoded(headers: &HeaderMap) -> Result<(), (StatusCode, ApiError)> {
    let codings = headers.get_all(header::CONTENT_ENCODING);
    if codings.iter().all(|coding| coding.as_bytes().eq_ignore_ascii_case(b"identity")) {
        return Ok(());
    }
    Err(encoded())
}

/// What is answered to a compressed body.
#[must_use]
pub fn encoded() -> (StatusCode, ApiError) {
    let text = "the body has a Content-Encoding; send it as it is, uncompressed";
    (StatusCode::UNSUPPORTED_MEDIA_TYPE, ApiError::bad_input(text))
}

/// The body, or why there is none: 413 too large, 400 cut short.
///
/// # Errors
/// As said.
pub fn whole(body: Result<Bytes, BytesRejection>) -> Result<Bytes, (StatusCode, ApiError)> {
    body.map_err(|rejection| {
        if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
            too_large()
        } else {
            (StatusCode::BAD_REQUEST, ApiError::bad_input("the body was cut short"))
        }
    })
}

/// What is answered to a body over the limit.
#[must_use]
pub fn too_large() -> (StatusCode, ApiError) {
    let text = format!("the body is too large; the limit is {LARGEST_BODY} bytes");
    (StatusCode::PAYLOAD_TOO_LARGE, ApiError::new(ErrorCode::LimitExceeded, text))
}

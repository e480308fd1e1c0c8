//! Reading a request's body: its media type, and all of it, within its limits.

use std::io;
use std::pin::pin;
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::FromRequest;
use axum::extract::rejection::BytesRejection;
use axum::http::{HeaderMap, Request, StatusCode, header};
use tokio::time::timeout;

use crate::api_error::{ApiError, ErrorCode};
use crate::causes::causes;

use super::capacity::Place;
use super::negotiate::{Parameterised, combined, content_type, elements};

/// The largest body of a request, in bytes; the router enforces it.
pub const LARGEST_BODY: usize = 256 * 1024;

/// The charset that a JSON body declares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Charset {
    /// UTF-8 under any of its names, its subset ASCII, or no charset.
    Utf8,
    /// Any other charset.
    Other,
}

/// Returns the charset of an `application/json` body, or `None` if `Content-Type` is missing, duplicated or another
/// type. Unknown parameters are ignored.
#[must_use]
pub fn json_charset(headers: &HeaderMap) -> Option<Charset> {
    let content_type = content_type(headers)?;
    let media_type = Parameterised::parse(&content_type);
    let is_json = media_type.value.eq_ignore_ascii_case("application/json");
    is_json.then(|| if media_type.is_utf_8() { Charset::Utf8 } else { Charset::Other })
}

/// Whether a body has a content coding. An empty header and `identity` (RFC 9110, 8.4.1) mean no coding.
#[must_use]
pub fn is_encoded(headers: &HeaderMap) -> bool {
    let codings = combined(headers, &header::CONTENT_ENCODING).unwrap_or_default();
    elements(&codings).any(|coding| !coding.eq_ignore_ascii_case("identity"))
}

/// Refuses a body that is compressed, which nobody here would take apart: read as it is, it would be called nonsense.
///
/// # Errors
/// 415.
pub fn refuse_encoded(headers: &HeaderMap) -> Result<(), (StatusCode, ApiError)> {
    if is_encoded(headers) { Err(encoded()) } else { Ok(()) }
}

/// What is answered to a compressed body.
#[must_use]
pub fn encoded() -> (StatusCode, ApiError) {
    let text = "the body has a Content-Encoding; send it as it is, uncompressed";
    (StatusCode::UNSUPPORTED_MEDIA_TYPE, ApiError::bad_input(text))
}

/// How long a request keeps its place while its body is on its way.
const PROMPT: Duration = Duration::from_millis(20);

/// The body, or why there is none: 400 cut short, 408 too slow, 413 too large, 503 too much to do when it had come at
/// last.
///
/// # Errors
/// As said.
pub async fn read(request: Request<Body>) -> Result<Bytes, (StatusCode, ApiError)> {
    if request.body().size_hint().lower() > LARGEST_BODY as u64 {
        return Err(too_large());
    }
    let place = request.extensions().get::<Place>().cloned();
    let mut body = pin!(Bytes::from_request(request, &()));
    if let Ok(prompt) = timeout(PROMPT, &mut body).await {
        return whole(prompt);
    }
    let told = |error: ApiError| (error.code.facts().status, error);
    let slow = place.as_ref().map(Place::leave_for_body).transpose().map_err(told)?;
    let body = whole(body.await)?;
    drop(slow);
    place.iter().try_for_each(Place::come_back).map_err(told)?;
    Ok(body)
}

fn whole(body: Result<Bytes, BytesRejection>) -> Result<Bytes, (StatusCode, ApiError)> {
    body.map_err(|rejection| match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => too_large(),
        _ if is_timeout(&rejection) => too_slow(),
        _ => cut_short(),
    })
}

fn is_timeout(rejection: &BytesRejection) -> bool {
    causes(rejection)
        .filter_map(|error| error.downcast_ref::<io::Error>())
        .any(|error| error.kind() == io::ErrorKind::TimedOut)
}

/// The response to a body that ends before it is whole.
#[must_use]
pub fn cut_short() -> (StatusCode, ApiError) {
    (StatusCode::BAD_REQUEST, ApiError::bad_input("the body was cut short"))
}

/// What is answered to a body that does not come.
#[must_use]
pub fn too_slow() -> (StatusCode, ApiError) {
    (StatusCode::REQUEST_TIMEOUT, ApiError::bad_input("the body did not come in time; send it whole, and at once"))
}

/// What is answered to a body over the limit.
#[must_use]
pub fn too_large() -> (StatusCode, ApiError) {
    let text = format!("the body is too large; the limit is {LARGEST_BODY} bytes");
    (StatusCode::PAYLOAD_TOO_LARGE, ApiError::new(ErrorCode::LimitExceeded, text))
}

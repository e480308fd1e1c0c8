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

/// How long a request keeps its place while its body is on its way.
const PROMPT: Duration = Duration::from_millis(20);

/// The body, or why there is none: 400 cut short, 408 too slow, 413 too large, 503 too much to do when it had come at last.
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

/// What is answered to a body that ends before it is whole.
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

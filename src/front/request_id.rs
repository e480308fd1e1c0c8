//! The id of a request: the caller's own or a new one, on every answer and in every log line of its request.

use std::convert::Infallible;
use std::fmt;
use std::sync::Arc;

use axum::extract::{FromRequestParts, Request};
use axum::middleware::Next;
use axum::response::Response;
use http::request::Parts;
use http::{Extensions, HeaderMap, HeaderName, HeaderValue};
use tracing::Instrument;

/// The header that bears it, in requests, in answers and on to SSO.
pub const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

const LONGEST: usize = 64;

/// A request's id: 1 to 64 of `A-Z a-z 0-9 . _ -`. Handlers find it among the request's extensions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestId(Arc<str>);

impl RequestId {
    /// The id's characters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// A new one, unlike any other: 128 random bits in hexadecimal.
    #[must_use]
    pub fn random() -> Self {
        Self(format!("{:032x}", rand::random::<u128>()).into())
    }

    /// The running request's. Outside the layer, as in a test of a single handler, a new one.
    #[must_use]
    pub fn of(extensions: &Extensions) -> Self {
        extensions.get().cloned().unwrap_or_else(Self::random)
    }

    /// The caller's own, or a new one.
    #[must_use]
    pub fn for_request(headers: &HeaderMap) -> Self {
        Self::given(headers).unwrap_or_else(Self::random)
    }

    /// Puts it on an answer.
    pub fn mark(&self, headers: &mut HeaderMap) {
        // An id is visible ASCII, so that it always makes a header.
        if let Ok(value) = HeaderValue::from_str(&self.0) {
            headers.insert(X_REQUEST_ID, value);
        }
    }

    /// The caller's own, where it is well-formed. Anything else could forge log lines.
    pub(crate) fn given(headers: &HeaderMap) -> Option<Self> {
        let text = headers.get(X_REQUEST_ID)?.to_str().ok()?;
        let is_well_formed = (1..=LONGEST).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
        is_well_formed.then(|| Self(text.into()))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for RequestId {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Infallible> {
        Ok(Self::of(&parts.extensions))
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// The layer, for `axum::middleware::from_fn`: the outermost but for admission, whose refusals bear it too.
pub async fn assign(mut request: Request, next: Next) -> Response {
    let id = RequestId::for_request(request.headers());
    request.extensions_mut().insert(id.clone());
    let span = tracing::info_span!("request", request.id = id.as_str());
    let mut response = next.run(request).instrument(span).await;
    id.mark(response.headers_mut());
    response
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::routing::get;
    use axum::{Extension, Router};
    use http::StatusCode;
    use proptest::prelude::*;
    use tower::ServiceExt;
    use tower_http::catch_panic::CatchPanicLayer;

    use super::*;

    fn given(value: &str) -> Option<String> {
        let mut headers = HeaderMap::new();
        headers.insert(X_REQUEST_ID, HeaderValue::from_str(value).unwrap());
        RequestId::given(&headers).map(|id| id.to_string())
    }

    proptest! {
        #[test]
        fn a_well_formed_id_of_the_caller_is_kept(text in "[A-Za-z0-9._-]{1,64}") {
            prop_assert_eq!(given(&text), Some(text));
        }

        #[test]
        fn an_id_with_any_other_character_or_length_is_not_taken(text in "[ -~]{0,70}") {
            let is_allowed = |character: char| character.is_ascii_alphanumeric() || "._-".contains(character);
            let is_well_formed = !text.is_empty() && text.len() <= 64 && text.chars().all(is_allowed);
            prop_assert_eq!(given(&text).is_some(), is_well_formed);
        }
    }

    #[test]
    fn a_new_id_is_well_formed_and_differs_from_the_last() {
        let (first, second) = (RequestId::random(), RequestId::random());
        assert_eq!(given(first.as_str()).as_deref(), Some(first.as_str()));
        assert_ne!(first, second);
    }

    fn router() -> Router {
        Router::new()
            .route("/echo", get(|Extension(id): Extension<RequestId>| async move { id.to_string() }))
            .route("/panic", get(async || -> &'static str { panic!("on purpose") }))
            .layer(CatchPanicLayer::new())
            .layer(axum::middleware::from_fn(assign))
    }

    async fn ask(method: &str, path: &str, id: &str) -> Response {
        let request = Request::builder().method(method).uri(path).header(X_REQUEST_ID, id).body(Body::empty()).unwrap();
        router().oneshot(request).await.unwrap()
    }

    #[tokio::test]
    async fn every_answer_bears_the_id_refusals_and_panics_too() {
        for (method, path, status) in [
            ("GET", "/echo", StatusCode::OK),
            ("POST", "/echo", StatusCode::METHOD_NOT_ALLOWED),
            ("GET", "/nowhere", StatusCode::NOT_FOUND),
            ("GET", "/panic", StatusCode::INTERNAL_SERVER_ERROR),
        ] {
            let response = ask(method, path, "mine-1").await;
            assert_eq!(response.status(), status, "{method} {path}");
            assert_eq!(response.headers()[X_REQUEST_ID], "mine-1", "{method} {path}");
        }
    }

    #[tokio::test]
    async fn handlers_see_the_id_that_the_answer_bears() {
        let response = ask("GET", "/echo", "not well-formed").await;
        let id = response.headers()[X_REQUEST_ID].to_str().unwrap().to_owned();
        let body = axum::body::to_bytes(response.into_body(), 100).await.unwrap();
        assert_eq!(body, id);
        assert_ne!(id, "not well-formed");
    }
}

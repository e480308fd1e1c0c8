//! Answers compressed as their client likes best: by zstd, Brotli or gzip, at levels that cost little.
//!
//! All that is answered here is whole before it is sent, so that it is compressed in one go and its length is known. Weak
//! validators hold for every form of an answer. What is compressed tells nothing to who sees lengths alone (BREACH): keys
//! travel in headers, and no answer has a secret beside what its request can choose.

pub(crate) mod coding;

use axum::body::{Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, ETAG, HeaderMap, HeaderValue, VARY,
};
use hyper::body::Body as _;
use moka::sync::Cache;

use crate::front::body::is_encoded;
use coding::Coding;

/// Smaller ones are sent in one packet or two either way.
const SMALLEST: usize = 1024;

/// What takes a millisecond or more is compressed where it keeps no other request waiting.
const LARGE: usize = 128 * 1024;

/// The most bytes that [`Compressor`] keeps.
const MOST_KEPT: u64 = 16 * 1024 * 1024;

/// Compresses, and keeps what is the same for everybody. Clones are one.
#[derive(Debug, Clone)]
pub(super) struct Compressor {
    /// By validator. These are the pages' files: whoever asks without a key makes no work twice.
    kept: Cache<(HeaderValue, Coding), Bytes>,
}

impl Default for Compressor {
    fn default() -> Self {
        let size = |_: &_, body: &Bytes| u32::try_from(body.len()).unwrap_or(u32::MAX);
        Self { kept: Cache::builder().max_capacity(MOST_KEPT).weigher(size).build() }
    }
}

/// The layer, for `axum::middleware::from_fn_with_state`. A HEAD passes it with its body, as a GET does.
pub(super) async fn compress(State(compressor): State<Compressor>, request: Request, next: Next) -> Response {
    let coding = Coding::negotiate(request.headers());
    let has_encoded_body = is_encoded(request.headers());
    let mut response = next.run(request).await;
    if has_encoded_body && response.status() == StatusCode::UNSUPPORTED_MEDIA_TYPE {
        // How a client knows that the type was not at fault (RFC 9110, 15.5.16).
        response.headers_mut().insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    }
    if !is_compressible(&response) {
        return response;
    }
    // Whether it is compressed or not: a cache must know that it could be.
    response.headers_mut().append(VARY, HeaderValue::from_static("Accept-Encoding"));
    match coding {
        Some(coding) if whole_length(&response).is_some_and(|length| length >= SMALLEST) => {
            compressor.compressed(response, coding).await
        }
        _ => response,
    }
}

impl Compressor {
    async fn compressed(&self, response: Response, coding: Coding) -> Response {
        let (mut head, body) = response.into_parts();
        let Ok(body) = to_bytes(body, usize::MAX).await else {
            tracing::error!("a whole answer could not be read");
            return StatusCode::INTERNAL_SERVER_ERROR.into_response();
        };
        let compressor = self.clone();
        let key = kept_by(&head.headers);
        let work = {
            let body = body.clone();
            move || match key {
                Some(key) => {
                    compressor.kept.try_get_with((key, coding), || coding.compress(&body).map(Bytes::from)).ok()
                }
                None => coding.compress(&body).map(Bytes::from).ok(),
            }
        };
        let compressed =
            if body.len() < LARGE { work() } else { tokio::task::spawn_blocking(work).await.ok().flatten() };
        match compressed.filter(|compressed| compressed.len() < body.len()) {
            Some(compressed) => {
                head.headers.insert(CONTENT_ENCODING, coding.header());
                head.headers.remove(CONTENT_LENGTH);
                Response::from_parts(head, compressed.into())
            }
            None => Response::from_parts(head, body.into()),
        }
    }
}

/// Whether it is text of some kind, and not compressed yet. A 304 bears what the 200 would.
fn is_compressible(response: &Response) -> bool {
    let headers = response.headers();
    let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let kind = content_type.split(';').next().unwrap_or_default().trim();
    let is_text =
        kind.starts_with("text/") || ["json", "javascript", "xml", "yaml"].iter().any(|end| kind.ends_with(end));
    response.status() == StatusCode::NOT_MODIFIED || (is_text && !headers.contains_key(CONTENT_ENCODING))
}

/// What has its length by now; a stream is sent as it comes.
fn whole_length(response: &Response) -> Option<usize> {
    response.body().size_hint().exact().and_then(|length| length.try_into().ok())
}

/// The validator of what may be kept for everybody.
fn kept_by(headers: &HeaderMap) -> Option<HeaderValue> {
    let control = headers.get(CACHE_CONTROL)?.to_str().ok()?;
    let is_for_everybody = !control.contains("private") && !control.contains("no-store");
    headers.get(ETAG).filter(|_| is_for_everybody).cloned()
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::body::Body;
    use axum::middleware::from_fn_with_state;
    use axum::routing::get;
    use tower::ServiceExt;

    use super::*;

    type Answer = fn() -> Response;

    fn text(headers: &[(http::HeaderName, &'static str)]) -> Response {
        let mut response = Body::from("something ".repeat(1000)).into_response();
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain"));
        for (name, value) in headers {
            response.headers_mut().insert(name, HeaderValue::from_static(value));
        }
        response
    }

    /// What comes of an answer whose client takes gzip.
    async fn answered(compressor: &Compressor, answer: Answer) -> Response {
        let layer = from_fn_with_state(compressor.clone(), compress);
        let router = Router::new().route("/", get(async move || answer())).layer(layer);
        let request = Request::get("/").header(ACCEPT_ENCODING, "gzip").body(Body::empty()).unwrap();
        router.oneshot(request).await.unwrap()
    }

    #[tokio::test]
    async fn what_is_no_text_or_compressed_already_or_a_stream_is_left_as_it_is() {
        let compressor = Compressor::default();
        let cases: [(Answer, Option<&str>, bool); 6] = [
            (|| text(&[]), Some("gzip"), true),
            (|| text(&[(CONTENT_TYPE, "application/graphql-response+json; charset=utf-8")]), Some("gzip"), true),
            (|| text(&[(CONTENT_TYPE, "font/woff2")]), None, false),
            (|| text(&[(CONTENT_ENCODING, "br")]), Some("br"), false),
            (|| ([(CONTENT_TYPE, "text/plain")], "short").into_response(), None, true),
            (
                || {
                    let pieces =
                        std::iter::repeat_n("a", 5000).map(|piece| Ok::<_, std::io::Error>(Bytes::from(piece)));
                    ([(CONTENT_TYPE, "text/plain")], Body::from_stream(futures_util::stream::iter(pieces)))
                        .into_response()
                },
                None,
                true,
            ),
        ];
        for (number, (answer, coding, varies)) in cases.into_iter().enumerate() {
            let response = answered(&compressor, answer).await;
            let actual = response.headers().get(CONTENT_ENCODING).map(|value| value.to_str().unwrap());
            assert_eq!((actual, response.headers().contains_key(VARY)), (coding, varies), "case {number}");
        }
    }

    #[tokio::test]
    async fn what_is_the_same_for_everybody_is_compressed_once_and_nothing_else_is_kept() {
        let compressor = Compressor::default();
        let kept = || {
            compressor.kept.run_pending_tasks();
            compressor.kept.entry_count()
        };
        for control in ["private, no-cache", "no-store"] {
            let answer: Answer = match control {
                "no-store" => || text(&[(ETAG, "W/\"1\""), (CACHE_CONTROL, "no-store")]),
                _ => || text(&[(ETAG, "W/\"1\""), (CACHE_CONTROL, "private, no-cache")]),
            };
            answered(&compressor, answer).await;
            assert_eq!(kept(), 0, "{control}");
        }
        answered(&compressor, || text(&[(ETAG, "W/\"1\"")])).await;
        answered(&compressor, || text(&[(CACHE_CONTROL, "no-cache")])).await;
        assert_eq!(kept(), 0);
        let public: Answer = || text(&[(ETAG, "W/\"1\""), (CACHE_CONTROL, "no-cache")]);
        let mut bodies = Vec::new();
        for _ in 0..3 {
            bodies.push(to_bytes(answered(&compressor, public).await.into_body(), usize::MAX).await.unwrap());
        }
        assert_eq!(kept(), 1);
        assert!(bodies.iter().all(|body| body.as_ptr() == bodies[0].as_ptr()), "they are one");
    }
}

//! A request must mean the same to every proxy on its way and here: which host it is for, and where its body ends. What one
//! of them takes for a body, the next may take for a request.
//!
//! hyper refuses most of what has two meanings; here is the rest.

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::header::{CONNECTION, HOST, TRANSFER_ENCODING};
use http::uri::Authority;
use http::{HeaderMap, HeaderValue, StatusCode, Uri, Version};

use crate::api_error::ApiError;
use crate::rest::error::RestError;

/// The layer, for `axum::middleware::from_fn`.
pub(super) async fn require(request: Request, next: Next) -> Response {
    let clarity = Clarity::of(&request);
    let mut response = match clarity.doubt {
        None => next.run(request).await,
        Some(text) => RestError::new(StatusCode::BAD_REQUEST, ApiError::bad_input(text)).into_response(),
    };
    clarity.settle(response.headers_mut());
    response
}

/// How clear it is what a request means.
pub(super) struct Clarity {
    /// What cannot be told for certain.
    doubt: Option<&'static str>,
    is_last: bool,
}

impl Clarity {
    pub(super) fn of(request: &Request) -> Self {
        let doubt = doubt(request.version(), request.uri(), request.headers());
        // hyper hides a Content-Length that stands beside a coding, so that any request with a coding may have had both;
        // after such a one the connection must be closed (RFC 9112, 6.1).
        let is_coded = request.headers().contains_key(TRANSFER_ENCODING);
        Self { doubt, is_last: request.version() < Version::HTTP_2 && (is_coded || doubt.is_some()) }
    }

    /// To be told to the answer, whose connection may have to end.
    pub(super) fn settle(&self, answer: &mut HeaderMap) {
        if self.is_last {
            answer.insert(CONNECTION, HeaderValue::from_static("close"));
        }
    }
}

/// What is said of a request to several hosts, or to none.
pub(super) const NOT_ONE_HOST: &str = "a request must have exactly one Host header";

/// What cannot be told for certain.
fn doubt(version: Version, target: &Uri, headers: &HeaderMap) -> Option<&'static str> {
    let mut hosts = headers.get_all(HOST).iter();
    let (host, another_host) = (hosts.next(), hosts.next());
    if another_host.is_some() || (host.is_none() && version == Version::HTTP_11) {
        return Some(NOT_ONE_HOST);
    }
    if let Some(host) = host {
        // An empty one is for requests to nobody in particular.
        let is_well_formed = |host: &str| host.is_empty() || (host.parse::<Authority>().is_ok() && !host.contains('@'));
        let Some(host) = host.to_str().ok().filter(|host| is_well_formed(host)) else {
            return Some("the Host header must be a host, and a port where one is needed");
        };
        if target.authority().is_some_and(|authority| !authority.as_str().eq_ignore_ascii_case(host)) {
            return Some("the request's target and its Host header name different hosts");
        }
    }
    let mut codings = headers.get_all(TRANSFER_ENCODING).iter();
    match (codings.next(), codings.next()) {
        (None, _) => None,
        (Some(coding), None) if coding.as_bytes().eq_ignore_ascii_case(b"chunked") => None,
        // 501 would be right as well, but no client shall make it look as if something failed here.
        _ => Some("the only Transfer-Encoding that is understood is chunked"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn doubt_of(
        version: Version,
        target: &'static str,
        headers: &[(&'static str, &'static str)],
    ) -> Option<&'static str> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, HeaderValue::from_static(value));
        }
        doubt(version, &Uri::from_static(target), &map)
    }

    #[test]
    fn one_host_and_one_end_leave_no_doubt() {
        for (version, target, headers) in [
            (Version::HTTP_11, "/", vec![("host", "a")]),
            (Version::HTTP_11, "/", vec![("host", "")]),
            (Version::HTTP_11, "/", vec![("host", "[::1]:8080"), ("transfer-encoding", "Chunked")]),
            (Version::HTTP_11, "http://A.example:80/", vec![("host", "a.example:80")]),
            (Version::HTTP_10, "/", vec![]),
            (Version::HTTP_2, "http://a/", vec![]),
            (Version::HTTP_2, "http://a/", vec![("host", "a")]),
        ] {
            assert_eq!(doubt_of(version, target, &headers), None, "{target} {headers:?}");
        }
    }

    #[test]
    fn two_hosts_none_or_another_than_the_targets_are_in_doubt() {
        for (version, target, headers) in [
            (Version::HTTP_11, "/", vec![]),
            (Version::HTTP_11, "http://a/", vec![]),
            (Version::HTTP_11, "/", vec![("host", "a"), ("host", "a")]),
            (Version::HTTP_10, "/", vec![("host", "a"), ("host", "b")]),
            (Version::HTTP_11, "/", vec![("host", "a b")]),
            (Version::HTTP_11, "/", vec![("host", "a/b")]),
            (Version::HTTP_11, "/", vec![("host", "user@a")]),
            (Version::HTTP_11, "http://a/", vec![("host", "b")]),
            (Version::HTTP_11, "http://a/", vec![("host", "")]),
            (Version::HTTP_2, "http://a/", vec![("host", "b")]),
        ] {
            assert!(
                doubt_of(version, target, &headers).is_some_and(|text| text.contains("ost")),
                "{target} {headers:?}"
            );
        }
    }

    #[test]
    fn a_coding_that_is_not_understood_leaves_the_end_in_doubt() {
        for codings in
            [vec!["gzip, chunked"], vec!["identity", "chunked"], vec!["chunked", "chunked"], vec!["\"chunked\""]]
        {
            let mut headers = vec![("host", "a")];
            headers.extend(codings.iter().map(|coding| ("transfer-encoding", *coding)));
            assert!(
                doubt_of(Version::HTTP_11, "/", &headers).is_some_and(|text| text.contains("chunked")),
                "{codings:?}"
            );
        }
    }
}

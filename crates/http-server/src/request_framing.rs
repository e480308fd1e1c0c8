//! Request framing: a request must mean the same to every proxy on its way and here. Its host and the end of its body
//! must not be ambiguous: bytes that one parser takes for a body, the next may take for a request (request smuggling).
//!
//! hyper rejects most ambiguous requests; this is the remainder.

use http::header::{CONNECTION, HOST, TRANSFER_ENCODING};
use http::uri::Authority;
use http::{HeaderMap, HeaderValue, Request, Uri, Version};

/// Whether a request's framing is unambiguous.
#[derive(Debug, Clone, Copy)]
pub struct FramingCheck {
    violation: Option<&'static str>,
    closes_connection: bool,
}

impl FramingCheck {
    /// The violation of a request with several hosts, or none.
    pub const NOT_ONE_HOST: &str = "a request must have exactly one Host header";

    /// Checks a request's version, target and headers.
    #[must_use]
    pub fn new<B>(request: &Request<B>) -> Self {
        let violation = violation(request.version(), request.uri(), request.headers());
        // hyper hides a Content-Length beside a transfer coding, so that any request with a coding may have had both;
        // the connection must close after such a request (RFC 9112, 6.1).
        let is_coded = request.headers().contains_key(TRANSFER_ENCODING);
        Self { violation, closes_connection: request.version() < Version::HTTP_2 && (is_coded || violation.is_some()) }
    }

    /// Why the request must be rejected with 400.
    #[must_use]
    pub fn violation(self) -> Option<&'static str> {
        self.violation
    }

    /// Adds `Connection: close` to the response where the connection must not carry another request.
    pub fn finish(self, response: &mut HeaderMap) {
        if self.closes_connection {
            response.insert(CONNECTION, HeaderValue::from_static("close"));
        }
    }
}

fn violation(version: Version, target: &Uri, headers: &HeaderMap) -> Option<&'static str> {
    let mut hosts = headers.get_all(HOST).iter();
    let (host, another_host) = (hosts.next(), hosts.next());
    if another_host.is_some() || (host.is_none() && version == Version::HTTP_11) {
        return Some(FramingCheck::NOT_ONE_HOST);
    }
    if let Some(host) = host {
        // RFC 9112, 3.2: an empty Host is valid.
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
        // 501 is allowed too, but a client must not be able to raise the share of 5xx responses.
        _ => Some("the only Transfer-Encoding that is understood is chunked"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn violation_of(
        version: Version,
        target: &'static str,
        headers: &[(&'static str, &'static str)],
    ) -> Option<&'static str> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, HeaderValue::from_static(value));
        }
        violation(version, &Uri::from_static(target), &map)
    }

    #[test]
    fn one_host_and_one_body_length_pass() {
        for (version, target, headers) in [
            (Version::HTTP_11, "/", vec![("host", "a")]),
            (Version::HTTP_11, "/", vec![("host", "")]),
            (Version::HTTP_11, "/", vec![("host", "[::1]:8080"), ("transfer-encoding", "Chunked")]),
            (Version::HTTP_11, "http://A.example:80/", vec![("host", "a.example:80")]),
            (Version::HTTP_10, "/", vec![]),
            (Version::HTTP_2, "http://a/", vec![]),
            (Version::HTTP_2, "http://a/", vec![("host", "a")]),
        ] {
            assert_eq!(violation_of(version, target, &headers), None, "{target} {headers:?}");
        }
    }

    #[test]
    fn two_hosts_no_host_or_another_host_than_the_target_are_violations() {
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
                violation_of(version, target, &headers).is_some_and(|text| text.contains("ost")),
                "{target} {headers:?}"
            );
        }
    }

    #[test]
    fn an_unknown_transfer_coding_is_a_violation() {
        for codings in
            [vec!["gzip, chunked"], vec!["identity", "chunked"], vec!["chunked", "chunked"], vec!["\"chunked\""]]
        {
            let mut headers = vec![("host", "a")];
            headers.extend(codings.iter().map(|coding| ("transfer-encoding", *coding)));
            assert!(
                violation_of(Version::HTTP_11, "/", &headers).is_some_and(|text| text.contains("chunked")),
                "{codings:?}"
            );
        }
    }
}

//! Headers: each reader over whatever a client may send. An input is lines of `name: value`, as they stand in a request.

use std::net::{IpAddr, Ipv4Addr};

use axum::http::{Extensions, HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http_server::Peer;
use ipnet::IpNet;

use crate::front::authentication::api_key;
use crate::front::body::{is_encoded, json_charset};
use crate::front::client_address::client_address;
use crate::front::request_id::{RequestId, X_REQUEST_ID};
use crate::front::validator::Validator;
use crate::graphql::accept::AnswerType;
use crate::http::compression::coding::Coding;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

pub(super) fn holds(input: &[u8]) {
    let headers = headers(input);
    key(&headers);
    request_id(&headers);
    content_type(&headers);
    content_encoding(&headers);
    answer_type(&headers);
    coding(&headers);
    validator(&headers);
    address(&headers);
    #[cfg(feature = "otel")]
    trace(&headers);
}

/// The lines that make a header; no more than any server takes.
pub(super) fn headers(lines: &[u8]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for line in lines.split(|byte| *byte == b'\n').take(100) {
        let (name, value) = super::split_at(line, b':');
        let header = (HeaderName::from_bytes(name), HeaderValue::from_bytes(value.trim_ascii()));
        if let (Ok(name), Ok(value)) = header {
            headers.append(name, value);
        }
    }
    headers
}

/// A key is the same by Basic, whatever it came in, and never comes out of two headers.
fn key(headers: &HeaderMap) {
    let Some(key) = api_key(headers) else { return };
    assert!(!key.is_empty());
    assert_eq!(headers.get_all(header::AUTHORIZATION).iter().count(), 1);
    let basic = format!("Basic {}", STANDARD.encode(format!("anyone:{key}")));
    assert_eq!(api_key(&one(header::AUTHORIZATION, &basic)), Some(key));
}

fn request_id(headers: &HeaderMap) {
    let Some(id) = RequestId::given(headers) else { return };
    assert!((1..=64).contains(&id.as_str().len()));
    assert!(id.as_str().bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte)));
    assert_eq!(headers[X_REQUEST_ID], id.as_str());
}

/// What is taken for JSON is nothing that a browser's form could send.
fn content_type(headers: &HeaderMap) {
    if json_charset(headers).is_some() {
        assert_eq!(headers.get_all(header::CONTENT_TYPE).iter().count(), 1);
        let content_type = String::from_utf8_lossy(headers[header::CONTENT_TYPE].as_bytes()).to_ascii_lowercase();
        let essence = content_type.split(';').next().unwrap_or_default().trim();
        assert_eq!(essence, "application/json");
    }
}

/// Only `identity` and empty members count as no content coding.
fn content_encoding(headers: &HeaderMap) {
    let lines = headers.get_all(header::CONTENT_ENCODING).iter();
    let all: String = lines.map(|line| String::from_utf8_lossy(line.as_bytes()).to_ascii_lowercase()).collect();
    let is_none = all.replace("identity", "").chars().all(|character| ", \t".contains(character));
    assert!(is_none || is_encoded(headers));
}

/// Upper case, the number of lines and malformed members do not change the result, and the result negotiates to itself.
fn answer_type(headers: &HeaderMap) {
    let agreed = AnswerType::negotiate(headers);
    assert_eq!(AnswerType::negotiate(&otherwise(headers, &header::ACCEPT)), agreed);
    for among in with_malformed(headers, &header::ACCEPT) {
        assert_eq!(AnswerType::negotiate(&among), agreed);
    }
    if let Some(agreed) = agreed {
        let alone = one(header::ACCEPT, agreed.content_type().to_str().expect("visible ASCII"));
        assert_eq!(AnswerType::negotiate(&alone), Some(agreed));
    }
}

/// The same of codings; and nothing is compressed in a way that the client did not name.
fn coding(headers: &HeaderMap) {
    let agreed = Coding::negotiate(headers);
    assert_eq!(Coding::negotiate(&otherwise(headers, &header::ACCEPT_ENCODING)), agreed);
    for among in with_malformed(headers, &header::ACCEPT_ENCODING) {
        assert_eq!(Coding::negotiate(&among), agreed);
    }
    if let Some(agreed) = agreed {
        let name = agreed.header().to_str().expect("visible ASCII").to_owned();
        let is_named = |value: &HeaderValue| {
            let value = String::from_utf8_lossy(value.as_bytes()).to_ascii_lowercase();
            value.contains(&name) || value.contains('*')
        };
        assert!(headers.get_all(header::ACCEPT_ENCODING).iter().any(is_named), "{name} was not named");
    }
}

/// 304 exactly where the client has the body: it names the tag, or anything.
fn validator(headers: &HeaderMap) {
    let status = |headers: &HeaderMap| {
        Validator::of(b"a body").answer(HeaderValue::from_static("text/plain"), "a body", headers).status()
    };
    let response = Validator::of(b"a body").answer(HeaderValue::from_static("text/plain"), "a body", &HeaderMap::new());
    let tag = response.headers()[header::ETAG].clone();
    if status(headers) == StatusCode::NOT_MODIFIED {
        let opaque = tag.to_str().expect("visible ASCII").trim_start_matches("W/").to_owned();
        let names_it = |value: &HeaderValue| {
            let value = String::from_utf8_lossy(value.as_bytes());
            value.contains(&opaque) || value.contains('*')
        };
        assert!(headers.get_all(header::IF_NONE_MATCH).iter().any(names_it));
    }
    let mut with_it = headers.clone();
    with_it.append(header::IF_NONE_MATCH, tag);
    assert_eq!(status(&with_it), StatusCode::NOT_MODIFIED);
}

/// Nobody chooses the address that limits are counted by: whatever a client sends, a proxy's word at its end outweighs it.
fn address(headers: &HeaderMap) {
    let proxy = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1));
    let client = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 9));
    let trusted: Vec<IpNet> = vec!["10.0.0.0/8".parse().expect("a network")];
    let seen_from = |peer: IpAddr, headers: &HeaderMap| {
        let mut extensions = Extensions::new();
        extensions.insert(Peer(peer));
        client_address(headers, &extensions, &trusted)
    };
    assert_eq!(seen_from(client, headers), client, "an untrusted peer was believed");

    for (name, word, other) in [
        (X_FORWARDED_FOR, "192.0.2.9".to_owned(), header::FORWARDED),
        (header::FORWARDED, "for=192.0.2.9;proto=https".to_owned(), X_FORWARDED_FOR),
    ] {
        let mut reported = headers.clone();
        match joined(headers, &name) {
            // A proxy adds to the line that is there, or a line.
            Some(line) if !line.is_empty() => {
                let line = HeaderValue::from_str(&format!("{line}, {word}"));
                reported.insert(&name, line.expect("visible ASCII"));
            }
            _ => {
                reported.append(&name, HeaderValue::from_str(&word).expect("visible ASCII"));
            }
        }
        let seen = seen_from(proxy, &reported);
        assert!([client, proxy].contains(&seen), "{seen} was believed");
        reported.remove(other);
        assert_eq!(seen_from(proxy, &reported), client);
    }
}

/// A trace that is taken up goes on as the same.
#[cfg(feature = "otel")]
fn trace(headers: &HeaderMap) {
    use opentelemetry::propagation::TextMapPropagator;
    use opentelemetry::trace::TraceContextExt;
    use opentelemetry_http::{HeaderExtractor, HeaderInjector};
    use opentelemetry_sdk::propagation::TraceContextPropagator;

    let propagator = TraceContextPropagator::new();
    let context = propagator.extract(&HeaderExtractor(headers));
    let mut handed_on = HeaderMap::new();
    propagator.inject_context(&context, &mut HeaderInjector(&mut handed_on));
    let again = propagator.extract(&HeaderExtractor(&handed_on));
    let (one, other) = (context.span().span_context().clone(), again.span().span_context().clone());
    assert_eq!((one.trace_id(), one.span_id()), (other.trace_id(), other.span_id()));
}

/// The same headers with a malformed member prepended, and with one appended.
fn with_malformed(headers: &HeaderMap, name: &HeaderName) -> [HeaderMap; 2] {
    let malformed = HeaderValue::from_static("no member;q=high, ;;q=1");
    let (mut before, mut after) = (headers.clone(), headers.clone());
    before.remove(name);
    for line in std::iter::once(&malformed).chain(headers.get_all(name)) {
        before.append(name, line.clone());
    }
    after.append(name, malformed);
    [before, after]
}

fn one(name: HeaderName, value: &str) -> HeaderMap {
    let value = HeaderValue::from_str(value).expect("visible ASCII");
    HeaderMap::from_iter([(name, value)])
}

/// All lines of a header as one; `None`: there is none, or one that is no ASCII.
fn joined(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    let lines: Option<Vec<&str>> = headers.get_all(name).iter().map(|value| value.to_str().ok()).collect();
    lines.filter(|lines| !lines.is_empty()).map(|lines| lines.join(", "))
}

/// The same headers, with the lines of one in one line and in upper case.
fn otherwise(headers: &HeaderMap, name: &HeaderName) -> HeaderMap {
    let mut otherwise = headers.clone();
    if let Some(line) = joined(headers, name) {
        let line = HeaderValue::from_str(&line.to_ascii_uppercase());
        otherwise.insert(name, line.expect("visible ASCII"));
    }
    otherwise
}

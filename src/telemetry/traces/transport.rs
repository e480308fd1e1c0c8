//! Posts a batch of spans to the collector, and interprets the response.
//!
//! It has a client and a runtime of its own, so that neither requests nor their load touch it. Knows nothing of queues.

use std::fmt::{Debug, Formatter};
use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use flate2::Compression;
use flate2::write::GzEncoder;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode};
use opentelemetry_http::{Bytes, HttpClient, HttpError};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceResponse;
use prost::Message;
use reqwest::{Certificate, Identity, redirect};
use tokio::runtime::{Builder, Runtime};
use url::Url;

use super::losses::{CONNECT_FAILED, Cause, INVALID_RESPONSE, REJECTED, TIMEOUT};
use super::settings::TraceSettings;
use crate::telemetry::{chain, one_line};

/// Longer responses are invalid: an OTLP response has some bytes.
const MAX_RESPONSE_BYTES: usize = 64 * 1024;

/// The present export: its deadline, and the outcome of its last attempt.
#[derive(Debug)]
pub(super) struct Exchange(Mutex<(Instant, Option<Outcome>)>);

/// The outcome of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Outcome {
    /// The collector accepted the batch, except for some spans.
    Accepted {
        /// The number of rejected spans.
        rejected: usize,
        /// The reason for the rejection.
        cause: Cause,
    },
    /// The collector accepted nothing, as far as can be known.
    Failed(Cause),
}

impl Exchange {
    pub(super) fn new() -> Self {
        Self(Mutex::new((Instant::now(), None)))
    }

    /// An export begins.
    pub(super) fn begin(&self, timeout: Duration) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = (Instant::now() + timeout, None);
    }

    /// The export has ended: its outcome, unless nothing was sent.
    pub(super) fn end(&self) -> Option<Outcome> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).1.take()
    }

    fn deadline(&self) -> Instant {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).0
    }

    fn record(&self, outcome: Outcome) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).1 = Some(outcome);
    }
}

/// Posts batches.
pub(super) struct Transport {
    client: reqwest::Client,
    /// Present until it is dropped.
    runtime: Option<Runtime>,
    endpoint: Url,
    headers: HeaderMap,
    gzip: bool,
    exchange: Arc<Exchange>,
}

impl Debug for Transport {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Transport")
    }
}

/// Why it cannot be set up.
#[derive(Debug, thiserror::Error)]
pub(super) enum TransportError {
    /// The HTTP client refuses.
    #[error("the HTTP client cannot be built")]
    Client(#[source] reqwest::Error),
    /// There is no runtime.
    #[error("the exporter's runtime cannot be built")]
    Runtime(#[source] std::io::Error),
}

impl Transport {
    pub(super) fn new(settings: &TraceSettings, exchange: Arc<Exchange>) -> Result<Self, TransportError> {
        let TraceSettings { endpoint, headers, gzip, tls, .. } = settings;
        // The program installs its provider first thing; whoever uses this as a library may not have.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut builder = reqwest::Client::builder()
            .http1_only()
            // A redirected POST would come as a GET, without its spans.
            .redirect(redirect::Policy::none())
            .retry(reqwest::retry::never())
            .no_proxy()
            .referer(false)
            // Exports are seconds apart: a connection for each finds a collector that moved.
            .pool_max_idle_per_host(0);
        if endpoint.0.scheme() == "http" {
            // No root certificates are needed, so none are looked for: there may be none, and it takes time.
            builder = builder.tls_certs_only([]);
        } else if let Some(roots) = &tls.roots {
            builder = builder.tls_certs_only(Certificate::from_pem_bundle(roots).map_err(TransportError::Client)?);
        }
        if let Some(identity) = &tls.identity {
            builder = builder.identity(Identity::from_pem(identity).map_err(TransportError::Client)?);
        }
        let client = builder.build().map_err(TransportError::Client)?;
        let runtime = Builder::new_current_thread().enable_all().build().map_err(TransportError::Runtime)?;
        let (endpoint, headers) = (endpoint.0.clone(), headers.clone());
        Ok(Self { client, runtime: Some(runtime), endpoint, headers, gzip: *gzip, exchange })
    }

    /// The request that the library made, with what the settings add.
    fn request(&self, request: Request<Bytes>) -> Result<reqwest::Request, HttpError> {
        let (mut parts, mut body) = request.into_parts();
        if self.gzip {
            let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
            encoder.write_all(&body)?;
            body = encoder.finish()?.into();
            parts.headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        parts.headers.extend(self.headers.clone());
        Ok(self.client.post(self.endpoint.clone()).headers(parts.headers).body(body).build()?)
    }

    async fn exchange(&self, request: reqwest::Request) -> Result<Response<Bytes>, reqwest::Error> {
        let mut response = self.client.execute(request).await?;
        let mut received = Response::new(Bytes::new());
        *received.status_mut() = response.status();
        *received.headers_mut() = response.headers().clone();
        // The body of a failure is not read: it may repeat what was sent.
        if response.status().is_success() {
            let mut body = Vec::new();
            while let Some(chunk) = response.chunk().await? {
                body.extend_from_slice(&chunk);
                if body.len() > MAX_RESPONSE_BYTES {
                    break;
                }
            }
            *received.body_mut() = body.into();
        }
        Ok(received)
    }
}

#[async_trait]
impl HttpClient for Transport {
    /// Blocks: it is called on the exporter's own thread, which has nothing else to do.
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let request = self.request(request)?;
        let runtime = self.runtime.as_ref().ok_or("the exporter has ended")?;
        let deadline = self.exchange.deadline().into();
        let exchanged = runtime.block_on(async { tokio::time::timeout_at(deadline, self.exchange(request)).await });
        let failed = match exchanged {
            Ok(Ok(response)) => {
                self.exchange.record(outcome(&response));
                return Ok(response);
            }
            // The URL's query may hold a key.
            Ok(Err(error)) => Cause::new(CONNECT_FAILED, chain(&error.without_url())),
            Err(_) => Cause::new(TIMEOUT, "no response in time"),
        };
        self.exchange.record(Outcome::Failed(failed.clone()));
        Err(failed.error.into())
    }
}

impl Drop for Transport {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // A look-up of a name that hangs must not hold the end up.
            runtime.shutdown_background();
        }
    }
}

fn outcome(response: &Response<Bytes>) -> Outcome {
    let status = response.status();
    if !status.is_success() {
        let error = format!("the collector responded with {}", described(status));
        return Outcome::Failed(Cause { error_type: status.as_str().to_owned().into(), error });
    }
    let Some((rejected, message)) = partial_success(response) else {
        let error = format!("the collector responded with {} and no OTLP message", described(status));
        return Outcome::Failed(Cause::new(INVALID_RESPONSE, error));
    };
    let message = if message.is_empty() { "the collector gives no reason".to_owned() } else { one_line(&message) };
    Outcome::Accepted { rejected: usize::try_from(rejected).unwrap_or(0), cause: Cause::new(REJECTED, message) }
}

fn described(status: StatusCode) -> String {
    match status.canonical_reason() {
        Some(reason) => format!("status {} {reason}", status.as_str()),
        None => format!("status {}", status.as_str()),
    }
}

/// The number of rejected spans, and the reason. None if it is no OTLP response.
fn partial_success(response: &Response<Bytes>) -> Option<(i64, String)> {
    let body = response.body();
    if body.is_empty() {
        return Some((0, String::new()));
    }
    if body.len() > MAX_RESPONSE_BYTES {
        return None;
    }
    let media_type = response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let media_type = media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    match media_type.as_str() {
        "" | "application/x-protobuf" | "application/protobuf" | "application/octet-stream" => {
            let partial = ExportTraceServiceResponse::decode(body.clone()).ok()?.partial_success.unwrap_or_default();
            Some((partial.rejected_spans, partial.error_message))
        }
        // Some collectors always respond in JSON.
        "application/json" => {
            let message: serde_json::Map<String, serde_json::Value> = serde_json::from_slice(body).ok()?;
            let partial = message.get("partialSuccess");
            let rejected = partial.and_then(|partial| partial.get("rejectedSpans"));
            let rejected = rejected.and_then(|count| count.as_i64().or_else(|| count.as_str()?.parse().ok()));
            let reason = partial.and_then(|partial| partial.get("errorMessage")?.as_str());
            Some((rejected.unwrap_or(0), reason.unwrap_or_default().to_owned()))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome_of(status: u16, media_type: &'static str, body: impl Into<Bytes>) -> Outcome {
        let mut response = Response::new(body.into());
        *response.status_mut() = StatusCode::from_u16(status).unwrap();
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
        outcome(&response)
    }

    fn rejected(status: u16, media_type: &'static str, body: &str) -> Option<(usize, String)> {
        match outcome_of(status, media_type, body.to_owned()) {
            Outcome::Accepted { rejected, cause } => Some((rejected, cause.error)),
            Outcome::Failed(_) => None,
        }
    }

    #[test]
    fn a_response_tells_how_many_spans_were_rejected() {
        let none = || Some((0, "the collector gives no reason".to_owned()));
        for (media_type, body, expected) in [
            ("application/x-protobuf", "", none()),
            ("application/x-protobuf", "\u{a}\u{2}\u{8}\u{3}", Some((3, "the collector gives no reason".to_owned()))),
            ("application/x-protobuf; charset=x", "\u{a}\u{6}\u{8}\u{1}\u{12}\u{2}a\n", Some((1, "a ".to_owned()))),
            // A field that is not known yet.
            ("application/x-protobuf", "\u{10}\u{1}", none()),
            ("application/json", "{}", none()),
            ("application/json", r#"{"partialSuccess":{}}"#, none()),
            (
                "application/json",
                r#"{"partialSuccess":{"rejectedSpans":"2","errorMessage":"old"}}"#,
                Some((2, "old".to_owned())),
            ),
            ("application/json", r#"{"partialSuccess":{"rejectedSpans":-2}}"#, none()),
            ("text/plain", "", none()),
            ("text/html", "<html></html>", None),
            ("text/plain", "\u{10}\u{1}", None),
            ("application/json", "[]", None),
            ("application/x-protobuf", "<html></html>", None),
            ("", "<html></html>", None),
        ] {
            assert_eq!(rejected(200, media_type, body), expected, "{media_type}: {body:?}");
        }
        assert_eq!(rejected(200, "application/json", &"{".repeat(MAX_RESPONSE_BYTES + 1)), None);
        assert_eq!(rejected(202, "application/json", "{}"), none());
    }

    #[test]
    fn a_status_is_the_cause_by_its_number() {
        for (status, error) in [
            (401, "the collector responded with status 401 Unauthorized"),
            (308, "the collector responded with status 308 Permanent Redirect"),
            (599, "the collector responded with status 599"),
        ] {
            let Outcome::Failed(cause) = outcome_of(status, "text/html", "secret") else { panic!("{status}") };
            assert_eq!((cause.error_type, cause.error), (status.to_string().into(), error.to_owned()));
        }
    }
}

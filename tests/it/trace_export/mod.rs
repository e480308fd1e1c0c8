//! Exporting traces to a real collector, as operators set it up by OpenTelemetry's variables.

mod losses;
mod tls;
mod variables;

use std::collections::BTreeSet;
use std::io::Read;
use std::time::{Duration, Instant};

use flate2::read::GzDecoder;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, Span};
use prost::Message;
use serde_json::Value;
use wiremock::matchers::method;
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

use crate::support::binary::{Running, serve};
use crate::support::databases::{Database, Kind};
use crate::support::plain_client;

/// Every server under test exports after 20 ms.
const SOON: (&str, &str) = ("OTEL_BSP_SCHEDULE_DELAY", "20");

/// A server that exports traces as these variables say, and answers without SSO.
struct Exporting {
    server: Running,
    url: String,
    key: String,
    _database: Database,
}

impl Exporting {
    async fn start(variables: &[(&str, &str)]) -> Self {
        let database = Database::fresh(Kind::Sqlite).await;
        let (server, url, key) = serve(&database, "http://127.0.0.1:9", &[&[SOON], variables].concat()).await;
        Self { server, url, key, _database: database }
    }

    /// One request, with this `traceparent`, which is answered whatever becomes of its trace.
    async fn request(&self, headers: &[(&str, &str)]) {
        let mut request = plain_client().get(format!("{}/connections", self.url)).basic_auth("", Some(&self.key));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        assert_eq!(request.send().await.unwrap().status(), 200);
    }

    /// How many spans were lost for this cause, by the metric.
    async fn dropped(&self, error_type: &str) -> u64 {
        let metrics = plain_client().get(format!("{}/metrics", self.url)).send().await.unwrap().text().await.unwrap();
        let start = format!("otel_spans_dropped_total{{error_type=\"{error_type}\"}} ");
        metrics.lines().find_map(|line| line.strip_prefix(&start)).map_or(0, |count| count.parse().unwrap())
    }

    /// Sends requests until the metric has grown so often, each time by another export.
    async fn lose(&self, error_type: &str, times: usize) {
        for _ in 0..times {
            let before = self.dropped(error_type).await;
            self.request(&[]).await;
            until(async || self.dropped(error_type).await > before).await;
        }
    }

    /// Terminates it, and returns its log lines.
    async fn log(self) -> Vec<Value> {
        let (code, log) = tokio::task::spawn_blocking(|| self.server.terminate()).await.unwrap();
        assert_eq!(code, 0, "{log}");
        log.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("{line}"))).collect()
    }
}

/// Polls until the condition holds.
async fn until(condition: impl AsyncFn() -> bool) {
    let start = Instant::now();
    while !condition().await {
        assert!(start.elapsed() < Duration::from_mins(1), "the condition never held");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// The lines with this message.
fn with_message<'a>(log: &'a [Value], message: &str) -> Vec<&'a Value> {
    log.iter().filter(|line| line["message"] == message).collect()
}

/// A collector that responds like this.
async fn collector(response: ResponseTemplate) -> MockServer {
    let collector = MockServer::start().await;
    Mock::given(method("POST")).respond_with(response).mount(&collector).await;
    collector
}

/// The contents of an export.
fn resource_spans(export: &Request) -> Vec<ResourceSpans> {
    let mut body = export.body.clone();
    if export.headers.get("content-encoding").is_some_and(|coding| coding == "gzip") {
        body = Vec::new();
        GzDecoder::new(&export.body[..]).read_to_end(&mut body).unwrap();
    }
    ExportTraceServiceRequest::decode(&body[..]).unwrap().resource_spans
}

async fn exports(collector: &MockServer) -> Vec<Request> {
    collector.received_requests().await.unwrap()
}

fn spans(exports: &[Request]) -> Vec<Span> {
    let scopes = exports.iter().flat_map(resource_spans).flat_map(|resource| resource.scope_spans);
    scopes.flat_map(|scope| scope.spans).collect()
}

/// The different spans that came, however often each was sent.
fn span_ids(exports: &[Request]) -> BTreeSet<Vec<u8>> {
    spans(exports).into_iter().map(|span| span.span_id).collect()
}

/// The spans of one trace.
fn of_trace(exports: &[Request], trace: &str) -> Vec<Span> {
    let of_it = |span: &Span| crate::telemetry::hex(&span.trace_id) == trace;
    spans(exports).into_iter().filter(of_it).collect()
}

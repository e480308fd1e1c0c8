//! Lost spans leave one line and a count, whatever the collector does, and cost no request.
//!
//! The cases come from public reports of failures that nobody could see: failed exports
//! (<https://github.com/freeunitorg/freeunit/issues/219>, <https://github.com/groundsada/siterm/issues/17>,
//! <https://github.com/open-telemetry/opentelemetry-ruby/issues/1931>), and full queues
//! (<https://github.com/open-telemetry/opentelemetry-go/issues/3264>,
//! <https://github.com/open-telemetry/opentelemetry-rust/pull/2357>).

use std::io::{Read, Write};
use std::net::TcpListener;
use std::time::Duration;

use opentelemetry_proto::tonic::collector::trace::v1::{ExportTracePartialSuccess, ExportTraceServiceResponse};
use prost::Message;
use serde_json::Value;
use wiremock::matchers::method;
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::{Exporting, collector, exports, span_ids, spans, until, with_message};
use crate::support::binary::free_port;
use crate::support::plain_client;

const KEY: &str = "key-of-the-collector";

/// The only warning, and the number of lost spans in the whole log.
fn one_warning(log: &[Value]) -> (&Value, u64) {
    let warnings = with_message(log, "trace export failed");
    assert_eq!(warnings.len(), 1, "{log:#?}");
    let text = serde_json::to_string(log).unwrap();
    assert!(!text.contains(KEY), "{text}");
    let logged: u64 = log.iter().filter_map(|line| line["spans.dropped"].as_u64()).sum();
    (warnings[0], logged)
}

/// Loses spans a few times, and gives the warning's cause and error, and how many spans were lost by the log.
async fn lose(endpoint: &str, error_type: &str, more: &[(&str, &str)]) -> (String, u64) {
    let headers = format!("api-key={KEY}");
    let variables = [("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint), ("OTEL_EXPORTER_OTLP_HEADERS", &headers)];
    // Not even the libraries' own lines show the key.
    let server = Exporting::start(
        &[&variables, more, &[("RUST_LOG", "info,reqwest=trace,hyper=trace,hyper_util=trace")]].concat(),
    )
    .await;
    server.lose(error_type, 3).await;
    let log = server.log().await;
    let (warning, logged) = one_warning(&log);
    assert_eq!((&warning["error.type"], &warning["level"]), (&error_type.into(), &"WARN".into()), "{warning}");
    (warning["error"].as_str().unwrap().to_owned(), logged)
}

#[tokio::test]
async fn a_status_that_is_no_success_is_one_warning_and_each_span_is_counted() {
    for (status, text) in [
        (401, "401 Unauthorized"),
        (400, "400 Bad Request"),
        (404, "404 Not Found"),
        (307, "307 Temporary Redirect"),
        (503, "503 Service Unavailable"),
    ] {
        let response = ResponseTemplate::new(status).insert_header("location", "/elsewhere").set_body_string(KEY);
        let collector = collector(response).await;
        let (error, logged) = lose(&collector.uri(), &status.to_string(), &[]).await;
        assert_eq!(error, format!("the collector responded with status {text}"));
        let sent = exports(&collector).await;
        assert!(sent.iter().all(|export| export.url.path() == "/v1/traces"), "redirects are not followed");
        assert_eq!(logged, span_ids(&sent).len() as u64, "{status}");
    }
}

#[tokio::test]
async fn a_refused_connection_is_logged_in_the_systems_own_words() {
    let (error, logged) = lose(&format!("http://127.0.0.1:{}", free_port()), "connect_failed", &[]).await;
    assert!(error.contains("Connection refused") && logged >= 3, "{error}");
    let (error, _) = lose("http://no-such-collector.invalid:4318", "connect_failed", &[]).await;
    assert!(error.contains("lookup address") || error.contains("Name or service not known"), "{error}");
}

#[tokio::test]
async fn tls_failures_and_hang_ups_are_told_apart_by_the_error() {
    let plain = collector(ResponseTemplate::new(200)).await;
    let (error, _) = lose(&plain.uri().replace("http://", "https://"), "connect_failed", &[]).await;
    assert!(error.contains("corrupt message"), "{error}");

    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let _ = stream.read(&mut [0; 1_000]);
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{");
        }
    });
    let (error, _) = lose(&url, "connect_failed", &[]).await;
    assert!(error.contains("body"), "{error}");
}

#[tokio::test]
async fn a_collector_that_hangs_costs_its_timeout_and_no_request() {
    let hangs = collector(ResponseTemplate::new(200).set_delay(Duration::from_hours(1))).await;
    for variable in ["OTEL_EXPORTER_OTLP_TIMEOUT", "OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "OTEL_BSP_EXPORT_TIMEOUT"] {
        let (error, _) = lose(&hangs.uri(), "timeout", &[(variable, "50")]).await;
        assert_eq!(error, "no response in time");
    }
}

#[tokio::test]
async fn a_success_without_an_otlp_message_counts_as_a_loss() {
    for response in [
        ResponseTemplate::new(200).set_body_raw("<html>welcome</html>", "text/html"),
        ResponseTemplate::new(200).set_body_raw("<html>welcome</html>", "application/x-protobuf"),
        ResponseTemplate::new(200).set_body_raw(vec![b'{'; 10_000_000], "application/json"),
    ] {
        let collector = collector(response).await;
        let (error, logged) = lose(&collector.uri(), "invalid_response", &[]).await;
        assert_eq!(error, "the collector responded with status 200 OK and no OTLP message");
        assert_eq!(logged, spans(&exports(&collector).await).len() as u64);
    }
}

#[tokio::test]
async fn rejected_spans_are_counted_and_the_others_are_not() {
    let partial_success = Some(ExportTracePartialSuccess { rejected_spans: 1, error_message: "too\nold".to_owned() });
    let body = ExportTraceServiceResponse { partial_success }.encode_to_vec();
    let collector = collector(ResponseTemplate::new(200).set_body_raw(body, "application/x-protobuf")).await;
    let (error, logged) = lose(&collector.uri(), "rejected", &[]).await;
    assert_eq!(error, "too old");
    let sent = exports(&collector).await;
    assert_eq!(logged, sent.len() as u64, "one of each export");
}

#[tokio::test]
async fn a_full_queue_drops_spans_delays_no_request_and_is_logged_after_the_export() {
    let slow = collector(ResponseTemplate::new(200).set_delay(Duration::from_secs(1))).await;
    let server = Exporting::start(&[
        ("OTEL_EXPORTER_OTLP_ENDPOINT", &slow.uri()),
        ("OTEL_BSP_MAX_QUEUE_SIZE", "1"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "0"),
    ])
    .await;
    server.lose("queue_full", 20).await;
    let before = exports(&slow).await.len();
    until(async || exports(&slow).await.len() > before).await;
    let log = server.log().await;
    let (warning, logged) = one_warning(&log);
    assert_eq!(warning["error.type"], "queue_full");
    assert!(warning["error"].as_str().unwrap().contains("OTEL_BSP_MAX_QUEUE_SIZE") && logged >= 20, "{warning}");
}

#[tokio::test]
async fn shutdown_does_not_wait_for_a_hanging_collector_and_logs_the_lost_spans() {
    let hangs = collector(ResponseTemplate::new(200).set_delay(Duration::from_hours(1))).await;
    let server = Exporting::start(&[
        ("OTEL_EXPORTER_OTLP_ENDPOINT", &hangs.uri()),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "0"),
        ("OTEL_BSP_EXPORT_TIMEOUT", "0"),
        ("SHUTDOWN_TIMEOUT_MS", "1000"),
    ])
    .await;
    server.request(&[]).await;
    until(async || !exports(&hangs).await.is_empty()).await;
    let requests = 5;
    for _ in 0..requests {
        server.request(&[]).await;
    }
    let log = server.log().await;
    let (warning, logged) = one_warning(&log);
    assert_eq!(warning["error.type"], "timeout");
    assert!(logged > requests, "{warning}");
}

#[tokio::test]
async fn a_recovery_is_logged_once_and_exports_go_on() {
    let collector = collector(ResponseTemplate::new(500)).await;
    let server = Exporting::start(&[("OTEL_EXPORTER_OTLP_ENDPOINT", &collector.uri())]).await;
    server.lose("500", 3).await;
    collector.reset().await;
    Mock::given(method("POST")).respond_with(ResponseTemplate::new(200)).mount(&collector).await;
    for _ in 0..3 {
        let before = exports(&collector).await.len();
        server.request(&[]).await;
        until(async || exports(&collector).await.len() > before).await;
    }
    let log = server.log().await;
    one_warning(&log);
    let recovered = with_message(&log, "trace export recovered");
    assert_eq!(recovered.len(), 1, "{log:#?}");
    assert_eq!(recovered[0]["level"], "INFO");
    assert!(with_message(&log, "trace export ended").is_empty(), "every lost span was logged");
}

#[tokio::test]
async fn without_losses_the_counters_are_zero_and_nothing_is_logged() {
    let collector = MockServer::start().await;
    for (response, status) in [
        (ResponseTemplate::new(200), "200"),
        (ResponseTemplate::new(200).set_body_raw("{}", "application/json"), "200 in JSON"),
        (ResponseTemplate::new(202), "202"),
    ] {
        collector.reset().await;
        Mock::given(method("POST")).respond_with(response).mount(&collector).await;
        let server = Exporting::start(&[("OTEL_EXPORTER_OTLP_ENDPOINT", &collector.uri())]).await;
        server.request(&[]).await;
        until(async || exports(&collector).await.len() > 1).await;
        let metrics = plain_client().get(format!("{}/metrics", server.url)).send().await.unwrap().text().await.unwrap();
        let counters: Vec<&str> =
            metrics.lines().filter(|line| line.starts_with("otel_spans_dropped_total{")).collect();
        assert!(counters.len() == 6 && counters.iter().all(|line| line.ends_with(" 0")), "{status}: {counters:?}");
        let log = server.log().await;
        let lines =
            log.iter().filter(|line| line["message"].as_str().is_some_and(|text| text.starts_with("trace export")));
        assert_eq!(lines.count(), 0, "{log:#?}");
    }
}

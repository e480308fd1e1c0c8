//! What operators see: one id from end to end, one line a request, every metric, and traces.

use std::time::Duration;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;
use serde_json::{Value, json};
use wiremock::matchers::{method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::support::binary::serve;
use crate::support::databases::{Database, Kind};
use crate::support::plain_client;

async fn sso_that_lists_nothing() -> MockServer {
    let sso = MockServer::start().await;
    let nothing = json!({"network_connections": [], "next_cursor": null});
    let list = Mock::given(method("GET")).and(path("/network_connections"));
    list.respond_with(ResponseTemplate::new(200).set_body_json(nothing)).mount(&sso).await;
    Mock::given(method("GET")).respond_with(ResponseTemplate::new(404)).mount(&sso).await;
    sso
}

const UNKNOWN: &str = "0123456789abcdef01234567";

async fn a_request_id_is_the_same_in_the_answer_the_log_the_trail_and_at_sso(database: Database) {
    let sso = sso_that_lists_nothing().await;
    let (server, url, key) = serve(&database, &sso.uri(), &[]).await;
    let client = plain_client();
    let repair = json!({"connection_id": UNKNOWN}).to_string();
    let repaired = client.post(format!("{url}/connections")).header("content-type", "application/json").body(repair);
    let repaired = repaired.basic_auth("", Some(&key)).header("x-request-id", "repair-1").send().await.unwrap();
    assert_eq!((repaired.status().as_u16(), repaired.headers()["x-request-id"].to_str().unwrap()), (422, "repair-1"));
    let query = json!({"query": "query Partners { connections { totalCount } }"}).to_string();
    let graphql = client.post(format!("{url}/graphql")).header("content-type", "application/json").body(query);
    let graphql = graphql.basic_auth("", Some(&key)).header("x-request-id", "graphql-1").send().await.unwrap();
    assert_eq!(graphql.headers()["x-request-id"], "graphql-1");
    let refused = client.get(format!("{url}/graphql?query=%7Bnope%7D")).basic_auth("", Some(&key));
    refused.header("x-request-id", "refused-1").send().await.unwrap();
    let unknown = client.get(format!("{url}/connections/{UNKNOWN}")).basic_auth("", Some(&key));
    unknown.header("x-request-id", "unknown-1").send().await.unwrap();
    let renamed = client.get(format!("{url}/connections")).header("x-request-id", "not fit to be one");
    let renamed = renamed.send().await.unwrap().headers()["x-request-id"].to_str().unwrap().to_owned();

    let at_sso: Vec<_> = sso.received_requests().await.unwrap();
    let at_sso: Vec<&str> = at_sso.iter().map(|request| request.headers["x-request-id"].to_str().unwrap()).collect();
    assert_eq!(at_sso, ["repair-1", "graphql-1"]);
    assert_eq!(database.texts("SELECT request_id FROM repair_records").await, ["repair-1"]);

    let (code, log) = tokio::task::spawn_blocking(|| server.terminate()).await.unwrap();
    assert_eq!(code, 0, "{log}");
    let lines: Vec<Value> = log.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let of = |id: &str| -> Vec<&Value> {
        let lines = lines.iter().filter(|line| line["message"] == "request");
        lines.filter(|line| line["span"]["request.id"] == json!(id)).collect()
    };
    let (repair, graphql, renamed) = (of("repair-1"), of("graphql-1"), of(&renamed));
    assert!([&repair, &graphql, &renamed].iter().all(|lines| lines.len() == 1), "one line a request: {log}");
    assert_eq!((&repair[0]["http.status"], &repair[0]["http.route"]), (&json!(422), &json!("/connections")));
    let line = graphql[0];
    assert_eq!((&line["operation"], &line["sso.outcome"]), (&json!("Partners"), &json!("ok")));
    assert!(line["statements"].as_u64().unwrap() >= 1 && line["milliseconds"].is_number(), "{line}");
    assert_eq!((&renamed[0]["http.status"], renamed[0].get("account.id")), (&json!(401), None));
    // Whose request it was is told of refused ones too, and SSO's part wherever it had one.
    for (line, sso) in
        [(repair[0], Some("ok")), (line, Some("ok")), (of("refused-1")[0], None), (of("unknown-1")[0], None)]
    {
        assert!(line["account.id"].as_str().is_some_and(|id| id.len() == 24), "{line}");
        assert_eq!(line.get("sso.outcome").and_then(Value::as_str), sso, "{line}");
    }
}

crate::on_both_databases!(a_request_id_is_the_same_in_the_answer_the_log_the_trail_and_at_sso);

async fn every_metric_has_its_name_and_labels(database: Database) {
    let sso = sso_that_lists_nothing().await;
    let (_server, url, key) = serve(&database, &sso.uri(), &[("SSO_MAX_AGE_MS", "0")]).await;
    let client = plain_client();
    let post = async |path: &str, body: Value| {
        let request = client.post(format!("{url}{path}")).header("content-type", "application/json");
        request.body(body.to_string()).basic_auth("", Some(&key)).send().await.unwrap()
    };
    client.get(format!("{url}/connections")).basic_auth("", Some(&key)).send().await.unwrap();
    post("/graphql", json!({"query": "{ connections { totalCount } }"})).await;
    post("/graphql", json!({"query": "{ nothing }"})).await;
    post("/connections", json!({"connection_id": UNKNOWN})).await;
    sso.reset().await;
    client.get(format!("{url}/connections")).basic_auth("", Some(&key)).send().await.unwrap();
    post("/graphql", json!({"query": "{ connections { totalCount } }"})).await;
    let metrics = client.get(format!("{url}/metrics")).send().await.unwrap().text().await.unwrap();
    for line in [
        r#"http_requests_total{route="/connections",method="GET",status="200"} 2"#,
        r#"http_requests_total{route="/connections",method="POST",status="422"} 1"#,
        r#"http_request_duration_seconds_count{route="/graphql",method="POST"} 3"#,
        r#"graphql_operations_total{type="query",outcome="ok"} 2"#,
        r#"graphql_errors_total{code="GRAPHQL_VALIDATION_FAILED"} 1"#,
        r#"sso_requests_total{outcome="ok"} 2"#,
        r#"sso_requests_total{outcome="not_found"} 1"#,
        r#"sso_requests_total{outcome="bad_status"} 2"#,
        "sso_request_duration_seconds_count 5",
        "sso_circuit_open 0",
        r#"connections_degraded_total{frontend="rest"} 1"#,
        r#"connections_degraded_total{frontend="graphql"} 1"#,
        r#"repairs_total{via="rest",outcome="SSO_CONNECTION_NOT_FOUND"} 1"#,
        r#"db_pool_connections{state="idle"}"#,
        r#"db_pool_connections{state="in_use"}"#,
        "db_statement_duration_seconds_count",
    ] {
        assert!(metrics.lines().any(|found| found.starts_with(line)), "{line} is not in\n{metrics}");
    }
}

crate::on_both_databases!(every_metric_has_its_name_and_labels);

fn attribute<'a>(span: &'a Span, name: &str) -> Option<&'a str> {
    use opentelemetry_proto::tonic::common::v1::any_value::Value::StringValue;
    let attribute = span.attributes.iter().find(|attribute| attribute.key == name)?;
    match attribute.value.as_ref()?.value.as_ref()? {
        StringValue(text) => Some(text),
        _ => None,
    }
}

async fn a_trace_goes_through_to_sso_and_to_the_collector(database: Database) {
    const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
    let sso = sso_that_lists_nothing().await;
    let collector = MockServer::start().await;
    Mock::given(method("POST")).respond_with(ResponseTemplate::new(200)).mount(&collector).await;
    let (server, url, key) = serve(&database, &sso.uri(), &[("OTEL_EXPORTER_OTLP_ENDPOINT", &collector.uri())]).await;
    let client = plain_client();
    let query = json!({"query": "query Partners { connections { totalCount } }"}).to_string();
    let request = client.post(format!("{url}/graphql")).header("content-type", "application/json").body(query);
    let request = request.header("traceparent", format!("00-{TRACE}-b7ad6b7169203331-01"));
    request.basic_auth("", Some(&key)).header("x-request-id", "traced-1").send().await.unwrap();
    let (code, log) = tokio::task::spawn_blocking(|| server.terminate()).await.unwrap();
    assert_eq!(code, 0, "{log}");

    let calls = sso.received_requests().await.unwrap();
    let passed_on = calls[0].headers["traceparent"].to_str().unwrap();
    assert!(passed_on.starts_with(&format!("00-{TRACE}-")), "{passed_on}");
    let exports = collector.received_requests().await.unwrap();
    assert!(exports.iter().all(|export| export.url.path() == "/v1/traces"));
    let spans: Vec<Span> = exports
        .iter()
        .flat_map(|export| ExportTraceServiceRequest::decode(&export.body[..]).unwrap().resource_spans)
        .flat_map(|resource| resource.scope_spans)
        .flat_map(|scope| scope.spans)
        .filter(|span| hex(&span.trace_id) == TRACE)
        .collect();
    let named = |name: &str| spans.iter().find(|span| span.name == name).unwrap_or_else(|| panic!("{name}: {spans:?}"));
    let (request, at_sso, statement) = (named("POST /graphql"), named("SSO"), named("statement"));
    assert_eq!(hex(&request.parent_span_id), "b7ad6b7169203331");
    assert_eq!(attribute(request, "request.id"), Some("traced-1"));
    assert_eq!(attribute(request, "graphql.operation.name"), Some("Partners"));
    assert_eq!(attribute(at_sso, "sso.outcome"), Some("ok"));
    for inner in [at_sso, statement] {
        assert_eq!(inner.parent_span_id, request.span_id);
    }
    assert!(passed_on.contains(&hex(&at_sso.span_id)), "SSO's part hangs on the call");
    assert!(!log.contains(&key) && spans.iter().all(|span| !format!("{span:?}").contains(&key)));
}

crate::on_both_databases!(a_trace_goes_through_to_sso_and_to_the_collector);

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

#[tokio::test]
async fn a_log_that_nobody_reads_holds_no_request_up() {
    let database = Database::fresh(Kind::Sqlite).await;
    // Its standard error is a pipe, which holds a few hundred lines.
    let (server, url, _) = serve(&database, "http://127.0.0.1:9", &[]).await;
    let client = plain_client();
    for _ in 0..2_000 {
        let answer = client.get(format!("{url}/livez")).timeout(Duration::from_secs(20)).send().await.unwrap();
        assert_eq!(answer.status(), 200);
    }
    let metrics = client.get(format!("{url}/metrics")).send().await.unwrap().text().await.unwrap();
    assert!(metrics.contains("\nlog_lines_lost_total 0\n"), "all of them wait: {metrics}");
    let (code, log) = tokio::task::spawn_blocking(|| server.terminate()).await.unwrap();
    assert!(code == 0 && log.contains("/livez"), "nor the end");
}

//! OpenTelemetry's variables, each seen on the wire, or named where it has no effect.
//!
//! The list is that of <https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/>.

use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value::StringValue;
use wiremock::{MockServer, Request, ResponseTemplate};

use super::{Exporting, collector, exports, of_trace, resource_spans, spans, until, with_message};
use crate::support::binary::{program, run};

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";

fn parent(flags: &str) -> String {
    format!("00-{TRACE}-b7ad6b7169203331-{flags}")
}

fn text<'a>(attributes: &'a [KeyValue], name: &str) -> Option<&'a str> {
    let attribute = attributes.iter().find(|attribute| attribute.key == name)?;
    match attribute.value.as_ref()?.value.as_ref()? {
        StringValue(text) => Some(text),
        _ => None,
    }
}

/// The exports and the log of a server with these variables after one request. `{}` stands for the collector's URL.
async fn exported(variables: &[(&str, &str)], headers: &[(&str, &str)]) -> (Vec<Request>, Vec<serde_json::Value>) {
    let collector = collector(ResponseTemplate::new(200)).await;
    let uri = collector.uri();
    let variables: Vec<(&str, String)> =
        variables.iter().map(|(name, value)| (*name, value.replace("{}", &uri))).collect();
    let variables: Vec<(&str, &str)> = variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let server = Exporting::start(&variables).await;
    server.request(headers).await;
    // The rest is exported at shutdown.
    let log = server.log().await;
    (exports(&collector).await, log)
}

#[tokio::test]
async fn the_resource_is_named_by_its_variables() {
    let endpoint = ("OTEL_EXPORTER_OTLP_ENDPOINT", "{}");
    let attributes =
        ("OTEL_RESOURCE_ATTRIBUTES", " team = sales%2C%20north ,service.name=of-attributes,a=b=c,, empty= ");
    for (variables, name, team) in [
        (vec![endpoint], "lc-connections", None),
        (vec![endpoint, ("OTEL_SERVICE_NAME", ""), ("OTEL_RESOURCE_ATTRIBUTES", "")], "lc-connections", None),
        (vec![endpoint, ("OTEL_SERVICE_NAME", "partners")], "partners", None),
        (vec![endpoint, attributes], "of-attributes", Some("sales, north")),
        (vec![endpoint, attributes, ("OTEL_SERVICE_NAME", "partners")], "partners", Some("sales, north")),
    ] {
        let (exports, _) = exported(&variables, &[]).await;
        assert!(!exports.is_empty());
        for resource in exports.iter().flat_map(resource_spans) {
            let attributes = resource.resource.unwrap().attributes;
            assert_eq!(text(&attributes, "service.name"), Some(name), "{variables:?}");
            assert_eq!(text(&attributes, "team"), team, "{variables:?}");
            assert_eq!(text(&attributes, "a"), team.map(|_| "b=c"));
            assert_eq!(text(&attributes, "empty"), team.map(|_| ""));
            assert_eq!(text(&attributes, "telemetry.sdk.language"), Some("rust"));
        }
    }
}

#[tokio::test]
async fn the_endpoint_for_traces_is_used_as_it_is_and_the_general_one_has_their_path_added() {
    let general = "OTEL_EXPORTER_OTLP_ENDPOINT";
    let traces = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT";
    for (variables, path) in [
        (vec![(general, "{}")], "/v1/traces"),
        (vec![(general, "{}/")], "/v1/traces"),
        (vec![(general, "{}/tenant/a//")], "/tenant/a/v1/traces"),
        (vec![(traces, "{}")], "/"),
        (
            vec![(traces, "{}/otlp?api-key=secret-in-query"), (general, "http://127.0.0.1:9")],
            "/otlp?api-key=secret-in-query",
        ),
        (vec![(traces, ""), (general, "{}")], "/v1/traces"),
        (vec![(general, "{}"), ("OTEL_TRACES_EXPORTER", "otlp"), ("OTEL_SDK_DISABLED", "false")], "/v1/traces"),
        (vec![(general, "{}"), ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf")], "/v1/traces"),
        (
            vec![
                (general, "{}"),
                ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
                ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "http/protobuf"),
            ],
            "/v1/traces",
        ),
    ] {
        let (exports, log) = exported(&variables, &[]).await;
        assert!(!exports.is_empty(), "{variables:?}");
        for export in &exports {
            let query = export.url.query().map(|query| format!("?{query}")).unwrap_or_default();
            assert_eq!(format!("{}{query}", export.url.path()), path, "{variables:?}");
            assert_eq!(export.headers["content-type"], "application/x-protobuf");
        }
        assert_eq!(with_message(&log, "exporting traces").len(), 1);
        assert!(!serde_json::to_string(&log).unwrap().contains("secret-in-query"), "{log:#?}");
    }
}

#[tokio::test]
async fn headers_are_decoded_and_those_for_traces_precede() {
    let general = ("OTEL_EXPORTER_OTLP_HEADERS", "Authorization=Basic%20YTpi%3D,x-plain=a=b%zz%2525, x-spaces = c d ,");
    for (variables, authorization, plain) in [
        (vec![general], Some("Basic YTpi="), Some("a=b%zz%25")),
        (vec![general, ("OTEL_EXPORTER_OTLP_TRACES_HEADERS", "")], Some("Basic YTpi="), Some("a=b%zz%25")),
        (vec![general, ("OTEL_EXPORTER_OTLP_TRACES_HEADERS", "x-plain=traces")], None, Some("traces")),
    ] {
        let (exports, _) = exported(&[&[("OTEL_EXPORTER_OTLP_ENDPOINT", "{}")], &variables[..]].concat(), &[]).await;
        assert!(!exports.is_empty());
        for export in exports {
            let header = |name: &str| export.headers.get(name).map(|value| value.to_str().unwrap());
            assert_eq!((header("authorization"), header("x-plain")), (authorization, plain), "{variables:?}");
            assert_eq!(header("x-spaces"), authorization.map(|_| "c d"));
            assert_eq!(export.headers.get_all("x-plain").iter().count(), 1, "{variables:?}");
        }
    }
}

#[tokio::test]
async fn exports_are_compressed_where_that_is_asked_for() {
    let (general, traces) = ("OTEL_EXPORTER_OTLP_COMPRESSION", "OTEL_EXPORTER_OTLP_TRACES_COMPRESSION");
    for (variables, coding) in [
        (vec![], None),
        (vec![(general, "gzip")], Some("gzip")),
        (vec![(general, "gzip"), (traces, "none")], None),
        (vec![(general, "none"), (traces, "GZIP")], Some("gzip")),
    ] {
        let (exports, _) = exported(&[&[("OTEL_EXPORTER_OTLP_ENDPOINT", "{}")], &variables[..]].concat(), &[]).await;
        let found =
            exports.iter().map(|export| export.headers.get("content-encoding").map(|one| one.to_str().unwrap()));
        assert!(found.into_iter().all(|found| found == coding), "{variables:?}");
        assert!(!spans(&exports).is_empty(), "{variables:?}");
    }
}

#[tokio::test]
async fn the_sampler_decides_which_traces_are_exported() {
    let (sampled, unsampled) = (parent("01"), parent("00"));
    let none: Option<&str> = None;
    for (sampler, argument, traceparent, is_exported) in [
        ("", "", none, true),
        ("", "", Some(&unsampled), false),
        ("always_on", "", Some(&unsampled), true),
        ("always_off", "", Some(&sampled), false),
        ("traceidratio", "0", Some(&sampled), false),
        ("traceidratio", "0.0", none, false),
        ("traceidratio", "1", none, true),
        ("traceidratio", "", none, true),
        ("parentbased_always_on", "", Some(&unsampled), false),
        ("parentbased_always_off", "", none, false),
        ("parentbased_always_off", "", Some(&sampled), true),
        ("parentbased_traceidratio", "0", none, false),
        ("parentbased_traceidratio", "0", Some(&sampled), true),
        ("PARENTBASED_TRACEIDRATIO", " 1.0 ", none, true),
    ] {
        let variables = [
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "{}"),
            ("OTEL_TRACES_SAMPLER", sampler),
            ("OTEL_TRACES_SAMPLER_ARG", argument),
        ];
        let headers: Vec<(&str, &str)> = traceparent.iter().map(|value| ("traceparent", *value)).collect();
        let (exports, log) = exported(&variables, &headers).await;
        let found = match traceparent {
            Some(_) => !of_trace(&exports, TRACE).is_empty(),
            None => spans(&exports).iter().any(|span| span.name == "GET /connections"),
        };
        assert_eq!(found, is_exported, "{sampler:?} {argument:?} {traceparent:?}");
        assert!(with_message(&log, "OpenTelemetry variables without effect").is_empty(), "{log:#?}");
    }
}

#[tokio::test]
async fn batches_are_as_large_as_their_variables_say() {
    let variables = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "{}"),
        ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "2"),
        // Nothing is sent before the end, unless a batch is full.
        ("OTEL_BSP_SCHEDULE_DELAY", "3600000"),
    ];
    let (exports, _) = exported(&variables, &[]).await;
    let sizes: Vec<usize> = exports.iter().map(|export| spans(std::slice::from_ref(export)).len()).collect();
    assert!(sizes.len() > 1 && sizes.iter().all(|size| (1..=2).contains(size)), "{sizes:?}");

    let (exports, _) = exported(&[variables[0], variables[2]], &[("traceparent", &parent("01"))]).await;
    assert_eq!(exports.len(), 1, "all at the end");
    let (exports, _) = exported(&[variables[0], variables[2], ("OTEL_BSP_MAX_QUEUE_SIZE", "1")], &[]).await;
    assert!(
        exports.iter().all(|export| spans(std::slice::from_ref(export)).len() == 1),
        "a batch is no larger than the queue"
    );
}

#[tokio::test]
async fn spans_are_limited_in_attributes_and_their_length() {
    let traceparent = parent("01");
    let headers = [("traceparent", traceparent.as_str()), ("x-request-id", "0123456789")];
    for (variables, attributes, request_id) in [
        (vec![], None, Some("0123456789")),
        (vec![("OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT", "4")], None, Some("0123")),
        (
            vec![("OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT", "4"), ("OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT", "6")],
            None,
            Some("012345"),
        ),
        (vec![("OTEL_ATTRIBUTE_COUNT_LIMIT", "1")], Some(1), None),
        (vec![("OTEL_ATTRIBUTE_COUNT_LIMIT", "1"), ("OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", "2")], Some(2), None),
    ] {
        let (exports, _) =
            exported(&[&[("OTEL_EXPORTER_OTLP_ENDPOINT", "{}")], &variables[..]].concat(), &headers).await;
        let spans = of_trace(&exports, TRACE);
        let request = spans.iter().find(|span| span.name == "GET /connections").unwrap();
        match attributes {
            Some(count) => {
                assert_eq!(request.attributes.len(), count, "{variables:?}: {request:?}");
                assert!(request.dropped_attributes_count > 0);
            }
            None => assert_eq!(text(&request.attributes, "request.id"), request_id, "{variables:?}"),
        }
    }
}

#[tokio::test]
async fn propagators_say_which_headers_go_on_to_sso() {
    let traceparent = parent("01");
    let baggage = "user=ada,plan=gold";
    let headers = [("traceparent", traceparent.as_str()), ("baggage", baggage)];
    for (propagators, has_trace, has_baggage) in [
        ("", true, false),
        ("tracecontext", true, false),
        ("tracecontext,baggage", true, true),
        (" Baggage , tracecontext,baggage", true, true),
        ("baggage", false, true),
        ("none", false, false),
    ] {
        let (sso, collector) = (MockServer::start().await, collector(ResponseTemplate::new(200)).await);
        let database = crate::support::databases::Database::fresh(crate::support::databases::Kind::Sqlite).await;
        let variables =
            [("OTEL_EXPORTER_OTLP_ENDPOINT", collector.uri()), ("OTEL_PROPAGATORS", propagators.to_owned())];
        let variables: Vec<(&str, &str)> = variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let (server, url, key) = crate::support::binary::serve(&database, &sso.uri(), &variables).await;
        let mut request = crate::support::plain_client().get(format!("{url}/connections")).basic_auth("", Some(key));
        for (name, value) in headers {
            request = request.header(name, value);
        }
        request.send().await.unwrap();
        tokio::task::spawn_blocking(|| server.terminate()).await.unwrap();

        let call = sso.received_requests().await.unwrap().remove(0);
        let header = |name: &str| call.headers.get(name).map(|value| value.to_str().unwrap().to_owned());
        let passed_on = header("traceparent").is_some_and(|value| value.starts_with(&format!("00-{TRACE}-")));
        assert_eq!(passed_on, has_trace, "{propagators:?}: {:?}", header("traceparent"));
        assert_eq!(!of_trace(&exports(&collector).await, TRACE).is_empty(), has_trace, "{propagators:?}");
        let mut members: Vec<String> = header("baggage")
            .into_iter()
            .flat_map(|text| text.split(',').map(str::to_owned).collect::<Vec<_>>())
            .collect();
        members.sort_unstable();
        assert_eq!(members, if has_baggage { vec!["plan=gold", "user=ada"] } else { vec![] }, "{propagators:?}");
        assert_eq!(header("traceparent").is_some(), has_trace, "{propagators:?}");
    }
}

#[tokio::test]
async fn traces_that_are_turned_off_are_not_exported_and_nothing_is_refused() {
    for off in [("OTEL_SDK_DISABLED", "TRUE"), ("OTEL_TRACES_EXPORTER", "none"), ("OTEL_TRACES_EXPORTER", "None")] {
        let unusable = [
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
            ("OTEL_TRACES_SAMPLER", "xray"),
            ("OTEL_BSP_MAX_QUEUE_SIZE", "x"),
        ];
        let variables = [&[("OTEL_EXPORTER_OTLP_ENDPOINT", "{}"), off], &unusable[..]].concat();
        let (exports, log) = exported(&variables, &[("traceparent", &parent("01"))]).await;
        assert_eq!(exports.len(), 0, "{off:?}");
        assert!(with_message(&log, "exporting traces").is_empty());
        assert!(with_message(&log, "OpenTelemetry variables without effect").is_empty(), "it was turned off: {log:#?}");
    }
}

#[tokio::test]
async fn variables_without_effect_are_named_in_one_warning() {
    let fleet = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "{}"),
        ("OTEL_METRICS_EXPORTER", "otlp"),
        ("OTEL_LOGS_EXPORTER", "none"),
        ("OTEL_LOG_LEVEL", "debug"),
        ("OTEL_EXPORTER_OTLP_ENPOINT", "http://typo"),
        ("OTEL_EXPORTER_OTLP_INSECURE", "true"),
        ("OTEL_SDK_DISABLED", "1"),
        ("OTEL_TRACES_SAMPLER_ARG", "0.5"),
        ("OTEL_PYTHON_LOG_CORRELATION", ""),
        ("OTEL_COLLECTOR_SERVICE_HOST", "10.0.0.1"),
        ("OTEL_COLLECTOR_PORT_4318_TCP", "tcp://10.0.0.1:4318"),
    ];
    let (exports, log) = exported(&fleet, &[]).await;
    assert!(!exports.is_empty());
    let warnings = with_message(&log, "OpenTelemetry variables without effect");
    assert_eq!(warnings.len(), 1, "{log:#?}");
    let variables = warnings[0]["variables"].as_str().unwrap();
    assert_eq!(
        variables,
        "OTEL_EXPORTER_OTLP_ENPOINT (unknown), OTEL_EXPORTER_OTLP_INSECURE (the endpoint's scheme decides), \
         OTEL_LOG_LEVEL (RUST_LOG sets what is logged), OTEL_METRICS_EXPORTER (metrics are at /metrics, in Prometheus' \
         format), OTEL_SDK_DISABLED (neither true nor false: nothing is disabled), OTEL_TRACES_SAMPLER_ARG (the sampler \
         takes no argument)"
    );
}

/// No probe, no export and no retry makes a span of its own.
#[tokio::test]
async fn exports_are_not_traced_themselves() {
    let collector = collector(ResponseTemplate::new(200)).await;
    let server = Exporting::start(&[
        ("OTEL_EXPORTER_OTLP_ENDPOINT", &collector.uri()),
        ("RUST_LOG", "warn,reqwest=trace,hyper=trace"),
    ])
    .await;
    for _ in 0..3 {
        let before = exports(&collector).await.len();
        server.request(&[]).await;
        until(async || exports(&collector).await.len() > before).await;
    }
    let (code, log) = tokio::task::spawn_blocking(|| server.server.terminate()).await.unwrap();
    assert_eq!(code, 0, "{log}");
    let spans = spans(&exports(&collector).await);
    let known = ["GET /connections", "GET /readyz", "statement", "SSO"];
    assert!(spans.iter().all(|span| known.contains(&span.name.as_str())), "{spans:#?}");
    assert!(spans.iter().all(|span| span.events.is_empty()), "{spans:#?}");
    assert_eq!(spans.iter().filter(|span| span.name == "GET /connections").count(), 3);
}

/// The exit code and the line, as an operator sees it; each variable's own refusals are the configuration's tests.
#[test]
fn a_variable_that_cannot_be_obeyed_ends_the_start_in_one_line_without_its_secret() {
    for (name, value) in [
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "secret-of-the-collector"),
        ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://user:secret-of-the-collector@collector/"),
        ("OTEL_CONFIG_FILE", "/etc/otel.yaml"),
    ] {
        let mut command = program(&["serve"]);
        command.env("SSO_URL", "http://127.0.0.1:9").env("SSO_TOKEN", "token").env("DATABASE_URL", "sqlite://none.db");
        command.env("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9").env(name, value);
        let (code, _, stderr) = run(&mut command);
        assert_eq!((code, stderr.lines().count()), (2, 1), "{stderr}");
        assert!(stderr.starts_with(&format!("error: {name} (environment)")) && !stderr.contains("secret"), "{stderr}");
    }
}

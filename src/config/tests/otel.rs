//! OpenTelemetry's variables: each is obeyed, refused by name, or named as one without effect.

use std::ffi::OsString;
use std::time::Duration;

use super::{Config, Run};
use crate::config::otel::{ALL, help};
use crate::config::unused_otel_variables;
use crate::telemetry::traces::IS_BUILT_IN;
use crate::telemetry::traces::settings::{RootSampler, SamplerSettings, TraceSettings};

const ENDPOINT: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";

/// A run that exports traces, with these variables.
fn with(variables: &[(&'static str, &'static str)]) -> Run {
    let run = Run::complete().variable(ENDPOINT, "http://collector:4318");
    variables.iter().fold(run, |run, (name, value)| run.variable(name, value))
}

fn traces(variables: &[(&'static str, &'static str)]) -> TraceSettings {
    with(variables).read().map(|config| config.log.traces).unwrap().expect("traces are exported")
}

#[test]
fn a_program_that_cannot_export_refuses_what_asks_for_it() {
    if IS_BUILT_IN {
        return;
    }
    for (name, value) in [
        (ENDPOINT, "http://localhost:4318"),
        ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://localhost:4318"),
        ("OTEL_TRACES_EXPORTER", "otlp"),
    ] {
        let refusal = Run::complete().variable(name, value).refusal();
        assert!(refusal.starts_with(name) && refusal.contains("built without the feature `otel`"), "{refusal}");
    }
    for off in [("OTEL_SDK_DISABLED", "true"), ("OTEL_TRACES_EXPORTER", "none")] {
        assert_eq!(with(&[off]).read().unwrap().log.traces, None);
    }
}

#[test]
fn traces_are_off_until_an_endpoint_or_the_exporter_is_named() {
    let endpoint = |run: Run| run.read().unwrap().log.traces.map(|traces| traces.endpoint.0.to_string());
    assert_eq!(endpoint(Run::complete()), None);
    assert_eq!(endpoint(Run::complete().variable("OTEL_SERVICE_NAME", "partners")), None);
    if !IS_BUILT_IN {
        return;
    }
    let named = Run::complete().variable("OTEL_TRACES_EXPORTER", "otlp");
    assert_eq!(endpoint(named).as_deref(), Some("http://localhost:4318/v1/traces"), "the specification's default");
    let file = Run::complete().file("otel_exporter_otlp_endpoint = \"http://of-file/\"");
    assert_eq!(endpoint(file).as_deref(), Some("http://of-file/v1/traces"));
    let traces = with(&[("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://of-traces")]);
    assert_eq!(
        endpoint(traces.flag("--otel-exporter-otlp-endpoint", "http://flag")).as_deref(),
        Some("http://of-traces/")
    );
    for off in [("OTEL_SDK_DISABLED", "true"), ("OTEL_SDK_DISABLED", " True "), ("OTEL_TRACES_EXPORTER", "NONE")] {
        assert_eq!(endpoint(with(&[off])), None);
    }
    for on in [("OTEL_SDK_DISABLED", "false"), ("OTEL_SDK_DISABLED", "1"), ("OTEL_TRACES_EXPORTER", "otlp")] {
        assert!(endpoint(with(&[on])).is_some(), "{on:?}");
    }
}

#[test]
fn an_empty_variable_counts_as_not_set() {
    if !IS_BUILT_IN {
        return;
    }
    let empty: Vec<(&str, &str)> = ALL.iter().map(|variable| (variable.name, "")).collect();
    assert_eq!(traces(&empty), traces(&[]));
    let none = Run::complete().variable(ENDPOINT, "").read().unwrap();
    assert_eq!(none.log.traces, None);
}

#[test]
fn each_variable_has_its_effect() {
    if !IS_BUILT_IN {
        return;
    }
    let default = traces(&[]);
    assert_eq!((default.timeout, default.batch.delay), (Duration::from_secs(10), Duration::from_secs(5)));
    assert_eq!((default.batch.queue_size, default.batch.batch_size), (2_048, 512));
    let root = RootSampler::AlwaysOn;
    assert_eq!(default.sampler, SamplerSettings { is_parent_based: true, root });
    // Those are for `https` endpoints, and the first two end everything.
    let elsewhere = ["OTEL_SDK_DISABLED", "OTEL_TRACES_EXPORTER", "PROTOCOL", "CERTIFICATE", "CLIENT_KEY"];
    for variable in ALL.iter().filter(|variable| !elsewhere.iter().any(|name| variable.name.ends_with(name))) {
        let value = match variable.name {
            name if name.ends_with("_ENDPOINT") => "http://other/",
            name if name.ends_with("_HEADERS") => "api-key=secret",
            name if name.ends_with("_COMPRESSION") => "gzip",
            "OTEL_SERVICE_NAME" => "partners",
            "OTEL_RESOURCE_ATTRIBUTES" => "team=sales",
            "OTEL_TRACES_SAMPLER" => "traceidratio",
            "OTEL_TRACES_SAMPLER_ARG" => "0.5",
            "OTEL_PROPAGATORS" => "none",
            _ => "7",
        };
        let mut changed = vec![(variable.name, value)];
        if variable.name == "OTEL_TRACES_SAMPLER_ARG" {
            changed.push(("OTEL_TRACES_SAMPLER", "parentbased_traceidratio"));
        }
        let changed = traces(&changed);
        assert_ne!(changed, default, "{} has no effect", variable.name);
        assert!(!format!("{changed:?}").contains("secret"), "{changed:?}");
    }
}

#[test]
fn the_lower_timeout_counts_and_none_is_very_long() {
    if !IS_BUILT_IN {
        return;
    }
    let timeout = |exporter, processor| {
        let timeout =
            traces(&[("OTEL_EXPORTER_OTLP_TIMEOUT", exporter), ("OTEL_BSP_EXPORT_TIMEOUT", processor)]).timeout;
        timeout.as_millis()
    };
    assert_eq!((timeout("100", "200"), timeout("200", "100")), (100, 100));
    assert_eq!((timeout("60000", ""), timeout("0", ""), timeout("0", "0")), (30_000, 30_000, 2_147_483_647));
}

#[test]
fn each_refusal_names_the_variable_and_what_would_do() {
    if !IS_BUILT_IN {
        return;
    }
    let url = "must be an http or https URL, like http://localhost:4318";
    let user = "must hold no user or password; credentials belong in OTEL_EXPORTER_OTLP_HEADERS";
    let query = "must hold no query or fragment; OTEL_EXPORTER_OTLP_TRACES_ENDPOINT may hold a query";
    let protocol = "cannot be used: traces are sent as http/protobuf alone. Set \
                    OTEL_EXPORTER_OTLP_TRACES_PROTOCOL=http/protobuf and an endpoint for OTLP over HTTP, usually port 4318, \
                    or OTEL_TRACES_EXPORTER=none";
    let headers = "must hold pairs like api-key=value, separated by commas, the values percent-encoded";
    let attributes = "must hold pairs like team=sales, separated by commas, percent-encoded";
    let sampler = "must be always_on, always_off, traceidratio, parentbased_always_on, parentbased_always_off or \
                   parentbased_traceidratio";
    let propagators = "must hold tracecontext or baggage, separated by commas, or be none";
    let number = |least: u32| format!("must be a whole number from {least} to 2147483647");
    let queue = "must be a whole number from 1 to 1000000";
    let exporter = "must be otlp or none: traces are exported by OTLP alone";
    let cases: Vec<(&[(&'static str, &'static str)], &str)> = vec![
        (&[(ENDPOINT, "localhost:4318")], url),
        (&[(ENDPOINT, "grpc://collector:4317")], url),
        (&[(ENDPOINT, "http://")], url),
        (&[(ENDPOINT, "http://user:secret@collector/")], user),
        (&[(ENDPOINT, "http://collector/?api-key=secret")], query),
        (&[("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "/v1/traces")], url),
        (&[("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://secret@collector/")], user),
        (&[("OTEL_TRACES_EXPORTER", "console")], exporter),
        (&[("OTEL_TRACES_EXPORTER", "otlp,zipkin")], exporter),
        (&[("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")], protocol),
        (&[("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json")], protocol),
        (&[("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "http"), ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf")], protocol),
        (&[("OTEL_EXPORTER_OTLP_HEADERS", "secret")], headers),
        (&[("OTEL_EXPORTER_OTLP_HEADERS", "api key=secret")], headers),
        (&[("OTEL_EXPORTER_OTLP_TRACES_HEADERS", "api-key=secret%0A")], headers),
        (&[("OTEL_EXPORTER_OTLP_HEADERS", "Content-Type=secret")], "must not set content-type: the exporter sets it"),
        (&[("OTEL_EXPORTER_OTLP_COMPRESSION", "zstd")], "must be gzip or none"),
        (&[("OTEL_RESOURCE_ATTRIBUTES", "team")], attributes),
        (&[("OTEL_RESOURCE_ATTRIBUTES", "=sales")], attributes),
        (&[("OTEL_RESOURCE_ATTRIBUTES", "team=%ff")], attributes),
        (&[("OTEL_TRACES_SAMPLER", "xray")], sampler),
        (&[("OTEL_TRACES_SAMPLER", "parentbased_jaeger_remote")], sampler),
        (&[("OTEL_PROPAGATORS", "tracecontext,b3")], propagators),
        (&[("OTEL_PROPAGATORS", "none,tracecontext")], propagators),
        (&[("OTEL_BSP_MAX_QUEUE_SIZE", "0")], queue),
        (&[("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "-1")], queue),
    ];
    let ratio = "must be a number from 0 to 1, like 0.25";
    let (least, least_1) = (number(0), number(1));
    let more: Vec<(&[(&'static str, &'static str)], &str)> = vec![
        (&[("OTEL_BSP_SCHEDULE_DELAY", "0")], &least_1),
        (&[("OTEL_BSP_EXPORT_TIMEOUT", "-1")], &least),
        (&[("OTEL_EXPORTER_OTLP_TIMEOUT", "10s")], &least),
        (&[("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "2147483648")], &least),
        (&[("OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT", "many")], &least),
        (&[("OTEL_SPAN_LINK_COUNT_LIMIT", "1.5")], &least),
    ];
    for (variables, problem) in cases.into_iter().chain(more) {
        let (name, value) = variables[0];
        let refusal = with(variables).refusal();
        let is_secret = name.ends_with("ENDPOINT") || name.ends_with("HEADERS");
        let shown = if is_secret { String::new() } else { format!(" is {value:?}:") };
        assert_eq!(refusal, format!("{name} (environment){shown} {problem}"));
        assert!(!refusal.contains("secret"), "{refusal}");
    }
    for argument in ["-0.1", "1.1", "NaN", "inf", "half"] {
        let refusal = with(&[("OTEL_TRACES_SAMPLER", "traceidratio"), ("OTEL_TRACES_SAMPLER_ARG", argument)]).refusal();
        assert_eq!(refusal, format!("OTEL_TRACES_SAMPLER_ARG (environment) is {argument:?}: {ratio}"));
    }
    let refusal = with(&[("OTEL_BSP_MAX_QUEUE_SIZE", "10"), ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "11")]).refusal();
    let problem = "is \"11\": must not exceed OTEL_BSP_MAX_QUEUE_SIZE, which is 10";
    assert_eq!(refusal, format!("OTEL_BSP_MAX_EXPORT_BATCH_SIZE (environment) {problem}"));
    for file in ["OTEL_CONFIG_FILE", "OTEL_EXPERIMENTAL_CONFIG_FILE"] {
        assert!(with(&[(file, "otel.yaml")]).refusal().starts_with(&format!("{file} (environment)")));
    }
}

#[test]
fn the_file_says_where_those_variables_belong() {
    let refusal = Run::complete().file("otel_service_name = \"partners\"").refusal();
    let problem = "only the environment sets OpenTelemetry's variables, except for the endpoint";
    assert_eq!(refusal, format!("configuration file test.toml: unknown key `otel_service_name`: {problem}"));
}

/// The variables without effect, of a run with these and no others.
fn unused(variables: &[(&'static str, &'static str)]) -> Vec<String> {
    let run = variables.iter().fold(Run::complete(), |run, (name, value)| run.variable(name, value));
    let config: Config = run.read().unwrap();
    let names: Vec<String> = variables.iter().map(|(name, _)| (*name).to_owned()).collect();
    let value = |name: &str| variables.iter().find(|(given, _)| *given == name).map(|(_, value)| OsString::from(value));
    unused_otel_variables(&names, &value, config.log.traces.as_ref())
}

#[test]
fn a_variable_without_effect_is_named_with_the_reason() {
    let off = if IS_BUILT_IN {
        "no traces are exported: no endpoint is set"
    } else {
        "this program was built without the feature `otel`"
    };
    for (name, value, reason) in [
        ("OTEL_SERVICE_NAME", "partners", off),
        ("OTEL_TRACES_SAMPLER", "xray", off),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc", off),
        ("OTEL_EXPORTER_OTLP_HEADERS", "secret", off),
        ("OTEL_SDK_DISABLED", "yes", "neither true nor false: nothing is disabled"),
        ("OTEL_METRICS_EXPORTER", "otlp", "metrics are at /metrics, in Prometheus' format"),
        ("OTEL_METRIC_EXPORT_INTERVAL", "1", "metrics are at /metrics, in Prometheus' format"),
        ("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "http://m", "metrics are at /metrics, in Prometheus' format"),
        ("OTEL_LOGS_EXPORTER", "console", "logs are written to standard error"),
        ("OTEL_BLRP_MAX_QUEUE_SIZE", "1", "logs are written to standard error"),
        ("OTEL_LOG_LEVEL", "info", "RUST_LOG sets what is logged"),
        ("OTEL_EXPORTER_ZIPKIN_ENDPOINT", "http://z", "traces are exported by OTLP alone"),
        ("OTEL_EXPORTER_OTLP_TRACES_INSECURE", "true", "the endpoint's scheme decides"),
        ("OTEL_CONFIG_FILE", "otel.yaml", "only OpenTelemetry's other variables are read"),
        ("OTEL_SERVICENAME", "partners", "unknown"),
        ("OTEL_SEMCONV_STABILITY_OPT_IN", "http", "unknown"),
    ] {
        assert_eq!(unused(&[(name, value)]), [format!("{name} ({reason})")]);
    }
    for harmless in [
        ("OTEL_METRICS_EXPORTER", "none"),
        ("OTEL_METRICS_EXPORTER", "prometheus"),
        ("OTEL_LOGS_EXPORTER", "NONE"),
        ("OTEL_SDK_DISABLED", "FALSE"),
        ("OTEL_TRACES_EXPORTER", "none"),
        ("OTEL_EXPORTER_OTLP_INSECURE", "false"),
        ("OTEL_SERVICENAME", ""),
        ("OTELX", "1"),
    ] {
        assert_eq!(unused(&[harmless]), <[&str; 0]>::default(), "{harmless:?}");
    }
}

#[test]
fn a_variable_that_others_turn_off_is_named_only_where_that_is_a_surprise() {
    let of_kubernetes = [
        ("OTEL_AGENT_SERVICE_HOST", "10.0.0.1"),
        ("OTEL_AGENT_SERVICE_PORT_OTLP", "4318"),
        ("OTEL_AGENT_PORT", "tcp://10.0.0.1:4318"),
        ("OTEL_AGENT_PORT_4318_TCP_ADDR", "10.0.0.1"),
    ];
    assert_eq!(unused(&of_kubernetes), <[&str; 0]>::default());
    assert_eq!(unused(&[("OTEL_AGENT_PORT", "1")]), ["OTEL_AGENT_PORT (unknown)"]);
    let disabled =
        [("OTEL_SDK_DISABLED", "true"), ("OTEL_LOGS_EXPORTER", "otlp"), ("OTEL_TYPO", "1"), ("OTEL_SERVICE_NAME", "a")];
    assert_eq!(unused(&disabled), ["OTEL_TYPO (unknown)"]);
    let no_traces = [("OTEL_TRACES_EXPORTER", "none"), ("OTEL_LOGS_EXPORTER", "otlp"), ("OTEL_SERVICE_NAME", "a")];
    assert_eq!(unused(&no_traces), ["OTEL_LOGS_EXPORTER (logs are written to standard error)"]);
    if !IS_BUILT_IN {
        return;
    }
    let endpoint = (ENDPOINT, "http://collector");
    let argument = [endpoint, ("OTEL_TRACES_SAMPLER", "always_on"), ("OTEL_TRACES_SAMPLER_ARG", "0.1")];
    assert_eq!(unused(&argument), ["OTEL_TRACES_SAMPLER_ARG (the sampler takes no argument)"]);
    let certificate = [endpoint, ("OTEL_EXPORTER_OTLP_CERTIFICATE", "/nowhere.pem")];
    assert_eq!(unused(&certificate), ["OTEL_EXPORTER_OTLP_CERTIFICATE (the endpoint is not https)"]);
    let every_other = [endpoint, ("OTEL_SERVICE_NAME", "a"), ("OTEL_EXPORTER_OTLP_TRACES_HEADERS", "a=b")];
    assert_eq!(unused(&every_other), <[&str; 0]>::default());
}

#[test]
fn the_help_and_the_documents_list_each_variable() {
    let (help, document) = (help(), include_str!("../../../README.md"));
    for variable in ALL {
        let name = variable.name;
        assert!(help.lines().any(|line| line.trim_start().starts_with(&format!("{name}=<"))), "{name}");
        assert!(document.contains(&format!("`{name}`")), "README.md does not name {name}");
    }
}

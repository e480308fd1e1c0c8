//! OpenTelemetry's variables that are set and have no effect, each with the reason: for one warning at the start.

use super::values;
use super::variables::{self, ALL, Pair};
use crate::config::setting;
use crate::config::sources::Environment;
use crate::telemetry::traces::IS_BUILT_IN;
use crate::telemetry::traces::settings::{RootSampler, TraceSettings};

/// The variables among these names that are set and have no effect, like `OTEL_FOO (unknown)`.
#[must_use]
pub fn unused_variables(names: &[String], environment: Environment<'_>, traces: Option<&TraceSettings>) -> Vec<String> {
    let value =
        |name: &str| environment(name).map(|value| value.to_string_lossy().trim().to_owned()).unwrap_or_default();
    let mut unused: Vec<String> = names
        .iter()
        .filter(|name| name.starts_with("OTEL_") && !value(name).is_empty() && !is_of_kubernetes(name, names))
        .filter_map(|name| reason(name, &value, traces).map(|reason| format!("{name} ({reason})")))
        .collect();
    unused.sort_unstable();
    unused
}

/// Whether Kubernetes set it for a service of that name: `OTEL_COLLECTOR_PORT` and others beside
/// `OTEL_COLLECTOR_SERVICE_HOST`.
fn is_of_kubernetes(name: &str, names: &[String]) -> bool {
    let services = names.iter().filter_map(|name| name.strip_suffix("_SERVICE_HOST"));
    let mut endings = services.filter_map(|service| name.strip_prefix(service));
    endings.any(|ending| ending.starts_with("_SERVICE_") || ending == "_PORT" || ending.starts_with("_PORT_"))
}

/// Why it has no effect, if it has none.
fn reason(name: &str, value: &impl Fn(&str) -> String, traces: Option<&TraceSettings>) -> Option<&'static str> {
    let is = |word: &str| value(name).eq_ignore_ascii_case(word);
    let is_disabled = values::is_true(&value(variables::SDK_DISABLED.name));
    if name == variables::SDK_DISABLED.name {
        return (!is("true") && !is("false")).then_some("neither true nor false: nothing is disabled");
    }
    if name == variables::TRACES_EXPORTER.name {
        return None;
    }
    if name == setting::OTEL_EXPORTER_OTLP_ENDPOINT.name || ALL.iter().any(|variable| variable.name == name) {
        return match traces {
            Some(traces) => without_effect(name, traces),
            None if is_disabled || !value(variables::TRACES_EXPORTER.name).is_empty() => None,
            None if !IS_BUILT_IN => Some("this program was built without the feature `otel`"),
            None => Some("no traces are exported: no endpoint is set"),
        };
    }
    let known = match name {
        "OTEL_LOG_LEVEL" => "RUST_LOG sets what is logged",
        "OTEL_EXPORTER_OTLP_INSECURE" | "OTEL_EXPORTER_OTLP_TRACES_INSECURE" => "the endpoint's scheme decides",
        "OTEL_CONFIG_FILE" | "OTEL_EXPERIMENTAL_CONFIG_FILE" => "only OpenTelemetry's other variables are read",
        _ if starts_with(name, &METRICS) => "metrics are at /metrics, in Prometheus' format",
        _ if starts_with(name, &LOGS) => "logs are written to standard error",
        _ if starts_with(name, &OTHER_EXPORTERS) => "traces are exported by OTLP alone",
        _ => return Some("unknown"),
    };
    let is_harmless = match name {
        "OTEL_METRICS_EXPORTER" => is("none") || is("prometheus"),
        "OTEL_LOGS_EXPORTER" => is("none"),
        "OTEL_EXPORTER_OTLP_INSECURE" | "OTEL_EXPORTER_OTLP_TRACES_INSECURE" => is("false"),
        _ => false,
    };
    (!is_harmless && !is_disabled).then_some(known)
}

const METRICS: [&str; 4] =
    ["OTEL_METRIC_", "OTEL_METRICS_", "OTEL_EXPORTER_OTLP_METRICS_", "OTEL_EXPORTER_PROMETHEUS_"];
const LOGS: [&str; 4] = ["OTEL_LOGS_", "OTEL_BLRP_", "OTEL_LOGRECORD_", "OTEL_EXPORTER_OTLP_LOGS_"];
const OTHER_EXPORTERS: [&str; 2] = ["OTEL_EXPORTER_ZIPKIN_", "OTEL_EXPORTER_JAEGER_"];

fn starts_with(name: &str, beginnings: &[&str]) -> bool {
    beginnings.iter().any(|beginning| name.starts_with(beginning))
}

/// Why a variable that is obeyed has no effect beside the others.
fn without_effect(name: &str, traces: &TraceSettings) -> Option<&'static str> {
    let is_of = |pair: &Pair| name == pair.traces.name || name == pair.general.name;
    let is_tls =
        [&variables::CERTIFICATE, &variables::CLIENT_KEY, &variables::CLIENT_CERTIFICATE].into_iter().any(is_of);
    if is_tls && traces.endpoint.0.scheme() != "https" {
        return Some("the endpoint is not https");
    }
    let has_ratio = matches!(traces.sampler.root, RootSampler::Ratio(_));
    (name == variables::TRACES_SAMPLER_ARG.name && !has_ratio).then_some("the sampler takes no argument")
}

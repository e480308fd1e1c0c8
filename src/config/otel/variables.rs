//! The table of OpenTelemetry's environment variables that are obeyed, and the names of some that cannot be.

use crate::config::setting::Setting;

/// A variable for all signals, and the one for traces that precedes it.
#[derive(Debug)]
pub(super) struct Pair {
    pub(super) traces: Setting,
    pub(super) general: Setting,
}

impl Pair {
    const fn new(traces: &'static str, general: &'static str, value: &'static str, meaning: &'static str) -> Self {
        Self { traces: Setting::new(traces, value, meaning), general: Setting::new(general, value, meaning) }
    }

    const fn secret(self) -> Self {
        Self { traces: self.traces.secret(), general: self.general.secret() }
    }
}

macro_rules! variables {
    (single { $($constant:ident = $setting:expr;)+ } pairs { $($pair:ident = $both:expr;)+ }) => {
        $(pub(super) static $constant: Setting = $setting;)+
        $(pub(super) static $pair: Pair = $both;)+

        /// Every variable that is obeyed, but for those that are settings with a flag too.
        pub(in crate::config) static ALL: &[&Setting] = &[$(&$constant,)+ $(&$pair.traces, &$pair.general,)+];
    };
}

variables! {
    single {
        SDK_DISABLED = Setting::new("OTEL_SDK_DISABLED", "true|false", "true: no traces are exported");
        TRACES_EXPORTER = Setting::new(
            "OTEL_TRACES_EXPORTER",
            "otlp|none",
            "none: no traces are exported; otlp: they are, without an endpoint to http://localhost:4318",
        );
        TRACES_ENDPOINT = Setting::new(
            "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
            "URL",
            "The whole URL that traces are posted to; precedes OTEL_EXPORTER_OTLP_ENDPOINT",
        )
        .secret();
        SERVICE_NAME =
            Setting::new("OTEL_SERVICE_NAME", "NAME", "The resource's service.name; default: lc-connections");
        RESOURCE_ATTRIBUTES =
            Setting::new("OTEL_RESOURCE_ATTRIBUTES", "NAME=VALUE,…", "The resource's attributes, percent-encoded");
        TRACES_SAMPLER = Setting::new(
            "OTEL_TRACES_SAMPLER",
            "SAMPLER",
            "always_on, always_off, traceidratio, or parentbased_ before one of them; default: parentbased_always_on",
        );
        TRACES_SAMPLER_ARG =
            Setting::new("OTEL_TRACES_SAMPLER_ARG", "RATIO", "The share that a traceidratio sampler samples, 0 to 1; default: 1");
        PROPAGATORS = Setting::new(
            "OTEL_PROPAGATORS",
            "LIST",
            "Headers that carry a trace in and on: tracecontext, baggage, or none; default: tracecontext",
        );
        BSP_MAX_QUEUE_SIZE =
            Setting::new("OTEL_BSP_MAX_QUEUE_SIZE", "NUMBER", "Spans that may wait for export; default: 2048");
        BSP_MAX_EXPORT_BATCH_SIZE =
            Setting::new("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "NUMBER", "Spans of one export; default: 512");
        BSP_SCHEDULE_DELAY = Setting::new(
            "OTEL_BSP_SCHEDULE_DELAY",
            "MILLISECONDS",
            "How long a span waits for others before it is exported; default: 5000",
        );
        BSP_EXPORT_TIMEOUT = Setting::new(
            "OTEL_BSP_EXPORT_TIMEOUT",
            "MILLISECONDS",
            "The limit of one export beside OTEL_EXPORTER_OTLP_TIMEOUT, the lower one counts; default: 30000",
        );
        ATTRIBUTE_VALUE_LENGTH_LIMIT = Setting::new(
            "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT",
            "NUMBER",
            "Characters of an attribute's value; default: no limit",
        );
        SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT = Setting::new(
            "OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT",
            "NUMBER",
            "Characters of an attribute's value; precedes OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT",
        );
        ATTRIBUTE_COUNT_LIMIT =
            Setting::new("OTEL_ATTRIBUTE_COUNT_LIMIT", "NUMBER", "Attributes of a span, an event or a link; default: 128");
        SPAN_ATTRIBUTE_COUNT_LIMIT = Setting::new(
            "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT",
            "NUMBER",
            "Attributes of a span; precedes OTEL_ATTRIBUTE_COUNT_LIMIT",
        );
        EVENT_ATTRIBUTE_COUNT_LIMIT = Setting::new(
            "OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT",
            "NUMBER",
            "Attributes of an event; precedes OTEL_ATTRIBUTE_COUNT_LIMIT",
        );
        LINK_ATTRIBUTE_COUNT_LIMIT = Setting::new(
            "OTEL_LINK_ATTRIBUTE_COUNT_LIMIT",
            "NUMBER",
            "Attributes of a link; precedes OTEL_ATTRIBUTE_COUNT_LIMIT",
        );
        SPAN_EVENT_COUNT_LIMIT = Setting::new("OTEL_SPAN_EVENT_COUNT_LIMIT", "NUMBER", "Events of a span; default: 128");
        SPAN_LINK_COUNT_LIMIT = Setting::new("OTEL_SPAN_LINK_COUNT_LIMIT", "NUMBER", "Links of a span; default: 128");
    }
    pairs {
        PROTOCOL = Pair::new(
            "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL",
            "OTEL_EXPORTER_OTLP_PROTOCOL",
            "http/protobuf",
            "The transport; grpc and http/json are not supported",
        );
        HEADERS = Pair::new(
            "OTEL_EXPORTER_OTLP_TRACES_HEADERS",
            "OTEL_EXPORTER_OTLP_HEADERS",
            "NAME=VALUE,…",
            "Headers of each export, values percent-encoded; never logged",
        )
        .secret();
        TIMEOUT = Pair::new(
            "OTEL_EXPORTER_OTLP_TRACES_TIMEOUT",
            "OTEL_EXPORTER_OTLP_TIMEOUT",
            "MILLISECONDS",
            "The limit of one export, retries included; 0: no limit; default: 10000",
        );
        COMPRESSION = Pair::new(
            "OTEL_EXPORTER_OTLP_TRACES_COMPRESSION",
            "OTEL_EXPORTER_OTLP_COMPRESSION",
            "gzip|none",
            "How exports are compressed; default: none",
        );
        CERTIFICATE = Pair::new(
            "OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE",
            "OTEL_EXPORTER_OTLP_CERTIFICATE",
            "FILE",
            "PEM file: the only certificates to trust at an https endpoint; default: those of the system",
        );
        CLIENT_KEY = Pair::new(
            "OTEL_EXPORTER_OTLP_TRACES_CLIENT_KEY",
            "OTEL_EXPORTER_OTLP_CLIENT_KEY",
            "FILE",
            "PEM file: the private key for mutual TLS",
        );
        CLIENT_CERTIFICATE = Pair::new(
            "OTEL_EXPORTER_OTLP_TRACES_CLIENT_CERTIFICATE",
            "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE",
            "FILE",
            "PEM file: the certificate chain of that key",
        );
    }
}

/// Would replace every other variable by a file.
pub(super) static CONFIG_FILES: [Setting; 2] = [
    Setting::new("OTEL_CONFIG_FILE", "FILE", "Declarative configuration"),
    Setting::new("OTEL_EXPERIMENTAL_CONFIG_FILE", "FILE", "Declarative configuration"),
];

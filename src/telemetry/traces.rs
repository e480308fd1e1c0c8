//! Traces for OpenTelemetry: which spans are exported, and how a trace comes in and goes on.
//!
//! Exporting is behind the feature `otel`, and begins when an endpoint is configured; until then spans of [`TARGET`] cost
//! nothing, and nothing is read from or written to headers.

use http::HeaderMap;
use tracing::Span;

/// The target of the spans that are exported, and of no others. They are of level debug.
pub const TARGET: &str = "lc_connections::traces";

/// Whether this program was built with the feature.
pub const IS_BUILT_IN: bool = cfg!(feature = "otel");

/// Makes the span a part of the trace that the headers name, if traces are exported.
pub fn adopt(span: &Span, headers: &HeaderMap) {
    #[cfg(feature = "otel")]
    otel::adopt(span, headers);
    #[cfg(not(feature = "otel"))]
    let _ = (span, headers);
}

/// Names the current trace in the headers of a call, if traces are exported.
pub fn propagate(headers: &mut HeaderMap) {
    #[cfg(feature = "otel")]
    otel::propagate(headers);
    #[cfg(not(feature = "otel"))]
    let _ = headers;
}

#[cfg(feature = "otel")]
pub(super) mod otel {
    //! What talks to the libraries.

    use std::sync::atomic::{AtomicBool, Ordering};
    use std::time::Duration;

    use http::HeaderMap;
    use opentelemetry::propagation::TextMapPropagator;
    use opentelemetry::trace::TracerProvider;
    use opentelemetry_http::{HeaderExtractor, HeaderInjector};
    use opentelemetry_otlp::{ExporterBuildError, Protocol, SpanExporter, WithExportConfig};
    use opentelemetry_sdk::Resource;
    use opentelemetry_sdk::propagation::TraceContextPropagator;
    use opentelemetry_sdk::trace::SdkTracerProvider;
    use tracing::{Span, Subscriber};
    use tracing_opentelemetry::OpenTelemetrySpanExt;
    use tracing_subscriber::Layer;
    use tracing_subscriber::filter::filter_fn;
    use tracing_subscriber::registry::LookupSpan;
    use url::Url;

    use super::TARGET;

    /// What is left to send at the end may take so long.
    const LAST_EXPORT: Duration = Duration::from_secs(2);

    static IS_ON: AtomicBool = AtomicBool::new(false);

    /// Sends spans away, until it is dropped.
    #[derive(Debug)]
    pub(crate) struct Exporter(SdkTracerProvider);

    impl Exporter {
        /// To a collector's base URL, by OTLP over HTTP.
        pub(crate) fn start(endpoint: &Url) -> Result<Self, ExporterBuildError> {
            let endpoint = format!("{}/v1/traces", endpoint.as_str().trim_end_matches('/'));
            let exporter = SpanExporter::builder()
                .with_http()
                .with_protocol(Protocol::HttpBinary)
                .with_endpoint(endpoint)
                .build()?;
            let resource = Resource::builder().with_service_name("lc-connections").build();
            let provider = SdkTracerProvider::builder().with_resource(resource).with_batch_exporter(exporter).build();
            IS_ON.store(true, Ordering::Relaxed);
            Ok(Self(provider))
        }

        /// What hands it the spans.
        pub(crate) fn layer<S: Subscriber + for<'a> LookupSpan<'a>>(&self) -> impl Layer<S> + use<S> {
            let tracer = self.0.tracer("lc-connections");
            let layer = tracing_opentelemetry::layer().with_tracer(tracer).with_location(false).with_threads(false);
            layer.with_filter(filter_fn(|metadata| metadata.target() == TARGET))
        }
    }

    impl Drop for Exporter {
        fn drop(&mut self) {
            IS_ON.store(false, Ordering::Relaxed);
            if let Err(error) = self.0.shutdown_with_timeout(LAST_EXPORT) {
                tracing::warn!(%error, "the last traces could not be sent");
            }
        }
    }

    pub(super) fn adopt(span: &Span, headers: &HeaderMap) {
        if IS_ON.load(Ordering::Relaxed) {
            // It fails for a span that nobody exports.
            let _ = span.set_parent(TraceContextPropagator::new().extract(&HeaderExtractor(headers)));
        }
    }

    pub(super) fn propagate(headers: &mut HeaderMap) {
        if IS_ON.load(Ordering::Relaxed) {
            TraceContextPropagator::new().inject_context(&Span::current().context(), &mut HeaderInjector(headers));
        }
    }
}

//! The exporter, built of the libraries' parts, and the trace context in headers.
//!
//! Every value that the libraries would read from the environment is passed to them.

use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use http::HeaderMap;
use opentelemetry::propagation::TextMapPropagator;
use opentelemetry::trace::TracerProvider;
use opentelemetry::{Context, KeyValue};
use opentelemetry_http::{HeaderExtractor, HeaderInjector};
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::propagation::{BaggagePropagator, TraceContextPropagator};
use opentelemetry_sdk::resource::TelemetryResourceDetector;
use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider, SpanLimits};
use tracing::{Span, Subscriber};
use tracing_opentelemetry::OpenTelemetrySpanExt;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::registry::LookupSpan;

use super::queue::{Counted, Queue, Spans};
use super::settings::{Propagators, RootSampler, SamplerSettings, SpanLimitSettings, TraceSettings};
use super::transport::{Exchange, Transport};
use super::{TARGET, losses};

/// The limit of the last export.
const LAST_EXPORT: Duration = Duration::from_secs(2);

const EXPORTED: u8 = 1;
const TRACE_CONTEXT: u8 = 2;
const BAGGAGE: u8 = 4;

/// Whether traces are exported, and which headers carry them then.
static STATE: AtomicU8 = AtomicU8::new(0);

/// Exports spans until it is dropped.
#[derive(Debug)]
pub(crate) struct Exporter {
    /// Present until the end.
    provider: Option<SdkTracerProvider>,
    spans: Arc<Spans>,
}

impl Exporter {
    /// To a collector, by OTLP over HTTP.
    pub(crate) fn start(settings: &TraceSettings) -> Result<Self, Box<dyn Error + Send + Sync>> {
        let TraceSettings { endpoint, timeout, resource, sampler, batch, limits, propagators, .. } = settings;
        let (spans, exchange) = (Arc::new(Spans::default()), Arc::new(Exchange::new()));
        let inner = SpanExporter::builder()
            .with_http()
            .with_protocol(Protocol::HttpBinary)
            .with_endpoint(endpoint.0.as_str())
            .with_timeout(*timeout)
            .with_http_client(Transport::new(settings, exchange.clone())?)
            .build()?;
        let value_length = limits.value_length;
        let exporter = Counted { inner, spans: spans.clone(), exchange, timeout: *timeout, value_length };
        let attributes = resource.iter().map(|(name, value)| KeyValue::new(name.clone(), value.clone()));
        let resource = Resource::builder_empty()
            .with_detector(Box::new(TelemetryResourceDetector))
            .with_attributes(attributes)
            .build();
        let provider = SdkTracerProvider::builder()
            .with_sampler(sampler_of(*sampler))
            .with_span_limits(limits_of(limits))
            .with_resource(resource)
            .with_span_processor(Queue::new(exporter, *batch))
            .build();
        let Propagators { trace_context, baggage } = propagators;
        let propagated = if *trace_context { TRACE_CONTEXT } else { 0 } | if *baggage { BAGGAGE } else { 0 };
        STATE.store(EXPORTED | propagated, Ordering::Relaxed);
        Ok(Self { provider: Some(provider), spans })
    }

    /// Passes spans to the exporter.
    pub(crate) fn layer<S: Subscriber + for<'a> LookupSpan<'a>>(&self) -> Option<impl Layer<S> + use<S>> {
        let tracer = self.provider.as_ref()?.tracer("lc-connections");
        let layer = tracing_opentelemetry::layer().with_tracer(tracer).with_location(false).with_threads(false);
        Some(layer.with_filter(filter_fn(|metadata| metadata.target() == TARGET)))
    }

    /// Exports the remaining spans within the limit.
    pub(crate) fn end(&mut self, limit: Duration) {
        let Some(provider) = self.provider.take() else { return };
        STATE.store(0, Ordering::Relaxed);
        let limit = limit.min(LAST_EXPORT);
        // After an error spans remain; they are counted next.
        let _ = provider.shutdown_with_timeout(limit);
        self.spans.end(limit);
    }
}

impl Drop for Exporter {
    fn drop(&mut self) {
        self.end(LAST_EXPORT);
    }
}

/// Shows the counters of lost spans before any span is lost, if traces are exported.
pub(crate) fn count_from_zero() {
    if STATE.load(Ordering::Relaxed) & EXPORTED != 0 {
        losses::count_from_zero();
    }
}

fn sampler_of(settings: SamplerSettings) -> Sampler {
    let root = match settings.root {
        RootSampler::AlwaysOn => Sampler::AlwaysOn,
        RootSampler::AlwaysOff => Sampler::AlwaysOff,
        RootSampler::Ratio(ratio) => Sampler::TraceIdRatioBased(ratio),
    };
    if settings.is_parent_based { Sampler::ParentBased(Box::new(root)) } else { root }
}

fn limits_of(settings: &SpanLimitSettings) -> SpanLimits {
    let SpanLimitSettings { value_length: _, attributes, events, links, event_attributes, link_attributes } = *settings;
    SpanLimits {
        max_events_per_span: events,
        max_attributes_per_span: attributes,
        max_links_per_span: links,
        max_attributes_per_event: event_attributes,
        max_attributes_per_link: link_attributes,
    }
}

pub(super) fn adopt(span: &Span, headers: &HeaderMap) {
    let state = STATE.load(Ordering::Relaxed);
    if state & (TRACE_CONTEXT | BAGGAGE) == 0 {
        return;
    }
    let mut context = Context::new();
    let headers = HeaderExtractor(headers);
    if state & TRACE_CONTEXT != 0 {
        context = TraceContextPropagator::new().extract_with_context(&context, &headers);
    }
    if state & BAGGAGE != 0 {
        context = BaggagePropagator::new().extract_with_context(&context, &headers);
    }
    // It fails for a span that nobody exports.
    let _ = span.set_parent(context);
}

pub(super) fn propagate(headers: &mut HeaderMap) {
    let state = STATE.load(Ordering::Relaxed);
    if state & (TRACE_CONTEXT | BAGGAGE) == 0 {
        return;
    }
    let (context, mut headers) = (Span::current().context(), HeaderInjector(headers));
    if state & TRACE_CONTEXT != 0 {
        TraceContextPropagator::new().inject_context(&context, &mut headers);
    }
    if state & BAGGAGE != 0 {
        BaggagePropagator::new().inject_context(&context, &mut headers);
    }
}

//! The queue of spans in front of the exporter, and the losses on either side of it.
//!
//! The library's batch processor does the work. It reports neither a dropped span nor a failed export, so each span is
//! counted on its way in and out here.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use opentelemetry::{Context, KeyValue, StringValue, Value};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{BatchConfigBuilder, BatchSpanProcessor, Span, SpanData, SpanExporter, SpanProcessor};

use super::losses::{self, Cause, Losses, OTHER, QUEUE_FULL, TIMEOUT};
use super::settings::BatchSettings;
use super::transport::{Exchange, Outcome};

/// The spans on their way to the collector.
#[derive(Debug, Default)]
pub(super) struct Spans {
    waiting: AtomicUsize,
    exporting: AtomicUsize,
    /// Dropped in front of the queue since the last export.
    dropped: AtomicUsize,
    losses: Losses,
}

impl Spans {
    /// Takes one of the queue's places, if one is free.
    fn enter(&self, queue_size: usize) -> bool {
        let one_more = |waiting| (waiting < queue_size).then_some(waiting + 1);
        self.waiting.fetch_update(Ordering::AcqRel, Ordering::Acquire, one_more).is_ok()
    }

    /// Nothing is exported any more: the remaining spans are lost.
    pub(super) fn end(&self, limit: Duration) {
        let left = self.waiting.load(Ordering::Acquire) + self.exporting.load(Ordering::Acquire);
        let dropped = self.dropped.swap(0, Ordering::AcqRel);
        if left > 0 {
            let cause =
                Cause::new(TIMEOUT, format!("the last spans were not exported within {} ms", limit.as_millis()));
            losses::count(cause.error_type.clone(), left);
            self.losses.lost(&cause, left + dropped, Instant::now());
        } else if dropped > 0 {
            self.losses.lost(&queue_full(), dropped, Instant::now());
        }
        self.losses.ended();
    }
}

fn queue_full() -> Cause {
    Cause::new(QUEUE_FULL, "more spans than OTEL_BSP_MAX_QUEUE_SIZE were waiting for export")
}

/// The library's processor behind a queue that counts what it drops.
#[derive(Debug)]
pub(super) struct Queue {
    inner: BatchSpanProcessor,
    spans: Arc<Spans>,
    size: usize,
}

impl Queue {
    pub(super) fn new<E: SpanExporter + 'static>(exporter: Counted<E>, settings: BatchSettings) -> Self {
        let BatchSettings { queue_size, batch_size, delay } = settings;
        let spans = exporter.spans.clone();
        let batch = BatchConfigBuilder::default()
            .with_max_queue_size(queue_size)
            .with_max_export_batch_size(batch_size)
            .with_scheduled_delay(delay)
            .build();
        let inner = BatchSpanProcessor::builder(exporter).with_batch_config(batch).build();
        Self { inner, spans, size: queue_size }
    }
}

impl SpanProcessor for Queue {
    fn on_start(&self, span: &mut Span, context: &Context) {
        self.inner.on_start(span, context);
    }

    /// Called by requests: neither waits nor logs.
    fn on_end(&self, span: SpanData) {
        if self.spans.enter(self.size) {
            self.inner.on_end(span);
        } else {
            self.spans.dropped.fetch_add(1, Ordering::AcqRel);
            losses::count(QUEUE_FULL, 1);
        }
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.inner.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.inner.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.inner.set_resource(resource);
    }
}

/// An exporter whose losses are counted.
#[derive(Debug)]
pub(super) struct Counted<E> {
    pub(super) inner: E,
    pub(super) spans: Arc<Spans>,
    pub(super) exchange: Arc<Exchange>,
    pub(super) timeout: Duration,
    /// Characters of an attribute's value. The library has no limit of its own.
    pub(super) value_length: Option<usize>,
}

impl<E> Counted<E> {
    /// The cause of a loss, and how many spans it cost.
    fn loss(&self, result: &OTelSdkResult, spans: usize) -> Option<(Cause, usize)> {
        match (self.exchange.end(), result) {
            (Some(Outcome::Failed(cause)), _) => Some((cause, spans)),
            (Some(Outcome::Accepted { rejected, cause }), _) => (rejected > 0).then_some((cause, rejected.min(spans))),
            (None, Ok(())) => None,
            (None, Err(error)) => Some((Cause::new(OTHER, super::super::chain(error)), spans)),
        }
    }
}

impl<E: SpanExporter> SpanExporter for Counted<E> {
    async fn export(&self, mut batch: Vec<SpanData>) -> OTelSdkResult {
        let spans = batch.len();
        self.spans.exporting.store(spans, Ordering::Release);
        self.spans.waiting.fetch_sub(spans, Ordering::AcqRel);
        if let Some(length) = self.value_length {
            for span in &mut batch {
                shorten_values(span, length);
            }
        }
        self.exchange.begin(self.timeout);
        let result = self.inner.export(batch).await;
        self.spans.exporting.store(0, Ordering::Release);

        let dropped = self.spans.dropped.swap(0, Ordering::AcqRel);
        if let Some((cause, lost)) = self.loss(&result, spans) {
            losses::count(cause.error_type.clone(), lost);
            self.spans.losses.lost(&cause, lost + dropped, Instant::now());
        } else if dropped > 0 {
            self.spans.losses.lost(&queue_full(), dropped, Instant::now());
        } else {
            self.spans.losses.recovered();
        }
        result
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.inner.shutdown_with_timeout(timeout)
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.inner.force_flush()
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.inner.set_resource(resource);
    }
}

/// Cuts the texts among a span's attributes, its events' and its links' to so many characters.
fn shorten_values(span: &mut SpanData, length: usize) {
    let events = span.events.events.iter_mut().flat_map(|event| &mut event.attributes);
    let links = span.links.links.iter_mut().flat_map(|link| &mut link.attributes);
    for KeyValue { value, .. } in span.attributes.iter_mut().chain(events).chain(links) {
        match value {
            Value::String(text) => shorten(text, length),
            Value::Array(opentelemetry::Array::String(texts)) => {
                for text in texts {
                    shorten(text, length);
                }
            }
            _ => {}
        }
    }
}

fn shorten(text: &mut StringValue, length: usize) {
    if let Some((end, _)) = text.as_str().char_indices().nth(length) {
        *text = text.as_str()[..end].to_owned().into();
    }
}

//! The settings of trace export: plain values, which the configuration reads and the exporter obeys.
//!
//! Knows nothing of where they come from. `Debug` shows no header, no key, and no endpoint's query.

use std::fmt::{Debug, Display, Formatter, Result};
use std::time::Duration;

use http::HeaderMap;
use url::Url;

/// How traces are sampled and exported.
#[derive(Debug, Clone, PartialEq)]
pub struct TraceSettings {
    /// The URL that each batch is posted to.
    pub endpoint: TraceEndpoint,
    /// Headers of each export. Their values are marked as sensitive.
    pub headers: HeaderMap,
    /// The limit of one export, retries included.
    pub timeout: Duration,
    /// Whether request bodies are compressed with gzip.
    pub gzip: bool,
    /// Certificates and keys for an `https` endpoint.
    pub tls: TlsSettings,
    /// Attributes of the resource; one of them is `service.name`.
    pub resource: Vec<(String, String)>,
    /// Which traces are sampled.
    pub sampler: SamplerSettings,
    /// The queue in front of the exporter.
    pub batch: BatchSettings,
    /// How large a span may be.
    pub limits: SpanLimitSettings,
    /// Which headers carry a trace in and on.
    pub propagators: Propagators,
}

/// An endpoint. Its query may hold a key, and is not shown.
#[derive(Clone, PartialEq, Eq)]
pub struct TraceEndpoint(pub Url);

impl Display for TraceEndpoint {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> Result {
        write!(formatter, "{}{}", self.0.origin().ascii_serialization(), self.0.path())
    }
}

impl Debug for TraceEndpoint {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> Result {
        Display::fmt(self, formatter)
    }
}

/// Texts in PEM form, already validated.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct TlsSettings {
    /// The only certificates to trust; none: those of the system.
    pub roots: Option<Vec<u8>>,
    /// The client's private key and its certificate chain.
    pub identity: Option<Vec<u8>>,
}

impl Debug for TlsSettings {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> Result {
        let Self { roots, identity } = self;
        write!(formatter, "TlsSettings {{ roots: {}, identity: {} }}", roots.is_some(), identity.is_some())
    }
}

/// Which traces are sampled.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SamplerSettings {
    /// Whether the decision of a remote parent is followed.
    pub is_parent_based: bool,
    /// The decision where there is no parent to follow.
    pub root: RootSampler,
}

/// The decision for a trace that begins here.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum RootSampler {
    /// Every trace.
    AlwaysOn,
    /// No trace.
    AlwaysOff,
    /// This share of all traces, 0 to 1.
    Ratio(f64),
}

/// The queue in front of the exporter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchSettings {
    /// Spans that may wait; further ones are dropped.
    pub queue_size: usize,
    /// Spans of one export, at most.
    pub batch_size: usize,
    /// How long a span waits for others, at most.
    pub delay: Duration,
}

/// How large a span may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SpanLimitSettings {
    /// Characters of an attribute's value; none: any number.
    pub value_length: Option<usize>,
    /// Attributes of a span.
    pub attributes: u32,
    /// Events of a span.
    pub events: u32,
    /// Links of a span.
    pub links: u32,
    /// Attributes of an event.
    pub event_attributes: u32,
    /// Attributes of a link.
    pub link_attributes: u32,
}

/// Which headers carry a trace in and on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Propagators {
    /// W3C Trace Context: `traceparent` and `tracestate`.
    pub trace_context: bool,
    /// W3C Baggage: `baggage`.
    pub baggage: bool,
}

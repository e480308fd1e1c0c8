//! Traces for OpenTelemetry: which spans are exported, and how a trace comes in and goes on.
//!
//! Exporting is behind the feature `otel`, and begins when an endpoint is configured; until then spans of [`TARGET`] cost
//! nothing, and nothing is read from or written to headers. Lost spans are counted and logged, and no export delays a
//! request.

#[cfg(feature = "otel")]
pub(super) mod export;
#[cfg(feature = "otel")]
mod losses;
#[cfg(feature = "otel")]
mod queue;
pub mod settings;
#[cfg(feature = "otel")]
mod transport;

use http::HeaderMap;
use tracing::Span;

/// The target of the spans that are exported, and of no others. They are of level debug.
pub const TARGET: &str = "lc_connections::traces";

/// Whether this program was built with the feature.
pub const IS_BUILT_IN: bool = cfg!(feature = "otel");

/// Makes the span a part of the trace that the headers name, if traces are exported.
pub fn adopt(span: &Span, headers: &HeaderMap) {
    #[cfg(feature = "otel")]
    export::adopt(span, headers);
    #[cfg(not(feature = "otel"))]
    let _ = (span, headers);
}

/// Names the current trace in the headers of a call, if traces are exported.
pub fn propagate(headers: &mut HeaderMap) {
    #[cfg(feature = "otel")]
    export::propagate(headers);
    #[cfg(not(feature = "otel"))]
    let _ = headers;
}

//! OpenTelemetry's environment variables: how traces are exported, and which variables have no effect.
//!
//! Each is obeyed, rejected by name, or named in one warning: none is ignored silently. The libraries read some of them by
//! themselves; the exporter passes them a value for each of those, which precedes. The specification:
//! <https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/>.

mod unused;
mod values;
mod variables;

use std::time::Duration;

use http::HeaderMap;
use url::Url;

use super::ConfigError;
use super::setting::{self, Setting};
use super::sources::Sources;
use crate::telemetry::traces::settings::{
    BatchSettings, Propagators, RootSampler, SamplerSettings, SpanLimitSettings, TlsSettings, TraceEndpoint,
    TraceSettings,
};
pub use unused::unused_variables;
pub(super) use variables::ALL;
use variables::Pair;

/// The default of `service.name`.
const SERVICE_NAME: &str = "lc-connections";

const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10);
const DEFAULT_EXPORT_TIMEOUT: Duration = Duration::from_secs(30);
const DEFAULT_DELAY: Duration = Duration::from_secs(5);
const DEFAULT_QUEUE_SIZE: u32 = 2_048;
const DEFAULT_BATCH_SIZE: u32 = 512;
const DEFAULT_LIMIT: u32 = 128;

/// The queue's memory is allocated at the start, some hundred bytes for each span.
const MAX_QUEUE_SIZE: u32 = 1_000_000;

/// The part of `serve --help` about these variables.
#[must_use]
pub fn help() -> String {
    let introduction = "OpenTelemetry's variables, read from the environment alone, once traces are exported:";
    let variables = ALL.iter().enumerate().flat_map(|(index, variable)| {
        let Setting { name, value_name, meaning, .. } = variable;
        // One text for a pair.
        let is_last = ALL.get(index + 1).is_none_or(|next| next.meaning != *meaning);
        [Some(format!("\n  {name}=<{value_name}>")), is_last.then(|| format!("\n          {meaning}"))]
    });
    std::iter::once(introduction.to_owned()).chain(variables.flatten()).collect()
}

/// How traces are exported, if they are.
pub(super) fn traces(sources: &Sources<'_>) -> Result<Option<TraceSettings>, ConfigError> {
    if sources.optional(&variables::SDK_DISABLED, |text| Ok(values::is_true(text)))? == Some(true) {
        return Ok(None);
    }
    let exporter = sources.optional(&variables::TRACES_EXPORTER, values::exporter)?;
    if exporter == Some(false) {
        return Ok(None);
    }
    let Some(endpoint) = endpoint(sources, exporter.is_some())? else { return Ok(None) };
    for file in &variables::CONFIG_FILES {
        let problem = "cannot be used: only OpenTelemetry's other variables are read, not this file";
        sources.optional(file, |_| Err::<(), _>(problem.to_owned()))?;
    }
    optional(sources, &variables::PROTOCOL, values::protocol)?;
    let timeout = optional(sources, &variables::TIMEOUT, values::timeout)?.unwrap_or(DEFAULT_TIMEOUT);
    let export_timeout = sources.optional(&variables::BSP_EXPORT_TIMEOUT, values::timeout)?;
    Ok(Some(TraceSettings {
        headers: optional(sources, &variables::HEADERS, values::headers)?.unwrap_or_else(HeaderMap::new),
        timeout: timeout.min(export_timeout.unwrap_or(DEFAULT_EXPORT_TIMEOUT)),
        gzip: optional(sources, &variables::COMPRESSION, values::gzip)?.unwrap_or(false),
        tls: tls(sources, &endpoint)?,
        resource: resource(sources)?,
        sampler: sampler(sources)?,
        batch: batch(sources)?,
        limits: limits(sources)?,
        propagators: sources
            .optional(&variables::PROPAGATORS, values::propagators)?
            .unwrap_or(Propagators { trace_context: true, baggage: false }),
        endpoint,
    }))
}

/// The value for traces, else the one for all signals.
fn optional<T>(
    sources: &Sources<'_>,
    pair: &Pair,
    parse: impl Fn(&str) -> Result<T, String>,
) -> Result<Option<T>, ConfigError> {
    match sources.optional(&pair.traces, &parse)? {
        Some(value) => Ok(Some(value)),
        None => sources.optional(&pair.general, parse),
    }
}

/// The endpoint. An exporter that is named has the specification's default.
fn endpoint(sources: &Sources<'_>, is_exporter_named: bool) -> Result<Option<TraceEndpoint>, ConfigError> {
    if let Some(endpoint) = sources.optional(&variables::TRACES_ENDPOINT, values::endpoint)? {
        return Ok(Some(endpoint));
    }
    let base = sources.optional(&setting::OTEL_EXPORTER_OTLP_ENDPOINT, values::base_endpoint)?;
    let default =
        || Url::parse("http://localhost:4318/v1/traces").ok().filter(|_| is_exporter_named).map(TraceEndpoint);
    Ok(base.or_else(default))
}

/// Files are read for an `https` endpoint alone.
fn tls(sources: &Sources<'_>, endpoint: &TraceEndpoint) -> Result<TlsSettings, ConfigError> {
    if endpoint.0.scheme() != "https" {
        return Ok(TlsSettings::default());
    }
    let roots = optional(sources, &variables::CERTIFICATE, values::roots)?;
    let missing = |of: &Pair, pair: &Pair| {
        ConfigError(format!("{} cannot be used: {} is not set", of.general.name, pair.general.name))
    };
    let Some(key) = optional(sources, &variables::CLIENT_KEY, values::private_key)? else {
        return match optional(sources, &variables::CLIENT_CERTIFICATE, |_| Ok(()))? {
            Some(()) => Err(missing(&variables::CLIENT_CERTIFICATE, &variables::CLIENT_KEY)),
            None => Ok(TlsSettings { roots, identity: None }),
        };
    };
    let identity = optional(sources, &variables::CLIENT_CERTIFICATE, values::identity(&key))?;
    let identity = identity.ok_or_else(|| missing(&variables::CLIENT_KEY, &variables::CLIENT_CERTIFICATE))?;
    Ok(TlsSettings { roots, identity: Some(identity) })
}

fn resource(sources: &Sources<'_>) -> Result<Vec<(String, String)>, ConfigError> {
    let key = "service.name";
    let named = sources.optional(&variables::SERVICE_NAME, |text| Ok(text.to_owned()))?;
    let mut attributes = sources.optional(&variables::RESOURCE_ATTRIBUTES, values::attributes)?.unwrap_or_default();
    let last = attributes.iter().rfind(|(name, _)| name == key).map(|(_, value)| value.clone());
    attributes.retain(|(name, _)| name != key);
    attributes.push((key.to_owned(), named.or(last).unwrap_or_else(|| SERVICE_NAME.to_owned())));
    Ok(attributes)
}

fn sampler(sources: &Sources<'_>) -> Result<SamplerSettings, ConfigError> {
    let mut sampler = sources
        .optional(&variables::TRACES_SAMPLER, values::sampler)?
        .unwrap_or(SamplerSettings { is_parent_based: true, root: RootSampler::AlwaysOn });
    if let RootSampler::Ratio(ratio) = &mut sampler.root {
        *ratio = sources.optional(&variables::TRACES_SAMPLER_ARG, values::ratio)?.unwrap_or(*ratio);
    }
    Ok(sampler)
}

fn batch(sources: &Sources<'_>) -> Result<BatchSettings, ConfigError> {
    let size = super::parse::number(1, MAX_QUEUE_SIZE);
    let queue_size = sources.optional(&variables::BSP_MAX_QUEUE_SIZE, &size)?.unwrap_or(DEFAULT_QUEUE_SIZE);
    let batch_size = sources.optional(&variables::BSP_MAX_EXPORT_BATCH_SIZE, |text| match size(text)? {
        batch if batch <= queue_size => Ok(batch),
        _ => Err(format!("must not exceed OTEL_BSP_MAX_QUEUE_SIZE, which is {queue_size}")),
    })?;
    let delay = sources.optional(&variables::BSP_SCHEDULE_DELAY, values::count(1))?;
    Ok(BatchSettings {
        queue_size: to_usize(queue_size),
        batch_size: to_usize(batch_size.unwrap_or(DEFAULT_BATCH_SIZE).min(queue_size)),
        delay: delay.map_or(DEFAULT_DELAY, |millis| Duration::from_millis(millis.into())),
    })
}

fn limits(sources: &Sources<'_>) -> Result<SpanLimitSettings, ConfigError> {
    let limit = |variable: &Setting| sources.optional(variable, values::count(0));
    let length = limit(&variables::SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT)?;
    let general_length = limit(&variables::ATTRIBUTE_VALUE_LENGTH_LIMIT)?;
    let attributes = limit(&variables::ATTRIBUTE_COUNT_LIMIT)?.unwrap_or(DEFAULT_LIMIT);
    Ok(SpanLimitSettings {
        value_length: length.or(general_length).map(to_usize),
        attributes: limit(&variables::SPAN_ATTRIBUTE_COUNT_LIMIT)?.unwrap_or(attributes),
        events: limit(&variables::SPAN_EVENT_COUNT_LIMIT)?.unwrap_or(DEFAULT_LIMIT),
        links: limit(&variables::SPAN_LINK_COUNT_LIMIT)?.unwrap_or(DEFAULT_LIMIT),
        event_attributes: limit(&variables::EVENT_ATTRIBUTE_COUNT_LIMIT)?.unwrap_or(attributes),
        link_attributes: limit(&variables::LINK_ATTRIBUTE_COUNT_LIMIT)?.unwrap_or(attributes),
    })
}

fn to_usize(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

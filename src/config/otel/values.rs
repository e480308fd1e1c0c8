//! From the text of one of OpenTelemetry's variables to its value. An error is the end of the sentence
//! "`NAME` (origin) …", and holds no value, like those of `parse`.

use std::fs;
use std::time::Duration;

use http::header::{CONNECTION, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HOST, TRANSFER_ENCODING};
use http::{HeaderMap, HeaderName, HeaderValue, Uri};
use percent_encoding::percent_decode_str;
use rustls::RootCertStore;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use url::Url;

use crate::config::parse;
use crate::telemetry::traces::IS_BUILT_IN;
use crate::telemetry::traces::settings::{Propagators, RootSampler, SamplerSettings, TraceEndpoint};

/// The largest number, as the specification has it.
const MAX_NUMBER: u32 = i32::MAX.cast_unsigned();

/// The path of traces under a base URL.
const TRACES_PATH: &str = "/v1/traces";

/// Headers that the exporter sets itself.
const FRAMING: [HeaderName; 6] = [CONNECTION, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HOST, TRANSFER_ENCODING];

fn built_in() -> Result<(), String> {
    let problem = "cannot be used: this program was built without the feature `otel`";
    if IS_BUILT_IN { Ok(()) } else { Err(problem.to_owned()) }
}

fn word(text: &str) -> String {
    text.trim().to_ascii_lowercase()
}

fn members(text: &str) -> impl Iterator<Item = &str> {
    text.split(',').map(str::trim).filter(|member| !member.is_empty())
}

/// As the specification has it: anything but `true` is false.
pub(super) fn is_true(text: &str) -> bool {
    word(text) == "true"
}

/// Whether traces are exported.
pub(super) fn exporter(text: &str) -> Result<bool, String> {
    match word(text).as_str() {
        "otlp" => built_in().map(|()| true),
        "none" => Ok(false),
        _ => Err("must be otlp or none: traces are exported by OTLP alone".to_owned()),
    }
}

/// The URL that batches are posted to.
pub(super) fn endpoint(text: &str) -> Result<TraceEndpoint, String> {
    built_in()?;
    let wanted = || "must be an http or https URL, like http://localhost:4318".to_owned();
    let url = Url::parse(text.trim()).map_err(|_| wanted())?;
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() || url.as_str().parse::<Uri>().is_err() {
        return Err(wanted());
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("must hold no user or password; credentials belong in OTEL_EXPORTER_OTLP_HEADERS".to_owned());
    }
    Ok(TraceEndpoint(url))
}

/// The URL that batches are posted to, under a base URL for all signals.
pub(super) fn base_endpoint(text: &str) -> Result<TraceEndpoint, String> {
    let TraceEndpoint(mut url) = endpoint(text)?;
    if url.query().is_some() || url.fragment().is_some() {
        return Err("must hold no query or fragment; OTEL_EXPORTER_OTLP_TRACES_ENDPOINT may hold a query".to_owned());
    }
    let path = format!("{}{TRACES_PATH}", url.path().trim_end_matches('/'));
    url.set_path(&path);
    Ok(TraceEndpoint(url))
}

pub(super) fn protocol(text: &str) -> Result<(), String> {
    match word(text).as_str() {
        "http/protobuf" => Ok(()),
        _ => Err("cannot be used: traces are sent as http/protobuf alone. Set \
                  OTEL_EXPORTER_OTLP_TRACES_PROTOCOL=http/protobuf and an endpoint for OTLP over HTTP, usually port 4318, \
                  or OTEL_TRACES_EXPORTER=none"
            .to_owned()),
    }
}

/// Pairs of a header's name and its value. Values are secrets; a malformed pair may be one too.
pub(super) fn headers(text: &str) -> Result<HeaderMap, String> {
    let wanted = || "must hold pairs like api-key=value, separated by commas, the values percent-encoded".to_owned();
    let mut headers = HeaderMap::new();
    for member in members(text) {
        let (name, value) = member.split_once('=').ok_or_else(wanted)?;
        let name = HeaderName::from_bytes(name.trim().as_bytes()).map_err(|_| wanted())?;
        if FRAMING.contains(&name) {
            return Err(format!("must not set {name}: the exporter sets it"));
        }
        let value: Vec<u8> = percent_decode_str(value.trim()).collect();
        let mut value = HeaderValue::from_bytes(&value).map_err(|_| wanted())?;
        value.set_sensitive(true);
        headers.insert(name, value);
    }
    Ok(headers)
}

/// 0 means no limit, which is a very long time.
pub(super) fn timeout(text: &str) -> Result<Duration, String> {
    let millis = count(0)(text)?;
    Ok(Duration::from_millis(if millis == 0 { MAX_NUMBER } else { millis }.into()))
}

/// A whole number, at least this.
pub(super) fn count(least: u32) -> impl Fn(&str) -> Result<u32, String> {
    move |text| parse::number(least, MAX_NUMBER)(text.trim())
}

/// Whether request bodies are compressed.
pub(super) fn gzip(text: &str) -> Result<bool, String> {
    match word(text).as_str() {
        "gzip" => Ok(true),
        "none" => Ok(false),
        _ => Err("must be gzip or none".to_owned()),
    }
}

fn read(path: &str) -> Result<Vec<u8>, String> {
    fs::read(path).map_err(|error| format!("cannot be read: {error}"))
}

fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, String> {
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    certificates.ok().filter(|found| !found.is_empty()).ok_or_else(|| "holds no certificate in PEM form".to_owned())
}

/// A file's trusted certificates, as PEM.
pub(super) fn roots(path: &str) -> Result<Vec<u8>, String> {
    let pem = read(path)?;
    let mut store = RootCertStore::empty();
    for certificate in certificates(&pem)? {
        store.add(certificate).map_err(|error| format!("holds a certificate that cannot be trusted: {error}"))?;
    }
    Ok(pem)
}

/// A file's private key, as PEM.
pub(super) fn private_key(path: &str) -> Result<Vec<u8>, String> {
    let pem = read(path)?;
    PrivateKeyDer::from_pem_slice(&pem).map_err(|_| "holds no private key in PEM form".to_owned())?;
    Ok(pem)
}

/// The key and a file's certificate chain, as one PEM.
pub(super) fn identity(key: &[u8]) -> impl Fn(&str) -> Result<Vec<u8>, String> {
    move |path| {
        let pem = read(path)?;
        let chain = certificates(&pem)?;
        let private_key = PrivateKeyDer::from_pem_slice(key).map_err(|_| "has no key".to_owned())?;
        CertifiedKey::from_der(chain, private_key, &ring::default_provider())
            .map_err(|error| format!("does not fit OTEL_EXPORTER_OTLP_CLIENT_KEY: {error}"))?;
        Ok([key, b"\n", &pem].concat())
    }
}

/// Pairs of an attribute's name and its value.
pub(super) fn attributes(text: &str) -> Result<Vec<(String, String)>, String> {
    let wanted = || "must hold pairs like team=sales, separated by commas, percent-encoded".to_owned();
    let decode = |part: &str| percent_decode_str(part.trim()).decode_utf8().map(String::from).map_err(|_| wanted());
    let pair = |member: &str| {
        let (name, value) = member.split_once('=').ok_or_else(wanted)?;
        let name = decode(name)?;
        if name.is_empty() { Err(wanted()) } else { Ok((name, decode(value)?)) }
    };
    members(text).map(pair).collect()
}

/// A sampler; one by ratio samples all until its argument is read.
pub(super) fn sampler(text: &str) -> Result<SamplerSettings, String> {
    let name = word(text);
    let (is_parent_based, root) = match name.strip_prefix("parentbased_") {
        Some(root) => (true, root),
        None => (false, name.as_str()),
    };
    let root = match root {
        "always_on" => RootSampler::AlwaysOn,
        "always_off" => RootSampler::AlwaysOff,
        "traceidratio" => RootSampler::Ratio(1.0),
        _ => {
            return Err(
                "must be always_on, always_off, traceidratio, parentbased_always_on, parentbased_always_off or \
                        parentbased_traceidratio"
                    .to_owned(),
            );
        }
    };
    Ok(SamplerSettings { is_parent_based, root })
}

pub(super) fn ratio(text: &str) -> Result<f64, String> {
    match text.trim().parse() {
        Ok(ratio) if (0.0..=1.0).contains(&ratio) => Ok(ratio),
        _ => Err("must be a number from 0 to 1, like 0.25".to_owned()),
    }
}

pub(super) fn propagators(text: &str) -> Result<Propagators, String> {
    let mut propagators = Propagators { trace_context: false, baggage: false };
    let names: Vec<String> = members(text).map(word).collect();
    if names == ["none"] {
        return Ok(propagators);
    }
    for name in names {
        match name.as_str() {
            "tracecontext" => propagators.trace_context = true,
            "baggage" => propagators.baggage = true,
            _ => return Err("must hold tracecontext or baggage, separated by commas, or be none".to_owned()),
        }
    }
    Ok(propagators)
}

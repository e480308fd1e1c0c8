//! From a setting's text to its value. An error is the end of the sentence "`NAME` (origin) …", and holds no value: the
//! caller adds the value where it may be shown.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use http::HeaderValue;
use ipnet::IpNet;
use secrecy::SecretString;
use tracing_subscriber::EnvFilter;
use url::Url;

use crate::telemetry::LogFormat;

pub(super) fn address(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| "must be an IP address and a port, like 127.0.0.1:8080".to_owned())
}

pub(super) fn number(least: u32, greatest: u32) -> impl Fn(&str) -> Result<u32, String> {
    move |text| match text.parse() {
        Ok(number) if (least..=greatest).contains(&number) => Ok(number),
        _ => Err(format!("must be a whole number from {least} to {greatest}")),
    }
}

pub(super) fn milliseconds(least: u32, greatest: u32) -> impl Fn(&str) -> Result<Duration, String> {
    move |text| number(least, greatest)(text).map(|millis| Duration::from_millis(millis.into()))
}

pub(super) fn boolean(text: &str) -> Result<bool, String> {
    match text.to_ascii_lowercase().as_str() {
        "on" | "true" | "1" => Ok(true),
        "off" | "false" | "0" => Ok(false),
        _ => Err("must be on or off".to_owned()),
    }
}

pub(super) fn http_url(text: &str) -> Result<Url, String> {
    let wanted = "must be an http or https URL, like https://sso.example.com".to_owned();
    let Ok(url) = Url::parse(text) else { return Err(wanted) };
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
        return Err(wanted);
    }
    if !url.username().is_empty() || url.password().is_some() || url.query().is_some() || url.fragment().is_some() {
        return Err("must hold no user, password, query or fragment; the token belongs in SSO_TOKEN".to_owned());
    }
    Ok(url)
}

/// Origins, separated by commas or spaces, each as a browser writes it in `Origin`: what is written otherwise would never
/// be met.
pub(super) fn origins(text: &str) -> Result<Vec<HeaderValue>, String> {
    parts(text).map(origin).collect()
}

/// Networks, or single addresses, separated by commas or spaces.
pub(super) fn networks(text: &str) -> Result<Vec<IpNet>, String> {
    let network = |part: &str| {
        let address = || part.parse::<IpAddr>().map(IpNet::from);
        part.parse().or_else(|_| address()).map_err(|_| {
            format!("must hold networks like 10.0.0.0/8 or addresses like 2001:db8::1, and {part:?} is neither")
        })
    };
    parts(text).map(network).collect()
}

fn parts(text: &str) -> impl Iterator<Item = &str> {
    text.split(|separator: char| separator == ',' || separator.is_whitespace()).filter(|part| !part.is_empty())
}

fn origin(text: &str) -> Result<HeaderValue, String> {
    if text.contains('*') {
        return Err(format!("must name each origin in full, but holds {text:?}"));
    }
    let no_origin = || format!("must hold origins like https://app.example.com, and {text:?} is none");
    let url = Url::parse(text).map_err(|_| no_origin())?;
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
        return Err(no_origin());
    }
    let origin = url.origin().ascii_serialization();
    let is_bare = matches!(url.path(), "" | "/") && url.query().is_none() && url.fragment().is_none();
    if !is_bare || !url.username().is_empty() || url.password().is_some() {
        return Err(format!("must hold scheme, host and port alone: {origin} instead of {text:?}"));
    }
    if origin != text {
        return Err(format!("must hold origins as browsers write them: {origin} instead of {text:?}"));
    }
    HeaderValue::from_str(&origin).map_err(|_| no_origin())
}

pub(super) fn token(text: &str) -> Result<SecretString, String> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err("must be visible ASCII characters without spaces, since it travels in a header".to_owned());
    }
    Ok(text.into())
}

pub(super) fn database_url(text: &str) -> Result<SecretString, String> {
    let is_database = match text.split_once("://") {
        Some(("sqlite", path)) => !path.is_empty(),
        Some(("postgres" | "postgresql", _)) => Url::parse(text).is_ok(),
        _ => false,
    };
    if is_database {
        Ok(text.into())
    } else {
        Err("must be a URL like sqlite://file.db?mode=rwc or postgres://user:password@host/database".to_owned())
    }
}

pub(super) fn log_format(text: &str) -> Result<LogFormat, String> {
    match text {
        "compact" => Ok(LogFormat::Compact),
        "json" => Ok(LogFormat::Json),
        _ => Err("must be compact or json".to_owned()),
    }
}

pub(super) fn log_filter(text: &str) -> Result<String, String> {
    match EnvFilter::builder().parse(text) {
        Ok(_) if !text.trim().is_empty() => Ok(text.to_owned()),
        _ => Err("must be a log filter, like info or lc_connections=debug,warn".to_owned()),
    }
}

//! From a setting's text to its value. An error is the end of the sentence "`NAME` (origin) …", and holds no value: the
//! caller adds the value where it may be shown.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use http::HeaderValue;
use ipnet::{IpNet, Ipv4Net};
use secrecy::SecretString;
use tracing_subscriber::EnvFilter;
use url::Url;

use crate::telemetry::LogFormat;

pub(super) fn address(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| "must be an IP address and a port, like 127.0.0.1:8080 or [::1]:8080".to_owned())
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
    let url = Url::parse(text).map_err(|error| format!("{wanted}{}", url_problem(error)))?;
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
        return Err(wanted);
    }
    if !url.username().is_empty() || url.password().is_some() || url.query().is_some() || url.fragment().is_some() {
        return Err("must hold no user, password, query or fragment; the token belongs in SSO_TOKEN".to_owned());
    }
    Ok(url)
}

/// Why a URL cannot be read, in fixed words, where they say more than that it is none.
fn url_problem(error: url::ParseError) -> String {
    match error {
        url::ParseError::RelativeUrlWithoutBase => String::new(),
        error => format!(" ({error})"),
    }
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
        part.parse().or_else(|_| address()).map(canonical).map_err(|_| {
            format!("must hold networks like 10.0.0.0/8 or addresses like 2001:db8::1, and {part:?} is neither")
        })
    };
    parts(text).map(network).collect()
}

/// Peers' addresses are canonical, so that an IPv4-mapped network would match none.
fn canonical(network: IpNet) -> IpNet {
    let IpAddr::V4(address) = network.addr().to_canonical() else { return network };
    let length = network.prefix_len().checked_sub(if network.addr().is_ipv6() { 96 } else { 0 });
    length.and_then(|length| Ipv4Net::new(address, length).ok()).map_or(network, IpNet::V4)
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
    let wanted = "must be a URL like sqlite://file.db?mode=rwc or postgres://user:password@host/database";
    match text.split_once("://") {
        Some(("sqlite", path)) if !path.is_empty() => Ok(text.into()),
        Some(("postgres" | "postgresql", rest)) => {
            let encoded = "; in user and password, write / as %2F, ? as %3F, # as %23, @ as %40, : as %3A, % as %25";
            let url = Url::parse(text).map_err(|error| match error {
                url::ParseError::InvalidIpv6Address if rest.contains('%') => {
                    format!("{wanted}; an address with a zone is written as postgres:///database?host=fe80::1%25eth0")
                }
                error => format!("{wanted}{}{encoded}", url_problem(error)),
            })?;
            // An unencoded password may end the host's name; then the URL parses, but means another host.
            let query = url.query().filter(|query| !query.contains('='));
            let is_misread = url.username().is_empty()
                && (url.path().contains('@') || query.is_some_and(|query| query.contains('@')));
            if is_misread || url.fragment().is_some() { Err(format!("{wanted}{encoded}")) } else { Ok(text.into()) }
        }
        _ => Err(wanted.to_owned()),
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

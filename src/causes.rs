//! The chain of an error's causes, and why a connection failed, in words that a log may show.

use std::error::Error;
use std::io;

use rustls::CertificateError;

use crate::telemetry::one_line;

/// Maximum length of a reason, in characters.
const MAX_REASON: usize = 200;

/// From the error itself to its root.
pub(crate) fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&error| error.source())
}

/// The reason of a failed connection, in the words of the TLS library, the resolver, the operating system or the HTTP
/// library, whichever is nearest to the root. It never holds text of the peer, nor the URL.
pub(crate) fn transport_failure(error: &reqwest::Error) -> Option<String> {
    let is_dns = error.is_dns();
    let reason = causes(error).filter_map(|cause| reason(cause, is_dns)).last()?;
    let mut reason = one_line(&reason);
    if let Some((end, _)) = reason.char_indices().nth(MAX_REASON) {
        reason.truncate(end);
        reason.push('…');
    }
    Some(reason)
}

fn reason(cause: &(dyn Error + 'static), is_dns: bool) -> Option<String> {
    if let Some(tls) = cause.downcast_ref::<rustls::Error>() {
        return Some(tls_failure(tls));
    }
    if let Some(io) = cause.downcast_ref::<io::Error>() {
        return Some(io_failure(io, is_dns));
    }
    // Its texts are fixed; its causes come next.
    cause.downcast_ref::<hyper::Error>().map(ToString::to_string)
}

/// An I/O error may wrap another, and that one the TLS library's.
fn io_failure(io: &io::Error, is_dns: bool) -> String {
    let inner: Option<&(dyn Error + 'static)> = io.get_ref().map(|inner| inner as _);
    if let Some(tls) = inner.and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
        return tls_failure(tls);
    }
    if let Some(io) = inner.and_then(|inner| inner.downcast_ref::<io::Error>()) {
        return io_failure(io, is_dns);
    }
    // The resolver's errors have a text and no number.
    if is_dns || io.raw_os_error().is_some() { io.to_string() } else { io.kind().to_string() }
}

fn tls_failure(error: &rustls::Error) -> String {
    match error {
        rustls::Error::InvalidCertificate(error) => {
            format!("TLS: invalid peer certificate: {}", certificate_failure(error))
        }
        rustls::Error::InvalidMessage(rustls::InvalidMessage::InvalidContentType) => {
            format!("TLS: {error}; the peer may not speak TLS on this port")
        }
        error => format!("TLS: {error}"),
    }
}

/// The full text where it holds nothing but numbers; otherwise the name, since some texts quote the certificate.
fn certificate_failure(error: &CertificateError) -> String {
    match error {
        CertificateError::ExpiredContext { .. } | CertificateError::NotValidYetContext { .. } => error.to_string(),
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            "certificate not valid for name (it does not list the URL's host)".to_owned()
        }
        CertificateError::Expired => "certificate expired".to_owned(),
        error => format!("{error:?}").chars().take_while(char::is_ascii_alphanumeric).collect(),
    }
}

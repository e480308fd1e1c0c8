//! An error, its cause, and so on; and the words for a transport's failure that a log may show.

use std::error::Error;
use std::io;

use rustls::CertificateError;

use crate::telemetry::one_line;

/// The longest words for one failure, in characters.
const MAX_WORDS: usize = 200;

/// From the error itself to its root.
pub(crate) fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&error| error.source())
}

/// Why a connection failed: the words of the TLS library, of the name look-up, of the operating system or of the HTTP
/// library, whichever is nearest to the root. Never the peer's own text, nor the URL.
pub(crate) fn transport_failure(error: &reqwest::Error) -> Option<String> {
    let is_dns = error.is_dns();
    let words = causes(error).filter_map(|cause| words(cause, is_dns)).last()?;
    let mut words = one_line(&words);
    if let Some((end, _)) = words.char_indices().nth(MAX_WORDS) {
        words.truncate(end);
        words.push('…');
    }
    Some(words)
}

fn words(cause: &(dyn Error + 'static), is_dns: bool) -> Option<String> {
    if let Some(tls) = cause.downcast_ref::<rustls::Error>() {
        return Some(tls_failure(tls));
    }
    if let Some(io) = cause.downcast_ref::<io::Error>() {
        return Some(io_failure(io, is_dns));
    }
    // Its own texts are fixed; the causes below it are looked at by themselves.
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
        // The first bytes of something that speaks no TLS.
        rustls::Error::InvalidMessage(rustls::InvalidMessage::InvalidContentType) => {
            format!("TLS: {error}; the peer may not speak TLS on this port")
        }
        error => format!("TLS: {error}"),
    }
}

/// In full where the text holds nothing but numbers; otherwise by its name, since some texts quote the certificate.
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

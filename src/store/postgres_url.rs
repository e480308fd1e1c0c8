//! Parses a `postgres://` URL into sqlx's options, and handles the parts that sqlx gets wrong: IPv6 hosts, unknown
//! parameters, unusable TLS files. Error texts hold paths of files, but no other values.

use std::borrow::Cow;
use std::fs;
use std::str::FromStr;
use std::sync::Once;

use percent_encoding::percent_decode_str;
use rustls::RootCertStore;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use sea_orm::SqlxError;
use sea_orm::sqlx::ConnectOptions;
use sea_orm::sqlx::postgres::{PgConnectOptions, PgSslMode};
use url::Url;

use crate::config::process_environment;
use crate::telemetry::one_line;

/// The parameters that sqlx supports. It ignores others, and logs their values.
const PARAMETERS: [&str; 18] = [
    "application_name",
    "dbname",
    "host",
    "hostaddr",
    "options",
    "password",
    "port",
    "ssl-ca",
    "ssl-cert",
    "ssl-key",
    "ssl-mode",
    "ssl-root-cert",
    "sslcert",
    "sslkey",
    "sslmode",
    "sslrootcert",
    "statement-cache-capacity",
    "user",
];

/// The options of a connection, and the TLS files that it needs.
#[derive(Clone)]
pub(super) struct PostgresUrl {
    pub(super) options: PgConnectOptions,
    files: TlsFiles,
}

impl PostgresUrl {
    pub(super) fn parse(text: &str) -> Result<Self, SqlxError> {
        let mut url: Url = text.parse().map_err(|error: url::ParseError| configuration(error.to_string()))?;
        let files = TlsFiles::of(&url);
        let unknown = remove_unknown_parameters(&mut url);
        let mut options = PgConnectOptions::from_str(url.as_str())?.disable_statement_logging();
        if let Some(host) = host(options.get_host()) {
            options = options.host(&host);
        }
        // libpq verifies the certificate in this case too.
        if matches!(options.get_ssl_mode(), PgSslMode::Require) && files.root.is_some() {
            options = options.ssl_mode(PgSslMode::VerifyCa);
        }
        let is_verified = matches!(options.get_ssl_mode(), PgSslMode::VerifyCa | PgSslMode::VerifyFull);
        warn_once(&unknown, files.root.is_some() && !is_verified);
        let this = Self { options, files };
        this.check_files().map_err(configuration)?;
        Ok(this)
    }

    /// Returns an error if a TLS file cannot be used.
    pub(super) fn check_files(&self) -> Result<(), String> {
        self.files.check()
    }
}

fn configuration(problem: String) -> SqlxError {
    SqlxError::Configuration(problem.into())
}

/// The host for the name lookup, where it differs from the URL's: without percent-encoding and brackets.
fn host(host: &str) -> Option<String> {
    let decoded = percent_decode_str(host).decode_utf8().unwrap_or(Cow::Borrowed(host));
    let address = decoded.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(&decoded);
    (address != host).then(|| address.to_owned())
}

fn is_known(parameter: &str) -> bool {
    PARAMETERS.contains(&parameter) || parameter.starts_with("options[")
}

fn remove_unknown_parameters(url: &mut Url) -> Vec<String> {
    let pairs: Vec<(String, String)> = url.query_pairs().into_owned().collect();
    let (known, unknown): (Vec<_>, Vec<_>) = pairs.into_iter().partition(|(name, _)| is_known(name));
    if !unknown.is_empty() {
        url.query_pairs_mut().clear().extend_pairs(known);
    }
    unknown.into_iter().map(|(name, _)| name).collect()
}

/// The URL is parsed again for each attempt to connect at the start; a process has one database.
fn warn_once(unknown: &[String], is_root_unused: bool) {
    static WARNED: Once = Once::new();
    WARNED.call_once(|| {
        for parameter in unknown {
            tracing::warn!(parameter = one_line(parameter), "a parameter of DATABASE_URL is unknown, and ignored");
        }
        if is_root_unused {
            tracing::warn!("sslrootcert in DATABASE_URL is not used: add sslmode=verify-full or sslmode=verify-ca");
        }
    });
}

/// The values of `sslrootcert`, `sslcert` and `sslkey`: paths, or PEM itself.
#[derive(Clone, Default)]
struct TlsFiles {
    root: Option<Input>,
    certificate: Option<Input>,
    key: Option<Input>,
}

#[derive(Clone)]
struct Input {
    /// The parameter or the variable that it stands in.
    setting: String,
    value: String,
}

impl TlsFiles {
    fn of(url: &Url) -> Self {
        let parameter = |names: &[&str]| {
            let pair = url.query_pairs().filter(|(name, _)| names.contains(&&**name)).last();
            pair.map(|(name, value)| Input { setting: name.into_owned(), value: value.into_owned() })
        };
        // sqlx takes libpq's variables where the URL says nothing.
        let variable = |name: &str| {
            let value = process_environment(name)?.into_string().ok()?;
            Some(Input { setting: name.to_owned(), value })
        };
        Self {
            root: parameter(&["sslrootcert", "ssl-root-cert", "ssl-ca"]).or_else(|| variable("PGSSLROOTCERT")),
            certificate: parameter(&["sslcert", "ssl-cert"]).or_else(|| variable("PGSSLCERT")),
            key: parameter(&["sslkey", "ssl-key"]).or_else(|| variable("PGSSLKEY")),
        }
    }

    fn check(&self) -> Result<(), String> {
        if let Some(root) = &self.root {
            let mut store = RootCertStore::empty();
            for certificate in root.certificates()? {
                store.add(certificate).map_err(|error| root.problem(&format!("no authority can be read: {error}")))?;
            }
        }
        match (&self.certificate, &self.key) {
            (Some(certificate), Some(key)) => {
                certificate.certificates()?;
                key.key()
            }
            (None, None) => Ok(()),
            (Some(Input { setting, .. }), None) => Err(format!("{setting} is given without sslkey")),
            (None, Some(Input { setting, .. })) => Err(format!("{setting} is given without sslcert")),
        }
    }
}

impl Input {
    /// The same rule as sqlx's.
    fn is_pem(&self) -> bool {
        let trimmed = self.value.trim();
        trimmed.starts_with("-----BEGIN") && trimmed.ends_with("-----")
    }

    fn problem(&self, problem: &str) -> String {
        let Self { setting, value } = self;
        if self.is_pem() {
            format!("{setting}: {problem}")
        } else {
            format!("{setting}, the file {value:?}: {problem}")
        }
    }

    fn bytes(&self) -> Result<Vec<u8>, String> {
        if self.is_pem() {
            return Ok(self.value.clone().into_bytes());
        }
        fs::read(&self.value).map_err(|error| self.problem(&error.to_string()))
    }

    fn certificates(&self) -> Result<Vec<CertificateDer<'static>>, String> {
        let bytes = self.bytes()?;
        let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&bytes).collect();
        match certificates {
            Ok(certificates) if !certificates.is_empty() => Ok(certificates),
            Ok(_) => Err(self.problem("it holds no certificate in PEM format")),
            Err(error) => Err(self.problem(pem_problem(&error))),
        }
    }

    fn key(&self) -> Result<(), String> {
        match PrivateKeyDer::from_pem_slice(&self.bytes()?) {
            Ok(_) => Ok(()),
            Err(pem::Error::NoItemsFound) => Err(self.problem("it holds no unencrypted private key in PEM format")),
            Err(error) => Err(self.problem(pem_problem(&error))),
        }
    }
}

/// Fixed texts, since the library's own quote the file.
fn pem_problem(error: &pem::Error) -> &'static str {
    match error {
        pem::Error::MissingSectionEnd { .. } => "a PEM section has no end",
        pem::Error::IllegalSectionStart { .. } => "a PEM section begins with a malformed line",
        pem::Error::Base64Decode(_) => "a PEM section is not base64",
        _ => "it is not PEM",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_parsed_for_the_name_lookup() {
        for (url, host, port) in [
            ("postgres://u:p@[::1]:5433/db", "::1", 5433),
            ("postgres://u@[::1]/db", "::1", 5432),
            ("postgres://[2001:DB8::7]", "2001:db8::7", 5432),
            ("postgres://u@[::ffff:10.0.0.1]/db", "::ffff:a00:1", 5432),
            ("postgres:///db?host=[::1]&port=1", "::1", 1),
            ("postgres:///db?host=fe80::1%25eth0", "fe80::1%eth0", 5432),
            ("postgres://db%2Dhost/db", "db-host", 5432),
            ("postgres://db.example:6432/db?sslmode=disable", "db.example", 6432),
        ] {
            let options = PostgresUrl::parse(url).unwrap().options;
            assert_eq!((options.get_host(), options.get_port()), (host, port), "{url}");
        }
        let socket = PostgresUrl::parse("postgres://u@%2Frun%2Fpostgresql/db").unwrap().options;
        assert_eq!(socket.get_socket().unwrap().to_str(), Some("/run/postgresql"));
    }

    #[test]
    fn unknown_parameters_are_removed_by_name() {
        let mut url: Url = "postgres://h/d?a=secret&sslmode=require&options[x]=1&b&user=u%26v".parse().unwrap();
        assert_eq!(remove_unknown_parameters(&mut url), ["a", "b"]);
        let left: Vec<_> = url.query_pairs().map(|(name, value)| format!("{name}={value}")).collect();
        assert_eq!(left, ["sslmode=require", "options[x]=1", "user=u&v"]);
        let mut url: Url = "postgres://h/d".parse().unwrap();
        assert_eq!(remove_unknown_parameters(&mut url), Vec::<String>::new());
        assert_eq!(url.as_str(), "postgres://h/d");
    }
}

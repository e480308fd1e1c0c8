//! The HTTP client that SSO is called with, and the maximum age of its connections.
//!
//! The library closes idle connections, never busy ones. So a new client replaces the current one before its connections
//! get too old: each new connection resolves the name again, and SSO may have moved to another address.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rand::Rng;
use reqwest::dns::Resolve;
use reqwest::{Client, redirect};
use rustls::{ClientConfig, RootCertStore};
use tokio::time::Instant;
use url::Url;

use super::SsoSetupError;
use crate::telemetry::chain;

/// Maximum age of a connection when an exchange begins. An exchange under way ends on its connection.
const MAX_CONNECTION_AGE: Duration = Duration::from_secs(30);

/// The settings of each new client.
pub(super) struct HttpSettings {
    pub(super) connect_timeout: Duration,
    pub(super) max_age: Duration,
    /// `None`: the URL is not `https`.
    pub(super) tls: Option<ClientConfig>,
    /// `None`: the system's.
    pub(super) resolver: Option<Arc<dyn Resolve>>,
}

/// Provides a client whose connections are young enough.
pub(super) struct HttpPool {
    settings: HttpSettings,
    current: Mutex<Current>,
}

struct Current {
    client: Client,
    renew_at: Instant,
}

impl HttpSettings {
    pub(super) fn new(url: &Url, connect_timeout: Duration) -> Result<Self, SsoSetupError> {
        let is_https = url.scheme() == "https";
        let tls = if is_https { Some(tls(system_roots()?).map_err(SsoSetupError::Tls)?) } else { None };
        Ok(Self { connect_timeout, max_age: MAX_CONNECTION_AGE, tls, resolver: None })
    }

    fn client(&self) -> Result<Client, reqwest::Error> {
        let mut builder = Client::builder()
            .http1_only()
            .redirect(redirect::Policy::none())
            .retry(reqwest::retry::never())
            .no_proxy()
            .referer(false)
            .connect_timeout(self.connect_timeout)
            // A connection that was idle for that long is too old as well.
            .pool_idle_timeout(self.max_age);
        builder = match &self.tls {
            Some(tls) => builder.tls_backend_preconfigured(tls.clone()),
            // Without this, the system's root certificates are looked for: there may be none, and it takes time.
            None => builder.tls_certs_only([]),
        };
        if let Some(resolver) = &self.resolver {
            builder = builder.dns_resolver(Arc::clone(resolver));
        }
        builder.build()
    }

    /// Randomised, so that processes that started together do not reconnect together.
    fn lifetime(&self) -> Duration {
        self.max_age.mul_f64(rand::rng().random_range(0.75..=1.0))
    }
}

impl HttpPool {
    pub(super) fn new(settings: HttpSettings) -> Result<Self, SsoSetupError> {
        // The program installs its provider first thing; code that uses this as a library may not have. An error says
        // that there is one already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = settings.client().map_err(SsoSetupError::Client)?;
        let renew_at = Instant::now() + settings.lifetime();
        Ok(Self { settings, current: Mutex::new(Current { client, renew_at }) })
    }

    /// Returns the client for one exchange. A replaced client closes its idle connections at once, and the others when
    /// their exchanges end.
    pub(super) fn client(&self) -> Client {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        if now >= current.renew_at {
            match self.settings.client() {
                Ok(client) => current.client = client,
                Err(error) => tracing::warn!(%error, "SSO client not renewed"),
            }
            current.renew_at = now + self.settings.lifetime();
        }
        current.client.clone()
    }
}

/// All clients share it, and with it the TLS sessions to resume, so that the next handshake costs less.
pub(super) fn tls(roots: RootCertStore) -> Result<ClientConfig, rustls::Error> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    let mut config = builder.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

/// The system's, or those of `SSL_CERT_FILE` and `SSL_CERT_DIR`.
fn system_roots() -> Result<RootCertStore, SsoSetupError> {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    let (added, ignored) = roots.add_parsable_certificates(found.certs);
    for error in &found.errors {
        tracing::warn!(error = chain(error), "root certificates cannot be loaded");
    }
    if ignored > 0 {
        tracing::warn!(ignored, "some root certificates of the system cannot be parsed");
    }
    if added == 0 { Err(SsoSetupError::NoRoots) } else { Ok(roots) }
}

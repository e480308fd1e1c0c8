//! The SSO service as this server sees it: its client, the kept view of each account, and a simulator of its wire.
//!
//! Owns what SSO says and how long that may be believed. Knows nothing of rows, GraphQL or REST, and decides nothing:
//! that SSO is down is a value ([`SsoView::Unavailable`]) which the core handles.

mod call;
mod circuit;
mod client;
mod fault;
mod http_pool;
mod pages;
pub mod simulator;
#[cfg(test)]
mod tests;
mod view;
pub mod wire;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use secrecy::SecretString;
use url::Url;

pub use self::circuit::CircuitSettings;
use self::client::Client;
use self::view::Views;
use crate::clock::Clock;
use crate::domain::id::{SsoConnectionId, SsoId};
use crate::domain::sso_view::{SourceFailure, SsoConnection, SsoView};

/// Where SSO is and how long it may take.
#[derive(Debug, Clone)]
pub struct SsoSettings {
    /// The base URL, `http` or `https`; it may have a path, with or without a slash at its end.
    pub url: Url,
    /// The bearer token that SSO knows this server by.
    pub token: SecretString,
    /// How long one request may wait for SSO in all, retries and pages included.
    pub budget: Duration,
    /// How old a fetched view may be when it serves a request; zero: every request asks SSO.
    pub max_age: Duration,
    /// When SSO is left alone for a while; `None`: never.
    pub circuit: Option<CircuitSettings>,
}

/// The settings cannot be used at all. That they are what an operator means is for the configuration to see.
#[derive(Debug, thiserror::Error)]
pub enum SsoSetupError {
    /// The URL has no path to add to.
    #[error("the SSO URL must begin with http:// or https://")]
    Url,
    /// The token has characters that no header may have.
    #[error("the SSO token cannot be sent in a header")]
    Token,
    /// Without root certificates no server can be trusted.
    #[error("no root certificates are found: install the system's (ca-certificates), or name a file in SSL_CERT_FILE")]
    NoRoots,
    /// TLS could not be set up.
    #[error("TLS could not be set up")]
    Tls(#[source] rustls::Error),
    /// The HTTP client could not be built.
    #[error("the SSO client could not be built")]
    Client(#[source] reqwest::Error),
}

/// The SSO service. Clones are cheap and share everything.
#[derive(Clone)]
pub struct Sso {
    client: Arc<Client>,
    views: Arc<Views>,
}

impl Sso {
    /// Prepares the client; does not connect.
    ///
    /// # Errors
    /// [`SsoSetupError`] where a setting cannot be used.
    pub fn new(settings: SsoSettings, clock: Clock) -> Result<Self, SsoSetupError> {
        let SsoSettings { url, token, budget, max_age, circuit } = settings;
        let client = Arc::new(Client::new(&url, &token, budget, circuit)?);
        let views = Arc::new(Views::new(Arc::clone(&client), clock, budget, max_age));
        Ok(Self { client, views })
    }

    /// The account's whole list, perhaps from memory: what is kept serves while it is at most `max_age` old, and
    /// concurrent requests for one account share one fetch. Never [`SsoView::Skipped`].
    pub async fn view(&self, account: SsoId, request_id: &str) -> SsoView {
        self.views.view(account, request_id).await
    }

    /// The lists of several accounts: those in memory that are young enough, and one batched call for the others (one per
    /// 50 accounts). A fault in a batch makes all accounts of that batch unavailable, to this caller alone.
    pub async fn views(&self, accounts: impl IntoIterator<Item = SsoId>, request_id: &str) -> HashMap<SsoId, SsoView> {
        self.views.views(accounts, request_id).await
    }

    /// The account's list if it is in memory and young enough to serve without asking.
    #[must_use]
    pub fn fresh_view(&self, account: SsoId) -> Option<SsoView> {
        self.views.fresh_view(account)
    }

    /// How long one request may wait for SSO in all.
    #[must_use]
    pub fn budget(&self) -> Duration {
        self.client.budget()
    }

    /// One connection as the account sees it, always fresh. `None` when SSO does not know it, or when the account takes
    /// no part in it. `within` is what the request has left of its budget.
    ///
    /// # Errors
    /// [`SourceFailure`] when SSO could not tell.
    pub async fn connection(
        &self,
        id: SsoConnectionId,
        account: SsoId,
        request_id: &str,
        within: Duration,
    ) -> Result<Option<SsoConnection>, SourceFailure> {
        self.client.connection(id, account, request_id, within).await
    }

    /// Makes the next [`Self::view`] of this account ask SSO again, also when a fetch is under way now.
    pub fn mark_stale(&self, account: SsoId) {
        self.views.mark_stale(account);
    }
}

/// What the pages of a list say of each of the accounts; `None`: nothing that is believed. Each body is one page.
#[cfg(any(test, fuzzing))]
pub(crate) fn read_list(accounts: &[SsoId], bodies: &[&[u8]]) -> Option<Vec<Vec<SsoConnection>>> {
    let mut pages = pages::Pages::default();
    for (number, body) in bodies.iter().enumerate() {
        let next = pages.add(wire::read(body).ok()?).ok()?;
        if next.is_some() != (number + 1 < bodies.len()) {
            return None;
        }
    }
    pages.split(accounts).ok()
}

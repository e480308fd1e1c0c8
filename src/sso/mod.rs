//! The SSO service: a client that reads strictly, a cached view of each account's list, and a simulator.
//!
//! Being down is told as a value, [`SsoView::Unavailable`]; half a list is never told. Knows nothing of rows or front ends.

mod client;
pub mod simulator;
mod view;
pub mod wire;

use std::sync::Arc;
use std::time::Duration;

use secrecy::SecretString;
use url::Url;

use crate::clock::Clock;
use crate::domain::id::{SsoConnectionId, SsoId};
use crate::domain::sso_view::{SourceFailure, SsoConnection, SsoView};
use client::Client;
use view::Views;

pub use client::SsoSetupError;

/// How SSO is asked.
#[derive(Debug, Clone)]
pub struct SsoSettings {
    /// Base URL; may have a path.
    pub url: Url,
    /// Bearer token.
    pub token: SecretString,
    /// The whole time of one exchange, pages included.
    pub budget: Duration,
    /// How old a fetched list may be when it serves a request; zero: every request asks.
    pub max_age: Duration,
}

/// The SSO service. Cheap to clone.
#[derive(Clone)]
pub struct Sso {
    client: Arc<Client>,
    views: Arc<Views>,
}

impl Sso {
    /// Opens no connection yet.
    ///
    /// # Errors
    /// The TLS side of the client cannot be set up.
    pub fn new(settings: SsoSettings, clock: Clock) -> Result<Self, SsoSetupError> {
        let max_age = settings.max_age;
        let client = Arc::new(Client::new(settings)?);
        let views = Arc::new(Views::new(Arc::clone(&client), max_age, clock));
        Ok(Self { client, views })
    }

    /// An account's whole list, perhaps a moment old. Never takes longer than the budget.
    pub async fn view(&self, account: SsoId, request_id: &str) -> SsoView {
        Views::view(&self.views, account, request_id).await
    }

    /// A single connection as an account sees it, always fresh. `None`: SSO does not know it, or the account takes no
    /// part in it.
    ///
    /// # Errors
    /// SSO could not tell.
    pub async fn connection(
        &self,
        id: SsoConnectionId,
        account: SsoId,
        request_id: &str,
    ) -> Result<Option<SsoConnection>, SourceFailure> {
        let found = self.client.single(id, request_id).await?;
        Ok(found.and_then(|found| found.seen_by(account)))
    }

    /// The next [`Self::view`] of this account asks anew.
    pub fn mark_stale(&self, account: SsoId) {
        self.views.mark_stale(account);
    }
}

//! The verbs: list, get (one, or many of many owners), repair, read the trail, authenticate; how often one may ask; and the
//! making of keys and ids. Fetches around the pure core, and decides nothing that the domain can.
//!
//! Knows no axum and no GraphQL. That SSO may be down is met at one place, `consult`.

pub mod api_key;
mod assemble;
pub mod authenticate;
pub mod consult;
pub mod error;
pub mod get;
pub mod get_each;
mod hydrate;
pub mod list;
pub mod new_id;
pub mod rate_limits;
pub mod repair;
pub mod sso_allowance;
pub mod trail;

use std::collections::HashMap;

use tokio_util::task::TaskTracker;

use crate::clock::Clock;
use crate::domain::caller::Account;
use crate::domain::id::AccountId;
use crate::sso::Sso;
use crate::store::Store;

pub use consult::{Consistency, SsoViews};
pub use error::ServiceError;
use new_id::NewIds;
use sso_allowance::SsoAllowance;

/// Everything one can do with connections. Cheap to clone.
#[derive(Clone)]
pub struct Connections {
    store: Store,
    sso: Sso,
    clock: Clock,
    new_ids: NewIds,
    /// Repairs under way, whether their clients still wait or not.
    attempts: TaskTracker,
}

impl Connections {
    /// Over a store and an SSO service.
    #[must_use]
    pub fn new(store: Store, sso: Sso, clock: Clock) -> Self {
        Self { store, sso, clock, new_ids: NewIds::new(), attempts: TaskTracker::new() }
    }

    /// What one request may wait for SSO.
    #[must_use]
    pub fn sso_allowance(&self) -> SsoAllowance {
        SsoAllowance::new(self.sso.budget())
    }

    /// Waits for the repairs that are under way: their clients may be gone, their records must be written.
    pub async fn finished(&self) {
        self.attempts.close();
        self.attempts.wait().await;
    }

    /// Accounts by their ids, in one statement. What is unknown is left out.
    ///
    /// # Errors
    /// The store's.
    pub async fn accounts(&self, ids: &[AccountId]) -> Result<HashMap<AccountId, Account>, ServiceError> {
        let accounts = self.store.accounts(ids, &[]).await?;
        Ok(accounts.into_iter().map(|account| (account.id, account)).collect())
    }
}

//! SSO's wire, served over data in memory: for the demo, for tests, and for trying things out.
//!
//! Owns its data, its scenarios (which can be switched while it runs) and its counts. What a list or a single call looks
//! like is [`super::wire`]'s; how HTTP reaches it is in `routes`.

mod data;
mod routes;
mod scenario;

use std::io;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use secrecy::SecretString;
use serde::Serialize;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use self::data::Data;
use self::scenario::Scenarios;
use super::wire::{NetworkConnection, PAGE_LIMIT};
use crate::domain::id::SsoId;

pub use self::data::{DataError, parse_data};
pub use self::scenario::{SLOWNESS, Scenario, UnknownScenario};

/// Sample data, in the form of [`parse_data`]: of `sso-sim` and the demo.
pub const SAMPLE: &str = include_str!("sample.json");

/// An SSO service of one's own. Clones share everything.
#[derive(Clone)]
pub struct Simulator {
    inner: Arc<Inner>,
    token: Option<SecretString>,
}

struct Inner {
    data: RwLock<Arc<Data>>,
    scenarios: RwLock<Scenarios>,
    page_size: AtomicUsize,
    list: AtomicU64,
    further_pages: AtomicU64,
    single: AtomicU64,
    not_modified: AtomicU64,
}

/// How many SSO calls came since the start, whatever they were answered with.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Calls {
    /// Lists: calls for a first page.
    pub list: u64,
    /// Calls for a further page of a list.
    pub further_pages: u64,
    /// Calls for a single connection.
    pub single: u64,
    /// Lists that were answered with 304.
    pub not_modified: u64,
}

impl Simulator {
    /// Serves these connections. Where one id comes twice, the later one counts.
    #[must_use]
    pub fn new(connections: Vec<NetworkConnection>) -> Self {
        let inner = Inner {
            data: RwLock::new(Arc::new(Data::new(connections))),
            scenarios: RwLock::new(Scenarios::new()),
            page_size: AtomicUsize::new(PAGE_LIMIT),
            list: AtomicU64::default(),
            further_pages: AtomicU64::default(),
            single: AtomicU64::default(),
            not_modified: AtomicU64::default(),
        };
        Self { inner: Arc::new(inner), token: None }
    }

    /// Asks every SSO call for this bearer token, else 401. The simulator's own routes (`/__…`) stay open.
    #[must_use]
    pub fn with_token(self, token: SecretString) -> Self {
        Self { token: Some(token), ..self }
    }

    /// See [`Self::set_page_size`].
    #[must_use]
    pub fn with_page_size(self, size: usize) -> Self {
        self.set_page_size(size);
        self
    }

    /// The most connections that a page holds, at least 1, whatever limit is asked for.
    pub fn set_page_size(&self, size: usize) {
        self.inner.page_size.store(size.clamp(1, PAGE_LIMIT), Ordering::Relaxed);
    }

    /// Switches how it behaves, from the next call on, for every account without a scenario of its own.
    pub fn set_scenario(&self, scenario: Scenario) {
        self.scenarios_mut().set_default(scenario);
    }

    /// Switches how it behaves for one account, whatever it does for the others.
    pub fn set_account_scenario(&self, account: SsoId, scenario: Scenario) {
        self.scenarios_mut().set_own(account, scenario);
    }

    /// From the next call on, all is well for every account.
    pub fn reset_scenarios(&self) {
        *self.scenarios_mut() = Scenarios::new();
    }

    /// How it behaves for every account without a scenario of its own.
    #[must_use]
    pub fn scenario(&self) -> Scenario {
        self.scenarios().default()
    }

    /// Serves these connections instead.
    pub fn replace(&self, connections: Vec<NetworkConnection>) {
        *self.inner.data.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(Data::new(connections));
    }

    /// How many calls came.
    #[must_use]
    pub fn calls(&self) -> Calls {
        Calls {
            list: self.inner.list.load(Ordering::Relaxed),
            further_pages: self.inner.further_pages.load(Ordering::Relaxed),
            single: self.inner.single.load(Ordering::Relaxed),
            not_modified: self.inner.not_modified.load(Ordering::Relaxed),
        }
    }

    /// Its routes, to be mounted or served.
    pub fn router(&self) -> axum::Router {
        routes::router(self.clone())
    }

    /// Serves until dropped.
    ///
    /// # Errors
    /// When the listener fails.
    pub async fn serve(self, listener: TcpListener) -> io::Result<()> {
        axum::serve(listener, self.router()).await
    }

    /// Serves in a task of its own, until that is aborted.
    pub fn spawn(&self, listener: TcpListener) -> JoinHandle<io::Result<()>> {
        tokio::spawn(self.clone().serve(listener))
    }

    fn scenarios(&self) -> RwLockReadGuard<'_, Scenarios> {
        self.inner.scenarios.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn scenarios_mut(&self) -> RwLockWriteGuard<'_, Scenarios> {
        self.inner.scenarios.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn data(&self) -> Arc<Data> {
        Arc::clone(&self.inner.data.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn page_size(&self) -> usize {
        self.inner.page_size.load(Ordering::Relaxed)
    }
}

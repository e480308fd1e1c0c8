//! SSO's wire, served over data in memory: for the demo, for tests, and for trying things out.
//!
//! Owns its data, its scenario (which can be switched while it runs) and its counts. What a list or a single call looks
//! like is [`super::wire`]'s; how HTTP reaches it is [`routes`]'.

mod data;
mod routes;

use std::fmt;
use std::io;
use std::str::FromStr;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use secrecy::SecretString;
use serde::Serialize;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use self::data::Data;
use super::wire::{NetworkConnection, PAGE_LIMIT};

pub use self::data::{DataError, parse_data};

/// An SSO service of one's own. Clones share everything.
#[derive(Clone)]
pub struct Simulator {
    inner: Arc<Inner>,
    token: Option<SecretString>,
}

struct Inner {
    data: RwLock<Arc<Data>>,
    scenario: RwLock<Scenario>,
    page_size: AtomicUsize,
    list: AtomicU64,
    further_pages: AtomicU64,
    single: AtomicU64,
    not_modified: AtomicU64,
}

/// How the simulator behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scenario {
    /// All is well.
    Ok,
    /// Every SSO call is answered with 503.
    Down,
    /// Every page of a list after the first is answered with 500.
    PageFails,
}

impl Scenario {
    /// Every scenario there is.
    pub const ALL: [Self; 3] = [Self::Ok, Self::Down, Self::PageFails];

    /// Its word in `/__scenario`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Down => "down",
            Self::PageFails => "page-fails",
        }
    }
}

impl fmt::Display for Scenario {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// No scenario has this word.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown scenario; known: {}", Scenario::ALL.map(Scenario::as_str).join(", "))]
pub struct UnknownScenario;

impl FromStr for Scenario {
    type Err = UnknownScenario;

    fn from_str(word: &str) -> Result<Self, UnknownScenario> {
        Self::ALL.into_iter().find(|scenario| scenario.as_str() == word).ok_or(UnknownScenario)
    }
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
            scenario: RwLock::new(Scenario::Ok),
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

    /// Switches how it behaves, from the next call on.
    pub fn set_scenario(&self, scenario: Scenario) {
        *self.inner.scenario.write().unwrap_or_else(PoisonError::into_inner) = scenario;
    }

    /// How it behaves.
    #[must_use]
    pub fn scenario(&self) -> Scenario {
        *self.inner.scenario.read().unwrap_or_else(PoisonError::into_inner)
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

    fn data(&self) -> Arc<Data> {
        Arc::clone(&self.inner.data.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn page_size(&self) -> usize {
        self.inner.page_size.load(Ordering::Relaxed)
    }
}

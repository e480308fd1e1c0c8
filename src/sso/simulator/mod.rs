//! The SSO simulator: the same wire, served over sample or given data, with scenarios that can be switched while it runs.

mod routes;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;

use super::wire::NetworkConnection;

/// The data of `sso-sim` and the demo.
pub const SAMPLE: &str = include_str!("sample.json");

/// How the simulator behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scenario {
    /// As SSO should.
    #[default]
    Ok,
    /// Every call is a 503.
    Down,
    /// Every page after the first is a 500.
    PageFails,
}

/// How many calls were answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Calls {
    /// List exchanges: first pages.
    pub list: u64,
    /// Of those, 304.
    pub not_modified: u64,
    /// Pages after the first.
    pub further_pages: u64,
    /// Single connections.
    pub single: u64,
}

struct State {
    listed: Vec<NetworkConnection>,
    scenario: Scenario,
    largest_page: usize,
    calls: Calls,
}

/// A simulated SSO. Clones are one.
#[derive(Clone)]
pub struct Simulator {
    state: Arc<Mutex<State>>,
    token: Option<Arc<str>>,
}

/// The data are not what SSO would tell.
#[derive(Debug, thiserror::Error)]
#[error("the data are not an array of NetworkConnections")]
pub struct InvalidData(#[from] serde_json::Error);

/// Reads a JSON array of NetworkConnections, strictly.
///
/// # Errors
/// What is off, with line and column.
pub fn parse_data(json: &str) -> Result<Vec<NetworkConnection>, InvalidData> {
    Ok(serde_json::from_str(json)?)
}

impl Simulator {
    /// Over some data, with pages of up to 500.
    #[must_use]
    pub fn new(listed: Vec<NetworkConnection>) -> Self {
        let state = State { listed, scenario: Scenario::Ok, largest_page: 500, calls: Calls::default() };
        Self { state: Arc::new(Mutex::new(state)), token: None }
    }

    /// The same, refusing calls without this bearer token.
    #[must_use]
    pub fn with_token(self, token: &str) -> Self {
        Self { token: Some(token.into()), ..self }
    }

    /// Caps pages, so that small data have several.
    pub fn set_page_size(&self, largest: usize) {
        self.state().largest_page = largest.max(1);
    }

    /// Behaves so from now on.
    pub fn set_scenario(&self, scenario: Scenario) {
        self.state().scenario = scenario;
    }

    /// Tells other data from now on.
    pub fn replace(&self, listed: Vec<NetworkConnection>) {
        self.state().listed = listed;
    }

    /// What was asked so far.
    #[must_use]
    pub fn calls(&self) -> Calls {
        self.state().calls
    }

    /// Its routes.
    pub fn router(&self) -> Router {
        routes::router(self.clone())
    }

    /// Serves in the background, and tells where.
    ///
    /// # Errors
    /// The listener has no address.
    pub fn spawn(&self, listener: TcpListener) -> std::io::Result<SocketAddr> {
        let address = listener.local_addr()?;
        let router = self.router();
        tokio::spawn(async move {
            if let Err(error) = axum::serve(listener, router).await {
                tracing::error!(%error, "the simulator ended");
            }
        });
        Ok(address)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

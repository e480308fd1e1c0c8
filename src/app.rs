//! The application: everything that the front ends need, built once.

use std::sync::Arc;

use ipnet::IpNet;

use crate::clock::Clock;
use crate::service::Connections;
use crate::service::authenticate::Authentication;
use crate::service::rate_limits::RateLimits;
use crate::sso::Sso;
use crate::store::Store;

/// The verbs, and the settings that front ends look at. Cheap to clone.
#[derive(Clone)]
pub struct App {
    /// What one can do with connections.
    pub connections: Connections,
    /// Who holds a key.
    pub authentication: Authentication,
    /// How often one may ask.
    pub rate_limits: Arc<RateLimits>,
    /// The settings that front ends look at.
    pub settings: AppSettings,
}

/// What front ends are told by the configuration.
#[derive(Debug, Clone)]
pub struct AppSettings {
    /// The largest `first` or `last`.
    pub max_page_size: usize,
    /// Whether the GraphQL schema may be asked for.
    pub introspection: bool,
    /// How many requests are worked on at once.
    pub max_concurrent_requests: usize,
    /// How many requests a second each key may make; 0: any number.
    pub rate_limit_per_second: u32,
    /// Networks of proxies whose word on the client's address is believed.
    pub trusted_proxies: Arc<[IpNet]>,
}

impl App {
    /// Over a store and an SSO service.
    #[must_use]
    pub fn new(store: &Store, sso: Sso, clock: &Clock, settings: AppSettings) -> Self {
        Self {
            connections: Connections::new(store.clone(), sso, clock.clone()),
            authentication: Authentication::new(store.clone(), clock.clone()),
            rate_limits: Arc::new(RateLimits::new(settings.rate_limit_per_second)),
            settings,
        }
    }
}

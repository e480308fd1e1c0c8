//! The application: everything that the front ends need, built once.

use crate::clock::Clock;
use crate::service::Connections;
use crate::service::authenticate::Authentication;
use crate::sso::Sso;
use crate::store::Store;

/// The verbs and the settings that front ends look at. Cheap to clone.
#[derive(Clone)]
pub struct App {
    /// What one can do with connections.
    pub connections: Connections,
    /// Who holds a key.
    pub authentication: Authentication,
    /// The largest `first` or `last`.
    pub max_page_size: usize,
    /// Whether the GraphQL schema may be asked for.
    pub introspection: bool,
}

impl App {
    /// Over a store and an SSO service.
    #[must_use]
    pub fn new(store: &Store, sso: Sso, clock: &Clock, max_page_size: usize, introspection: bool) -> Self {
        Self {
            connections: Connections::new(store.clone(), sso, clock.clone()),
            authentication: Authentication::new(store.clone(), clock.clone()),
            max_page_size,
            introspection,
        }
    }
}

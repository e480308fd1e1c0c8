//! LeadConduit Connections: an account's reconciled list of connections, over GraphQL and REST.
//!
//! Data flows one way: `http → graphql | rest → service → store | sso → domain`; nothing imports upward.

pub mod allowance;
pub mod api_error;
pub mod app;
mod causes;
pub mod cli;
pub mod clock;
pub mod config;
pub mod database_use;
pub mod domain;
pub mod front;
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub mod fuzzing;
pub mod graphql;
pub mod http;
pub mod rest;
pub mod service;
pub mod sso;
pub mod store;
pub mod telemetry;

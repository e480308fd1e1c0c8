//! The legacy REST routes: they translate between the old wire shapes and the service, and decide nothing.
//!
//! Must not know the store, SSO or GraphQL.

pub mod caller;
pub mod connections;
pub mod dto;
pub mod error;
pub mod examples;
pub mod list_parameters;
mod refusals;
pub mod responses;
mod words;

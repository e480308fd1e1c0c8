//! GraphQL: translates between documents and the service. Of the domain's rules it decides none; what is for superusers
//! alone it refuses itself, field by field.
//!
//! A request passes one pipeline: parameters → document (parse, limit, validate, coerce, normalise) → execute →
//! serialise. Must not know the store, SSO or REST.

pub mod accept;
pub mod answer;
pub mod batches;
pub mod document;
pub mod error;
pub mod global_id;
pub mod handler;
pub mod mutation;
pub mod page;
pub mod parameters;
pub mod persisted;
pub mod query;
pub mod request_state;
pub mod schema;
pub mod selected;
pub mod types;

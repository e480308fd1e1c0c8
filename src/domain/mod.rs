//! The core: what a connection is, how two lists become one, and what a repair writes.
//!
//! Pure functions over plain values; time is passed in. Knows nothing of HTTP, GraphQL, SQL or any other module of ours.

pub mod account_entity;
pub mod answer;
pub mod caller;
pub mod connection;
pub mod directory;
pub mod id;
pub mod json_shape;
pub mod json_text;
#[cfg(test)]
mod oracle_tests;
pub mod plain_json;
pub mod raw_json;
pub mod reconcile;
pub mod repair;
pub mod selection;
pub mod sso_view;
pub mod stored;
pub mod timestamp;
pub mod wanted;

//! GraphQL.

pub mod document;

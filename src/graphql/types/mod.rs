//! The schema's types, one file a noun.

#![expect(clippy::doc_markdown, reason = "the documentation comments are what clients read in the schema")]

pub mod account;
pub mod entity;
pub mod enums;
pub mod inputs;
pub mod partnership;
pub mod partnership_connection;
pub mod repair;
pub mod scalars;
pub mod trail;

//! The tables, one file each, as sea-orm sees them: no API types, no logic.

pub mod account;
pub mod account_connection;
pub mod account_entity;
pub mod api_key;
pub mod custom_entity;
pub mod repair_record;

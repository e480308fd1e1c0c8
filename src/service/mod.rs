//! service

pub mod api_key;

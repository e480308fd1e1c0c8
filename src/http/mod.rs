//! HTTP: serving, and what every answer has in common.

pub mod health;
pub mod metrics;
pub mod request_id;
pub mod request_log;
pub mod server;
pub mod stop;
mod timed_stream;

//! HTTP: serving, and what every answer has in common.

pub mod server;
pub mod stop;
mod timed_stream;

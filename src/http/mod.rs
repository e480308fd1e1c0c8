//! HTTP: serving, health, metrics, and the router that leads to the front ends.

pub mod health;
pub mod metrics;
pub mod router;
pub mod server;
pub mod stop;
mod timed_body;
mod timed_stream;

//! HTTP: serving, health, metrics, the pages, CORS, and the router that leads to the front ends.

pub(crate) mod compression;
mod cors;
mod docs;
mod files;
mod graphiql;
pub mod health;
mod home;
pub mod metrics;
pub mod openapi;
mod refusals;
pub mod router;
mod security_headers;
pub mod server;
pub mod stop;
mod timed_body;
mod timed_stream;
mod unambiguous;

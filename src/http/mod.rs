//! HTTP: serving, health, metrics, the pages, CORS, and the router that leads to the front ends.

pub(crate) mod compression;
mod cors;
mod docs;
mod files;
mod framing;
mod graphiql;
pub mod health;
mod home;
pub mod metrics;
pub mod openapi;
pub mod refusals;
pub mod router;
mod security_headers;

//! HTTP: serving, health, metrics, the GraphiQL page, CORS, and the router that leads to the front ends.

mod cors;
mod graphiql;
pub mod health;
pub mod metrics;
pub mod openapi;
pub mod router;
pub mod server;
pub mod stop;
mod timed_body;
mod timed_stream;

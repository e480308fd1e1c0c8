//! What the two front ends share of HTTP: who calls, the request's id, its line in the log, the mark of a degraded
//! answer.
//!
//! Stands below `graphql` and `rest`, so that neither imports upward from `http`.

pub mod authentication;
pub mod degraded;
pub mod request_id;
pub mod request_log;

//! HTTP that both front ends share: who calls and from where, how many are served at once, the reading of a body and
//! of its JSON, of headers that negotiate, the request's id, its line in the log, the mark of a degraded answer, the
//! validator of an answer's body.
//!
//! Stands below `graphql` and `rest`, so that neither imports upward from `http`.

pub mod authentication;
pub mod body;
pub mod capacity;
pub mod client_address;
pub mod degraded;
pub mod negotiate;
pub mod request_id;
pub mod request_json;
pub mod request_log;
pub mod validator;

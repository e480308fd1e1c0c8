//! The pipeline as a whole: what it refuses and as what, and that what it lets through means what the client wrote.

mod cost;
mod meaning;
mod reading;
mod refusals;

use serde_json::json;

use super::*;
use crate::graphql::schema::sdl;

fn documents() -> Documents {
    Documents::new(&sdl(), Limits::default(), true).unwrap()
}

fn refusal(query: &str, variables: Value) -> Option<(RequestErrorKind, String)> {
    let Value::Object(variables) = variables else { panic!("variables are an object") };
    let refused = documents().prepare(query, None, &variables.into()).err()?;
    Some((refused[0].kind, refused[0].message.clone()))
}

/// Parses variables as a client sends them.
fn given(variables: &str) -> RawVariables {
    crate::front::request_json::object(variables.as_bytes()).unwrap().into_iter().collect()
}

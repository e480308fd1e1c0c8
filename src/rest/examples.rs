//! The examples in `openapi.json`: the samples of the document that the old service published, with what its renderer
//! left out filled in.

use serde_json::Value;

/// The list: one connection of which everything is known, and one in SSO alone.
pub(super) fn list() -> Value {
    read(include_str!("examples/list.json"))
}

/// The same with `envelope=true`.
pub(super) fn envelope() -> Value {
    serde_json::json!({"degraded": false, "connections": list()})
}

/// One connection by any of its ids.
pub(super) fn single() -> Value {
    read(include_str!("examples/single.json"))
}

/// What a repair asks for, and what it answers.
pub(super) const ID: &str = "5d9a4c421d011c553e000001";

/// The files are valid: the tests hold them against the samples.
fn read(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_default()
}

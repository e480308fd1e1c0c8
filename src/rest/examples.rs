//! The examples in `openapi.json`: the samples of the document that the old service published, with what its renderer
//! left out filled in.

use serde_json::Value;

/// An id, in the samples.
pub(super) const ID: &str = "5d9a4c421d011c553e000001";

/// A sample that stands for itself by a mark, until the document is text: JSON values would sort its keys.
#[derive(Debug, Clone, Copy)]
pub struct Sample {
    /// What stands in its place.
    pub mark: &'static str,
    /// JSON.
    pub text: &'static str,
}

impl Sample {
    pub(super) fn value(self) -> Value {
        self.mark.into()
    }
}

/// The list: one connection of which everything is known, and one in SSO alone.
pub(super) const LIST: Sample = Sample { mark: "sample:list", text: include_str!("examples/list.json") };
/// One connection by any of its ids.
pub(super) const SINGLE: Sample = Sample { mark: "sample:single", text: include_str!("examples/single.json") };

/// All of them.
pub const SAMPLES: [Sample; 2] = [LIST, SINGLE];

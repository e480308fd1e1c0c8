//! `openapi`: the description of the REST routes, for `openapi.json` and for clients' tools.

use clap::Command;

use super::{Failure, output};
use crate::http::openapi::json;

pub(super) fn command() -> Command {
    Command::new("openapi").about("Print the description of the REST routes, OpenAPI 3.1")
}

pub(super) fn run() -> Result<(), Failure> {
    output::result(&json()).map_err(Failure::Output)
}

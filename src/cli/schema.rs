//! `schema`: the GraphQL schema, for `schema.graphql` and for clients' tools.

use clap::Command;

use super::{Failure, output};
use crate::graphql::schema::sdl;

pub(super) fn command() -> Command {
    Command::new("schema").about("Print the GraphQL schema")
}

pub(super) fn run() -> Result<(), Failure> {
    output::result(sdl().trim_end()).map_err(Failure::Output)
}

//! The schema, without any state: what `lc-connections schema` prints and the server executes.

use async_graphql::{EmptySubscription, Schema, ValidationMode};

use super::mutation::Mutation;
use super::query::Query;
use super::types::partnership::Node;
use super::types::repair::UserError;

/// The schema's type.
pub type ConnectionsSchema = Schema<Query, Mutation, EmptySubscription>;

/// The schema. The library's own limits, switches and validation stay off, since the document pipeline checks all of it
/// before it executes.
#[must_use]
pub fn schema() -> ConnectionsSchema {
    Schema::build(Query, Mutation, EmptySubscription)
        .register_output_type::<Node>()
        .register_output_type::<UserError>()
        .validation_mode(ValidationMode::Fast)
        .finish()
}

/// The schema in its definition language, as committed in `schema.graphql`.
#[must_use]
pub fn sdl() -> String {
    let options = async_graphql::SDLExportOptions::new().prefer_single_line_descriptions();
    let mut sdl = schema().sdl_with_options(options);
    sdl.truncate(sdl.trim_end().len());
    sdl.push('\n');
    sdl
}

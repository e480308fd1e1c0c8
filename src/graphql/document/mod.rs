//! From a document's text to one operation that is fit to execute: parse → rules → limits → fit for the schema (all of that
//! cached) → coerce variables → normalise → arguments → cost.
//!
//! Pure. Whatever is wrong with a request is found here, before anything executes. What comes out has no fragments, no
//! directives and no repeated response keys, so that each field executes once.

mod arguments;
mod coerce;
mod cost;
mod lexer;
mod limits;
mod literals;
mod normalise;
mod overlaps;
mod parser;
mod raw_variables;
mod rules;
mod types;
mod validate;
mod values;
mod wording;

use std::sync::Arc;

use async_graphql::parser::types::{DocumentOperations, ExecutableDocument, OperationDefinition, OperationType};
use async_graphql::{Pos, Positioned, Variables};
use moka::sync::Cache;
use serde_json::Value;

pub use limits::Limits;
pub use raw_variables::RawVariables;
pub use types::InvalidSchema;
use types::Types;

/// How much memory parsed documents may take, roughly, in bytes.
const LARGEST_CACHE: u64 = 64 * 1024 * 1024;

/// What a parsed document takes for each byte of its text, at the worst: a field of two letters becomes a selection of
/// more than 200 bytes.
const PARSED_BYTES_PER_BYTE: usize = 128;

/// What is wrong with a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequestErrorKind {
    /// The document is no GraphQL.
    ParseFailed,
    /// The document does not fit the schema.
    ValidationFailed,
    /// The document is larger than what is served.
    LimitExceeded,
    /// A variable's value is off.
    BadUserInput,
}

/// One thing that is wrong with a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestError {
    /// What kind of thing.
    pub kind: RequestErrorKind,
    /// What was wrong, for the client.
    pub message: String,
    /// Where in the document.
    pub locations: Vec<Pos>,
}

impl RequestError {
    fn syntax(message: &str, at: Pos) -> Self {
        let message = format!("Syntax error: {message}");
        Self { kind: RequestErrorKind::ParseFailed, message, locations: vec![at] }
    }

    fn invalid(message: impl Into<String>, at: Pos) -> Self {
        Self { kind: RequestErrorKind::ValidationFailed, message: message.into(), locations: vec![at] }
    }

    fn limit(message: impl Into<String>) -> Self {
        Self { kind: RequestErrorKind::LimitExceeded, message: message.into(), locations: Vec::new() }
    }

    fn input(message: impl Into<String>, at: Pos) -> Self {
        Self { kind: RequestErrorKind::BadUserInput, message: message.into(), locations: vec![at] }
    }
}

/// A request that may be executed.
#[derive(Debug, Clone)]
pub struct Prepared {
    /// Query, mutation or subscription.
    pub operation_type: OperationType,
    /// The operation's name, if it has one.
    pub operation_name: Option<String>,
    /// The one operation, normalised.
    pub document: ExecutableDocument,
    /// The values of its variables, coerced.
    pub variables: Variables,
}

/// Prepares documents for one schema.
#[derive(Debug)]
pub struct Documents {
    types: Types,
    limits: Limits,
    parsed: Cache<String, Arc<ExecutableDocument>>,
}

impl Documents {
    /// For the schema in its definition language, which clients may ask for or not.
    ///
    /// # Errors
    /// The schema cannot be read.
    pub fn new(sdl: &str, limits: Limits, introspection: bool) -> Result<Self, InvalidSchema> {
        let size = |text: &String, _: &Arc<ExecutableDocument>| {
            u32::try_from(text.len() * PARSED_BYTES_PER_BYTE).unwrap_or(u32::MAX)
        };
        let parsed = Cache::builder().max_capacity(LARGEST_CACHE).weigher(size).build();
        Ok(Self { types: Types::read(sdl, introspection)?, limits, parsed })
    }

    /// Prepares one request.
    ///
    /// # Errors
    /// Everything that is wrong with it, as far as one step finds it; later steps are not reached then.
    pub fn prepare(
        &self,
        text: &str,
        operation_name: Option<&str>,
        variables: &RawVariables,
    ) -> Result<Prepared, Vec<RequestError>> {
        let document = self.parse(text).map_err(|error| vec![error])?;
        let (name, operation) = choose(&document, operation_name).map_err(|error| vec![error])?;
        let variables = coerce::variables(&self.types, &operation.node, variables)?;
        let normalised = normalise::operation(&self.types, &document, operation, &variables);
        arguments::check(&normalised.node, &variables).map_err(|error| vec![error])?;
        cost::check(&self.types, &normalised.node, &variables, &self.limits).map_err(|error| vec![error])?;
        Ok(Prepared {
            operation_type: operation.node.ty,
            operation_name: name.map(str::to_owned),
            document: ExecutableDocument {
                operations: DocumentOperations::Single(normalised),
                fragments: std::collections::HashMap::new(),
            },
            variables: Variables::from_json(Value::Object(variables)),
        })
    }

    /// The document, within its limits, sound in itself and fit for the schema. Only such ones are kept.
    fn parse(&self, text: &str) -> Result<Arc<ExecutableDocument>, RequestError> {
        if let Some(parsed) = self.parsed.get(text) {
            return Ok(parsed);
        }
        let document = parser::document(&lexer::tokens(text, &self.limits)?)?;
        rules::check(&document)?;
        limits::check(&document, &self.limits)?;
        validate::check(&self.types, &document)?;
        overlaps::check(&self.types, &document)?;
        let document = Arc::new(document);
        self.parsed.insert(text.to_owned(), Arc::clone(&document));
        Ok(document)
    }
}

fn choose<'a>(
    document: &'a ExecutableDocument,
    name: Option<&str>,
) -> Result<(Option<&'a str>, &'a Positioned<OperationDefinition>), RequestError> {
    let unknown = |name: &str| RequestError {
        kind: RequestErrorKind::ValidationFailed,
        message: format!("Unknown operation named \"{name}\"."),
        locations: Vec::new(),
    };
    match (&document.operations, name) {
        (DocumentOperations::Single(operation), None) => Ok((None, operation)),
        (DocumentOperations::Single(_), Some(name)) => Err(unknown(name)),
        (DocumentOperations::Multiple(operations), Some(name)) => {
            let found = operations.iter().find(|(one, _)| one.as_str() == name);
            found.map(|(name, operation)| (Some(name.as_str()), operation)).ok_or_else(|| unknown(name))
        }
        (DocumentOperations::Multiple(operations), None) => {
            let mut all = operations.iter();
            match (all.next(), all.next()) {
                (Some((name, operation)), None) => Ok((Some(name.as_str()), operation)),
                _ => Err(RequestError {
                    kind: RequestErrorKind::ValidationFailed,
                    message: "Must provide operation name if query contains multiple operations.".to_owned(),
                    locations: Vec::new(),
                }),
            }
        }
    }
}

#[cfg(test)]
mod tests;

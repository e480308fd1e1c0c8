//! How an [`ApiError`] becomes an entry of `errors`: the one explicit conversion, and reporting for nullable fields.

use async_graphql::{Context, Error, ErrorExtensionValues, PathSegment, Value};

use crate::api_error::{ApiError, ErrorCode};

impl From<ApiError> for Error {
    fn from(error: ApiError) -> Self {
        let mut graphql = Self::new(error.message.into_owned());
        graphql.extensions = Some(extensions(error.code));
        graphql
    }
}

/// What every error of a code says beside its message. The request id is added when the answer is written.
#[must_use]
pub fn extensions(code: ErrorCode) -> ErrorExtensionValues {
    let facts = code.facts();
    let mut extensions = ErrorExtensionValues::default();
    extensions.set("code", facts.code);
    if facts.is_retryable {
        extensions.set("retryable", Value::Boolean(true));
    }
    extensions
}

/// The value of a nullable field that may fail. async-graphql would null the field's parent for an `Err`, so the error
/// is reported here, with the field's path, and the field alone becomes null.
#[must_use]
pub fn nullable<T>(context: &Context<'_>, result: Result<Option<T>, ApiError>) -> Option<T> {
    match result {
        Ok(value) => value,
        Err(error) => {
            let error = Error::from(error).into_server_error(context.item.pos);
            context.add_error(context.set_error_path(error));
            None
        }
    }
}

/// The same for an item of a list whose items are nullable.
#[must_use]
pub fn nullable_item<T>(context: &Context<'_>, index: usize, result: Result<Option<T>, ApiError>) -> Option<T> {
    result.unwrap_or_else(|error| {
        let mut error = context.set_error_path(Error::from(error).into_server_error(context.item.pos));
        error.path.push(PathSegment::Index(index));
        context.add_error(error);
        None
    })
}

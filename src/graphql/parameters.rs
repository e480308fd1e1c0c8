//! Reads the parameters of a GraphQL request from a POST's body or a GET's query. Errors name the parameter and the
//! reason.

use std::borrow::Cow;

use axum::http::{HeaderMap, StatusCode};
use serde_json::value::RawValue;
use url::form_urlencoded;

use crate::api_error::ApiError;
use crate::domain::json_shape::{Members, Shape};
use crate::front::body::{Charset, json_charset, refuse_encoded};
use crate::front::request_json::{self, JsonError};

use super::document::RawVariables;
use super::persisted::DocumentHash;

/// What a client sent: a document, and what to do with it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Parameters {
    /// The document; empty where only its hash was sent.
    pub query: String,
    /// The document's hash, if it was sent.
    pub hash: Option<DocumentHash>,
    /// Which of its operations.
    pub operation_name: Option<String>,
    /// Values of its variables.
    pub variables: RawVariables,
}

/// A request that is no GraphQL request: the status, and the one error that says why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotARequest {
    /// 400, 413 or 415.
    pub status: StatusCode,
    /// What was wrong.
    pub error: ApiError,
}

impl NotARequest {
    fn bad(text: impl Into<Cow<'static, str>>) -> Self {
        Self { status: StatusCode::BAD_REQUEST, error: ApiError::bad_input(text) }
    }

    fn missing(how: &str) -> Self {
        Self::bad(format!("{how}: it holds the GraphQL document"))
    }

    fn unsupported(text: &'static str) -> Self {
        Self { status: StatusCode::UNSUPPORTED_MEDIA_TYPE, error: ApiError::bad_input(text) }
    }
}

impl Parameters {
    /// Reads a POST's body. Unknown members are ignored.
    ///
    /// # Errors
    /// 415 for another media type or charset and for what is compressed, 400 for a body that is no single GraphQL
    /// request.
    pub fn of_post(headers: &HeaderMap, body: &[u8]) -> Result<Self, NotARequest> {
        refuse_encoded(headers).map_err(|(status, error)| NotARequest { status, error })?;
        match json_charset(headers) {
            Some(Charset::Utf8) => {}
            Some(Charset::Other) => {
                return Err(NotARequest::unsupported(
                    "the Content-Type must be application/json, in UTF-8; it names another charset",
                ));
            }
            None => return Err(NotARequest::unsupported("the Content-Type must be application/json, in UTF-8")),
        }
        let members = request_json::object(body).map_err(|fault| match fault {
            JsonError::Malformed(reason) => NotARequest::bad(format!("the body is not valid JSON: {reason}")),
            JsonError::NotAnObject("an array") => {
                NotARequest::bad("the body is an array: batches are not served; send one request at a time")
            }
            JsonError::NotAnObject(kind) => {
                NotARequest::bad(format!("the body must be a JSON object with the member query, not {kind}"))
            }
        })?;
        let (mut query, mut operation_name, mut variables, mut extensions) = (None, None, None, None);
        for (name, value) in members {
            let slot = match &*name {
                "query" => &mut query,
                "operationName" => &mut operation_name,
                "variables" => &mut variables,
                "extensions" => &mut extensions,
                _ => continue,
            };
            if slot.replace(value).is_some() {
                return Err(NotARequest::bad(format!("the member {name} is given twice")));
            }
        }
        let hash = document_hash(&object_or_null("the member extensions", extensions)?)?;
        let query = match query {
            None if hash.is_none() => return Err(NotARequest::missing("the member query is missing")),
            Some(query) if hash.is_none() && query.get() == "null" => {
                return Err(NotARequest::missing("the member query is null"));
            }
            query => text_or_null("the member query", query)?,
        };
        Self::new(
            query,
            hash,
            text_or_null("the member operationName", operation_name)?,
            object_or_null("the member variables", variables)?,
        )
    }

    /// Of a GET's query.
    ///
    /// # Errors
    /// 400 for a parameter that is missing, given twice or of the wrong shape.
    pub fn of_get(query: &str) -> Result<Self, NotARequest> {
        let (mut document, mut operation_name, mut variables, mut extensions) = (None, None, None, None);
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            let slot = match &*name {
                "query" => &mut document,
                "operationName" => &mut operation_name,
                "variables" => &mut variables,
                "extensions" => &mut extensions,
                _ => continue,
            };
            if slot.replace(value).is_some() {
                return Err(NotARequest::bad(format!("the parameter {name} is given twice")));
            }
        }
        let hash = document_hash(&parse_object("the parameter extensions", extensions.as_deref())?)?;
        if document.is_none() && hash.is_none() {
            return Err(NotARequest::missing("the parameter query is missing"));
        }
        let variables = parse_object("the parameter variables", variables.as_deref())?;
        Self::new(document.unwrap_or_default(), hash, operation_name.unwrap_or_default(), variables)
    }

    fn new(
        query: Cow<'_, str>,
        hash: Option<DocumentHash>,
        operation_name: Cow<'_, str>,
        variables: Members<'_>,
    ) -> Result<Self, NotARequest> {
        if hash.is_none() && query.trim().is_empty() {
            return Err(NotARequest::missing("query is empty"));
        }
        // GraphQL over HTTP treats an empty name in a GET as absent. Clients also send it by POST.
        let operation_name = Some(operation_name.into_owned()).filter(|name| !name.is_empty());
        Ok(Self { query: query.into_owned(), hash, operation_name, variables: variables.into_iter().collect() })
    }
}

/// Reads an optional string. `null` is the same as absent.
fn text_or_null<'a>(what: &str, value: Option<&'a RawValue>) -> Result<Cow<'a, str>, NotARequest> {
    match value.map_or(Shape::Null, Shape::parse) {
        Shape::Null => Ok(Cow::Borrowed("")),
        Shape::String(Some(text)) => Ok(text),
        Shape::String(None) => Err(NotARequest::bad(format!("{what} has a lone surrogate, which is not a character"))),
        other => Err(NotARequest::bad(format!("{what} must be a string, not {}", other.kind()))),
    }
}

/// Reads an optional object. `null` is the same as absent.
fn object_or_null<'a>(what: &str, value: Option<&'a RawValue>) -> Result<Members<'a>, NotARequest> {
    match value.map_or(Shape::Null, Shape::parse) {
        Shape::Null => Ok(Members::new()),
        Shape::Object(members) => Ok(members),
        other => Err(NotARequest::bad(format!("{what} must be an object, not {}", other.kind()))),
    }
}

/// Reads an optional object from a query parameter. Empty and `null` are the same as absent.
fn parse_object<'a>(what: &str, text: Option<&'a str>) -> Result<Members<'a>, NotARequest> {
    let Some(text) = text.filter(|text| !text.is_empty()) else { return Ok(Members::new()) };
    match request_json::object(text.as_bytes()) {
        Ok(members) => Ok(members),
        Err(JsonError::NotAnObject("null")) => Ok(Members::new()),
        Err(JsonError::NotAnObject(kind)) => Err(NotARequest::bad(format!("{what} must be an object, not {kind}"))),
        Err(JsonError::Malformed(reason)) => Err(NotARequest::bad(format!("{what} is not valid JSON: {reason}"))),
    }
}

fn document_hash(extensions: &Members<'_>) -> Result<Option<DocumentHash>, NotARequest> {
    DocumentHash::from_extensions(extensions).map_err(|error| NotARequest { status: StatusCode::BAD_REQUEST, error })
}

#[cfg(test)]
mod tests;

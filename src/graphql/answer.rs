//! An answer's form: `errors` with codes and request ids, `data` only where something was executed, the status, the
//! media type.

use std::io;

use async_graphql::{Pos, Response as Executed, ServerError, Value};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::Serializer;
use serde_json::ser::Formatter;

use crate::api_error::{ApiError, ErrorCode};
use crate::front::request_id::RequestId;
use crate::front::validator::Validator;

use super::accept::AnswerType;
use super::document::{RequestError, RequestErrorKind};
use super::error::extensions;

/// The longest list of errors, and the longest message, that an answer has.
const MOST_ERRORS: usize = 10;
const LONGEST_MESSAGE: usize = 200;

#[derive(Serialize)]
struct Body<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<&'a Value>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    errors: &'a [ServerError],
}

/// Writes a value's bytes as the JSON text that they are. Only the scalar `JSON` has bytes, and takes them from valid
/// JSON.
struct SplicedJson;

impl Formatter for SplicedJson {
    fn write_byte_array<W: io::Write + ?Sized>(&mut self, writer: &mut W, json: &[u8]) -> io::Result<()> {
        writer.write_all(json)
    }
}

impl Body<'_> {
    fn to_json(&self) -> Result<Vec<u8>, serde_json::Error> {
        let mut json = Vec::with_capacity(1024);
        self.serialize(&mut Serializer::with_formatter(&mut json, SplicedJson))?;
        Ok(json)
    }
}

/// An answer in the making.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The media type agreed on.
    pub answer_type: AnswerType,
    /// The request's id, for each error.
    pub request_id: RequestId,
    /// The request's headers where its answer may be kept and asked for again: not those of a POST.
    pub conditions: Option<HeaderMap>,
}

impl Answer {
    /// Of a request that was executed. What is degraded is not to be kept.
    #[must_use]
    pub fn executed(&self, executed: Executed, is_degraded: bool) -> Response {
        let Executed { data, errors, .. } = executed;
        // Only arguments that are null where they may not be are left to the library to refuse.
        let errors = self.finished(errors, ErrorCode::BadUserInput);
        let conditions = self.conditions.as_ref().filter(|_| errors.is_empty() && !is_degraded);
        self.write(StatusCode::OK, Some(&data), &errors, conditions)
    }

    /// Of a document or variables that were refused before anything was executed.
    #[must_use]
    pub fn request_errors(&self, errors: Vec<RequestError>) -> Response {
        let server_error = |error: RequestError| {
            let code = match error.kind {
                RequestErrorKind::ParseFailed => ErrorCode::GraphqlParseFailed,
                RequestErrorKind::ValidationFailed => ErrorCode::GraphqlValidationFailed,
                RequestErrorKind::LimitExceeded => ErrorCode::LimitExceeded,
                RequestErrorKind::BadUserInput => ErrorCode::BadUserInput,
            };
            server_error(error.message, error.locations, code)
        };
        let errors = errors.into_iter().map(server_error).collect();
        let errors = self.finished(errors, ErrorCode::GraphqlValidationFailed);
        self.write(self.request_error_status(StatusCode::BAD_REQUEST), None, &errors, None)
    }

    /// Of what is no GraphQL request, or one that may not be served: the same status for both media types.
    #[must_use]
    pub fn refused(&self, status: StatusCode, error: ApiError) -> Response {
        let ApiError { code, message, retry_after } = error;
        let error = server_error(message.into_owned(), Vec::new(), code);
        let mut response = self.write(status, None, &self.finished(vec![error], ErrorCode::Internal), None);
        if let Some(seconds) = retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }

    /// In `application/json` a well-formed request has status 200, whatever is wrong with its document.
    #[must_use]
    pub fn request_error_status(&self, status: StatusCode) -> StatusCode {
        match self.answer_type {
            AnswerType::GraphqlResponse => status,
            AnswerType::Json => StatusCode::OK,
        }
    }

    /// Caps the list and the texts, and completes each error's extensions. An error without a code is the library's.
    fn finished(&self, mut errors: Vec<ServerError>, fallback: ErrorCode) -> Vec<ServerError> {
        errors.truncate(MOST_ERRORS);
        for error in &mut errors {
            if error.message.chars().count() > LONGEST_MESSAGE {
                error.message = error.message.chars().take(LONGEST_MESSAGE - 1).chain(['…']).collect();
            }
            let known = error.extensions.get_or_insert_with(|| extensions(fallback));
            known.set("requestId", self.request_id.as_str());
            if let Some(Value::String(code)) = known.get("code") {
                metrics::counter!("graphql_errors_total", "code" => code.clone()).increment(1);
            }
        }
        errors
    }

    fn write(
        &self,
        status: StatusCode,
        data: Option<&Value>,
        errors: &[ServerError],
        conditions: Option<&HeaderMap>,
    ) -> Response {
        let body = match (Body { data, errors }).to_json() {
            Ok(body) => body,
            Err(error) => {
                tracing::error!(error = %error, "an answer could not be written");
                return StatusCode::INTERNAL_SERVER_ERROR.into_response();
            }
        };
        let may_be_kept = status.is_success() && errors.is_empty();
        let cache_control = HeaderValue::from_static(if may_be_kept { "private, no-cache" } else { "no-store" });
        let content_type = self.answer_type.content_type();
        let mut response = match conditions {
            Some(request) => Validator::of(&body).answer(content_type, body, request),
            None => (status, [(header::CONTENT_TYPE, content_type)], body).into_response(),
        };
        let headers = response.headers_mut();
        headers.insert(header::CACHE_CONTROL, cache_control);
        headers.insert(header::VARY, HeaderValue::from_static("Accept, Authorization"));
        if status == StatusCode::UNAUTHORIZED {
            let bearer = HeaderValue::from_static("Bearer realm=\"LeadConduit\"");
            headers.insert(header::WWW_AUTHENTICATE, bearer);
        }
        response
    }
}

fn server_error(message: String, locations: Vec<Pos>, code: ErrorCode) -> ServerError {
    let mut error = ServerError::new(message, None);
    error.locations = locations;
    error.extensions = Some(extensions(code));
    error
}

//! What the REST routes refuse, by name: the handlers answer with it, and `openapi.json` shows it.

use axum::http::StatusCode;

use crate::api_error::{ApiError, ErrorCode};
use crate::domain::id::InvalidId;
use crate::domain::repair::RepairRefusal;
use crate::front::request_json::JsonError;

use super::error::RestError;

pub(super) fn invalid_id() -> ApiError {
    ApiError::bad_input(format!("invalid id: {InvalidId}"))
}

pub(super) fn not_found() -> RestError {
    RestError::new(StatusCode::NOT_FOUND, ApiError::bad_input("connection not found"))
}

pub(super) fn not_json_type() -> RestError {
    let error = ApiError::bad_input("the Content-Type must be application/json");
    RestError::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, error)
}

/// The body is not a JSON object. The texts keep the beginnings that legacy clients know.
pub(super) fn invalid_body(fault: JsonError) -> ApiError {
    match fault {
        JsonError::Malformed(reason) => ApiError::bad_input(format!("the body is not valid JSON: {reason}")),
        JsonError::NotAnObject(kind) => {
            ApiError::bad_input(format!("the body must be a JSON object like {{\"connection_id\": \"…\"}}, not {kind}"))
        }
    }
}

pub(super) fn missing_connection_id() -> ApiError {
    ApiError::bad_input("missing connection_id")
}

/// `kind` is the JSON type of a value that is not a string.
pub(super) fn invalid_connection_id(kind: Option<&str>) -> ApiError {
    let found = kind.map(|kind| format!(", not {kind}")).unwrap_or_default();
    ApiError::bad_input(format!("invalid connection_id: {InvalidId}{found}"))
}

pub(super) fn repair_refused(refusal: RepairRefusal) -> RestError {
    let (status, code) = match refusal {
        RepairRefusal::AlreadyExists => (StatusCode::CONFLICT, ErrorCode::BadUserInput),
        RepairRefusal::SsoConnectionNotFound | RepairRefusal::AccountNotFound => {
            (StatusCode::UNPROCESSABLE_ENTITY, ErrorCode::BadUserInput)
        }
        RepairRefusal::SsoUnavailable => (StatusCode::SERVICE_UNAVAILABLE, ErrorCode::SsoUnavailable),
    };
    RestError::new(status, ApiError::new(code, refusal.explanation()))
}

//! REST's error bodies: `{"error": "<text>"}`, whatever went wrong.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use crate::api_error::{ApiError, ErrorCode};
use crate::service::ServiceError;

/// The body of every error.
#[derive(Debug, Serialize, ToSchema)]
pub struct ErrorBody<'a> {
    /// What was wrong, and what to do.
    pub error: &'a str,
}

/// A refusal of REST: a status and a text.
#[derive(Debug)]
pub struct RestError {
    status: StatusCode,
    error: ApiError,
}

impl RestError {
    /// With a status that only REST has a word for.
    #[must_use]
    pub fn new(status: StatusCode, error: ApiError) -> Self {
        Self { status, error }
    }

    /// Its status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// What the client is told.
    #[must_use]
    pub fn error(&self) -> &ApiError {
        &self.error
    }
}

impl RestError {
    /// A valid key without superuser rights. The text is fixed, because legacy clients compare it.
    #[must_use]
    pub fn not_authorized() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, ApiError::new(ErrorCode::SuperuserRequired, "not authorized"))
    }
}

impl From<ApiError> for RestError {
    fn from(error: ApiError) -> Self {
        match error.code {
            ErrorCode::SuperuserRequired => Self::not_authorized(),
            code => Self { status: code.facts().status, error },
        }
    }
}

impl From<ServiceError> for RestError {
    fn from(error: ServiceError) -> Self {
        ApiError::from(error).into()
    }
}

impl IntoResponse for RestError {
    fn into_response(self) -> Response {
        let mut response = (self.status, Json(ErrorBody { error: &self.error.message })).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Basic realm=\"LeadConduit\""));
        }
        if let Some(seconds) = self.error.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

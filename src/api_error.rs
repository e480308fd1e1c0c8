//! The single table of GraphQL's error codes: each one's name, its HTTP status, whether waiting helps, and what of it is
//! logged. REST has statuses of its own besides (404, 409, 415, 422), where it answers with them.
//!
//! An [`ApiError`] has no `Display` on purpose: async-graphql would turn any `Display` into a client's message.

use std::borrow::Cow;

use axum::http::StatusCode;

use crate::domain::directory::Unread;
use crate::service::ServiceError;
use crate::service::rate_limits::TooOften;
use crate::store::StoreError;
use crate::telemetry::chain;

/// The closed list of codes that a client may meet in `extensions.code`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorCode {
    /// No valid key.
    Unauthenticated,
    /// The key is good, but what was asked is for superusers.
    SuperuserRequired,
    /// An argument, a variable or a parameter is off.
    BadUserInput,
    /// A cursor that this list did not give, or that belongs to another order.
    CursorInvalid,
    /// SSO was required and is unavailable.
    SsoUnavailable,
    /// The request is larger or deeper than what is served.
    LimitExceeded,
    /// Too often: a key's own limit, or that of an address whose keys are none.
    RateLimited,
    /// No document is known by this hash: send its text along, once.
    PersistedQueryNotFound,
    /// The document is no GraphQL.
    GraphqlParseFailed,
    /// The document does not fit the schema.
    GraphqlValidationFailed,
    /// The server has too much to do, or the database could not be reached in time.
    Unavailable,
    /// A defect of ours.
    Internal,
}

/// What an error is to its readers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ErrorFacts {
    /// GraphQL's `extensions.code`.
    pub code: &'static str,
    /// The status where the error is the whole answer.
    pub status: StatusCode,
    /// Whether waiting helps.
    pub is_retryable: bool,
    /// What it means and what to do, for the documents.
    pub meaning: &'static str,
}

impl ErrorCode {
    /// All codes.
    pub const ALL: [Self; 12] = [
        Self::Unauthenticated,
        Self::SuperuserRequired,
        Self::BadUserInput,
        Self::CursorInvalid,
        Self::SsoUnavailable,
        Self::LimitExceeded,
        Self::RateLimited,
        Self::PersistedQueryNotFound,
        Self::GraphqlParseFailed,
        Self::GraphqlValidationFailed,
        Self::Unavailable,
        Self::Internal,
    ];

    /// The table.
    #[must_use]
    pub const fn facts(self) -> ErrorFacts {
        let (code, status, meaning) = match self {
            Self::Unauthenticated => {
                ("UNAUTHENTICATED", StatusCode::UNAUTHORIZED, "No valid key came with the request. Ask for a new one.")
            }
            // REST has always answered 401 here, not 403.
            Self::SuperuserRequired => (
                "SUPERUSER_REQUIRED",
                StatusCode::UNAUTHORIZED,
                "The key is good, but this field is for superusers. Hide it from others: `viewer { isSuperuser }`.",
            ),
            Self::BadUserInput => (
                "BAD_USER_INPUT",
                StatusCode::BAD_REQUEST,
                "An argument, a variable or a parameter is off; the message says which, and how.",
            ),
            Self::CursorInvalid => (
                "CURSOR_INVALID",
                StatusCode::BAD_REQUEST,
                "This list gave no such cursor, or it belongs to another `orderBy`. Start again without it.",
            ),
            Self::SsoUnavailable => (
                "SSO_UNAVAILABLE",
                StatusCode::SERVICE_UNAVAILABLE,
                "`consistency: REQUIRE_SSO`, and SSO is down. Try again later, or ask with `FAIL_OPEN`.",
            ),
            Self::LimitExceeded => (
                "LIMIT_EXCEEDED",
                StatusCode::BAD_REQUEST,
                "The request is larger or deeper than what is served; the message names the limit. Ask for less at once.",
            ),
            Self::RateLimited => (
                "RATE_LIMITED",
                StatusCode::TOO_MANY_REQUESTS,
                "Too many requests with this key, or too many wrong keys from this address. Wait for `Retry-After` seconds.",
            ),
            Self::PersistedQueryNotFound => (
                "PERSISTED_QUERY_NOT_FOUND",
                StatusCode::BAD_REQUEST,
                "No document is known by this hash. Send its text along, once; the clients' libraries do.",
            ),
            Self::GraphqlParseFailed => (
                "GRAPHQL_PARSE_FAILED",
                StatusCode::BAD_REQUEST,
                "The document is not GraphQL; `locations` has the place.",
            ),
            Self::GraphqlValidationFailed => (
                "GRAPHQL_VALIDATION_FAILED",
                StatusCode::BAD_REQUEST,
                "The document does not fit the schema. Generate types from `schema.graphql`, and the compiler finds it.",
            ),
            Self::Unavailable => (
                "UNAVAILABLE",
                StatusCode::SERVICE_UNAVAILABLE,
                "The server has too much to do, or its database did not answer in time. Try again after `Retry-After` seconds.",
            ),
            Self::Internal => (
                "INTERNAL",
                StatusCode::INTERNAL_SERVER_ERROR,
                "A defect of the server. Report it with its `requestId`.",
            ),
        };
        let is_retryable = matches!(status, StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS);
        ErrorFacts { code, status, is_retryable, meaning }
    }
}

/// An error as a client may see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiError {
    /// Which one.
    pub code: ErrorCode,
    /// What was wrong, where, and what to do. Never internal text.
    pub message: Cow<'static, str>,
    /// How many seconds to wait, where waiting helps.
    pub retry_after: Option<u64>,
}

/// How many seconds to wait where nothing better is known.
const RETRY_AFTER_SECONDS: u64 = 5;

impl ApiError {
    /// With a text of its own.
    pub fn new(code: ErrorCode, message: impl Into<Cow<'static, str>>) -> Self {
        let retry_after = code.facts().is_retryable.then_some(RETRY_AFTER_SECONDS);
        Self { code, message: message.into(), retry_after }
    }

    /// An argument is off.
    pub fn bad_input(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorCode::BadUserInput, message)
    }

    /// No valid key.
    #[must_use]
    pub fn unauthenticated() -> Self {
        Self::new(ErrorCode::Unauthenticated, "authentication failed")
    }

    /// Not a superuser. REST has its own text, which legacy clients compare.
    #[must_use]
    pub fn not_authorized() -> Self {
        Self::new(ErrorCode::SuperuserRequired, "not authorized: this needs a superuser's key")
    }

    /// The database could not be reached in time.
    #[must_use]
    pub fn unavailable() -> Self {
        Self::new(ErrorCode::Unavailable, "the service is unavailable; try again later")
    }

    /// More requests at once than are served.
    #[must_use]
    pub fn overloaded() -> Self {
        let text = "the server has too much to do; wait as long as Retry-After says";
        Self { retry_after: Some(1), ..Self::new(ErrorCode::Unavailable, text) }
    }

    /// Too many requests, and when the next is welcome.
    #[must_use]
    pub fn too_often(message: &'static str, TooOften { wait }: TooOften) -> Self {
        // Not before: so the part of a second counts as one.
        let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
        Self { retry_after: Some(seconds.max(1)), ..Self::new(ErrorCode::RateLimited, message) }
    }

    /// A defect of ours.
    #[must_use]
    pub fn internal() -> Self {
        Self::new(ErrorCode::Internal, "internal error; please report it with the request id")
    }
}

/// The border: internal causes are logged here, once and with their whole chain, and go no further.
impl From<ServiceError> for ApiError {
    fn from(error: ServiceError) -> Self {
        match &error {
            ServiceError::SuperuserRequired => Self::not_authorized(),
            ServiceError::SsoUnavailable(_) => {
                Self::new(ErrorCode::SsoUnavailable, "SSO is unavailable; try again later")
            }
            ServiceError::Store(StoreError::Unavailable { .. }) => {
                tracing::warn!(error = chain(&error), "the database is unavailable");
                Self::unavailable()
            }
            ServiceError::Store(_) | ServiceError::Task(_) => {
                tracing::error!(error = chain(&error), "a request failed");
                Self::internal()
            }
        }
    }
}

/// Logged already, where the rest of the answer went on without it.
impl From<Unread> for ApiError {
    fn from(why: Unread) -> Self {
        match why {
            Unread::Unavailable => Self::unavailable(),
            Unread::Failed => Self::internal(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn each_code_has_a_name_of_its_own() {
        let names: HashSet<_> = ErrorCode::ALL.iter().map(|code| code.facts().code).collect();
        assert_eq!(names.len(), ErrorCode::ALL.len());
    }

    #[test]
    fn waiting_helps_exactly_where_the_status_is_503_or_429() {
        for code in ErrorCode::ALL {
            let is_retryable = code.facts().is_retryable;
            let waits = [ErrorCode::SsoUnavailable, ErrorCode::RateLimited, ErrorCode::Unavailable].contains(&code);
            assert_eq!(is_retryable, waits, "{}", code.facts().code);
            assert_eq!(ApiError::new(code, "").retry_after.is_some(), waits);
        }
    }
}

//! Everything that can be off in an exchange with SSO, and the class that each fault belongs to.
//!
//! What is printed here is ours alone: neither SSO's text nor its URL.

use std::error::Error;
use std::io;

use reqwest::StatusCode;

use crate::domain::sso_view::SourceFailure;

/// Why an exchange failed.
#[derive(Debug, thiserror::Error)]
pub(super) enum Fault {
    /// The budget ran out.
    #[error("no answer within the budget")]
    OutOfTime,
    /// No connection, or it broke before the answer's end.
    #[error("the connection failed")]
    Transport(#[source] reqwest::Error),
    /// A status that the protocol does not know at this place.
    #[error("status {0}")]
    Status(StatusCode),
    /// More bytes than a page, or a list, may have.
    #[error("the body is too large")]
    TooLarge,
    /// Not JSON, or not the JSON that was agreed on.
    #[error("the body cannot be read")]
    Unreadable(#[source] serde_json::Error),
    /// A connection came twice.
    #[error("a connection is listed twice")]
    Repeated,
    /// A listed connection in which the account takes no part.
    #[error("a connection of others is listed")]
    Foreign,
    /// The single call answered with another connection.
    #[error("another connection than asked for")]
    OtherConnection,
    /// A cursor that leads nowhere: the last one again, or one that no URL can hold.
    #[error("the cursor leads nowhere")]
    Cursor,
    /// The set changed under the pages, twice.
    #[error("the set kept changing while it was read")]
    Unsettled,
}

impl Fault {
    /// The class, as clients and metrics know it. A set that keeps changing counts as a bad payload: SSO is there and
    /// answers, only this account's list cannot be had, which must not shut SSO for others.
    pub(super) fn class(&self) -> SourceFailure {
        match self {
            Self::OutOfTime => SourceFailure::Timeout,
            Self::Transport(error) if error.is_timeout() => SourceFailure::Timeout,
            Self::Transport(_) => SourceFailure::ConnectFailed,
            Self::Status(_) => SourceFailure::BadStatus,
            Self::TooLarge
            | Self::Unreadable(_)
            | Self::Repeated
            | Self::Foreign
            | Self::OtherConnection
            | Self::Cursor
            | Self::Unsettled => SourceFailure::BadPayload,
        }
    }

    /// Whether SSO as a whole is in trouble, rather than this one answer: what the circuit counts.
    pub(super) fn is_outage(&self) -> bool {
        match self {
            Self::OutOfTime | Self::Transport(_) => true,
            Self::Status(status) => status.is_server_error() || *status == StatusCode::TOO_MANY_REQUESTS,
            Self::TooLarge
            | Self::Unreadable(_)
            | Self::Repeated
            | Self::Foreign
            | Self::OtherConnection
            | Self::Cursor
            | Self::Unsettled => false,
        }
    }

    /// What more the log may know: where the JSON is off, or how the connection failed. Not the sources' own texts,
    /// since those quote what SSO sent.
    pub(super) fn detail(&self) -> String {
        match self {
            Self::Unreadable(error) => {
                format!("{:?} at line {} column {}", error.classify(), error.line(), error.column())
            }
            Self::Transport(error) => transport_detail(error),
            _ => String::new(),
        }
    }
}

fn transport_detail(error: &reqwest::Error) -> String {
    let stage = if error.is_dns() {
        "name look-up"
    } else if error.is_connect() {
        "connect"
    } else if error.is_request() {
        "request"
    } else {
        "body"
    };
    let mut source = error.source();
    while let Some(cause) = source {
        if let Some(io) = cause.downcast_ref::<io::Error>() {
            let is_tls = io.get_ref().is_some_and(<dyn Error + Send + Sync>::is::<rustls::Error>);
            return if is_tls { format!("{stage}: TLS refused") } else { format!("{stage}: {}", io.kind()) };
        }
        source = cause.source();
    }
    stage.to_owned()
}

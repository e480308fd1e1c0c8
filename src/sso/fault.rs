//! Everything that can be off in an exchange with SSO, and the class that each fault belongs to.
//!
//! What is printed here is ours alone: neither SSO's text nor its URL.

use std::io;
use std::time::Duration;

use reqwest::header::RETRY_AFTER;
use reqwest::{Response, StatusCode};

use crate::causes::{causes, transport_failure};
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
    #[error("status {status}")]
    Status {
        /// The status.
        status: StatusCode,
        /// How long SSO asks to be left alone: nothing, where it does not say.
        retry_after: Duration,
    },
    /// More bytes than a page, or a list, may have.
    #[error("the body is too large")]
    TooLarge,
    /// Bytes that would have to be unpacked first.
    #[error("the body is encoded, though no encoding was asked for")]
    Encoded,
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
    /// A cursor that leads nowhere: one that came before, one that no URL can hold, or one page more than any list has.
    #[error("the cursor leads nowhere")]
    Cursor,
    /// The set changed under the pages, twice.
    #[error("the set kept changing while it was read")]
    Unsettled,
}

impl Fault {
    /// An answer whose status is none that is waited for.
    pub(super) fn status(response: &Response) -> Self {
        let retry_after = response.headers().get(RETRY_AFTER).map(|value| {
            let seconds = value.to_str().ok().and_then(|text| text.trim().parse().ok());
            // A date, or nonsense: later than any budget lasts.
            seconds.map_or(Duration::MAX, Duration::from_secs)
        });
        Self::Status { status: response.status(), retry_after: retry_after.unwrap_or_default() }
    }

    /// Whether a status tells that SSO as a whole is in trouble.
    pub(super) fn is_trouble(status: StatusCode) -> bool {
        status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS
    }

    /// Whether the same call may well succeed in a moment, at another instance say, and how long SSO asks to wait until
    /// then. Not where SSO said no (429), was at work (500) or took its time.
    pub(super) fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Status { status, retry_after } => {
                let is_passing = matches!(
                    *status,
                    StatusCode::BAD_GATEWAY | StatusCode::SERVICE_UNAVAILABLE | StatusCode::GATEWAY_TIMEOUT
                );
                is_passing.then_some(*retry_after)
            }
            Self::Transport(error) => is_lost(error).then_some(Duration::ZERO),
            _ => None,
        }
    }

    /// The class, as clients and metrics know it. A set that keeps changing counts as a bad payload: SSO is there and
    /// answers, only this account's list cannot be had, which must not shut SSO for others.
    pub(super) fn class(&self) -> SourceFailure {
        match self {
            Self::OutOfTime => SourceFailure::Timeout,
            Self::Transport(error) if error.is_timeout() => SourceFailure::Timeout,
            Self::Transport(_) => SourceFailure::ConnectFailed,
            Self::Status { .. } => SourceFailure::BadStatus,
            Self::TooLarge
            | Self::Encoded
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
            Self::Status { status, .. } => Self::is_trouble(*status),
            Self::TooLarge
            | Self::Encoded
            | Self::Unreadable(_)
            | Self::Repeated
            | Self::Foreign
            | Self::OtherConnection
            | Self::Cursor
            | Self::Unsettled => false,
        }
    }

    /// Details for the log: the place of the JSON error, or the reason of the failed connection. The JSON reader's own
    /// text is left out, since it quotes SSO's body.
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

/// Whether there was no connection, or it ended before the answer's head was there. One that cannot speak TLS, or speaks
/// no HTTP, will not in a moment either.
fn is_lost(error: &reqwest::Error) -> bool {
    if error.is_timeout() || !(error.is_connect() || error.is_request()) {
        return false;
    }
    for cause in causes(error) {
        if let Some(io) = cause.downcast_ref::<io::Error>() {
            use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionRefused, ConnectionReset, NotConnected};
            return matches!(
                io.kind(),
                BrokenPipe | ConnectionAborted | ConnectionRefused | ConnectionReset | NotConnected
            );
        }
        if cause.downcast_ref::<hyper::Error>().is_some_and(hyper::Error::is_incomplete_message) {
            return true;
        }
    }
    false
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
    match transport_failure(error) {
        Some(words) => format!("{stage}: {words}"),
        None => stage.to_owned(),
    }
}

//! What SSO says about one account, or why it said nothing.

use std::collections::HashMap;
use std::sync::Arc;

use super::connection::RelationshipType;
use super::id::{InvitationId, ObjectId, SsoConnectionId, SsoId};
use super::timestamp::Timestamp;

/// A NetworkConnection as one of its two accounts sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SsoConnection {
    /// Its id at SSO.
    pub id: SsoConnectionId,
    /// The invitation that led to it.
    pub invitation_id: Option<InvitationId>,
    /// The partner's role.
    pub relationship_type: RelationshipType,
    /// The partner's id at SSO.
    pub partner_sso_id: SsoId,
    /// The partner's name at SSO.
    pub partner_name: Box<str>,
    /// What this account may do.
    pub permissions: Arc<[Box<str>]>,
    /// Who made it, as SSO tells.
    pub created_by: Option<Box<str>>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

impl SsoConnection {
    /// Its place in the list: `created_at`, then the id at SSO.
    #[must_use]
    pub fn list_order(&self) -> (Timestamp, SsoConnectionId) {
        (self.created_at, self.id)
    }
}

/// Everything SSO lists for one account, whole, at one time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SsoSnapshot {
    /// An instant that the answer is not older than.
    pub as_of: Timestamp,
    /// Shared, so that confirming an unchanged set copies nothing.
    set: Arc<ConnectionSet>,
}

#[derive(Debug, PartialEq, Eq)]
struct ConnectionSet {
    /// In list order: `created_at`, then `id`.
    connections: Vec<SsoConnection>,
    /// Where each connection stands.
    positions: HashMap<SsoConnectionId, usize>,
}

impl SsoSnapshot {
    /// Puts the connections into list order.
    #[must_use]
    pub fn new(as_of: Timestamp, mut connections: Vec<SsoConnection>) -> Self {
        connections.sort_unstable_by_key(SsoConnection::list_order);
        let positions =
            connections.iter().enumerate().map(|(position, connection)| (connection.id, position)).collect();
        Self { as_of, set: Arc::new(ConnectionSet { connections, positions }) }
    }

    /// The same connections, confirmed at a later time.
    #[must_use]
    pub fn confirmed(&self, as_of: Timestamp) -> Self {
        Self { as_of, set: Arc::clone(&self.set) }
    }

    /// Where a connection stands in [`Self::connections`].
    #[must_use]
    pub fn position(&self, id: SsoConnectionId) -> Option<usize> {
        self.set.positions.get(&id).copied()
    }

    /// By its id, else by its invitation's (of several: the first in list order).
    #[must_use]
    pub fn find(&self, id: ObjectId) -> Option<&SsoConnection> {
        let by_invitation =
            || self.connections().iter().position(|connection| connection.invitation_id == Some(id.into()));
        self.position(id.into()).or_else(by_invitation).map(|position| &self.connections()[position])
    }

    /// In list order: `created_at`, then `id`.
    #[must_use]
    pub fn connections(&self) -> &[SsoConnection] {
        &self.set.connections
    }
}

/// Why SSO could not be consulted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SourceFailure {
    /// No answer within the budget.
    Timeout,
    /// Refused, reset, cut short, TLS trouble.
    ConnectFailed,
    /// A status or a redirect that the protocol does not know.
    BadStatus,
    /// Something in the body was off.
    BadPayload,
    /// Too many failures in a row: not even tried.
    CircuitOpen,
}

impl SourceFailure {
    /// The word for logs and metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Timeout => "timeout",
            Self::ConnectFailed => "connect_failed",
            Self::BadStatus => "bad_status",
            Self::BadPayload => "bad_payload",
            Self::CircuitOpen => "circuit_open",
        }
    }
}

/// SSO's side of a reconciled list. Being down is a value here, not an error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SsoView {
    /// SSO answered, perhaps a moment ago.
    Answered(Arc<SsoSnapshot>),
    /// SSO was asked and could not tell.
    Unavailable(SourceFailure),
    /// Nobody asked, since nothing that was wanted needs it.
    Skipped,
}

impl SsoView {
    /// What SSO answered, if it did.
    #[must_use]
    pub fn snapshot(&self) -> Option<&SsoSnapshot> {
        match self {
            Self::Answered(snapshot) => Some(snapshot),
            Self::Unavailable(_) | Self::Skipped => None,
        }
    }

    /// Whether SSO could tell, if it was asked.
    #[must_use]
    pub fn outcome(&self) -> Option<Result<(), SourceFailure>> {
        match self {
            Self::Answered(_) => Some(Ok(())),
            Self::Unavailable(failure) => Some(Err(*failure)),
            Self::Skipped => None,
        }
    }

    /// Why SSO could not tell, if it was asked in vain.
    #[must_use]
    pub fn failure(&self) -> Option<SourceFailure> {
        match self {
            Self::Unavailable(failure) => Some(*failure),
            Self::Answered(_) | Self::Skipped => None,
        }
    }
}

//! A connection's local row, and the closed sets of words that speak of connections.

use super::id::{AccountId, ConnectionId, InvitationId, SsoConnectionId, SsoId};
use super::stored::StoredObject;
use super::timestamp::Timestamp;

/// The partner's role as the caller sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RelationshipType {
    /// The partner sells, the caller buys.
    Seller,
    /// The partner buys, the caller sells.
    Buyer,
}

impl RelationshipType {
    /// All there are.
    pub const ALL: [Self; 2] = [Self::Seller, Self::Buyer];

    /// The word of the tables and of REST, if it is one.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        match word {
            "seller" => Some(Self::Seller),
            "buyer" => Some(Self::Buyer),
            _ => None,
        }
    }

    /// The word of the tables and of REST.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Seller => "seller",
            Self::Buyer => "buyer",
        }
    }
}

/// Whether LC has its row yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ConnectionStatus {
    /// A local row exists.
    Completed,
    /// In SSO, no local row.
    SsoOnly,
}

impl ConnectionStatus {
    /// All there are.
    pub const ALL: [Self; 2] = [Self::Completed, Self::SsoOnly];

    /// REST's word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::SsoOnly => "sso_only",
        }
    }
}

/// How the local row and SSO agree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Drift {
    /// Both have it, and agree.
    InSync,
    /// In SSO, no row.
    MissingLocally,
    /// A row that a healthy SSO does not list.
    MissingInSso,
    /// Both have it, and disagree on a shared fact.
    FieldMismatch,
    /// SSO was not consulted.
    Unknown,
}

/// Whether a source has a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Presence {
    /// It has.
    Present,
    /// It was asked and has not.
    Absent,
    /// It was not consulted.
    Unknown,
}

/// One row of `account_connections`.
///
/// The fields are for the store, which decodes rows into them; everyone else reads through the accessors, so that the
/// inside can change at one place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalConnection {
    pub(crate) id: ConnectionId,
    pub(crate) sso_connection_id: SsoConnectionId,
    pub(crate) invitation_id: Option<InvitationId>,
    pub(crate) relationship_type: RelationshipType,
    pub(crate) partner_id: Option<AccountId>,
    pub(crate) partner_sso_id: SsoId,
    pub(crate) partner_name: Box<str>,
    pub(crate) created_by: Option<Box<str>>,
    pub(crate) ui_state: Option<StoredObject>,
    pub(crate) created_at: Timestamp,
    pub(crate) updated_at: Timestamp,
}

impl LocalConnection {
    /// The row's id.
    #[must_use]
    pub fn id(&self) -> ConnectionId {
        self.id
    }

    /// `external_id`: the connection's id at SSO.
    #[must_use]
    pub fn sso_connection_id(&self) -> SsoConnectionId {
        self.sso_connection_id
    }

    /// The invitation that led to it.
    #[must_use]
    pub fn invitation_id(&self) -> Option<InvitationId> {
        self.invitation_id
    }

    /// The partner's role.
    #[must_use]
    pub fn relationship_type(&self) -> RelationshipType {
        self.relationship_type
    }

    /// The partner's LC account, as stored; `None` while it had none when the row was written.
    #[must_use]
    pub fn partner_id(&self) -> Option<AccountId> {
        self.partner_id
    }

    /// The partner's id at SSO, as stored.
    #[must_use]
    pub fn partner_sso_id(&self) -> SsoId {
        self.partner_sso_id
    }

    /// The row's copy of the partner's name.
    #[must_use]
    pub fn partner_name(&self) -> &str {
        &self.partner_name
    }

    /// Who made the connection. `None` also when it was not wanted and so not read.
    #[must_use]
    pub fn created_by(&self) -> Option<&str> {
        self.created_by.as_deref()
    }

    /// The frontend's notes. `None` when they were not wanted and so not read.
    #[must_use]
    pub fn ui_state(&self) -> Option<&StoredObject> {
        self.ui_state.as_ref()
    }

    /// When the connection was made.
    #[must_use]
    pub fn created_at(&self) -> Timestamp {
        self.created_at
    }

    /// Its place in the list.
    #[must_use]
    pub fn list_order(&self) -> (Timestamp, SsoConnectionId) {
        (self.created_at, self.sso_connection_id)
    }

    /// When it last changed.
    #[must_use]
    pub fn updated_at(&self) -> Timestamp {
        self.updated_at
    }
}

//! The schema's enums. Each stands for one of the domain's closed sets.

use async_graphql::Enum;

use crate::domain;

/// What a read does about SSO.
#[derive(Debug, Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "crate::service::Consistency")]
pub enum ReadConsistency {
    /// SSO down: local rows, degraded.
    FailOpen,
    /// SSO down: the error SSO_UNAVAILABLE.
    RequireSso,
    /// SSO is not called; fastest; not degraded.
    LocalOnly,
}

/// By what a list of partnerships is ordered. Equal ones stand in the order of CREATED_AT.
#[derive(Debug, Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "domain::selection::OrderField")]
pub enum PartnershipOrderField {
    /// When the connection was made, then its id at SSO.
    CreatedAt,
    /// When the connection last changed.
    UpdatedAt,
    /// The partner's name, lower-cased.
    PartnerName,
}

/// Which way a list is ordered. DESC is the exact reverse of ASC.
#[derive(Debug, Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "domain::selection::Direction")]
pub enum OrderDirection {
    /// Least first.
    #[graphql(name = "ASC")]
    Ascending,
    /// Greatest first.
    #[graphql(name = "DESC")]
    Descending,
}

/// How exact a total is.
#[derive(Debug, Enum, Clone, Copy, PartialEq, Eq)]
pub enum CountPrecision {
    /// Local rows and SSO's were counted.
    Exact,
    /// SSO was not consulted: local rows only.
    LocalOnly,
}

/// Where data comes from.
#[derive(Debug, Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "domain::repair::DataSource")]
pub enum DataSource {
    /// LC's own tables.
    Local,
    /// The SSO service.
    Sso,
}

/// Whether a source took part in an answer.
#[derive(Debug, Enum, Clone, Copy, PartialEq, Eq)]
pub enum SourceState {
    /// It answered.
    Ok,
    /// It was asked and could not tell.
    Unavailable,
    /// It was not asked.
    Skipped,
}

/// Why a source could not tell.
#[derive(Debug, Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "domain::sso_view::SourceFailure")]
pub enum SourceFailure {
    /// No answer in time.
    Timeout,
    /// Refused, reset or cut short.
    ConnectFailed,
    /// An unexpected status or a redirect.
    BadStatus,
    /// Something in the body was off.
    BadPayload,
    /// Too many failures in a row: it is left alone for a while.
    CircuitOpen,
}

/// Whether LC has its row of a connection.
#[derive(Debug, Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "domain::connection::ConnectionStatus")]
pub enum PartnershipStatus {
    /// A local row exists.
    Completed,
    /// In SSO, no local row.
    SsoOnly,
}

/// The partner's role as the caller sees it.
#[derive(Debug, Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "domain::connection::RelationshipType")]
pub enum RelationshipType {
    /// The partner sells leads to the caller.
    Seller,
    /// The partner buys leads from the caller.
    Buyer,
}

/// Whether a source has a connection.
#[derive(Debug, Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "domain::connection::Presence")]
pub enum Presence {
    /// It has it.
    Present,
    /// It was asked and has it not.
    Absent,
    /// It was not consulted.
    Unknown,
}

/// How the local row and SSO agree.
#[derive(Debug, Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "domain::connection::Drift")]
pub enum DriftKind {
    /// Both have it and agree.
    InSync,
    /// In SSO, no row.
    MissingLocally,
    /// A row that a healthy SSO does not list: perhaps revoked.
    MissingInSso,
    /// Row and SSO disagree on a shared fact.
    FieldMismatch,
    /// SSO was not consulted.
    Unknown,
}

/// Which relationship types the caller has with an entity's partner.
#[derive(Debug, Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "domain::account_entity::EntityConnected")]
pub enum EntityConnected {
    /// The partner sells to the caller.
    Seller,
    /// The partner buys from the caller.
    Buyer,
    /// Both.
    Both,
}

/// What an entity is as a source of leads.
#[derive(Debug, Enum, Clone, Copy, PartialEq, Eq)]
pub enum EntitySource {
    /// A web form.
    Form,
    /// A lead seller.
    Seller,
    /// Anything else.
    Other,
}

impl EntitySource {
    /// `None` for a stored word that the set does not have.
    #[must_use]
    pub fn known(source: &domain::account_entity::EntitySource) -> Option<Self> {
        use domain::account_entity::EntitySource as Stored;
        match source {
            Stored::Form => Some(Self::Form),
            Stored::Seller => Some(Self::Seller),
            Stored::Other => Some(Self::Other),
            Stored::Unknown(_) => None,
        }
    }
}

/// What an entity is as a recipient of leads.
#[derive(Debug, Enum, Clone, Copy, PartialEq, Eq)]
pub enum EntityRecipient {
    /// A lead buyer.
    Buyer,
    /// A customer relationship system.
    Crm,
    /// An analytics service.
    Analytics,
    /// A service that enhances leads.
    Enhancement,
    /// An e-mail service provider.
    Esp,
    /// Anything else.
    Other,
}

impl EntityRecipient {
    /// `None` for a stored word that the set does not have.
    #[must_use]
    pub fn known(recipient: &domain::account_entity::EntityRecipient) -> Option<Self> {
        use domain::account_entity::EntityRecipient as Stored;
        match recipient {
            Stored::Buyer => Some(Self::Buyer),
            Stored::Crm => Some(Self::Crm),
            Stored::Analytics => Some(Self::Analytics),
            Stored::Enhancement => Some(Self::Enhancement),
            Stored::Esp => Some(Self::Esp),
            Stored::Other => Some(Self::Other),
            Stored::Unknown(_) => None,
        }
    }
}

/// What came of a repair.
#[derive(Debug, Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "domain::repair::RepairOutcome")]
pub enum RepairOutcome {
    /// The row was inserted.
    Created,
    /// A dry run: the row would have been inserted.
    WouldCreate,
}

/// Why a repair was refused.
#[derive(Debug, Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "domain::repair::RepairRefusal")]
pub enum RepairErrorCode {
    /// REST 409: the row is there.
    AlreadyExists,
    /// REST 422, also when it is another account's.
    SsoConnectionNotFound,
    /// REST 503; repair fails closed.
    SsoUnavailable,
    /// accountId names no account.
    AccountNotFound,
}

/// By which door a repair came.
#[derive(Debug, Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "domain::repair::RepairVia")]
pub enum RepairTrigger {
    /// The mutation repairConnection.
    Graphql,
    /// POST /connections.
    Rest,
    /// The command line.
    Cli,
}

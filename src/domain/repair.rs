//! The plan of a repair: the one row that makes a connection of SSO known to LC, and the trail that every attempt leaves.

use serde::Serialize;
use serde_json::value::RawValue;

use super::caller::Account;
use super::connection::RelationshipType;
use super::id::{AccountId, ConnectionId, InvitationId, KeyId, RepairId, SsoConnectionId, SsoId};
use super::json_text;
use super::raw_json::RawJson;
use super::sso_view::SsoConnection;
use super::stored::Stored;
use super::timestamp::Timestamp;

/// The row of `account_connections` that a repair inserts. Its `ui_state` is `{}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewConnection {
    /// A fresh id.
    pub id: ConnectionId,
    /// The tenant.
    pub account_id: AccountId,
    /// The connection's id at SSO.
    pub sso_connection_id: SsoConnectionId,
    /// From SSO.
    pub invitation_id: Option<InvitationId>,
    /// The partner's role.
    pub relationship_type: RelationshipType,
    /// The partner's LC account, if it has one.
    pub partner_id: Option<AccountId>,
    /// From SSO.
    pub partner_sso_id: SsoId,
    /// From SSO.
    pub partner_name: Box<str>,
    /// From SSO.
    pub created_by: Option<Box<str>>,
    /// From SSO.
    pub created_at: Timestamp,
    /// From SSO.
    pub updated_at: Timestamp,
}

/// Where a value comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum DataSource {
    /// LC's own tables.
    Local,
    /// The SSO service.
    Sso,
}

/// A column that a repair writes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FieldChange {
    /// The column's name.
    pub path: Box<str>,
    /// What stood there: nothing, since a repair only inserts.
    pub before: RawJson,
    /// What is written.
    pub after: RawJson,
    /// Where that comes from.
    pub from: DataSource,
}

impl FieldChange {
    /// A stored one. `None`: it has no path or no known source, without which there is nothing to show.
    fn from_stored(stored: &RawValue) -> Option<Self> {
        let [path, before, after, from] = json_text::members(stored, ["path", "before", "after", "from"])?;
        let json = |member: Option<&RawValue>| member.map(RawJson::from).unwrap_or_default();
        let from = match &*json_text::lossy_text(from?)? {
            "LOCAL" => DataSource::Local,
            "SSO" => DataSource::Sso,
            _ => return None,
        };
        Some(Self { path: json_text::lossy_text(path?)?, before: json(before), after: json(after), from })
    }
}

/// The columns that a repair wrote, as its record stores them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StoredChanges {
    /// Those that can be shown.
    pub changes: Vec<FieldChange>,
    /// Elements that are no change; 1 for what is no array.
    unknown: usize,
}

impl StoredChanges {
    /// Never fails: odd elements are left out.
    #[must_use]
    pub fn from_stored(raw: &RawJson) -> Self {
        let Some(elements) = json_text::elements(raw.as_raw_value()) else {
            return Self { changes: Vec::new(), unknown: 1 };
        };
        let changes: Vec<_> = elements.iter().copied().filter_map(FieldChange::from_stored).collect();
        let unknown = elements.len() - changes.len();
        Self { changes, unknown }
    }
}

impl Stored for StoredChanges {
    fn unknown(&self) -> usize {
        self.unknown
    }
}

/// The tables that a repair leaves alone.
pub const UNTOUCHED_TABLES: [&str; 4] = ["account_entities", "accounts", "api_keys", "custom_entities"];

/// The row that makes `listed` known to `tenant`.
#[must_use]
pub fn plan(id: ConnectionId, tenant: &Account, listed: &SsoConnection, partner: Option<AccountId>) -> NewConnection {
    NewConnection {
        id,
        account_id: tenant.id,
        sso_connection_id: listed.id,
        invitation_id: listed.invitation_id,
        relationship_type: listed.relationship_type,
        partner_id: partner,
        partner_sso_id: listed.partner_sso_id,
        partner_name: storable(&listed.partner_name),
        created_by: listed.created_by.as_deref().map(storable),
        created_at: listed.created_at,
        updated_at: listed.updated_at,
    }
}

/// Without NUL characters: JSON may hold them, PostgreSQL's texts cannot.
#[must_use]
pub fn storable(text: &str) -> Box<str> {
    text.replace('\0', "").into()
}

/// The longest reason, in characters.
pub const LONGEST_REASON: usize = 1_000;

/// A reason is longer than [`LONGEST_REASON`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a reason has at most {LONGEST_REASON} characters")]
pub struct ReasonTooLong;

/// Why a repair is made, as the trail keeps it.
///
/// # Errors
/// [`ReasonTooLong`].
pub fn reason(text: &str) -> Result<Box<str>, ReasonTooLong> {
    if text.chars().count() > LONGEST_REASON { Err(ReasonTooLong) } else { Ok(storable(text)) }
}

impl NewConnection {
    /// What inserting this row changes: each column but the `id`, which is not known before.
    #[must_use]
    pub fn changes(&self) -> Vec<FieldChange> {
        let Self {
            id: _,
            account_id,
            sso_connection_id,
            invitation_id,
            relationship_type,
            partner_id,
            partner_sso_id,
            partner_name,
            created_by,
            created_at,
            updated_at,
        } = self;
        let change = |path: &str, after: RawJson, from| FieldChange {
            path: path.into(),
            before: RawJson::default(),
            after,
            from,
        };
        vec![
            change("account_id", RawJson::from_value(account_id), DataSource::Local),
            change("external_id", RawJson::from_value(sso_connection_id), DataSource::Sso),
            change("invitation_id", RawJson::from_value(invitation_id), DataSource::Sso),
            change("relationship_type", RawJson::from_value(&relationship_type.as_str()), DataSource::Sso),
            change("connected_account_id", RawJson::from_value(partner_id), DataSource::Local),
            change("connected_account_sso_id", RawJson::from_value(partner_sso_id), DataSource::Sso),
            change("connected_account_name", RawJson::from_value(partner_name), DataSource::Sso),
            change("created_by", RawJson::from_value(created_by), DataSource::Sso),
            change("ui_state", RawJson::empty_object(), DataSource::Local),
            change("created_at", RawJson::from_value(created_at), DataSource::Sso),
            change("updated_at", RawJson::from_value(updated_at), DataSource::Sso),
        ]
    }
}

/// What came of a repair.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RepairOutcome {
    /// The row was inserted.
    Created,
    /// A dry run: the row would have been inserted.
    WouldCreate,
}

/// Why a repair was refused. Expected, and told to the client as data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RepairRefusal {
    /// The row is there.
    AlreadyExists,
    /// SSO does not know it, or the tenant takes no part in it.
    SsoConnectionNotFound,
    /// SSO could not be asked; nothing was written.
    SsoUnavailable,
    /// The tenant's id names no account.
    AccountNotFound,
}

impl RepairRefusal {
    /// Whether waiting helps.
    #[must_use]
    pub const fn is_retryable(self) -> bool {
        matches!(self, Self::SsoUnavailable)
    }

    /// What was wrong, and what to do: the same words at every door.
    #[must_use]
    pub const fn explanation(self) -> &'static str {
        match self {
            Self::AlreadyExists => "the account has this connection already; there is nothing to repair",
            Self::SsoConnectionNotFound => "SSO does not list this connection for the account; check the id",
            Self::SsoUnavailable => "SSO is unavailable, so nothing was written; try again later",
            Self::AccountNotFound => "no account has this id; check it",
        }
    }
}

/// By which door a repair came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RepairVia {
    /// The mutation.
    Graphql,
    /// `POST /connections`.
    Rest,
    /// The command line.
    Cli,
}

macro_rules! words {
    ($name:ident { $($variant:ident = $word:literal),+ $(,)? }) => {
        impl $name {
            /// The word as the trail stores it.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }

            /// The stored word, if it is one.
            #[must_use]
            pub fn parse(word: &str) -> Option<Self> {
                match word { $($word => Some(Self::$variant),)+ _ => None }
            }
        }
    };
}

words! { RepairOutcome { Created = "CREATED", WouldCreate = "WOULD_CREATE" } }
words! { RepairRefusal {
    AlreadyExists = "ALREADY_EXISTS", SsoConnectionNotFound = "SSO_CONNECTION_NOT_FOUND",
    SsoUnavailable = "SSO_UNAVAILABLE", AccountNotFound = "ACCOUNT_NOT_FOUND",
} }
words! { RepairVia { Graphql = "graphql", Rest = "rest", Cli = "cli" } }

/// One attempt at a repair, as the trail (`repair_records`) keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RepairRecord {
    /// Its id.
    pub id: RepairId,
    /// The tenant, or what the client named as the tenant.
    pub account_id: AccountId,
    /// The connection at SSO.
    pub sso_connection_id: SsoConnectionId,
    /// Who tried.
    pub actor: Box<str>,
    /// With which key; `None` from the command line.
    pub api_key_id: Option<KeyId>,
    /// By which door.
    pub via: RepairVia,
    /// Why, in the actor's words.
    pub reason: Option<Box<str>>,
    /// The request that it came with.
    pub request_id: Box<str>,
    /// `Ok`: created. `Err`: why not. `None`: what is stored is not known to this program.
    pub result: Option<Result<(), RepairRefusal>>,
    /// What was written; empty when nothing was.
    pub changes: Vec<FieldChange>,
    /// When.
    pub created_at: Timestamp,
}

/// A place in a trail, which is ordered by time, the newest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TrailPosition {
    /// The entry's time.
    pub created_at: Timestamp,
    /// The entry's id: of one instant, the greater first.
    pub id: RepairId,
}

/// How long a connection's trail is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TrailLength {
    /// All entries.
    pub total: i64,
    /// Those up to and including the place behind which a page begins.
    pub skipped: i64,
}

impl RepairRecord {
    /// The outcome, if it succeeded.
    #[must_use]
    pub fn outcome(&self) -> Option<RepairOutcome> {
        matches!(self.result, Some(Ok(()))).then_some(RepairOutcome::Created)
    }

    /// Why not, if it was refused.
    #[must_use]
    pub fn refusal(&self) -> Option<RepairRefusal> {
        self.result?.err()
    }

    /// Where it stands in its connection's trail.
    #[must_use]
    pub fn position(&self) -> TrailPosition {
        TrailPosition { created_at: self.created_at, id: self.id }
    }
}

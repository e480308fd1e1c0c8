//! The legacy wire shapes, key for key: the list's entry and the by-id answer are two structs.
//!
//! Every key is always present; null where there is no value.

use serde::{Serialize, Serializer};

use crate::domain::account_entity::{CustomEntity, EntityConnected, EntityRecipient, EntitySource};
use crate::domain::answer::{Connection, EntityCard};
use crate::domain::connection::{ConnectionStatus, RelationshipType};
use crate::domain::directory::{Partner, Unread};
use crate::domain::id::{AccountId, CustomEntityId, EntityId, InvitationId, ObjectId, SsoConnectionId, SsoId};
use crate::domain::raw_json::RawJson;
use crate::domain::stored::{StoredId, StoredList, StoredUrl};
use crate::domain::timestamp::Timestamp;

macro_rules! serialize_as_word {
    ($($name:ty),+) => {$(
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }
    )+};
}

serialize_as_word!(RelationshipType, ConnectionStatus, EntityConnected, EntitySource, EntityRecipient);

/// An entry of `GET /connections`.
#[derive(Debug, Serialize)]
pub struct ListedConnection<'a> {
    id: ObjectId,
    status: ConnectionStatus,
    relationship_type: RelationshipType,
    invitation_id: Option<InvitationId>,
    created_at: Timestamp,
    updated_at: Timestamp,
    created_by: Option<&'a str>,
    ui_state: &'a RawJson,
    permissions: &'a [Box<str>],
    connected_account: ConnectedAccount<'a>,
    account_entity: Option<ListedEntity<'a>>,
    custom_entities: Vec<ListedCustomEntity<'a>>,
}

/// All or nothing: these clients know no partial answer.
impl<'a> TryFrom<&'a Connection> for ListedConnection<'a> {
    type Error = Unread;

    fn try_from(connection: &'a Connection) -> Result<Self, Unread> {
        let merged = connection.merged();
        Ok(Self {
            id: merged.connection_id(),
            status: merged.status(),
            relationship_type: merged.relationship_type(),
            invitation_id: merged.invitation_id(),
            created_at: merged.created_at(),
            updated_at: merged.updated_at(),
            created_by: merged.created_by(),
            ui_state: merged.ui_state().raw(),
            // Unknown permissions fail closed here.
            permissions: merged.permissions().unwrap_or_default(),
            connected_account: connection.partner().into(),
            account_entity: connection.entity()?.map(ListedEntity::try_from).transpose()?,
            custom_entities: connection.custom_entities().iter().map(ListedCustomEntity::from).collect(),
        })
    }
}

/// The answer of `GET /connections/{id}`.
#[derive(Debug, Serialize)]
pub struct SingleConnection<'a> {
    id: ObjectId,
    connected_account: ConnectedAccount<'a>,
    external_id: SsoConnectionId,
    invitation_id: Option<InvitationId>,
    relationship_type: RelationshipType,
    created_at: Timestamp,
    updated_at: Timestamp,
    created_by: Option<&'a str>,
    ui_state: &'a RawJson,
}

impl<'a> From<&'a Connection> for SingleConnection<'a> {
    fn from(connection: &'a Connection) -> Self {
        let merged = connection.merged();
        Self {
            id: merged.connection_id(),
            connected_account: connection.partner().into(),
            external_id: merged.sso_connection_id(),
            invitation_id: merged.invitation_id(),
            relationship_type: merged.relationship_type(),
            created_at: merged.created_at(),
            updated_at: merged.updated_at(),
            created_by: merged.created_by(),
            ui_state: merged.ui_state().raw(),
        }
    }
}

#[derive(Debug, Serialize)]
struct ConnectedAccount<'a> {
    id: Option<AccountId>,
    sso_id: SsoId,
    name: &'a str,
}

impl<'a> From<Partner<'a>> for ConnectedAccount<'a> {
    fn from(Partner { id, sso_id, name }: Partner<'a>) -> Self {
        Self { id, sso_id, name }
    }
}

#[derive(Debug, Serialize)]
struct ListedEntity<'a> {
    id: EntityId,
    name: &'a str,
    description: Option<&'a str>,
    standard: Option<bool>,
    account: Option<bool>,
    pending: Option<bool>,
    connected: Option<EntityConnected>,
    connected_account_id: Option<AccountId>,
    deprecated: Option<bool>,
    see: Option<&'a str>,
    field_suffix: Option<&'a str>,
    invitation_id: Option<InvitationId>,
    invitation_expires_at: Option<Timestamp>,
    expired: Option<bool>,
    flow_ids: Option<&'a RawJson>,
    logo_url: Option<&'a str>,
    module_ids: &'a RawJson,
    source: Option<&'a EntitySource>,
    recipient: Option<&'a EntityRecipient>,
    time_zone: Option<&'a str>,
    trustedform_certified_vendor: Option<bool>,
    website: Option<&'a str>,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl<'a> TryFrom<EntityCard<'a>> for ListedEntity<'a> {
    type Error = Unread;

    fn try_from(EntityCard { entity, connected, expired }: EntityCard<'a>) -> Result<Self, Unread> {
        Ok(Self {
            id: entity.id(),
            name: entity.name(),
            description: entity.description(),
            standard: entity.standard(),
            account: entity.account(),
            pending: entity.pending(),
            connected: connected?,
            connected_account_id: entity.connected_account_id(),
            deprecated: entity.deprecated(),
            see: entity.see().map(StoredId::as_str),
            field_suffix: entity.field_suffix(),
            invitation_id: entity.invitation_id(),
            invitation_expires_at: entity.invitation_expires_at(),
            expired,
            flow_ids: entity.flow_ids().map(StoredList::raw),
            logo_url: entity.logo_url().map(StoredUrl::as_str),
            module_ids: entity.module_ids().raw(),
            source: entity.source(),
            recipient: entity.recipient(),
            time_zone: entity.time_zone(),
            trustedform_certified_vendor: entity.trustedform_certified_vendor(),
            website: entity.website().map(StoredUrl::as_str),
            created_at: entity.created_at(),
            updated_at: entity.updated_at(),
        })
    }
}

#[derive(Debug, Serialize)]
struct ListedCustomEntity<'a> {
    id: CustomEntityId,
    name: &'a str,
    source: Option<&'a EntitySource>,
    recipient: Option<&'a EntityRecipient>,
}

impl<'a> From<&'a CustomEntity> for ListedCustomEntity<'a> {
    fn from(custom_entity: &'a CustomEntity) -> Self {
        Self {
            id: custom_entity.id(),
            name: custom_entity.name(),
            source: custom_entity.source(),
            recipient: custom_entity.recipient(),
        }
    }
}

/// The older published shape of the list, by `?envelope=true`.
#[derive(Debug, Serialize)]
pub struct Envelope<'a> {
    /// SSO could not be consulted.
    pub degraded: bool,
    /// The entries.
    pub connections: Vec<ListedConnection<'a>>,
}

/// The answer of a repair.
#[derive(Debug, Serialize)]
pub struct Created {
    /// The new row's id.
    pub id: ObjectId,
}

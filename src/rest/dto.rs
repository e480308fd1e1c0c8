//! The legacy wire shapes, key for key: the list's entry and the by-id answer are two structs.
//!
//! Every key is always present; null where there is no value. The comments are the descriptions in `openapi.json`.

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::account_entity::{CustomEntity, EntityConnected, EntityRecipient, EntitySource};
use crate::domain::answer::{Connection, EntityCard};
use crate::domain::connection::{ConnectionStatus, RelationshipType};
use crate::domain::directory::{Partner, Unread};
use crate::domain::id::{AccountId, CustomEntityId, EntityId, InvitationId, ObjectId, SsoConnectionId, SsoId};
use crate::domain::raw_json::RawJson;
use crate::domain::stored::{StoredId, StoredList, StoredUrl};
use crate::domain::timestamp::Timestamp;

/// The answer of `GET /connections`. `openapi.json` describes the entries alone: a client that is generated from two
/// shapes of one answer reads neither.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum List<'a> {
    /// The entries alone.
    Bare(Vec<ListedConnection<'a>>),
    /// With `envelope=true`.
    Enveloped(Envelope<'a>),
}

/// The older published shape of the list, by `envelope=true`.
#[derive(Debug, Serialize)]
pub struct Envelope<'a> {
    /// Whether SSO could not be consulted, so that there are LeadConduit's own rows only.
    pub degraded: bool,
    /// The entries.
    pub connections: Vec<ListedConnection<'a>>,
}

/// An entry of the list.
#[derive(Debug, Serialize, ToSchema)]
pub struct ListedConnection<'a> {
    /// The id of LeadConduit's row; of an `sso_only` entry the connection's id in SSO, which is what a repair takes.
    #[schema(value_type = String, pattern = "^[0-9a-f]{24}$")]
    id: ObjectId,
    /// Whether LeadConduit has its row.
    status: ConnectionStatus,
    /// The partner's role as the caller sees it.
    relationship_type: RelationshipType,
    /// The invitation that led to the connection; null if none did.
    #[schema(value_type = Option<String>, pattern = "^[0-9a-f]{24}$", required)]
    invitation_id: Option<InvitationId>,
    /// When the connection was made. The list is in this order.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// When it last changed.
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
    /// Who made it, as SSO tells; null if that is not known.
    #[schema(required)]
    created_by: Option<&'a str>,
    /// The frontend's own notes, as stored: an object with keys like `has_setup_buyer_delivery`, `{}` where there are
    /// none and for `sso_only`; or any JSON value that another program has stored in its place.
    #[schema(value_type = Value)]
    ui_state: &'a RawJson,
    /// What SSO grants the caller; empty also when SSO could not be consulted.
    #[schema(value_type = Vec<String>)]
    permissions: &'a [Box<str>],
    /// The partner.
    connected_account: ConnectedAccount<'a>,
    /// The partner's business card in the caller's LeadConduit; null if there is none.
    #[schema(required)]
    account_entity: Option<ListedEntity<'a>>,
    /// The cards that the caller made itself for this partner.
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

/// One connection, by any of its ids.
#[derive(Debug, Serialize, ToSchema)]
pub struct SingleConnection<'a> {
    /// The id of LeadConduit's row.
    #[schema(value_type = String, pattern = "^[0-9a-f]{24}$")]
    id: ObjectId,
    /// The partner.
    connected_account: ConnectedAccount<'a>,
    /// The connection's id in SSO.
    #[schema(value_type = String, pattern = "^[0-9a-f]{24}$")]
    external_id: SsoConnectionId,
    /// The invitation that led to the connection; null if none did.
    #[schema(value_type = Option<String>, pattern = "^[0-9a-f]{24}$", required)]
    invitation_id: Option<InvitationId>,
    /// The partner's role as the caller sees it.
    relationship_type: RelationshipType,
    /// When the connection was made.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// When it last changed.
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
    /// Who made it; null if that is not known.
    #[schema(required)]
    created_by: Option<&'a str>,
    /// The frontend's own notes, as stored: an object with keys like `has_setup_buyer_delivery`, `{}` where there are
    /// none; or any JSON value that another program has stored in its place.
    #[schema(value_type = Value)]
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

/// The partner of a connection.
#[derive(Debug, Serialize, ToSchema)]
struct ConnectedAccount<'a> {
    /// Its account in LeadConduit; null while it has none.
    #[schema(value_type = Option<String>, pattern = "^[0-9a-f]{24}$", required)]
    id: Option<AccountId>,
    /// Its account in SSO, valid across products.
    #[schema(value_type = String, pattern = "^[0-9a-f]{24}$")]
    sso_id: SsoId,
    /// Its name.
    name: &'a str,
}

impl<'a> From<Partner<'a>> for ConnectedAccount<'a> {
    fn from(Partner { id, sso_id, name }: Partner<'a>) -> Self {
        Self { id, sso_id, name }
    }
}

/// The business card of a partner in the caller's LeadConduit. What may be null is so where nothing is stored.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AccountEntity)]
struct ListedEntity<'a> {
    /// Unique within the caller's account.
    #[schema(value_type = String, pattern = "^[0-9a-f]{24}$")]
    id: EntityId,
    /// What it is called.
    name: &'a str,
    /// What it is; null if nobody said.
    #[schema(required)]
    description: Option<&'a str>,
    /// Whether LeadConduit ships it; null if that is not stored.
    #[schema(required)]
    standard: Option<bool>,
    /// Whether it stands for an account; null if that is not stored.
    #[schema(required)]
    account: Option<bool>,
    /// Whether its invitation waits for an answer; null if that is not stored.
    #[schema(required)]
    pending: Option<bool>,
    /// Which relationship types the caller has with the partner; null if none.
    #[schema(required)]
    connected: Option<EntityConnected>,
    /// The partner's account in LeadConduit; null while it has none.
    #[schema(value_type = Option<String>, pattern = "^[0-9a-f]{24}$", required)]
    connected_account_id: Option<AccountId>,
    /// Whether it should no longer be used; null if that is not stored.
    #[schema(required)]
    deprecated: Option<bool>,
    /// The id of the entity to use instead, as stored, which need not be an id; null if there is none.
    #[schema(required)]
    see: Option<&'a str>,
    /// What its fields' names end with; null if nothing.
    #[schema(required)]
    field_suffix: Option<&'a str>,
    /// Its invitation; null if there is none.
    #[schema(value_type = Option<String>, pattern = "^[0-9a-f]{24}$", required)]
    invitation_id: Option<InvitationId>,
    /// When that ends; null if it does not.
    #[schema(value_type = Option<String>, format = DateTime, required)]
    invitation_expires_at: Option<Timestamp>,
    /// Whether it has ended; null if it has no end.
    #[schema(required)]
    expired: Option<bool>,
    /// The ids of the flows that use it, as stored: an array of texts, or any JSON value that another program has
    /// stored in its place; null if nothing is stored.
    #[schema(value_type = Option<Value>, required)]
    flow_ids: Option<&'a RawJson>,
    /// The address of its logo, as stored, which need not be a URL; null if it has none.
    #[schema(required)]
    logo_url: Option<&'a str>,
    /// The integrations that belong to it, as stored: an array of texts, or any JSON value that another program has
    /// stored in its place.
    #[schema(value_type = Value)]
    module_ids: &'a RawJson,
    /// The entity's kind as a source of leads; null if it is not a source.
    #[schema(required)]
    source: Option<&'a EntitySource>,
    /// The entity's kind as a recipient of leads; null if it is not a recipient.
    #[schema(required)]
    recipient: Option<&'a EntityRecipient>,
    /// Its time zone, a free text; null if nobody said.
    #[schema(required)]
    time_zone: Option<&'a str>,
    /// Whether it is a certified vendor of TrustedForm; null if that is not stored.
    #[schema(required)]
    trustedform_certified_vendor: Option<bool>,
    /// The address of its website, as stored, which need not be a URL; null if it has none.
    #[schema(required)]
    website: Option<&'a str>,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// When it last changed.
    #[schema(value_type = String, format = DateTime)]
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

/// A card that the caller made itself and tied to the partner.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CustomEntity)]
struct ListedCustomEntity<'a> {
    /// Its id.
    #[schema(value_type = String, pattern = "^[0-9a-f]{24}$")]
    id: CustomEntityId,
    /// What it is called.
    name: &'a str,
    /// The entity's kind as a source of leads; null if it is not a source.
    #[schema(required)]
    source: Option<&'a EntitySource>,
    /// The entity's kind as a recipient of leads; null if it is not a recipient.
    #[schema(required)]
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

/// What a repair asks for. For `openapi.json` alone: the handler reads the body by hand, so that each fault has a text of
/// its own.
#[derive(Debug, ToSchema)]
#[schema(as = RepairRequest, description = "What a repair asks for.")]
pub struct Repair {
    /// The connection's id in SSO, in either case: the `id` of an `sso_only` entry of the list.
    #[schema(pattern = "^[0-9a-fA-F]{24}$")]
    pub connection_id: String,
}

/// The answer of a repair.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RepairedConnection)]
pub struct Created {
    /// The new row's id.
    #[schema(value_type = String, pattern = "^[0-9a-f]{24}$")]
    pub id: ObjectId,
}

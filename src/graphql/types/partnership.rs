//! One reconciled connection.

#![expect(missing_docs, reason = "the library's derive writes methods without them")]

use async_graphql::{Context, ID, Interface, Object, SimpleObject};

use crate::api_error::ApiError;
use crate::domain::answer::Connection;
use crate::domain::directory::Partner;
use crate::domain::stored::StoredObject;
use crate::graphql::error::nullable;
use crate::graphql::global_id::GlobalId;

use super::account::Account;
use super::entity::{AccountEntity, CustomEntity};
use super::enums::{DriftKind, PartnershipStatus, Presence, RelationshipType};
use super::inputs::NeverNull;
use super::repair::RepairRecord;
use super::scalars::{DateTime, Json, ObjectId};
use super::trail::{RepairRecordConnection, trail};

/// Something with a global id.
#[derive(Interface)]
#[graphql(field(
    name = "id",
    ty = "ID",
    desc = "Opaque; stable for life: the same before and after an SSO_ONLY connection is repaired."
))]
pub enum Node {
    /// An LC account.
    Account(Account),
    /// A reconciled connection.
    Partnership(Partnership),
    /// An attempt at a repair.
    RepairRecord(RepairRecord),
}

/// What the product calls a Connection. Relay reserves type names that end in `Connection`, hence this name; fields
/// keep the product's word.
pub struct Partnership(pub Connection);

/// What the product calls a Connection. Relay reserves type names that end in `Connection`, hence this name; fields
/// keep the product's word.
#[Object]
impl Partnership {
    /// Opaque; stable for life: the same before and after an SSO_ONLY connection is repaired.
    pub async fn id(&self) -> ID {
        GlobalId::Partnership(self.0.owner(), self.0.merged().sso_connection_id()).into()
    }

    /// The REST `id`: the row's id, or the SSO id while SSO_ONLY.
    async fn connection_id(&self) -> ObjectId {
        ObjectId(self.0.merged().connection_id())
    }

    /// The account_connections row; null while SSO_ONLY.
    async fn local_id(&self) -> Option<ObjectId> {
        self.0.merged().local_id().map(Into::into)
    }

    /// REST `external_id`.
    async fn sso_connection_id(&self) -> ObjectId {
        self.0.merged().sso_connection_id().into()
    }

    /// The invitation that led to it. null: none is known.
    async fn invitation_id(&self) -> Option<ObjectId> {
        self.0.merged().invitation_id().map(Into::into)
    }

    /// Whether LC has its row.
    async fn status(&self) -> PartnershipStatus {
        self.0.merged().status().into()
    }

    /// The partner's role as the caller sees it.
    async fn relationship_type(&self) -> RelationshipType {
        self.0.merged().relationship_type().into()
    }

    /// The partner.
    async fn connected_account(&self) -> ConnectedAccount {
        self.0.partner().into()
    }

    /// The partner's business card. null: there is none.
    async fn account_entity(&self, context: &Context<'_>) -> Option<AccountEntity> {
        nullable(context, self.0.entity().map_err(ApiError::from)).map(Into::into)
    }

    /// Cards that the caller made itself and tied to this partner, the oldest first.
    async fn custom_entities(&self) -> Vec<CustomEntity> {
        self.0.custom_entities().iter().cloned().map(CustomEntity).collect()
    }

    /// What the caller may do; an open set. Known: request_domain_ownership_confirmation, view_submission_docs.
    /// null: SSO was not consulted, so unknown.
    async fn permissions(&self) -> Option<Vec<&str>> {
        self.0.merged().permissions().map(|granted| granted.iter().map(|one| &**one).collect())
    }

    /// The frontend's notes on this connection.
    async fn ui_state(&self) -> UiState<'_> {
        UiState(self.0.merged().ui_state())
    }

    /// When the connection was made.
    async fn created_at(&self) -> DateTime {
        DateTime(self.0.merged().created_at())
    }

    /// When it last changed.
    async fn updated_at(&self) -> DateTime {
        DateTime(self.0.merged().updated_at())
    }

    /// Who made it. null: not known.
    async fn created_by(&self) -> Option<&str> {
        self.0.merged().created_by()
    }

    /// Which source has it.
    async fn provenance(&self) -> Provenance {
        let merged = self.0.merged();
        Provenance {
            local: merged.local_presence().into(),
            sso: merged.sso_presence().into(),
            sso_as_of: merged.sso_as_of().map(DateTime),
        }
    }

    /// How the two sources agree on it.
    async fn drift(&self) -> DriftKind {
        self.0.merged().drift().into()
    }

    /// Superusers: the trail of repair attempts, the newest first. Others: null with the error code SUPERUSER_REQUIRED.
    async fn repairs(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The first so many; 0 to MAX_PAGE_SIZE.", default_with = "NeverNull::new(10)")]
        first: NeverNull<i32>,
        #[graphql(desc = "Only what stands behind this cursor. null: from the start.")] after: Option<String>,
    ) -> Option<RepairRecordConnection> {
        let id = (self.0.owner(), self.0.merged().sso_connection_id());
        let trail = async { trail(context, id, first.get("first")?, after.as_deref()).await };
        nullable(context, trail.await.map(Some))
    }
}

/// The partner of a connection.
#[derive(Debug, SimpleObject)]
pub struct ConnectedAccount {
    /// Its LC account. null while the partner has no LC account.
    id: Option<ObjectId>,
    /// Its id at SSO.
    sso_id: ObjectId,
    /// Its name.
    name: String,
}

impl From<Partner<'_>> for ConnectedAccount {
    fn from(Partner { id, sso_id, name }: Partner<'_>) -> Self {
        Self { id: id.map(Into::into), sso_id: sso_id.into(), name: name.to_owned() }
    }
}

/// Which source has a connection.
#[derive(Debug, SimpleObject)]
pub struct Provenance {
    /// Whether LC has a row.
    local: Presence,
    /// Whether SSO lists it. UNKNOWN when SSO was not consulted.
    sso: Presence,
    /// An instant that SSO's word is not older than. null when SSO was not consulted.
    sso_as_of: Option<DateTime>,
}

/// The frontend's notes on a connection.
pub struct UiState<'a>(&'a StoredObject);

/// The frontend's notes on a connection.
#[Object]
impl UiState<'_> {
    /// The buyer has set up its delivery. null: not noted.
    async fn has_setup_buyer_delivery(&self) -> Option<bool> {
        self.0.flag("has_setup_buyer_delivery")
    }

    /// All notes, as stored; `{}` where what is stored is no object.
    async fn raw(&self) -> Json {
        Json::from(self.0.known().unwrap_or(StoredObject::empty().raw()))
    }
}

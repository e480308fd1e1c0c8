//! The partner's business cards.

use std::sync::Arc;

use async_graphql::{Context, Object};

use crate::api_error::ApiError;
use crate::domain::account_entity as domain;
use crate::domain::answer::EntityCard;
use crate::domain::directory::Unread;
use crate::domain::stored::StoredId;
use crate::graphql::error::nullable;

use super::enums::{EntityConnected, EntityRecipient, EntitySource};
use super::scalars::{DateTime, ObjectId, Url};

/// The business card of the partner account in the caller's LC.
pub struct AccountEntity {
    entity: Arc<domain::AccountEntity>,
    connected: Result<Option<domain::EntityConnected>, Unread>,
    expired: Option<bool>,
}

impl From<EntityCard<'_>> for AccountEntity {
    fn from(EntityCard { entity, connected, expired }: EntityCard<'_>) -> Self {
        Self { entity: Arc::clone(entity), connected, expired }
    }
}

/// The business card of the partner account in the caller's LC.
#[Object]
impl AccountEntity {
    /// Unique within the caller's account.
    async fn id(&self) -> ObjectId {
        self.entity.id().into()
    }

    /// The partner's name on the card.
    async fn name(&self) -> &str {
        self.entity.name()
    }

    /// Free text. null: none was written.
    async fn description(&self) -> Option<&str> {
        self.entity.description()
    }

    /// A standard entity, offered to all accounts. null: not said.
    async fn standard(&self) -> Option<bool> {
        self.entity.standard()
    }

    /// Stands for an LC account. null: not said.
    async fn account(&self) -> Option<bool> {
        self.entity.account()
    }

    /// Its invitation is not accepted yet. null: not said.
    async fn pending(&self) -> Option<bool> {
        self.entity.pending()
    }

    /// Which relationship types the caller has with this partner. null: none.
    async fn connected(&self, context: &Context<'_>) -> Option<EntityConnected> {
        nullable(context, self.connected.map_err(ApiError::from)).map(Into::into)
    }

    /// The partner's LC account. null: the card is of no account.
    async fn connected_account_id(&self) -> Option<ObjectId> {
        self.entity.connected_account_id().map(Into::into)
    }

    /// No longer to be used; `see` may name its successor. null: not said.
    async fn deprecated(&self) -> Option<bool> {
        self.entity.deprecated()
    }

    /// The entity to use instead. null: none is named.
    async fn see(&self) -> Option<ObjectId> {
        self.entity.see().and_then(StoredId::known).map(ObjectId)
    }

    /// What the names of its fields end in. null: nothing.
    async fn field_suffix(&self) -> Option<&str> {
        self.entity.field_suffix()
    }

    /// The invitation that it waits for. null: none.
    async fn invitation_id(&self) -> Option<ObjectId> {
        self.entity.invitation_id().map(Into::into)
    }

    /// When that invitation ends. null: never, or there is none.
    async fn invitation_expires_at(&self) -> Option<DateTime> {
        self.entity.invitation_expires_at().map(DateTime)
    }

    /// Whether that invitation has run out. null: there is no expiry.
    async fn expired(&self) -> Option<bool> {
        self.expired
    }

    /// Flows that use it. null: not an account entity.
    async fn flow_ids(&self) -> Option<Vec<ObjectId>> {
        let known = self.entity.flow_ids()?.known()?;
        Some(known.iter().copied().map(ObjectId).collect())
    }

    /// Its picture. null: none, or a stored text that is no URL.
    async fn logo_url(&self) -> Option<Url> {
        self.entity.logo_url().and_then(Url::known)
    }

    /// Its integrations.
    async fn module_ids(&self) -> Vec<&str> {
        self.entity.module_ids().known().unwrap_or_default().iter().map(AsRef::as_ref).collect()
    }

    /// What it is as a source of leads. null: no source, or a word that this schema does not know.
    async fn source(&self) -> Option<EntitySource> {
        self.entity.source().and_then(EntitySource::known)
    }

    /// What it is as a recipient of leads. null: no recipient, or a word that this schema does not know.
    async fn recipient(&self) -> Option<EntityRecipient> {
        self.entity.recipient().and_then(EntityRecipient::known)
    }

    /// Free text, not always IANA. null: not said.
    async fn time_zone(&self) -> Option<&str> {
        self.entity.time_zone()
    }

    /// Certified by TrustedForm. null: not said.
    async fn trustedform_certified_vendor(&self) -> Option<bool> {
        self.entity.trustedform_certified_vendor()
    }

    /// Its web site. null: none, or a stored text that is no URL.
    async fn website(&self) -> Option<Url> {
        self.entity.website().and_then(Url::known)
    }

    /// When the card was made.
    async fn created_at(&self) -> DateTime {
        DateTime(self.entity.created_at())
    }

    /// When the card last changed.
    async fn updated_at(&self) -> DateTime {
        DateTime(self.entity.updated_at())
    }
}

/// A card that the caller made itself and tied to the partner.
pub struct CustomEntity(pub domain::CustomEntity);

/// A card that the caller made itself and tied to the partner.
#[Object]
impl CustomEntity {
    /// Its id.
    async fn id(&self) -> ObjectId {
        self.0.id().into()
    }

    /// The name that the caller gave it.
    async fn name(&self) -> &str {
        self.0.name()
    }

    /// What it is as a source of leads. null: no source, or a word that this schema does not know.
    async fn source(&self) -> Option<EntitySource> {
        self.0.source().and_then(EntitySource::known)
    }

    /// What it is as a recipient of leads. null: no recipient, or a word that this schema does not know.
    async fn recipient(&self) -> Option<EntityRecipient> {
        self.0.recipient().and_then(EntityRecipient::known)
    }
}

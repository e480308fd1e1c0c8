//! Bulk inserts for the demo: what other LC programs write in production.

use entity::{account_connection, account_entity, custom_entity};
use sea_orm::{EntityTrait, Set};
use serde_json::json;

use crate::domain::account_entity::{AccountEntity, CustomEntity};
use crate::domain::id::AccountId;
use crate::domain::repair::NewConnection;

use super::repairs::row_of;
use super::statement::{built, stored};
use super::{Result, Store};

impl Store {
    /// Adds rows of `account_connections`.
    ///
    /// # Errors
    /// The database's; then none was added.
    pub async fn insert_connections(&self, rows: &[NewConnection]) -> Result<()> {
        let insert = account_connection::Entity::insert_many(rows.iter().map(row_of));
        self.write(&[built(&insert, self.backend())]).await?;
        Ok(())
    }

    /// Adds an owner's account entities.
    ///
    /// # Errors
    /// The database's; then none was added.
    pub async fn insert_account_entities(&self, owner: AccountId, entities: &[AccountEntity]) -> Result<()> {
        let text = |text: &Option<Box<str>>| Set(text.as_deref().map(str::to_owned));
        let row = |entity: &AccountEntity| account_entity::ActiveModel {
            account_id: Set(owner.to_string()),
            id: Set(entity.id.to_string()),
            connected_account_id: Set(entity.connected_account_id.map(|id| id.to_string())),
            name: Set(entity.name.to_string()),
            description: text(&entity.description),
            standard: Set(entity.standard),
            account: Set(entity.account),
            pending: Set(entity.pending),
            deprecated: Set(entity.deprecated),
            see: Set(entity.see().map(|see| see.as_str().to_owned())),
            field_suffix: text(&entity.field_suffix),
            invitation_id: Set(entity.invitation_id.map(|id| id.to_string())),
            invitation_expires_at: Set(entity.invitation_expires_at.map(stored)),
            flow_ids: Set(entity.flow_ids().map(|ids| json!(ids.known()))),
            logo_url: Set(entity.logo_url().map(|url| url.as_str().to_owned())),
            module_ids: Set(json!(entity.module_ids().known())),
            source: Set(entity.source.as_ref().map(|source| source.as_str().to_owned())),
            recipient: Set(entity.recipient.as_ref().map(|recipient| recipient.as_str().to_owned())),
            time_zone: text(&entity.time_zone),
            trustedform_certified_vendor: Set(entity.trustedform_certified_vendor),
            website: Set(entity.website().map(|url| url.as_str().to_owned())),
            created_at: Set(stored(entity.created_at)),
            updated_at: Set(stored(entity.updated_at)),
        };
        let insert = account_entity::Entity::insert_many(entities.iter().map(row));
        self.write(&[built(&insert, self.backend())]).await?;
        Ok(())
    }

    /// Adds an owner's custom entities, each with its partner.
    ///
    /// # Errors
    /// The database's; then none was added.
    pub async fn insert_custom_entities(
        &self,
        owner: AccountId,
        custom_entities: &[(AccountId, CustomEntity)],
    ) -> Result<()> {
        let row = |(partner, entity): &(AccountId, CustomEntity)| custom_entity::ActiveModel {
            id: Set(entity.id.to_string()),
            account_id: Set(owner.to_string()),
            connected_account_id: Set(partner.to_string()),
            name: Set(entity.name.to_string()),
            source: Set(entity.source.as_ref().map(|source| source.as_str().to_owned())),
            recipient: Set(entity.recipient.as_ref().map(|recipient| recipient.as_str().to_owned())),
            created_at: Set(stored(entity.created_at)),
            updated_at: Set(stored(entity.created_at)),
        };
        let insert = custom_entity::Entity::insert_many(custom_entities.iter().map(row));
        self.write(&[built(&insert, self.backend())]).await?;
        Ok(())
    }
}

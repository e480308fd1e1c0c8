//! Owners' cards for their partners.

use sea_orm::QueryResult;

use crate::domain::account_entity::{AccountEntity, CustomEntity, EntityRecipient, EntitySource};
use crate::domain::id::AccountId;
use crate::domain::stored::{StoredId, StoredList, StoredUrl};

use super::decode::Columns;
use super::statement::{any_pair_of, is_any_pair};
use super::{Result, Store};

impl Store {
    /// Owners' account entities for their partners, each with its owner, in one statement and in no order.
    ///
    /// # Errors
    /// The database's.
    pub async fn account_entities(
        &self,
        partners: &[(AccountId, AccountId)],
    ) -> Result<Vec<(AccountId, AccountEntity)>> {
        let backend = self.backend();
        let sql = format!(
            "SELECT account_id, id, connected_account_id, name, description, standard, account, pending, deprecated, see, field_suffix, \
             invitation_id, invitation_expires_at, CAST(flow_ids AS text), logo_url, CAST(module_ids AS text), source, \
             recipient, time_zone, trustedform_certified_vendor, website, created_at, updated_at \
             FROM account_entities WHERE {}",
            is_any_pair(backend, partners, "connected_account_id", 1)
        );
        let rows = self.read(&sql, any_pair_of(backend, partners)).await?;
        let mut entities = Vec::with_capacity(rows.len());
        for row in &rows {
            entities.extend(self.decode_entity(row));
        }
        Ok(entities)
    }

    fn decode_entity(&self, row: &QueryResult) -> Option<(AccountId, AccountEntity)> {
        let mut columns = Columns::new(row, self.backend());
        let owner = columns.id("account_entities.account_id");
        let id = columns.id("account_entities.id");
        let entity = AccountEntity {
            id: id?,
            connected_account_id: columns.maybe_id("account_entities.connected_account_id"),
            name: columns.text("account_entities.name"),
            description: columns.maybe_text("account_entities.description"),
            standard: columns.maybe_bool("account_entities.standard"),
            account: columns.maybe_bool("account_entities.account"),
            pending: columns.maybe_bool("account_entities.pending"),
            deprecated: columns.maybe_bool("account_entities.deprecated"),
            see: columns.stored_text("account_entities.see", StoredId::from_stored),
            field_suffix: columns.maybe_text("account_entities.field_suffix"),
            invitation_id: columns.maybe_id("account_entities.invitation_id"),
            invitation_expires_at: columns.maybe_time("account_entities.invitation_expires_at"),
            flow_ids: columns.stored_json("account_entities.flow_ids", StoredList::of_ids),
            logo_url: columns.stored_text("account_entities.logo_url", StoredUrl::from_stored),
            module_ids: columns
                .required_json("account_entities.module_ids", StoredList::of_texts)
                .unwrap_or_else(StoredList::empty),
            source: columns.stored_text("account_entities.source", EntitySource::from_stored),
            recipient: columns.stored_text("account_entities.recipient", EntityRecipient::from_stored),
            time_zone: columns.maybe_text("account_entities.time_zone"),
            trustedform_certified_vendor: columns.maybe_bool("account_entities.trustedform_certified_vendor"),
            website: columns.stored_text("account_entities.website", StoredUrl::from_stored),
            created_at: columns.time("account_entities.created_at"),
            updated_at: columns.time("account_entities.updated_at"),
        };
        Some((owner?, entity))
    }

    /// Owners' custom entities for their partners, each with its owner and its partner, in one statement and in no order.
    ///
    /// # Errors
    /// The database's.
    pub async fn custom_entities(
        &self,
        partners: &[(AccountId, AccountId)],
    ) -> Result<Vec<(AccountId, AccountId, CustomEntity)>> {
        let backend = self.backend();
        let sql = format!(
            "SELECT account_id, connected_account_id, id, name, source, recipient, created_at \
             FROM custom_entities WHERE {}",
            is_any_pair(backend, partners, "connected_account_id", 1)
        );
        let rows = self.read(&sql, any_pair_of(backend, partners)).await?;
        let mut custom_entities = Vec::with_capacity(rows.len());
        for row in &rows {
            let mut columns = Columns::new(row, backend);
            let owner = columns.id("custom_entities.account_id");
            let partner = columns.id("custom_entities.connected_account_id");
            let id = columns.id("custom_entities.id");
            let name = columns.text("custom_entities.name");
            let source = columns.stored_text("custom_entities.source", EntitySource::from_stored);
            let recipient = columns.stored_text("custom_entities.recipient", EntityRecipient::from_stored);
            let created_at = columns.time("custom_entities.created_at");
            if let (Some(owner), Some(partner), Some(id)) = (owner, partner, id) {
                custom_entities.push((owner, partner, CustomEntity { id, name, source, recipient, created_at }));
            }
        }
        Ok(custom_entities)
    }
}

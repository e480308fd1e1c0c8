//! Owners' cards for their partners.

use sea_orm::{DbErr, QueryResult};

use crate::domain::account_entity::{AccountEntity, CustomEntity, EntityRecipient, EntitySource};
use crate::domain::id::AccountId;
use crate::domain::raw_json::RawJson;

use crate::telemetry::stored_values::count_unknown;

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
            entities.extend(self.decode_entity(row)?);
        }
        Ok(entities)
    }

    fn decode_entity(&self, row: &QueryResult) -> std::result::Result<Option<(AccountId, AccountEntity)>, DbErr> {
        let mut columns = Columns::new(row, self.backend());
        let owner = columns.id("account_entities.account_id")?;
        let Some((owner, id)) = owner.zip(columns.id("account_entities.id")?) else { return Ok(None) };
        let entity = AccountEntity {
            id,
            connected_account_id: columns.maybe_id("account_entities.connected_account_id")?,
            name: columns.text()?,
            description: columns.maybe_text()?,
            standard: columns.get()?,
            account: columns.get()?,
            pending: columns.get()?,
            deprecated: columns.get()?,
            see: columns.maybe_text()?,
            field_suffix: columns.maybe_text()?,
            invitation_id: columns.maybe_id("account_entities.invitation_id")?,
            invitation_expires_at: columns.maybe_time("account_entities.invitation_expires_at")?,
            flow_ids: columns.maybe_json("account_entities.flow_ids")?,
            logo_url: columns.maybe_text()?,
            module_ids: columns.maybe_json("account_entities.module_ids")?.unwrap_or_else(RawJson::empty_array),
            source: source(&mut columns, "account_entities.source")?,
            recipient: recipient(&mut columns, "account_entities.recipient")?,
            time_zone: columns.maybe_text()?,
            trustedform_certified_vendor: columns.get()?,
            website: columns.maybe_text()?,
            created_at: columns.time("account_entities.created_at")?,
            updated_at: columns.time("account_entities.updated_at")?,
        };
        Ok(Some((owner, entity)))
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
            let owner = columns.id("custom_entities.account_id")?;
            let partner = columns.id("custom_entities.connected_account_id")?;
            let id = columns.id("custom_entities.id")?;
            let name = columns.text()?;
            let source = source(&mut columns, "custom_entities.source")?;
            let recipient = recipient(&mut columns, "custom_entities.recipient")?;
            let created_at = columns.time("custom_entities.created_at")?;
            if let (Some(owner), Some(partner), Some(id)) = (owner, partner, id) {
                custom_entities.push((owner, partner, CustomEntity { id, name, source, recipient, created_at }));
            }
        }
        Ok(custom_entities)
    }
}

fn source(columns: &mut Columns<'_>, field: &'static str) -> std::result::Result<Option<EntitySource>, DbErr> {
    let source = columns.maybe_text()?.map(|word| EntitySource::from_stored(&word));
    if source.as_ref().is_some_and(|source| !source.is_known()) {
        count_unknown(field, 1);
    }
    Ok(source)
}

fn recipient(columns: &mut Columns<'_>, field: &'static str) -> std::result::Result<Option<EntityRecipient>, DbErr> {
    let recipient = columns.maybe_text()?.map(|word| EntityRecipient::from_stored(&word));
    if recipient.as_ref().is_some_and(|recipient| !recipient.is_known()) {
        count_unknown(field, 1);
    }
    Ok(recipient)
}

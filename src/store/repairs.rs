//! What a repair writes: the one row, and the trail.

use entity::{account_connection, repair_record};
use sea_orm::sea_query::OnConflict;
use sea_orm::{EntityTrait, Set};

use crate::domain::repair::{NewConnection, RepairRecord};

use super::statement::{built, stored};
use super::{Result, Store};

/// What came of inserting a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Inserted {
    /// It is there now.
    Created,
    /// Another was faster; nothing was written.
    AlreadyExists,
}

impl Store {
    /// Inserts the row and its record in one transaction, or nothing. The unique key is the referee.
    ///
    /// # Errors
    /// The database's; then nothing was written, unless the answer to the commit was lost.
    pub async fn insert_repair(&self, row: &NewConnection, record: &RepairRecord) -> Result<Inserted> {
        let insert_row = account_connection::Entity::insert(row_of(row)).on_conflict(
            OnConflict::columns([account_connection::Column::AccountId, account_connection::Column::ExternalId])
                .do_nothing()
                .to_owned(),
        );
        let insert_record = repair_record::Entity::insert(record_of(record));
        let inserted = self.write(&[built(&insert_row, self.backend()), built(&insert_record, self.backend())]).await?;
        Ok(if inserted == 0 { Inserted::AlreadyExists } else { Inserted::Created })
    }

    /// Leaves the trail of a refused attempt.
    ///
    /// # Errors
    /// The database's.
    pub async fn insert_record(&self, record: &RepairRecord) -> Result<()> {
        let insert = repair_record::Entity::insert(record_of(record));
        self.write(&[built(&insert, self.backend())]).await?;
        Ok(())
    }
}

pub(super) fn row_of(row: &NewConnection) -> account_connection::ActiveModel {
    let NewConnection {
        id,
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
    } = row;
    account_connection::ActiveModel {
        id: Set(id.to_string()),
        account_id: Set(account_id.to_string()),
        external_id: Set(sso_connection_id.to_string()),
        invitation_id: Set(invitation_id.map(|id| id.to_string())),
        relationship_type: Set(relationship_type.as_str().to_owned()),
        connected_account_id: Set(partner_id.map(|id| id.to_string())),
        connected_account_sso_id: Set(partner_sso_id.to_string()),
        connected_account_name: Set(partner_name.to_string()),
        created_by: Set(created_by.as_deref().map(str::to_owned)),
        ui_state: Set(serde_json::json!({})),
        created_at: Set(stored(*created_at)),
        updated_at: Set(stored(*updated_at)),
    }
}

fn record_of(record: &RepairRecord) -> repair_record::ActiveModel {
    let RepairRecord {
        id,
        account_id,
        sso_connection_id,
        actor,
        api_key_id,
        via,
        reason,
        request_id,
        result: _, // By its two accessors.
        changes,
        created_at,
    } = record;
    repair_record::ActiveModel {
        id: Set(id.to_string()),
        account_id: Set(account_id.to_string()),
        external_id: Set(sso_connection_id.to_string()),
        actor: Set(actor.to_string()),
        api_key_id: Set(api_key_id.map(|id| id.to_string())),
        via: Set(via.as_str().to_owned()),
        reason: Set(reason.as_deref().map(str::to_owned)),
        request_id: Set(request_id.to_string()),
        outcome: Set(record.outcome().map(|outcome| outcome.as_str().to_owned())),
        error_code: Set(record.refusal().map(|refusal| refusal.as_str().to_owned())),
        // A list of texts and JSON values always makes JSON.
        changes: Set(serde_json::to_value(changes).unwrap_or_default()),
        created_at: Set(stored(*created_at)),
    }
}

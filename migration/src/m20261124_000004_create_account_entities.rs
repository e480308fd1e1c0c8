//! Creates `account_entities`.

use sea_orm_migration::prelude::*;

use crate::dialect;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        dialect::run(manager, CREATE).await
    }
}

const CREATE: &str = "CREATE TABLE account_entities (
    account_id {id} NOT NULL REFERENCES accounts (id),
    id {id} NOT NULL,
    connected_account_id {id} REFERENCES accounts (id),
    name text NOT NULL,
    description text,
    standard {bool},
    account {bool},
    pending {bool},
    deprecated {bool},
    see {id},
    field_suffix text,
    invitation_id {id},
    invitation_expires_at {time},
    flow_ids {json},
    logo_url text,
    module_ids {json} NOT NULL DEFAULT '[]',
    source text,
    recipient text,
    time_zone text,
    trustedform_certified_vendor {bool},
    website text,
    created_at {time} NOT NULL,
    updated_at {time} NOT NULL,
    PRIMARY KEY (account_id, id)
);
CREATE INDEX account_entities_by_partner ON account_entities (account_id, connected_account_id);
CREATE INDEX account_entities_by_partner_account ON account_entities (connected_account_id);";

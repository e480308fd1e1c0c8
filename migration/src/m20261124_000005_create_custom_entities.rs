//! Creates `custom_entities`.

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

const CREATE: &str = "CREATE TABLE custom_entities (
    id {id} NOT NULL PRIMARY KEY,
    account_id {id} NOT NULL REFERENCES accounts (id),
    connected_account_id {id} NOT NULL REFERENCES accounts (id),
    name text NOT NULL,
    source text,
    recipient text,
    created_at {time} NOT NULL,
    updated_at {time} NOT NULL
);
CREATE INDEX custom_entities_by_partner ON custom_entities (account_id, connected_account_id, created_at, id);
CREATE INDEX custom_entities_by_partner_account ON custom_entities (connected_account_id);";

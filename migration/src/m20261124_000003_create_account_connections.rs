//! Creates `account_connections`.

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

const CREATE: &str = "CREATE TABLE account_connections (
    id {id} NOT NULL PRIMARY KEY,
    account_id {id} NOT NULL REFERENCES accounts (id),
    external_id {id} NOT NULL,
    invitation_id {id},
    relationship_type text NOT NULL CHECK (relationship_type IN ('seller', 'buyer')),
    connected_account_id {id} REFERENCES accounts (id),
    connected_account_sso_id {id} NOT NULL,
    connected_account_name text NOT NULL,
    created_by text,
    ui_state {json} NOT NULL DEFAULT '{}',
    created_at {time} NOT NULL,
    updated_at {time} NOT NULL,
    UNIQUE (account_id, external_id)
);
CREATE INDEX account_connections_in_order ON account_connections (account_id, created_at, external_id);
CREATE INDEX account_connections_by_id ON account_connections (account_id, id);
CREATE INDEX account_connections_by_invitation ON account_connections (account_id, invitation_id);
CREATE INDEX account_connections_by_partner ON account_connections (account_id, connected_account_sso_id);
CREATE INDEX account_connections_by_partner_account ON account_connections (connected_account_id);";

//! Creates `api_keys`.

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

const CREATE: &str = "CREATE TABLE api_keys (
    id {id} NOT NULL PRIMARY KEY,
    account_id {id} NOT NULL REFERENCES accounts (id),
    key_hash {bytes} NOT NULL UNIQUE,
    user_email text,
    superuser {bool} NOT NULL DEFAULT FALSE,
    created_at {time} NOT NULL,
    expires_at {time},
    revoked_at {time},
    CHECK (NOT superuser OR user_email IS NOT NULL)
);
CREATE INDEX api_keys_by_account ON api_keys (account_id);";

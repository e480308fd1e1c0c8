//! Creates `accounts`.

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

const CREATE: &str = "CREATE TABLE accounts (
    id {id} NOT NULL PRIMARY KEY,
    sso_id {id} NOT NULL UNIQUE,
    name text NOT NULL,
    created_at {time} NOT NULL,
    updated_at {time} NOT NULL
);";

//! Creates `repair_records`.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

use crate::dialect;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        dialect::run(manager, CREATE).await?;
        dialect::run(manager, append_only(manager.get_database_backend())).await
    }
}

const CREATE: &str = "CREATE TABLE repair_records (
    id {id} NOT NULL PRIMARY KEY,
    account_id {id} NOT NULL,
    external_id {id} NOT NULL,
    actor text NOT NULL,
    api_key_id {id},
    via text NOT NULL CHECK (via IN ('graphql', 'rest', 'cli')),
    reason text,
    request_id text NOT NULL,
    outcome text,
    error_code text,
    changes {json} NOT NULL DEFAULT '[]',
    created_at {time} NOT NULL
);
CREATE INDEX repair_records_by_connection ON repair_records (account_id, external_id, created_at, id);";

/// The trail may grow, and nothing else.
fn append_only(backend: DbBackend) -> &'static str {
    match backend {
        DbBackend::Postgres => {
            "CREATE FUNCTION repair_records_are_append_only() RETURNS trigger LANGUAGE plpgsql AS
             $$ BEGIN RAISE EXCEPTION 'repair_records is append-only'; END $$;
             CREATE TRIGGER repair_records_append_only BEFORE UPDATE OR DELETE ON repair_records
             FOR EACH ROW EXECUTE FUNCTION repair_records_are_append_only();"
        }
        _ => {
            "CREATE TRIGGER repair_records_no_update BEFORE UPDATE ON repair_records
             BEGIN SELECT RAISE(ABORT, 'repair_records is append-only'); END;
             CREATE TRIGGER repair_records_no_delete BEFORE DELETE ON repair_records
             BEGIN SELECT RAISE(ABORT, 'repair_records is append-only'); END;"
        }
    }
}

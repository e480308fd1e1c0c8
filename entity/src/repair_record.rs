//! `repair_records`: the trail of repairs; append-only.

use sea_orm::entity::prelude::*;

/// A row.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "repair_records")]
pub struct Model {
    /// Its id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: String,
    /// The tenant.
    pub account_id: String,
    /// The connection at SSO.
    pub external_id: String,
    /// Who tried.
    pub actor: String,
    /// With which key.
    pub api_key_id: Option<String>,
    /// `graphql`, `rest` or `cli`.
    pub via: String,
    /// Why, in the actor's words.
    pub reason: Option<String>,
    /// The request that it came with.
    pub request_id: String,
    /// `CREATED`, or null when refused.
    pub outcome: Option<String>,
    /// Why it was refused.
    pub error_code: Option<String>,
    /// What was written, an array.
    #[sea_orm(column_type = "JsonBinary")]
    pub changes: Json,
    /// When.
    pub created_at: DateTimeUtc,
}

/// No relations: joins are written where they are read.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

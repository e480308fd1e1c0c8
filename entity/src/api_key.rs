//! `api_keys`: who may call; only digests of keys.

use sea_orm::entity::prelude::*;

/// A row.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "api_keys")]
pub struct Model {
    /// Its id (not the key).
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: String,
    /// The account that owns it.
    pub account_id: String,
    /// SHA-256 of the key; unique.
    pub key_hash: Vec<u8>,
    /// The person behind it.
    pub user_email: Option<String>,
    /// Staff; only with a `user_email`.
    pub superuser: bool,
    /// When it was made.
    pub created_at: DateTimeUtc,
    /// When it ends.
    pub expires_at: Option<DateTimeUtc>,
    /// When it was revoked.
    pub revoked_at: Option<DateTimeUtc>,
}

/// No relations: joins are written where they are read.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

//! `account_entities`: an owner's card for a partner.

use sea_orm::entity::prelude::*;

/// A row.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "account_entities")]
pub struct Model {
    /// The owner.
    #[sea_orm(primary_key, auto_increment = false)]
    pub account_id: String,
    /// Unique within the owner.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: String,
    /// The partner that it describes.
    pub connected_account_id: Option<String>,
    /// The partner's name.
    pub name: String,
    /// Free text.
    pub description: Option<String>,
    /// Offered to all accounts.
    pub standard: Option<bool>,
    /// Stands for an LC account.
    pub account: Option<bool>,
    /// Its invitation is not accepted yet.
    pub pending: Option<bool>,
    /// No longer to be used.
    pub deprecated: Option<bool>,
    /// The entity to use instead.
    pub see: Option<String>,
    /// What its fields' names end in.
    pub field_suffix: Option<String>,
    /// The invitation that it waits for.
    pub invitation_id: Option<String>,
    /// When that ends.
    pub invitation_expires_at: Option<DateTimeUtc>,
    /// Flows that use it, an array.
    #[sea_orm(column_type = "JsonBinary", nullable)]
    pub flow_ids: Option<Json>,
    /// Its picture.
    pub logo_url: Option<String>,
    /// Its integrations, an array.
    #[sea_orm(column_type = "JsonBinary")]
    pub module_ids: Json,
    /// What it is as a source.
    pub source: Option<String>,
    /// What it is as a recipient.
    pub recipient: Option<String>,
    /// Free text.
    pub time_zone: Option<String>,
    /// Certified by `TrustedForm`.
    pub trustedform_certified_vendor: Option<bool>,
    /// Its web site.
    pub website: Option<String>,
    /// When it was made.
    pub created_at: DateTimeUtc,
    /// When it last changed.
    pub updated_at: DateTimeUtc,
}

/// No relations: joins are written where they are read.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

//! `custom_entities`: cards that an owner made itself.

use sea_orm::entity::prelude::*;

/// A row.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "custom_entities")]
pub struct Model {
    /// Its id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: String,
    /// The owner.
    pub account_id: String,
    /// The partner that it is tied to.
    pub connected_account_id: String,
    /// The owner's name for it.
    pub name: String,
    /// What it is as a source.
    pub source: Option<String>,
    /// What it is as a recipient.
    pub recipient: Option<String>,
    /// When it was made.
    pub created_at: DateTimeUtc,
    /// When it last changed.
    pub updated_at: DateTimeUtc,
}

/// No relations: joins are written where they are read.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

//! `account_connections`: LC's own row of a connection, one per side.

use sea_orm::entity::prelude::*;

/// A row.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "account_connections")]
pub struct Model {
    /// Its id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: String,
    /// The owner.
    pub account_id: String,
    /// The NetworkConnection's id at SSO.
    pub external_id: String,
    /// The invitation that led to it.
    pub invitation_id: Option<String>,
    /// `seller` or `buyer`: the partner's role.
    pub relationship_type: String,
    /// The partner's LC account, if it has one.
    pub connected_account_id: Option<String>,
    /// The partner's id at SSO.
    pub connected_account_sso_id: String,
    /// A copy of the partner's name.
    pub connected_account_name: String,
    /// Who made it.
    pub created_by: Option<String>,
    /// The frontend's notes, an object.
    #[sea_orm(column_type = "JsonBinary")]
    pub ui_state: Json,
    /// When the connection was made.
    pub created_at: DateTimeUtc,
    /// When it last changed.
    pub updated_at: DateTimeUtc,
}

/// No relations: joins are written where they are read.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

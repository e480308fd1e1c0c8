//! Accounts, and the caller's own.

use std::sync::Arc;

use async_graphql::{Context, ID, Object};

use crate::api_error::ApiError;
use crate::domain::caller::{self, Caller};
use crate::graphql::global_id::GlobalId;
use crate::graphql::page::PageArguments;

use super::enums::ReadConsistency;
use super::inputs::{NeverNull, PartnershipFilter, PartnershipOrder};
use super::partnership_connection::{PartnershipConnection, list};
use super::scalars::ObjectId;

/// An LC account.
pub struct Account(pub caller::Account);

/// An LC account.
#[Object]
impl Account {
    /// Opaque; stable for life.
    pub async fn id(&self) -> ID {
        GlobalId::Account(self.0.id).into()
    }

    /// Its id in LC.
    async fn account_id(&self) -> ObjectId {
        self.0.id.into()
    }

    /// Its id at SSO, valid across products.
    async fn sso_id(&self) -> ObjectId {
        self.0.sso_id.into()
    }

    /// The company's name.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// Its reconciled list. Default page 50, largest MAX_PAGE_SIZE (100).
    #[expect(clippy::too_many_arguments, reason = "they are the field's arguments")]
    async fn connections(
        &self,
        context: &Context<'_>,
        #[graphql(
            desc = "The first so many; 0 to MAX_PAGE_SIZE. Not together with last. null: 50, unless last is given."
        )]
        first: Option<i32>,
        #[graphql(desc = "Only what stands behind this cursor. null: from the start.")] after: Option<String>,
        #[graphql(
            desc = "The last so many; 0 to MAX_PAGE_SIZE. Not together with first. null: counted from the start."
        )]
        last: Option<i32>,
        #[graphql(desc = "Only what stands before this cursor. null: to the end.")] before: Option<String>,
        #[graphql(desc = "Only partnerships for which all of this is true. null: all.")] filter: Option<
            PartnershipFilter,
        >,
        #[graphql(desc = "In which order.", default_with = "NeverNull::new(PartnershipOrder::default())")]
        order_by: NeverNull<PartnershipOrder>,
        #[graphql(desc = "What to do about SSO.", default_with = "NeverNull::new(ReadConsistency::FailOpen)")]
        consistency: NeverNull<ReadConsistency>,
    ) -> Result<PartnershipConnection, ApiError> {
        let arguments = PageArguments { first, after, last, before };
        list(context, &self.0, arguments, filter, order_by.get("orderBy")?, consistency.get("consistency")?).await
    }
}

/// Who asks.
pub struct Viewer(pub Arc<Caller>);

/// Who asks.
#[Object]
impl Viewer {
    /// The account that owns the key.
    async fn account(&self) -> Account {
        Account(self.0.account.clone())
    }

    /// The person behind the key. null: the key is of no person.
    async fn user_email(&self) -> Option<&str> {
        self.0.user_email.as_deref()
    }

    /// Staff: may repair, and look into other tenants.
    async fn is_superuser(&self) -> bool {
        self.0.superuser().is_some()
    }
}

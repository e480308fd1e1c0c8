//! The root of reading.

use std::sync::Arc;

use async_graphql::{Context, Object};

use crate::api_error::ApiError;

use super::error::nullable;
use super::page::PageArguments;
use super::request_state::RequestState;
use super::selected::wanted_of_partnership;
use super::types::account::Viewer;
use super::types::enums::ReadConsistency;
use super::types::inputs::{PartnershipFilter, PartnershipOrder};
use super::types::partnership::Partnership;
use super::types::partnership_connection::{PartnershipConnection, list};
use super::types::scalars::ObjectId;

/// The root of reading.
pub struct Query;

/// The root of reading.
#[Object]
impl Query {
    /// Who asks.
    #[expect(clippy::unused_async, reason = "the library wants its resolvers async")]
    async fn viewer(&self, context: &Context<'_>) -> Result<Viewer, ApiError> {
        Ok(Viewer(Arc::clone(&RequestState::of(context)?.caller)))
    }

    /// The caller's reconciled list. Default page 50, largest `MAX_PAGE_SIZE` (100).
    #[expect(clippy::too_many_arguments, reason = "they are the field's arguments")]
    async fn connections(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The first so many; 0 to MAX_PAGE_SIZE. Not together with last.")] first: Option<i32>,
        #[graphql(desc = "Only what stands behind this cursor.")] after: Option<String>,
        #[graphql(desc = "The last so many; 0 to MAX_PAGE_SIZE. Not together with first.")] last: Option<i32>,
        #[graphql(desc = "Only what stands before this cursor.")] before: Option<String>,
        #[graphql(desc = "Only partnerships for which all of this is true.")] filter: Option<PartnershipFilter>,
        #[graphql(desc = "In which order.", default)] order_by: PartnershipOrder,
        #[graphql(desc = "What to do about SSO.", default_with = "ReadConsistency::FailOpen")]
        consistency: ReadConsistency,
    ) -> Result<PartnershipConnection, ApiError> {
        let account = &RequestState::of(context)?.caller.account;
        let arguments = PageArguments { first, after, last, before };
        list(context, account, arguments, filter, order_by, consistency).await
    }

    /// By any of its three ids: row id, else SSO connection id, else invitation id. Unknown, or another account's:
    /// null and no error. Also finds `SSO_ONLY` ones.
    async fn connection(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "A row id, an SSO connection id or an invitation id.")] id: ObjectId,
        #[graphql(desc = "What to do about SSO.", default_with = "ReadConsistency::FailOpen")]
        consistency: ReadConsistency,
    ) -> Option<Partnership> {
        let wanted = wanted_of_partnership(&context.look_ahead());
        let found = async {
            let state = RequestState::of(context)?;
            let (account, connections) = (&state.caller.account, &state.app.connections);
            let found = connections.get(account, id.0, wanted, consistency.into(), &state.request_id).await?;
            state.note(&found.sso);
            Ok::<_, ApiError>(found.connection.map(Partnership))
        };
        nullable(context, found.await)
    }
}

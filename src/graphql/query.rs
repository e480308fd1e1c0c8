//! The root of reading.

use std::sync::Arc;

use async_graphql::{Context, ID, Object};
use futures_util::future::join_all;

use crate::api_error::{ApiError, ErrorCode};
use crate::domain::wanted::Wanted;
use crate::front::authentication::require_superuser;

use super::error::{nullable, nullable_item};
use super::global_id::GlobalId;
use super::page::PageArguments;
use super::request_state::RequestState;
use super::selected::wanted_of_partnership;
use super::types::account::{Account, Viewer};
use super::types::enums::ReadConsistency;
use super::types::inputs::{NeverNull, PartnershipFilter, PartnershipOrder};
use super::types::partnership::{Node, Partnership};
use super::types::partnership_connection::{PartnershipConnection, list};
use super::types::repair::RepairRecord;
use super::types::scalars::ObjectId;

/// The root of reading.
pub struct Query;

/// The root of reading.
#[Object]
impl Query {
    /// By its global id. Unknown, another tenant's, or no id at all: null and no error. Superusers open any tenant's.
    async fn node(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "A global id, as the field `id` gives it.")] id: ID,
    ) -> Option<Node> {
        let wanted = wanted_of_partnership(&context.look_ahead());
        nullable(context, node(context, &id, wanted).await)
    }

    /// Several by their global ids, in the order asked for; null for each that is unknown, another tenant's, or no id at
    /// all. At most 100 (`LIMIT_EXCEEDED`).
    async fn nodes(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Global ids, as the field `id` gives them.")] ids: Vec<ID>,
    ) -> Result<Vec<Option<Node>>, ApiError> {
        if ids.len() > MOST_NODES {
            let text = format!("ids holds {} ids; the limit is {MOST_NODES}", ids.len());
            return Err(ApiError::new(ErrorCode::LimitExceeded, text));
        }
        let wanted = wanted_of_partnership(&context.look_ahead());
        let nodes = join_all(ids.iter().map(|id| node(context, id, wanted))).await;
        Ok(nodes.into_iter().enumerate().map(|(index, node)| nullable_item(context, index, node)).collect())
    }

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
        let account = &RequestState::of(context)?.caller.account;
        let arguments = PageArguments { first, after, last, before };
        list(context, account, arguments, filter, order_by.get("orderBy")?, consistency.get("consistency")?).await
    }

    /// By any of its three ids: row id, else SSO connection id, else invitation id. Unknown, or another account's:
    /// null and no error. Also finds `SSO_ONLY` ones.
    async fn connection(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "A row id, an SSO connection id or an invitation id.")] id: ObjectId,
        #[graphql(desc = "What to do about SSO.", default_with = "NeverNull::new(ReadConsistency::FailOpen)")]
        consistency: NeverNull<ReadConsistency>,
    ) -> Option<Partnership> {
        let wanted = wanted_of_partnership(&context.look_ahead());
        let found = async {
            let state = RequestState::of(context)?;
            let (account, connections) = (&state.caller.account, &state.app.connections);
            let consistency = consistency.get("consistency")?.into();
            let found = connections.get(account, id.0, wanted, consistency, &state.batches).await?;
            state.note(&found.sso);
            Ok::<_, ApiError>(found.connection.map(Partnership))
        };
        nullable(context, found.await)
    }

    /// Superusers: one tenant's view; null without an error when there is no such account. Others: null with the error
    /// code `SUPERUSER_REQUIRED`.
    async fn account(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The account's id in LC.")] id: ObjectId,
    ) -> Option<Account> {
        let found = async {
            let state = RequestState::of(context)?;
            require_superuser(&state.caller)?;
            Ok(state.batches.account(id.0.into()).await?.map(Account))
        };
        nullable(context, found.await)
    }
}

/// The most ids that `nodes` takes.
const MOST_NODES: usize = 100;

/// What a global id names, as far as the caller may see it.
async fn node(context: &Context<'_>, id: &str, wanted: Wanted) -> Result<Option<Node>, ApiError> {
    let state = RequestState::of(context)?;
    let Some(named) = GlobalId::parse(id).filter(|named| state.caller.may_see(named.owner())) else { return Ok(None) };
    Ok(match named {
        GlobalId::Account(account) => state.batches.account(account).await?.map(|found| Node::Account(Account(found))),
        GlobalId::Partnership(owner, id) => {
            let looked = state.batches.partnership((owner, id), wanted).await?;
            looked.sso.iter().for_each(|sso| state.note(sso));
            looked.connection.map(|found| Node::Partnership(Partnership(found)))
        }
        GlobalId::RepairRecord(..) if state.caller.superuser().is_none() => None,
        GlobalId::RepairRecord(tenant, id) => {
            state.batches.repair_record(tenant, id).await?.map(|found| Node::RepairRecord(RepairRecord(found)))
        }
    })
}

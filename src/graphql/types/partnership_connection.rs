//! A page of partnerships, and the field that both `Query` and `Account` have for it.

use async_graphql::{Context, Object, SimpleObject};

use crate::api_error::ApiError;
use crate::domain::caller::Account;
use crate::domain::sso_view::SsoView;
use crate::graphql::page::{PageArguments, PageInfo, encode};
use crate::graphql::request_state::RequestState;
use crate::graphql::selected::wanted_of_page;
use crate::service::list::{ConnectionList, ListQuery};

use super::enums::{CountPrecision, DataSource, ReadConsistency, SourceFailure, SourceState};
use super::inputs::{PartnershipFilter, PartnershipOrder};
use super::partnership::Partnership;
use super::scalars::DateTime;

/// A page of an account's reconciled list.
pub struct PartnershipConnection {
    list: ConnectionList,
    shows_reasons: bool,
}

/// Reads a page of an account's list: the resolver of every `connections` field.
///
/// # Errors
/// Arguments that are off, SSO when it was required, the database.
pub async fn list(
    context: &Context<'_>,
    account: &Account,
    arguments: PageArguments,
    filter: Option<PartnershipFilter>,
    order_by: PartnershipOrder,
    consistency: ReadConsistency,
) -> Result<PartnershipConnection, ApiError> {
    let state = RequestState::of(context)?;
    let order = order_by.into();
    let query = ListQuery {
        filter: filter.map(Into::into).unwrap_or_default(),
        order,
        window: arguments.window(order.field, state.app.settings.max_page_size)?,
        wanted: wanted_of_page(&context.look_ahead()),
        consistency: consistency.into(),
    };
    let list = state.app.connections.list(account, &query, &state.batches).await?;
    state.note(list.sso());
    Ok(PartnershipConnection { list, shows_reasons: state.caller.superuser().is_some() })
}

/// A page of an account's reconciled list.
#[Object]
impl PartnershipConnection {
    /// The page's partnerships, each with its cursor.
    async fn edges(&self) -> Vec<PartnershipEdge> {
        let edge =
            |(connection, position)| PartnershipEdge { cursor: encode(&position), node: Partnership(connection) };
        self.list.connections().zip(self.list.positions()).map(edge).collect()
    }

    /// The page's partnerships.
    async fn nodes(&self) -> Vec<Partnership> {
        self.list.connections().map(Partnership).collect()
    }

    /// The page's place in the whole list.
    async fn page_info(&self) -> PageInfo {
        let page = self.list.page();
        PageInfo {
            has_next_page: page.has_next,
            has_previous_page: page.has_previous,
            start_cursor: self.list.positions().next().as_ref().map(encode),
            end_cursor: self.list.positions().next_back().as_ref().map(encode),
        }
    }

    /// How many partnerships the filter lets through, on all pages.
    async fn total_count(&self) -> i32 {
        i32::try_from(self.list.page().total).unwrap_or(i32::MAX)
    }

    /// LOCAL_ONLY when SSO was not consulted.
    async fn total_count_precision(&self) -> CountPrecision {
        match self.list.sso() {
            SsoView::Answered(_) => CountPrecision::Exact,
            SsoView::Unavailable(_) | SsoView::Skipped => CountPrecision::LocalOnly,
        }
    }

    /// SSO could not be consulted; local rows only. The same fact as the header X-Connections-Degraded. Never an entry
    /// in `errors`.
    async fn degraded(&self) -> bool {
        self.list.is_degraded()
    }

    /// How each source took part.
    async fn sources(&self) -> Vec<SourceStatus> {
        let local = SourceStatus {
            source: DataSource::Local,
            state: SourceState::Ok,
            as_of: Some(DateTime(self.list.read_at())),
            reason: None,
        };
        let (state, as_of, failure) = match self.list.sso() {
            SsoView::Answered(snapshot) => (SourceState::Ok, Some(DateTime(snapshot.as_of)), None),
            SsoView::Unavailable(failure) => (SourceState::Unavailable, None, Some(*failure)),
            SsoView::Skipped => (SourceState::Skipped, None, None),
        };
        let reason = failure.filter(|_| self.shows_reasons).map(SourceFailure::from);
        vec![local, SourceStatus { source: DataSource::Sso, state, as_of, reason }]
    }

    /// An instant that this merged view is not older than.
    async fn as_of(&self) -> DateTime {
        DateTime(self.list.as_of())
    }
}

/// A partnership on a page.
#[derive(SimpleObject)]
pub struct PartnershipEdge {
    /// Its place in the ordered list; outlives the partnership.
    cursor: String,
    /// The partnership.
    node: Partnership,
}

/// How a source took part in an answer.
#[derive(Debug, SimpleObject)]
pub struct SourceStatus {
    /// Which source.
    source: DataSource,
    /// Whether it answered.
    state: SourceState,
    /// An instant that its data are not older than. null: it gave none.
    as_of: Option<DateTime>,
    /// Why it could not tell. Superusers only, else null; null also when it could.
    reason: Option<SourceFailure>,
}

//! The list verb: SSO's view, then the rows, joined; filtered, ordered and cut on the skeleton; the page alone hydrated.

use std::collections::HashMap;
use std::sync::Arc;

use crate::domain::answer::{Answer, Connection};
use crate::domain::caller::Account;
use crate::domain::reconcile::Reconciled;
use crate::domain::selection::{Filter, Order, OrderField, Page, Position, Window, position, select};
use crate::domain::sso_view::SsoView;
use crate::domain::timestamp::Timestamp;
use crate::domain::wanted::Wanted;

use super::consult::{SsoViews, consult};
use super::hydrate::Hydration;
use super::{Connections, Consistency, ServiceError};

/// What is asked of the list.
#[derive(Debug, Clone)]
pub struct ListQuery {
    /// Which connections.
    pub filter: Filter,
    /// In which order.
    pub order: Order,
    /// Which part of that.
    pub window: Window,
    /// What will be shown of each.
    pub wanted: Wanted,
    /// What to do about SSO.
    pub consistency: Consistency,
}

/// A page of an account's reconciled list.
#[derive(Debug)]
pub struct ConnectionList {
    answer: Arc<Answer>,
    page: Page,
    order: OrderField,
    read_at: Timestamp,
}

impl ConnectionList {
    /// The page's connections, in the order asked for.
    pub fn connections(&self) -> impl Iterator<Item = Connection> {
        self.page.indexes.iter().map(|index| self.answer.connection(*index))
    }

    /// Where each of [`Self::connections`] stands, for cursors.
    #[must_use]
    pub fn positions(&self) -> impl DoubleEndedIterator<Item = Position> {
        self.page
            .indexes
            .iter()
            .map(|index| position(self.answer.reconciled.get(*index), self.order, &self.answer.directory))
    }

    /// The page's place in the whole.
    #[must_use]
    pub fn page(&self) -> &Page {
        &self.page
    }

    /// SSO's side.
    #[must_use]
    pub fn sso(&self) -> &SsoView {
        self.answer.reconciled.sso()
    }

    /// SSO was asked in vain: these are the local rows only.
    #[must_use]
    pub fn is_degraded(&self) -> bool {
        self.sso().failure().is_some()
    }

    /// When the local rows were read: they are not older.
    #[must_use]
    pub fn read_at(&self) -> Timestamp {
        self.read_at
    }

    /// An instant that no part of the merged view is older than.
    #[must_use]
    pub fn as_of(&self) -> Timestamp {
        self.sso().snapshot().map_or(self.read_at, |snapshot| snapshot.as_of.min(self.read_at))
    }
}

impl Connections {
    /// An account's reconciled list: at most four statements and one exchange with SSO, whatever its length.
    ///
    /// # Errors
    /// The store's, and SSO's when it was required.
    pub async fn list(
        &self,
        account: &Account,
        query: &ListQuery,
        views: &impl SsoViews,
    ) -> Result<ConnectionList, ServiceError> {
        let ListQuery { filter, order, window, wanted, consistency } = query;
        let sso = consult(views, account.sso_id, *consistency).await?;
        let read_at = self.clock.now();
        let rows = self.store.connections(account.id, wanted.details).await?;
        let reconciled = Reconciled::new(rows, sso);

        let mut hydration = Hydration::new(&self.store);
        let judges_names = filter.needs_names() || order.field == OrderField::PartnerName;
        if judges_names {
            let names = Wanted { partner: true, entity: filter.needs_names(), ..Wanted::default() };
            hydration.read(reconciled.iter().map(|merged| (account.id, merged)), names).await?;
            hydration.insist()?;
        }
        let page = select(&reconciled, hydration.directory(account.id), filter, *order, window);
        hydration.read(page.indexes.iter().map(|index| (account.id, reconciled.get(*index))), *wanted).await?;
        let directory = hydration.into_directories().remove(&account.id).unwrap_or_default();

        let connected = Ok(if wanted.connected { reconciled.connected() } else { HashMap::new() });
        let answer = Arc::new(Answer { owner: account.id, reconciled, directory, connected, now: self.clock.now() });
        Ok(ConnectionList { answer, page, order: order.field, read_at })
    }
}

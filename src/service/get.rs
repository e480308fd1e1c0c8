//! The by-id verb: a connection by its row id, else its id at SSO, else its invitation's.

use crate::domain::answer::Connection;
use crate::domain::caller::Account;
use crate::domain::connection::LocalConnection;
use crate::domain::id::{ObjectId, SsoConnectionId};
use crate::domain::reconcile::pick;
use crate::domain::sso_view::SsoView;
use crate::domain::wanted::Wanted;

use super::assemble::Parts;
use super::consult::{SsoViews, consult};
use super::{Connections, Consistency, ServiceError};

/// What the by-id verb found.
#[derive(Debug, Clone)]
pub struct Found {
    /// The connection, or `None`: unknown, or another account's.
    pub connection: Option<Connection>,
    /// SSO's side, for what only it can tell.
    pub sso: SsoView,
}

impl Connections {
    /// One of an account's connections. SSO is asked when something that only it knows is wanted, when it is
    /// required, and when there is no row.
    ///
    /// # Errors
    /// The store's, and SSO's when it was required.
    pub async fn get(
        &self,
        account: &Account,
        id: ObjectId,
        wanted: Wanted,
        consistency: Consistency,
        views: &impl SsoViews,
    ) -> Result<Found, ServiceError> {
        let asks_first = wanted.needs_sso() || consistency == Consistency::RequireSso;
        let mut sso = if asks_first { consult(views, account.sso_id, consistency).await? } else { SsoView::Skipped };
        let rows = self.store.connections_by_any_id(account.id, id, wanted.details).await?;
        let mut row = pick(rows, id);
        let mut listed_id = SsoConnectionId(id);
        if row.is_none() {
            if !asks_first {
                sso = consult(views, account.sso_id, consistency).await?;
            }
            if let Some(listed) = sso.snapshot().and_then(|snapshot| snapshot.find(id)) {
                listed_id = listed.id;
                // Known under another invitation, or written since the rows were read.
                row = self.store.connection_by_sso_id(account.id, listed_id, wanted.details).await?;
            }
        }
        let id = row.as_ref().map_or(listed_id, LocalConnection::sso_connection_id);
        let one = Parts { owner: account.id, rows: row.into_iter().collect(), sso: sso.clone(), ids: vec![id] };
        let connection = self.assemble(vec![one], wanted).await?.pop();
        Ok(Found { connection, sso })
    }

    /// One of an account's own rows, for the legacy by-id route: SSO is not asked.
    ///
    /// # Errors
    /// The store's.
    pub async fn get_local(&self, account: &Account, id: ObjectId) -> Result<Option<Connection>, ServiceError> {
        let wanted = Wanted { details: true, partner: true, ..Wanted::default() };
        let found =
            self.get(account, id, wanted, Consistency::LocalOnly, &self.views("", self.sso_allowance())).await?;
        Ok(found.connection)
    }
}

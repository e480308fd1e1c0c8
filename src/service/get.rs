//! The by-id verb: a connection by its row id, else its id at SSO, else its invitation's.

use std::collections::HashMap;
use std::sync::Arc;

use crate::domain::answer::{Answer, Connection};
use crate::domain::caller::Account;
use crate::domain::id::{ObjectId, SsoConnectionId};
use crate::domain::reconcile::{Reconciled, pick};
use crate::domain::sso_view::{SsoSnapshot, SsoView};
use crate::domain::wanted::Wanted;

use super::hydrate::Hydration;
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
        request_id: &str,
    ) -> Result<Found, ServiceError> {
        let asks_first = wanted.sso || wanted.connected || consistency == Consistency::RequireSso;
        let mut sso =
            if asks_first { self.consult(account.sso_id, consistency, request_id).await? } else { SsoView::Skipped };
        let rows = self.store.connections_by_any_id(account.id, id, wanted.details).await?;
        let mut row = pick(rows, id);
        let mut listed_id = SsoConnectionId(id);
        if row.is_none() {
            if !asks_first {
                sso = self.consult(account.sso_id, consistency, request_id).await?;
            }
            if let Some(listed) = sso.snapshot().and_then(|snapshot| snapshot.find(id)) {
                listed_id = listed.id;
                // Known under another invitation, or written since the rows were read.
                row = self.store.connection_by_sso_id(account.id, listed_id, wanted.details).await?;
            }
        }
        let reconciled = Reconciled::one(row, sso.clone(), listed_id);
        if reconciled.is_empty() {
            return Ok(Found { connection: None, sso });
        }

        let mut hydration = Hydration::new(&self.store, account.id);
        hydration.read(reconciled.iter(), wanted).await?;
        let directory = hydration.into_directory();
        let connected = if wanted.connected {
            self.all_with_same_partner(account, &reconciled).await?.connected()
        } else {
            HashMap::new()
        };
        let answer = Arc::new(Answer { owner: account.id, reconciled, directory, connected, now: self.clock.now() });
        Ok(Found { connection: Some(answer.connection(0)), sso })
    }

    /// The part of the account's merged list that speaks of the one connection's partner.
    async fn all_with_same_partner(&self, account: &Account, one: &Reconciled) -> Result<Reconciled, ServiceError> {
        let partner = one.get(0).partner_sso_id();
        let listed: Vec<_> = one
            .sso()
            .snapshot()
            .map_or(&[][..], SsoSnapshot::connections)
            .iter()
            .filter(|listed| listed.partner_sso_id == partner)
            .cloned()
            .collect();
        let ids: Vec<_> = listed.iter().map(|listed| listed.id).collect();
        // By id too: a row that names another partner than SSO does is served as stored.
        let rows = self.store.connections_with_partner(account.id, partner, &ids).await?;
        let view = match one.sso() {
            SsoView::Answered(snapshot) => SsoView::Answered(Arc::new(SsoSnapshot::new(snapshot.as_of, listed))),
            other => other.clone(),
        };
        Ok(Reconciled::new(rows, view))
    }

    /// One of an account's own rows, for the legacy by-id route: SSO is not asked.
    ///
    /// # Errors
    /// The store's.
    pub async fn get_local(&self, account: &Account, id: ObjectId) -> Result<Option<Connection>, ServiceError> {
        let wanted = Wanted { details: true, partner: true, ..Wanted::default() };
        let found = self.get(account, id, wanted, Consistency::LocalOnly, "").await?;
        Ok(found.connection)
    }
}

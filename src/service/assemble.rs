//! Putting looked-up connections together with all that is wanted of them: for any owners at once, one statement a table.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use crate::domain::account_entity::EntityConnected;
use crate::domain::answer::{Answer, Connection};
use crate::domain::connection::LocalConnection;
use crate::domain::directory::Unread;
use crate::domain::id::{AccountId, SsoConnectionId, SsoId};
use crate::domain::reconcile::Reconciled;
use crate::domain::sso_view::{SsoConnection, SsoSnapshot, SsoView};
use crate::domain::wanted::Wanted;

use super::hydrate::{Hydration, sorted, unread};
use super::{Connections, ServiceError};

/// What was found of an owner's connections.
pub(super) struct Parts {
    pub(super) owner: AccountId,
    pub(super) rows: Vec<LocalConnection>,
    pub(super) sso: SsoView,
    /// Which connections.
    pub(super) ids: Vec<SsoConnectionId>,
}

impl Connections {
    /// Joins and hydrates. Connections that have neither a row nor a place in SSO's list are left out.
    pub(super) async fn assemble(&self, parts: Vec<Parts>, wanted: Wanted) -> Result<Vec<Connection>, ServiceError> {
        let lists: Vec<_> = parts
            .into_iter()
            .map(|Parts { owner, rows, sso, ids }| (owner, Reconciled::some(rows, sso, &ids)))
            .filter(|(_, list)| !list.is_empty())
            .collect();
        let mut hydration = Hydration::new(&self.store);
        let all: Vec<_> = lists.iter().flat_map(|(owner, list)| list.iter().map(|merged| (*owner, merged))).collect();
        hydration.read(all.into_iter(), wanted).await?;
        let mut directories = hydration.into_directories();
        let mut connected = if wanted.connected { self.connected(&lists).await } else { Ok(HashMap::new()) };
        let now = self.clock.now();
        let mut connections = Vec::new();
        for (owner, reconciled) in lists {
            let directory = directories.remove(&owner).unwrap_or_default();
            let connected = connected.as_mut().map(|all| all.remove(&owner).unwrap_or_default()).map_err(|why| *why);
            let answer = Arc::new(Answer { owner, reconciled, directory, connected, now });
            connections.extend((0..answer.reconciled.len()).map(|index| answer.connection(index)));
        }
        Ok(connections)
    }

    /// Which relationship types each owner has with the partners of its connections, out of that part of its merged list
    /// which speaks of those partners.
    async fn connected(
        &self,
        lists: &[(AccountId, Reconciled)],
    ) -> Result<HashMap<AccountId, HashMap<SsoId, EntityConnected>>, Unread> {
        let parts: Vec<_> = lists.iter().map(|(owner, list)| (*owner, list.sso(), Listed::of(list))).collect();
        let partners = parts.iter().flat_map(|(owner, _, part)| part.partners.iter().map(|id| (*owner, *id)));
        // By id too: a row that names another partner than SSO does is served as stored.
        let ids = parts.iter().flat_map(|(owner, _, part)| part.connections.iter().map(|one| (*owner, one.id)));
        let (partners, ids) = (sorted(partners), sorted(ids));
        let mut rows: HashMap<AccountId, Vec<LocalConnection>> = HashMap::new();
        if !partners.is_empty() {
            let read = self.store.connections_with_partners(&partners, &ids).await;
            for (owner, row) in read.map_err(|error| unread(&error, "connected"))? {
                rows.entry(owner).or_default().push(row);
            }
        }
        let connected = parts.into_iter().map(|(owner, sso, part)| {
            let sso = match sso {
                SsoView::Answered(whole) => {
                    SsoView::Answered(Arc::new(SsoSnapshot::new(whole.as_of, part.connections)))
                }
                other => other.clone(),
            };
            (owner, Reconciled::new(rows.remove(&owner).unwrap_or_default(), sso).connected())
        });
        Ok(connected.collect())
    }
}

/// What SSO lists of the partners of some connections.
struct Listed {
    partners: BTreeSet<SsoId>,
    connections: Vec<SsoConnection>,
}

impl Listed {
    fn of(list: &Reconciled) -> Self {
        let partners: BTreeSet<SsoId> = list.iter().map(|merged| merged.partner_sso_id()).collect();
        let all = list.sso().snapshot().map_or(&[][..], SsoSnapshot::connections);
        let connections = all.iter().filter(|one| partners.contains(&one.partner_sso_id)).cloned().collect();
        Self { partners, connections }
    }
}

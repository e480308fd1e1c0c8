//! The verb behind a batch of look-ups: connections of any owners by their ids at SSO, for which each table is read once and
//! SSO is asked once.

use std::collections::HashMap;

use crate::domain::answer::Connection;
use crate::domain::caller::Account;
use crate::domain::connection::LocalConnection;
use crate::domain::id::{AccountId, SsoConnectionId};
use crate::domain::sso_view::SsoView;
use crate::domain::wanted::Wanted;

use super::assemble::Parts;
use super::consult::SsoViews;
use super::{Connections, ServiceError};

/// Whose connection, and its id at SSO: what a connection is known by before and after its repair.
pub type OwnedId = (AccountId, SsoConnectionId);

/// What a batch of look-ups found.
#[derive(Debug, Clone, Default)]
pub struct FoundEach {
    /// What is known; the rest is unknown.
    pub connections: HashMap<OwnedId, Connection>,
    /// SSO's side of each owner for whom it was asked.
    pub sso: HashMap<AccountId, SsoView>,
}

impl Connections {
    /// Connections by their ids at SSO, of these owners alone. SSO is asked for the owners of whose connections something
    /// is wanted that only it knows, or one has no row; it fails open.
    ///
    /// # Errors
    /// The store's.
    pub async fn get_each(
        &self,
        owners: &[Account],
        ids: &[OwnedId],
        wanted: Wanted,
        views: &impl SsoViews,
    ) -> Result<FoundEach, ServiceError> {
        let mut sso = if wanted.needs_sso() { views_of(owners, ids, views).await } else { HashMap::new() };
        let mut rows = self.rows_by_sso_id(ids, wanted).await?;
        if !wanted.needs_sso() {
            let missing: Vec<_> = ids.iter().filter(|id| !rows.contains_key(*id)).copied().collect();
            sso = views_of(owners, &missing, views).await;
            // One that was written since the rows were read must not look as if there were none.
            let listed: Vec<_> = missing.into_iter().filter(|id| is_listed(&sso, *id)).collect();
            rows.extend(self.rows_by_sso_id(&listed, wanted).await?);
        }

        let mut parts: HashMap<AccountId, Parts> = HashMap::new();
        for (owner, id) in ids {
            let part = parts.entry(*owner).or_insert_with(|| {
                let sso = sso.get(owner).cloned().unwrap_or(SsoView::Skipped);
                Parts { owner: *owner, rows: Vec::new(), sso, ids: Vec::new() }
            });
            part.ids.push(*id);
            part.rows.extend(rows.remove(&(*owner, *id)));
        }
        let connections = self.assemble(parts.into_values().collect(), wanted).await?.into_iter();
        let connections =
            connections.map(|found| ((found.owner(), found.merged().sso_connection_id()), found)).collect();
        Ok(FoundEach { connections, sso })
    }

    async fn rows_by_sso_id(
        &self,
        ids: &[OwnedId],
        wanted: Wanted,
    ) -> Result<HashMap<OwnedId, LocalConnection>, ServiceError> {
        if ids.is_empty() {
            return Ok(HashMap::new());
        }
        let rows = self.store.connections_by_sso_ids(ids, wanted.details).await?;
        Ok(rows.into_iter().map(|(owner, row)| ((owner, row.sso_connection_id()), row)).collect())
    }
}

/// SSO's views of those owners whose connections these are.
async fn views_of(owners: &[Account], ids: &[OwnedId], views: &impl SsoViews) -> HashMap<AccountId, SsoView> {
    let asked: Vec<_> = owners.iter().filter(|owner| ids.iter().any(|(id, _)| *id == owner.id)).collect();
    if asked.is_empty() {
        return HashMap::new();
    }
    let views = views.views(asked.iter().map(|owner| owner.sso_id).collect()).await;
    asked.into_iter().filter_map(|owner| Some((owner.id, views.get(&owner.sso_id)?.clone()))).collect()
}

fn is_listed(sso: &HashMap<AccountId, SsoView>, (owner, id): OwnedId) -> bool {
    sso.get(&owner).and_then(SsoView::snapshot).is_some_and(|snapshot| snapshot.position(id).is_some())
}

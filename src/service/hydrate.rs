//! Batched reads of what LC knows of partners: one statement a table, and none twice.

use crate::domain::id::{AccountId, SsoId};
use crate::domain::reconcile::{Directory, Merged};
use crate::domain::wanted::Wanted;
use crate::store::{Store, StoreError};

/// A directory being filled. A table that was read for all connections is not read again for the page.
pub(super) struct Hydration<'a> {
    store: &'a Store,
    owner: AccountId,
    directory: Directory,
    read: Wanted,
}

impl<'a> Hydration<'a> {
    pub(super) fn new(store: &'a Store, owner: AccountId) -> Self {
        Self { store, owner, directory: Directory::default(), read: Wanted::default() }
    }

    pub(super) fn directory(&self) -> &Directory {
        &self.directory
    }

    pub(super) fn into_directory(self) -> Directory {
        self.directory
    }

    /// Reads what is wanted of these connections' partners. A later call must be for a part of an earlier one's.
    pub(super) async fn read<'m>(
        &mut self,
        connections: impl Iterator<Item = Merged<'m>> + Clone,
        wanted: Wanted,
    ) -> Result<(), StoreError> {
        if wanted.accounts() && !self.read.accounts() {
            let (ids, sso_ids) = accounts_to_read(connections.clone(), wanted);
            if !ids.is_empty() || !sso_ids.is_empty() {
                self.directory.add_accounts(self.store.accounts(&ids, &sso_ids).await?);
            }
        }
        let entities = wanted.entity && !self.read.entity;
        let custom_entities = wanted.custom_entities && !self.read.custom_entities;
        if entities || custom_entities {
            let partners = sorted(connections.filter_map(|merged| self.directory.partner(merged).id));
            if entities && !partners.is_empty() {
                let entities = self.store.account_entities(self.owner, &partners).await?;
                self.directory.add_entities(entities);
            }
            if custom_entities && !partners.is_empty() {
                let custom_entities = self.store.custom_entities(self.owner, &partners).await?;
                self.directory.add_custom_entities(custom_entities);
            }
        }
        self.read = self.read.union(wanted);
        Ok(())
    }
}

/// The accounts to read: by id for their names, if those are wanted; by SSO id where the row names no account.
fn accounts_to_read<'m>(connections: impl Iterator<Item = Merged<'m>>, wanted: Wanted) -> (Vec<AccountId>, Vec<SsoId>) {
    let (mut ids, mut sso_ids) = (Vec::new(), Vec::new());
    for merged in connections {
        match merged.stored_partner_id() {
            Some(id) if wanted.partner => ids.push(id),
            Some(_) => {}
            None => sso_ids.push(merged.partner_sso_id()),
        }
    }
    (sorted(ids), sorted(sso_ids))
}

fn sorted<T: Ord>(items: impl IntoIterator<Item = T>) -> Vec<T> {
    let mut items: Vec<T> = items.into_iter().collect();
    items.sort_unstable();
    items.dedup();
    items
}

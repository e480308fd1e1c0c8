//! Batched reads of what LC knows of partners: one statement a table, for all owners at once, and none twice.

use std::collections::HashMap;

use futures_util::future::{OptionFuture, join};

use crate::domain::directory::{Directory, Unread};
use crate::domain::id::{AccountId, SsoId};
use crate::domain::reconcile::Merged;
use crate::domain::wanted::Wanted;
use crate::store::{Store, StoreError};
use crate::telemetry::chain;

/// Directories being filled, one an owner. A table that was read for all connections is not read again for the page.
pub(super) struct Hydration<'a> {
    store: &'a Store,
    directories: HashMap<AccountId, Directory>,
    read: Wanted,
    /// The rest of an answer can be shown without the entities.
    missed_entities: Option<StoreError>,
}

impl<'a> Hydration<'a> {
    pub(super) fn new(store: &'a Store) -> Self {
        Self { store, directories: HashMap::new(), read: Wanted::default(), missed_entities: None }
    }

    /// Reads what is wanted of these connections' partners, each for its owner. A second call reads more about some of the
    /// connections of the first, and about no others.
    pub(super) async fn read<'m>(
        &mut self,
        connections: impl Iterator<Item = (AccountId, Merged<'m>)> + Clone,
        wanted: Wanted,
    ) -> Result<(), StoreError> {
        for (owner, _) in connections.clone() {
            self.directories.entry(owner).or_default();
        }
        if wanted.accounts() && !self.read.accounts() {
            let (ids, sso_ids) = accounts_to_read(connections.clone(), wanted);
            if !ids.is_empty() || !sso_ids.is_empty() {
                let accounts = self.store.accounts(&ids, &sso_ids).await?;
                for directory in self.directories.values_mut() {
                    directory.add_accounts(accounts.iter().cloned());
                }
            }
        }
        let entities = wanted.entity && !self.read.entity;
        let custom_entities = wanted.custom_entities && !self.read.custom_entities;
        self.read = self.read.union(wanted);
        if entities || custom_entities {
            self.read_cards(connections, entities, custom_entities).await?;
        }
        Ok(())
    }

    async fn read_cards<'m>(
        &mut self,
        connections: impl Iterator<Item = (AccountId, Merged<'m>)>,
        entities: bool,
        custom_entities: bool,
    ) -> Result<(), StoreError> {
        let partners = sorted(connections.filter_map(|(owner, merged)| {
            let partner = self.directories.get(&owner)?.partner(merged).id?;
            Some((owner, partner))
        }));
        if partners.is_empty() {
            return Ok(());
        }
        let entities: OptionFuture<_> = entities.then(|| self.store.account_entities(&partners)).into();
        let custom_entities: OptionFuture<_> = custom_entities.then(|| self.store.custom_entities(&partners)).into();
        // At once, so that one that fails slowly leaves the other its time.
        let (entities, custom_entities) = join(entities, custom_entities).await;
        match entities {
            Some(Ok(entities)) => {
                for (owner, entity) in entities {
                    self.directories.entry(owner).or_default().add_entity(entity);
                }
            }
            Some(Err(error)) => self.missed_entities = Some(error),
            None => {}
        }
        for (owner, partner, custom_entity) in custom_entities.transpose()?.unwrap_or_default() {
            self.directories.entry(owner).or_default().add_custom_entity(partner, custom_entity);
        }
        Ok(())
    }

    /// Fails where the entities could not be read: for those who cannot do without.
    pub(super) fn insist(&mut self) -> Result<(), StoreError> {
        self.missed_entities.take().map_or(Ok(()), Err)
    }

    /// What was read so far of an owner's partners.
    pub(super) fn directory(&mut self, owner: AccountId) -> &Directory {
        self.directories.entry(owner).or_default()
    }

    /// All that was read, by owner.
    pub(super) fn into_directories(mut self) -> HashMap<AccountId, Directory> {
        if let Some(error) = &self.missed_entities {
            let why = unread(error, "account_entities");
            self.directories.values_mut().for_each(|directory| directory.miss_entities(why));
        }
        self.directories
    }
}

/// What a failed read is to an answer that can do without it. Logged here, since it goes no further as an error.
pub(super) fn unread(error: &StoreError, part: &'static str) -> Unread {
    tracing::warn!(error = chain(error), part, "a part of an answer could not be read");
    match error {
        StoreError::Unavailable { .. } => Unread::Unavailable,
        StoreError::Url { .. } | StoreError::Conflict { .. } | StoreError::Failed { .. } => Unread::Failed,
    }
}

/// The accounts to read: by id for their names, if those are wanted; by SSO id where the row names no account.
fn accounts_to_read<'m>(
    connections: impl Iterator<Item = (AccountId, Merged<'m>)>,
    wanted: Wanted,
) -> (Vec<AccountId>, Vec<SsoId>) {
    let (mut ids, mut sso_ids) = (Vec::new(), Vec::new());
    for (_, merged) in connections {
        match merged.stored_partner_id() {
            Some(id) if wanted.partner => ids.push(id),
            Some(_) => {}
            None => sso_ids.push(merged.partner_sso_id()),
        }
    }
    (sorted(ids), sorted(sso_ids))
}

pub(super) fn sorted<T: Ord>(items: impl IntoIterator<Item = T>) -> Vec<T> {
    let mut items: Vec<T> = items.into_iter().collect();
    items.sort_unstable();
    items.dedup();
    items
}

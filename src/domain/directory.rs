//! What LC knows of a page's partners: their accounts, and the owner's cards for them.

use std::collections::HashMap;
use std::sync::Arc;

use super::account_entity::{AccountEntity, CustomEntity};
use super::caller::Account;
use super::id::{AccountId, SsoId};
use super::reconcile::Merged;

/// Why a part of an answer could not be read. The rest can be shown without it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Unread {
    /// The database could not be reached in time.
    Unavailable,
    /// The database refused.
    Failed,
}

/// The partner of a connection, as LC knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Partner<'a> {
    /// Its LC account; `None` while it has none.
    pub id: Option<AccountId>,
    /// Its id at SSO.
    pub sso_id: SsoId,
    /// Its name.
    pub name: &'a str,
}

/// What LC knows of partners: their accounts, and the owner's cards for them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Directory {
    accounts: HashMap<AccountId, Account>,
    by_sso_id: HashMap<SsoId, AccountId>,
    entities: HashMap<AccountId, Arc<AccountEntity>>,
    entities_unread: Option<Unread>,
    custom_entities: HashMap<AccountId, Vec<CustomEntity>>,
}

impl Directory {
    /// Takes in LC accounts.
    pub fn add_accounts(&mut self, accounts: impl IntoIterator<Item = Account>) {
        for account in accounts {
            self.by_sso_id.insert(account.sso_id, account.id);
            self.accounts.insert(account.id, account);
        }
    }

    /// Takes in one of the owner's account entities; of several for one partner the preferred one stays.
    pub fn add_entity(&mut self, entity: AccountEntity) {
        let Some(partner) = entity.connected_account_id() else { return };
        let is_better = self.entities.get(&partner).is_none_or(|known| entity.is_preferred_to(known));
        if is_better {
            self.entities.insert(partner, Arc::new(entity));
        }
    }

    /// Takes in one of the owner's custom entities for a partner, at its place in their order.
    pub fn add_custom_entity(&mut self, partner: AccountId, custom_entity: CustomEntity) {
        let of_partner = self.custom_entities.entry(partner).or_default();
        let place = of_partner.partition_point(|known| known.list_order() < custom_entity.list_order());
        of_partner.insert(place, custom_entity);
    }

    /// A connection's partner: its LC id as stored in the row, else that of the LC account with its SSO id; its name
    /// as that account has it, else the copy that came with the connection.
    #[must_use]
    pub fn partner<'a>(&'a self, merged: Merged<'a>) -> Partner<'a> {
        let sso_id = merged.partner_sso_id();
        let id = merged.stored_partner_id().or_else(|| self.by_sso_id.get(&sso_id).copied());
        let account = id.and_then(|id| self.accounts.get(&id));
        Partner { id, sso_id, name: account.map_or(merged.copied_partner_name(), |account| &account.name) }
    }

    /// Notes that the owner's account entities could not be read.
    pub fn miss_entities(&mut self, why: Unread) {
        self.entities_unread = Some(why);
    }

    /// The owner's card for a partner.
    ///
    /// # Errors
    /// The cards could not be read.
    pub fn entity(&self, partner: AccountId) -> Result<Option<&Arc<AccountEntity>>, Unread> {
        self.entities_unread.map_or_else(|| Ok(self.entities.get(&partner)), Err)
    }

    /// The owner's custom entities for a partner, by `created_at`, then `id`.
    #[must_use]
    pub fn custom_entities(&self, partner: AccountId) -> &[CustomEntity] {
        self.custom_entities.get(&partner).map_or(&[], Vec::as_slice)
    }
}

//! A reconciled list made ready to be shown: the skeleton, and what LC knows of the partners on the page.

use std::collections::HashMap;
use std::sync::Arc;

use super::account_entity::{AccountEntity, CustomEntity, EntityConnected};
use super::directory::{Directory, Partner, Unread};
use super::id::{AccountId, SsoId};
use super::reconcile::{Merged, Reconciled};
use super::timestamp::Timestamp;

/// One account's merged connections together with everything that was read to show some of them.
#[derive(Debug)]
pub struct Answer {
    /// Whose list it is.
    pub owner: AccountId,
    /// The merged connections.
    pub reconciled: Reconciled,
    /// The partners and their cards, as far as they were wanted.
    pub directory: Directory,
    /// Which relationship types the owner has with each partner, if wanted; or why that is not known.
    pub connected: Result<HashMap<SsoId, EntityConnected>, Unread>,
    /// When the request is answered: what `expired` is judged by.
    pub now: Timestamp,
}

impl Answer {
    /// One of its connections.
    #[must_use]
    pub fn connection(self: &Arc<Self>, index: usize) -> Connection {
        Connection { answer: Arc::clone(self), index }
    }
}

/// One connection with all its parts. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Connection {
    answer: Arc<Answer>,
    index: usize,
}

impl Connection {
    /// Whose connection it is.
    #[must_use]
    pub fn owner(&self) -> AccountId {
        self.answer.owner
    }

    /// What the two sources tell.
    #[must_use]
    pub fn merged(&self) -> Merged<'_> {
        self.answer.reconciled.get(self.index)
    }

    /// The partner.
    #[must_use]
    pub fn partner(&self) -> Partner<'_> {
        self.answer.directory.partner(self.merged())
    }

    /// The owner's card for the partner.
    ///
    /// # Errors
    /// The cards could not be read.
    pub fn entity(&self) -> Result<Option<EntityCard<'_>>, Unread> {
        let partner = self.partner();
        let Some(id) = partner.id else { return Ok(None) };
        let card = self.answer.directory.entity(id)?.map(|entity| EntityCard {
            entity,
            connected: self.answer.connected.as_ref().map(|all| all.get(&partner.sso_id).copied()).map_err(|why| *why),
            expired: entity.expired(self.answer.now),
        });
        Ok(card)
    }

    /// The owner's custom entities for the partner, in order.
    #[must_use]
    pub fn custom_entities(&self) -> &[CustomEntity] {
        self.partner().id.map_or(&[], |partner| self.answer.directory.custom_entities(partner))
    }
}

/// An account entity, with what is derived when it is read.
#[derive(Debug, Clone, Copy)]
pub struct EntityCard<'a> {
    /// The stored card.
    pub entity: &'a Arc<AccountEntity>,
    /// Which relationship types the owner has with its partner, or why that is not known.
    pub connected: Result<Option<EntityConnected>, Unread>,
    /// Whether its invitation has run out; `None` where there is no expiry.
    pub expired: Option<bool>,
}

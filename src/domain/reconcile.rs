//! The join of LC's rows with SSO's list: a lean skeleton of all the account's connections, in list order and without a
//! clone per item. What LC knows of the partners on a page comes after it, in [`super::directory`].
//!
//! Every rule about what a merged connection *is* stands here, on [`Merged`].

use std::collections::HashMap;

use super::account_entity::EntityConnected;
use super::connection::{ConnectionStatus, Drift, LocalConnection, Presence, RelationshipType};
use super::id::{AccountId, ConnectionId, InvitationId, ObjectId, SsoConnectionId, SsoId};
use super::sso_view::{SsoConnection, SsoView};
use super::stored::StoredObject;
use super::timestamp::Timestamp;

/// A connection has a row, is listed by SSO, or both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Halves<L, S> {
    Both(L, S),
    Local(L),
    Sso(S),
}

/// Where a connection's two halves stand.
type Item = Halves<usize, usize>;

/// An account's rows and SSO's list, joined and in list order: `created_at`, then the SSO connection id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reconciled {
    local: Vec<LocalConnection>,
    sso: SsoView,
    items: Vec<Item>,
}

impl Reconciled {
    /// Joins all of an account's rows with SSO's list on `external_id` = NetworkConnection id.
    ///
    /// The rows must be those of one account, and the view that account's.
    #[must_use]
    pub fn new(mut local: Vec<LocalConnection>, sso: SsoView) -> Self {
        local.sort_unstable_by_key(LocalConnection::list_order);
        let snapshot = sso.snapshot();
        let listed = snapshot.map_or(&[][..], |snapshot| snapshot.connections());
        let mut has_row = vec![false; listed.len()];
        let mut items = Vec::with_capacity(local.len().max(listed.len()));
        for (position, row) in local.iter().enumerate() {
            let counterpart = snapshot.and_then(|snapshot| snapshot.position(row.sso_connection_id()));
            items.push(match counterpart {
                Some(counterpart) => {
                    has_row[counterpart] = true;
                    Item::Both(position, counterpart)
                }
                None => Item::Local(position),
            });
        }
        let rows = items.len();
        items.extend((0..listed.len()).filter(|position| !has_row[*position]).map(Item::Sso));
        let mut reconciled = Self { local, sso, items };
        if (1..reconciled.items.len()).contains(&rows) {
            let mut items = std::mem::take(&mut reconciled.items);
            items.sort_by_cached_key(|item| reconciled.merged(*item).list_order());
            reconciled.items = items;
        }
        reconciled
    }

    /// Some connections alone, in the order of `ids`: each one's row, else what SSO lists under its id. Those that have
    /// neither are left out.
    #[must_use]
    pub fn some(local: Vec<LocalConnection>, sso: SsoView, ids: &[SsoConnectionId]) -> Self {
        let items = ids
            .iter()
            .filter_map(|id| {
                let listed = sso.snapshot().and_then(|snapshot| snapshot.position(*id));
                match (local.iter().position(|row| row.sso_connection_id() == *id), listed) {
                    (Some(row), Some(listed)) => Some(Item::Both(row, listed)),
                    (Some(row), None) => Some(Item::Local(row)),
                    (None, listed) => listed.map(Item::Sso),
                }
            })
            .collect();
        Self { local, sso, items }
    }

    /// How many connections there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// SSO's side.
    #[must_use]
    pub fn sso(&self) -> &SsoView {
        &self.sso
    }

    /// The connection at a place of the list order.
    ///
    /// # Panics
    /// When `index` is not below [`Self::len`].
    #[must_use]
    pub fn get(&self, index: usize) -> Merged<'_> {
        self.merged(self.items[index])
    }

    /// All connections, in list order.
    pub fn iter(&self) -> impl Iterator<Item = Merged<'_>> + Clone {
        self.items.iter().map(|item| self.merged(*item))
    }

    /// Which relationship types the account has with each partner, over all its connections.
    #[must_use]
    pub fn connected(&self) -> HashMap<SsoId, EntityConnected> {
        let mut connected = HashMap::with_capacity(self.len());
        for merged in self.iter() {
            let this = match merged.relationship_type() {
                RelationshipType::Seller => EntityConnected::Seller,
                RelationshipType::Buyer => EntityConnected::Buyer,
            };
            connected
                .entry(merged.partner_sso_id())
                .and_modify(|known| {
                    if *known != this {
                        *known = EntityConnected::Both;
                    }
                })
                .or_insert(this);
        }
        connected
    }

    fn merged(&self, item: Item) -> Merged<'_> {
        let listed = self.sso.snapshot().map_or(&[][..], |snapshot| snapshot.connections());
        let halves = match item {
            Item::Both(row, counterpart) => Halves::Both(&self.local[row], &listed[counterpart]),
            Item::Local(row) => Halves::Local(&self.local[row]),
            Item::Sso(position) => Halves::Sso(&listed[position]),
        };
        Merged { halves, view: &self.sso }
    }
}

/// One connection as the two sources tell it. A `completed` one serves its row as stored.
#[derive(Debug, Clone, Copy)]
pub struct Merged<'a> {
    halves: Halves<&'a LocalConnection, &'a SsoConnection>,
    view: &'a SsoView,
}

/// Reads a field of the row, else the like one of SSO's.
macro_rules! row_else_sso {
    ($self:ident, |$row:ident| $local:expr, |$listed:ident| $sso:expr) => {
        match $self.halves {
            Halves::Both($row, _) | Halves::Local($row) => $local,
            Halves::Sso($listed) => $sso,
        }
    };
}

impl<'a> Merged<'a> {
    /// The row, if there is one.
    #[must_use]
    pub fn local(&self) -> Option<&'a LocalConnection> {
        row_else_sso!(self, |row| Some(row), |_listed| None)
    }

    /// What SSO lists, if it was consulted and lists it.
    #[must_use]
    pub fn sso(&self) -> Option<&'a SsoConnection> {
        match self.halves {
            Halves::Both(_, listed) | Halves::Sso(listed) => Some(listed),
            Halves::Local(_) => None,
        }
    }

    /// REST's `id`: the row's, else SSO's (which is what a superuser repairs).
    #[must_use]
    pub fn connection_id(&self) -> ObjectId {
        row_else_sso!(self, |row| row.id().0, |listed| listed.id.0)
    }

    /// The row's id.
    #[must_use]
    pub fn local_id(&self) -> Option<ConnectionId> {
        self.local().map(LocalConnection::id)
    }

    /// The id at SSO; REST's `external_id`.
    #[must_use]
    pub fn sso_connection_id(&self) -> SsoConnectionId {
        row_else_sso!(self, |row| row.sso_connection_id(), |listed| listed.id)
    }

    /// The invitation that led to it.
    #[must_use]
    pub fn invitation_id(&self) -> Option<InvitationId> {
        row_else_sso!(self, |row| row.invitation_id(), |listed| listed.invitation_id)
    }

    /// Whether LC has its row.
    #[must_use]
    pub fn status(&self) -> ConnectionStatus {
        row_else_sso!(self, |_row| ConnectionStatus::Completed, |_listed| ConnectionStatus::SsoOnly)
    }

    /// The partner's role.
    #[must_use]
    pub fn relationship_type(&self) -> RelationshipType {
        row_else_sso!(self, |row| row.relationship_type(), |listed| listed.relationship_type)
    }

    /// The partner's id at SSO.
    #[must_use]
    pub fn partner_sso_id(&self) -> SsoId {
        row_else_sso!(self, |row| row.partner_sso_id(), |listed| listed.partner_sso_id)
    }

    /// The partner's LC account as the row has it.
    #[must_use]
    pub fn stored_partner_id(&self) -> Option<AccountId> {
        row_else_sso!(self, |row| row.partner_id(), |_listed| None)
    }

    /// The copy of the partner's name that came with the connection.
    #[must_use]
    pub fn copied_partner_name(&self) -> &'a str {
        row_else_sso!(self, |row| row.partner_name(), |listed| &listed.partner_name)
    }

    /// Who made it.
    #[must_use]
    pub fn created_by(&self) -> Option<&'a str> {
        row_else_sso!(self, |row| row.created_by(), |listed| listed.created_by.as_deref())
    }

    /// The frontend's notes; none while there is no row to keep them.
    #[must_use]
    pub fn ui_state(&self) -> &'a StoredObject {
        self.local().and_then(LocalConnection::ui_state).unwrap_or(StoredObject::empty())
    }

    /// When it was made.
    #[must_use]
    pub fn created_at(&self) -> Timestamp {
        row_else_sso!(self, |row| row.created_at(), |listed| listed.created_at)
    }

    /// When it last changed.
    #[must_use]
    pub fn updated_at(&self) -> Timestamp {
        row_else_sso!(self, |row| row.updated_at(), |listed| listed.updated_at)
    }

    /// Its place in the list.
    #[must_use]
    pub fn list_order(&self) -> (Timestamp, SsoConnectionId) {
        row_else_sso!(self, |row| row.list_order(), |listed| listed.list_order())
    }

    /// What the caller may do; `None`: SSO was not consulted. SSO's grant for another tie (other type, other partner)
    /// is no grant for this one.
    #[must_use]
    pub fn permissions(&self) -> Option<&'a [Box<str>]> {
        match self.halves {
            Halves::Sso(listed) => Some(&listed.permissions),
            Halves::Both(row, listed) if is_same_tie(row, listed) => Some(&listed.permissions),
            Halves::Both(..) => Some(&[]),
            Halves::Local(_) => self.view.snapshot().map(|_| &[][..]),
        }
    }

    /// How the two sources agree.
    #[must_use]
    pub fn drift(&self) -> Drift {
        match self.halves {
            Halves::Both(row, listed) if is_same_tie(row, listed) && row.invitation_id() == listed.invitation_id => {
                Drift::InSync
            }
            Halves::Both(..) => Drift::FieldMismatch,
            Halves::Sso(_) => Drift::MissingLocally,
            Halves::Local(_) if self.view.snapshot().is_some() => Drift::MissingInSso,
            Halves::Local(_) => Drift::Unknown,
        }
    }

    /// Whether LC has it.
    #[must_use]
    pub fn local_presence(&self) -> Presence {
        if self.local().is_some() { Presence::Present } else { Presence::Absent }
    }

    /// Whether SSO has it.
    #[must_use]
    pub fn sso_presence(&self) -> Presence {
        match self.halves {
            Halves::Both(..) | Halves::Sso(_) => Presence::Present,
            Halves::Local(_) if self.view.snapshot().is_some() => Presence::Absent,
            Halves::Local(_) => Presence::Unknown,
        }
    }

    /// An instant that SSO's word on it is not older than.
    #[must_use]
    pub fn sso_as_of(&self) -> Option<Timestamp> {
        self.view.snapshot().map(|snapshot| snapshot.as_of)
    }
}

fn is_same_tie(row: &LocalConnection, listed: &SsoConnection) -> bool {
    row.relationship_type() == listed.relationship_type && row.partner_sso_id() == listed.partner_sso_id
}

/// Of an account's rows that bear `id` in one of their three ids, the one that is meant: by row id, else by the id at
/// SSO, else by the invitation's (of several: the first in list order).
#[must_use]
pub fn pick(rows: Vec<LocalConnection>, id: ObjectId) -> Option<LocalConnection> {
    let rank = |row: &LocalConnection| (row.id().0 != id, row.sso_connection_id().0 != id);
    rows.into_iter().min_by_key(|row| (rank(row), row.list_order()))
}

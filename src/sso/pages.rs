//! The pages of one list, put together: each connection once, each cursor leading on, and then each account's part of it.

use std::collections::HashSet;
use std::sync::Arc;

use super::fault::Fault;
use super::wire::{NetworkConnection, Page};
use crate::domain::id::{SsoConnectionId, SsoId};
use crate::domain::sso_view::SsoConnection;

/// The most pages: half a million connections, if they are full.
const MOST: usize = 1_000;

/// Far more than any cursor needs, and little enough for any server's request line.
const CURSOR_BYTES: usize = 4096;

/// The pages so far.
#[derive(Default)]
pub(super) struct Pages {
    connections: Vec<NetworkConnection>,
    seen: HashSet<SsoConnectionId>,
    cursors: HashSet<String>,
}

impl Pages {
    /// Adds the next page, and gives the cursor of the one behind it; `None`: it was the last.
    pub(super) fn add(&mut self, page: Page) -> Result<Option<String>, Fault> {
        let Page { network_connections, next_cursor } = page;
        if !network_connections.iter().all(|connection| self.seen.insert(connection.id)) {
            return Err(Fault::Repeated);
        }
        self.connections.extend(network_connections);
        let Some(next) = next_cursor else { return Ok(None) };
        let leads_on = next.len() <= CURSOR_BYTES && self.cursors.insert(next.clone()) && self.cursors.len() < MOST;
        if leads_on { Ok(Some(next)) } else { Err(Fault::Cursor) }
    }

    /// Every connection as each of the accounts sees it that takes part in it; the accounts are in order, each once. Few
    /// lists of permissions differ, so equal ones are shared.
    pub(super) fn split(self, accounts: &[SsoId]) -> Result<Vec<Vec<SsoConnection>>, Fault> {
        let mut permissions: HashSet<Arc<[Box<str>]>> = HashSet::new();
        let mut lists: Vec<Vec<SsoConnection>> = accounts.iter().map(|_| Vec::new()).collect();
        let mut add = |place: usize, connection: NetworkConnection| {
            let Some(mut connection) = connection.seen_by(accounts[place]) else { return };
            if let Some(known) = permissions.get(&connection.permissions) {
                connection.permissions = Arc::clone(known);
            } else {
                permissions.insert(Arc::clone(&connection.permissions));
            }
            lists[place].push(connection);
        };
        for connection in self.connections {
            let place = |account: SsoId| accounts.binary_search(&account).ok();
            match (place(connection.buyer.id), place(connection.seller.id)) {
                (Some(buyer), Some(seller)) if buyer != seller => {
                    add(buyer, connection.clone());
                    add(seller, connection);
                }
                (Some(place), _) | (None, Some(place)) => add(place, connection),
                (None, None) => return Err(Fault::Foreign),
            }
        }
        Ok(lists)
    }
}

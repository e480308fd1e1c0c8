//! The trail of repairs, for superusers: pages of connections' trails, and single entries.

use std::collections::HashMap;

use crate::domain::id::{AccountId, RepairId};
use crate::domain::repair::{RepairRecord, TrailLength, TrailPosition};

use super::get_each::OwnedId;
use super::{Connections, ServiceError};

/// Which part of a trail is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TrailWindow {
    /// So many entries, the newest first.
    pub first: usize,
    /// Only what stands behind this place.
    pub after: Option<TrailPosition>,
    /// Whether the trail's length is wanted, which costs a statement of its own.
    pub counted: bool,
}

/// A page of a connection's trail.
#[derive(Debug, Clone, Default)]
pub struct Trail {
    /// The newest first.
    pub records: Vec<RepairRecord>,
    /// Whether anything stands behind the page.
    pub has_next: bool,
    /// The trail's length, where it was wanted.
    pub length: TrailLength,
}

impl Connections {
    /// The same part of several connections' trails, in at most two statements (for each part that is asked for). A
    /// connection without a trail is left out.
    ///
    /// # Errors
    /// The store's.
    pub async fn trails(&self, of: &[OwnedId], window: TrailWindow) -> Result<HashMap<OwnedId, Trail>, ServiceError> {
        let TrailWindow { first, after, counted } = window;
        let mut trails: HashMap<OwnedId, Trail> = HashMap::new();
        // One more than the page, to see whether there is one.
        for record in self.store.trails(of, after, first + 1).await? {
            let trail = trails.entry((record.account_id, record.sso_connection_id)).or_default();
            if trail.records.len() < first {
                trail.records.push(record);
            } else {
                trail.has_next = true;
            }
        }
        if counted {
            for (owner, id, length) in self.store.trail_lengths(of, after).await? {
                trails.entry((owner, id)).or_default().length = length;
            }
        }
        Ok(trails)
    }

    /// Entries of tenants' trails by their ids, in one statement. What is unknown is left out.
    ///
    /// # Errors
    /// The store's.
    pub async fn repair_records(
        &self,
        ids: &[(AccountId, RepairId)],
    ) -> Result<HashMap<(AccountId, RepairId), RepairRecord>, ServiceError> {
        let records = self.store.repair_records(ids).await?;
        Ok(records.into_iter().map(|record| ((record.account_id, record.id), record)).collect())
    }
}

//! Who holds a key. One place for both front ends.

use std::sync::Arc;
use std::time::Duration;

use moka::sync::Cache;

use crate::clock::Clock;
use crate::domain::caller::{Caller, KeyHash};
use crate::domain::timestamp::Timestamp;
use crate::store::Store;

use super::ServiceError;

/// How long a key that was found good is believed without asking again: the longest that a revocation goes unseen.
const BELIEVED_FOR: Duration = Duration::from_secs(10);
const BELIEVED_KEYS: u64 = 100_000;

/// Finds the caller behind an API key. Cheap to clone.
#[derive(Clone)]
pub struct Authentication {
    store: Store,
    clock: Clock,
    believed: Cache<KeyHash, (Arc<Caller>, Option<Timestamp>)>,
}

impl Authentication {
    /// Over a store's keys.
    #[must_use]
    pub fn new(store: Store, clock: Clock) -> Self {
        let believed = Cache::builder().max_capacity(BELIEVED_KEYS).time_to_live(BELIEVED_FOR).build();
        Self { store, clock, believed }
    }

    /// The caller whose key this is; `None`: no such key, or it has expired or been revoked. Only good keys are kept
    /// in memory, so that guessing fills nothing.
    ///
    /// # Errors
    /// The store's.
    pub async fn caller(&self, key: &str) -> Result<Option<Arc<Caller>>, ServiceError> {
        let hash = KeyHash::of(key);
        let (caller, expires_at) = if let Some(believed) = self.believed.get(&hash) {
            believed
        } else {
            let Some(holder) = self.store.caller_by_key_hash(hash).await? else { return Ok(None) };
            let holder = (Arc::new(holder.caller), holder.expires_at);
            self.believed.insert(hash, holder.clone());
            holder
        };
        let is_expired = expires_at.is_some_and(|expires_at| expires_at <= self.clock.now());
        Ok((!is_expired).then_some(caller))
    }
}

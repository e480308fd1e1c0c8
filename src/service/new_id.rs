//! New ids, made as BSON's ObjectId makes them: seconds, five random bytes of the process, a counter.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::domain::id::ObjectId;
use crate::domain::timestamp::Timestamp;

/// Makes ids. Clones share the counter.
#[derive(Debug, Clone)]
pub struct NewIds {
    process: [u8; 5],
    counter: Arc<AtomicU32>,
}

impl NewIds {
    /// With fresh random bytes and a random start.
    #[must_use]
    pub fn new() -> Self {
        Self { process: rand::random(), counter: Arc::new(AtomicU32::new(rand::random())) }
    }

    /// An id that no one else has.
    #[must_use]
    pub fn next(&self, now: Timestamp) -> ObjectId {
        let seconds = u32::try_from(now.as_millis().div_euclid(1000)).unwrap_or_default();
        ObjectId::from_parts(seconds, self.process, self.counter.fetch_add(1, Ordering::Relaxed))
    }
}

impl Default for NewIds {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn ids_of_one_instant_differ() {
        let new_ids = NewIds::new();
        let ids: HashSet<_> = (0..1000).map(|_| new_ids.next(Timestamp::EPOCH)).collect();
        assert_eq!(ids.len(), 1000);
    }
}

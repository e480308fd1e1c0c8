//! Each account's view of SSO, kept: how old it may be, one fetch per account at a time, and what bounds it all.
//!
//! A fetch runs in a task of its own, so that a waiting request that goes away does not cancel it for the others. The
//! age of a view counts from its fetch's start. Failures are not kept.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use moka::policy::EvictionPolicy;
use moka::sync::Cache;
use reqwest::header::HeaderValue;
use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};
use tracing::Instrument;

use super::client::{Answer, Client, Listing};
use crate::clock::Clock;
use crate::domain::id::SsoId;
use crate::domain::sso_view::{SourceFailure, SsoSnapshot, SsoView};
use crate::domain::timestamp::Timestamp;

/// How large all kept views may be together, counted in bytes on the wire, of which memory takes about as many.
const KEPT_BYTES: u64 = 256 * 1024 * 1024;

/// How many views may be kept: each counts as at least this part of [`KEPT_BYTES`].
const KEPT_VIEWS: u64 = 16 * 1024;

/// The kept views and the fetches under way.
pub(super) struct Views {
    client: Arc<Client>,
    clock: Clock,
    budget: Duration,
    max_age: Duration,
    kept: Cache<SsoId, Arc<Kept>>,
    /// Guards the fetches, and every change of `kept`: what is kept comes from the fetch that stands here.
    fetches: Mutex<HashMap<SsoId, Fetch>>,
}

/// Yields the fetch's outcome; closed without one if it came to grief.
type Fetch = watch::Receiver<Option<SsoView>>;

/// What SSO last told about an account.
#[derive(Clone)]
struct Kept {
    snapshot: Arc<SsoSnapshot>,
    etag: Option<HeaderValue>,
    bytes: usize,
    /// When the fetch started; `None` once marked stale: then it serves as a condition only.
    asked: Option<Instant>,
}

impl Views {
    pub(super) fn new(client: Arc<Client>, clock: Clock, budget: Duration, max_age: Duration) -> Self {
        let kept = Cache::builder()
            .max_capacity(KEPT_BYTES)
            .weigher(|_, kept: &Arc<Kept>| u32::try_from(weight(kept.bytes)).unwrap_or(u32::MAX))
            .eviction_policy(EvictionPolicy::lru())
            .build();
        Self { client, clock, budget, max_age, kept, fetches: Mutex::default() }
    }

    /// See [`super::Sso::view`].
    pub(super) async fn view(self: &Arc<Self>, account: SsoId, request_id: &str) -> SsoView {
        let arrived = Instant::now();
        if let Some(snapshot) = self.fresh(account, arrived) {
            return SsoView::Answered(snapshot);
        }
        let mut fetch = match self.join(account, request_id, arrived) {
            Ok(snapshot) => return SsoView::Answered(snapshot),
            Err(fetch) => fetch,
        };
        // Held to the request's own budget too, should the machine be too busy to end the fetch in time.
        match timeout_at(arrived + self.budget, fetch.wait_for(Option::is_some)).await {
            Ok(Ok(outcome)) => outcome.clone().unwrap_or(SsoView::Unavailable(SourceFailure::Timeout)),
            Ok(Err(_)) | Err(_) => SsoView::Unavailable(SourceFailure::Timeout),
        }
    }

    /// See [`super::Sso::mark_stale`]. Those who wait for a fetch under way came before, and may have its outcome; it is
    /// not kept.
    pub(super) fn mark_stale(&self, account: SsoId) {
        let mut fetches = self.fetches();
        fetches.remove(&account);
        if let Some(kept) = self.kept.get(&account) {
            self.kept.insert(account, Arc::new(Kept { asked: None, ..Kept::clone(&kept) }));
        }
    }

    /// What is kept, if a request that came at this time may have it.
    fn fresh(&self, account: SsoId, arrived: Instant) -> Option<Arc<SsoSnapshot>> {
        if self.max_age.is_zero() {
            return None;
        }
        let kept = self.kept.get(&account)?;
        let is_fresh = arrived.saturating_duration_since(kept.asked?) <= self.max_age;
        is_fresh.then(|| Arc::clone(&kept.snapshot))
    }

    /// The fetch under way, or a new one; or what a fetch that just ended left.
    fn join(self: &Arc<Self>, account: SsoId, request_id: &str, arrived: Instant) -> Result<Arc<SsoSnapshot>, Fetch> {
        let mut fetches = self.fetches();
        // A fetch whose task came to grief closed its channel and is no longer under way.
        if let Some(fetch) = fetches.get(&account)
            && fetch.has_changed().is_ok()
        {
            return Err(fetch.clone());
        }
        if let Some(snapshot) = self.fresh(account, arrived) {
            return Ok(snapshot);
        }
        let (sender, receiver) = watch::channel(None);
        fetches.insert(account, receiver.clone());
        let (views, own, request_id) = (Arc::clone(self), receiver.clone(), request_id.to_owned());
        let task = async move {
            let outcome = views.fetch(account, &own, &request_id).await;
            sender.send_replace(Some(outcome));
        };
        tokio::spawn(task.in_current_span());
        Err(receiver)
    }

    /// Asks SSO, and keeps what it says unless this fetch was disowned meanwhile.
    async fn fetch(&self, account: SsoId, own: &Fetch, request_id: &str) -> SsoView {
        let known = self.kept.get(&account);
        let (as_of, asked) = (self.clock.now(), Instant::now());
        let condition = known.as_ref().and_then(|known| known.etag.as_ref());
        let listing = self.client.list(account, condition, request_id).await;
        let kept = listing.and_then(|listing| keep(listing, known.as_deref(), as_of, asked));

        let mut fetches = self.fetches();
        if fetches.get(&account).is_some_and(|current| current.same_channel(own)) {
            fetches.remove(&account);
            if let Ok(kept) = &kept {
                self.kept.insert(account, Arc::clone(kept));
            }
        }
        match kept {
            Ok(kept) => SsoView::Answered(Arc::clone(&kept.snapshot)),
            Err(failure) => SsoView::Unavailable(failure),
        }
    }

    fn fetches(&self) -> MutexGuard<'_, HashMap<SsoId, Fetch>> {
        // Nothing that runs under the lock leaves the map half changed.
        self.fetches.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What to keep of an answer.
fn keep(listing: Listing, known: Option<&Kept>, as_of: Timestamp, asked: Instant) -> Result<Arc<Kept>, SourceFailure> {
    let kept = match listing {
        Listing::NotModified => {
            // Without a condition the client takes no 304, so there is always something known here.
            let known = known.ok_or(SourceFailure::BadStatus)?;
            Kept { snapshot: Arc::new(known.snapshot.confirmed(as_of)), asked: Some(asked), ..known.clone() }
        }
        Listing::Answered(Answer { connections, etag, bytes }) => {
            Kept { snapshot: Arc::new(SsoSnapshot::new(as_of, connections)), etag, bytes, asked: Some(asked) }
        }
    };
    Ok(Arc::new(kept))
}

/// What a view of so many bytes counts for.
fn weight(bytes: usize) -> u64 {
    u64::try_from(bytes).unwrap_or(u64::MAX).max(KEPT_BYTES / KEPT_VIEWS)
}

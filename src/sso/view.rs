//! Each account's view of SSO, kept: how old it may be, one fetch at a time, and what bounds it all.
//!
//! What is asked for is a set of accounts, most often of one. A validator belongs to its exact set, so each set is kept and
//! fetched by itself: nothing of a set of several, its faults least of all, reaches who asks for one of them. A fetch runs in a task of its own, so that a waiting request that goes away does not cancel it for the others. The
//! age of a view counts from its fetch's start. Failures are not kept.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::future::join_all;
use moka::policy::EvictionPolicy;
use moka::sync::Cache;
use reqwest::header::HeaderValue;
use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};
use tracing::Instrument;

use super::client::{Client, Fetched, Listing};
use super::wire::MAX_ACCOUNTS;
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
    kept: Cache<AccountSet, Arc<Kept>>,
    /// Guards the fetches, and every change of `kept`: what is kept comes from the fetch that stands here.
    fetches: Mutex<HashMap<AccountSet, Fetch>>,
}

/// In order, each once, at most [`MAX_ACCOUNTS`].
type AccountSet = Arc<[SsoId]>;

/// What came of asking for a set.
type Outcome = Result<Arc<Kept>, SourceFailure>;

/// Yields the fetch's outcome; closed without one if its task panicked.
type Fetch = watch::Receiver<Option<Outcome>>;

/// What SSO last told about a set of accounts.
#[derive(Clone)]
struct Kept {
    /// Each account's, in the order of the set.
    snapshots: Vec<Arc<SsoSnapshot>>,
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
        match self.of_set(&[account], request_id).await {
            Ok(kept) => match kept.snapshots.first() {
                Some(snapshot) => SsoView::Answered(Arc::clone(snapshot)),
                // A set of one has one snapshot.
                None => SsoView::Unavailable(SourceFailure::BadPayload),
            },
            Err(failure) => SsoView::Unavailable(failure),
        }
    }

    /// See [`super::Sso::views`].
    pub(super) async fn views(
        self: &Arc<Self>,
        accounts: impl IntoIterator<Item = SsoId>,
        request_id: &str,
    ) -> HashMap<SsoId, SsoView> {
        let (mut views, mut to_ask) = (HashMap::new(), Vec::new());
        for account in accounts.into_iter().collect::<BTreeSet<_>>() {
            match self.fresh_view(account) {
                Some(view) => drop(views.insert(account, view)),
                None => to_ask.push(account),
            }
        }
        let sets = to_ask.chunks(MAX_ACCOUNTS).map(async |set| (set, self.of_set(set, request_id).await));
        for (set, outcome) in join_all(sets).await {
            match outcome {
                Ok(kept) => {
                    let snapshots = kept.snapshots.iter().cloned().map(SsoView::Answered);
                    views.extend(set.iter().copied().zip(snapshots));
                }
                Err(failure) => views.extend(set.iter().map(|account| (*account, SsoView::Unavailable(failure)))),
            }
        }
        views
    }

    /// See [`super::Sso::fresh_view`].
    pub(super) fn fresh_view(&self, account: SsoId) -> Option<SsoView> {
        let kept = self.fresh(&[account], Instant::now())?;
        kept.snapshots.first().cloned().map(SsoView::Answered)
    }

    /// See [`super::Sso::mark_stale`]. Those who wait for a fetch under way came before, and may have its outcome; it is
    /// not kept.
    pub(super) fn mark_stale(&self, account: SsoId) {
        let mut fetches = self.fetches();
        fetches.retain(|set, _| !set.contains(&account));
        let of_account: Vec<_> = self.kept.iter().filter(|(set, _)| set.contains(&account)).collect();
        for (set, kept) in of_account {
            self.kept.insert(AccountSet::clone(&set), Arc::new(Kept { asked: None, ..Kept::clone(&kept) }));
        }
    }

    /// What a set was told, from memory if that is young enough, else from SSO.
    async fn of_set(self: &Arc<Self>, set: &[SsoId], request_id: &str) -> Outcome {
        let arrived = Instant::now();
        if let Some(kept) = self.fresh(set, arrived) {
            return Ok(kept);
        }
        let mut fetch = match self.join(set, request_id, arrived) {
            Ok(kept) => return Ok(kept),
            Err(fetch) => fetch,
        };
        // Held to the request's own budget too, should the machine be too busy to end the fetch in time.
        match timeout_at(arrived + self.budget, fetch.wait_for(Option::is_some)).await {
            Ok(Ok(outcome)) => outcome.clone().unwrap_or(Err(SourceFailure::Timeout)),
            Ok(Err(_)) | Err(_) => Err(SourceFailure::Timeout),
        }
    }

    /// What is kept, if a request that came at this time may have it.
    fn fresh(&self, set: &[SsoId], arrived: Instant) -> Option<Arc<Kept>> {
        if self.max_age.is_zero() {
            return None;
        }
        let kept = self.kept.get(set)?;
        let is_fresh = arrived.saturating_duration_since(kept.asked?) <= self.max_age;
        is_fresh.then_some(kept)
    }

    /// The fetch under way, or a new one; or what a fetch that just ended left.
    fn join(self: &Arc<Self>, set: &[SsoId], request_id: &str, arrived: Instant) -> Result<Arc<Kept>, Fetch> {
        let mut fetches = self.fetches();
        // A fetch whose task came to grief closed its channel and is no longer under way.
        if let Some(fetch) = fetches.get(set)
            && fetch.has_changed().is_ok()
        {
            return Err(fetch.clone());
        }
        if let Some(kept) = self.fresh(set, arrived) {
            return Ok(kept);
        }
        let (sender, receiver) = watch::channel(None);
        let set = AccountSet::from(set);
        fetches.insert(AccountSet::clone(&set), receiver.clone());
        let (views, own, request_id) = (Arc::clone(self), receiver.clone(), request_id.to_owned());
        let task = async move {
            let outcome = views.fetch(&set, &own, &request_id).await;
            sender.send_replace(Some(outcome));
        };
        tokio::spawn(task.in_current_span());
        Err(receiver)
    }

    /// Asks SSO, and keeps what it says unless this fetch was disowned meanwhile.
    async fn fetch(&self, set: &AccountSet, own: &Fetch, request_id: &str) -> Outcome {
        let known = self.kept.get(set);
        let (as_of, asked) = (self.clock.now(), Instant::now());
        let condition = known.as_ref().and_then(|known| known.etag.as_ref());
        let listing = self.client.list(set, condition, request_id).await;
        let outcome = listing.and_then(|listing| keep(listing, known.as_deref(), as_of, asked));

        let mut fetches = self.fetches();
        if fetches.get(set).is_some_and(|current| current.same_channel(own)) {
            fetches.remove(set);
            if let Ok(kept) = &outcome {
                self.kept.insert(AccountSet::clone(set), Arc::clone(kept));
            }
        }
        outcome
    }

    fn fetches(&self) -> MutexGuard<'_, HashMap<AccountSet, Fetch>> {
        // Nothing that runs under the lock leaves the map half changed.
        self.fetches.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What to keep of an answer.
fn keep(listing: Listing, known: Option<&Kept>, as_of: Timestamp, asked: Instant) -> Outcome {
    let kept = match listing {
        Listing::NotModified => {
            // Without a condition the client takes no 304, so there is always something known here.
            let known = known.ok_or(SourceFailure::BadStatus)?;
            let snapshots = known.snapshots.iter().map(|snapshot| Arc::new(snapshot.confirmed(as_of))).collect();
            Kept { snapshots, asked: Some(asked), ..known.clone() }
        }
        Listing::Answered(Fetched { connections, etag, bytes }) => {
            let snapshot = |connections| Arc::new(SsoSnapshot::new(as_of, connections));
            Kept { snapshots: connections.into_iter().map(snapshot).collect(), etag, bytes, asked: Some(asked) }
        }
    };
    Ok(Arc::new(kept))
}

/// What a view of so many bytes counts for.
fn weight(bytes: usize) -> u64 {
    u64::try_from(bytes).unwrap_or(u64::MAX).max(KEPT_BYTES / KEPT_VIEWS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::id::ObjectId;

    fn views() -> Views {
        let url = "http://localhost".parse().unwrap();
        let client = Client::new(&url, &"token".to_owned().into(), Duration::from_secs(1), None).unwrap();
        Views::new(Arc::new(client), Clock::default(), Duration::from_secs(1), Duration::from_secs(1))
    }

    fn keep_many(views: &Views, count: u32, bytes: usize) {
        let snapshot = Arc::new(SsoSnapshot::new(Timestamp::EPOCH, Vec::new()));
        for number in 0..count {
            let snapshots = vec![Arc::clone(&snapshot)];
            let kept = Kept { snapshots, etag: None, bytes, asked: Some(Instant::now()) };
            views.kept.insert([ObjectId::from_parts(number, [0; 5], 0).into()].into(), Arc::new(kept));
        }
        views.kept.run_pending_tasks();
    }

    #[test]
    fn kept_views_are_bounded_in_number() {
        let views = views();
        keep_many(&views, 20_000, 10);
        assert_eq!(views.kept.entry_count(), KEPT_VIEWS);
    }

    #[test]
    fn kept_views_are_bounded_in_size_and_the_latest_stay() {
        let views = views();
        keep_many(&views, 9, 50 * 1024 * 1024);
        assert_eq!(views.kept.entry_count(), 5);
        assert!(views.fresh_view(ObjectId::from_parts(8, [0; 5], 0).into()).is_some());
        assert!(views.fresh_view(ObjectId::from_parts(0, [0; 5], 0).into()).is_none());
    }
}

//! What SSO last said of each account, kept for a moment, and fetched once for all requests that wait for it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared};
use moka::sync::Cache;
use reqwest::header::HeaderValue;
use tokio::time::Instant;

use super::client::{Client, ListAnswer};
use crate::clock::Clock;
use crate::domain::id::SsoId;
use crate::domain::sso_view::{SourceFailure, SsoSnapshot, SsoView};

/// How much memory kept lists may take, roughly, in bytes.
const LARGEST_KEPT: u64 = 128 * 1024 * 1024;
/// What one account, and each of its connections, is counted as.
const ACCOUNT_SIZE: usize = 512;
const CONNECTION_SIZE: usize = 512;

/// A list that was fetched, and how to ask for it again.
#[derive(Clone)]
struct Kept {
    snapshot: SsoSnapshot,
    etag: Option<HeaderValue>,
    /// When its fetch started: what its age is counted from.
    started: Instant,
    is_stale: bool,
}

/// A fetch under way.
#[derive(Clone)]
struct Flight {
    number: u64,
    view: Shared<BoxFuture<'static, SsoView>>,
}

#[derive(Default)]
struct Flights {
    by_account: HashMap<SsoId, Flight>,
    last_number: u64,
}

pub(super) struct Views {
    client: Arc<Client>,
    max_age: Duration,
    clock: Clock,
    kept: Cache<SsoId, Kept>,
    flights: Mutex<Flights>,
}

impl Views {
    pub(super) fn new(client: Arc<Client>, max_age: Duration, clock: Clock) -> Self {
        let size = |_: &SsoId, kept: &Kept| {
            let size = ACCOUNT_SIZE + kept.snapshot.connections().len() * CONNECTION_SIZE;
            u32::try_from(size).unwrap_or(u32::MAX)
        };
        let kept = Cache::builder().max_capacity(LARGEST_KEPT).weigher(size).build();
        Self { client, max_age, clock, kept, flights: Mutex::default() }
    }

    /// From memory when young enough, else from a fetch that is under way, else from a new one. A request that goes
    /// away does not end a fetch that others wait for.
    pub(super) async fn view(this: &Arc<Self>, account: SsoId, request_id: &str) -> SsoView {
        let arrived = Instant::now();
        let kept = this.kept.get(&account);
        if let Some(kept) = kept.as_ref().filter(|kept| !kept.is_stale && !this.max_age.is_zero())
            && arrived.duration_since(kept.started) <= this.max_age
        {
            return SsoView::Answered(kept.snapshot.clone());
        }
        let view = this.flight(account, kept, request_id);
        let waited = tokio::time::timeout(this.client.budget, view).await;
        waited.unwrap_or(SsoView::Unavailable(SourceFailure::Timeout))
    }

    /// What is kept, and what is being fetched now, no longer serves requests that come after this.
    pub(super) fn mark_stale(&self, account: SsoId) {
        let mut flights = self.flights();
        flights.by_account.remove(&account);
        if let Some(kept) = self.kept.get(&account) {
            self.kept.insert(account, Kept { is_stale: true, ..kept });
        }
    }

    fn flight(
        self: &Arc<Self>,
        account: SsoId,
        kept: Option<Kept>,
        request_id: &str,
    ) -> Shared<BoxFuture<'static, SsoView>> {
        let mut flights = self.flights();
        if let Some(flight) = flights.by_account.get(&account) {
            return flight.view.clone();
        }
        flights.last_number += 1;
        let number = flights.last_number;
        let landing = Landing { views: Arc::clone(self), account, number };
        let task = tokio::spawn(landing.fetch(kept, request_id.to_owned()));
        // A task that panicked told nothing.
        let view = task.map(|view| view.unwrap_or(SsoView::Unavailable(SourceFailure::BadPayload))).boxed().shared();
        flights.by_account.insert(account, Flight { number, view: view.clone() });
        view
    }

    fn flights(&self) -> MutexGuard<'_, Flights> {
        self.flights.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A fetch's own end of its flight: takes it off the list however the fetch ends.
struct Landing {
    views: Arc<Views>,
    account: SsoId,
    number: u64,
}

impl Landing {
    async fn fetch(self, kept: Option<Kept>, request_id: String) -> SsoView {
        let (started, as_of) = (Instant::now(), self.views.clock.now());
        let etag = kept.as_ref().and_then(|kept| kept.etag.as_ref());
        let fetched = match (self.views.client.list(self.account, etag, &request_id).await, kept) {
            (Ok(ListAnswer::Listed { connections, etag }), _) => {
                Kept { snapshot: SsoSnapshot::new(as_of, connections), etag, started, is_stale: false }
            }
            (Ok(ListAnswer::Unchanged), Some(kept)) => {
                Kept { snapshot: kept.snapshot.confirmed(as_of), etag: kept.etag, started, is_stale: false }
            }
            // The client asks conditionally only with an ETag of ours.
            (Ok(ListAnswer::Unchanged), None) => return SsoView::Unavailable(SourceFailure::BadStatus),
            (Err(failure), _) => return SsoView::Unavailable(failure),
        };
        let snapshot = fetched.snapshot.clone();
        let flights = self.views.flights();
        // Marked stale meanwhile: good for those who waited, not for those who come.
        if self.is_current(&flights) {
            self.views.kept.insert(self.account, fetched);
        }
        drop(flights);
        SsoView::Answered(snapshot)
    }

    fn is_current(&self, flights: &Flights) -> bool {
        flights.by_account.get(&self.account).is_some_and(|flight| flight.number == self.number)
    }
}

impl Drop for Landing {
    fn drop(&mut self) {
        let mut flights = self.views.flights();
        if self.is_current(&flights) {
            flights.by_account.remove(&self.account);
        }
    }
}

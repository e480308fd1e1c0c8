//! How many requests are worked on at once. What comes on top is refused at once, before anything is done for it: it would
//! only wait, and make all others wait with it. A burst may be larger, since it passes; what lasts is no burst.
//!
//! A request has its place while it is worked on, and not while its client sends a body slowly.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::Extensions;
use http_server::ConnectionLimitExceeded;
use metrics::{counter, gauge};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::sleep;
use tower::Service;

use crate::api_error::ApiError;

/// So many times what is worked on at once a burst may have.
const BURST: usize = 4;

/// How long a burst may last, and how long there must have been none before the next.
const LONGEST_BURST: Duration = Duration::from_secs(1);

/// How often the log tells how many were refused.
const TOLD_EVERY: Duration = Duration::from_secs(1);

/// How many bodies may come slowly at once, each of which may take 256 kB of memory for as long as its client may take.
const MOST_SLOW_BODIES: usize = 500;

/// The places there are. Clones share them.
#[derive(Debug, Clone)]
pub struct Capacity(Arc<Places>);

#[derive(Debug)]
struct Places {
    /// Of which more are taken in a burst alone.
    usual: usize,
    all: usize,
    free: Arc<Semaphore>,
    burst: Mutex<Option<Burst>>,
    slow_bodies: Arc<Semaphore>,
    /// How many were refused of which the log does not tell yet.
    untold: AtomicU64,
}

/// The last time that the usual places were not enough.
#[derive(Debug)]
struct Burst {
    began: Instant,
    last: Instant,
}

impl Capacity {
    /// For so many requests at once, but in a burst.
    #[must_use]
    pub fn new(usual: usize) -> Self {
        let all = usual.saturating_mul(BURST).min(Semaphore::MAX_PERMITS);
        Self(Arc::new(Places {
            usual,
            all,
            free: Arc::new(Semaphore::new(all)),
            burst: Mutex::default(),
            slow_bodies: Arc::new(Semaphore::new(MOST_SLOW_BODIES)),
            untold: AtomicU64::new(0),
        }))
    }

    fn place_at(&self, now: Instant) -> Option<OwnedSemaphorePermit> {
        let Places { usual, all, free, burst, .. } = &*self.0;
        if all - free.available_permits() >= *usual {
            let mut burst = burst.lock().unwrap_or_else(PoisonError::into_inner);
            let began = match &*burst {
                Some(Burst { began, last }) if now - *last < LONGEST_BURST => *began,
                _ => now,
            };
            *burst = Some(Burst { began, last: now });
            if now - began >= LONGEST_BURST {
                return None;
            }
        }
        Arc::clone(free).try_acquire_owned().ok()
    }

    fn shed(&self) -> ApiError {
        self.note_shed();
        ApiError::overloaded()
    }

    /// Counts one that is refused. The log tells of all of a second at once.
    fn note_shed(&self) {
        counter!("http_requests_shed_total").increment(1);
        if self.0.untold.fetch_add(1, Ordering::Relaxed) == 0 {
            let places = Arc::clone(&self.0);
            tokio::spawn(async move {
                sleep(TOLD_EVERY).await;
                let requests = places.untold.swap(0, Ordering::Relaxed);
                tracing::warn!(requests, "requests were refused: too much to do");
            });
        }
    }
}

/// A request's place. Clones are one, found among its extensions.
#[derive(Debug, Clone)]
pub struct Place {
    capacity: Capacity,
    held: Arc<Mutex<Option<Held>>>,
}

/// Counts while it is there.
#[derive(Debug)]
struct Held(#[expect(dead_code, reason = "gives the place back when it is dropped")] OwnedSemaphorePermit);

impl Held {
    fn of(capacity: &Capacity) -> Option<Self> {
        let permit = capacity.place_at(Instant::now())?;
        gauge!("http_requests_in_progress").increment(1);
        Some(Self(permit))
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        gauge!("http_requests_in_progress").decrement(1);
    }
}

impl Place {
    /// None while the request's connection has no room.
    fn take(capacity: &Capacity, extensions: &Extensions) -> Option<Self> {
        if extensions.get::<ConnectionLimitExceeded>().is_some() {
            return None;
        }
        let held = Held::of(capacity)?;
        Some(Self { capacity: capacity.clone(), held: Arc::new(Mutex::new(Some(held))) })
    }

    /// Lets another request have it, until the body has come. What it gives counts among those that wait for that.
    ///
    /// # Errors
    /// Too many do.
    pub(super) fn leave_for_body(&self) -> Result<OwnedSemaphorePermit, ApiError> {
        let slow = Arc::clone(&self.capacity.0.slow_bodies).try_acquire_owned().map_err(|_| self.capacity.shed())?;
        self.hold(None);
        Ok(slow)
    }

    /// Comes back.
    ///
    /// # Errors
    /// No place is free.
    pub(super) fn come_back(&self) -> Result<(), ApiError> {
        let held = Held::of(&self.capacity).ok_or_else(|| self.capacity.shed())?;
        self.hold(Some(held));
        Ok(())
    }

    fn hold(&self, held: Option<Held>) {
        *self.held.lock().unwrap_or_else(PoisonError::into_inner) = held;
    }
}

/// Who is worked for, and how the others are told.
#[derive(Debug, Clone)]
pub struct Admission {
    /// The places.
    pub capacity: Capacity,
    /// Whether a request needs one.
    pub is_limited: fn(&Request) -> bool,
    /// Answers the requests that get none.
    pub refusals: Router,
}

/// The layer, for `axum::middleware::from_fn_with_state`, around all else: what is refused has not even been looked at.
pub async fn admit(State(admission): State<Admission>, mut request: Request, next: Next) -> Response {
    let Admission { capacity, is_limited, mut refusals } = admission;
    if !is_limited(&request) {
        return next.run(request).await;
    }
    let Some(place) = Place::take(&capacity, request.extensions()) else {
        capacity.note_shed();
        let Ok(response) = refusals.call(request).await;
        return response;
    };
    request.extensions_mut().insert(place.clone());
    let response = next.run(request).await;
    place.hold(None);
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn as_many_as_there_are(capacity: &Capacity, now: Instant) -> Vec<OwnedSemaphorePermit> {
        std::iter::from_fn(|| capacity.place_at(now)).collect()
    }

    #[test]
    fn a_burst_has_more_places_and_what_lasts_has_the_usual_ones() {
        let capacity = Capacity::new(3);
        let start = Instant::now();
        let burst = as_many_as_there_are(&capacity, start);
        assert_eq!(burst.len(), 12);
        let later = start + LONGEST_BURST / 2;
        assert!(capacity.place_at(later).is_none(), "it goes on");
        drop(burst);
        let later = later + LONGEST_BURST * 6 / 10;
        let usual = as_many_as_there_are(&capacity, later);
        assert_eq!(usual.len(), 3, "it has gone on for too long");
        let next = as_many_as_there_are(&capacity, later + LONGEST_BURST);
        assert_eq!(usual.len() + next.len(), 12, "there was none for a while");
    }

    #[tokio::test]
    async fn bodies_that_come_slowly_are_counted_apart() {
        let capacity = Capacity::new(1);
        let wait = || Place::take(&capacity, &Extensions::new()).unwrap().leave_for_body();
        let waiting: Vec<_> = (0..MOST_SLOW_BODIES).map(|_| wait().unwrap()).collect();
        assert_eq!(wait().unwrap_err(), ApiError::overloaded());
        drop(waiting);
        assert!(wait().is_ok());
    }
}

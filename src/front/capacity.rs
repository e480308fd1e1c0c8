//! How many requests are worked on at once. What comes on top is refused at once, before anything is done for it: it would
//! only wait, and make all others wait with it.
//!
//! A request has its place while it is worked on, and not while its client sends a body slowly.

use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::Extensions;
use metrics::{counter, gauge};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::api_error::ApiError;

/// The places there are. Clones share them.
#[derive(Debug, Clone)]
pub struct Capacity(Arc<Semaphore>);

impl Capacity {
    /// For so many requests at once.
    #[must_use]
    pub fn new(most: usize) -> Self {
        Self(Arc::new(Semaphore::new(most.min(Semaphore::MAX_PERMITS))))
    }
}

/// Among a request's extensions: its connection is one more than the server has room for, and was taken so that the client
/// can be told.
#[derive(Debug, Clone, Copy)]
pub struct NoRoom;

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
        let permit = Arc::clone(&capacity.0).try_acquire_owned().ok()?;
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
        if extensions.get::<NoRoom>().is_some() {
            return None;
        }
        let held = Held::of(capacity)?;
        Some(Self { capacity: capacity.clone(), held: Arc::new(Mutex::new(Some(held))) })
    }

    /// Lets another request have it.
    pub(super) fn leave(&self) {
        self.hold(None);
    }

    /// Comes back.
    ///
    /// # Errors
    /// No place is free.
    pub(super) fn come_back(&self) -> Result<(), ApiError> {
        let held = Held::of(&self.capacity).ok_or_else(shed)?;
        self.hold(Some(held));
        Ok(())
    }

    fn hold(&self, held: Option<Held>) {
        *self.held.lock().unwrap_or_else(PoisonError::into_inner) = held;
    }
}

/// How a front end tells of an error that is the whole answer.
pub type Refuse = fn(&Request, ApiError) -> Response;

/// The layer, for `axum::middleware::from_fn_with_state`, around the handlers of a front end.
pub async fn admit(State((capacity, refuse)): State<(Capacity, Refuse)>, mut request: Request, next: Next) -> Response {
    let Some(place) = Place::take(&capacity, request.extensions()) else {
        return refuse(&request, shed());
    };
    request.extensions_mut().insert(place.clone());
    let response = next.run(request).await;
    place.leave();
    response
}

fn shed() -> ApiError {
    counter!("http_requests_shed_total").increment(1);
    ApiError::overloaded()
}

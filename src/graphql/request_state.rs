//! What one request's resolvers know and leave behind. Nothing of it outlives the request.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_graphql::Context;

use crate::api_error::ApiError;
use crate::app::App;
use crate::domain::caller::Caller;
use crate::domain::sso_view::SsoView;

/// One request.
pub struct RequestState {
    /// What the resolvers call.
    pub app: App,
    /// Who asks.
    pub caller: Arc<Caller>,
    /// The id that goes into logs, the trail and SSO.
    pub request_id: Box<str>,
    is_degraded: AtomicBool,
}

impl RequestState {
    /// A fresh one.
    #[must_use]
    pub fn new(app: App, caller: Arc<Caller>, request_id: &str) -> Self {
        Self { app, caller, request_id: request_id.into(), is_degraded: AtomicBool::new(false) }
    }

    /// The running request's.
    ///
    /// # Errors
    /// When the handler forgot to add it, which is a defect.
    pub fn of<'a>(context: &Context<'a>) -> Result<&'a Self, ApiError> {
        let state = context.data_opt::<Arc<Self>>().map(Arc::as_ref);
        state.ok_or_else(|| {
            tracing::error!("a request has no state");
            ApiError::internal()
        })
    }

    /// Remembers that a part of the answer lacks what SSO would have told.
    pub fn note(&self, sso: &SsoView) {
        if sso.failure().is_some() {
            self.is_degraded.store(true, Ordering::Relaxed);
        }
    }

    /// Whether any part of the answer is degraded.
    pub fn is_degraded(&self) -> bool {
        self.is_degraded.load(Ordering::Relaxed)
    }
}

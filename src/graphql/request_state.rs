//! What one request's resolvers know and leave behind. Nothing of it outlives the request.

use std::sync::{Arc, Mutex, PoisonError};

use async_graphql::Context;

use crate::api_error::ApiError;
use crate::app::App;
use crate::domain::caller::Caller;
use crate::domain::sso_view::SsoView;
use crate::front::request_log::RequestFacts;
use crate::service::sso_allowance::SsoAllowance;

use super::batches::Batches;

/// One request.
pub struct RequestState {
    /// What the resolvers call.
    pub app: App,
    /// Who asks.
    pub caller: Arc<Caller>,
    /// The id that goes into logs, the trail and SSO.
    pub request_id: Box<str>,
    /// The request's batched reads.
    pub batches: Batches,
    /// What it may still wait for SSO.
    pub sso_allowance: SsoAllowance,
    /// What belongs in the request's log line.
    pub facts: RequestFacts,
    sso: Mutex<SsoView>,
}

impl RequestState {
    /// A fresh one.
    #[must_use]
    pub fn new(app: App, caller: Arc<Caller>, request_id: &str, facts: RequestFacts) -> Self {
        let sso_allowance = app.connections.sso_allowance();
        let batches = Batches::new(&app.connections, &caller, request_id, sso_allowance.clone());
        Self {
            app,
            caller,
            request_id: request_id.into(),
            batches,
            sso_allowance,
            facts,
            sso: Mutex::new(SsoView::Skipped),
        }
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

    /// Remembers how SSO did for a part of the answer. That a part is degraded outweighs all else.
    pub fn note(&self, sso: &SsoView) {
        let mut noted = self.sso.lock().unwrap_or_else(PoisonError::into_inner);
        if noted.failure().is_none() && !matches!(sso, SsoView::Skipped) {
            *noted = sso.clone();
        }
    }

    /// How SSO did for the answer; unavailable: a part of it is degraded.
    pub fn sso(&self) -> SsoView {
        self.sso.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

//! Asking SSO for accounts' lists, and what it means when SSO is down: the one place where reads fail open.

use std::collections::HashMap;

use crate::domain::id::SsoId;
use crate::domain::sso_view::SsoView;
use crate::sso::Sso;

use super::sso_allowance::SsoAllowance;
use super::{Connections, ServiceError};

/// What a read does about SSO.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Consistency {
    /// SSO down: local rows, degraded.
    #[default]
    FailOpen,
    /// SSO down: an error.
    RequireSso,
    /// SSO is not asked.
    LocalOnly,
}

/// Where a read has SSO's views from. A front end may put batches in between.
pub trait SsoViews: Sync {
    /// An account's view. Never [`SsoView::Skipped`].
    fn view(&self, account: SsoId) -> impl Future<Output = SsoView> + Send;

    /// Several accounts' views, in one call as far as possible. None is missing, and none is [`SsoView::Skipped`].
    fn views(&self, accounts: Vec<SsoId>) -> impl Future<Output = HashMap<SsoId, SsoView>> + Send;
}

/// SSO itself, asked on behalf of one request.
#[derive(Clone)]
pub struct DirectViews {
    sso: Sso,
    request_id: Box<str>,
    allowance: SsoAllowance,
}

impl DirectViews {
    /// What needs no asking: a view in memory that is young enough.
    #[must_use]
    pub fn fresh(&self, account: SsoId) -> Option<SsoView> {
        self.sso.fresh_view(account)
    }
}

impl SsoViews for DirectViews {
    async fn view(&self, account: SsoId) -> SsoView {
        let asked = self.sso.view(account, &self.request_id);
        self.allowance.spend(asked).await.unwrap_or_else(SsoView::Unavailable)
    }

    async fn views(&self, accounts: Vec<SsoId>) -> HashMap<SsoId, SsoView> {
        let asked = self.sso.views(accounts.iter().copied(), &self.request_id);
        let too_late = |failure| accounts.iter().map(|account| (*account, SsoView::Unavailable(failure))).collect();
        self.allowance.spend(asked).await.unwrap_or_else(too_late)
    }
}

impl Connections {
    /// SSO's views for a request of this id, which has this left to wait for them.
    #[must_use]
    pub fn views(&self, request_id: &str, allowance: SsoAllowance) -> DirectViews {
        DirectViews { sso: self.sso.clone(), request_id: request_id.into(), allowance }
    }
}

/// SSO's view of an account, as the consistency wants it. Unavailable is a value, unless SSO was required.
pub(super) async fn consult(
    views: &impl SsoViews,
    account: SsoId,
    consistency: Consistency,
) -> Result<SsoView, ServiceError> {
    if consistency == Consistency::LocalOnly {
        return Ok(SsoView::Skipped);
    }
    match views.view(account).await {
        SsoView::Unavailable(failure) if consistency == Consistency::RequireSso => {
            Err(ServiceError::SsoUnavailable(failure))
        }
        view => Ok(view),
    }
}

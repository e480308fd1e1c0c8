//! Asking SSO for an account's list, and what it means when SSO is down: the one place where reads fail open.

use crate::domain::id::SsoId;
use crate::domain::sso_view::SsoView;

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

impl Connections {
    /// SSO's view of an account, as the consistency wants it. Unavailable is a value, unless SSO was required.
    pub(super) async fn consult(
        &self,
        account: SsoId,
        consistency: Consistency,
        request_id: &str,
    ) -> Result<SsoView, ServiceError> {
        if consistency == Consistency::LocalOnly {
            return Ok(SsoView::Skipped);
        }
        match self.sso.view(account, request_id).await {
            SsoView::Unavailable(failure) if consistency == Consistency::RequireSso => {
                Err(ServiceError::SsoUnavailable(failure))
            }
            view => Ok(view),
        }
    }
}

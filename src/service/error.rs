//! What can go wrong behind the front ends, apart from refusals, which are data.

use crate::domain::sso_view::SourceFailure;
use crate::store::StoreError;

/// Why a verb could not do its work.
#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    /// The client insisted on SSO, and SSO could not be consulted.
    #[error("SSO was required and is unavailable ({})", .0.as_str())]
    SsoUnavailable(SourceFailure),
    /// The verb is for superusers.
    #[error("a superuser is required")]
    SuperuserRequired,
    /// The database could not do it.
    #[error("the store failed")]
    Store(#[from] StoreError),
    /// The work was broken off by a defect of ours.
    #[error("a task ended before its work was done")]
    Task(#[from] tokio::task::JoinError),
}

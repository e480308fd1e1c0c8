//! The caller of a REST route, as an extractor: refused before anything else of the request is looked at.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;

use crate::app::App;
use crate::domain::caller::Caller;
use crate::front::authentication::authenticate;

use super::error::RestError;

/// The authenticated caller.
#[derive(Debug, Clone)]
pub struct RestCaller(pub Arc<Caller>);

impl FromRequestParts<App> for RestCaller {
    type Rejection = RestError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, RestError> {
        Ok(Self(authenticate(&parts.headers, &parts.extensions, app).await?))
    }
}

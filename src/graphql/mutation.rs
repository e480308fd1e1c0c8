//! The root of writing.

use async_graphql::{Context, Object};

use crate::api_error::ApiError;
use crate::domain::id::SsoConnectionId;
use crate::domain::repair::{RepairVia, reason};
use crate::front::authentication::require_superuser;
use crate::service::repair::RepairRequest;

use super::request_state::RequestState;
use super::types::inputs::RepairConnectionInput;
use super::types::repair::RepairConnectionPayload;

/// The root of writing.
pub struct Mutation;

/// The root of writing.
#[Object]
#[expect(clippy::doc_markdown, reason = "clients read it in the schema")]
impl Mutation {
    /// Superusers. Inserts the missing row; touches no account_entities, redeploys no flow. REST: POST /connections.
    async fn repair_connection(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "What to repair.")] input: RepairConnectionInput,
    ) -> Result<RepairConnectionPayload, ApiError> {
        let RepairConnectionInput { connection_id, account_id, dry_run, reason: text } = input;
        let state = RequestState::of(context)?;
        let connection_id = SsoConnectionId(connection_id.0);
        require_superuser(&state.caller)?;
        let reason = text.as_deref().map(reason).transpose().map_err(|error| ApiError::bad_input(error.to_string()))?;
        let is_dry_run = dry_run.get("dryRun")?;
        let account = account_id.map(|account| account.0.into());
        let request = RepairRequest {
            connection_id,
            is_dry_run,
            reason,
            via: RepairVia::Graphql,
            request_id: state.request_id.clone(),
            sso_allowance: state.sso_allowance.clone(),
        };
        let repair = state.app.connections.repair(&state.caller, account, request).await?;
        state.facts.sso(repair.sso);
        Ok(RepairConnectionPayload::new(repair, connection_id))
    }
}

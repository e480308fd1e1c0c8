//! What a repair answers, and the trail it leaves.

#![expect(missing_docs, reason = "the library's derive writes methods without them")]

use async_graphql::{Context, ID, Interface, Object, SimpleObject};

use crate::api_error::ApiError;
use crate::domain::caller::Account;
use crate::domain::id::SsoConnectionId;
use crate::domain::raw_json::RawJson;
use crate::domain::repair::{self as domain, RepairRefusal, UNTOUCHED_TABLES};
use crate::graphql::error::nullable;
use crate::graphql::global_id::GlobalId;
use crate::graphql::request_state::RequestState;
use crate::graphql::selected::wanted_of_partnership;
use crate::service::Consistency;
use crate::service::repair::Repair;

use super::enums::{DataSource, RepairErrorCode, RepairOutcome, RepairTrigger};
use super::partnership::Partnership;
use super::scalars::{DateTime, Json};

/// What came of repairConnection.
pub struct RepairConnectionPayload {
    repair: Repair,
    connection_id: SsoConnectionId,
}

impl RepairConnectionPayload {
    /// Of a repair of one connection.
    #[must_use]
    pub fn new(repair: Repair, connection_id: SsoConnectionId) -> Self {
        Self { repair, connection_id }
    }
}

/// What came of repairConnection.
#[Object]
impl RepairConnectionPayload {
    /// What came of it. null when it was refused; userErrors says why.
    async fn outcome(&self) -> Option<RepairOutcome> {
        self.repair.result.ok().map(Into::into)
    }

    /// The connection, now COMPLETED. null when it was refused, and in a dry run.
    async fn partnership(&self, context: &Context<'_>) -> Option<Partnership> {
        if self.repair.result != Ok(domain::RepairOutcome::Created) {
            return None;
        }
        existing(context, self.repair.tenant.as_ref(), self.connection_id).await
    }

    /// What was, or in a dry run would be, written. null when it was refused.
    async fn plan(&self) -> Option<RepairPlan> {
        self.repair.plan.as_ref().map(|row| RepairPlan {
            changes: row.changes().into_iter().map(Into::into).collect(),
            untouched: UNTOUCHED_TABLES.map(str::to_owned).to_vec(),
        })
    }

    /// The entry in the trail. null in a dry run, which leaves none.
    async fn record(&self) -> Option<RepairRecord> {
        self.repair.record.clone().map(RepairRecord)
    }

    /// Empty: success. Expected refusals are data here, not `errors`.
    async fn user_errors(&self) -> Vec<RepairUserError> {
        let refusal = self.repair.result.err();
        let error = |refusal| RepairUserError {
            refusal,
            tenant: self.repair.tenant.clone(),
            connection_id: self.connection_id,
        };
        refusal.map(error).into_iter().collect()
    }
}

/// The tenant's connection as it is after, or in spite of, the repair.
async fn existing(context: &Context<'_>, tenant: Option<&Account>, id: SsoConnectionId) -> Option<Partnership> {
    let wanted = wanted_of_partnership(&context.look_ahead());
    let found = async {
        let (Some(tenant), state) = (tenant, RequestState::of(context)?) else { return Ok(None) };
        let connections = &state.app.connections;
        let found = connections.get(tenant, id.0, wanted, Consistency::FailOpen, &state.batches).await?;
        state.note(&found.sso);
        Ok::<_, ApiError>(found.connection.map(Partnership))
    };
    nullable(context, found.await)
}

/// What a repair writes.
#[derive(Debug, SimpleObject)]
pub struct RepairPlan {
    /// The columns of the new row, without its id.
    changes: Vec<FieldChange>,
    /// Tables it leaves alone.
    untouched: Vec<String>,
}

/// A column that a repair writes.
#[derive(Debug, SimpleObject)]
pub struct FieldChange {
    /// The column's name.
    path: String,
    /// What stood there. null: nothing, the row is new.
    before: Option<Json>,
    /// What is written. null: the column is left empty.
    after: Option<Json>,
    /// Where the value comes from.
    from: DataSource,
}

impl From<domain::FieldChange> for FieldChange {
    fn from(change: domain::FieldChange) -> Self {
        let domain::FieldChange { path, before, after, from } = change;
        let json = |value: RawJson| (!value.is_null()).then(|| Json::from(&value));
        Self { path: path.into(), before: json(before), after: json(after), from: from.into() }
    }
}

/// An expected refusal.
#[derive(Interface)]
#[graphql(
    field(name = "message", ty = "String", desc = "What was wrong, and what to do."),
    field(name = "field", ty = "Option<Vec<String>>", desc = "Path in the input. null: of no single field.")
)]
pub enum UserError {
    /// Of a repair.
    RepairUserError(RepairUserError),
}

/// Why a repair was refused.
pub struct RepairUserError {
    refusal: RepairRefusal,
    tenant: Option<Account>,
    connection_id: SsoConnectionId,
}

/// Why a repair was refused.
#[Object]
impl RepairUserError {
    /// What was wrong, and what to do.
    async fn message(&self) -> &'static str {
        self.refusal.explanation()
    }

    /// Path in the input. null: of no single field.
    async fn field(&self) -> Option<Vec<String>> {
        let name = match self.refusal {
            RepairRefusal::AccountNotFound => "accountId",
            RepairRefusal::AlreadyExists | RepairRefusal::SsoConnectionNotFound | RepairRefusal::SsoUnavailable => {
                "connectionId"
            }
        };
        Some(vec![name.to_owned()])
    }

    /// Which refusal it is.
    async fn code(&self) -> RepairErrorCode {
        self.refusal.into()
    }

    /// Whether waiting helps.
    async fn retryable(&self) -> bool {
        self.refusal.is_retryable()
    }

    /// For ALREADY_EXISTS: the connection that is there. null for every other code.
    async fn existing(&self, context: &Context<'_>) -> Option<Partnership> {
        if self.refusal != RepairRefusal::AlreadyExists {
            return None;
        }
        existing(context, self.tenant.as_ref(), self.connection_id).await
    }
}

/// An attempt at a repair, as the trail keeps it.
pub struct RepairRecord(pub domain::RepairRecord);

/// An attempt at a repair, as the trail keeps it.
#[Object]
impl RepairRecord {
    /// Opaque; stable for life.
    pub async fn id(&self) -> ID {
        GlobalId::RepairRecord(self.0.account_id, self.0.id).into()
    }

    /// When.
    async fn at(&self) -> DateTime {
        DateTime(self.0.created_at)
    }

    /// Who tried: an e-mail address, or what the command line was told.
    async fn actor(&self) -> &str {
        &self.0.actor
    }

    /// By which door.
    async fn via(&self) -> RepairTrigger {
        self.0.via.into()
    }

    /// Why, in the actor's words. null: none was given.
    async fn reason(&self) -> Option<&str> {
        self.0.reason.as_deref()
    }

    /// The request that it came with.
    async fn request_id(&self) -> &str {
        &self.0.request_id
    }

    /// What came of it. null when it was refused.
    async fn outcome(&self) -> Option<RepairOutcome> {
        self.0.outcome().map(Into::into)
    }

    /// Why it was refused. null when it was not.
    async fn error_code(&self) -> Option<RepairErrorCode> {
        self.0.refusal().map(Into::into)
    }

    /// What was written; empty when nothing was.
    async fn changes(&self) -> Vec<FieldChange> {
        self.0.changes.iter().cloned().map(Into::into).collect()
    }
}

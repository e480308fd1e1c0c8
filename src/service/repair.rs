//! The repair verb: inserts the one missing row, and leaves a trail of every attempt. Fails closed.

use tracing::Instrument;

use crate::database_use::inherited;
use crate::domain::caller::{Account, Caller};
use crate::domain::id::{AccountId, KeyId, SsoConnectionId};
use crate::domain::repair::{NewConnection, RepairOutcome, RepairRecord, RepairRefusal, RepairVia, plan};
use crate::domain::sso_view::SourceFailure;
use crate::store::Inserted;

use super::sso_allowance::SsoAllowance;
use super::{Connections, ServiceError};

/// What is asked for. Its parts are well formed already.
#[derive(Debug, Clone)]
pub struct RepairRequest {
    /// The connection at SSO.
    pub connection_id: SsoConnectionId,
    /// Say what would be written, write nothing.
    pub is_dry_run: bool,
    /// Why, in the actor's words.
    pub reason: Option<Box<str>>,
    /// By which door it came.
    pub via: RepairVia,
    /// The request that it came with.
    pub request_id: Box<str>,
    /// What that request may still wait for SSO.
    pub sso_allowance: SsoAllowance,
}

/// What came of it.
#[derive(Debug, Clone)]
pub struct Repair {
    /// The tenant, if it exists.
    pub tenant: Option<Account>,
    /// Done (or, in a dry run, possible), or why not.
    pub result: Result<RepairOutcome, RepairRefusal>,
    /// The row that was, or would be, inserted.
    pub plan: Option<NewConnection>,
    /// The trail that was left; a dry run leaves none.
    pub record: Option<RepairRecord>,
    /// Whether SSO could tell, if it was asked.
    pub sso: Option<Result<(), SourceFailure>>,
}

impl Connections {
    /// A caller's repair of one connection, in the named account or, without a name, in its own. Runs to its end even
    /// when the client hangs up; see [`Self::finished`].
    ///
    /// # Errors
    /// [`ServiceError::SuperuserRequired`], and the store's. Expected refusals are data.
    pub async fn repair(
        &self,
        caller: &Caller,
        account: Option<AccountId>,
        request: RepairRequest,
    ) -> Result<Repair, ServiceError> {
        let actor = caller.superuser().ok_or(ServiceError::SuperuserRequired)?.into();
        let own = &caller.account;
        let account = account.unwrap_or(own.id);
        let known = (account == own.id).then(|| own.clone());
        let attempt = Attempt { connections: self.clone(), actor, key: Some(caller.key), account, known, request };
        self.attempts.spawn(inherited(attempt.run()).in_current_span()).await?
    }

    /// An operator's repair of one connection, at the machine itself, which needs no key.
    ///
    /// # Errors
    /// The store's. Expected refusals are data.
    pub async fn repair_as_operator(
        &self,
        actor: &str,
        account: AccountId,
        request: RepairRequest,
    ) -> Result<Repair, ServiceError> {
        let attempt =
            Attempt { connections: self.clone(), actor: actor.into(), key: None, account, known: None, request };
        attempt.run().await
    }
}

/// One attempt.
struct Attempt {
    connections: Connections,
    actor: Box<str>,
    key: Option<KeyId>,
    /// The tenant, as it was named.
    account: AccountId,
    /// The tenant, where it need not be looked up.
    known: Option<Account>,
    request: RepairRequest,
}

impl Attempt {
    async fn run(self) -> Result<Repair, ServiceError> {
        let Some(tenant) = self.tenant().await? else {
            return self.refused(None, RepairRefusal::AccountNotFound, None).await;
        };
        let Connections { store, sso, clock, new_ids, .. } = &self.connections;
        let id = self.request.connection_id;
        if store.has_connection(tenant.id, id).await? {
            return self.refused(Some(tenant), RepairRefusal::AlreadyExists, None).await;
        }
        let waiting = self.request.sso_allowance.wait();
        let asked = sso.connection(id, tenant.sso_id, &self.request.request_id, waiting.left).await;
        drop(waiting);
        let listed = match asked {
            Ok(Some(listed)) => listed,
            Ok(None) => {
                return self.refused(Some(tenant), RepairRefusal::SsoConnectionNotFound, Some(Ok(()))).await;
            }
            Err(failure) => {
                return self.refused(Some(tenant), RepairRefusal::SsoUnavailable, Some(Err(failure))).await;
            }
        };
        let partner = store.accounts(&[], &[listed.partner_sso_id]).await?.first().map(|partner| partner.id);
        let row = plan(new_ids.next(clock.now()).into(), &tenant, &listed, partner);
        if self.request.is_dry_run {
            return Ok(Repair {
                tenant: Some(tenant),
                result: Ok(RepairOutcome::WouldCreate),
                plan: Some(row),
                record: None,
                sso: Some(Ok(())),
            });
        }
        let record = self.record(Ok(()), Some(&row));
        match store.insert_repair(&row, &record).await? {
            Inserted::Created => {
                sso.mark_stale(tenant.sso_id);
                tracing::info!(account.id = %tenant.id, connection.id = %id, via = self.request.via.as_str(), "repaired");
                count(self.request.via, RepairOutcome::Created.as_str());
                Ok(Repair {
                    tenant: Some(tenant),
                    result: Ok(RepairOutcome::Created),
                    plan: Some(row),
                    record: Some(record),
                    sso: Some(Ok(())),
                })
            }
            Inserted::AlreadyExists => self.refused(Some(tenant), RepairRefusal::AlreadyExists, Some(Ok(()))).await,
        }
    }

    async fn tenant(&self) -> Result<Option<Account>, ServiceError> {
        match &self.known {
            Some(known) => Ok(Some(known.clone())),
            None => Ok(self.connections.store.account(self.account).await?),
        }
    }

    /// Leaves the trail of a refusal. A dry run leaves none.
    async fn refused(
        &self,
        tenant: Option<Account>,
        refusal: RepairRefusal,
        sso: Option<Result<(), SourceFailure>>,
    ) -> Result<Repair, ServiceError> {
        let mut record = None;
        if !self.request.is_dry_run {
            let refused = self.record(Err(refusal), None);
            self.connections.store.insert_record(&refused).await?;
            count(self.request.via, refusal.as_str());
            record = Some(refused);
        }
        Ok(Repair { tenant, result: Err(refusal), plan: None, record, sso })
    }

    fn record(&self, result: Result<(), RepairRefusal>, row: Option<&NewConnection>) -> RepairRecord {
        let now = self.connections.clock.now();
        RepairRecord {
            id: self.connections.new_ids.next(now).into(),
            account_id: self.account,
            sso_connection_id: self.request.connection_id,
            actor: self.actor.clone(),
            api_key_id: self.key,
            via: self.request.via,
            reason: self.request.reason.clone(),
            request_id: self.request.request_id.clone(),
            result: Some(result),
            changes: row.map(NewConnection::changes).unwrap_or_default(),
            created_at: now,
        }
    }
}

fn count(via: RepairVia, outcome: &'static str) {
    metrics::counter!("repairs_total", "via" => via.as_str(), "outcome" => outcome).increment(1);
}

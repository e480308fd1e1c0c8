//! One request's batched reads: look-ups that siblings ask for one by one, and that go to the service together.
//!
//! A batch leaves when execution can go no further without it: by then every sibling has asked. So no timer is waited for,
//! and no batch is split under load, as it would be in a task of its own. One set a request: nothing reaches another caller.

use std::collections::{BTreeSet, HashMap};
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;
use std::time::Duration;

use async_graphql::dataloader::{DataLoader, Loader};
use futures_util::future::{BoxFuture, poll_fn};
use futures_util::stream::{FuturesUnordered, StreamExt};

use crate::api_error::ApiError;
use crate::domain::answer::Connection;
use crate::domain::caller::{Account, Caller};
use crate::domain::id::{AccountId, RepairId, SsoId};
use crate::domain::repair::RepairRecord;
use crate::domain::sso_view::SsoView;
use crate::domain::wanted::Wanted;
use crate::service::consult::DirectViews;
use crate::service::get_each::OwnedId;
use crate::service::sso_allowance::SsoAllowance;
use crate::service::trail::{Trail, TrailWindow};
use crate::service::{Connections, SsoViews};

/// Batches on their way.
type Waiting = Arc<Mutex<Vec<BoxFuture<'static, ()>>>>;

/// One request's batched reads.
pub struct Batches {
    loader: DataLoader<Reads>,
    views: DirectViews,
    waiting: Waiting,
}

impl Batches {
    /// Of a caller's request.
    #[must_use]
    pub fn new(connections: &Connections, caller: &Arc<Caller>, request_id: &str, allowance: SsoAllowance) -> Self {
        let waiting = Waiting::default();
        let views = connections.views(request_id, allowance);
        let reads = Reads { connections: connections.clone(), caller: Arc::clone(caller), views: views.clone() };
        let depart = Arc::clone(&waiting);
        let spawner = move |batch| depart.lock().unwrap_or_else(PoisonError::into_inner).push(batch);
        Self { loader: DataLoader::new(reads, spawner).delay(Duration::ZERO), views, waiting }
    }

    /// Runs an execution and, whenever it waits, the batches that it waits for.
    pub async fn drive<T>(&self, execution: impl Future<Output = T>) -> T {
        let mut execution = pin!(execution);
        let mut running = FuturesUnordered::new();
        poll_fn(|context| {
            loop {
                if let Poll::Ready(output) = execution.as_mut().poll(context) {
                    return Poll::Ready(output);
                }
                running.extend(self.waiting.lock().unwrap_or_else(PoisonError::into_inner).drain(..));
                match running.poll_next_unpin(context) {
                    // Execution may go on with what came.
                    Poll::Ready(Some(())) => {}
                    Poll::Ready(None) | Poll::Pending => return Poll::Pending,
                }
            }
        })
        .await
    }

    /// An account, of those that exist.
    ///
    /// # Errors
    /// The service's.
    pub async fn account(&self, id: AccountId) -> Result<Option<Account>, ApiError> {
        self.loader.load_one(id).await
    }

    /// A connection, and how SSO did for its owner where it was asked. The owner must be one that the caller may see.
    ///
    /// # Errors
    /// The service's.
    pub async fn partnership(&self, id: OwnedId, wanted: Wanted) -> Result<Looked, ApiError> {
        Ok(self.loader.load_one(Look { id, wanted }).await?.unwrap_or_default())
    }

    /// An entry of a trail. The caller must be a superuser.
    ///
    /// # Errors
    /// The service's.
    pub async fn repair_record(&self, tenant: AccountId, id: RepairId) -> Result<Option<RepairRecord>, ApiError> {
        self.loader.load_one((tenant, id)).await
    }

    /// A part of a connection's trail. The caller must be a superuser.
    ///
    /// # Errors
    /// The service's.
    pub async fn trail(&self, of: OwnedId, window: TrailWindow) -> Result<Trail, ApiError> {
        Ok(self.loader.load_one((of, window)).await?.unwrap_or_default())
    }
}

impl SsoViews for Batches {
    async fn view(&self, account: SsoId) -> SsoView {
        match self.views.fresh(account) {
            Some(view) => view,
            None => match self.loader.load_one(account).await {
                Ok(Some(view)) => view,
                // The batch tells of every account that it was asked for; should it ever not, it is asked for alone.
                Ok(None) | Err(_) => self.views.view(account).await,
            },
        }
    }

    async fn views(&self, accounts: Vec<SsoId>) -> HashMap<SsoId, SsoView> {
        self.views.views(accounts).await
    }
}

/// A connection to be looked up, and what will be shown of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Look {
    id: OwnedId,
    wanted: Wanted,
}

/// What a look-up found.
#[derive(Debug, Clone, Default)]
pub struct Looked {
    /// The connection, if there is one.
    pub connection: Option<Connection>,
    /// SSO's side, if it was asked.
    pub sso: Option<SsoView>,
}

/// What each kind of batch asks the service.
struct Reads {
    connections: Connections,
    caller: Arc<Caller>,
    views: DirectViews,
}

impl Loader<SsoId> for Reads {
    type Value = SsoView;
    type Error = ApiError;

    async fn load(&self, accounts: &[SsoId]) -> Result<HashMap<SsoId, SsoView>, ApiError> {
        Ok(self.views.views(accounts.to_vec()).await)
    }
}

impl Loader<AccountId> for Reads {
    type Value = Account;
    type Error = ApiError;

    async fn load(&self, ids: &[AccountId]) -> Result<HashMap<AccountId, Account>, ApiError> {
        let own = &self.caller.account;
        let others: Vec<_> = ids.iter().filter(|id| **id != own.id).copied().collect();
        let mut accounts = if others.is_empty() { HashMap::new() } else { self.connections.accounts(&others).await? };
        accounts.insert(own.id, own.clone());
        Ok(accounts)
    }
}

impl Loader<Look> for Reads {
    type Value = Looked;
    type Error = ApiError;

    async fn load(&self, looks: &[Look]) -> Result<HashMap<Look, Looked>, ApiError> {
        let owners: BTreeSet<AccountId> = looks.iter().map(|look| look.id.0).collect();
        let owners: Vec<AccountId> = owners.into_iter().collect();
        let accounts: HashMap<AccountId, Account> = self.load(&owners).await?;
        let accounts: Vec<Account> = owners.iter().filter_map(|owner| accounts.get(owner).cloned()).collect();
        // What any sibling shows is read for all: one read a table, whatever the selections.
        let wanted = looks.iter().fold(Wanted::default(), |all, look| all.union(look.wanted));
        let known = |id: &OwnedId| accounts.iter().any(|account| account.id == id.0);
        let ids: BTreeSet<OwnedId> = looks.iter().map(|look| look.id).filter(known).collect();
        let ids: Vec<OwnedId> = ids.into_iter().collect();
        let found = self.connections.get_each(&accounts, &ids, wanted, &self.views).await?;
        let looked = looks.iter().map(|look| {
            let connection = found.connections.get(&look.id).cloned();
            (*look, Looked { connection, sso: found.sso.get(&look.id.0).cloned() })
        });
        Ok(looked.collect())
    }
}

impl Loader<(AccountId, RepairId)> for Reads {
    type Value = RepairRecord;
    type Error = ApiError;

    async fn load(
        &self,
        ids: &[(AccountId, RepairId)],
    ) -> Result<HashMap<(AccountId, RepairId), RepairRecord>, ApiError> {
        Ok(self.connections.repair_records(ids).await?)
    }
}

impl Loader<(OwnedId, TrailWindow)> for Reads {
    type Value = Trail;
    type Error = ApiError;

    async fn load(&self, keys: &[(OwnedId, TrailWindow)]) -> Result<HashMap<(OwnedId, TrailWindow), Trail>, ApiError> {
        let mut windows: HashMap<TrailWindow, Vec<OwnedId>> = HashMap::new();
        for (of, window) in keys {
            windows.entry(*window).or_default().push(*of);
        }
        let mut trails = HashMap::with_capacity(keys.len());
        for (window, of) in windows {
            let read = self.connections.trails(&of, window).await?;
            trails.extend(read.into_iter().map(|(of, trail)| ((of, window), trail)));
        }
        Ok(trails)
    }
}

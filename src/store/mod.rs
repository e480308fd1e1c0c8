//! stub
use crate::domain::{account_entity::*, caller::*, connection::*, id::*, repair::*, timestamp::*};
#[derive(Clone)]
pub struct Store;
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("x")]
    Unavailable { source: std::io::Error },
    #[error("y")]
    Other,
}
pub enum Inserted {
    Created,
    AlreadyExists,
}
pub struct KeyHolder {
    pub caller: Caller,
    pub expires_at: Option<Timestamp>,
}
type R<T> = Result<T, StoreError>;
impl Store {
    pub async fn account(&self, _id: AccountId) -> R<Option<Account>> {
        todo!()
    }
    pub async fn accounts(&self, _ids: &[AccountId], _s: &[SsoId]) -> R<Vec<Account>> {
        todo!()
    }
    pub async fn caller_by_key_hash(&self, _h: &[u8; 32]) -> R<Option<KeyHolder>> {
        todo!()
    }
    pub async fn connections(&self, _o: AccountId, _d: bool) -> R<Vec<LocalConnection>> {
        todo!()
    }
    pub async fn connections_by_any_id(&self, _o: AccountId, _id: ObjectId, _d: bool) -> R<Vec<LocalConnection>> {
        todo!()
    }
    pub async fn connection_by_sso_id(
        &self,
        _o: AccountId,
        _id: SsoConnectionId,
        _d: bool,
    ) -> R<Option<LocalConnection>> {
        todo!()
    }
    pub async fn connections_with_partner(
        &self,
        _o: AccountId,
        _p: SsoId,
        _a: &[SsoConnectionId],
    ) -> R<Vec<LocalConnection>> {
        todo!()
    }
    pub async fn account_entities(&self, _o: AccountId, _p: &[AccountId]) -> R<Vec<AccountEntity>> {
        todo!()
    }
    pub async fn custom_entities(&self, _o: AccountId, _p: &[AccountId]) -> R<Vec<(AccountId, CustomEntity)>> {
        todo!()
    }
    pub async fn insert_repair(&self, _r: &NewConnection, _rec: &RepairRecord) -> R<Inserted> {
        todo!()
    }
    pub async fn insert_record(&self, _rec: &RepairRecord) -> R<()> {
        todo!()
    }
}

//! LC's accounts.

use entity::account;
use sea_orm::{EntityTrait, QueryResult, Set};

use crate::domain::caller::Account;
use crate::domain::id::{AccountId, SsoId};
use crate::domain::timestamp::Timestamp;

use super::decode::Columns;
use super::statement::{any_of, built, is_any, stored};
use super::{Result, Store};

impl Store {
    /// An account by its id.
    ///
    /// # Errors
    /// The database's.
    pub async fn account(&self, id: AccountId) -> Result<Option<Account>> {
        Ok(self.accounts(&[id], &[]).await?.pop())
    }

    /// Accounts by their ids and by their ids at SSO, in one statement.
    ///
    /// # Errors
    /// The database's.
    pub async fn accounts(&self, ids: &[AccountId], sso_ids: &[SsoId]) -> Result<Vec<Account>> {
        let backend = self.backend();
        let sql = format!(
            "SELECT id, sso_id, name FROM accounts WHERE {} UNION SELECT id, sso_id, name FROM accounts WHERE {}",
            is_any(backend, "id", 1),
            is_any(backend, "sso_id", 2)
        );
        let rows = self.read(&sql, [any_of(backend, ids), any_of(backend, sso_ids)]).await?;
        Ok(rows.iter().filter_map(|row| self.decode_account(row)).collect())
    }

    fn decode_account(&self, row: &QueryResult) -> Option<Account> {
        let mut columns = Columns::new(row, self.backend());
        let (id, sso_id) = (columns.id("accounts.id"), columns.id("accounts.sso_id"));
        let name = columns.text("accounts.name");
        Some(Account { id: id?, sso_id: sso_id?, name })
    }

    /// Adds an account.
    ///
    /// # Errors
    /// [`StoreError::Conflict`](super::StoreError::Conflict) when one of its ids is taken.
    pub async fn insert_account(&self, account: &Account, now: Timestamp) -> Result<()> {
        let row = account::ActiveModel {
            id: Set(account.id.to_string()),
            sso_id: Set(account.sso_id.to_string()),
            name: Set(account.name.to_string()),
            created_at: Set(stored(now)),
            updated_at: Set(stored(now)),
        };
        self.write(&[built(&account::Entity::insert(row), self.backend())]).await?;
        Ok(())
    }
}

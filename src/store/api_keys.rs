//! API keys: only their digests are here.

use entity::api_key;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, Set};

use crate::domain::caller::{Account, Caller, KeyHash};
use crate::domain::id::{AccountId, KeyId};
use crate::domain::timestamp::Timestamp;

use super::decode::Columns;
use super::statement::{built, stored};
use super::{Result, Store};

/// A key to be stored.
#[derive(Debug, Clone)]
pub struct NewKey {
    /// A fresh id.
    pub id: KeyId,
    /// The account that owns it.
    pub account: AccountId,
    /// What is stored of the key itself.
    pub hash: KeyHash,
    /// The person behind it; a superuser's key has one.
    pub user_email: Option<Box<str>>,
    /// Staff.
    pub is_superuser: bool,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends.
    pub expires_at: Option<Timestamp>,
}

/// What may be shown of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyInfo {
    /// Its id.
    pub id: KeyId,
    /// The account that owns it.
    pub account: AccountId,
    /// The person behind it.
    pub user_email: Option<Box<str>>,
    /// Staff.
    pub is_superuser: bool,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends.
    pub expires_at: Option<Timestamp>,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
}

/// Whose key it is.
#[derive(Debug, Clone)]
pub struct KeyHolder {
    /// The caller.
    pub caller: Caller,
    /// When the key ends; whether it has is for the service to judge.
    pub expires_at: Option<Timestamp>,
}

impl Store {
    /// The holder of the key with this digest, with its account; `None`: no such key, or revoked.
    ///
    /// # Errors
    /// The database's.
    pub async fn caller_by_key_hash(&self, hash: KeyHash) -> Result<Option<KeyHolder>> {
        let sql = "SELECT a.id, a.sso_id, a.name, k.id, k.user_email, k.superuser, k.expires_at \
                   FROM api_keys k JOIN accounts a ON a.id = k.account_id \
                   WHERE k.key_hash = $1 AND k.revoked_at IS NULL";
        let rows = self.read(sql, [hash.0.to_vec().into()]).await?;
        let Some(row) = rows.first() else { return Ok(None) };
        Ok(decode_holder(Columns::new(row, self.backend())))
    }

    /// Adds a key.
    ///
    /// # Errors
    /// The database's.
    pub async fn insert_key(&self, key: &NewKey) -> Result<()> {
        let row = api_key::ActiveModel {
            id: Set(key.id.to_string()),
            account_id: Set(key.account.to_string()),
            key_hash: Set(key.hash.0.to_vec()),
            user_email: Set(key.user_email.as_deref().map(str::to_owned)),
            superuser: Set(key.is_superuser),
            created_at: Set(stored(key.created_at)),
            expires_at: Set(key.expires_at.map(stored)),
            revoked_at: Set(None),
        };
        self.write(&[built(&api_key::Entity::insert(row), self.backend())]).await?;
        Ok(())
    }

    /// All keys, or an account's, the oldest first.
    ///
    /// # Errors
    /// The database's.
    pub async fn list_keys(&self, account: Option<AccountId>) -> Result<Vec<KeyInfo>> {
        let mut keys =
            api_key::Entity::find().order_by_asc(api_key::Column::CreatedAt).order_by_asc(api_key::Column::Id);
        if let Some(account) = account {
            keys = keys.filter(api_key::Column::AccountId.eq(account.as_str()));
        }
        let statement = built(&keys, self.backend());
        let values = statement.values.map(|values| values.0).unwrap_or_default();
        let rows = self.read(&statement.sql, values).await?;
        let mut infos = Vec::with_capacity(rows.len());
        for row in &rows {
            let mut columns = Columns::new(row, self.backend());
            let (id, account) = (columns.id("api_keys.id"), columns.id("api_keys.account_id"));
            columns.pass(); // key_hash
            let user_email = columns.maybe_text("api_keys.user_email");
            let is_superuser = columns.get("api_keys.superuser").unwrap_or_default();
            let created_at = columns.time("api_keys.created_at");
            let expires_at = columns.maybe_time("api_keys.expires_at");
            let revoked_at = columns.maybe_time("api_keys.revoked_at");
            if let Some((id, account)) = id.zip(account) {
                infos.push(KeyInfo { id, account, user_email, is_superuser, created_at, expires_at, revoked_at });
            }
        }
        Ok(infos)
    }

    /// Revokes a key; `false`: there is none with this id that is not revoked already.
    ///
    /// # Errors
    /// The database's.
    pub async fn revoke_key(&self, id: KeyId, now: Timestamp) -> Result<bool> {
        let update = api_key::Entity::update_many()
            .col_expr(api_key::Column::RevokedAt, Expr::value(stored(now)))
            .filter(api_key::Column::Id.eq(id.as_str()))
            .filter(api_key::Column::RevokedAt.is_null());
        Ok(self.write(&[built(&update, self.backend())]).await? > 0)
    }
}

/// A key of which a column is odd opens nothing: an expiry that cannot be read may be over.
fn decode_holder(mut columns: Columns<'_>) -> Option<KeyHolder> {
    let account = Account {
        id: columns.id("accounts.id")?,
        sso_id: columns.id("accounts.sso_id")?,
        name: columns.text("accounts.name"),
    };
    let key = columns.id("api_keys.id")?;
    let user_email = columns.maybe_text("api_keys.user_email");
    let is_superuser = columns.get("api_keys.superuser")?;
    let expires_at = columns.readable_time("api_keys.expires_at").ok()?;
    Some(KeyHolder { caller: Caller { account, key, user_email, is_superuser }, expires_at })
}

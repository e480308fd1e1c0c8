//! Who asks: an account, by one of its API keys.

use std::fmt;

use sha2::{Digest, Sha256};

use super::id::{AccountId, KeyId, SsoId};

/// An LC account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Its id in LC.
    pub id: AccountId,
    /// Its id at SSO.
    pub sso_id: SsoId,
    /// The company's name.
    pub name: Box<str>,
}

/// An authenticated caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The account that owns the key.
    pub account: Account,
    /// Which key it was.
    pub key: KeyId,
    /// The person behind the key, where one is known. Superusers always have one.
    pub user_email: Option<Box<str>>,
    /// Staff: may repair, and may look into other tenants.
    pub is_superuser: bool,
}

impl Caller {
    /// Whether an account's connections may be shown to this caller: its own, or any to a superuser.
    #[must_use]
    pub fn may_see(&self, account: AccountId) -> bool {
        account == self.account.id || self.superuser().is_some()
    }

    /// The actor to name in the trail when this caller may use what is for superusers only, else `None`.
    #[must_use]
    pub fn superuser(&self) -> Option<&str> {
        self.user_email.as_deref().filter(|_| self.is_superuser)
    }
}

/// The SHA-256 of a key: 32 bytes, as in `api_keys.key_hash`.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct KeyHash(pub [u8; 32]);

impl KeyHash {
    /// Of what a caller presents, whether or not it has the form of a key: others may have made theirs differently.
    #[must_use]
    pub fn of(presented: &str) -> Self {
        Self(Sha256::digest(presented.as_bytes()).into())
    }
}

/// Says nothing: a hash in a log would tell who used which key.
impl fmt::Debug for KeyHash {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("KeyHash")
    }
}

//! Who asks: an account, by one of its API keys.

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
    /// The actor to name in the trail when this caller may use what is for superusers only, else `None`.
    #[must_use]
    pub fn superuser(&self) -> Option<&str> {
        self.user_email.as_deref().filter(|_| self.is_superuser)
    }
}

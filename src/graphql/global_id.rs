//! Relay's global ids: opaque to clients, stable for life, the same before and after a connection is repaired.

use async_graphql::ID;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::domain::id::{AccountId, RepairId, SsoConnectionId};

/// What a global id names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum GlobalId {
    /// An LC account.
    Account(AccountId),
    /// A connection, by its owner and its id at SSO: a row's id comes only with the repair.
    Partnership(AccountId, SsoConnectionId),
    /// An entry of a connection's trail, by the tenant and its own id.
    RepairRecord(AccountId, RepairId),
}

impl From<GlobalId> for ID {
    fn from(id: GlobalId) -> Self {
        let text = match id {
            GlobalId::Account(account) => format!("Account:{account}"),
            GlobalId::Partnership(owner, connection) => format!("Partnership:{owner}:{connection}"),
            GlobalId::RepairRecord(owner, record) => format!("RepairRecord:{owner}:{record}"),
        };
        Self(URL_SAFE_NO_PAD.encode(text))
    }
}

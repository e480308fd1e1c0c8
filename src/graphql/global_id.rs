//! Relay's global ids: opaque to clients, stable for life, the same before and after a connection is repaired.

use async_graphql::ID;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::domain::id::{AccountId, ObjectId, RepairId, SsoConnectionId};

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

impl GlobalId {
    /// What an id names, whichever way its inside is written; `None`: nothing.
    #[must_use]
    pub fn parse(id: &str) -> Option<Self> {
        let text = String::from_utf8(URL_SAFE_NO_PAD.decode(id).ok()?).ok()?;
        let mut parts = text.split(':');
        let kind = parts.next()?;
        let mut next = || ObjectId::parse(parts.next()?).ok();
        let named = match kind {
            "Account" => Self::Account(next()?.into()),
            "Partnership" => Self::Partnership(next()?.into(), next()?.into()),
            "RepairRecord" => Self::RepairRecord(next()?.into(), next()?.into()),
            _ => return None,
        };
        parts.next().is_none().then_some(named)
    }

    /// The tenant that it belongs to.
    #[must_use]
    pub fn owner(self) -> AccountId {
        match self {
            Self::Account(owner) | Self::Partnership(owner, _) | Self::RepairRecord(owner, _) => owner,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn an_id_leads_back_to_what_it_names(first in "[0-9a-f]{24}", second in "[0-9a-f]{24}") {
            let (first, second) = (ObjectId::parse(&first).unwrap(), ObjectId::parse(&second).unwrap());
            for id in [
                GlobalId::Account(first.into()),
                GlobalId::Partnership(first.into(), second.into()),
                GlobalId::RepairRecord(first.into(), second.into()),
            ] {
                prop_assert_eq!(GlobalId::parse(ID::from(id).as_str()), Some(id));
            }
        }

        #[test]
        fn any_other_text_names_nothing(text in "\\PC{0,80}") {
            prop_assert_eq!(GlobalId::parse(&text), None);
        }
    }

    #[test]
    fn what_has_another_form_inside_names_nothing() {
        let id = "5d9a4c421d011c553e000001";
        let inside = [
            String::new(),
            "Account".to_owned(),
            format!("Viewer:{id}"),
            format!("Account:{id}:{id}"),
            format!("Partnership:{id}"),
            format!("Partnership:{id}:{id}:"),
            format!("RepairRecord:{id}:x"),
        ];
        for text in inside {
            assert_eq!(GlobalId::parse(&URL_SAFE_NO_PAD.encode(&text)), None, "{text}");
        }
    }
}

//! SSO's JSON, read strictly: a key that is missing, an id that is no id, a time that is none make the whole body bad.
//! Unknown extra keys are ignored.

use std::str::FromStr;

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};

use crate::domain::connection::RelationshipType;
use crate::domain::id::{InvitationId, SsoConnectionId, SsoId};
use crate::domain::sso_view::SsoConnection;
use crate::domain::timestamp::Timestamp;

/// A page of the list call.
#[derive(Debug, Serialize, Deserialize)]
pub struct Page {
    /// The page's connections.
    pub network_connections: Vec<NetworkConnection>,
    /// Where the next page starts; null on the last one.
    #[serde(deserialize_with = "present")]
    pub next_cursor: Option<String>,
}

/// A connection as SSO tells it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NetworkConnection {
    /// Its id.
    #[serde(deserialize_with = "id")]
    pub id: SsoConnectionId,
    /// The invitation that led to it.
    #[serde(deserialize_with = "maybe_id")]
    pub invitation_id: Option<InvitationId>,
    /// Who buys.
    pub buyer: Party,
    /// Who sells.
    pub seller: Party,
    /// What each side may do.
    pub permissions: Permissions,
    /// Who made it.
    #[serde(deserialize_with = "present")]
    pub created_by: Option<Box<str>>,
    /// When it was made.
    #[serde(deserialize_with = "time")]
    pub created_at: Timestamp,
    /// When it last changed.
    #[serde(deserialize_with = "time")]
    pub updated_at: Timestamp,
}

/// One of the two accounts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Party {
    /// Its id at SSO.
    #[serde(deserialize_with = "id")]
    pub id: SsoId,
    /// Its name.
    pub name: Box<str>,
}

/// What each side may do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Permissions {
    /// The buyer.
    pub buyer: Vec<Box<str>>,
    /// The seller.
    pub seller: Vec<Box<str>>,
}

impl NetworkConnection {
    /// As one of its accounts sees it; `None`: the account takes no part. One that is on both sides is read as the buyer.
    #[must_use]
    pub fn seen_by(self, account: SsoId) -> Option<SsoConnection> {
        let (relationship_type, partner, permissions) = if self.buyer.id == account {
            (RelationshipType::Seller, self.seller, self.permissions.buyer)
        } else if self.seller.id == account {
            (RelationshipType::Buyer, self.buyer, self.permissions.seller)
        } else {
            return None;
        };
        Some(SsoConnection {
            id: self.id,
            invitation_id: self.invitation_id,
            relationship_type,
            partner_sso_id: partner.id,
            partner_name: partner.name,
            permissions: permissions.into(),
            created_by: self.created_by,
            created_at: self.created_at,
            updated_at: self.updated_at,
        })
    }
}

/// A nullable value whose key must be there all the same: serde's own `Option` would let it be missing.
fn present<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    Option::deserialize(deserializer)
}

fn id<'de, D: Deserializer<'de>, T: FromStr<Err: std::fmt::Display>>(deserializer: D) -> Result<T, D::Error> {
    String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
}

fn maybe_id<'de, D: Deserializer<'de>, T: FromStr<Err: std::fmt::Display>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    text.map(|text| text.parse().map_err(D::Error::custom)).transpose()
}

fn time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
    Timestamp::parse(&String::deserialize(deserializer)?).map_err(D::Error::custom)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn whole() -> Value {
        json!({
            "id": "5D9A4C421D011C553E000001", "invitation_id": null,
            "buyer": {"id": "5fd4371e940df5a34a3888b2", "name": "B"}, "seller": {"id": "5fd4371e940df5a34a3888b3", "name": "S"},
            "permissions": {"buyer": ["b"], "seller": ["s"]},
            "created_by": null, "created_at": "2024-01-01T00:00:00Z", "updated_at": "2024-01-02T00:00:00.123456+02:00",
            "extra": {"is": ["ignored"]},
        })
    }

    fn read(value: &Value) -> Result<NetworkConnection, serde_json::Error> {
        serde_json::from_str(&value.to_string())
    }

    #[test]
    fn the_two_sides_see_mirror_images() {
        let connection = read(&whole()).unwrap();
        assert_eq!(connection.id.as_str(), "5d9a4c421d011c553e000001");
        let seen = |account: &str| connection.clone().seen_by(account.parse().unwrap());
        let buyer = seen("5fd4371e940df5a34a3888b2").unwrap();
        let seller = seen("5fd4371e940df5a34a3888b3").unwrap();
        assert_eq!(
            (buyer.relationship_type, &*buyer.partner_name, &*buyer.permissions[0]),
            (RelationshipType::Seller, "S", "b")
        );
        assert_eq!(
            (seller.relationship_type, &*seller.partner_name, &*seller.permissions[0]),
            (RelationshipType::Buyer, "B", "s")
        );
        assert_eq!(seen("5fd4371e940df5a34a3888b4"), None);
    }

    #[test]
    fn an_account_on_both_sides_is_read_as_the_buyer() {
        let mut both = whole();
        both["seller"]["id"] = both["buyer"]["id"].clone();
        let seen = read(&both).unwrap().seen_by("5fd4371e940df5a34a3888b2".parse().unwrap()).unwrap();
        assert_eq!((seen.relationship_type, &*seen.permissions[0]), (RelationshipType::Seller, "b"));
    }

    #[test]
    fn every_key_must_be_there_and_of_its_type() {
        for key in ["id", "invitation_id", "buyer", "seller", "permissions", "created_by", "created_at", "updated_at"] {
            let mut lacking = whole();
            lacking.as_object_mut().unwrap().remove(key);
            assert!(read(&lacking).is_err(), "without {key}");
            let mut wrong = whole();
            wrong[key] = json!(5);
            assert!(read(&wrong).is_err(), "{key} is a number");
            if !["invitation_id", "created_by"].contains(&key) {
                wrong[key] = Value::Null;
                assert!(read(&wrong).is_err(), "{key} is null");
            }
        }
        for (path, bad) in [
            ("/id", json!("x")),
            ("/buyer/id", json!("x")),
            ("/buyer/name", Value::Null),
            ("/created_at", json!("now")),
        ] {
            let mut wrong = whole();
            *wrong.pointer_mut(path).unwrap() = bad;
            assert!(read(&wrong).is_err(), "{path}");
        }
        assert!(serde_json::from_str::<Page>(r#"{"network_connections": []}"#).is_err(), "without next_cursor");
    }
}

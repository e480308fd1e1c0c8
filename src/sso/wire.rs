//! SSO's JSON, read strictly and written as SSO would write it, and its translation into one account's view.
//!
//! Strict: every key must be there (also one that may be null), objects are objects, ids are ids, times are RFC 3339.
//! Unknown keys are ignored, whatever they are and hold. A name with a lone surrogate, which JavaScript makes when it
//! cuts a text, is a name: U+FFFD replaces the surrogate. Knows nothing of HTTP.

use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;

use serde::de::value::MapAccessDeserializer;
use serde::de::{DeserializeOwned, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::domain::connection::RelationshipType;
use crate::domain::id::{InvitationId, SsoConnectionId, SsoId};
use crate::domain::json_text::{ByteKeys, LossyText};
use crate::domain::sso_view::SsoConnection;
use crate::domain::timestamp::Timestamp;

/// How many connections a page is asked to hold, and the most that one may ask for.
pub const PAGE_LIMIT: usize = 500;

/// The most permissions that one side may have. No more than a bound for memory: an empty text has three bytes on the wire
/// and sixteen once read.
const MAX_PERMISSIONS: usize = 1_000;

/// The most accounts that one list call may name.
pub const MAX_ACCOUNTS: usize = 50;

/// A formal tie between two accounts, as SSO tells it: `NC` of the contract.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct NetworkConnection {
    /// Its id at SSO.
    #[serde(with = "text")]
    pub id: SsoConnectionId,
    /// The invitation that led to it; the key is there even when null.
    #[serde(with = "nullable_text")]
    pub invitation_id: Option<InvitationId>,
    /// Who buys.
    pub buyer: Party,
    /// Who sells.
    pub seller: Party,
    /// What each side may do.
    pub permissions: Permissions,
    /// Who made it; the key is there even when null.
    #[serde(deserialize_with = "nullable_name")]
    pub created_by: Option<Box<str>>,
    /// When it was made: RFC 3339 with any offset in, UTC with milliseconds out.
    #[serde(with = "instant")]
    pub created_at: Timestamp,
    /// When it last changed, in the same form.
    #[serde(with = "instant")]
    pub updated_at: Timestamp,
}

/// One side of a connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct Party {
    /// The account's id at SSO.
    #[serde(with = "text")]
    pub id: SsoId,
    /// Its name at SSO.
    #[serde(deserialize_with = "name")]
    pub name: Box<str>,
}

/// What each side may do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct Permissions {
    /// What the buyer may do.
    #[serde(deserialize_with = "few")]
    pub buyer: Vec<Box<str>>,
    /// What the seller may do.
    #[serde(deserialize_with = "few")]
    pub seller: Vec<Box<str>>,
}

/// One page of a list.
#[derive(Debug, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub(super) struct Page {
    pub(super) network_connections: Vec<NetworkConnection>,
    #[serde(deserialize_with = "nullable")]
    pub(super) next_cursor: Option<String>,
}

/// Connections as a data file lists them: a page without its cursor.
#[derive(Debug, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub(super) struct ListedConnections {
    pub(super) network_connections: Vec<NetworkConnection>,
}

/// A body, as what it should be.
///
/// # Errors
/// It is no JSON, or not that. Ignored parts must be JSON in UTF-8 too.
pub(crate) fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, serde_json::Error> {
    let text = std::str::from_utf8(body).map_err(serde_json::Error::custom)?;
    // `serde_json` accepts control characters in strings that are read as bytes.
    serde_json::from_str::<IgnoredAny>(text)?;
    serde_json::from_str(text)
}

impl Page {
    /// What the permissions take once read, their texts apart: the shortest are many times as large as on the wire.
    pub(super) fn bytes_of_permissions(&self) -> usize {
        let sides =
            |connection: &NetworkConnection| connection.permissions.buyer.len() + connection.permissions.seller.len();
        self.network_connections.iter().map(sides).sum::<usize>() * size_of::<Box<str>>()
    }
}

impl NetworkConnection {
    /// As the account sees it, with the partner's role and its own permissions; `None` when it takes no part. An
    /// account on both sides is read as the buyer.
    #[must_use]
    pub fn seen_by(self, account: SsoId) -> Option<SsoConnection> {
        let Self { id, invitation_id, buyer, seller, permissions, created_by, created_at, updated_at } = self;
        let (relationship_type, partner, permissions) = if buyer.id == account {
            (RelationshipType::Seller, seller, permissions.buyer)
        } else if seller.id == account {
            (RelationshipType::Buyer, buyer, permissions.seller)
        } else {
            return None;
        };
        Some(SsoConnection {
            id,
            invitation_id,
            relationship_type,
            partner_sso_id: partner.id,
            partner_name: partner.name,
            permissions: permissions.into(),
            created_by,
            created_at,
            updated_at,
        })
    }
}

/// serde's derived reader takes an array for a struct too; this one takes objects alone.
struct ObjectVisitor<T>(PhantomData<T>);

macro_rules! objects {
    ($($name:ident),+) => {$(
        impl<'de> Visitor<'de> for ObjectVisitor<$name> {
            type Value = $name;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<M: MapAccess<'de>>(self, map: M) -> Result<$name, M::Error> {
                $name::deserialize(MapAccessDeserializer::new(ByteKeys(map)))
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_map(ObjectVisitor::<$name>(PhantomData))
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                $name::serialize(self, serializer)
            }
        }
    )+};
}

objects!(NetworkConnection, Party, Permissions, Page, ListedConnections);

/// An `Option` whose key must be there: `deserialize_with` takes from serde the leave to fill in a missing one.
fn nullable<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    Option::deserialize(deserializer)
}

/// A text that people wrote.
fn name<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Box<str>, D::Error> {
    LossyText::deserialize(deserializer).map(|LossyText(name)| name)
}

/// A name or null. The key must be there, as for [`nullable`].
fn nullable_name<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Box<str>>, D::Error> {
    Ok(Option::<LossyText>::deserialize(deserializer)?.map(|LossyText(name)| name))
}

/// A list that ends before it is too long for memory.
fn few<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Box<str>>, D::Error> {
    struct Few;

    impl<'de> Visitor<'de> for Few {
        type Value = Vec<Box<str>>;

        fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(formatter, "a list of at most {MAX_PERMISSIONS} strings")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Self::Value, A::Error> {
            let mut few = Vec::new();
            while let Some(LossyText(element)) = elements.next_element()? {
                if few.len() == MAX_PERMISSIONS {
                    return Err(A::Error::invalid_length(MAX_PERMISSIONS + 1, &self));
                }
                few.push(element);
            }
            Ok(few)
        }
    }

    deserializer.deserialize_seq(Few)
}

/// A value that is a JSON string of its own form.
struct Text<T>(T);

impl<'de, T: FromStr<Err: fmt::Display>> Deserialize<'de> for Text<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextVisitor<T>(PhantomData<T>);

        impl<T: FromStr<Err: fmt::Display>> Visitor<'_> for TextVisitor<T> {
            type Value = T;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a string")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<T, E> {
                text.parse().map_err(E::custom)
            }
        }

        deserializer.deserialize_str(TextVisitor(PhantomData)).map(Text)
    }
}

/// An id: 24 hexadecimal characters, either case in, lower case out.
mod text {
    use super::{Deserialize, Deserializer, FromStr, Serializer, Text, fmt};

    pub(super) fn serialize<S: Serializer>(id: &impl fmt::Display, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(id)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>, T: FromStr<Err: fmt::Display>>(
        deserializer: D,
    ) -> Result<T, D::Error> {
        Text::deserialize(deserializer).map(|Text(id)| id)
    }
}

/// An id or null.
mod nullable_text {
    use super::{Deserialize, Deserializer, FromStr, Serializer, Text, fmt};

    #[expect(clippy::ref_option, reason = "serde calls it so")]
    pub(super) fn serialize<S: Serializer>(id: &Option<impl fmt::Display>, serializer: S) -> Result<S::Ok, S::Error> {
        match id {
            Some(id) => serializer.collect_str(id),
            None => serializer.serialize_none(),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>, T: FromStr<Err: fmt::Display>>(
        deserializer: D,
    ) -> Result<Option<T>, D::Error> {
        Ok(Option::<Text<T>>::deserialize(deserializer)?.map(|Text(id)| id))
    }
}

/// An RFC 3339 time.
mod instant {
    use super::{Deserialize, Deserializer, Serializer, Timestamp};
    use serde::de::Error as _;
    use std::borrow::Cow;

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
    pub(super) fn serialize<S: Serializer>(instant: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(instant)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
        Timestamp::parse(&Cow::<str>::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests;

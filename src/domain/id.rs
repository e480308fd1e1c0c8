//! Ids: 24 hexadecimal characters (a BSON `ObjectId`), parsed once at the border and lower case ever after.
//!
//! Each noun has its own type, so that an account's id cannot be passed where an SSO id is meant.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

const LENGTH: usize = 24;

/// The text was not 24 hexadecimal characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an id is 24 hexadecimal characters")]
pub struct InvalidId;

/// 24 lower-case hexadecimal characters: the inside of every typed id.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectId([u8; LENGTH]);

impl ObjectId {
    /// Accepts either case, gives lower case.
    ///
    /// # Errors
    /// [`InvalidId`] for any other length or character.
    pub const fn parse(text: &str) -> Result<Self, InvalidId> {
        let bytes = text.as_bytes();
        if bytes.len() != LENGTH {
            return Err(InvalidId);
        }
        let mut characters = [0; LENGTH];
        let mut index = 0;
        while index < LENGTH {
            if !bytes[index].is_ascii_hexdigit() {
                return Err(InvalidId);
            }
            characters[index] = bytes[index].to_ascii_lowercase();
            index += 1;
        }
        Ok(Self(characters))
    }

    /// A new id from its three parts: seconds since 1970, five random bytes of the process, and a counter of which
    /// the lowest 24 bits are used.
    #[must_use]
    pub fn from_parts(seconds: u32, process: [u8; 5], counter: u32) -> Self {
        let mut bytes = [0; LENGTH / 2];
        bytes[..4].copy_from_slice(&seconds.to_be_bytes());
        bytes[4..9].copy_from_slice(&process);
        bytes[9..].copy_from_slice(&counter.to_be_bytes()[1..]);
        let mut characters = [0; LENGTH];
        for (pair, byte) in characters.chunks_exact_mut(2).zip(bytes) {
            pair[0] = b"0123456789abcdef"[usize::from(byte >> 4)];
            pair[1] = b"0123456789abcdef"[usize::from(byte & 15)];
        }
        Self(characters)
    }

    /// The 24 lower-case characters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        // The bytes are ASCII by construction, so the fallback is never taken.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl Serialize for ObjectId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl fmt::Display for ObjectId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl fmt::Debug for ObjectId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

macro_rules! typed_ids {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub ObjectId);

        impl $name {
            /// The 24 lower-case characters.
            #[must_use]
            pub fn as_str(&self) -> &str {
                self.0.as_str()
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, InvalidId> {
                ObjectId::parse(text).map(Self)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl From<ObjectId> for $name {
            fn from(id: ObjectId) -> Self {
                Self(id)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(self.as_str())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(self.as_str())
            }
        }
    )+};
}

typed_ids! {
    /// An account's id in LC.
    AccountId,
    /// An account's id at the SSO service, valid across products.
    SsoId,
    /// The id of a row of `account_connections`.
    ConnectionId,
    /// The id of a NetworkConnection at SSO; `external_id` in the tables and in REST.
    SsoConnectionId,
    /// The id of the invitation that led to a connection.
    InvitationId,
    /// An account entity's id, unique within its owner.
    EntityId,
    /// A custom entity's id.
    CustomEntityId,
    /// An API key's id (not the key).
    KeyId,
    /// The id of a row of `repair_records`.
    RepairId,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn either_case_parses_and_lower_case_comes_out(text in "[0-9a-fA-F]{24}") {
            let id = ObjectId::parse(&text).unwrap();
            prop_assert_eq!(id.as_str(), text.to_lowercase());
        }

        #[test]
        fn any_other_text_is_refused(text in "\\PC{0,40}") {
            let is_id = text.len() == 24 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
            prop_assert_eq!(ObjectId::parse(&text).is_ok(), is_id);
        }
    }

    #[test]
    fn a_new_id_holds_its_parts_in_order() {
        let id = ObjectId::from_parts(0x5d9a_4c42, [0x1d, 0x01, 0x1c, 0x55, 0x3e], 0xff00_0001);
        assert_eq!(id.as_str(), "5d9a4c421d011c553e000001");
    }
}

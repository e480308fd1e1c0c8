//! API keys: how one is made. What is stored of it is a hash.
//!
//! A key is 256 random bits, so that a plain SHA-256 is enough: there is nothing to guess that a slow hash would protect.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::{ExposeSecret, SecretString};

use crate::domain::caller::KeyHash;

/// Tells keys apart from other secrets, for people and for scanners of leaked ones.
const PREFIX: &str = "lck_";

/// A key in clear: shown once to whom it is made for, and never stored.
#[derive(Debug)]
pub struct ApiKey(SecretString);

impl ApiKey {
    /// A new one, out of the process's cryptographic random numbers.
    #[must_use]
    pub fn random() -> Self {
        Self::from_bytes(rand::random())
    }

    /// `lck_` and the 32 bytes as 43 characters of URL-safe base64.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes)).into())
    }

    /// The key's characters, to be shown once.
    #[must_use]
    pub fn reveal(&self) -> &str {
        self.0.expose_secret()
    }

    /// What is stored of it.
    #[must_use]
    pub fn hash(&self) -> KeyHash {
        KeyHash::of(self.reveal())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_the_prefix_and_its_32_bytes_in_base64() {
        let key = ApiKey::from_bytes([0xfb; 32]);
        assert_eq!(key.reveal(), "lck_-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_s");
        let bytes = URL_SAFE_NO_PAD.decode(key.reveal().strip_prefix("lck_").unwrap()).unwrap();
        assert_eq!(bytes, [0xfb; 32]);
    }

    #[test]
    fn a_hash_is_the_sha_256_of_the_whole_text() {
        let expected = "ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0";
        assert_eq!(URL_SAFE_NO_PAD.encode(KeyHash::of("abc").0), expected);
        let key = ApiKey::random();
        assert_eq!(key.hash(), KeyHash::of(key.reveal()));
    }

    #[test]
    fn keys_differ_and_debug_shows_none() {
        let (first, second) = (ApiKey::random(), ApiKey::random());
        assert_ne!(first.reveal(), second.reveal());
        assert!(!format!("{first:?} {:?}", first.hash()).contains(&first.reveal()[4..]));
    }
}

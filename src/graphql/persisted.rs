//! Automatic persisted queries: a client may send the SHA-256 of a document in place of its text, so that requests are short
//! and fit into a GET. A hash that is not known is refused; then the client sends both once.
//!
//! A document is kept only after it was found fit to execute. Whoever knows a hash knows its document, so that all callers
//! share them.

use std::sync::Arc;

use moka::sync::Cache;
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::api_error::{ApiError, ErrorCode};

/// How much memory the kept documents may take, roughly, in bytes. The least used go first.
const LARGEST_STORE: u64 = 16 * 1024 * 1024;

/// What a kept document takes beside its text.
const OVERHEAD: usize = 256;

/// The SHA-256 of a document, as 64 lower-case hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct DocumentHash(Box<str>);

impl DocumentHash {
    /// Out of the parameter `extensions`: its `persistedQuery`, if there is one.
    ///
    /// # Errors
    /// Another version than 1, or no SHA-256.
    pub fn of_extension(persisted_query: &Value) -> Result<Option<Self>, ApiError> {
        if persisted_query.is_null() {
            return Ok(None);
        }
        if persisted_query["version"] != 1 {
            return Err(ApiError::bad_input("extensions.persistedQuery.version must be 1"));
        }
        let hash = persisted_query["sha256Hash"].as_str().unwrap_or_default();
        if hash.len() != 64 || !hash.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            let text = "extensions.persistedQuery.sha256Hash must be the document's SHA-256, in 64 hexadecimal digits";
            return Err(ApiError::bad_input(text));
        }
        Ok(Some(Self(hash.to_ascii_lowercase().into())))
    }

    fn of_document(text: &str) -> Self {
        Self(format!("{:x}", Sha256::digest(text)).into())
    }
}

/// The documents that clients may name by their hash.
#[derive(Debug)]
pub struct PersistedQueries(Cache<DocumentHash, Arc<str>>);

impl Default for PersistedQueries {
    fn default() -> Self {
        Self::holding(LARGEST_STORE)
    }
}

impl PersistedQueries {
    fn holding(bytes: u64) -> Self {
        let size = |_: &DocumentHash, text: &Arc<str>| u32::try_from(text.len() + OVERHEAD).unwrap_or(u32::MAX);
        Self(Cache::builder().max_capacity(bytes).weigher(size).build())
    }

    /// The document that a request means: its own text, or the one with that hash.
    ///
    /// # Errors
    /// Neither is given, the text has another hash, or the hash is not known.
    pub fn document(&self, text: &str, hash: Option<&DocumentHash>) -> Result<Arc<str>, ApiError> {
        match hash {
            None if text.trim().is_empty() => {
                Err(ApiError::bad_input("the parameter query is missing: it holds the GraphQL document"))
            }
            Some(hash) if text.is_empty() => {
                // Clients know the refusal by these words.
                let not_found = || ApiError::new(ErrorCode::PersistedQueryNotFound, "PersistedQueryNotFound");
                self.0.get(hash).ok_or_else(not_found)
            }
            Some(hash) if *hash != DocumentHash::of_document(text) => {
                Err(ApiError::bad_input("extensions.persistedQuery.sha256Hash is not the SHA-256 of the query"))
            }
            _ => Ok(text.into()),
        }
    }

    /// Keeps a document that is fit to execute, for requests that name it by this hash, which is its own.
    pub fn keep(&self, hash: &DocumentHash, document: &Arc<str>) {
        if !self.0.contains_key(hash) {
            self.0.insert(hash.clone(), Arc::clone(document));
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn hash_of(text: &str) -> DocumentHash {
        let hash = format!("{:X}", Sha256::digest(text));
        DocumentHash::of_extension(&json!({"version": 1, "sha256Hash": hash})).unwrap().unwrap()
    }

    #[test]
    fn a_kept_document_is_found_by_its_hash() {
        let (queries, hash) = (PersistedQueries::default(), hash_of("{ a }"));
        let unknown = queries.document("", Some(&hash)).unwrap_err();
        assert_eq!((unknown.code, &*unknown.message), (ErrorCode::PersistedQueryNotFound, "PersistedQueryNotFound"));
        let document = queries.document("{ a }", Some(&hash)).unwrap();
        assert!(queries.document("", Some(&hash)).is_err(), "it may still turn out to be unfit");
        queries.keep(&hash, &document);
        assert_eq!(&*queries.document("", Some(&hash)).unwrap(), "{ a }");
        assert!(queries.document("", Some(&hash_of("{ b }"))).is_err());
    }

    #[test]
    fn a_hash_of_another_document_is_refused() {
        let refused = PersistedQueries::default().document("{ a }", Some(&hash_of("{ b }"))).unwrap_err();
        assert_eq!(refused.code, ErrorCode::BadUserInput);
    }

    #[test]
    fn without_a_hash_the_document_must_be_there() {
        let queries = PersistedQueries::default();
        assert_eq!(&*queries.document("{ a }", None).unwrap(), "{ a }");
        assert_eq!(queries.document(" ", None).unwrap_err().code, ErrorCode::BadUserInput);
    }

    #[test]
    fn other_extensions_name_no_document() {
        assert_eq!(DocumentHash::of_extension(&Value::Null), Ok(None));
        let hash = "a".repeat(64);
        for extension in [
            json!({}),
            json!("x"),
            json!({"version": 2, "sha256Hash": hash}),
            json!({"sha256Hash": hash}),
            json!({"version": 1}),
            json!({"version": 1, "sha256Hash": 5}),
            json!({"version": 1, "sha256Hash": "a".repeat(63)}),
            json!({"version": 1, "sha256Hash": "g".repeat(64)}),
        ] {
            let refused = DocumentHash::of_extension(&extension).unwrap_err();
            assert_eq!(refused.code, ErrorCode::BadUserInput, "{extension}");
        }
    }

    #[test]
    fn the_store_is_bounded() {
        let queries = PersistedQueries::holding(100 * 1024);
        for number in 0..1_000 {
            let text: Arc<str> = format!("{{ a{number} {} }}", "x".repeat(1_000)).into();
            queries.keep(&hash_of(&text), &text);
        }
        queries.0.run_pending_tasks();
        assert!((10..=100).contains(&queries.0.entry_count()), "{}", queries.0.entry_count());
    }
}

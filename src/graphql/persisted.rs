//! Automatic persisted queries: a client may send the SHA-256 of a document in place of its text, so that requests are short
//! and fit into a GET. A hash that is not known is refused; then the client sends both once.
//!
//! A document is kept only after it was found fit to execute. Whoever knows a hash knows its document, so that all callers
//! share them.

use std::sync::Arc;

use moka::sync::Cache;
use sha2::{Digest, Sha256};

use crate::api_error::{ApiError, ErrorCode};
use crate::domain::json_shape::{Members, Shape, member};

/// How much memory the kept documents may take, roughly, in bytes. The least used go first.
const LARGEST_STORE: u64 = 16 * 1024 * 1024;

/// What a kept document takes beside its text.
const OVERHEAD: usize = 256;

/// The SHA-256 of a document, as 64 lower-case hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct DocumentHash(Box<str>);

impl DocumentHash {
    /// Reads the `persistedQuery` of `extensions`, if there is one.
    ///
    /// # Errors
    /// Another version than 1, or no SHA-256.
    pub fn from_extensions(extensions: &Members<'_>) -> Result<Option<Self>, ApiError> {
        let refused = |what: &str| ApiError::bad_input(format!("extensions.persistedQuery{what}"));
        let persisted_query = match member(extensions, "persistedQuery").map_or(Shape::Null, Shape::parse) {
            Shape::Null => return Ok(None),
            Shape::Object(members) => members,
            other => return Err(refused(&format!(" must be an object, not {}", other.kind()))),
        };
        let read = |name| member(&persisted_query, name).map_or(Shape::Null, Shape::parse);
        match read("version") {
            // Some clients write all numbers as fractions (`1.0`).
            Shape::Number(number) if number.parse() == Ok(1.0) => {}
            Shape::Number(_) => return Err(refused(".version must be 1")),
            other => return Err(refused(&format!(".version must be the number 1, not {}", other.kind()))),
        }
        let hash = match read("sha256Hash") {
            Shape::String(hash) => hash.unwrap_or_default(),
            other => return Err(refused(&format!(".sha256Hash must be a string, not {}", other.kind()))),
        };
        if hash.len() != 64 || !hash.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return Err(refused(".sha256Hash must be the document's SHA-256, in 64 hexadecimal digits"));
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
    /// The text has another hash, or the hash is not known.
    pub fn document(&self, text: &str, hash: Option<&DocumentHash>) -> Result<Arc<str>, ApiError> {
        match hash {
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
    use super::*;
    use crate::front::request_json::object;

    fn read(persisted_query: &str) -> Result<Option<DocumentHash>, ApiError> {
        let extensions = format!("{{\"persistedQuery\": {persisted_query}}}");
        DocumentHash::from_extensions(&object(extensions.as_bytes()).unwrap())
    }

    fn hash_of(text: &str) -> DocumentHash {
        let hash = format!("{:X}", Sha256::digest(text));
        read(&format!("{{\"version\": 1, \"sha256Hash\": \"{hash}\"}}")).unwrap().unwrap()
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
    fn without_a_hash_the_text_is_the_document() {
        assert_eq!(&*PersistedQueries::default().document("{ a }", None).unwrap(), "{ a }");
    }

    #[test]
    fn version_1_is_accepted_in_any_notation() {
        let hash = "a".repeat(64);
        let versioned = |version: &str| read(&format!("{{\"version\": {version}, \"sha256Hash\": \"{hash}\"}}"));
        for version in ["1", "1.0", "1.000", "1e0", "1E+0", "10e-1", "0.1e1"] {
            assert!(versioned(version).unwrap().is_some(), "{version}");
        }
        for version in ["0", "-1", "2", "1.5", "1e400", "1e-400", "\"1\"", "true", "null", "[1]", "{}"] {
            let refused = versioned(version).unwrap_err();
            assert!(refused.message.starts_with("extensions.persistedQuery.version must be"), "{}", refused.message);
        }
    }

    #[test]
    fn other_extensions_name_no_document() {
        assert_eq!(DocumentHash::from_extensions(&Members::new()), Ok(None));
        assert_eq!(read("null"), Ok(None));
        let (hash, short, odd) = ("a".repeat(64), "a".repeat(63), "g".repeat(64));
        for (persisted_query, said) in [
            ("\"x\"".to_owned(), "persistedQuery must be an object, not a string"),
            ("[1]".to_owned(), "persistedQuery must be an object, not an array"),
            ("{}".to_owned(), "version must be the number 1, not null"),
            (format!("{{\"sha256Hash\": \"{hash}\"}}"), "version must be the number 1, not null"),
            (format!("{{\"version\": 2, \"sha256Hash\": \"{hash}\"}}"), "version must be 1"),
            ("{\"version\": 1}".to_owned(), "sha256Hash must be a string, not null"),
            ("{\"version\": 1, \"sha256Hash\": 5}".to_owned(), "sha256Hash must be a string, not a number"),
            ("{\"version\": 1, \"sha256Hash\": \"\\ud800\"}".to_owned(), "64 hexadecimal digits"),
            (format!("{{\"version\": 1, \"sha256Hash\": \"{short}\"}}"), "64 hexadecimal digits"),
            (format!("{{\"version\": 1, \"sha256Hash\": \"{odd}\"}}"), "64 hexadecimal digits"),
        ] {
            let refused = read(&persisted_query).unwrap_err();
            assert_eq!(refused.code, ErrorCode::BadUserInput, "{persisted_query}");
            assert!(refused.message.contains(said), "{persisted_query}: {}", refused.message);
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

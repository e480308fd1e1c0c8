//! The simulator's connections, made ready to be listed, and the reading of a data file.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

use crate::domain::id::{SsoConnectionId, SsoId};
use crate::sso::wire::NetworkConnection;

/// The text is no list of connections.
#[derive(Debug, thiserror::Error)]
pub enum DataError {
    /// Not JSON, or not the JSON of connections; the source says where.
    #[error("the data must be a JSON array of connections, or an object with one as `network_connections`")]
    Unreadable(#[source] serde_json::Error),
    /// One id twice.
    #[error("connection {id} comes twice, the second time as number {number}")]
    Repeated {
        /// The id.
        id: SsoConnectionId,
        /// Where the second one stands, counted from 1.
        number: usize,
    },
}

/// Reads a data file: a JSON array of connections, or `{"network_connections": […]}`.
///
/// # Errors
/// [`DataError`] says what is off, and where.
pub fn parse_data(text: &str) -> Result<Vec<NetworkConnection>, DataError> {
    #[derive(Deserialize)]
    struct File {
        network_connections: Vec<NetworkConnection>,
    }

    let connections: Vec<NetworkConnection> = if text.trim_start().starts_with('[') {
        serde_json::from_str(text).map_err(DataError::Unreadable)?
    } else {
        serde_json::from_str::<File>(text).map_err(DataError::Unreadable)?.network_connections
    };
    let mut seen = BTreeSet::new();
    for (index, connection) in connections.iter().enumerate() {
        if !seen.insert(connection.id) {
            return Err(DataError::Repeated { id: connection.id, number: index + 1 });
        }
    }
    Ok(connections)
}

/// Connections by id, each as the JSON it is served as.
pub(super) struct Data {
    connections: BTreeMap<SsoConnectionId, Served>,
    by_account: HashMap<SsoId, BTreeSet<SsoConnectionId>>,
}

struct Served {
    json: Box<RawValue>,
    digest: [u8; 32],
}

/// The answer to a list call, from which pages are cut.
pub(super) struct AnswerSet<'data> {
    data: &'data Data,
    ids: Vec<SsoConnectionId>,
}

impl Data {
    pub(super) fn new(connections: Vec<NetworkConnection>) -> Self {
        let mut data = Self { connections: BTreeMap::new(), by_account: HashMap::new() };
        // The later one of the same id counts, so the earlier must leave no trace among the accounts.
        let connections: BTreeMap<_, _> =
            connections.into_iter().map(|connection| (connection.id, connection)).collect();
        for (id, connection) in connections {
            // A connection always prints as JSON, so none is left out.
            let Ok(json) = serde_json::value::to_raw_value(&connection) else { continue };
            let digest = Sha256::digest(json.get()).into();
            for party in [&connection.buyer, &connection.seller] {
                data.by_account.entry(party.id).or_default().insert(id);
            }
            data.connections.insert(id, Served { json, digest });
        }
        data
    }

    pub(super) fn get(&self, id: SsoConnectionId) -> Option<&RawValue> {
        self.connections.get(&id).map(|served| &*served.json)
    }

    /// Everything that any of the accounts takes part in, by id.
    pub(super) fn of(&self, accounts: &BTreeSet<SsoId>) -> AnswerSet<'_> {
        let ids: BTreeSet<_> = accounts.iter().filter_map(|account| self.by_account.get(account)).flatten().collect();
        AnswerSet { data: self, ids: ids.into_iter().copied().collect() }
    }
}

impl AnswerSet<'_> {
    /// The strong validator of the whole set, for these accounts alone.
    pub(super) fn etag(&self, accounts: &BTreeSet<SsoId>) -> String {
        let mut hasher = Sha256::new();
        for account in accounts {
            hasher.update(account.as_str());
        }
        hasher.update("/");
        for served in self.ids.iter().filter_map(|id| self.data.connections.get(id)) {
            hasher.update(served.digest);
        }
        format!("\"{}\"", URL_SAFE_NO_PAD.encode(&hasher.finalize()[..16]))
    }

    /// The page after a cursor's connection, and the cursor of the next.
    pub(super) fn page(&self, after: Option<SsoConnectionId>, size: usize) -> (Vec<&RawValue>, Option<String>) {
        let start = after.map_or(0, |after| self.ids.partition_point(|id| *id <= after));
        let end = start.saturating_add(size).min(self.ids.len());
        let page = &self.ids[start..end];
        let next = page.last().filter(|_| end < self.ids.len()).map(|last| cursor(*last));
        (page.iter().filter_map(|id| self.data.get(*id)).collect(), next)
    }
}

/// Opaque to clients: where a page ended.
fn cursor(last: SsoConnectionId) -> String {
    URL_SAFE_NO_PAD.encode(last.as_str())
}

/// The connection that a cursor stands behind.
pub(super) fn parse_cursor(cursor: &str) -> Option<SsoConnectionId> {
    String::from_utf8(URL_SAFE_NO_PAD.decode(cursor).ok()?).ok()?.parse().ok()
}

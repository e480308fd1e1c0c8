//! The simulator's connections, made ready to be listed, and the reading of a data file.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Bound;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

use super::scenario::{Scenario, Scenarios};
use crate::domain::id::{ObjectId, SsoConnectionId, SsoId};
use crate::domain::timestamp::Timestamp;
use crate::sso::wire::{self, ListedConnections, NetworkConnection, Party, Permissions};

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
    let connections: Vec<NetworkConnection> = if text.trim_start().starts_with('[') {
        wire::read(text.as_bytes()).map_err(DataError::Unreadable)?
    } else {
        wire::read::<ListedConnections>(text.as_bytes()).map_err(DataError::Unreadable)?.network_connections
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
    connections: BTreeMap<SsoConnectionId, Arc<Served>>,
    by_account: HashMap<SsoId, BTreeSet<SsoConnectionId>>,
}

/// One connection as it is served.
pub(super) struct Served {
    pub(super) json: Box<RawValue>,
    digest: [u8; 32],
    /// Buyer and seller.
    pub(super) parties: [SsoId; 2],
}

/// The answer to a list call, by id, from which pages are cut.
pub(super) struct AnswerSet(BTreeMap<SsoConnectionId, Arc<Served>>);

impl Served {
    /// A connection always prints as JSON, so there always is one.
    fn new(connection: &NetworkConnection) -> Option<Arc<Self>> {
        let json = serde_json::value::to_raw_value(connection).ok()?;
        let digest = Sha256::digest(json.get()).into();
        Some(Arc::new(Self { json, digest, parties: [connection.buyer.id, connection.seller.id] }))
    }
}

impl Data {
    pub(super) fn new(connections: Vec<NetworkConnection>) -> Self {
        let mut data = Self { connections: BTreeMap::new(), by_account: HashMap::new() };
        // The later one of the same id counts, so the earlier must leave no trace among the accounts.
        let connections: BTreeMap<_, _> =
            connections.into_iter().map(|connection| (connection.id, connection)).collect();
        for (id, connection) in connections {
            let Some(served) = Served::new(&connection) else { continue };
            for party in served.parties {
                data.by_account.entry(party).or_default().insert(id);
            }
            data.connections.insert(id, served);
        }
        data
    }

    /// One connection, whatever its parties' scenarios make of it.
    pub(super) fn get(&self, id: SsoConnectionId, scenarios: &Scenarios) -> Option<Arc<Served>> {
        if let Some(served) = self.connections.get(&id) {
            return Some(Arc::clone(served));
        }
        let account = reversed(id.as_str()).parse().ok()?;
        let is_missing = scenarios.of(account) == Scenario::Missing;
        is_missing.then(|| missing(account)).flatten().and_then(|connection| Served::new(&connection))
    }

    /// Everything that any of the accounts takes part in and the scenarios leave or add.
    pub(super) fn of(&self, accounts: &BTreeSet<SsoId>, scenarios: &Scenarios) -> AnswerSet {
        let ids = accounts.iter().filter_map(|account| self.by_account.get(account)).flatten();
        let known = ids.filter_map(|id| Some((*id, Arc::clone(self.connections.get(id)?))));
        let left = known.filter(|(_, served)| !scenarios.revokes(served.parties));
        let wanting = accounts.iter().filter(|account| scenarios.of(**account) == Scenario::Missing);
        let missing = wanting.filter_map(|account| missing(*account));
        let added = missing.filter_map(|connection| Some((connection.id, Served::new(&connection)?)));
        AnswerSet(left.chain(added).collect())
    }
}

/// The connection that LC missed, of an account whose scenario is [`Scenario::Missing`].
fn missing(account: SsoId) -> Option<NetworkConnection> {
    let party = |id, name: &str| Party { id, name: name.into() };
    let made_at = Timestamp::from_millis(1_717_232_400_000);
    Some(NetworkConnection {
        id: reversed(account.as_str()).parse().ok()?,
        invitation_id: None,
        buyer: party(account, "The account that asks"),
        // No account of LC's.
        seller: party(ObjectId::from_parts(0, [0x5e; 5], 0).into(), "Missed Message Media"),
        permissions: Permissions { buyer: vec!["view_submission_docs".into()], seller: Vec::new() },
        created_by: None,
        created_at: made_at,
        updated_at: made_at,
    })
}

/// Makes an account's id into the id of its missed connection, and back.
fn reversed(id: &str) -> String {
    id.chars().rev().collect()
}

impl AnswerSet {
    /// The strong validator of the whole set, for these accounts alone.
    pub(super) fn etag(&self, accounts: &BTreeSet<SsoId>) -> String {
        let mut hasher = Sha256::new();
        for account in accounts {
            hasher.update(account.as_str());
        }
        hasher.update("/");
        for served in self.0.values() {
            hasher.update(served.digest);
        }
        format!("\"{}\"", URL_SAFE_NO_PAD.encode(&hasher.finalize()[..16]))
    }

    /// The page after a cursor's connection, and the cursor of the next.
    pub(super) fn page(&self, after: Option<SsoConnectionId>, size: usize) -> (Vec<&RawValue>, Option<String>) {
        let start = after.map_or(Bound::Unbounded, Bound::Excluded);
        let mut rest = self.0.range((start, Bound::Unbounded));
        let page: Vec<_> = rest.by_ref().take(size).collect();
        let next = page.last().filter(|_| rest.next().is_some()).map(|(last, _)| cursor(**last));
        (page.into_iter().map(|(_, served)| &*served.json).collect(), next)
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

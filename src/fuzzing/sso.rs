//! SSO's answers: what is accepted keeps what the contract promises of it, and is the same once it is written again.
//!
//! An input is the pages of a list of two accounts, each page on its lines, with a line `---` between pages; its first page
//! is read as a single connection too.

use std::collections::HashSet;

use serde_json::value::RawValue;

use crate::domain::id::{ObjectId, SsoConnectionId, SsoId};
use crate::domain::json_text;
use crate::domain::sso_view::{SsoConnection, SsoSnapshot};
use crate::domain::timestamp::Timestamp;
use crate::sso::read_list;
use crate::sso::wire::{self, NetworkConnection};

/// The accounts whose list it is, in order.
const ACCOUNTS: [SsoId; 2] = [account("50000000000000000000000a"), account("50000000000000000000000b")];

const fn account(id: &str) -> SsoId {
    match ObjectId::parse(id) {
        Ok(id) => SsoId(id),
        Err(_) => panic!("no id"),
    }
}

pub(super) fn holds(input: &[u8]) {
    let pages: Vec<&[u8]> = pages(input);
    if let Ok(single) = wire::read::<NetworkConnection>(pages[0]) {
        let written = serde_json::to_vec(&single).expect("a connection that can be written");
        assert_eq!(wire::read::<NetworkConnection>(&written).ok().as_ref(), Some(&single));
    }
    for accounts in [&ACCOUNTS[..], &ACCOUNTS[..1]] {
        let Some(lists) = read_list(accounts, &pages) else { continue };
        assert_eq!(lists.len(), accounts.len());
        let mut ids = HashSet::new();
        for (account, list) in accounts.iter().zip(lists) {
            ids.extend(list.iter().map(|connection| connection.id));
            is_one_accounts_list(*account, list);
        }
        assert_eq!(ids, listed_ids(&pages), "what SSO lists, and nothing else");
    }
}

/// The input, cut at lines that are `---`.
fn pages(input: &[u8]) -> Vec<&[u8]> {
    let mut pages = vec![];
    let mut rest = input;
    while let Some(at) = rest.windows(5).position(|window| window == b"\n---\n") {
        pages.push(&rest[..at]);
        rest = &rest[at + 5..];
    }
    pages.push(rest);
    pages
}

fn is_one_accounts_list(account: SsoId, list: Vec<SsoConnection>) {
    let ids: HashSet<_> = list.iter().map(|connection| connection.id).collect();
    assert_eq!(ids.len(), list.len(), "a connection stands twice in the list of {account}");
    let snapshot = SsoSnapshot::new(Timestamp::EPOCH, list);
    let order: Vec<_> = snapshot.connections().iter().map(SsoConnection::list_order).collect();
    assert!(order.is_sorted());
    for (at, connection) in snapshot.connections().iter().enumerate() {
        assert_eq!(snapshot.position(connection.id), Some(at));
        assert_eq!(snapshot.find(connection.id.0).map(|found| found.id), Some(connection.id));
    }
}

/// The ids that a reader finds who looks at nothing else.
fn listed_ids(pages: &[&[u8]]) -> HashSet<SsoConnectionId> {
    let id = |connection: &RawValue| -> SsoConnectionId {
        let [id] = json_text::members(connection, ["id"]).expect("an object, since it was accepted");
        json_text::text(id.expect("an id")).expect("a text").parse().expect("an id")
    };
    let mut ids = HashSet::new();
    for page in pages {
        let text = std::str::from_utf8(page).expect("text, since it was accepted");
        let page: &RawValue = serde_json::from_str(text).expect("JSON, since it was accepted");
        let [list] = json_text::members(page, ["network_connections"]).expect("an object, since it was accepted");
        ids.extend(
            json_text::elements(list.expect("a list")).expect("a list, since it was accepted").into_iter().map(id),
        );
    }
    ids
}

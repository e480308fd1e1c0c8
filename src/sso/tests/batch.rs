//! Several accounts in one call: each gets what it would get alone, and nothing of the batch reaches anybody else.

use std::time::Duration;

use wiremock::matchers::{method, query_param};
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::support::{REQUEST, account, answer, connection_id, ids, network_connection, serve, settings, sso};
use crate::clock::Clock;
use crate::domain::id::SsoId;
use crate::domain::sso_view::SourceFailure;
use crate::sso::simulator::Simulator;
use crate::sso::wire::NetworkConnection;
use crate::sso::{Sso, SsoSettings};

/// A ring of so many accounts, each with its neighbours, and a connection of account 1 with itself.
fn ring(count: u32) -> Vec<NetworkConnection> {
    let mut ring: Vec<_> = (0..count).map(|number| network_connection(number, number, (number + 1) % count)).collect();
    ring.push(network_connection(1_000, 1, 1));
    ring
}

fn accounts(numbers: std::ops::Range<u32>) -> Vec<SsoId> {
    numbers.map(account).collect()
}

#[tokio::test]
async fn each_account_of_a_batch_gets_what_it_gets_alone() {
    let simulator = Simulator::new(ring(20)).with_page_size(3);
    let url = serve(&simulator).await;
    let (together, alone) = (sso(&url), sso(&url));
    let views = together.views(accounts(0..20), REQUEST).await;
    assert_eq!(views.len(), 20);
    assert_eq!((simulator.calls().list, simulator.calls().further_pages), (1, 6));
    for account in accounts(0..20) {
        let expected = alone.view(account, REQUEST).await;
        assert_eq!(views[&account].snapshot().unwrap().connections(), expected.snapshot().unwrap().connections());
    }
}

#[tokio::test]
async fn more_accounts_than_a_call_may_name_take_several_calls() {
    let simulator = Simulator::new(ring(120));
    let sso = sso(&serve(&simulator).await);
    let views = sso.views(accounts(0..120), REQUEST).await;
    assert_eq!((views.len(), simulator.calls().list), (120, 3));
    assert!(views.values().all(|view| view.snapshot().is_some()));
}

#[tokio::test]
async fn an_unchanged_batch_costs_a_304_and_a_known_account_is_not_asked_for() {
    let simulator = Simulator::new(ring(5));
    let url = serve(&simulator).await;
    let forgetful = SsoSettings { max_age: Duration::ZERO, ..settings(&url) };
    let forgetful = Sso::new(forgetful, Clock::default()).unwrap();
    forgetful.views(accounts(0..5), REQUEST).await;
    forgetful.views(accounts(0..5), REQUEST).await;
    assert_eq!((simulator.calls().list, simulator.calls().not_modified), (2, 1));

    let sso = sso(&url);
    sso.view(account(1), REQUEST).await;
    let calls = simulator.calls().list;
    sso.views(accounts(0..3), REQUEST).await;
    assert_eq!(simulator.calls().list - calls, 1);
    sso.views([account(1)], REQUEST).await;
    assert_eq!(simulator.calls().list - calls, 1, "it is in memory");
}

#[tokio::test]
async fn a_repair_makes_the_batches_of_its_account_stale_too() {
    let simulator = Simulator::new(ring(5));
    let sso = sso(&serve(&simulator).await);
    let first = sso.views(accounts(0..3), REQUEST).await;
    simulator.replace(vec![network_connection(7, 1, 2)]);
    assert_eq!(sso.views(accounts(0..3), REQUEST).await[&account(1)], first[&account(1)], "young enough");
    sso.mark_stale(account(2));
    assert_eq!(ids(&sso.views(accounts(0..3), REQUEST).await[&account(1)]), [connection_id(7)]);
}

#[tokio::test]
async fn a_fault_costs_the_whole_batch_and_nobody_else() {
    let server = MockServer::start().await;
    let both = format!("{},{}", account(1), account(2));
    let list = |accounts: &str| Mock::given(method("GET")).and(query_param("account_ids", accounts.to_owned()));
    list(&both).respond_with(ResponseTemplate::new(500)).mount(&server).await;
    list(account(1).as_str()).respond_with(answer(&[network_connection(1, 1, 2)], None, "\"a\"")).mount(&server).await;
    let sso = sso(&server.uri());
    let batch = sso.views([account(2), account(1), account(2)], REQUEST).await;
    assert_eq!(batch.len(), 2);
    assert!(batch.values().all(|view| view.failure() == Some(SourceFailure::BadStatus)));
    assert_eq!(ids(&sso.view(account(1), REQUEST).await), [connection_id(1)]);
}

#[tokio::test]
async fn a_connection_of_none_of_the_accounts_is_a_bad_payload() {
    let server = MockServer::start().await;
    Mock::given(method("GET"))
        .respond_with(answer(&[network_connection(1, 1, 2), network_connection(2, 3, 4)], None, "\"a\""))
        .mount(&server)
        .await;
    let views = sso(&server.uri()).views([account(1), account(2)], REQUEST).await;
    assert!(views.values().all(|view| view.failure() == Some(SourceFailure::BadPayload)));
}

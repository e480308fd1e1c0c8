//! Kept views: age, shared fetches, staleness, and that accounts never mix.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tokio::task::JoinSet;
use wiremock::matchers::{method, query_param};
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

use super::support::{
    REQUEST, account, answer, connection_id, forgetful, ids, network_connection, serve, settings, sso,
};
use crate::clock::Clock;
use crate::domain::sso_view::{SourceFailure, SsoView};
use crate::sso::simulator::{Scenario, Simulator};
use crate::sso::{Sso, SsoSettings};

/// The n-th answer lists the connection n alone, after a while.
async fn serve_numbered(delay: Duration) -> MockServer {
    let server = MockServer::start().await;
    let count = AtomicU32::new(0);
    Mock::given(method("GET"))
        .respond_with(move |_: &Request| {
            let number = count.fetch_add(1, Ordering::SeqCst) + 1;
            answer(&[network_connection(number, 1, 2)], None, &format!("\"{number}\"")).set_delay(delay)
        })
        .mount(&server)
        .await;
    server
}

/// Waits until the server got so many requests.
async fn asked(server: &MockServer, count: usize) {
    while server.received_requests().await.unwrap().len() < count {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_requests_for_one_account_share_one_fetch() {
    for max_age in [Duration::ZERO, Duration::from_mins(1)] {
        let server = serve_numbered(Duration::from_millis(300)).await;
        let sso = Sso::new(SsoSettings { max_age, ..settings(&server.uri()) }, Clock::default()).unwrap();
        let mut requests = JoinSet::new();
        for _ in 0..32 {
            let sso = sso.clone();
            requests.spawn(async move { sso.view(account(1), REQUEST).await });
        }
        for view in requests.join_all().await {
            assert_eq!(ids(&view), [connection_id(1)]);
        }
        assert_eq!(server.received_requests().await.unwrap().len(), 1, "{max_age:?}");
    }
}

#[tokio::test]
async fn what_is_kept_serves_until_it_is_too_old() {
    let server = serve_numbered(Duration::ZERO).await;
    let sso = sso(&server.uri());
    for _ in 0..3 {
        assert_eq!(ids(&sso.view(account(1), REQUEST).await), [connection_id(1)]);
    }

    let max_age = Duration::from_millis(50);
    let sso = Sso::new(SsoSettings { max_age, ..settings(&server.uri()) }, Clock::default()).unwrap();
    let first = ids(&sso.view(account(1), REQUEST).await);
    tokio::time::sleep(max_age * 2).await;
    assert_ne!(ids(&sso.view(account(1), REQUEST).await), first);
}

#[tokio::test]
async fn age_counts_from_the_start_of_the_fetch() {
    let max_age = Duration::from_millis(100);
    let server = serve_numbered(max_age * 3).await;
    let sso = Sso::new(SsoSettings { max_age, ..settings(&server.uri()) }, Clock::default()).unwrap();
    assert_eq!(ids(&sso.view(account(1), REQUEST).await), [connection_id(1)]);
    // It came a moment ago, but SSO was asked for it too long ago.
    assert_eq!(ids(&sso.view(account(1), REQUEST).await), [connection_id(2)]);
}

#[tokio::test]
async fn with_no_age_allowed_every_request_asks() {
    let server = serve_numbered(Duration::ZERO).await;
    let sso = forgetful(&server);
    for number in 1..=3 {
        assert_eq!(ids(&sso.view(account(1), REQUEST).await), [connection_id(number)]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_waiting_request_that_goes_away_does_not_cancel_the_fetch() {
    let server = serve_numbered(Duration::from_millis(300)).await;
    let sso = sso(&server.uri());
    let first = tokio::spawn({
        let sso = sso.clone();
        async move { sso.view(account(1), REQUEST).await }
    });
    asked(&server, 1).await;
    let second = tokio::spawn({
        let sso = sso.clone();
        async move { sso.view(account(1), REQUEST).await }
    });
    tokio::time::sleep(Duration::from_millis(20)).await;
    first.abort();
    assert!(first.await.unwrap_err().is_cancelled());
    assert_eq!(ids(&second.await.unwrap()), [connection_id(1)]);
    assert_eq!(server.received_requests().await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_fetch_that_nobody_waits_for_any_more_is_kept_all_the_same() {
    let server = serve_numbered(Duration::from_millis(100)).await;
    let sso = sso(&server.uri());
    let impatient = tokio::time::timeout(Duration::from_millis(20), sso.view(account(1), REQUEST)).await;
    assert!(impatient.is_err());
    assert_eq!(ids(&sso.view(account(1), REQUEST).await), [connection_id(1)]);
    assert_eq!(server.received_requests().await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_stale_view_is_fetched_again() {
    let server = serve_numbered(Duration::ZERO).await;
    let sso = sso(&server.uri());
    assert_eq!(ids(&sso.view(account(1), REQUEST).await), [connection_id(1)]);
    sso.mark_stale(account(2));
    assert_eq!(ids(&sso.view(account(1), REQUEST).await), [connection_id(1)]);
    sso.mark_stale(account(1));
    assert_eq!(ids(&sso.view(account(1), REQUEST).await), [connection_id(2)]);
    assert_eq!(ids(&sso.view(account(1), REQUEST).await), [connection_id(2)]);
}

#[tokio::test]
async fn a_stale_view_that_did_not_change_costs_a_304() {
    let simulator = Simulator::new(vec![network_connection(1, 1, 2)]);
    let sso = sso(&serve(&simulator).await);
    let first = sso.view(account(1), REQUEST).await;
    sso.mark_stale(account(1));
    assert_eq!(ids(&sso.view(account(1), REQUEST).await), ids(&first));
    assert_eq!((simulator.calls().list, simulator.calls().not_modified), (2, 1));
    // Confirmed, it is as good as new.
    assert_eq!(ids(&sso.view(account(1), REQUEST).await), ids(&first));
    assert_eq!(simulator.calls().list, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fetch_under_way_when_its_account_becomes_stale_is_not_kept() {
    let server = serve_numbered(Duration::from_millis(200)).await;
    let sso = sso(&server.uri());
    let before = tokio::spawn({
        let sso = sso.clone();
        async move { sso.view(account(1), REQUEST).await }
    });
    asked(&server, 1).await;
    sso.mark_stale(account(1));
    // Two that come after share the second fetch; the one that came before may have the first.
    let (after, beside) = tokio::join!(sso.view(account(1), REQUEST), sso.view(account(1), REQUEST));
    assert_eq!(ids(&after), [connection_id(2)]);
    assert_eq!(ids(&beside), [connection_id(2)]);
    assert_eq!(ids(&before.await.unwrap()), [connection_id(1)]);
    assert_eq!(ids(&sso.view(account(1), REQUEST).await), [connection_id(2)]);
    assert_eq!(server.received_requests().await.unwrap().len(), 2);
}

#[tokio::test]
async fn a_failure_is_not_kept() {
    let simulator = Simulator::new(vec![network_connection(1, 1, 2)]);
    let sso = sso(&serve(&simulator).await);
    simulator.set_scenario(Scenario::Down);
    assert_eq!(sso.view(account(1), REQUEST).await, SsoView::Unavailable(SourceFailure::BadStatus));
    simulator.set_scenario(Scenario::Ok);
    assert_eq!(ids(&sso.view(account(1), REQUEST).await), [connection_id(1)]);
}

#[tokio::test]
async fn an_old_view_never_stands_in_for_a_failure() {
    let simulator = Simulator::new(vec![network_connection(1, 1, 2)]);
    let sso = sso(&serve(&simulator).await);
    assert_eq!(ids(&sso.view(account(1), REQUEST).await), [connection_id(1)]);
    sso.mark_stale(account(1));
    simulator.set_scenario(Scenario::Down);
    assert_eq!(sso.view(account(1), REQUEST).await.failure(), Some(SourceFailure::BadStatus));
}

#[tokio::test(flavor = "multi_thread")]
async fn accounts_never_mix() {
    let server = MockServer::start().await;
    for number in 1..=8 {
        Mock::given(query_param("account_ids", account(number).as_str()))
            .respond_with(
                answer(&[network_connection(number, number, 99)], None, "\"the same\"")
                    .set_delay(Duration::from_millis(20)),
            )
            .mount(&server)
            .await;
    }
    let sso = Arc::new(sso(&server.uri()));
    let mut requests = JoinSet::new();
    for round in 0..64 {
        let sso = Arc::clone(&sso);
        requests.spawn(async move {
            let number = round % 8 + 1;
            (number, sso.view(account(number), REQUEST).await)
        });
    }
    for (number, view) in requests.join_all().await {
        assert_eq!(ids(&view), [connection_id(number)]);
    }
    assert_eq!(server.received_requests().await.unwrap().len(), 8);
}

#[tokio::test]
async fn one_accounts_failure_is_not_anothers() {
    let server = MockServer::start().await;
    Mock::given(query_param("account_ids", account(1).as_str()))
        .respond_with(ResponseTemplate::new(500))
        .mount(&server)
        .await;
    Mock::given(query_param("account_ids", account(2).as_str()))
        .respond_with(answer(&[network_connection(2, 2, 3)], None, "\"a\""))
        .mount(&server)
        .await;
    let sso = sso(&server.uri());
    let (first, second) = tokio::join!(sso.view(account(1), REQUEST), sso.view(account(2), REQUEST));
    assert_eq!(first.failure(), Some(SourceFailure::BadStatus));
    assert_eq!(ids(&second), [connection_id(2)]);
}

//! The simulator: the client agrees with it over random data, and its own routes steer it.

use std::time::Duration;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};

use super::support::{REQUEST, TOKEN, account, connection_id, ids, network_connection, serve, settings, sso};
use crate::clock::Clock;
use crate::domain::connection::RelationshipType;
use crate::domain::sso_view::SourceFailure;
use crate::sso::simulator::{Calls, DataError, Scenario, Simulator, parse_data};
use crate::sso::wire::{MAX_ACCOUNTS, NetworkConnection};
use crate::sso::{Sso, SsoSettings};

/// Connections with ids 0, 1, …, among six accounts, created at any of a few times.
fn worlds() -> impl Strategy<Value = Vec<NetworkConnection>> {
    let ties = (0..6_u32, 0..6_u32, 0..4_i64);
    proptest::collection::vec(ties, 0..30).prop_map(|ties| {
        let connections = (0..).zip(ties).map(|(number, (buyer, seller, created))| {
            let created_at = crate::domain::timestamp::Timestamp::from_millis(created);
            NetworkConnection { created_at, ..network_connection(number, buyer, seller) }
        });
        connections.collect()
    })
}

#[test]
fn client_and_simulator_agree_over_random_data_in_pages() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let simulator = Simulator::new(Vec::new());
    let sso = runtime.block_on(async {
        let settings = SsoSettings { max_age: Duration::ZERO, ..settings(&serve(&simulator).await) };
        Sso::new(settings, Clock::default()).unwrap()
    });
    let mut runner = TestRunner::new(Config { cases: 64, failure_persistence: None, ..Config::default() });
    let outcome = runner.run(&(worlds(), 1..7_usize), |(world, page_size)| {
        simulator.replace(world.clone());
        simulator.set_page_size(page_size);
        for number in 0..6 {
            let mut expected: Vec<_> = world.iter().cloned().filter_map(|tie| tie.seen_by(account(number))).collect();
            expected.sort_by_key(|connection| (connection.created_at, connection.id));
            let before = simulator.calls();
            let view = runtime.block_on(sso.view(account(number), REQUEST));
            prop_assert_eq!(view.snapshot().unwrap().connections(), &expected[..]);
            let after = simulator.calls();
            prop_assert_eq!(after.list - before.list, 1);
            let pages = expected.len().div_ceil(page_size).max(1);
            let was_read = after.not_modified == before.not_modified;
            let further = if was_read { pages as u64 - 1 } else { 0 };
            prop_assert_eq!(after.further_pages - before.further_pages, further);
        }
        Ok(())
    });
    outcome.unwrap();
}

#[tokio::test]
async fn a_single_connection_is_served_and_an_unknown_one_is_not() {
    let simulator = Simulator::new(vec![network_connection(1, 1, 2)]);
    let sso = sso(&serve(&simulator).await);
    let seen = sso.connection(connection_id(1), account(1), REQUEST).await.unwrap().unwrap();
    assert_eq!(seen.relationship_type, RelationshipType::Seller);
    assert_eq!(sso.connection(connection_id(2), account(1), REQUEST).await, Ok(None));
    assert_eq!(simulator.calls(), Calls { single: 2, ..Calls::default() });
}

#[tokio::test]
async fn scenarios_are_switched_while_it_runs() {
    let simulator = Simulator::new((0..3).map(|number| network_connection(number, 1, 2)).collect()).with_page_size(2);
    let url = serve(&simulator).await;
    let sso = sso(&url);
    let view = async |sso: &Sso| {
        sso.mark_stale(account(1));
        sso.view(account(1), REQUEST).await
    };
    for (scenario, failure) in [
        (Scenario::PageFails, Some(SourceFailure::BadStatus)),
        (Scenario::Down, Some(SourceFailure::BadStatus)),
        (Scenario::Ok, None),
    ] {
        let answer = put_scenario(&url, &json!({"scenario": scenario.as_str()}).to_string()).await;
        assert_eq!(answer, (200, json!({"scenario": scenario.as_str()})));
        assert_eq!(simulator.scenario(), scenario);
        assert_eq!(view(&sso).await.failure(), failure, "{scenario}");
    }
    simulator.set_scenario(Scenario::Down);
    let single = sso.connection(connection_id(1), account(1), REQUEST).await;
    assert_eq!(single, Err(SourceFailure::BadStatus));
}

#[tokio::test]
async fn an_unknown_scenario_is_refused_with_the_known_ones() {
    let simulator = Simulator::new(Vec::new());
    let url = serve(&simulator).await;
    for body in [r#"{"scenario": "upside-down"}"#, "{}", "down", ""] {
        let (status, answer) = put_scenario(&url, body).await;
        assert_eq!(status, 400, "{body}");
        let text = answer["error"].as_str().unwrap();
        assert!(["ok", "down", "page-fails"].iter().all(|word| text.contains(word)), "{text}");
    }
    let (status, answer) = get(&url, "/__scenario").await;
    assert_eq!((status, &answer["scenario"]), (200, &json!("ok")));
}

#[tokio::test]
async fn calls_are_counted_whatever_they_are_answered_with() {
    let simulator = Simulator::new((0..3).map(|number| network_connection(number, 1, 2)).collect()).with_page_size(2);
    let url = serve(&simulator).await;
    let sso = sso(&url);
    sso.view(account(1), REQUEST).await;
    sso.mark_stale(account(1));
    sso.view(account(1), REQUEST).await;
    simulator.set_scenario(Scenario::Down);
    sso.view(account(2), REQUEST).await;
    let expected = json!({"list": 3, "further_pages": 1, "single": 0, "not_modified": 1});
    assert_eq!(get(&url, "/__calls").await, (200, expected));
}

#[tokio::test]
async fn a_token_is_asked_for_where_one_is_set() {
    let simulator = Simulator::new(vec![network_connection(1, 1, 2)]);
    let right = serve(&simulator.clone().with_token(TOKEN.to_owned().into())).await;
    let wrong = serve(&simulator.with_token("another".to_owned().into())).await;
    assert_eq!(ids(&sso(&right).view(account(1), REQUEST).await), [connection_id(1)]);
    assert_eq!(sso(&wrong).view(account(1), REQUEST).await.failure(), Some(SourceFailure::BadStatus));
    let list = format!("/network_connections?account_ids={}", account(1));
    assert_eq!(get(&right, &list).await.0, 401);
    assert_eq!(get(&right, "/__scenario").await.0, 200);
}

#[tokio::test]
async fn what_the_wire_does_not_know_is_refused() {
    let simulator = Simulator::new(Vec::new());
    let url = serve(&simulator).await;
    let account_ids = |count: u32| (0..count).map(|number| account(number).to_string()).collect::<Vec<_>>().join(",");
    let many = u32::try_from(MAX_ACCOUNTS).unwrap();
    for (status, query) in [
        (200, format!("account_ids={}", account_ids(many))),
        (400, format!("account_ids={}", account_ids(many + 1))),
        (400, String::new()),
        (400, "account_ids=".to_owned()),
        (400, "account_ids=someone".to_owned()),
        (400, format!("account_ids={}&limit=0", account(1))),
        (400, format!("account_ids={}&limit=501", account(1))),
        (400, format!("account_ids={}&cursor=mine", account(1))),
    ] {
        assert_eq!(get(&url, &format!("/network_connections?{query}")).await.0, status, "{query}");
    }
}

#[tokio::test]
async fn the_etag_belongs_to_the_set_and_its_accounts() {
    let simulator = Simulator::new(vec![network_connection(1, 1, 2)]);
    let url = serve(&simulator).await;
    let etag = async |accounts: String| {
        let url = format!("{url}/network_connections?account_ids={accounts}");
        reqwest::get(url).await.unwrap().headers()["etag"].to_str().unwrap().to_owned()
    };
    let first = etag(account(1).to_string()).await;
    assert_eq!(etag(account(1).to_string().to_uppercase()).await, first);
    assert_ne!(etag(account(2).to_string()).await, first, "the same set, but of another account");
    assert_ne!(etag(format!("{},{}", account(1), account(2))).await, first);

    simulator.replace(vec![network_connection(1, 1, 2), network_connection(2, 3, 4)]);
    assert_eq!(etag(account(1).to_string()).await, first, "what changed is not this account's");
    simulator.replace(vec![network_connection(1, 1, 3)]);
    assert_ne!(etag(account(1).to_string()).await, first);
}

#[test]
fn data_is_an_array_or_an_object_with_one() {
    let connections = vec![network_connection(1, 1, 2), network_connection(2, 2, 1)];
    let array = json!(connections).to_string();
    let object = json!({"network_connections": connections, "next_cursor": null}).to_string();
    assert_eq!(parse_data(&array).unwrap(), connections);
    assert_eq!(parse_data(&object).unwrap(), connections);
}

#[test]
fn bad_data_is_refused_with_its_place() {
    let connections = json!([network_connection(1, 1, 2)]).to_string();
    let broken = format!("[\n{}\n, {{\"id\": \"no id\"}}]", &connections[1..connections.len() - 1]);
    let error = parse_data(&broken).unwrap_err();
    let source = std::error::Error::source(&error).unwrap().to_string();
    assert!(source.contains("line 3"), "{source}");
    assert!(parse_data("{}").is_err());
    let twice = json!([network_connection(1, 1, 2), network_connection(1, 1, 2)]).to_string();
    assert!(matches!(parse_data(&twice), Err(DataError::Repeated { number: 2, .. })));
}

async fn get(url: &str, path: &str) -> (u16, Value) {
    read(reqwest::get(format!("{url}{path}")).await.unwrap()).await
}

async fn put_scenario(url: &str, body: &str) -> (u16, Value) {
    let request = reqwest::Client::new().put(format!("{url}/__scenario")).body(body.to_owned());
    read(request.send().await.unwrap()).await
}

/// The status and the JSON body, null where it is not JSON.
async fn read(response: reqwest::Response) -> (u16, Value) {
    let status = response.status().as_u16();
    (status, serde_json::from_slice(&response.bytes().await.unwrap()).unwrap_or_default())
}

//! The simulator: the client agrees with it over random data, and its own routes steer it.

use std::time::{Duration, Instant};

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};

use super::support::{AMPLE, REQUEST, TOKEN, account, connection_id, ids, network_connection, serve, settings, sso};
use crate::clock::Clock;
use crate::domain::connection::RelationshipType;
use crate::domain::id::SsoId;
use crate::domain::sso_view::SourceFailure;
use crate::sso::simulator::{Calls, DataError, SLOWNESS, Scenario, Simulator, parse_data};
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
    let seen = sso.connection(connection_id(1), account(1), REQUEST, AMPLE).await.unwrap().unwrap();
    assert_eq!(seen.relationship_type, RelationshipType::Seller);
    assert_eq!(sso.connection(connection_id(2), account(1), REQUEST, AMPLE).await, Ok(None));
    assert_eq!(simulator.calls(), Calls { single: 2, ..Calls::default() });
}

/// A simulator over three connections of accounts 1 and 2, in two pages, and a client that keeps nothing and waits for as
/// long as the budget.
async fn scenes(budget: Duration) -> (Simulator, String, Sso) {
    let simulator = Simulator::new((0..3).map(|number| network_connection(number, 1, 2)).collect()).with_page_size(2);
    let url = serve(&simulator).await;
    let settings = SsoSettings { max_age: Duration::ZERO, budget, ..settings(&url) };
    (simulator, url, Sso::new(settings, Clock::default()).unwrap())
}

#[tokio::test]
async fn scenarios_are_switched_while_it_runs() {
    use SourceFailure::{BadPayload, BadStatus};
    let (simulator, url, sso) = scenes(AMPLE).await;
    let all = [connection_id(0), connection_id(1), connection_id(2)];
    for (scenario, list, single) in [
        (Scenario::PageFails, Err(BadStatus), Ok(true)),
        (Scenario::Down, Err(BadStatus), Err(BadStatus)),
        (Scenario::Garbage, Err(BadPayload), Err(BadPayload)),
        (Scenario::Revoked, Ok(0), Ok(false)),
        (Scenario::Slow, Ok(3), Ok(true)),
        (Scenario::Ok, Ok(3), Ok(true)),
    ] {
        let answer = put_scenario(&url, &json!({"scenario": scenario.as_str()}).to_string()).await;
        assert_eq!(answer, (200, json!({"scenario": scenario.as_str(), "accounts": {}})));
        assert_eq!(simulator.scenario(), scenario);
        let start = Instant::now();
        let view = sso.view(account(1), REQUEST).await;
        let listed = view.snapshot().map(|_| ids(&view)).ok_or_else(|| view.failure().unwrap());
        assert_eq!(listed, list.map(|count| all[..count].to_vec()), "{scenario}");
        let found = sso.connection(connection_id(1), account(1), REQUEST, AMPLE).await;
        assert_eq!(found.map(|found| found.is_some()), single, "{scenario}");
        assert!(scenario != Scenario::Slow || start.elapsed() >= 3 * SLOWNESS, "two pages and a single call");
    }
}

#[tokio::test]
async fn a_hanging_sso_is_given_up_when_the_budget_is_spent() {
    let (simulator, _, sso) = scenes(Duration::from_millis(100)).await;
    simulator.set_scenario(Scenario::Hang);
    assert_eq!(sso.view(account(1), REQUEST).await.failure(), Some(SourceFailure::Timeout));
    assert_eq!(sso.connection(connection_id(1), account(1), REQUEST, AMPLE).await, Err(SourceFailure::Timeout));
}

#[tokio::test]
async fn a_flapping_sso_fails_and_works_in_turn() {
    let (simulator, _, sso) = scenes(AMPLE).await;
    simulator.set_scenario(Scenario::Flap);
    for failure in [Some(SourceFailure::BadStatus), None, Some(SourceFailure::BadStatus), None] {
        assert_eq!(sso.view(account(1), REQUEST).await.failure(), failure, "lists of two pages");
    }
    for failure in [Some(SourceFailure::BadStatus), None] {
        assert_eq!(sso.connection(connection_id(1), account(1), REQUEST, AMPLE).await.err(), failure);
    }
}

#[tokio::test]
async fn a_missing_message_is_one_connection_more_per_account() {
    let (simulator, url, sso) = scenes(AMPLE).await;
    simulator.set_scenario(Scenario::Missing);
    let known = [connection_id(0), connection_id(1), connection_id(2)];
    let mut extras = Vec::new();
    for number in [1, 2, 77] {
        let listed = ids(&sso.view(account(number), REQUEST).await);
        let extra: Vec<_> = listed.iter().copied().filter(|id| !known.contains(id)).collect();
        assert_eq!((extra.len(), listed.len()), (1, if number == 77 { 1 } else { 4 }));
        let found = sso.connection(extra[0], account(number), REQUEST, AMPLE).await.unwrap().unwrap();
        assert_eq!(&*found.partner_name, "Missed Message Media");
        assert_eq!(
            sso.connection(extra[0], account(number + 1), REQUEST, AMPLE).await,
            Ok(None),
            "it is of no other account"
        );
        extras.extend(extra);
    }
    let several = ids(&sso.view(account(1), REQUEST).await);
    assert!(several.contains(&extras[0]), "the same one at every call");
    simulator.set_page_size(6);
    assert_eq!(list(&url, &[1, 2, 77]).await.1.len(), 3 + 3);
    simulator.reset_scenarios();
    assert_eq!(sso.connection(extras[0], account(1), REQUEST, AMPLE).await, Ok(None));
}

#[tokio::test]
async fn an_account_has_a_scenario_of_its_own() {
    let connections = vec![network_connection(1, 1, 2), network_connection(2, 3, 4)];
    let simulator = Simulator::new(connections);
    let url = serve(&simulator).await;
    let own = |account: SsoId, word: &str| json!({"scenario": word, "account": account}).to_string();
    let (status, now) = put_scenario(&url, &own(account(1), "down")).await;
    assert_eq!((status, now), (200, json!({"scenario": "ok", "accounts": {(account(1).as_str()): "down"}})));
    assert_eq!((list(&url, &[1]).await.0, list(&url, &[2]).await.0, list(&url, &[3]).await.0), (503, 200, 200));
    assert_eq!(list(&url, &[3, 1]).await.0, 503, "whoever is asked for together");
    let single = async |number| get(&url, &format!("/network_connections/{}", connection_id(number))).await.0;
    assert_eq!((single(1).await, single(2).await), (503, 200), "a connection of that account, and another");

    put_scenario(&url, r#"{"scenario": "down"}"#).await;
    put_scenario(&url, &own(account(1), "ok")).await;
    assert_eq!((list(&url, &[1]).await.0, single(1).await), (200, 200), "its own is stronger than the one of all");
    assert_eq!((list(&url, &[3]).await.0, single(2).await), (503, 503));

    simulator.reset_scenarios();
    let before = list(&url, &[1, 2]).await;
    put_scenario(&url, &own(account(1), "revoked")).await;
    for accounts in [&[1][..], &[2], &[1, 2]] {
        assert_eq!(list(&url, accounts).await.1, Vec::<String>::new(), "gone for both sides");
    }
    assert_ne!(list(&url, &[1, 2]).await.2, before.2, "the ETag is of what is served");
    assert_eq!((single(1).await, single(2).await), (404, 200));

    let reset = reqwest::Client::new().delete(format!("{url}/__scenario")).send().await.unwrap();
    assert_eq!(read(reset).await, (200, json!({"scenario": "ok", "accounts": {}})));
    assert_eq!(list(&url, &[1, 2]).await, before);
}

/// The status, the ids, and the ETag of a list.
async fn list(url: &str, accounts: &[u32]) -> (u16, Vec<String>, Option<String>) {
    let accounts: Vec<_> = accounts.iter().map(|number| account(*number).to_string()).collect();
    let url = format!("{url}/network_connections?account_ids={}", accounts.join(","));
    let response = reqwest::get(url).await.unwrap();
    let etag = response.headers().get("etag").map(|etag| etag.to_str().unwrap().to_owned());
    let (status, body) = read(response).await;
    let connections = body["network_connections"].as_array().cloned().unwrap_or_default();
    let ids = connections.iter().map(|connection| connection["id"].as_str().unwrap().to_owned());
    (status, ids.collect(), etag)
}

#[tokio::test]
async fn an_unknown_scenario_is_refused_with_the_known_ones() {
    let simulator = Simulator::new(Vec::new());
    let url = serve(&simulator).await;
    for body in [r#"{"scenario": "upside-down"}"#, "{}", "down", "", r#"{"scenario": "down", "acount": "typo"}"#] {
        let (status, answer) = put_scenario(&url, body).await;
        assert_eq!(status, 400, "{body}");
        let text = answer["error"].as_str().unwrap();
        assert!(Scenario::ALL.iter().all(|scenario| text.contains(scenario.as_str())), "{text}");
    }
    let (status, answer) = put_scenario(&url, r#"{"scenario": "down", "account": "Northwind"}"#).await;
    assert_eq!((status, answer), (400, json!({"error": "account: an id is 24 hexadecimal characters"})));
    let (status, answer) = get(&url, "/__scenario").await;
    assert_eq!((status, &answer["scenario"], &answer["accounts"]), (200, &json!("ok"), &json!({})));
    let known = answer["known"].as_object().unwrap();
    assert_eq!(known.len(), Scenario::ALL.len());
    assert!(known.values().all(|meaning| meaning.as_str().is_some_and(|text| text.len() > 10)));
}

#[tokio::test]
async fn calls_are_counted_whatever_they_are_answered_with() {
    let simulator = Simulator::new((0..3).map(|number| network_connection(number, 1, 2)).collect()).with_page_size(2);
    let url = serve(&simulator).await;
    let sso = sso(&url);
    sso.view(account(1), REQUEST).await;
    sso.mark_stale(account(1));
    sso.view(account(1), REQUEST).await;
    simulator.set_scenario(Scenario::Garbage);
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

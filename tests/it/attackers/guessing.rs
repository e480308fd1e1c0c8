//! Guessing keys: what an address may try counts for it, by whatever door, protocol, proxy or address of its network.

use std::sync::Arc;
use std::time::Instant;

use lc_connections::app::AppSettings;
use reqwest::{Method, RequestBuilder};
use serde_json::json;

use super::{graphql, repair, request};
use crate::support::app::{Setup, TestApp, settings};
use crate::support::databases::{Database, Kind};
use crate::support::http_2_client;

/// What an address may try at once, and how much of it comes back in a second.
const AT_ONCE: f64 = 100.0;
const PER_SECOND: f64 = 2.0;

async fn behind_a_proxy() -> (Database, TestApp) {
    let database = Database::fresh(Kind::Sqlite).await;
    let settings = AppSettings { trusted_proxies: Arc::new(["127.0.0.0/8".parse().unwrap()]), ..settings() };
    let app = TestApp::start_with(&database, Setup { settings, ..Setup::default() }).await;
    (database, app)
}

/// Guesses by these requests in turn until the first 429, which must come after as many as one address has. Then each of them
/// is refused so.
async fn assert_one_allowance(requests: impl Fn(usize) -> RequestBuilder, doors: usize) {
    let began = Instant::now();
    let mut guesses = 0;
    let guess = async |number| requests(number).bearer_auth(format!("lck_{number}")).send().await.unwrap();
    loop {
        let answer = guess(guesses).await;
        if answer.status() == 429 {
            assert!(answer.headers()["retry-after"].to_str().unwrap().parse::<u32>().unwrap() >= 1);
            break;
        }
        assert_eq!(answer.status(), 401, "guess {guesses}");
        guesses += 1;
        assert!(guesses < 1_000, "guessing goes on for ever");
    }
    let allowed = AT_ONCE + PER_SECOND * began.elapsed().as_secs_f64();
    let guesses = f64::from(u32::try_from(guesses).unwrap());
    assert!((AT_ONCE..=allowed + 1.0).contains(&guesses), "{guesses} of {allowed}");
    let mut refused = 0;
    for number in 0..doors * 3 {
        refused += usize::from(guess(number).await.status() == 429);
    }
    // Now and then one comes back meanwhile.
    assert!(refused >= doors * 2, "{refused} of {}", doors * 3);
}

#[tokio::test]
async fn all_doors_and_both_protocols_share_an_addresss_allowance() {
    let (_database, app) = behind_a_proxy().await;
    let mut over_http_2 = app.clone();
    over_http_2.client = http_2_client();
    let apps = [app, over_http_2];
    let requests = |number: usize| {
        let app = &apps[number % 2];
        match (number / 2) % 5 {
            0 => request(app, Method::GET, "/connections"),
            1 => repair(app, "no id"),
            2 => graphql(app, "{ viewer { isSuperuser } }", &json!({})),
            3 => request(app, Method::HEAD, "/connections/no-id"),
            _ => request(app, Method::GET, "/graphql"),
        }
    };
    assert_one_allowance(requests, 10).await;
}

#[tokio::test]
async fn addresses_that_a_client_claims_before_its_proxys_word_are_not_its_own() {
    let (_database, app) = behind_a_proxy().await;
    let requests = |number: usize| {
        let claimed = [
            format!("198.51.100.{}", number % 250),
            format!("127.0.0.1, 198.51.100.{}", number % 250),
            format!("{number:x}::1"),
            "unknown".to_owned(),
            "\"".to_owned(),
            ",".repeat(1 + number % 20),
        ];
        let forwarded = format!("{}, 192.0.2.1", claimed[number % claimed.len()]);
        request(&app, Method::GET, "/connections").header("x-forwarded-for", forwarded)
    };
    assert_one_allowance(requests, 6).await;
    let another = request(&app, Method::GET, "/connections").header("x-forwarded-for", "192.0.2.2");
    assert_eq!(another.bearer_auth("lck_guess").send().await.unwrap().status(), 401);
}

#[tokio::test]
async fn reports_that_disagree_do_not_give_a_client_more_addresses() {
    let (_database, app) = behind_a_proxy().await;
    let requests = |number: usize| {
        let request = request(&app, Method::GET, "/connections").header("x-forwarded-for", "192.0.2.1");
        request.header("forwarded", format!("for=198.51.100.{}", number % 250))
    };
    assert_one_allowance(requests, 1).await;
}

#[tokio::test]
async fn all_addresses_of_an_ipv6_network_share_its_allowance() {
    let (_database, app) = behind_a_proxy().await;
    let from = |address: String| request(&app, Method::GET, "/connections").header("x-forwarded-for", address);
    assert_one_allowance(|number| from(format!("2001:db8::{number:x}:1")), 1).await;
    let another = from("2001:db8:0:1::1".to_owned());
    assert_eq!(another.bearer_auth("lck_guess").send().await.unwrap().status(), 401);
}

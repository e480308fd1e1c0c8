//! The two calls: what is sent, how pages become one list, conditions, the single call.

use std::time::Duration;

use metrics_exporter_prometheus::PrometheusBuilder;
use wiremock::matchers::{header, header_exists, method, path, query_param, query_param_is_missing};
use wiremock::{Match, Mock, MockServer, Request, ResponseTemplate};

use super::support::{
    AMPLE, REQUEST, TOKEN, account, answer, connection_id, forgetful, ids, network_connection, page, serve, settings,
    sso,
};
use crate::clock::Clock;
use crate::domain::connection::RelationshipType;
use crate::domain::sso_view::SourceFailure;
use crate::sso::simulator::{Scenario, Simulator};
use crate::sso::wire::NetworkConnection;
use crate::sso::{Sso, SsoSettings, SsoSetupError};

struct NoCondition;

impl Match for NoCondition {
    fn matches(&self, request: &Request) -> bool {
        !request.headers.contains_key("if-none-match")
    }
}

#[tokio::test]
async fn the_list_call_says_who_asks_for_whom() {
    let server = MockServer::start().await;
    Mock::given(method("GET"))
        .and(path("/sso/v1/network_connections"))
        .and(query_param("account_ids", account(1).as_str()))
        .and(query_param("limit", "500"))
        .and(query_param_is_missing("cursor"))
        .and(header("authorization", format!("Bearer {TOKEN}").as_str()))
        .and(header("x-request-id", REQUEST))
        .and(header("accept", "application/json"))
        .and(header("accept-encoding", "identity"))
        .and(NoCondition)
        .respond_with(answer(&[network_connection(1, 1, 2)], None, "\"a\""))
        .mount(&server)
        .await;
    for base in ["/sso/v1", "/sso/v1/"] {
        let view = sso(&format!("{}{base}", server.uri())).view(account(1), REQUEST).await;
        assert_eq!(ids(&view), [connection_id(1)], "{base}");
    }
}

#[tokio::test]
async fn pages_become_one_list_in_list_order() {
    let server = MockServer::start().await;
    let pages = [(None, [5, 2], Some("a b&c")), (Some("a b&c"), [1, 4], Some("c")), (Some("c"), [3, 6], None)];
    for (cursor, numbers, next) in pages {
        let connections = numbers.map(|number| network_connection(number, 1, 2));
        let mock = Mock::given(path("/network_connections"));
        let mock = match cursor {
            Some(cursor) => mock.and(query_param("cursor", cursor)).and(NoCondition),
            None => mock.and(query_param_is_missing("cursor")),
        };
        mock.respond_with(answer(&connections, next, "\"a\"")).expect(1).mount(&server).await;
    }
    let view = sso(&server.uri()).view(account(1), REQUEST).await;
    assert_eq!(ids(&view), [1, 2, 3, 4, 5, 6].map(connection_id));
}

#[tokio::test]
async fn unknown_keys_cost_no_list_whatever_they_hold() {
    let server = MockServer::start().await;
    let deep = format!("{}{}", "[".repeat(50_000), "]".repeat(50_000));
    let odd = format!(r#""\ud800": 1e400, "deep": {deep}, "cut": "\ud83d", "#);
    let body = page(&[network_connection(1, 1, 2), network_connection(2, 3, 1)], None).to_string();
    let body = body.replace('{', &format!("{{{odd}"));
    let answer = ResponseTemplate::new(200).set_body_raw(body, "application/json");
    Mock::given(path("/network_connections")).respond_with(answer).mount(&server).await;
    let view = sso(&server.uri()).view(account(1), REQUEST).await;
    assert_eq!(ids(&view), [1, 2].map(connection_id));
}

#[tokio::test]
async fn an_unchanged_set_costs_a_304_and_is_dated_anew() {
    let server = MockServer::start().await;
    let clock = Clock::default();
    Mock::given(NoCondition)
        .respond_with(answer(&[network_connection(1, 1, 2)], None, "\"a\""))
        .expect(1)
        .mount(&server)
        .await;
    Mock::given(header("if-none-match", "\"a\""))
        .respond_with(ResponseTemplate::new(304))
        .expect(2)
        .mount(&server)
        .await;
    let sso = Sso::new(SsoSettings { max_age: Duration::ZERO, ..settings(&server.uri()) }, clock.clone()).unwrap();

    let first = sso.view(account(1), REQUEST).await;
    clock.advance(60_000);
    let second = sso.view(account(1), REQUEST).await;
    let third = sso.view(account(1), REQUEST).await;

    assert_eq!(ids(&second), ids(&first));
    assert_eq!(ids(&third), ids(&first));
    let as_of = |view: &crate::domain::sso_view::SsoView| view.snapshot().unwrap().as_of.as_millis();
    assert!(as_of(&second) - as_of(&first) >= 60_000);
}

#[tokio::test]
async fn a_changed_set_replaces_what_was_kept() {
    let server = MockServer::start().await;
    Mock::given(NoCondition).respond_with(answer(&[network_connection(1, 1, 2)], None, "\"a\"")).mount(&server).await;
    Mock::given(header("if-none-match", "\"a\""))
        .respond_with(answer(&[network_connection(2, 1, 2)], None, "\"b\""))
        .mount(&server)
        .await;
    Mock::given(header("if-none-match", "\"b\""))
        .respond_with(ResponseTemplate::new(304))
        .expect(1)
        .mount(&server)
        .await;
    let sso = forgetful(&server);
    assert_eq!(ids(&sso.view(account(1), REQUEST).await), [connection_id(1)]);
    assert_eq!(ids(&sso.view(account(1), REQUEST).await), [connection_id(2)]);
    assert_eq!(ids(&sso.view(account(1), REQUEST).await), [connection_id(2)]);
}

#[tokio::test]
async fn only_the_first_page_has_a_condition_and_only_it_may_be_a_304() {
    let second_pages = [
        (answer(&[network_connection(3, 1, 2)], None, "\"b\""), None),
        (ResponseTemplate::new(304).insert_header("etag", "\"b\""), Some(SourceFailure::BadStatus)),
    ];
    for (second_page, failure) in second_pages {
        let server = MockServer::start().await;
        Mock::given(query_param_is_missing("cursor"))
            .and(NoCondition)
            .respond_with(answer(&[network_connection(1, 1, 2)], None, "\"a\""))
            .mount(&server)
            .await;
        Mock::given(query_param_is_missing("cursor"))
            .and(header("if-none-match", "\"a\""))
            .respond_with(answer(&[network_connection(2, 1, 2)], Some("next"), "\"b\""))
            .mount(&server)
            .await;
        Mock::given(query_param("cursor", "next")).and(NoCondition).respond_with(second_page).mount(&server).await;
        let sso = forgetful(&server);
        assert_eq!(ids(&sso.view(account(1), REQUEST).await), [connection_id(1)]);
        let second = sso.view(account(1), REQUEST).await;
        assert_eq!(second.failure(), failure);
        if failure.is_none() {
            assert_eq!(ids(&second), [2, 3].map(connection_id));
        }
    }
}

#[tokio::test]
async fn without_an_etag_no_condition_is_sent() {
    let server = MockServer::start().await;
    let body = page(&[network_connection(1, 1, 2)], None);
    Mock::given(NoCondition)
        .respond_with(ResponseTemplate::new(200).set_body_json(&body))
        .expect(2)
        .mount(&server)
        .await;
    let sso = forgetful(&server);
    for _ in 0..2 {
        assert_eq!(ids(&sso.view(account(1), REQUEST).await), [connection_id(1)]);
    }
}

#[tokio::test]
async fn a_304_to_an_unconditional_request_is_a_bad_status() {
    let server = MockServer::start().await;
    Mock::given(method("GET")).respond_with(ResponseTemplate::new(304)).mount(&server).await;
    assert_eq!(sso(&server.uri()).view(account(1), REQUEST).await.failure(), Some(SourceFailure::BadStatus));
}

/// Two pages of which the second bears `second_etag`; the first bears each of the etags in turn.
async fn serve_changing_set(first_etags: [&'static str; 2], second_etag: &str) -> MockServer {
    let server = MockServer::start().await;
    for etag in first_etags {
        Mock::given(query_param_is_missing("cursor"))
            .respond_with(answer(&[network_connection(1, 1, 2)], Some("next"), etag))
            .up_to_n_times(1)
            .mount(&server)
            .await;
    }
    Mock::given(query_param("cursor", "next"))
        .respond_with(answer(&[network_connection(2, 1, 2)], None, second_etag))
        .expect(2)
        .mount(&server)
        .await;
    server
}

#[tokio::test]
async fn a_set_that_changes_between_pages_is_read_again() {
    let server = serve_changing_set(["\"a\"", "\"b\""], "\"b\"").await;
    let view = sso(&server.uri()).view(account(1), REQUEST).await;
    assert_eq!(ids(&view), [1, 2].map(connection_id));
}

#[tokio::test]
async fn a_set_that_changes_twice_is_given_up() {
    let server = serve_changing_set(["\"a\"", "\"b\""], "\"c\"").await;
    let view = sso(&server.uri()).view(account(1), REQUEST).await;
    assert_eq!(view.failure(), Some(SourceFailure::BadPayload));
}

async fn serve_single(id: u32, response: ResponseTemplate) -> MockServer {
    let server = MockServer::start().await;
    Mock::given(method("GET"))
        .and(path(format!("/network_connections/{}", connection_id(id))))
        .and(header("authorization", format!("Bearer {TOKEN}").as_str()))
        .and(header("x-request-id", REQUEST))
        .and(header_exists("accept"))
        .respond_with(response)
        .mount(&server)
        .await;
    server
}

fn single(connection: &NetworkConnection) -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_json(connection)
}

#[tokio::test]
async fn a_single_connection_is_told_as_its_account_sees_it() {
    let server = serve_single(7, single(&network_connection(7, 1, 2))).await;
    let sso = sso(&format!("{}/", server.uri()));
    let seen = sso.connection(connection_id(7), account(2), REQUEST, AMPLE).await.unwrap().unwrap();
    assert_eq!(seen.relationship_type, RelationshipType::Buyer);
    assert_eq!(seen.partner_sso_id, account(1));
    assert_eq!(&*seen.partner_name, "Account 1");
}

#[tokio::test]
async fn a_single_connection_that_is_unknown_or_of_others_is_none() {
    let unknown = serve_single(7, ResponseTemplate::new(404)).await;
    let foreign = serve_single(7, single(&network_connection(7, 1, 2))).await;
    for server in [unknown, foreign] {
        assert_eq!(sso(&server.uri()).connection(connection_id(7), account(3), REQUEST, AMPLE).await, Ok(None));
    }
}

#[tokio::test]
async fn a_single_connection_fails_on_any_other_answer() {
    let cases = [
        (single(&network_connection(8, 1, 2)), SourceFailure::BadPayload),
        (ResponseTemplate::new(200).set_body_string("{}"), SourceFailure::BadPayload),
        (ResponseTemplate::new(410), SourceFailure::BadStatus),
        (ResponseTemplate::new(304), SourceFailure::BadStatus),
        (ResponseTemplate::new(500), SourceFailure::BadStatus),
    ];
    for (response, failure) in cases {
        let server = serve_single(7, response).await;
        assert_eq!(sso(&server.uri()).connection(connection_id(7), account(1), REQUEST, AMPLE).await, Err(failure));
    }
}

#[tokio::test]
async fn settings_that_cannot_be_used_are_refused() {
    let refused = |url: &str, token: &str| {
        let settings = SsoSettings { token: token.to_owned().into(), ..settings(url) };
        Sso::new(settings, Clock::default()).err().expect("refused")
    };
    assert!(matches!(refused("mailto:sso@example.com", TOKEN), SsoSetupError::Url));
    assert!(matches!(refused("http://sso.example", "two\nlines"), SsoSetupError::Token));
    let printed = format!("{:?}", settings("https://sso.example"));
    assert!(!printed.contains(TOKEN));
}

#[test]
fn every_exchange_is_counted_once_by_its_outcome_and_timed() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let metrics = recorder.handle();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    metrics::with_local_recorder(&recorder, || {
        runtime.block_on(async {
            let simulator =
                Simulator::new((0..5).map(|number| network_connection(number, 1, 2)).collect()).with_page_size(2);
            let sso = sso(&serve(&simulator).await);
            for _ in 0..3 {
                sso.mark_stale(account(1));
                sso.view(account(1), REQUEST).await;
            }
            sso.connection(connection_id(1), account(1), REQUEST, AMPLE).await.unwrap();
            sso.connection(connection_id(9), account(1), REQUEST, AMPLE).await.unwrap();
            simulator.set_scenario(Scenario::Down);
            sso.view(account(2), REQUEST).await;
        });
    });
    let text = metrics.render();
    for (outcome, count) in [("ok", 2), ("not_modified", 2), ("not_found", 1), ("bad_status", 1)] {
        let line = format!("sso_requests_total{{outcome=\"{outcome}\"}} {count}");
        assert!(text.lines().any(|found| found == line), "{line}\n{text}");
    }
    assert!(text.lines().any(|found| found == "sso_request_duration_seconds_count 6"), "{text}");
}

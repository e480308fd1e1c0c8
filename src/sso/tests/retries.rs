//! The second try: what is worth one, what it must not cost, and that SSO in trouble is not asked more for it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use metrics_exporter_prometheus::PrometheusBuilder;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use wiremock::matchers::method;
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

use super::support::{
    AMPLE, REQUEST, account, answer, connection_id, ids, network_connection, serve_raw, settings, sso,
};
use crate::clock::Clock;
use crate::domain::sso_view::SourceFailure;
use crate::sso::{Sso, SsoSettings};

/// Fails so in each call that the function names, counted from 0, and answers well in all others.
async fn failing(fault: ResponseTemplate, fails: impl Fn(usize) -> bool + Send + Sync + 'static) -> MockServer {
    let server = MockServer::start().await;
    let calls = AtomicUsize::new(0);
    let respond = move |request: &Request| {
        let call = calls.fetch_add(1, Ordering::SeqCst);
        if fails(call) {
            return fault.clone();
        }
        let is_list = request.url.path().ends_with("/network_connections");
        let connection = network_connection(1, 1, 2);
        if is_list {
            answer(&[connection], None, "\"a\"")
        } else {
            ResponseTemplate::new(200).set_body_json(connection)
        }
    };
    Mock::given(method("GET")).respond_with(respond).mount(&server).await;
    server
}

async fn calls(server: &MockServer) -> usize {
    server.received_requests().await.unwrap().len()
}

/// Asks for lists alone, each time anew, with so much time.
fn sso_within(url: &str, budget: Duration) -> Sso {
    Sso::new(SsoSettings { budget, max_age: Duration::ZERO, ..settings(url) }, Clock::default()).unwrap()
}

#[tokio::test]
async fn what_passes_in_a_moment_is_tried_again_by_reads_and_repairs() {
    for status in [502, 503, 504] {
        let server = failing(ResponseTemplate::new(status), |call| call % 2 == 0).await;
        let sso = sso(&server.uri());
        assert_eq!(ids(&sso.view(account(1), REQUEST).await), [connection_id(1)], "{status}");
        let single = sso.connection(connection_id(1), account(1), REQUEST, AMPLE).await;
        assert_eq!(single.unwrap().unwrap().id, connection_id(1), "{status}");
        assert_eq!(calls(&server).await, 4, "{status}");
    }
}

#[tokio::test]
async fn what_will_be_the_same_in_a_moment_is_not() {
    let faults = [
        ResponseTemplate::new(500),
        ResponseTemplate::new(501),
        ResponseTemplate::new(429),
        ResponseTemplate::new(429).insert_header("retry-after", "0"),
        ResponseTemplate::new(401),
        ResponseTemplate::new(404),
        ResponseTemplate::new(302),
        ResponseTemplate::new(200).set_body_string("garbage"),
    ];
    for fault in faults {
        let server = failing(fault.clone(), |call| call == 0).await;
        assert!(sso(&server.uri()).view(account(1), REQUEST).await.failure().is_some(), "{fault:?}");
        assert_eq!(calls(&server).await, 1, "{fault:?}");
    }
}

/// How many connections a server got that does this to each.
async fn connections<F: Future<Output = ()> + Send>(
    serve: impl Fn(TcpStream) -> F + Send + Sync + Copy + 'static,
) -> usize {
    let count = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&count);
    let url = serve_raw(move |stream| {
        counted.fetch_add(1, Ordering::SeqCst);
        serve(stream)
    });
    let view = sso(&url.await).view(account(1), REQUEST).await;
    assert_eq!(view.failure(), Some(SourceFailure::ConnectFailed));
    count.load(Ordering::SeqCst)
}

#[tokio::test]
async fn a_connection_that_ends_before_the_answer_is_tried_again_and_one_that_speaks_nonsense_is_not() {
    async fn write(stream: TcpStream, bytes: &'static [u8]) {
        let _ = stream.writable().await;
        let _ = stream.try_write(bytes);
    }
    assert_eq!(connections(|stream| async move { stream.set_zero_linger().unwrap() }).await, 2, "reset");
    assert_eq!(connections(|stream| async move { drop(stream) }).await, 2, "closed");
    assert_eq!(connections(|stream| write(stream, b"SSH-2.0-OpenSSH_9.2\r\n")).await, 1, "another protocol");
    let cut = b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{\"network_connections\": [";
    assert_eq!(connections(move |stream| write(stream, cut)).await, 1, "cut short");
}

#[tokio::test]
async fn there_is_one_retry_in_an_exchange_whatever_its_pages() {
    let server = MockServer::start().await;
    let calls_so_far = AtomicUsize::new(0);
    let respond = move |request: &Request| {
        let cursor = request.url.query_pairs().find(|(key, _)| key == "cursor").map(|(_, cursor)| cursor.into_owned());
        let page: u32 = cursor.map_or(0, |cursor| cursor.parse().unwrap());
        // The first page fails once; each later one would fail once too.
        if calls_so_far.fetch_add(1, Ordering::SeqCst).is_multiple_of(2) {
            return ResponseTemplate::new(503);
        }
        let next = (page + 1).to_string();
        answer(&[network_connection(page, 1, 2)], Some(&next), "\"a\"")
    };
    Mock::given(method("GET")).respond_with(respond).mount(&server).await;
    assert_eq!(sso(&server.uri()).view(account(1), REQUEST).await.failure(), Some(SourceFailure::BadStatus));
    assert_eq!(calls(&server).await, 3, "page 1, page 1 again, page 2");
}

#[tokio::test]
async fn retry_after_is_obeyed_and_what_is_too_late_is_left() {
    let asks_for = |value: &str| ResponseTemplate::new(503).insert_header("retry-after", value);
    let half_a_second = Duration::from_millis(800);
    let no_date = "Wed, 21 Oct 2099 07:28:00 GMT";
    for (value, budget, expected) in
        [("0", half_a_second, 2), ("1", half_a_second, 1), ("1", AMPLE, 2), ("3600", AMPLE, 1), (no_date, AMPLE, 1)]
    {
        let server = failing(asks_for(value), |call| call == 0).await;
        let started = Instant::now();
        let view = sso_within(&server.uri(), budget).view(account(1), REQUEST).await;
        assert_eq!(
            (view.failure().is_none(), calls(&server).await),
            (expected == 2, expected),
            "{value} in {budget:?}"
        );
        assert!(value != "1" || expected == 1 || started.elapsed() >= Duration::from_secs(1), "it waited");
    }
}

#[tokio::test]
async fn nothing_is_tried_again_when_half_of_the_time_is_gone() {
    let budget = Duration::from_millis(400);
    let server = failing(ResponseTemplate::new(503).set_delay(budget * 6 / 10), |call| call == 0).await;
    let view = sso_within(&server.uri(), budget).view(account(1), REQUEST).await;
    assert!(view.failure().is_some());
    assert_eq!(calls(&server).await, 1);
}

#[tokio::test]
async fn while_sso_keeps_failing_nothing_is_tried_again() {
    let server = failing(ResponseTemplate::new(503), |call| call < 10).await;
    let sso = sso_within(&server.uri(), AMPLE);
    for _ in 0..9 {
        assert_eq!(sso.view(account(1), REQUEST).await.failure(), Some(SourceFailure::BadStatus));
    }
    assert_eq!(calls(&server).await, 10, "one retry, of the first");
    assert_eq!(ids(&sso.view(account(1), REQUEST).await), [connection_id(1)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outage_under_many_exchanges_is_not_made_worse() {
    const ACCOUNTS: usize = 50;
    let server = failing(ResponseTemplate::new(503).set_delay(Duration::from_millis(100)), |_| true).await;
    let sso = sso_within(&server.uri(), AMPLE);
    let mut exchanges = JoinSet::new();
    for number in 0..u32::try_from(ACCOUNTS).unwrap() {
        let sso = sso.clone();
        exchanges.spawn(async move { sso.view(account(number), REQUEST).await.failure() });
    }
    assert!(exchanges.join_all().await.iter().all(Option::is_some));
    assert_eq!(calls(&server).await, ACCOUNTS + 1);
}

#[tokio::test]
async fn an_sso_that_fails_half_of_its_calls_gets_a_tenth_more_of_them_and_no_more() {
    const EXCHANGES: usize = 300;
    let server = failing(ResponseTemplate::new(503), |call| call % 2 == 0).await;
    let sso = sso_within(&server.uri(), AMPLE);
    let started = Instant::now();
    for _ in 0..EXCHANGES {
        sso.view(account(1), REQUEST).await;
    }
    let retries = calls(&server).await - EXCHANGES;
    // Ten, and one a second after the first ten seconds, whatever the number of calls.
    let freely = 10 + usize::try_from(started.elapsed().as_secs()).unwrap();
    assert!((1..=EXCHANGES / 10 + freely).contains(&retries), "{retries}");
}

#[test]
fn retries_are_counted_by_how_they_went() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let metrics = recorder.handle();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    metrics::with_local_recorder(&recorder, || {
        runtime.block_on(async {
            // Good only at the second try, then good, then never again.
            let server = failing(ResponseTemplate::new(503), |call| call == 0 || call > 2).await;
            let sso = sso_within(&server.uri(), AMPLE);
            for _ in 0..5 {
                sso.view(account(1), REQUEST).await;
            }
        });
    });
    let text = metrics.render();
    for line in [
        "sso_retries_total{outcome=\"ok\"} 1",
        "sso_retries_total{outcome=\"bad_status\"} 1",
        "sso_requests_total{outcome=\"ok\"} 2",
        "sso_requests_total{outcome=\"bad_status\"} 3",
    ] {
        assert!(text.lines().any(|found| found == line), "{line}\n{text}");
    }
}

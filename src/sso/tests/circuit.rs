//! The circuit through the whole client: what opens it, what it spares SSO, and who closes it.

use std::num::NonZeroU32;
use std::time::Duration;

use futures_util::future::join_all;
use tokio::io::AsyncWriteExt;
use wiremock::matchers::method;
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::support::{AMPLE, REQUEST, account, answer, connection_id, serve_raw, settings};
use crate::clock::Clock;
use crate::domain::sso_view::SourceFailure;
use crate::sso::{CircuitSettings, Sso, SsoSettings};

const FAILURES: u32 = 3;

fn circuit(open_for: Duration) -> CircuitSettings {
    CircuitSettings { failures: NonZeroU32::new(FAILURES).unwrap(), open_for }
}

fn sso(server: &MockServer, open_for: Duration) -> Sso {
    Sso::new(
        SsoSettings { circuit: Some(circuit(open_for)), max_age: Duration::ZERO, ..settings(&server.uri()) },
        Clock::default(),
    )
    .unwrap()
}

async fn serve(template: ResponseTemplate) -> MockServer {
    let server = MockServer::start().await;
    Mock::given(method("GET")).respond_with(template).mount(&server).await;
    server
}

async fn calls(server: &MockServer) -> usize {
    server.received_requests().await.unwrap().len()
}

#[tokio::test]
async fn server_errors_and_429_open_it_for_reads_and_repairs_alike() {
    // Of the first 503 there is a second try, which is the same failure still.
    for (status, expected) in [(500, 3), (503, 4), (429, 3)] {
        let server = serve(ResponseTemplate::new(status)).await;
        let sso = sso(&server, Duration::from_mins(1));
        for _ in 1..FAILURES {
            assert_eq!(sso.view(account(1), REQUEST).await.failure(), Some(SourceFailure::BadStatus));
        }
        let repaired = sso.connection(connection_id(1), account(1), REQUEST, AMPLE).await;
        assert_eq!(repaired, Err(SourceFailure::BadStatus), "a repair feeds it");
        assert_eq!(calls(&server).await, expected);
        assert_eq!(sso.view(account(1), REQUEST).await.failure(), Some(SourceFailure::CircuitOpen), "{status}");
        assert_eq!(sso.view(account(2), REQUEST).await.failure(), Some(SourceFailure::CircuitOpen));
        let repaired = sso.connection(connection_id(1), account(1), REQUEST, AMPLE).await;
        assert_eq!(repaired, Err(SourceFailure::CircuitOpen), "and obeys it");
        assert_eq!(calls(&server).await, expected, "SSO is left alone");
    }
}

#[tokio::test]
async fn what_is_one_tenants_trouble_does_not_open_it() {
    for template in [
        ResponseTemplate::new(404),
        ResponseTemplate::new(401),
        ResponseTemplate::new(302),
        ResponseTemplate::new(200).set_body_string("garbage"),
        answer(&[], Some("again"), "\"a\""),
    ] {
        let server = serve(template).await;
        let sso = sso(&server, Duration::from_mins(1));
        for _ in 0..2 * FAILURES {
            let failure = sso.view(account(1), REQUEST).await.failure();
            assert!(matches!(failure, Some(SourceFailure::BadStatus | SourceFailure::BadPayload)), "{failure:?}");
        }
    }
}

#[tokio::test]
async fn waiting_for_another_ones_large_body_does_not_open_it() {
    // Each begins with more than is read beside others, and never ends.
    let url = serve_raw(|mut stream| async move {
        tokio::spawn(async move {
            let head = "HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n";
            let _ = stream.write_all(format!("{head}{}", " ".repeat(600_000)).as_bytes()).await;
            std::future::pending::<()>().await;
        });
    })
    .await;
    let circuit = Some(circuit(Duration::from_mins(1)));
    let settings = SsoSettings { circuit, budget: Duration::from_millis(700), ..settings(&url) };
    let sso = Sso::new(settings, Clock::default()).unwrap();
    let many = join_all((1..=4 * FAILURES).map(|number| sso.view(account(number), REQUEST)));
    assert!(many.await.iter().all(|view| view.failure() == Some(SourceFailure::Timeout)));
    // Their exchanges end right after them.
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(sso.view(account(99), REQUEST).await.failure(), Some(SourceFailure::Timeout), "it is asked");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_probe_closes_it_again_while_the_others_wait_for_nothing() {
    let server = serve(ResponseTemplate::new(503)).await;
    let open_for = Duration::from_millis(50);
    let sso = sso(&server, open_for);
    for _ in 0..FAILURES {
        sso.view(account(1), REQUEST).await;
    }
    server.reset().await;
    let slow = answer(&[], None, "\"a\"").set_delay(Duration::from_millis(200));
    Mock::given(method("GET")).respond_with(slow).mount(&server).await;
    tokio::time::sleep(open_for * 2).await;
    let many = (1..=20).map(|number| {
        let sso = sso.clone();
        tokio::spawn(async move { sso.view(account(number), REQUEST).await.failure() })
    });
    let outcomes = join_all(many).await;
    let succeeded = outcomes.iter().filter(|outcome| outcome.as_ref().unwrap().is_none()).count();
    assert_eq!((succeeded, calls(&server).await), (1, 1));
    assert!(
        outcomes.iter().all(|outcome| matches!(outcome.as_ref().unwrap(), None | Some(SourceFailure::CircuitOpen)))
    );
    assert_eq!(sso.view(account(3), REQUEST).await.failure(), None, "closed");
}

#[tokio::test]
async fn what_is_one_tenants_trouble_neither_counts_nor_makes_good() {
    let server = MockServer::start().await;
    let open_for = Duration::from_millis(50);
    let sso = sso(&server, open_for);
    let asked = async |template: ResponseTemplate| {
        server.reset().await;
        Mock::given(method("GET")).respond_with(template).mount(&server).await;
        sso.view(account(1), REQUEST).await.failure()
    };
    let garbage = || ResponseTemplate::new(200).set_body_string("garbage");
    for _ in 0..2 {
        assert_eq!(asked(ResponseTemplate::new(500)).await, Some(SourceFailure::BadStatus));
        assert_eq!(asked(garbage()).await, Some(SourceFailure::BadPayload));
    }
    asked(ResponseTemplate::new(500)).await;
    assert_eq!(asked(garbage()).await, Some(SourceFailure::CircuitOpen), "the third failure without a success");
    tokio::time::sleep(open_for * 2).await;
    assert_eq!(asked(garbage()).await, Some(SourceFailure::BadPayload), "the probe");
    assert_eq!(asked(garbage()).await, Some(SourceFailure::BadPayload), "which decided nothing: here is another");
    assert_eq!(asked(answer(&[], None, "\"a\"")).await, None, "and this one closes it");
    assert_eq!(asked(ResponseTemplate::new(500)).await, Some(SourceFailure::BadStatus));
    assert_eq!(asked(answer(&[], None, "\"a\"")).await, None, "one failure is one failure again");
}

//! Everything that can be off makes the whole list unavailable, each in its class.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use wiremock::matchers::{method, path, query_param, query_param_is_missing};
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

use super::support::{
    AMPLE, Log, REQUEST, TOKEN, account, answer, connection_id, list_failure, network_connection, page, serve_bytes,
    serve_raw, settings,
};
use crate::clock::Clock;
use crate::domain::sso_view::SourceFailure::{self, BadPayload, BadStatus, ConnectFailed, Timeout};
use crate::sso::wire::{NetworkConnection, Permissions};
use crate::sso::{Sso, SsoSettings};

async fn failure_of(response: ResponseTemplate) -> Option<SourceFailure> {
    let server = MockServer::start().await;
    Mock::given(method("GET")).respond_with(response).mount(&server).await;
    list_failure(&server.uri()).await
}

async fn failure_of_body(body: &str) -> Option<SourceFailure> {
    failure_of(ResponseTemplate::new(200).set_body_string(body)).await
}

#[tokio::test]
async fn any_other_status_is_a_bad_status() {
    for status in [201, 202, 204, 206, 301, 307, 400, 401, 403, 404, 429, 500, 503] {
        // A body that would do, were it not for the status.
        let body = page(&[network_connection(1, 1, 2)], None).to_string();
        let response = ResponseTemplate::new(status);
        let response = if status == 204 { response } else { response.set_body_string(body) };
        assert_eq!(failure_of(response).await, Some(BadStatus), "{status}");
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let elsewhere = MockServer::start().await;
    Mock::given(method("GET")).respond_with(answer(&[], None, "\"a\"")).expect(0).mount(&elsewhere).await;
    for status in [301, 302, 303, 307, 308] {
        let location = format!("{}/network_connections", elsewhere.uri());
        let response = ResponseTemplate::new(status).insert_header("location", location.as_str());
        assert_eq!(failure_of(response).await, Some(BadStatus), "{status}");
    }
}

#[tokio::test]
async fn no_answer_within_the_budget_is_a_timeout() {
    let hanging = serve_raw(|stream| async move {
        tokio::time::sleep(Duration::from_mins(10)).await;
        drop(stream);
    })
    .await;
    let dripping = serve_raw(|mut stream| async move {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n").await;
        while stream.write_all(b" ").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
    // In the backlog, never accepted.
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    // Its backlog is full, so that the client's SYN is not even answered.
    let full = TcpSocket::new_v4().unwrap();
    full.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let full = full.listen(0).unwrap();
    let address = full.local_addr().unwrap();
    let _in_the_backlog = TcpStream::connect(address).await.unwrap();
    let urls = [hanging, dripping, format!("http://{}", silent.local_addr().unwrap()), format!("http://{address}")];
    for url in urls {
        let settings = SsoSettings { budget: Duration::from_millis(100), ..settings(&url) };
        let sso = Sso::new(settings, Clock::default()).unwrap();
        let view = tokio::time::timeout(Duration::from_secs(10), sso.view(account(1), REQUEST)).await;
        assert_eq!(view.expect("the budget holds").failure(), Some(Timeout), "{url}");
        let single =
            tokio::time::timeout(Duration::from_secs(10), sso.connection(connection_id(1), account(1), REQUEST, AMPLE));
        assert_eq!(single.await.expect("the budget holds"), Err(Timeout), "{url}");
    }
}

#[tokio::test]
async fn the_budget_is_for_all_pages_together() {
    let server = MockServer::start().await;
    let slow = |response: ResponseTemplate| response.set_delay(Duration::from_millis(60));
    for number in 0..50_u32 {
        let cursor = number.to_string();
        let mock = Mock::given(path("/network_connections"));
        let mock = match number {
            0 => mock.and(query_param_is_missing("cursor")),
            _ => mock.and(query_param("cursor", cursor.as_str())),
        };
        let next = (number + 1).to_string();
        mock.respond_with(slow(answer(&[network_connection(number, 1, 2)], Some(&next), "\"a\""))).mount(&server).await;
    }
    let settings = SsoSettings { budget: Duration::from_millis(500), ..settings(&server.uri()) };
    let view = Sso::new(settings, Clock::default()).unwrap().view(account(1), REQUEST).await;
    assert_eq!(view.failure(), Some(Timeout));
    assert!(server.received_requests().await.unwrap().len() > 1, "more than one page was asked for");
}

#[tokio::test]
async fn a_refused_reset_or_broken_connection_is_a_failed_connection() {
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let refused = format!("http://{}", closed.local_addr().unwrap());
    drop(closed);
    assert_eq!(list_failure(&refused).await, Some(ConnectFailed), "refused");

    let reset = serve_raw(|stream| async move {
        stream.set_zero_linger().unwrap();
    })
    .await;
    assert_eq!(list_failure(&reset).await, Some(ConnectFailed), "reset");

    let cases: [(&str, &[u8]); 5] = [
        ("closed without a word", b""),
        ("cut in the head", b"HTTP/1.1 200 OK\r\ncontent-le"),
        ("cut in the body", b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{\"network_connections\": ["),
        ("cut between chunks", b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\n{\"net\r\n"),
        ("not HTTP", b"\x15\x03\x03\x00\x02\x02\x46 noise\r\n\r\n"),
    ];
    for (what, bytes) in cases {
        assert_eq!(list_failure(&serve_bytes(bytes).await).await, Some(ConnectFailed), "{what}");
    }
}

#[tokio::test]
async fn a_server_that_does_not_speak_tls_is_a_failed_connection() {
    let url = serve_bytes(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.replace("http://", "https://");
    assert_eq!(list_failure(&url).await, Some(ConnectFailed));
}

#[tokio::test]
async fn a_body_that_is_not_the_agreed_json_is_a_bad_payload() {
    let list = page(&[network_connection(1, 1, 2)], None).to_string();
    let cases = [
        "",
        "null",
        "[]",
        "SSO is having a day off",
        "<html></html>",
        "{\"network_connections\": [",
        "{\"network_connections\": [], \"next_cursor\": null} trailing",
        "{\"network_connections\": []}",
        "{\"next_cursor\": null}",
        "{\"network_connections\": null, \"next_cursor\": null}",
        "{\"network_connections\": {}, \"next_cursor\": null}",
        "{\"network_connections\": [], \"next_cursor\": 7}",
        "{\"network_connections\": [null], \"next_cursor\": null}",
        "[[], null]",
        &list[..list.len() - 1],
    ];
    for body in cases {
        assert_eq!(failure_of_body(body).await, Some(BadPayload), "{body}");
    }
}

#[tokio::test]
async fn one_bad_connection_costs_the_whole_list() {
    let good = json!(network_connection(1, 1, 2));
    let foreign = json!(network_connection(2, 3, 4));
    let twice = good.clone();
    let mut unreadable = json!(network_connection(2, 1, 2));
    unreadable["id"] = json!("not an id");
    for bad in [foreign, twice, unreadable, Value::Null] {
        let body = json!({"network_connections": [good, bad], "next_cursor": null}).to_string();
        assert_eq!(failure_of_body(&body).await, Some(BadPayload), "{body}");
    }
}

#[tokio::test]
async fn one_bad_page_costs_the_whole_list() {
    let bad_pages = [
        (ResponseTemplate::new(500), BadStatus),
        (ResponseTemplate::new(304), BadStatus),
        (ResponseTemplate::new(200).insert_header("etag", "\"a\"").set_body_string("{"), BadPayload),
        // A connection of page 1 again.
        (answer(&[network_connection(0, 1, 2)], None, "\"a\""), BadPayload),
        // The cursor that led here again.
        (answer(&[], Some("2"), "\"a\""), BadPayload),
        (answer(&[], Some(&"x".repeat(100_000)), "\"a\""), BadPayload),
        (answer(&[], None, "\"another\""), BadPayload),
    ];
    for (bad_page, failure) in bad_pages {
        let server = MockServer::start().await;
        for number in 0..5_u32 {
            let next = Some((number + 1).to_string()).filter(|_| number < 4);
            let good = answer(&[network_connection(number, 1, 2)], next.as_deref(), "\"a\"");
            let response = if number == 2 { bad_page.clone() } else { good };
            let mock = Mock::given(path("/network_connections"));
            let cursor = number.to_string();
            match number {
                0 => mock.and(query_param_is_missing("cursor")),
                _ => mock.and(query_param("cursor", cursor.as_str())),
            }
            .respond_with(response)
            .mount(&server)
            .await;
        }
        assert_eq!(list_failure(&server.uri()).await, Some(failure));
    }
}

#[tokio::test]
async fn cursors_without_end_are_given_up() {
    let server = MockServer::start().await;
    let calls = AtomicU32::new(0);
    let one_more = move |_: &Request| {
        let cursor = calls.fetch_add(1, Ordering::SeqCst).to_string();
        answer(&[], Some(&cursor), "\"a\"")
    };
    Mock::given(method("GET")).respond_with(one_more).mount(&server).await;
    assert_eq!(list_failure(&server.uri()).await, Some(BadPayload));
    assert_eq!(server.received_requests().await.unwrap().len(), 1_000);
}

const LIMIT: usize = 16 * 1024 * 1024;

#[tokio::test]
async fn a_page_that_is_too_large_is_a_bad_payload() {
    let padded = |length: usize| {
        let body = page(&[network_connection(1, 1, 2)], None).to_string();
        format!("{body}{}", " ".repeat(length - body.len()))
    };
    assert_eq!(failure_of_body(&padded(LIMIT)).await, None, "at the limit");
    assert_eq!(failure_of_body(&padded(LIMIT + 1)).await, Some(BadPayload), "declared");

    let endless = serve_raw(|mut stream| async move {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n").await;
        let chunk = format!("10000\r\n{}\r\n", " ".repeat(0x1_0000));
        while stream.write_all(chunk.as_bytes()).await.is_ok() {}
    })
    .await;
    assert_eq!(list_failure(&endless).await, Some(BadPayload), "not declared");
}

#[tokio::test]
async fn permissions_count_as_what_they_take_once_read() {
    let server = MockServer::start().await;
    let permissions = Permissions { buyer: vec!["a".into(); 1_000], seller: vec!["b".into(); 1_000] };
    // Each page is within the limit, and on the wire both are within the list's.
    for (first, next) in [(0, Some("2")), (1_100, None)] {
        let many = (first..first + 1_100)
            .map(|number| NetworkConnection { permissions: permissions.clone(), ..network_connection(number, 1, 2) });
        let answer = answer(&many.collect::<Vec<_>>(), next, "\"a\"");
        let mock = Mock::given(path("/network_connections"));
        match next {
            Some(_) => mock.and(query_param_is_missing("cursor")),
            None => mock.and(query_param("cursor", "2")),
        }
        .respond_with(answer)
        .mount(&server)
        .await;
    }
    assert_eq!(list_failure(&server.uri()).await, Some(BadPayload));
    assert_eq!(server.received_requests().await.unwrap().len(), 2);
}

#[tokio::test]
async fn a_failure_is_logged_once_without_the_text_of_sso_or_the_token() {
    let log = Log::start();
    for body in [r#"{"network_connections": "a secret of SSO", "next_cursor": null}"#, "a secret of SSO"] {
        assert_eq!(failure_of_body(body).await, Some(BadPayload));
    }
    let log = log.end();
    let warnings: Vec<&str> = log.lines().filter(|line| line.contains(" WARN ")).collect();
    assert_eq!(warnings.len(), 2, "{log}");
    for warning in warnings {
        assert!(warning.contains("sso.outcome=\"bad_payload\""), "{warning}");
        assert!(warning.contains(&format!("account.sso_id={}", account(1))), "{warning}");
    }
    assert!(!log.contains(TOKEN) && !log.contains("a secret"), "{log}");
}

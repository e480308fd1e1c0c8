//! HTTP/1.1 as no client speaks it: requests that one reader takes for one and another for two, and heads that are none. Each
//! is refused or closed within the server's limits, and what was hidden in it is never answered.

use std::fmt::Write;

use crate::support::app::{Setup, TestApp};
use crate::support::databases::{Database, Kind};
use crate::support::raw_http::{short_timeouts, statuses, tell_in_text};
use crate::support::world::World;

/// A request of its own, known by its id, which its answer bears.
const HIDDEN: &str = "GET /livez HTTP/1.1\r\nHost: test\r\nX-Request-Id: hidden\r\n\r\n";

async fn start() -> (Database, TestApp) {
    let database = Database::fresh(Kind::Sqlite).await;
    let app = TestApp::start_with(&database, Setup { timeouts: short_timeouts(), ..Setup::default() }).await;
    let world = World::with_connections(3);
    let app = app.enter_as_superuser(&database, &world).await;
    (database, app)
}

/// A good GraphQL request up to what its head says of its body.
fn post(app: &TestApp, rest: &str) -> String {
    let key = app.key.as_ref().unwrap();
    format!(
        "POST /graphql HTTP/1.1\r\nHost: test\r\nAuthorization: Bearer {key}\r\nContent-Type: application/json\r\n\
         X-Request-Id: first\r\n{rest}"
    )
}

/// Refused, or closed without a word; the server is as before.
async fn assert_refused(app: &TestApp, request: &str) {
    let shown: String = request.chars().take(300).collect();
    let heard = tell_in_text(&app.url, request).await;
    assert!(!heard.contains("x-request-id: hidden"), "{shown:?}\n{heard}");
    let statuses = statuses(&heard);
    assert!(statuses.len() <= 1 && statuses.iter().all(|status| (400..500).contains(status)), "{shown:?}\n{heard}");
    assert_eq!(app.get("/connections").await.status, 200, "after {shown:?}");
}

#[tokio::test]
async fn a_body_whose_end_two_readers_may_see_in_different_places_hides_no_request() {
    let (_database, app) = start().await;
    let nothing = "0\r\n\r\n";
    for (framing, body) in [
        ("Content-Length: 5\r\nTransfer-Encoding: chunked", nothing),
        ("Transfer-Encoding: chunked\r\nContent-Length: 5", nothing),
        ("Content-Length: 100\r\nTransfer-Encoding: chunked", nothing),
        ("Content-Length: 0\r\nContent-Length: 60", ""),
        ("Content-Length: 60\r\nContent-Length: 0", ""),
        ("Content-Length: 0, 60", ""),
        ("Content-Length: 0,0", ""),
        ("Content-Length: +0", ""),
        ("Content-Length: -0", ""),
        ("Content-Length: -1", ""),
        ("Content-Length: 0 0", ""),
        ("Content-Length: 0x0", ""),
        ("Content-Length: 0;", ""),
        ("Content-Length: 0.0", ""),
        ("Content-Length: \"0\"", ""),
        ("Content-Length:", ""),
        ("Content-Length: 18446744073709551616", ""),
        ("Content-Length: 99999999999999999999999999", ""),
        ("Content-Length : 0", ""),
        ("Content-Length\t: 0", ""),
        ("Transfer-Encoding: xchunked", nothing),
        ("Transfer-Encoding: chunkedx", nothing),
        ("Transfer-Encoding: chunked, identity", nothing),
        ("Transfer-Encoding: identity, chunked", nothing),
        ("Transfer-Encoding: gzip, chunked", nothing),
        ("Transfer-Encoding: chunked, chunked", nothing),
        ("Transfer-Encoding: identity", nothing),
        ("Transfer-Encoding: \"chunked\"", nothing),
        ("Transfer-Encoding: 'chunked'", nothing),
        ("Transfer-Encoding: chunked;a=b", nothing),
        ("Transfer-Encoding:", nothing),
        ("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity", nothing),
        ("Transfer-Encoding: identity\r\nTransfer-Encoding: chunked", nothing),
        ("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", nothing),
        ("Transfer-Encoding : chunked", nothing),
        ("Transfer-Encoding\t: chunked", nothing),
        ("Transfer-Encoding:\u{b}chunked", nothing),
        ("Transfer-Encoding: chunked\0", nothing),
        ("Transfer-Encoding: ch\0unked", nothing),
        (" Transfer-Encoding: chunked", nothing),
        ("X: a\r\n Transfer-Encoding: chunked", nothing),
        ("X: a\r\n\tfolded", ""),
        ("Content-Length:\r\n 0", ""),
        ("X: a\rTransfer-Encoding: chunked", nothing),
        ("X: a\r\rContent-Length: 0", ""),
        ("X: a\0b", ""),
        ("X\0Y: a", ""),
        ("X Y: a", ""),
        ("X(Y): a", ""),
        ("É: a", ""),
        (": a", ""),
        ("no colon", ""),
    ] {
        assert_refused(&app, &post(&app, &format!("{framing}\r\n\r\n{body}{HIDDEN}"))).await;
    }
}

#[tokio::test]
async fn chunks_that_are_none_hide_no_request() {
    let (_database, app) = start().await;
    let chunked = |body: &str| post(&app, &format!("Transfer-Encoding: chunked\r\n\r\n{body}{HIDDEN}"));
    let flood = "x".repeat(40_000);
    let trailers = (0..200).fold(String::new(), |mut trailers, number| {
        write!(trailers, "X-{number}: {}\r\n", "x".repeat(400)).unwrap();
        trailers
    });
    for body in [
        "-1\r\n\r\n",
        "+0\r\n\r\n",
        "0x0\r\n\r\n",
        "g\r\n\r\n",
        "\r\n\r\n",
        "\0\r\n\r\n",
        "FFFFFFFFFFFFFFFFF\r\nx\r\n0\r\n\r\n",
        "FFFFFFFFFFFFFFFF\r\nx\r\n0\r\n\r\n",
        "7FFFFFFFFFFFFFFF\r\nx\r\n0\r\n\r\n",
        "280000000\r\nx\r\n0\r\n\r\n",
        "00000000000000000000000000000000000000000000000000000000000000000000000000000000\r\n\r\n",
        "0\n\n",
        "0\r\r\n\r\n",
        "1\nx\n0\n\n",
        "1\r\nx0\r\n\r\n",
        "1\r\nxx\r\n0\r\n\r\n",
        "1;a\nb\r\nx\r\n0\r\n\r\n",
        &format!("1;{flood}\r\nx\r\n0\r\n\r\n"),
        &format!("0\r\n{trailers}\r\n"),
        "0\r\nContent-Length: 60\r\n\r\n",
        "0\r\n",
        "2\r\n{",
    ] {
        assert_refused(&app, &chunked(body)).await;
    }
    // Many small extensions are a flood as well.
    let many = "1;aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\nx\r\n".repeat(2_000);
    assert_refused(&app, &chunked(&format!("{many}0\r\n\r\n"))).await;
}

#[tokio::test]
async fn a_good_chunked_body_is_read_and_its_connection_closed() {
    let (_database, app) = start().await;
    let body = r#"{"query": "{ viewer { isSuperuser } }"}"#;
    let (first, second) = body.split_at(7);
    let chunks =
        format!("{:x}\r\n{first}\r\n{:X};note=\"x\"\r\n{second}\r\n0\r\nX-Trailer: a\r\n\r\n", 7, second.len());
    let heard =
        tell_in_text(&app.url, post(&app, &format!("Transfer-Encoding: Chunked\r\n\r\n{chunks}{HIDDEN}"))).await;
    assert_eq!(statuses(&heard), [200], "{heard}");
    assert!(
        heard.contains("connection: close") && heard.ends_with(r#"{"data":{"viewer":{"isSuperuser":true}}}"#),
        "{heard}"
    );
}

#[tokio::test]
async fn a_length_that_is_said_twice_alike_is_that_length() {
    let (_database, app) = start().await;
    let body = r#"{"query": "{ viewer { isSuperuser } }"}"#;
    let length = format!("Content-Length: {}\r\n", body.len());
    let next = HIDDEN.replace("hidden", "next");
    let heard = tell_in_text(&app.url, post(&app, &format!("{length}{length}\r\n{body}{next}"))).await;
    assert_eq!(statuses(&heard), [200, 200], "{heard}");
    assert!(heard.contains("x-request-id: next"), "{heard}");
}

#[tokio::test]
async fn heads_that_are_none_are_refused() {
    let (_database, app) = start().await;
    let long = "x".repeat(70_000);
    for head in [
        "GET  /livez HTTP/1.1\r\nHost: test\r\n",
        "GET /livez  HTTP/1.1\r\nHost: test\r\n",
        "GET\t/livez HTTP/1.1\r\nHost: test\r\n",
        " GET /livez HTTP/1.1\r\nHost: test\r\n",
        "GET /liv ez HTTP/1.1\r\nHost: test\r\n",
        "GET /livez\0 HTTP/1.1\r\nHost: test\r\n",
        "GET /livez\u{1b}[31m HTTP/1.1\r\nHost: test\r\n",
        "GET livez HTTP/1.1\r\nHost: test\r\n",
        "GET HTTP/1.1\r\nHost: test\r\n",
        "GET /livez HTTP/0.9\r\nHost: test\r\n",
        "GET /livez HTTP/1.2\r\nHost: test\r\n",
        "GET /livez HTTP/2.0\r\nHost: test\r\n",
        "GET /livez HTTP/1.1.1\r\nHost: test\r\n",
        "GET /livez HTTP/11\r\nHost: test\r\n",
        "GET /livez http/1.1\r\nHost: test\r\n",
        "GET /livez HTTPS/1.1\r\nHost: test\r\n",
        // HTTP/0.9.
        "GET /livez\r\n",
        "G\0T /livez HTTP/1.1\r\nHost: test\r\n",
        "GET: /livez HTTP/1.1\r\nHost: test\r\n",
        &format!("{long} /livez HTTP/1.1\r\nHost: test\r\n"),
        &format!("GET /{long} HTTP/1.1\r\nHost: test\r\n"),
        "GET /livez HTTP/1.1\r\n",
        "GET /livez HTTP/1.1\r\nHost: test\r\nHost: test\r\n",
        "GET /livez HTTP/1.1\r\nHost: test\r\nhost: evil.example\r\n",
        "GET /livez HTTP/1.1\r\nHost: te st\r\n",
        "GET /livez HTTP/1.1\r\nHost: test/evil\r\n",
        "GET /livez HTTP/1.1\r\nHost: test@evil.example\r\n",
        "GET /livez HTTP/1.1\r\nHost: test, evil.example\r\n",
        "GET http://evil.example/livez HTTP/1.1\r\nHost: test\r\n",
        "GET http://test@evil.example/livez HTTP/1.1\r\nHost: test\r\n",
        "GET /livez HTTP/1.0\r\nTransfer-Encoding: chunked\r\n",
        "CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example:443\r\n",
        "TRACE /livez HTTP/1.1\r\nHost: test\r\n",
        "\u{16}\u{3}\u{1}\u{2}",
        "PRI * HTTP/2.0\r\nHost: test\r\n",
    ] {
        let refused = format!("{head}Connection: close\r\n\r\n{HIDDEN}");
        assert_refused(&app, &refused).await;
    }
}

#[tokio::test]
async fn odd_heads_that_the_rules_allow_mean_one_request() {
    let (_database, app) = start().await;
    for (head, status) in [
        // A line feed alone may end a line (RFC 9112, 2.2), and empty lines may come first.
        ("GET /livez HTTP/1.1\nHost: test\nConnection: close\n\n", 200),
        ("\r\n\r\nGET /livez HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n", 200),
        ("GET http://test/livez HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n", 200),
        ("GET /livez HTTP/1.1\r\nHost:\r\nConnection: close\r\n\r\n", 200),
        ("OPTIONS * HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n", 404),
        ("get /livez HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n", 405),
    ] {
        let heard = tell_in_text(&app.url, format!("{head}{HIDDEN}")).await;
        assert_eq!(statuses(&heard), [status], "{head:?}\n{heard}");
        assert!(!heard.contains("x-request-id: hidden"), "{head:?}\n{heard}");
    }
    let heard = tell_in_text(&app.url, format!("GET /livez HTTP/1.0\r\n\r\n{HIDDEN}")).await;
    assert!(heard.starts_with("HTTP/1.0 200") && !heard.contains("hidden"), "{heard}");
}

#[tokio::test]
async fn two_keys_in_one_head_are_none() {
    let (_database, app) = start().await;
    let key = app.key.as_ref().unwrap();
    let two = format!("Authorization: Bearer {key}\r\nauthorization: Bearer {key}\r\n");
    let heard = tell_in_text(&app.url, format!("GET /connections HTTP/1.1\r\nHost: test\r\n{two}\r\n")).await;
    assert_eq!(statuses(&heard), [401], "{heard}");
}

#[tokio::test]
async fn a_body_that_is_promised_and_never_comes_is_not_waited_for_beyond_the_limits() {
    let (_database, app) = start().await;
    // Nobody waits for what will be refused: no key, or by its own word too large.
    let huge = "Content-Length: 10737418240\r\n\r\n";
    let no_key = format!("POST /graphql HTTP/1.1\r\nHost: test\r\nContent-Type: application/json\r\n{huge}");
    assert_eq!(statuses(&tell_in_text(&app.url, no_key).await), [401]);
    assert_eq!(statuses(&tell_in_text(&app.url, post(&app, huge)).await), [413]);
    let repair = post(&app, huge).replace("/graphql", "/connections");
    assert_eq!(statuses(&tell_in_text(&app.url, &repair).await), [413]);
    assert_refused(&app, &post(&app, "Content-Length: 40\r\n\r\n{")).await;
    // It is told to go on, and does not.
    let heard = tell_in_text(&app.url, post(&app, "Expect: 100-continue\r\nContent-Length: 40\r\n\r\n")).await;
    let [100, refused] = statuses(&heard)[..] else { panic!("{heard}") };
    assert!((400..500).contains(&refused), "{heard}");
    assert_eq!(app.get("/connections").await.status, 200);
}

#[tokio::test]
async fn a_thousand_requests_at_once_are_answered_one_after_the_other() {
    let (_database, app) = start().await;
    let many = (0..1_000).fold(String::new(), |mut many, number| {
        write!(many, "GET /livez HTTP/1.1\r\nHost: test\r\nX-Request-Id: n{number}\r\n\r\n").unwrap();
        many
    });
    let heard = tell_in_text(&app.url, many).await;
    let ids: Vec<&str> = heard.lines().filter_map(|line| line.strip_prefix("x-request-id: ")).collect();
    let expected: Vec<String> = (0..1_000).map(|number| format!("n{number}")).collect();
    assert_eq!(ids, expected);
    assert_eq!(statuses(&heard), [200; 1_000]);
}

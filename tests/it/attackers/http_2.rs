//! HTTP/2 as no library would speak it, frame by frame: what would be a header or a line of its own once a proxy writes it as
//! HTTP/1.1, lengths that lie, and heads without end.

use crate::support::app::{Setup, TestApp};
use crate::support::databases::{Database, Kind};
use crate::support::raw_http::{short_timeouts, tell};
use crate::support::world::World;

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RESET: u8 = 3;
const SETTINGS: u8 = 4;
const GOAWAY: u8 = 7;
const CONTINUATION: u8 = 9;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

/// `:status: 200` in HPACK's static table, which comes first in an answer.
const INDEXED_200: u8 = 0x88;

type Field<'a> = (&'a str, &'a str);

const GET: [Field<'static>; 4] = [(":method", "GET"), (":scheme", "http"), (":path", "/livez"), (":authority", "test")];

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// Each field literally, so that nothing is left to any table.
fn block(fields: &[Field<'_>]) -> Vec<u8> {
    let text = |text: &str| [&[u8::try_from(text.len()).unwrap()], text.as_bytes()].concat();
    fields.iter().flat_map(|(name, value)| [vec![0], text(name), text(value)].concat()).collect()
}

fn preface() -> Vec<u8> {
    [b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".as_slice(), &frame(SETTINGS, 0, 0, &[])].concat()
}

/// The frames that came back, by kind and payload.
async fn answers(app: &TestApp, frames: &[u8]) -> Vec<(u8, Vec<u8>)> {
    let heard = tell(&app.url, [&preface(), frames].concat()).await;
    let mut rest = &heard[..];
    let mut answers = Vec::new();
    while let [a, b, c, kind, _flags, _, _, _, _, after @ ..] = rest {
        let length = u32::from_be_bytes([0, *a, *b, *c]) as usize;
        let (payload, next) = after.split_at(length.min(after.len()));
        answers.push((*kind, payload.to_vec()));
        rest = next;
    }
    answers
}

async fn is_served(app: &TestApp, frames: &[u8]) -> bool {
    answers(app, frames).await.iter().any(|(kind, payload)| *kind == HEADERS && payload.first() == Some(&INDEXED_200))
}

async fn start() -> (Database, TestApp) {
    let database = Database::fresh(Kind::Sqlite).await;
    let app = TestApp::start_with(&database, Setup { timeouts: short_timeouts(), ..Setup::default() }).await;
    let app = app.enter_as_superuser(&database, &World::with_connections(3)).await;
    (database, app)
}

#[tokio::test]
async fn heads_that_would_mean_something_else_as_http_1_are_refused() {
    let (_database, app) = start().await;
    let with = |more: &[Field<'_>]| frame(HEADERS, END_HEADERS | END_STREAM, 1, &block(&[&GET[..], more].concat()));
    assert!(is_served(&app, &with(&[])).await, "a good one, made by the same hand");
    assert!(is_served(&app, &with(&[("te", "trailers"), ("host", "test")])).await);
    for more in [
        [("connection", "close")],
        [("connection", "keep-alive")],
        [("keep-alive", "timeout=5")],
        [("proxy-connection", "keep-alive")],
        [("upgrade", "h2c")],
        [("transfer-encoding", "chunked")],
        [("te", "gzip")],
        [("X-Upper", "a")],
        [("x y", "a")],
        [("x:y", "a")],
        [("x\r\ny", "a")],
        [("", "a")],
        [("x", "a\r\nhost: evil.example")],
        [("x", "a\nb")],
        [("x", "a\0b")],
        [("content-length", "5")],
        [("content-length", "+0")],
        [("content-length", "x")],
        [("host", "evil.example")],
        [(":path", "/connections")],
        [(":unknown", "a")],
        [(":status", "200")],
    ] {
        assert!(!is_served(&app, &with(&more)).await, "{more:?}");
        assert_eq!(app.get("/connections").await.status, 200, "after {more:?}");
    }
    for fields in [
        &GET[1..],
        &GET[..2],
        &[GET[0], GET[1], (":path", ""), GET[3]],
        &[GET[0], GET[1], (":path", "livez"), GET[3]],
        &[GET[0], GET[1], (":path", "/livez HTTP/1.1\r\nx: y"), GET[3]],
        &[(":method", "GET /livez HTTP/1.1\r\nx:"), GET[1], GET[2], GET[3]],
        &[GET[0], GET[1], GET[2], (":authority", "a b")],
        &[("x", "regular ones come last"), GET[0], GET[1], GET[2], GET[3]],
        &[GET[0], GET[1], GET[2], ("host", "a"), ("host", "b")],
    ] {
        assert!(!is_served(&app, &frame(HEADERS, END_HEADERS | END_STREAM, 1, &block(fields))).await, "{fields:?}");
    }
    assert_eq!(app.get("/connections").await.status, 200);
}

#[tokio::test]
async fn a_body_of_another_length_than_was_said_is_refused() {
    let (_database, app) = start().await;
    let body = br#"{"query": "{ viewer { isSuperuser } }"}"#;
    let authorization = format!("Bearer {}", app.key.as_ref().unwrap());
    let send = async |length: usize| {
        let length = length.to_string();
        let fields = [
            (":method", "POST"),
            GET[1],
            (":path", "/graphql"),
            GET[3],
            ("authorization", &authorization),
            ("content-type", "application/json"),
            ("content-length", &length),
        ];
        let head = frame(HEADERS, END_HEADERS, 1, &block(&fields));
        is_served(&app, &[head, frame(DATA, END_STREAM, 1, body)].concat()).await
    };
    assert!(send(body.len()).await);
    for length in [0, body.len() - 1, body.len() + 1, 10 * 1024 * 1024 * 1024] {
        assert!(!send(length).await, "{length}");
    }
}

#[tokio::test]
async fn a_head_without_end_ends_its_connection() {
    let (_database, app) = start().await;
    let mut frames = frame(HEADERS, END_STREAM, 1, &block(&GET));
    let more = block(&[("x-more", &"x".repeat(100))]).repeat(140);
    for _ in 0..600 {
        frames.extend(frame(CONTINUATION, 0, 1, &more));
    }
    let answers = answers(&app, &frames).await;
    assert!(answers.iter().all(|(kind, _)| *kind != HEADERS), "{answers:?}");
    let empty = [frame(HEADERS, END_STREAM, 1, &block(&GET)), frame(CONTINUATION, 0, 1, &[]).repeat(100_000)].concat();
    assert!(!is_served(&app, &empty).await, "nor is one that adds nothing for ever");
    assert_eq!(app.get("/connections").await.status, 200);
}

#[tokio::test]
async fn frames_that_make_no_sense_end_their_connection() {
    let (_database, app) = start().await;
    let good = frame(HEADERS, END_HEADERS | END_STREAM, 1, &block(&GET));
    for (name, frames) in [
        ("a stream of the server's", frame(HEADERS, END_HEADERS | END_STREAM, 2, &block(&GET))),
        ("stream 0", frame(HEADERS, END_HEADERS | END_STREAM, 0, &block(&GET))),
        ("data without a head", frame(DATA, END_STREAM, 1, b"x")),
        ("a continuation of nothing", frame(CONTINUATION, END_HEADERS, 1, &block(&GET))),
        ("a head in the middle of another", [frame(HEADERS, END_STREAM, 1, &block(&GET)), good.clone()].concat()),
        ("an index that no table has", frame(HEADERS, END_HEADERS | END_STREAM, 1, &[0xff, 0xff, 0xff, 0x7f])),
        ("a frame larger than any", [&[0xff, 0xff, 0xff, DATA, 0, 0, 0, 0, 1][..], &[0; 100]].concat()),
        ("a length of settings that is none", frame(SETTINGS, 0, 0, &[1])),
    ] {
        let answers = answers(&app, &frames).await;
        assert!(answers.iter().all(|(kind, _)| *kind != HEADERS), "{name}: {answers:?}");
        let is_told = answers.iter().any(|(kind, _)| [RESET, GOAWAY].contains(kind));
        assert!(is_told, "{name}: the client is told why: {answers:?}");
    }
    assert_eq!(app.get("/connections").await.status, 200);
}

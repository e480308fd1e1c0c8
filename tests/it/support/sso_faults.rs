//! Everything that SSO, or what stands between, can do to an answer: a name, the script, and the class it belongs to.

use std::io::Write as _;
use std::sync::Arc;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

use super::raw_sso::{Answer, End, Request, Script};

/// Stands in every fault's bytes where text can stand: neither answers nor logs may ever show it.
pub const SECRET: &str = "words-of-sso-that-nobody-may-see";

/// One fault.
#[derive(Clone)]
pub struct Fault {
    pub name: &'static str,
    /// `SourceFailure`, as superusers see it.
    pub reason: &'static str,
    /// A single connection is told all the same, so that it can be repaired.
    pub spares_single: bool,
    pub answer: Answer,
}

fn fault(
    name: &'static str,
    reason: &'static str,
    script: impl Fn(&Request) -> Script + Send + Sync + 'static,
) -> Fault {
    let answer = Arc::new(script);
    Fault { name, reason, spares_single: false, answer }
}

/// A fault of the third page.
fn page_fault(name: &'static str, reason: &'static str, script: impl Fn() -> Script + Send + Sync + 'static) -> Fault {
    list_fault(name, reason, move |request| match request.cursor.as_deref() {
        Some("4") => script(),
        _ => Script::truth(request),
    })
}

/// A fault of lists alone.
fn list_fault(
    name: &'static str,
    reason: &'static str,
    script: impl Fn(&Request) -> Script + Send + Sync + 'static,
) -> Fault {
    let script = move |request: &Request| if request.is_single { Script::truth(request) } else { script(request) };
    Fault { spares_single: true, ..fault(name, reason, script) }
}

/// No end within any budget.
pub fn hanging() -> Vec<Fault> {
    const OPEN: &str = "HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n{\"network_connections\": [";
    let hangs = |name, bytes: String| fault(name, "TIMEOUT", move |_| Script::bytes(bytes.clone()).end(End::Hang));
    let drips = |name, first: String, then: &'static str| {
        fault(name, "TIMEOUT", move |_| Script::bytes(first.clone()).then_drip(then))
    };
    vec![
        hangs("hangs before the head", String::new()),
        hangs("hangs within the head", format!("HTTP/1.1 200 {SECRET}\r\nx-sso: {SECRET}\r\ncontent-le")),
        hangs("hangs within the body", format!("{OPEN}\"{SECRET}\"")),
        hangs(
            "hangs between chunks",
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\n{\"net\r\n".to_owned(),
        ),
        drips("drips its head", "HTTP/1.1 200 OK\r\nx-sso: ".to_owned(), "x"),
        drips("drips headers", "HTTP/1.1 200 OK\r\n".to_owned(), "x-sso: words-of-sso-that-nobody-may-see\r\n"),
        drips("drips its body", OPEN.to_owned(), " "),
        drips("drips chunks", "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n".to_owned(), "1\r\n \r\n"),
        drips("promises for ever", String::new(), "HTTP/1.1 100 Continue\r\n\r\n"),
        fault("gives less than it declares, and waits", "TIMEOUT", |request| {
            let body = request.body.to_string();
            let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.len() + 1);
            Script::bytes(head + &body).end(End::Hang)
        }),
        page_fault("hangs on page 3", "TIMEOUT", || Script::bytes(Vec::new()).end(End::Hang)),
    ]
}

/// A connection that breaks, or never was one.
pub fn broken() -> Vec<Fault> {
    let ends = |name, bytes: &'static str, end| fault(name, "CONNECT_FAILED", move |_| Script::bytes(bytes).end(end));
    let cut = "HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n{\"words-of-sso-that-nobody-may-see\": [";
    vec![
        ends("resets before the head", "", End::Reset),
        ends("resets within the head", "HTTP/1.1 200 OK\r\nx-sso: words-of-sso-that", End::Reset),
        ends("resets within the body", cut, End::Reset),
        ends("closes before the head", "", End::Close),
        ends("closes within the head", "HTTP/1.1 200 OK\r\ncontent-le", End::Close),
        ends("closes within the body", cut, End::Close),
        ends("half-closes before the head", "", End::HalfClose),
        ends("half-closes within the body", cut, End::HalfClose),
        ends(
            "closes between chunks",
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\n{\"net\r\n",
            End::Close,
        ),
        fault("gives less than it declares", "CONNECT_FAILED", |request| {
            let body = request.body.to_string();
            let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.len() + 1);
            Script::bytes(head + &body).end(End::Close)
        }),
        ends("a chunk without a size", "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n{}\r\n", End::Close),
        ends(
            "a chunk longer than its size",
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}xx\r\n",
            End::Close,
        ),
        ends(
            "a chunk of 2^64",
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n10000000000000000\r\n{}\r\n",
            End::Close,
        ),
        fault("a chunk extension of 100 MB", "CONNECT_FAILED", |_| {
            Script::bytes("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2;x=").then_flood(vec![b'x'; MIB], 100)
        }),
        fault("trailers of 100 MB", "CONNECT_FAILED", |_| {
            let head = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n";
            Script::bytes(head).then_flood("x-sso: words-of-sso-that-nobody-may-see\r\n".repeat(1_000), 2_500)
        }),
        fault("a header of 100 MB", "CONNECT_FAILED", |_| {
            Script::bytes("HTTP/1.1 200 OK\r\nx-sso: ").then_flood(vec![b'x'; MIB], 100)
        }),
        fault("a million headers", "CONNECT_FAILED", |_| {
            let lines = "x-sso: words-of-sso-that-nobody-may-see\r\n".repeat(1_000);
            Script::bytes("HTTP/1.1 200 OK\r\n").then_flood(lines, 1_000)
        }),
        ends("two lengths", "HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\n{} ", End::Close),
        ends("a negative length", "HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n{}", End::Close),
        ends("a length of 2^64", "HTTP/1.1 200 OK\r\ncontent-length: 18446744073709551616\r\n\r\n{}", End::Close),
        ends("a status that is none", "HTTP/1.1 2000 OK\r\ncontent-length: 2\r\n\r\n{}", End::Close),
        ends("another protocol", "SSH-2.0-words-of-sso-that-nobody-may-see\r\n", End::Close),
        fault("TLS on a plain port", "CONNECT_FAILED", |_| {
            // A fatal alert, as a TLS server answers a plain request with.
            Script::bytes(b"\x15\x03\x03\x00\x02\x02\x0a".as_slice()).end(End::Close)
        }),
        fault("noise", "CONNECT_FAILED", |_| {
            let noise: Vec<u8> = (0..4096_u32).map(|number| (number * 151 % 256).to_le_bytes()[0]).collect();
            Script::bytes(noise).end(End::Close)
        }),
        page_fault("resets on page 3", "CONNECT_FAILED", || Script::bytes(Vec::new()).end(End::Reset)),
    ]
}

/// What a client meets that wanted to speak TLS.
pub fn without_tls() -> Vec<Fault> {
    let says = |name, bytes: &'static [u8], end| fault(name, "CONNECT_FAILED", move |_| Script::bytes(bytes).end(end));
    vec![
        says("HTTP for TLS", b"HTTP/1.1 400 words-of-sso-that-nobody-may-see\r\n\r\n", End::Close),
        says("noise for TLS", b"\x16\x03\x03\x40\x00words-of-sso-that-nobody-may-see", End::Close),
        says("an alert", b"\x15\x03\x03\x00\x02\x02\x28", End::Close),
        says("a reset for TLS", b"", End::Reset),
        says("the end for TLS", b"", End::Close),
        fault("hangs before TLS", "TIMEOUT", |_| Script::bytes(Vec::new()).end(End::Hang)),
    ]
}

/// Any status but the agreed ones.
pub fn statuses() -> Vec<Fault> {
    let says = |name, status: &'static str, head: &'static str| {
        fault(name, "BAD_STATUS", move |request| {
            // A body that would do, were it not for the status.
            Script::answer(status, head, request.body.to_string())
        })
    };
    vec![
        says("500", "500 words-of-sso-that-nobody-may-see", ""),
        says("501", "501 Not Implemented", ""),
        says("502", "502 Bad Gateway", ""),
        says("503", "503 Service Unavailable", ""),
        says("503 with Retry-After", "503 Service Unavailable", "retry-after: 120\r\n"),
        says(
            "503 with a date to retry after",
            "503 Service Unavailable",
            "retry-after: Wed, 21 Oct 2099 07:28:00 GMT\r\n",
        ),
        says(
            "503 with nonsense to retry after",
            "503 Service Unavailable",
            "retry-after: words-of-sso-that-nobody-may-see\r\n",
        ),
        says("504", "504 Gateway Timeout", ""),
        says("401", "401 Unauthorized", "www-authenticate: Bearer realm=words-of-sso-that-nobody-may-see\r\n"),
        says("403", "403 Forbidden", ""),
        says("429", "429 Too Many Requests", ""),
        says("429 with Retry-After", "429 Too Many Requests", "retry-after: 1\r\n"),
        says("201", "201 Created", ""),
        says("206", "206 Partial Content", "content-range: bytes 0-1/2\r\n"),
        says("a redirect to itself", "302 Found", "location: /network_connections\r\n"),
        says("a redirect to nowhere", "301 Moved Permanently", "location: words-of-sso-that-nobody-may-see\r\n"),
        fault("204", "BAD_STATUS", |_| Script::bytes("HTTP/1.1 204 No Content\r\n\r\n")),
        fault("101", "BAD_STATUS", |_| {
            Script::bytes("HTTP/1.1 101 Switching Protocols\r\nupgrade: sso\r\nconnection: upgrade\r\n\r\n")
        }),
        list_fault("404 to a list", "BAD_STATUS", |_| Script::answer("404 Not Found", "", SECRET)),
        list_fault("410 to a list", "BAD_STATUS", |_| Script::answer("410 Gone", "", SECRET)),
        page_fault("500 for page 3", "BAD_STATUS", || Script::answer("500 Oh", "", SECRET)),
        page_fault("304 for page 3", "BAD_STATUS", || {
            Script::bytes("HTTP/1.1 304 Not Modified\r\netag: \"1\"\r\n\r\n")
        }),
    ]
}

const MIB: usize = 1024 * 1024;

/// Anything in the body.
pub fn payloads() -> Vec<Fault> {
    let tells = |name, body: String| fault(name, "BAD_PAYLOAD", move |_| ok(&body));
    let list = |entries: Value| json!({"network_connections": entries, "next_cursor": null}).to_string();
    let nested = |what: String| format!("{{\"network_connections\": {what}, \"next_cursor\": null, \"id\": {what}}}");
    vec![
        tells("nothing", String::new()),
        tells("garbage", format!("{SECRET}\u{0}\u{1}\u{fffd}")),
        tells("a page of HTML", format!("<!doctype html><title>{SECRET}</title>")),
        tells("null", "null".to_owned()),
        tells("nulls all over", list(json!([null, null]))),
        tells("wrong types", list(json!([{"id": 7, "buyer": SECRET, "seller": [], "permissions": true}]))),
        tells("a number beyond all numbers", format!("{{\"network_connections\": 1e999{}}}", "9".repeat(10_000))),
        tells("100,000 levels of lists", nested("[".repeat(100_000) + &"]".repeat(100_000))),
        tells("100,000 levels of objects", nested("{\"a\":".repeat(100_000) + "1" + &"}".repeat(100_000))),
        tells("100,000 levels never closed", nested("[".repeat(100_000))),
        altered("truncated JSON", |body| {
            body.pop();
        }),
        altered("something after the end", |body| body.push_str(SECRET)),
        altered("a key twice", |body| {
            body.truncate(body.len() - 1);
            body.push_str(",\"id\":\"a\",\"id\":\"b\",\"network_connections\":[],\"network_connections\":[]}");
        }),
        altered("a byte order mark", |body| body.insert(0, '\u{feff}')),
        altered("names that are numbers", |body| *body = body.replace("\"name\":\"", "\"name\":1,\"other\":\"")),
        altered("times that are none", |body| *body = body.replace("2024-05-", SECRET)),
        altered("ids that are none", |body| *body = body.replace("\"id\":\"", &format!("\"id\":\"{SECRET}"))),
        altered("permissions missing", |body| *body = body.replace("\"permissions\"", "\"premissions\"")),
        altered("permissions null", |body| *body = body.replace("\"permissions\":{", "\"permissions\":null,\"x\":{")),
        fault("not UTF-8", "BAD_PAYLOAD", |request| {
            let mut body = request.body.to_string().into_bytes();
            let place = body.windows(8).position(|window| window == b"\"name\":\"").unwrap() + 8;
            body.insert(place, 0xff);
            Script::answer("200 OK", "", body)
        }),
        fault("more than it declares", "BAD_PAYLOAD", |request| {
            let body = request.body.to_string();
            let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.len() - 1);
            Script::bytes(head + &body)
        }),
        fault("compressed, though nobody asked", "BAD_PAYLOAD", |request| {
            let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
            encoder.write_all(request.body.to_string().as_bytes()).unwrap();
            Script::answer("200 OK", "content-encoding: gzip\r\n", encoder.finish().unwrap())
        }),
        list_fault("a connection twice", "BAD_PAYLOAD", |request| {
            let mut body = request.body.clone();
            let connections = body["network_connections"].as_array_mut().unwrap();
            connections.push(connections[0].clone());
            ok(&body.to_string())
        }),
        list_fault("a connection of others", "BAD_PAYLOAD", |request| {
            let mut body = request.body.clone();
            for side in ["buyer", "seller"] {
                body["network_connections"][0][side]["id"] = json!("0123456789abcdef01234567");
            }
            ok(&body.to_string())
        }),
        fault("another connection than asked for", "BAD_PAYLOAD", |request| {
            let mut body = request.body.clone();
            body["id"] = json!("0123456789abcdef01234567");
            body["network_connections"] = Value::Null;
            ok(&body.to_string())
        }),
        list_fault("a cursor that leads to itself", "BAD_PAYLOAD", |_| {
            ok(r#"{"network_connections":[],"next_cursor":"1"}"#)
        }),
        list_fault("cursors in a circle", "BAD_PAYLOAD", |request| {
            let next = if request.cursor.as_deref() == Some("a") { "b" } else { "a" };
            ok(&json!({"network_connections": [], "next_cursor": next}).to_string())
        }),
        list_fault("a cursor of 100 kB", "BAD_PAYLOAD", |_| {
            ok(&json!({"network_connections": [], "next_cursor": SECRET.repeat(3_000)}).to_string())
        }),
        page_fault("garbage on page 3", "BAD_PAYLOAD", || ok(SECRET)),
    ]
}

/// Bodies without end. Nothing of them is kept.
pub fn floods() -> Vec<Fault> {
    let head = |lines: &str| format!("HTTP/1.1 200 OK\r\n{lines}\r\n{{\"network_connections\": [");
    let floods = |name, head: String, bytes: Vec<u8>| {
        fault(name, "BAD_PAYLOAD", move |_| Script::bytes(head.clone()).then_flood(bytes.clone(), 1024))
    };
    let bomb = bomb();
    let chunk = [b"100000\r\n".as_slice(), &vec![b' '; MIB], b"\r\n"].concat();
    vec![
        floods("1 GB, as declared", head("content-length: 1073741848\r\n"), vec![b' '; MIB]),
        floods("1 GB in chunks", "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n".to_owned(), chunk),
        floods("1 GB until the end", head(""), vec![b' '; MIB]),
        floods("1 GB of words", head(""), SECRET.repeat(MIB / SECRET.len()).into_bytes()),
        fault("a gzip bomb", "BAD_PAYLOAD", move |_| Script::answer("200 OK", "content-encoding: gzip\r\n", &bomb)),
        fault("15 MiB of permissions", "BAD_PAYLOAD", |request| {
            let many = format!("{}\"\"],\"others\":[", "\"\",".repeat(5 * MIB));
            let place = "\"permissions\":{\"buyer\":[";
            ok(&request.body.to_string().replacen(place, &format!("{place}{many}"), 1))
        }),
    ]
}

/// What is odd and yet right, and costs nobody anything.
pub fn oddities() -> Vec<Fault> {
    let odd = |name, script: fn(&Request) -> Script| fault(name, "", script);
    vec![
        odd("unknown keys of 100,000 levels", |request| {
            let deep = "[".repeat(100_000) + &"]".repeat(100_000);
            ok(&request.body.to_string().replace("\"unknown_extra\":", &format!("\"deep\":{deep},\"unknown_extra\":")))
        }),
        odd("a byte a chunk", |request| {
            let body = request.body.to_string();
            let chunks: Vec<u8> = body.bytes().flat_map(|byte| [b'1', b'\r', b'\n', byte, b'\r', b'\n']).collect();
            let head = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
            Script::bytes([head.as_bytes(), &chunks, b"0\r\n\r\n"].concat())
        }),
        odd("a body that ends with its connection", |request| {
            Script::bytes(format!("HTTP/1.1 200 OK\r\n\r\n{}", request.body)).end(End::Close)
        }),
        odd("HTTP/1.0", |request| {
            let body = request.body.to_string();
            Script::bytes(format!("HTTP/1.0 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len())).end(End::Close)
        }),
        odd("a promise first", |request| {
            let Script { mut steps, end } = Script::truth(request);
            steps.splice(0..0, Script::bytes("HTTP/1.1 100 Continue\r\n\r\n").steps);
            Script { steps, end }
        }),
        odd("no type and many headers", |request| {
            let line = "x-many: words-of-sso-that-nobody-may-see\r\n";
            Script::answer("200 OK", &line.repeat(60), request.body.to_string())
        }),
        odd("an encoding that is none", |request| {
            Script::answer("200 OK", "content-encoding: identity\r\n", request.body.to_string())
        }),
    ]
}

/// Every one of them.
pub fn all() -> Vec<Fault> {
    [hanging(), broken(), statuses(), payloads(), floods()].concat()
}

fn ok(body: &str) -> Script {
    Script::answer("200 OK", "content-type: application/json\r\n", body)
}

/// What a good SSO would say, but for one thing.
fn altered(name: &'static str, alter: fn(&mut String)) -> Fault {
    fault(name, "BAD_PAYLOAD", move |request| {
        let mut body = request.body.to_string();
        alter(&mut body);
        ok(&body)
    })
}

/// A mebibyte that becomes a gibibyte: one block of zeros, flushed so that it can be repeated.
fn bomb() -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(&vec![0; MIB]).unwrap();
    encoder.flush().unwrap();
    let block = encoder.get_ref().clone();
    let (head, block) = block.split_at(10);
    [head, &block.repeat(1024)].concat()
}

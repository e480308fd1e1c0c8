//! Slow clients and graceful shutdown over real sockets: HTTP/1.1 here, HTTP/2 in `http2`.

mod http2;

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use crate::http1::MAX_HEAD_BYTES;
use crate::{ServerSettings, Shutdown, ShutdownSettings, Timeouts, listen, serve};

const LONG: Duration = Duration::from_secs(30);

/// The length of an answer that needs many frames.
const MEDIUM: usize = 300_000;

struct Running {
    address: SocketAddr,
    shutdown: Shutdown,
    server: JoinHandle<io::Result<()>>,
}

fn start(timeouts: Timeouts, delay_ms: u64, timeout_ms: u64) -> Running {
    let listener = listen("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = listener.local_addr().unwrap();
    let shutdown = Shutdown::new();
    let observed = shutdown.clone();
    let router = Router::new()
        .route("/", get(async || "hello"))
        .route("/ready", get(async move || if observed.is_started() { "stopping" } else { "ready" }))
        .route(
            "/slow",
            get(async || {
                sleep(Duration::from_millis(300)).await;
                "finished"
            }),
        )
        .route("/stuck", get(std::future::pending::<()>))
        .route("/refused", post(async || http::StatusCode::UNAUTHORIZED))
        .route("/length", post(async |body: Bytes| body.len().to_string()))
        .route("/medium", get(async || "x".repeat(MEDIUM)))
        .route("/big", get(async || "x".repeat(64 * 1024 * 1024)));
    let settings = ServerSettings {
        timeouts,
        max_connections: 100,
        max_request_body: 256 * 1024,
        max_response_memory_kib: 256 * 1024,
        response_memory_exceeded,
        shutdown: ShutdownSettings {
            delay: Duration::from_millis(delay_ms),
            timeout: Duration::from_millis(timeout_ms),
        },
    };
    let server = tokio::spawn(serve(listener, router, settings, shutdown.clone()));
    Running { address, shutdown, server }
}

fn response_memory_exceeded(_: &Response) -> Response {
    (http::StatusCode::SERVICE_UNAVAILABLE, [("retry-after", "1")], "{}").into_response()
}

impl Running {
    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    async fn begin(&self, path: &str) -> TcpStream {
        let mut stream = self.connect().await;
        send(&mut stream, path).await;
        stream
    }

    /// Waits until new connections are refused, which must come to pass.
    async fn refuses(&self) {
        timeout(LONG, async {
            while TcpStream::connect(self.address).await.is_ok() {
                sleep(Duration::from_millis(5)).await;
            }
        })
        .await
        .unwrap();
    }

    async fn ends(self) {
        timeout(LONG, self.server).await.unwrap().unwrap().unwrap();
    }
}

async fn send(stream: &mut TcpStream, path: &str) {
    stream.write_all(format!("GET {path} HTTP/1.1\r\nHost: test\r\n\r\n").as_bytes()).await.unwrap();
}

/// All that comes until the server closes the connection.
async fn until_closed(stream: &mut TcpStream) -> String {
    let mut text = Vec::new();
    // A reset is an end, too.
    let _ = timeout(LONG, stream.read_to_end(&mut text)).await.expect("the server must close the connection");
    String::from_utf8_lossy(&text).into_owned()
}

/// One answer on a connection that stays open, found by its last word.
async fn until(stream: &mut TcpStream, end: &str) -> String {
    let mut text = String::new();
    while !text.ends_with(end) {
        let mut buffer = [0; 1024];
        let length = timeout(LONG, stream.read(&mut buffer)).await.unwrap().unwrap();
        assert!(length > 0, "closed after {text:?}");
        text.push_str(std::str::from_utf8(&buffer[..length]).unwrap());
    }
    text
}

fn short_timeouts() -> Timeouts {
    let short = Duration::from_millis(100);
    Timeouts { protocol_detection: short, head: short, body: short, response: short, ..Timeouts::default() }
}

#[tokio::test]
async fn a_client_that_sends_its_head_slowly_is_closed() {
    let running = start(short_timeouts(), 0, 5_000);
    let mut stream = running.connect().await;
    stream.write_all(b"GET / HTTP/1.1\r\nHost:").await.unwrap();
    until_closed(&mut stream).await;
}

#[tokio::test]
async fn a_client_that_drips_its_body_is_closed_however_steadily_it_drips() {
    let running = start(short_timeouts(), 0, 5_000);
    let mut stream = running.connect().await;
    stream.write_all(b"POST /length HTTP/1.1\r\nHost: test\r\nContent-Length: 1000000\r\n\r\n").await.unwrap();
    let (mut from, mut to) = stream.split();
    let drip = async {
        while to.write_all(b"x").await.is_ok() {
            sleep(Duration::from_millis(10)).await;
        }
    };
    let mut answer = Vec::new();
    let closed = async {
        let _ = from.read_to_end(&mut answer).await;
    };
    timeout(LONG, async {
        tokio::select! {
            () = drip => {}
            () = closed => {}
        }
    })
    .await
    .expect("the server must close the connection");
}

#[tokio::test]
async fn a_body_that_comes_in_time_is_read_whole() {
    let running = start(Timeouts::default(), 0, 5_000);
    let mut stream = running.connect().await;
    stream.write_all(b"POST /length HTTP/1.1\r\nHost: test\r\nContent-Length: 6\r\n\r\nabc").await.unwrap();
    sleep(Duration::from_millis(50)).await;
    stream.write_all(b"def").await.unwrap();
    until(&mut stream, "\r\n\r\n6").await;
}

#[tokio::test]
async fn a_connection_that_stays_idle_is_closed_before_and_after_a_request() {
    let running = start(short_timeouts(), 0, 5_000);
    let mut silent = running.connect().await;
    assert_eq!(until_closed(&mut silent).await, "");
    let mut idle = running.begin("/").await;
    assert!(until_closed(&mut idle).await.ends_with("hello"));
}

#[tokio::test]
async fn a_client_that_does_not_read_its_answer_is_closed() {
    let running = start(short_timeouts(), 0, 5_000);
    let mut stream = running.begin("/big").await;
    // Long past the limit: what is read then is what the system's buffers held, and not the whole.
    sleep(Duration::from_secs(1)).await;
    assert!(until_closed(&mut stream).await.len() < 64 * 1024 * 1024);
    let mut other = running.begin("/").await;
    assert!(until(&mut other, "hello").await.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn answers_that_nobody_reads_hold_no_more_memory_than_is_meant_for_them() {
    let running = start(Timeouts::default(), 0, 5_000);
    // Each has 64 MiB, of the 256 that there are.
    let mut unread = Vec::new();
    for _ in 0..3 {
        let mut stream = running.begin("/big").await;
        stream.read_exact(&mut [0; 1024]).await.unwrap();
        unread.push(stream);
    }
    let mut stream = running.begin("/big").await;
    let refusal = until(&mut stream, "}").await;
    assert!(refusal.starts_with("HTTP/1.1 503") && refusal.contains("retry-after: 1"), "{refusal}");
    send(&mut stream, "/").await;
    assert!(until(&mut stream, "hello").await.starts_with("HTTP/1.1 200"), "small ones are sent");
    drop(unread);
    let served = async {
        let mut heard = [0; 12];
        while &heard[9..] != b"200" {
            running.begin("/big").await.read_exact(&mut heard).await.unwrap();
        }
    };
    timeout(LONG, served).await.unwrap();
}

#[tokio::test]
async fn a_slow_handler_does_not_run_into_client_timeouts() {
    let running = start(short_timeouts(), 0, 5_000);
    let mut stream = running.begin("/slow").await;
    until(&mut stream, "finished").await;
}

#[tokio::test]
async fn a_head_without_end_is_refused() {
    let running = start(Timeouts::default(), 0, 5_000);
    let mut stream = running.connect().await;
    let head = format!("GET / HTTP/1.1\r\nHost: test\r\nX-Big: {}\r\n\r\n", "x".repeat(MAX_HEAD_BYTES as usize));
    let _ = stream.write_all(head.as_bytes()).await;
    assert!(until_closed(&mut stream).await.starts_with("HTTP/1.1 431"));
}

#[tokio::test]
async fn readiness_turns_first_and_connections_are_refused_after_the_delay() {
    let running = start(Timeouts { last_request: LONG, ..Timeouts::default() }, 1_000, 60_000);
    running.shutdown.start();
    let mut stream = running.begin("/ready").await;
    until(&mut stream, "stopping").await;
    running.refuses().await;
    send(&mut stream, "/ready").await;
    assert!(until_closed(&mut stream).await.contains("connection: close"));
    running.ends().await;
}

#[tokio::test]
async fn what_is_in_flight_is_finished() {
    let running = start(Timeouts::default(), 0, 20_000);
    let mut stream = running.begin("/slow").await;
    // Until the request has reached its handler.
    sleep(Duration::from_millis(50)).await;
    running.shutdown.start();
    running.refuses().await;
    let answer = until_closed(&mut stream).await;
    assert!(answer.ends_with("finished") && answer.contains("connection: close"), "{answer}");
    running.ends().await;
}

#[tokio::test]
async fn a_request_that_was_on_its_way_over_an_idle_connection_is_answered() {
    let running = start(Timeouts { last_request: LONG, ..Timeouts::default() }, 0, 60_000);
    let mut stream = running.begin("/").await;
    until(&mut stream, "hello").await;
    running.shutdown.start();
    running.refuses().await;
    send(&mut stream, "/").await;
    assert!(until_closed(&mut stream).await.ends_with("hello"));
    running.ends().await;
}

#[tokio::test]
async fn an_idle_connection_does_not_hold_the_end_up() {
    let running = start(Timeouts { head: LONG * 10, ..Timeouts::default() }, 0, 600_000);
    let mut stream = running.begin("/").await;
    until(&mut stream, "hello").await;
    running.shutdown.start();
    running.ends().await;
}

#[tokio::test]
async fn a_stuck_request_does_not_hold_the_end_up_beyond_the_limit() {
    let running = start(Timeouts::default(), 0, 1_000);
    let mut stream = running.begin("/stuck").await;
    sleep(Duration::from_millis(50)).await;
    running.shutdown.start();
    running.ends().await;
    assert_eq!(until_closed(&mut stream).await, "");
}

#[tokio::test]
async fn a_second_request_to_stop_ends_at_once() {
    let running = start(Timeouts::default(), 300_000, 600_000);
    let _stuck = running.begin("/stuck").await;
    running.shutdown.start();
    sleep(Duration::from_millis(50)).await;
    running.shutdown.force();
    running.ends().await;
}

#[tokio::test]
async fn a_refusal_reaches_a_client_that_is_still_sending() {
    let running = start(Timeouts::default(), 0, 5_000);
    let mut stream = running.connect().await;
    let body = vec![b'x'; 8 * 1024 * 1024];
    stream.write_all(b"POST /length HTTP/1.1\r\nHost: test\r\nContent-Length: 8388608\r\n\r\n").await.unwrap();
    // A client of the simple kind: it reads once it has sent everything.
    stream.write_all(&body).await.unwrap();
    assert!(until_closed(&mut stream).await.starts_with("HTTP/1.1 413"));
}

#[tokio::test]
async fn a_refusal_of_a_body_that_nobody_read_leaves_the_connection_open() {
    let running = start(Timeouts { body_drain: LONG, ..Timeouts::default() }, 0, 5_000);
    let mut stream = running.connect().await;
    for _ in 0..20 {
        stream.write_all(b"POST /refused HTTP/1.1\r\nHost: test\r\nContent-Length: 6\r\n\r\n").await.unwrap();
        // In a packet of its own, after the head was looked at.
        sleep(Duration::from_millis(2)).await;
        stream.write_all(b"unread").await.unwrap();
        assert!(!until(&mut stream, "\r\n\r\n").await.contains("connection: close"));
    }
    send(&mut stream, "/").await;
    until(&mut stream, "hello").await;
}

#[tokio::test]
async fn a_refusal_tells_when_the_rest_of_the_body_is_not_waited_for() {
    let running = start(Timeouts::default(), 0, 5_000);
    for rest in ["600\r\n\r\n", "600\r\n\r\nbegun", "6000000\r\n\r\n", "6\r\nExpect: 100-continue\r\n\r\n"] {
        let mut stream = running.connect().await;
        let head = "POST /refused HTTP/1.1\r\nHost: test\r\nContent-Length: ";
        stream.write_all(format!("{head}{rest}").as_bytes()).await.unwrap();
        let answer = until_closed(&mut stream).await;
        assert!(answer.starts_with("HTTP/1.1 401") && answer.contains("connection: close"), "{answer}");
    }
}

#[tokio::test]
async fn a_client_that_does_not_close_its_own_end_is_closed() {
    let running = start(Timeouts { linger: Duration::from_millis(100), ..short_timeouts() }, 0, 600_000);
    let mut stream = running.begin("/").await;
    assert!(until_closed(&mut stream).await.ends_with("hello"));
    running.shutdown.start();
    // Its own end is open still.
    running.ends().await;
    drop(stream);
}

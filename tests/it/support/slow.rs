//! Clients that hold a connection without ever finishing, each in its own way, until the server closes it.

use std::net::SocketAddr;
use std::time::Duration;

use axum::body::Bytes;
use http::Request;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::{interval, sleep, timeout};

/// A way of being slow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Slow {
    /// Asks once, and then says nothing more.
    Idle,
    /// Sends a head, a byte now and then.
    HeadDripped,
    /// Sends a body, a byte now and then.
    BodyDripped,
    /// Asks for something big, again and again, and does not read it.
    AnswerUnread,
    /// The same, reading a byte now and then.
    AnswerSipped,
    /// Begins like HTTP/2, and does not go on.
    HalfPreface,
    /// Asks over HTTP/2 and reads nothing at all: not what it is asked in turn, either.
    Deaf,
    /// Asks over HTTP/2, and makes no room for the answers.
    StreamsUnread,
}

/// Its length, at least; and how often it takes to be more than the system takes off a server's hands.
const BIG: &str = "/docs/swagger-ui.js";
const BIG_LENGTH: usize = 1_500_000;
const TIMES: usize = 6;

/// Between two bytes of those that drip.
const DRIP: Duration = Duration::from_millis(500);

/// The longest that any may stay.
pub const LONGEST: Duration = Duration::from_secs(30);

/// When those that do not read see what became of their connections, which they cannot before.
const LOOK: Duration = Duration::from_secs(28);

const PREFACE_AND_SETTINGS: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";

/// Over HTTP/2 at once.
const STREAMS: usize = 3;

impl Slow {
    /// Whether it sees at once that its connection is closed, and not only when it reads what came before.
    pub fn sees_its_end(self) -> bool {
        !matches!(self, Self::AnswerUnread | Self::AnswerSipped | Self::Deaf)
    }

    /// Holds a connection until the server closes it.
    pub async fn hold(self, address: SocketAddr, key: &str) {
        let head = |method: &str, path: &str, more: &str| {
            format!("{method} {path} HTTP/1.1\r\nhost: test\r\nauthorization: Bearer {key}\r\n{more}").into_bytes()
        };
        match self {
            Self::Idle => drip(connect(address).await, &head("GET", "/livez", "\r\n"), b"").await,
            Self::HeadDripped => drip(connect(address).await, &head("GET", "/connections", "x-drip: "), b"x").await,
            Self::BodyDripped => {
                let more = "content-type: application/json\r\ncontent-length: 100000\r\n\r\n{\"connection_id\": \"";
                drip(connect(address).await, &head("POST", "/connections", more), b"5").await;
            }
            Self::AnswerUnread | Self::AnswerSipped => {
                let request = head("GET", BIG, "\r\n").repeat(TIMES);
                read_little(connect(address).await, &request, self == Self::AnswerSipped, BIG_LENGTH * TIMES).await;
            }
            Self::HalfPreface => drip(connect(address).await, &PREFACE_AND_SETTINGS[..8], b"").await,
            Self::Deaf => {
                let request = [PREFACE_AND_SETTINGS, DEAF_REQUEST].concat();
                read_little(connect(address).await, &request, false, BIG_LENGTH).await;
            }
            Self::StreamsUnread => make_no_room(address).await,
        }
    }
}

/// With little room for what is not read.
async fn connect(address: SocketAddr) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(8 * 1024).unwrap();
    socket.connect(address).await.unwrap()
}

/// Sends this, and then these bytes again and again, if any. Reads meanwhile, to the end.
async fn drip(mut stream: TcpStream, begin: &[u8], bytes: &[u8]) {
    stream.write_all(begin).await.unwrap();
    let (mut from, mut to) = stream.split();
    let mut next = interval(DRIP);
    let mut ignored = vec![0; 4_096];
    loop {
        tokio::select! {
            read = from.read(&mut ignored) => if !matches!(read, Ok(1..)) { return },
            _ = next.tick() => if to.write_all(bytes).await.is_err() { return },
        }
    }
}

/// Sends this, reads hardly anything for long, and then what there is: not the whole.
async fn read_little(mut stream: TcpStream, request: &[u8], sips: bool, whole: usize) {
    stream.write_all(request).await.unwrap();
    let mut come = Vec::new();
    let sip = async {
        while sips && (&mut stream).take(1).read_to_end(&mut come).await.is_ok() {
            sleep(DRIP).await;
        }
        std::future::pending::<()>().await;
    };
    assert!(timeout(LOOK, sip).await.is_err());
    // A reset is an end, too.
    let _ = timeout(LONGEST, stream.read_to_end(&mut come)).await.expect("the server must have closed it");
    assert!(come.len() < whole, "it was sent whole");
}

/// `GET /` by the static table of HPACK, on stream 1.
const DEAF_REQUEST: &[u8] = &[0, 0, 3, 1, 0b101, 0, 0, 0, 1, 0x82, 0x84, 0x86];

/// Waits until the server has taken back all answers.
async fn make_no_room(address: SocketAddr) {
    let mut builder = h2::client::Builder::new();
    builder.initial_window_size(100);
    let (requests, connection) = builder.handshake::<_, Bytes>(connect(address).await).await.unwrap();
    let connection = tokio::spawn(connection);
    let streams = (0..STREAMS).map(|_| {
        let mut requests = requests.clone();
        async move {
            let request = Request::get(format!("http://test{BIG}")).body(()).unwrap();
            let mut body = requests.send_request(request, true).unwrap().0.await.unwrap().into_body();
            let mut length = 0;
            while let Some(Ok(data)) = body.data().await {
                length += data.len();
            }
            assert!(length < BIG_LENGTH, "it was sent whole");
        }
    });
    futures_util::future::join_all(streams).await;
    connection.abort();
}

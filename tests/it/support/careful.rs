//! Clients that tell exactly what became of each request: HTTP/1.1 by hand over a connection that is kept, and HTTP/2.

use std::net::SocketAddr;
use std::time::Duration;

use axum::body::Bytes;
use h2::Reason;
use h2::client::SendRequest;
use http::Request;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::sleep;

/// What became of a request.
#[derive(Debug)]
pub enum Fate {
    /// It has a whole answer.
    Answered { status: u16, body: Vec<u8> },
    /// It was not sent: nobody takes connections.
    Refused,
    /// The server said that it has not looked at it, which HTTP/2 has words for.
    Unseen,
    /// It was sent, and the connection ended before an answer began.
    Unanswered,
    /// Its answer began, and has no end.
    Broken(String),
}

/// A request, in words for either protocol.
#[derive(Debug, Clone)]
pub struct Asked {
    pub method: &'static str,
    pub path: String,
    pub key: String,
    pub request_id: String,
    /// JSON.
    pub body: Option<String>,
}

impl Asked {
    fn authorization(&self) -> String {
        format!("Bearer {}", self.key)
    }

    /// As it is written for HTTP/1.1.
    pub fn bytes(&self) -> Vec<u8> {
        let Self { method, path, request_id, .. } = self;
        let body = self.body.as_deref().unwrap_or_default();
        let content = if self.body.is_some() {
            format!("content-type: application/json\r\ncontent-length: {}\r\n", body.len())
        } else {
            String::new()
        };
        format!(
            "{method} {path} HTTP/1.1\r\nhost: test\r\nauthorization: {}\r\nx-request-id: {request_id}\r\n{content}\r\n{body}",
            self.authorization()
        )
        .into_bytes()
    }
}

/// How a client of HTTP/1.1 goes about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    Brisk,
    /// A new connection for each request.
    Afresh,
    /// Sends in a few pieces, with pauses between them.
    SlowToSend,
    /// Reads a little at a time, with pauses between, and has room for little.
    SlowToRead,
}

/// A client of HTTP/1.1 that keeps its connection.
pub struct KeepAlive {
    address: SocketAddr,
    manner: Manner,
    stream: Option<TcpStream>,
}

/// The pauses of those that are slow.
const PAUSE: Duration = Duration::from_millis(3);

impl KeepAlive {
    pub fn new(address: SocketAddr, manner: Manner) -> Self {
        Self { address, manner, stream: None }
    }

    pub fn manner(&self) -> Manner {
        self.manner
    }

    pub async fn ask(&mut self, asked: &Asked) -> Fate {
        // As a careful client does, it looks whether the server has closed what it kept before it sends over it.
        let kept = self.stream.take().filter(|stream| self.manner != Manner::Afresh && is_open(stream));
        let mut stream = match kept {
            Some(stream) => stream,
            None => match connect(self.address, self.manner == Manner::SlowToRead).await {
                Ok(stream) => stream,
                Err(_) => return Fate::Refused,
            },
        };
        // Whatever prevents it from sending may have sent an answer before.
        let _ = self.send(&mut stream, &asked.bytes()).await;
        let (fate, is_kept) = self.read(&mut stream).await;
        self.stream = is_kept.then_some(stream);
        fate
    }

    async fn send(&self, stream: &mut TcpStream, bytes: &[u8]) -> std::io::Result<()> {
        if self.manner != Manner::SlowToSend {
            return stream.write_all(bytes).await;
        }
        for piece in bytes.chunks(bytes.len().div_ceil(8)) {
            stream.write_all(piece).await?;
            sleep(PAUSE).await;
        }
        Ok(())
    }

    /// An answer, and whether another may follow it.
    async fn read(&self, stream: &mut TcpStream) -> (Fate, bool) {
        let mut come = Vec::with_capacity(16 * 1024);
        let mut whole = None;
        while whole.is_none_or(|whole| come.len() < whole) {
            if self.manner == Manner::SlowToRead {
                sleep(PAUSE).await;
            }
            come.reserve(4_096);
            let at_once = if self.manner == Manner::SlowToRead { 4_096 } else { u64::MAX };
            match (&mut *stream).take(at_once).read_buf(&mut come).await {
                Ok(1..) => {}
                _ if come.is_empty() => return (Fate::Unanswered, false),
                end => return (Fate::Broken(format!("{end:?} after {}", String::from_utf8_lossy(&come))), false),
            }
            whole = whole.or_else(|| head_length(&come).map(|head| head + content_length(&come[..head])));
        }
        let head = String::from_utf8(come[..head_length(&come).unwrap()].to_vec()).unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        let body = come.split_off(head.len());
        (Fate::Answered { status, body }, !head.contains("connection: close"))
    }
}

/// With a small buffer for what it has not read, if that is wanted.
async fn connect(address: SocketAddr, has_little_room: bool) -> std::io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    if has_little_room {
        socket.set_recv_buffer_size(8 * 1024)?;
    }
    socket.connect(address).await
}

fn is_open(stream: &TcpStream) -> bool {
    let nothing_yet = stream.try_read(&mut [0]);
    nothing_yet.is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock)
}

fn head_length(come: &[u8]) -> Option<usize> {
    come.windows(4).position(|window| window == b"\r\n\r\n").map(|position| position + 4)
}

/// Every answer to these requests tells it.
fn content_length(head: &[u8]) -> usize {
    let head = String::from_utf8_lossy(head);
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    length.unwrap_or_else(|| panic!("{head}")).parse().unwrap()
}

/// A client of HTTP/2. Clones share its connection.
#[derive(Clone)]
pub struct Multiplexed {
    address: SocketAddr,
    requests: Option<SendRequest<Bytes>>,
}

impl Multiplexed {
    pub async fn connect(address: SocketAddr) -> Self {
        Self { address, requests: open(address).await }
    }

    pub async fn ask(&mut self, asked: &Asked) -> Fate {
        let ready = match self.requests.take() {
            Some(requests) => requests.ready().await.ok(),
            None => None,
        };
        let ready = match ready {
            Some(requests) => Some(requests),
            // The server has said that it takes no more, or is gone.
            None => open(self.address).await,
        };
        let Some(mut requests) = ready else { return Fate::Refused };
        let fate = exchange(&mut requests, asked).await;
        self.requests = Some(requests);
        fate
    }
}

async fn open(address: SocketAddr) -> Option<SendRequest<Bytes>> {
    let stream = TcpStream::connect(address).await.ok()?;
    let (requests, connection) = h2::client::handshake(stream).await.ok()?;
    tokio::spawn(connection);
    Some(requests)
}

async fn exchange(requests: &mut SendRequest<Bytes>, asked: &Asked) -> Fate {
    let request = Request::builder().method(asked.method).uri(format!("http://test{}", asked.path));
    let request = request.header("authorization", asked.authorization()).header("x-request-id", &asked.request_id);
    let request = request.header("content-type", "application/json").body(()).unwrap();
    // It is not sent if the connection has ended in this moment.
    let Ok((answer, mut body)) = requests.send_request(request, asked.body.is_none()) else { return Fate::Unseen };
    if let Some(json) = &asked.body {
        // Of an answer that comes before the whole request the client hears below.
        let _ = body.send_data(Bytes::from(json.clone()), true);
    }
    let answer = match answer.await {
        Ok(answer) => answer,
        Err(error) if error.is_go_away() && error.reason() == Some(Reason::NO_ERROR) => return Fate::Unseen,
        Err(error) if error.reason() == Some(Reason::REFUSED_STREAM) => return Fate::Unseen,
        Err(error) if error.is_io() => return Fate::Unanswered,
        Err(error) => return Fate::Broken(error.to_string()),
    };
    let (status, mut stream) = (answer.status().as_u16(), answer.into_body());
    let mut body = Vec::new();
    while let Some(data) = stream.data().await {
        match data {
            Ok(data) => {
                body.extend_from_slice(&data);
                let _ = stream.flow_control().release_capacity(data.len());
            }
            Err(error) => return Fate::Broken(format!("{status}: {error} after {} bytes", body.len())),
        }
    }
    Fate::Answered { status, body }
}

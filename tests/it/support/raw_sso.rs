//! SSO over the bare socket, with no HTTP library to keep it honest: it tells the truth, or plays a script byte by byte.

use std::io;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use url::Url;

/// Small, so that small worlds have several pages.
const PAGE_SIZE: usize = 2;

/// How a client begins that wants TLS. It is answered like any other, in the clear.
const TLS_HANDSHAKE: u8 = 0x16;

/// What an answer's bytes are, and how they come.
#[derive(Debug, Clone)]
pub struct Script {
    pub steps: Vec<Step>,
    pub end: End,
}

#[derive(Debug, Clone)]
pub enum Step {
    Send(Vec<u8>),
    /// The same bytes again and again, as fast as the other side takes them, or with a pause after each time.
    Repeat {
        bytes: Vec<u8>,
        times: u64,
        pause: Option<Duration>,
    },
}

/// What becomes of the connection.
#[derive(Debug, Clone, Copy)]
pub enum End {
    /// It waits for the next request.
    KeepAlive,
    Close,
    /// With a RST in place of a FIN.
    Reset,
    /// No more bytes will come, and yet it stays until the other side goes.
    HalfClose,
    /// Nothing more happens until the other side goes.
    Hang,
}

/// A request, and what a good SSO would answer.
#[derive(Debug, Clone)]
pub struct Request {
    pub cursor: Option<String>,
    /// For a connection alone, not for a list.
    pub is_single: bool,
    pub status: u16,
    pub body: Value,
}

/// How a request is answered.
pub type Answer = Arc<dyn Fn(&Request) -> Script + Send + Sync>;

/// A running SSO. Ends with its test.
pub struct RawSso {
    pub url: String,
    state: Arc<State>,
    server: JoinHandle<()>,
}

struct State {
    listed: Vec<Value>,
    answer: Mutex<Answer>,
    calls: Mutex<Vec<Instant>>,
}

impl RawSso {
    /// One that knows these connections and tells the truth.
    pub async fn start(listed: Vec<Value>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let state =
            Arc::new(State { listed, answer: Mutex::new(Arc::new(Script::truth)), calls: Mutex::new(Vec::new()) });
        let serving = Arc::clone(&state);
        let server = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let state = Arc::clone(&serving);
                tokio::spawn(async move { state.serve(stream).await });
            }
        });
        Self { url, state, server }
    }

    pub fn tell_the_truth(&self) {
        self.play(Arc::new(Script::truth));
    }

    /// Answers so from now on; what is being played is played to its end.
    pub fn play(&self, answer: Answer) {
        *self.state.answer.lock().unwrap() = answer;
    }

    /// How many requests have come.
    pub fn calls(&self) -> usize {
        self.state.calls.lock().unwrap().len()
    }

    /// When each request came.
    pub fn call_times(&self) -> Vec<Instant> {
        self.state.calls.lock().unwrap().clone()
    }
}

impl Drop for RawSso {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl State {
    /// One connection, to its end. Whatever goes wrong on it is the client's business.
    async fn serve(&self, mut stream: TcpStream) -> Option<()> {
        loop {
            let target = read_target(&mut stream).await?;
            self.calls.lock().unwrap().push(Instant::now());
            let request = self.understand(&target);
            let answer = Arc::clone(&*self.answer.lock().unwrap());
            let Script { steps, end } = answer(&request);
            play(&mut stream, steps).await.ok()?;
            match end {
                End::KeepAlive => continue,
                End::Close => {}
                End::Reset => stream.set_zero_linger().ok()?,
                End::HalfClose => {
                    stream.shutdown().await.ok()?;
                    wait_until_gone(&mut stream).await;
                }
                End::Hang => wait_until_gone(&mut stream).await,
            }
            return Some(());
        }
    }

    fn understand(&self, target: &str) -> Request {
        let url = Url::parse("http://sso/").unwrap().join(target).unwrap();
        let parameter =
            |name: &str| url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned());
        if let Some(id) = url.path().strip_prefix("/network_connections/") {
            let found = self.listed.iter().find(|one| one["id"] == json!(id));
            let (status, body) = found.map_or((404, json!({})), |one| (200, one.clone()));
            return Request { cursor: None, is_single: true, status, body };
        }
        let accounts = parameter("account_ids").unwrap_or_default();
        let takes_part = |one: &&Value| {
            ["buyer", "seller"].iter().any(|side| accounts.split(',').any(|account| one[side]["id"] == json!(account)))
        };
        let all: Vec<&Value> = self.listed.iter().filter(takes_part).collect();
        let cursor = parameter("cursor");
        let start: usize = cursor.as_deref().and_then(|cursor| cursor.parse().ok()).unwrap_or(0);
        let end = all.len().min(start + PAGE_SIZE);
        let next = (end < all.len()).then(|| end.to_string());
        let body = json!({"network_connections": all.get(start..end).unwrap_or_default(), "next_cursor": next});
        Request { cursor, is_single: false, status: 200, body }
    }
}

impl Script {
    /// Sends these bytes, and then nothing more until the next request.
    pub fn bytes(bytes: impl Into<Vec<u8>>) -> Self {
        Self { steps: vec![Step::Send(bytes.into())], end: End::KeepAlive }
    }

    /// A status and a body of a declared length, with more lines of the head, each ended by CR LF.
    pub fn answer(status: &str, head: &str, body: impl AsRef<[u8]>) -> Self {
        let body = body.as_ref();
        let head = format!("HTTP/1.1 {status}\r\n{head}content-length: {}\r\n\r\n", body.len());
        Self::bytes([head.as_bytes(), body].concat())
    }

    /// What a good SSO answers.
    pub fn truth(request: &Request) -> Self {
        let status = if request.status == 200 { "200 OK" } else { "404 Not Found" };
        Self::answer(status, "content-type: application/json\r\netag: \"1\"\r\n", request.body.to_string())
    }

    /// Then these bytes so many times, as fast as they are taken.
    pub fn then_flood(self, bytes: impl Into<Vec<u8>>, times: u64) -> Self {
        self.then(Step::Repeat { bytes: bytes.into(), times, pause: None })
    }

    /// Then these bytes now and then, for ever.
    pub fn then_drip(self, bytes: impl Into<Vec<u8>>) -> Self {
        self.then(Step::Repeat { bytes: bytes.into(), times: u64::MAX, pause: Some(Duration::from_millis(20)) })
    }

    pub fn end(self, end: End) -> Self {
        Self { end, ..self }
    }

    fn then(mut self, step: Step) -> Self {
        self.steps.push(step);
        self
    }
}

async fn play(stream: &mut TcpStream, steps: Vec<Step>) -> io::Result<()> {
    for step in steps {
        match step {
            Step::Send(bytes) => stream.write_all(&bytes).await?,
            Step::Repeat { bytes, times, pause } => {
                for _ in 0..times {
                    stream.write_all(&bytes).await?;
                    if let Some(pause) = pause {
                        tokio::time::sleep(pause).await;
                    }
                }
            }
        }
    }
    stream.flush().await
}

/// The target of the next request on a connection, once its head is there; `None` when the other side goes.
async fn read_target(stream: &mut TcpStream) -> Option<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0; 1024];
        match stream.read(&mut byte).await {
            Ok(0) | Err(_) => return None,
            Ok(count) => head.extend_from_slice(&byte[..count]),
        }
        if head.first() == Some(&TLS_HANDSHAKE) {
            return Some("/".to_owned());
        }
    }
    let head = String::from_utf8(head).ok()?;
    Some(head.split(' ').nth(1)?.to_owned())
}

async fn wait_until_gone(stream: &mut TcpStream) {
    let mut ignored = [0; 1024];
    while matches!(stream.read(&mut ignored).await, Ok(count) if count > 0) {}
}

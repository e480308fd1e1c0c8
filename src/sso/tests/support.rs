//! Connections to serve, and servers that serve them.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tracing::subscriber::DefaultGuard;
use wiremock::{MockServer, ResponseTemplate};

use crate::clock::Clock;
use crate::domain::id::{ObjectId, SsoConnectionId, SsoId};
use crate::domain::sso_view::{SourceFailure, SsoView};
use crate::domain::timestamp::Timestamp;
use crate::sso::simulator::Simulator;
use crate::sso::wire::{NetworkConnection, Party, Permissions};
use crate::sso::{Sso, SsoSettings};

pub(super) const TOKEN: &str = "a-token-that-no-log-may-show";
pub(super) const REQUEST: &str = "request-1";

/// Long enough that no test reaches it unless SSO hangs.
pub(super) const AMPLE: Duration = Duration::from_secs(20);

pub(super) fn account(number: u32) -> SsoId {
    ObjectId::from_parts(number, [0xac; 5], 0).into()
}

pub(super) fn connection_id(number: u32) -> SsoConnectionId {
    ObjectId::from_parts(number, [0xcc; 5], 0).into()
}

/// Connection `number`, in which account `buyer` buys from account `seller`.
pub(super) fn network_connection(number: u32, buyer: u32, seller: u32) -> NetworkConnection {
    let party = |number| Party { id: account(number), name: format!("Account {number}").into() };
    NetworkConnection {
        id: connection_id(number),
        invitation_id: None,
        buyer: party(buyer),
        seller: party(seller),
        permissions: Permissions { buyer: vec!["buy".into()], seller: vec!["sell".into(), "ship".into()] },
        created_by: None,
        created_at: Timestamp::from_millis(1_000 * i64::from(number)),
        updated_at: Timestamp::from_millis(2_000 * i64::from(number)),
    }
}

/// A page's body.
pub(super) fn page(connections: &[NetworkConnection], next_cursor: Option<&str>) -> serde_json::Value {
    serde_json::json!({"network_connections": connections, "next_cursor": next_cursor})
}

/// A page's answer.
pub(super) fn answer(connections: &[NetworkConnection], next_cursor: Option<&str>, etag: &str) -> ResponseTemplate {
    ResponseTemplate::new(200).insert_header("etag", etag).set_body_json(page(connections, next_cursor))
}

pub(super) fn settings(url: &str) -> SsoSettings {
    SsoSettings {
        url: url.parse().unwrap(),
        token: TOKEN.to_owned().into(),
        budget: AMPLE,
        max_age: Duration::from_mins(1),
        circuit: None,
    }
}

pub(super) fn sso(url: &str) -> Sso {
    Sso::new(settings(url), Clock::default()).unwrap()
}

/// A client of this server that keeps nothing.
pub(super) fn forgetful(server: &MockServer) -> Sso {
    Sso::new(SsoSettings { max_age: Duration::ZERO, ..settings(&server.uri()) }, Clock::default()).unwrap()
}

/// The simulator, served, and its URL.
pub(super) async fn serve(simulator: &Simulator) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    simulator.spawn(listener);
    format!("http://{address}")
}

/// Serves each connection with the function, over the bare socket, once its request came.
pub(super) async fn serve_raw<F: Future<Output = ()> + Send>(
    answer: impl Fn(TcpStream) -> F + Send + Sync + 'static,
) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address: SocketAddr = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = [0; 4096];
            let _ = stream.read(&mut request).await;
            answer(stream).await;
        }
    });
    format!("http://{address}")
}

/// Serves these bytes to each connection and closes it.
pub(super) async fn serve_bytes(bytes: &'static [u8]) -> String {
    serve_raw(move |mut stream| async move {
        let _ = stream.write_all(bytes).await;
    })
    .await
}

/// Captures this thread's log as text.
pub(super) struct Log {
    written: Written,
    // With a single dispatcher alive, tracing asks only the thread that comes first to a call site whether it is of
    // interest, and that may be another test's. With two it asks them all.
    _bystander: tracing::Dispatch,
    _guard: DefaultGuard,
}

#[derive(Clone, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Written {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Log {
    pub(super) fn start() -> Self {
        let bystander = tracing::Dispatch::new(tracing::subscriber::NoSubscriber::new());
        let written = Written::default();
        let writer = written.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(tracing::Level::TRACE)
            .with_ansi(false)
            .with_writer(move || writer.clone())
            .finish();
        Self { written, _bystander: bystander, _guard: tracing::subscriber::set_default(subscriber) }
    }

    pub(super) fn end(self) -> String {
        String::from_utf8(self.written.0.lock().unwrap().clone()).unwrap()
    }
}

/// The ids that a view tells, in its order.
pub(super) fn ids(view: &SsoView) -> Vec<SsoConnectionId> {
    view.snapshot().expect("SSO answered").connections().iter().map(|connection| connection.id).collect()
}

/// How asking this server for account 1's list fails.
pub(super) async fn list_failure(url: &str) -> Option<SourceFailure> {
    sso(url).view(account(1), REQUEST).await.failure()
}

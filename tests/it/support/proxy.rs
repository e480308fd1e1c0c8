//! A TCP proxy in front of a database: it can stop forwarding without closing, reset its connections, and hold back what a
//! client says at a chosen word.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// Ends with its test.
pub struct Proxy {
    port: u16,
    state: Arc<watch::Sender<State>>,
    task: tokio::task::JoinHandle<()>,
}

#[derive(Debug, Clone, Default)]
struct State {
    /// Nothing is forwarded, and nothing closed.
    is_silent: bool,
    /// Connections with a lower number are never forwarded again: what was in the way has forgotten them.
    forgotten_below: u64,
    /// Connections with a lower number are reset.
    reset_below: u64,
    /// The number of the next connection.
    next: u64,
    /// What clients say is held back from this on.
    hold_at: Option<&'static [u8]>,
    /// How often that was heard, and how many of those may go on.
    held: u64,
    let_go: u64,
}

impl State {
    fn forwards(&self, number: u64) -> bool {
        !self.is_silent && number >= self.forgotten_below
    }
}

impl Proxy {
    pub async fn before(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let own_port = listener.local_addr().unwrap().port();
        let state = Arc::new(watch::Sender::new(State::default()));
        let task = tokio::spawn(accept(listener, port, Arc::clone(&state)));
        Self { port: own_port, state, task }
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// From now on nothing comes through, and nobody is told.
    pub fn fall_silent(&self) {
        self.state.send_modify(|state| state.is_silent = true);
    }

    /// What was held back comes through after all.
    pub fn resume(&self) {
        self.state.send_modify(|state| state.is_silent = false);
    }

    /// New connections come through; those that are open stay silent for ever, as behind a firewall that has forgotten them.
    pub fn resume_without_the_old(&self) {
        self.state.send_modify(|state| {
            state.is_silent = false;
            state.forgotten_below = state.next;
        });
    }

    /// Resets all connections that are open.
    pub fn reset(&self) {
        self.state.send_modify(|state| state.reset_below = state.next);
    }

    /// Holds clients back that say this word, until [`Self::let_go`].
    pub fn hold_at(&self, word: &'static str) {
        self.state.send_modify(|state| state.hold_at = Some(word.as_bytes()));
    }

    /// Waits until so many clients in all were held back.
    pub async fn held(&self, times: u64) {
        let mut heard = self.state.subscribe();
        let held = heard.wait_for(|state| state.held >= times);
        tokio::time::timeout(Duration::from_secs(20), held).await.expect("nobody says that word").unwrap();
    }

    pub fn let_go(&self) {
        self.state.send_modify(|state| {
            state.hold_at = None;
            state.let_go = state.held;
        });
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn accept(listener: TcpListener, port: u16, state: Arc<watch::Sender<State>>) {
    let mut connections = tokio::task::JoinSet::new();
    loop {
        let (client, _) = listener.accept().await.unwrap();
        let mut number = 0;
        state.send_modify(|state| {
            number = state.next;
            state.next += 1;
        });
        connections.spawn(forward(client, port, number, Arc::clone(&state)));
        while connections.try_join_next().is_some() {}
    }
}

async fn forward(mut client: TcpStream, port: u16, number: u64, state: Arc<watch::Sender<State>>) {
    let mut heard = state.subscribe();
    let is_reset = tokio::select! {
        () = pump_both(&mut client, port, number, &state) => false,
        _ = heard.wait_for(|state| number < state.reset_below) => true,
    };
    if is_reset {
        client.set_zero_linger().unwrap();
    }
}

async fn pump_both(client: &mut TcpStream, port: u16, number: u64, state: &watch::Sender<State>) {
    let _ = state.subscribe().wait_for(|state| state.forwards(number)).await;
    let Ok(mut server) = TcpStream::connect(("127.0.0.1", port)).await else { return };
    let (client_reads, client_writes) = client.split();
    let (server_reads, server_writes) = server.split();
    tokio::select! {
        () = pump(client_reads, server_writes, number, state, true) => {}
        () = pump(server_reads, client_writes, number, state, false) => {}
    }
}

async fn pump(
    mut from: ReadHalf<'_>,
    mut to: WriteHalf<'_>,
    number: u64,
    state: &watch::Sender<State>,
    is_client: bool,
) {
    let mut heard = state.subscribe();
    let mut buffer = vec![0; 16 * 1024];
    while let Ok(length @ 1..) = from.read(&mut buffer).await {
        let said = &buffer[..length];
        let word = heard.borrow().hold_at;
        if word.is_some_and(|word| is_client && said.windows(word.len()).any(|part| part == word)) {
            let mut turn = 0;
            state.send_modify(|state| {
                state.held += 1;
                turn = state.held;
            });
            let _ = heard.wait_for(|state| state.let_go >= turn).await;
        }
        let _ = heard.wait_for(|state| state.forwards(number)).await;
        if to.write_all(said).await.is_err() {
            break;
        }
    }
}

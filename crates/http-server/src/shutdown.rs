//! Whether the process shuts down: started by signals, by tests and by the demo, observed by servers and health checks.

use std::io;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;
use tokio::time::Instant;

/// How long a server may take to shut down.
#[derive(Debug, Clone, Copy)]
pub struct ShutdownSettings {
    /// How long the server still accepts connections, while health checks report that it shuts down.
    pub delay: Duration,
    /// The limit of the whole shutdown, the delay included.
    pub timeout: Duration,
}

impl ShutdownSettings {
    /// How long requests in flight may take after the shutdown started: the timeout, less a little for the rest of the
    /// program.
    #[must_use]
    pub fn drain_time(self) -> Duration {
        self.timeout.saturating_sub((self.timeout / 10).min(Duration::from_millis(500)))
    }
}

/// When an open connection closes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum ShutdownPhase {
    /// It stays open.
    Serving,
    /// After its next response.
    AfterNextResponse,
    /// At once when it is idle, else after its response.
    Now,
}

impl ShutdownPhase {
    /// Waits until this phase. The sender outlives the connections.
    pub(crate) async fn reached(self, phase: &mut watch::Receiver<Self>) {
        let _ = phase.wait_for(|phase| *phase >= self).await;
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum State {
    Running,
    Started,
    Forced,
}

/// Starts the shutdown, and observes it. Clones share state.
#[derive(Debug, Clone)]
pub struct Shutdown {
    state: watch::Sender<State>,
    started_at: Arc<OnceLock<Instant>>,
}

impl Shutdown {
    /// Not started.
    #[must_use]
    pub fn new() -> Self {
        Self { state: watch::Sender::new(State::Running), started_at: Arc::default() }
    }

    /// Starts a graceful shutdown: requests in flight are finished.
    pub fn start(&self) {
        self.advance(State::Started);
    }

    /// Forces the shutdown: requests in flight are aborted.
    pub fn force(&self) {
        self.advance(State::Forced);
    }

    /// Whether the shutdown has started.
    #[must_use]
    pub fn is_started(&self) -> bool {
        *self.state.borrow() >= State::Started
    }

    /// When the shutdown started, if it has.
    #[must_use]
    pub fn started_at(&self) -> Option<Instant> {
        self.started_at.get().copied()
    }

    /// Whether the shutdown is forced.
    #[must_use]
    pub fn is_forced(&self) -> bool {
        *self.state.borrow() >= State::Forced
    }

    /// Waits for the start, and returns its time.
    pub async fn started(&self) -> Instant {
        self.reached(State::Started).await;
        *self.started_at.get_or_init(Instant::now)
    }

    /// Waits until the shutdown is forced.
    pub async fn forced(&self) {
        self.reached(State::Forced).await;
    }

    /// Handles SIGTERM and SIGINT: the first signal starts the shutdown, the second forces it.
    ///
    /// # Errors
    /// The system does not allow signal handlers.
    pub fn on_signals(&self) -> io::Result<()> {
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let shutdown = self.clone();
        tokio::spawn(async move {
            either(&mut terminate, &mut interrupt).await;
            tracing::info!("graceful shutdown started; a second signal aborts requests in flight");
            shutdown.start();
            either(&mut terminate, &mut interrupt).await;
            shutdown.force();
        });
        Ok(())
    }

    fn advance(&self, state: State) {
        // Before any observer wakes up.
        self.started_at.get_or_init(Instant::now);
        self.state.send_if_modified(|current| {
            let is_further = state > *current;
            *current = state.max(*current);
            is_further
        });
    }

    async fn reached(&self, state: State) {
        // `self` holds the sender, so that waiting cannot fail.
        let _ = self.state.subscribe().wait_for(|current| *current >= state).await;
    }
}

impl Default for Shutdown {
    fn default() -> Self {
        Self::new()
    }
}

async fn either(first: &mut Signal, second: &mut Signal) {
    tokio::select! {
        _ = first.recv() => {}
        _ = second.recv() => {}
    }
}

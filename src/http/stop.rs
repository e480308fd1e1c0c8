//! The one word on whether the process goes on: told by signals, by tests and by the demo, heard by servers and `/readyz`.

use std::io;
use std::sync::{Arc, OnceLock};

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;
use tokio::time::Instant;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Phase {
    Serving,
    Stopping,
    AtOnce,
}

/// Tells to stop, and hears of it. Clones are one.
#[derive(Debug, Clone)]
pub struct Stop {
    phase: watch::Sender<Phase>,
    began: Arc<OnceLock<Instant>>,
}

impl Stop {
    /// Nobody has asked to stop yet.
    #[must_use]
    pub fn new() -> Self {
        Self { phase: watch::Sender::new(Phase::Serving), began: Arc::default() }
    }

    /// Asks to finish what is in flight, and end.
    pub fn begin(&self) {
        self.reach(Phase::Stopping);
    }

    /// Asks to end without finishing anything.
    pub fn at_once(&self) {
        self.reach(Phase::AtOnce);
    }

    /// Whether anybody asked to stop.
    #[must_use]
    pub fn has_begun(&self) -> bool {
        *self.phase.borrow() >= Phase::Stopping
    }

    /// Since when, if anybody asked to stop.
    #[must_use]
    pub fn began_at(&self) -> Option<Instant> {
        self.began.get().copied()
    }

    /// Whether anybody asked to end without finishing.
    #[must_use]
    pub fn is_at_once(&self) -> bool {
        *self.phase.borrow() >= Phase::AtOnce
    }

    /// Waits until somebody asks to stop, and tells when that was.
    pub async fn begun(&self) -> Instant {
        self.reached(Phase::Stopping).await;
        *self.began.get_or_init(Instant::now)
    }

    /// Waits until somebody asks to end without finishing.
    pub async fn asked_at_once(&self) {
        self.reached(Phase::AtOnce).await;
    }

    /// Takes SIGTERM and SIGINT over. The first of them that comes begins the stop; the second ends at once.
    ///
    /// # Errors
    /// The system does not let signals be heard.
    pub fn on_signals(&self) -> io::Result<()> {
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let stop = self.clone();
        tokio::spawn(async move {
            either(&mut terminate, &mut interrupt).await;
            tracing::info!("stopping: what is in flight is finished; a second signal ends at once");
            stop.begin();
            either(&mut terminate, &mut interrupt).await;
            stop.at_once();
        });
        Ok(())
    }

    fn reach(&self, phase: Phase) {
        // Before anybody hears of it.
        self.began.get_or_init(Instant::now);
        self.phase.send_if_modified(|current| {
            let is_further = phase > *current;
            *current = phase.max(*current);
            is_further
        });
    }

    async fn reached(&self, phase: Phase) {
        // The sender is held by `self`, so that waiting cannot fail.
        let _ = self.phase.subscribe().wait_for(|current| *current >= phase).await;
    }
}

impl Default for Stop {
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

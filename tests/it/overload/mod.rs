//! More than the server can do: what is refused, how soon, in which words, and that nobody else suffers.

mod capacity;
mod connections;
mod slow_bodies;
mod three_times;

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Longer than the server waits for any client.
const LONG: Duration = Duration::from_mins(1);

/// A connection on which a test says exactly what it likes.
struct Raw(TcpStream);

impl Raw {
    async fn connect(url: &str) -> Self {
        Self(TcpStream::connect(url.trim_start_matches("http://")).await.unwrap())
    }

    async fn send(&mut self, text: &str) {
        self.0.write_all(text.as_bytes()).await.unwrap();
    }

    /// All that comes until the other end closes.
    async fn until_closed(&mut self) -> String {
        let mut text = Vec::new();
        // A reset is an end, too.
        let end = timeout(LONG, self.0.read_to_end(&mut text)).await;
        let _ = end.expect("the server must close the connection");
        String::from_utf8(text).unwrap()
    }
}

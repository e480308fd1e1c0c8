//! A client of our own server that keeps no rules: bytes go out as they are, and what comes back is all there is until the
//! server closes.

use std::time::Duration;

use futures_util::future::join;
use http_server::Timeouts;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::app::Answer;

/// Far beyond any limit of a server with [`short_timeouts`], also on a busy machine.
const LONG: Duration = Duration::from_secs(30);

/// With which a server is soon done with whoever keeps it waiting.
pub fn short_timeouts() -> Timeouts {
    let short = Duration::from_millis(400);
    Timeouts {
        protocol_detection: short,
        head: short,
        body: short,
        response: short,
        linger: short,
        ..Timeouts::default()
    }
}

/// Sends these bytes over a connection of their own, and gives what comes back until the server closes it, which it must.
pub async fn tell(url: &str, bytes: impl AsRef<[u8]>) -> Vec<u8> {
    let stream = TcpStream::connect(url.trim_start_matches("http://")).await.unwrap();
    let (mut from, mut to) = stream.into_split();
    // The server may have heard enough before everything is said, and resets what goes on.
    let telling = async { drop(to.write_all(bytes.as_ref()).await) };
    let mut heard = Vec::new();
    let hearing = async { drop(from.read_to_end(&mut heard).await) };
    timeout(LONG, join(telling, hearing)).await.expect("the server must close the connection");
    heard
}

/// The same as text.
pub async fn tell_in_text(url: &str, bytes: impl AsRef<[u8]>) -> String {
    String::from_utf8(tell(url, bytes).await).unwrap()
}

/// The statuses of the HTTP/1.1 answers in a text.
pub fn statuses(heard: &str) -> Vec<u16> {
    heard.split("HTTP/1.1 ").skip(1).map(|answer| answer[..3].parse().unwrap()).collect()
}

/// The one answer that a text is.
pub fn one_answer(text: &str) -> Answer {
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let headers = head.lines().skip(1).map(|line| line.split_once(": ").unwrap());
    Answer {
        status: statuses(text)[0],
        headers: headers.map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect(),
        body: serde_json::from_str(body).unwrap_or_default(),
    }
}

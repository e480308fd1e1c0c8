//! How long a client may take for each part of an exchange.

use std::time::Duration;

/// Timeouts of one connection.
#[derive(Debug, Clone, Copy)]
pub struct Timeouts {
    /// For the first bytes of a connection, which identify its protocol.
    pub protocol_detection: Duration,
    /// For a request head, from the moment the server waits for one; it closes idle connections too.
    pub head: Duration,
    /// For the whole request body.
    pub body: Duration,
    /// For the remainder of a request body that the handler did not read, so that the connection can be kept. It may
    /// run 40 ms longer: both systems delay their acknowledgements.
    pub body_drain: Duration,
    /// For reading a response that exceeds the socket buffer or the HTTP/2 window.
    pub response: Duration,
    /// For one more request on an open HTTP/1.1 connection after the listener has closed. The request may be on its
    /// way, and closing at once would break it; its response carries `Connection: close`.
    pub last_request: Duration,
    /// For the client to close its side after the server has closed its own.
    pub linger: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            protocol_detection: Duration::from_secs(10),
            head: Duration::from_secs(20),
            body: Duration::from_secs(20),
            body_drain: Duration::from_millis(100),
            response: Duration::from_secs(25),
            last_request: Duration::from_millis(500),
            linger: Duration::from_secs(2),
        }
    }
}

impl Timeouts {
    /// For connections beyond the limit, which are accepted for one response.
    pub(crate) const OVERFLOW: Self = {
        let short = Duration::from_secs(1);
        Self {
            protocol_detection: short,
            head: short,
            body: short,
            body_drain: short,
            response: short,
            last_request: short,
            linger: short,
        }
    };
}

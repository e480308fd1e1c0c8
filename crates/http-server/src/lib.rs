#![doc = include_str!("../README.md")]

mod connection;
mod connection_limit;
mod deadline_body;
mod http1;
mod http2;
mod request_framing;
mod requests;
mod response_memory;
mod server;
mod shutdown;
mod streams;
#[cfg(test)]
mod tests;
mod timeouts;
mod write_timeout_stream;

pub use connection_limit::{ConnectionLimitExceeded, raise_open_file_limit};
pub use request_framing::FramingCheck;
pub use requests::Peer;
pub use response_memory::{DEFAULT_RESPONSE_MEMORY_KIB, ResponseMemory, StaticBody};
pub use server::{ServerSettings, listen, serve};
pub use shutdown::{Shutdown, ShutdownSettings};
pub use timeouts::Timeouts;

//! What the client, the kept views and the simulator do over real sockets.

#[path = "../../../tests/it/support/authority.rs"]
mod authority;
mod batch;
mod circuit;
mod client;
mod faults;
mod moves;
mod retries;
mod simulator;
mod support;
mod transport;
mod view;

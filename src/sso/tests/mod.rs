//! What the client, the kept views and the simulator do over real sockets.

mod batch;
mod circuit;
mod client;
mod faults;
mod moves;
mod retries;
mod simulator;
mod support;
mod view;

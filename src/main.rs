//! The program: sets the process up, hands over to the command, and ends with its exit code.

use std::process::ExitCode;
use std::time::Duration;

use lc_connections::{cli, telemetry};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    telemetry::log_panics();
    // Before anything can open a TLS connection. It fails only if a provider is there already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return cli::report(&cli::Failure::Start(error)),
    };
    let code = runtime.block_on(cli::run(std::env::args_os()));
    // What still hangs in the background, like the look-up of a name, must not hold the end up.
    runtime.shutdown_timeout(Duration::from_millis(100));
    telemetry::finish_log();
    code
}

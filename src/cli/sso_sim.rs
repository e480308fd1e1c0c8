//! `sso-sim`: the SSO simulator alone, to try the server against.

use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Arg, ArgMatches, Command, value_parser};
use secrecy::SecretString;

use super::{Failure, required};
use crate::config::{self, Environment, ShutdownConfig};
use crate::http::server::{self, Patience};
use crate::http::stop::Stop;
use crate::sso::simulator::{Simulator, parse_data};
use crate::telemetry;

/// Nobody depends on a simulator: it ends soon.
const SHUTDOWN: ShutdownConfig = ShutdownConfig { delay: Duration::ZERO, timeout: Duration::from_secs(1) };

pub(super) fn command() -> Command {
    let command = Command::new("sso-sim")
        .about("Simulate the SSO service; PUT /__scenario switches how it behaves while it runs")
        .arg(
            Arg::new("listen")
                .long("listen")
                .value_name("ADDRESS")
                .default_value("127.0.0.1:8090")
                .value_parser(value_parser!(SocketAddr))
                .help("Where calls are answered; port 0 takes a free one"),
        )
        .arg(
            Arg::new("data")
                .long("data")
                .value_name("FILE")
                .value_parser(value_parser!(PathBuf))
                .help("A JSON file with an array of NetworkConnections [default: none of them]"),
        )
        .arg(Arg::new("token").long("token").value_name("TOKEN").help("Ask calls for this bearer token [default: any]"))
        .arg(
            Arg::new("page-size")
                .long("page-size")
                .value_name("NUMBER")
                .value_parser(value_parser!(u16).range(1..=500))
                .help("The most connections that a page holds, whatever is asked for [default: 500]"),
        );
    config::with_settings(command, config::LOGGING_COMMAND)
}

pub(super) async fn run(matches: &ArgMatches, environment: Environment<'_>) -> Result<(), Failure> {
    telemetry::start_logging(&config::read_log(matches, environment)?)?;
    let stop = Stop::new();
    stop.on_signals().map_err(Failure::Start)?;
    let address = required(matches, "listen")?;
    let listen = |source| Failure::Listen { address, setting: "--listen", source };
    let router = simulator(matches)?.router();
    let listener = server::listen(address).map_err(listen)?;
    let address = listener.local_addr().map_err(listen)?;
    tracing::info!(%address, "the SSO simulator is listening");
    server::serve(listener, router, Patience::default(), SHUTDOWN, stop).await.map_err(Failure::Serve)
}

fn simulator(matches: &ArgMatches) -> Result<Simulator, Failure> {
    let connections = match matches.get_one::<PathBuf>("data") {
        Some(path) => {
            let shown = || path.display().to_string();
            let text = fs::read_to_string(path).map_err(|source| Failure::File { path: shown(), source })?;
            parse_data(&text).map_err(|source| Failure::Data { path: shown(), source })?
        }
        None => Vec::new(),
    };
    let mut simulator = Simulator::new(connections);
    if let Some(token) = matches.get_one::<String>("token") {
        simulator = simulator.with_token(SecretString::from(token.as_str()));
    }
    if let Some(size) = matches.get_one::<u16>("page-size") {
        simulator = simulator.with_page_size((*size).into());
    }
    Ok(simulator)
}

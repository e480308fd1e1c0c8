//! `sso-sim`: the SSO simulator alone.

use std::net::SocketAddr;

use clap::{Arg, ArgMatches, Command, value_parser};
use http_server::Shutdown;

use super::{Failure, output, required};
use crate::config::{self, Environment};
use crate::sso::simulator::{SAMPLE, Scenario, Simulator, parse_data};
use crate::telemetry::{self, chain};

pub(super) fn command() -> Command {
    let command = Command::new("sso-sim")
        .about("Simulate the SSO service, in the scenario that PUT /__scenario sets, for all accounts or for one")
        .after_help(scenarios())
        .arg(
            Arg::new("listen")
                .long("listen")
                .value_name("ADDRESS")
                .value_parser(value_parser!(SocketAddr))
                .default_value("127.0.0.1:9090")
                .help("Where to answer"),
        )
        .arg(
            Arg::new("data")
                .long("data")
                .value_name("FILE")
                .help("A JSON array of NetworkConnections [default: the demo's sample]"),
        )
        .arg(Arg::new("token").long("token").value_name("TOKEN").help("Refuse calls without this bearer token"))
        .arg(
            Arg::new("page-size")
                .long("page-size")
                .value_name("COUNT")
                .value_parser(value_parser!(u16).range(1..=500))
                .default_value("500")
                .help("The most connections of a page, whatever the caller's limit"),
        );
    let scenario = Arg::new("scenario").long("scenario").value_name("WORD").value_parser(str::parse::<Scenario>);
    let command = command.arg(scenario.default_value("ok").help("The scenario to begin with"));
    config::with_settings(command, config::LOGGING_COMMAND)
}

/// What the scenarios are, and how to switch between them.
fn scenarios() -> String {
    let lines = Scenario::ALL.map(|scenario| format!("  {:<12}{}", scenario.as_str(), scenario.meaning()));
    format!(
        r#"Scenarios:
{}

While it runs:
  curl -X PUT localhost:9090/__scenario -d '{{"scenario": "down"}}'
      for all accounts; with "account": "<SSO id>" for that one alone, whatever holds for all
  curl -X DELETE localhost:9090/__scenario
      all is well again, for every account
  curl localhost:9090/__scenario; curl localhost:9090/__calls
      how it is now; how many calls came"#,
        lines.join("\n")
    )
}

pub(super) async fn run(matches: &ArgMatches, environment: Environment<'_>) -> Result<(), Failure> {
    let _logging = telemetry::start_logging(&config::read_log(matches, environment)?)?;
    let (source, data) = match matches.get_one::<String>("data") {
        Some(path) => {
            let data = std::fs::read_to_string(path).map_err(|source| Failure::File { path: path.clone(), source })?;
            (path.as_str(), data)
        }
        None => ("the sample", SAMPLE.to_owned()),
    };
    let listed = parse_data(&data).map_err(|error| Failure::Refused(format!("{source}: {}", chain(&error))))?;
    let mut simulator = Simulator::new(listed);
    simulator.set_scenario(required(matches, "scenario")?);
    if let Some(token) = matches.get_one::<String>("token") {
        simulator = simulator.with_token(token.as_str().into());
    }
    simulator.set_page_size(required::<u16>(matches, "page-size")?.into());

    let address: SocketAddr = required(matches, "listen")?;
    let refuse = |source| Failure::Listen { address, setting: "--listen", source };
    let listener = tokio::net::TcpListener::bind(address).await.map_err(refuse)?;
    let address = listener.local_addr().map_err(refuse)?;
    let serving = simulator.spawn(listener);
    output::note(&format!("simulating SSO on http://{address} over {source}; Ctrl-C ends it"));
    let shutdown = Shutdown::new();
    shutdown.on_signals().map_err(Failure::Start)?;
    tokio::select! {
        _ = shutdown.started() => Ok(()),
        ended = serving => ended.map_err(std::io::Error::other).flatten().map_err(Failure::Serve),
    }
}

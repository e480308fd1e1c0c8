//! The commands: one file each, which reads its arguments and calls what does the work.

mod accounts;
mod database;
pub(crate) mod demo;
mod failure;
mod keys;
mod migrate;
mod openapi;
mod output;
mod repair;
mod schema;
pub mod serve;
mod sso_sim;
mod usage;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{ArgMatches, Command};

use crate::config::{Environment, process_environment};
pub use failure::{Failure, report};

/// Does what the arguments say, and gives the process's exit code: 0 done, 1 failed, 2 wrong arguments or configuration,
/// 3 to 6 a refused repair.
pub async fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let done = match command().try_get_matches_from(arguments) {
        Ok(matches) => dispatch(&matches, &process_environment).await,
        Err(error) if usage::is_information(&error) => error.print().map_err(Failure::Output),
        Err(error) => Err(Failure::Usage(usage::in_one_line(&error))),
    };
    done.map_or_else(|failure| report(&failure), |()| ExitCode::SUCCESS)
}

fn command() -> Command {
    Command::new("lc-connections")
        .about("An account's reconciled list of LeadConduit connections, over GraphQL and REST")
        .version(env!("CARGO_PKG_VERSION"))
        .subcommand_required(true)
        .subcommand(serve::command())
        .subcommand(demo::command())
        .subcommand(migrate::command())
        .subcommand(accounts::command())
        .subcommand(keys::command())
        .subcommand(repair::command())
        .subcommand(sso_sim::command())
        .subcommand(schema::command())
        .subcommand(openapi::command())
}

async fn dispatch(matches: &ArgMatches, environment: Environment<'_>) -> Result<(), Failure> {
    match matches.subcommand() {
        Some(("serve", matches)) => serve::run(matches, environment).await,
        Some(("demo", matches)) => demo::run(matches, environment).await,
        Some(("schema", _)) => schema::run(),
        Some(("openapi", matches)) => openapi::run(matches),
        Some(("migrate", matches)) => migrate::run(matches, environment).await,
        Some(("accounts", matches)) => accounts::run(matches, environment).await,
        Some(("keys", matches)) => keys::run(matches, environment).await,
        Some(("repair", matches)) => repair::run(matches, environment).await,
        Some(("sso-sim", matches)) => sso_sim::run(matches, environment).await,
        _ => Err(no_command()),
    }
}

/// clap lets no command go missing; this is for the arms of a `match`.
fn no_command() -> Failure {
    Failure::Usage("no command: `lc-connections --help` lists them".to_owned())
}

/// An argument that clap made sure of.
fn required<T: Clone + Send + Sync + 'static>(matches: &ArgMatches, name: &str) -> Result<T, Failure> {
    matches.get_one(name).cloned().ok_or_else(|| Failure::Usage(format!("--{name} is missing; see --help")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(arguments: &[&str]) -> String {
        let error = command().try_get_matches_from([&["lc-connections"], arguments].concat()).unwrap_err();
        assert!(!usage::is_information(&error));
        usage::in_one_line(&error)
    }

    #[test]
    fn the_commands_are_well_formed() {
        command().debug_assert();
    }

    #[test]
    fn wrong_arguments_are_refused_in_one_line() {
        let id = "5d9a4c421d011c553e000001";
        let cases: &[(&[&str], &str)] = &[
            (&[], "no command: `lc-connections --help` lists them"),
            (&["keys"], "no command: `lc-connections --help` lists them"),
            (&["sreve"], "unrecognized subcommand 'sreve'; see --help"),
            (&["serve", "--sso-tokens", "secret"], "unexpected argument '--sso-tokens' found; see --help"),
            (
                &["openapi", "--openapi-version", "2.0"],
                "invalid value '2.0' for '--openapi-version <VERSION>' [possible values: 3.1, 3.0]; see --help",
            ),
            (
                &["accounts", "add", "--name", "Acme"],
                "the following required arguments were not provided: --id <ID> --sso-id <ID>; see --help",
            ),
            (
                &["accounts", "add", "--name", "Acme", "--id", "x", "--sso-id", id],
                "invalid value 'x' for '--id <ID>': an id is 24 hexadecimal characters; see --help",
            ),
            (
                &["keys", "create", "--account", id, "--superuser"],
                "the following required arguments were not provided: --user <EMAIL>; see --help",
            ),
            (
                &["keys", "create", "--account", id, "--expires", "soon"],
                "invalid value 'soon' for '--expires <TIME>': a time is an RFC 3339 instant, like 2019-08-24T14:15:22.000Z; see --help",
            ),
        ];
        for (arguments, expected) in cases {
            assert_eq!(refusal(arguments), *expected);
        }
    }
}

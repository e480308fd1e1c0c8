//! sim
use super::Failure;
use crate::config::Environment;
use clap::{ArgMatches, Command};
pub(super) fn command() -> Command {
    Command::new("sso-sim")
}
pub(super) async fn run(_: &ArgMatches, _: Environment<'_>) -> Result<(), Failure> {
    Ok(())
}

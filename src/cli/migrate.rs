//! `migrate`: brings the database's schema up to this program.

use clap::{ArgMatches, Command};

use super::{Failure, database, output};
use crate::config::{self, DatabaseCommandConfig, Environment};
use crate::telemetry;

pub(super) fn command() -> Command {
    let command =
        Command::new("migrate").about("Bring the database's schema up to this program; safe to run twice at once");
    config::with_settings(command, config::DATABASE_COMMAND)
}

pub(super) async fn run(matches: &ArgMatches, environment: Environment<'_>) -> Result<(), Failure> {
    let config = DatabaseCommandConfig::read(matches, environment)?;
    let _logging = telemetry::start_logging(&config.log)?;
    let store = database::connect(&config.database).await?;
    let state = database::schema_state(&store).await?;
    let applied = database::migrate(&store, &state).await?;
    if applied.is_empty() {
        output::result("the schema is current").map_err(Failure::Output)?;
    }
    for name in applied {
        output::result(&format!("applied {name}")).map_err(Failure::Output)?;
    }
    store.close().await;
    Ok(())
}

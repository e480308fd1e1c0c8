//! `accounts add`: makes an LC account known here.

use clap::{Arg, ArgMatches, Command, value_parser};

use super::{Failure, database, no_command, output, required, usage};
use crate::clock::Clock;
use crate::config::{self, DatabaseCommandConfig, Environment};
use crate::domain::caller::Account;
use crate::domain::id::{AccountId, SsoId};
use crate::store::StoreError;
use crate::telemetry;

pub(super) fn command() -> Command {
    let add = Command::new("add")
        .about("Add an account")
        .arg(
            Arg::new("id")
                .long("id")
                .value_name("ID")
                .required(true)
                .value_parser(value_parser!(AccountId))
                .help("Its id in LC"),
        )
        .arg(
            Arg::new("sso-id")
                .long("sso-id")
                .value_name("ID")
                .required(true)
                .value_parser(value_parser!(SsoId))
                .help("Its id at SSO"),
        )
        .arg(
            Arg::new("name")
                .long("name")
                .value_name("NAME")
                .required(true)
                .value_parser(usage::not_blank)
                .help("The company's name"),
        );
    Command::new("accounts")
        .about("LC accounts")
        .subcommand_required(true)
        .subcommand(config::with_settings(add, config::DATABASE_COMMAND))
}

pub(super) async fn run(matches: &ArgMatches, environment: Environment<'_>) -> Result<(), Failure> {
    match matches.subcommand() {
        Some(("add", matches)) => add(matches, environment).await,
        _ => Err(no_command()),
    }
}

async fn add(matches: &ArgMatches, environment: Environment<'_>) -> Result<(), Failure> {
    let config = DatabaseCommandConfig::read(matches, environment)?;
    let _logging = telemetry::start_logging(&config.log)?;
    let account = Account {
        id: required(matches, "id")?,
        sso_id: required(matches, "sso-id")?,
        name: required::<String>(matches, "name")?.into(),
    };
    let store = database::open(&config.database).await?;
    store.insert_account(&account, Clock::default().now()).await.map_err(|error| match error {
        StoreError::Conflict { .. } => {
            let Account { id, sso_id, .. } = account;
            Failure::Refused(format!("an account with the id {id} or the SSO id {sso_id} exists already"))
        }
        source => Failure::Store { doing: "add the account", source },
    })?;
    output::result(&format!("added account {}", account.id)).map_err(Failure::Output)?;
    store.close().await;
    Ok(())
}

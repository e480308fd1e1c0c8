//! `keys create|list|revoke`: the API keys of accounts. A key is shown once, when it is made.

use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};

use super::{Failure, database, no_command, output, required, usage};
use crate::clock::Clock;
use crate::config::{self, DatabaseCommandConfig, Environment};
use crate::domain::id::{AccountId, KeyId};
use crate::domain::timestamp::Timestamp;
use crate::service::api_key::ApiKey;
use crate::service::new_id::NewIds;
use crate::store::{NewKey, Store};
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
                .value_parser(usage::not_blank)
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
    let revoke = Command::new("revoke").about("Make a key invalid, for good; seen everywhere within 10 s").arg(
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
    let _logging = telemetry::start_logging(&config.log)?;
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

async fn create(matches: &ArgMatches, store: &Store) -> Result<(), Failure> {
    let now = Clock::default().now();
    let expires_at: Option<Timestamp> = matches.get_one("expires").copied();
    if let Some(expires_at) = expires_at.filter(|expires_at| *expires_at <= now) {
        return Err(Failure::Usage(format!("--expires {expires_at} is past: such a key would never be valid")));
    }
    let account: AccountId = required(matches, "account")?;
    if store.account(account).await.map_err(Failure::store("look the account up"))?.is_none() {
        return Err(Failure::Refused(format!(
            "no account has the id {account}: add it with `lc-connections accounts add`"
        )));
    }
    let key = ApiKey::random();
    let new_key = NewKey {
        id: NewIds::new().next(now).into(),
        account,
        hash: key.hash(),
        user_email: matches.get_one::<String>("user").map(|user| user.as_str().into()),
        is_superuser: matches.get_flag("superuser"),
        created_at: now,
        expires_at,
    };
    store.insert_key(&new_key).await.map_err(Failure::store("add the key"))?;
    output::note(&format!("key {} of account {account}; it is shown this once:", new_key.id));
    output::result(key.reveal()).map_err(Failure::Output)
}

async fn list(matches: &ArgMatches, store: &Store) -> Result<(), Failure> {
    let keys = store.list_keys(matches.get_one("account").copied()).await.map_err(Failure::store("list the keys"))?;
    for key in keys {
        let state = match (key.revoked_at, key.expires_at) {
            (Some(at), _) => format!("revoked {at}"),
            (None, Some(at)) => format!("expires {at}"),
            (None, None) => "valid".to_owned(),
        };
        let rights = if key.is_superuser { "superuser" } else { "account" };
        // Other programs write it too, and terminals obey some characters.
        let user = telemetry::one_line(key.user_email.as_deref().unwrap_or("-"));
        let line = format!("{}  {}  {rights:<9}  {}  {state:<32}  {user}", key.id, key.account, key.created_at);
        output::result(&line).map_err(Failure::Output)?;
    }
    Ok(())
}

async fn revoke(matches: &ArgMatches, store: &Store) -> Result<(), Failure> {
    let id: KeyId = required(matches, "id")?;
    if store.revoke_key(id, Clock::default().now()).await.map_err(Failure::store("revoke the key"))? {
        output::result(&format!("revoked key {id}")).map_err(Failure::Output)
    } else {
        let text = format!("no key has the id {id} that is not revoked already: `lc-connections keys list` shows them");
        Err(Failure::Refused(text))
    }
}

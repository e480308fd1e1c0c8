//! `repair`: an operator's repair of one missing row, by the same plan, with the same refusals and into the same trail as
//! over GraphQL and REST.

use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use serde::Serialize;

use super::serve::sso_settings;
use super::{Failure, database, output, required, usage};
use crate::api_error::ApiError;
use crate::clock::Clock;
use crate::config::{self, Environment, RepairCommandConfig};
use crate::domain::id::{AccountId, ConnectionId, RepairId, SsoConnectionId};
use crate::domain::raw_json::RawJson;
use crate::domain::repair::{
    FieldChange, NewConnection, RepairOutcome, RepairRefusal, RepairVia, UNTOUCHED_TABLES, reason, storable,
};
use crate::front::request_id::RequestId;
use crate::service::Connections;
use crate::service::repair::{Repair, RepairRequest};
use crate::sso::Sso;
use crate::telemetry::{self, one_line};

const EXIT_CODES: &str = "Exit codes: 0 repaired (or, in a dry run, repairable); 1 failed; 2 wrong arguments or \
configuration; 3 the row exists; 4 SSO does not list the connection for the account; 5 SSO is unavailable, try again; \
6 no such account";

pub(super) fn command() -> Command {
    let command = Command::new("repair")
        .about("Insert the row of a connection that SSO has and LC lacks; leaves an entry in the trail")
        .after_help(EXIT_CODES)
        .arg(
            Arg::new("id")
                .value_name("SSO_CONNECTION_ID")
                .required(true)
                .value_parser(value_parser!(SsoConnectionId))
                .help("The connection's id at SSO"),
        )
        .arg(
            Arg::new("account")
                .long("account")
                .value_name("ID")
                .required(true)
                .value_parser(value_parser!(AccountId))
                .help("The LC account that lacks the row"),
        )
        .arg(
            Arg::new("actor")
                .long("actor")
                .value_name("WHO")
                .required(true)
                .value_parser(usage::not_blank)
                .help("Who repairs, for the trail"),
        )
        .arg(Arg::new("reason").long("reason").value_name("TEXT").value_parser(reason).help("Why, for the trail"))
        .arg(
            Arg::new("dry-run")
                .long("dry-run")
                .action(ArgAction::SetTrue)
                .help("Say what would be written, write nothing"),
        )
        .arg(Arg::new("json").long("json").action(ArgAction::SetTrue).help("Print one JSON object, refusals too"));
    config::with_settings(command, config::REPAIR_COMMAND)
}

pub(super) async fn run(matches: &ArgMatches, environment: Environment<'_>) -> Result<(), Failure> {
    let config = RepairCommandConfig::read(matches, environment)?;
    let _logging = telemetry::start_logging(&config.log)?;
    let request_id = RequestId::random();
    let (account, actor): (AccountId, String) = (required(matches, "account")?, required(matches, "actor")?);

    let store = database::open(&config.database).await?;
    let clock = Clock::default();
    let sso = Sso::new(sso_settings(&config.sso), clock.clone())?;
    let connections = Connections::new(store.clone(), sso, clock);
    let request = RepairRequest {
        connection_id: required(matches, "id")?,
        is_dry_run: matches.get_flag("dry-run"),
        reason: matches.get_one("reason").cloned(),
        via: RepairVia::Cli,
        request_id: request_id.as_str().into(),
        sso_allowance: connections.sso_allowance(),
    };
    // What went wrong is in the log, with its causes.
    let repair = connections
        .repair_as_operator(&storable(&actor), account, request.clone())
        .await
        .map_err(|error| Failure::Refused(ApiError::from(error).message.into_owned()))?;
    let text = if matches.get_flag("json") { json_text(&repair, account, &request) } else { text(&repair, account) };
    if !text.is_empty() {
        output::result(&text).map_err(Failure::Output)?;
    }
    store.close().await;
    repair.result.map(|_| ()).map_err(Failure::Repair)
}

/// For people. A refusal is told as every failure is.
fn text(repair: &Repair, account: AccountId) -> String {
    let (Ok(_), Some(row)) = (repair.result, &repair.plan) else { return String::new() };
    let (done, writes) = match &repair.record {
        Some(_) => (format!("inserted row {} of account {account}", row.id), "wrote"),
        None => (format!("a repair would insert one row of account {account}"), "would write"),
    };
    let changes = row.changes().into_iter();
    // SSO wrote the values, and terminals obey some characters.
    let changes = changes.map(|FieldChange { path, after, .. }| format!("\n  {path}: {}", one_line(after.as_str())));
    format!("{done}; {writes} account_connections:{}", changes.collect::<String>())
}

/// For scripts: the trail's words.
fn json_text(repair: &Repair, account: AccountId, request: &RepairRequest) -> String {
    #[derive(Serialize)]
    struct Output<'a> {
        outcome: Option<&'static str>,
        error_code: Option<&'static str>,
        message: Option<&'static str>,
        account_id: AccountId,
        external_id: SsoConnectionId,
        id: Option<ConnectionId>,
        record_id: Option<RepairId>,
        request_id: &'a str,
        changes: Vec<FieldChange>,
        untouched: [&'static str; 4],
    }

    let row = repair.plan.as_ref();
    let output = Output {
        outcome: repair.result.ok().map(RepairOutcome::as_str),
        error_code: repair.result.err().map(RepairRefusal::as_str),
        message: repair.result.err().map(RepairRefusal::explanation),
        account_id: account,
        external_id: request.connection_id,
        // A dry run's id is never used.
        id: row.filter(|_| repair.record.is_some()).map(|row| row.id),
        record_id: repair.record.as_ref().map(|record| record.id),
        request_id: &request.request_id,
        changes: row.map(NewConnection::changes).unwrap_or_default(),
        untouched: UNTOUCHED_TABLES,
    };
    RawJson::from_value(&output).as_str().to_owned()
}

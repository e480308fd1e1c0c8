//! `demo`: the server over SQLite in a temporary folder, with an SSO simulator in the same process and sample data in
//! both; prints keys and lines to paste.

mod sample;
mod script;

use std::net::{Ipv4Addr, SocketAddr};

use clap::{Arg, ArgMatches, Command, value_parser};
use http_server::Shutdown;
use tokio::net::TcpListener;

use super::{Failure, output, required, serve};
use crate::clock::Clock;
use crate::config::{self, Config, DemoCommandConfig, Environment};
use crate::domain::id::AccountId;
use crate::service::api_key::ApiKey;
use crate::service::new_id::NewIds;
use crate::sso::simulator::{SAMPLE, Simulator, parse_data};
use crate::store::{NewKey, Store, StoreError};
use crate::telemetry;
use sample::{CONTOSO, NORTHWIND, Sample, id, sample};
use script::Keys;

/// Where a page that is being developed mostly comes from: it may call the demo, unless other origins are named.
const DEVELOPMENT_SERVERS: &str =
    "http://localhost:3000 http://localhost:4200 http://localhost:5173 http://localhost:8081";

pub(super) fn command() -> Command {
    let port = |name: &'static str, default: &'static str| {
        let argument = Arg::new(name).long(name).value_name("PORT").value_parser(value_parser!(u16).range(1..));
        argument.default_value(default)
    };
    let command = Command::new("demo")
        .about("Try it: SQLite in a temporary folder, a simulated SSO, sample data, lines to paste")
        .arg(port("port", "8080").help("The server's port on 127.0.0.1"))
        .arg(port("sso-port", "9090").help("The simulator's port on 127.0.0.1"));
    config::with_settings(command, config::DEMO_COMMAND)
}

pub(super) async fn run(matches: &ArgMatches, environment: Environment<'_>) -> Result<(), Failure> {
    let DemoCommandConfig { cors_origins, max_page_size, graphql, log } =
        DemoCommandConfig::read(matches, environment)?;
    let clock = Clock::default();
    let address = |port: u16| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let listen = address(required(matches, "port")?);
    let sso_address = address(required(matches, "sso-port")?);
    // Taken now, so that nothing is printed that would not work.
    let taken = |address, setting| move |source| Failure::Listen { address, setting, source };
    drop(TcpListener::bind(listen).await.map_err(taken(listen, "--port"))?);
    let sso_listener = TcpListener::bind(sso_address).await.map_err(taken(sso_address, "--sso-port"))?;

    let folder = tempfile::tempdir().map_err(Failure::Start)?;
    let database_url = format!("sqlite://{}/demo.db?mode=rwc", folder.path().display());
    let store = Store::connect(&database_url.as_str().into(), 1).await;
    let store = store.map_err(Failure::store("open the demo's database"))?;
    let keys = fill(&store, &clock).await.map_err(Failure::store("fill the demo's database"))?;
    store.close().await;
    // Only now: how the tables came to be is of no interest here.
    let _logging = telemetry::start_logging(&log)?;

    let known_to_sso = parse_data(SAMPLE).map_err(|error| Failure::Refused(error.to_string()))?;
    let sso_address = sso_listener.local_addr().map_err(taken(sso_address, "--sso-port"))?;
    Simulator::new(known_to_sso).spawn(sso_listener);
    let settings = |name: &str| {
        let value = match name {
            "LISTEN" => listen.to_string(),
            "DATABASE_URL" => database_url.clone(),
            "SSO_URL" => format!("http://{sso_address}/"),
            "SSO_TOKEN" => "demo".to_owned(),
            "CORS_ORIGINS" => DEVELOPMENT_SERVERS.to_owned(),
            // So that a switched scenario shows at once.
            "SSO_MAX_AGE_MS" | "SSO_CIRCUIT_FAILURES" => "0".to_owned(),
            _ => return None,
        };
        Some(value.into())
    };
    let config = Config::of_variables(&settings)?;
    let cors_origins = cors_origins.unwrap_or(config.cors_origins);
    let config = Config { max_page_size, graphql, cors_origins, log, ..config };
    let shutdown = Shutdown::new();
    shutdown.on_signals().map_err(Failure::Start)?;
    let announce = || output::result(&script::script(listen, sso_address, &keys)).map_err(Failure::Output);
    serve::serve(&config, &clock, false, &shutdown, announce).await
}

/// Migrates, writes the sample, and makes the keys.
pub(crate) async fn fill(store: &Store, clock: &Clock) -> Result<Keys, StoreError> {
    store.migrate().await?;
    let now = clock.now();
    let Sample { accounts, connections, entities, custom_entities } = sample(now);
    for account in &accounts {
        store.insert_account(account, now).await?;
    }
    let northwind = id('a', NORTHWIND).into();
    store.insert_connections(&connections).await?;
    store.insert_account_entities(northwind, &entities).await?;
    store.insert_custom_entities(northwind, &custom_entities).await?;
    let new_ids = NewIds::new();
    let key = async |account: AccountId, superuser: Option<&str>| {
        let key = ApiKey::random();
        let new_key = NewKey {
            id: new_ids.next(now).into(),
            account,
            hash: key.hash(),
            user_email: superuser.map(Into::into),
            is_superuser: superuser.is_some(),
            created_at: now,
            expires_at: None,
        };
        store.insert_key(&new_key).await?;
        Ok::<_, StoreError>(key.reveal().to_owned())
    };
    Ok(Keys {
        northwind: key(northwind, None).await?,
        contoso: key(id('a', CONTOSO).into(), None).await?,
        superuser: key(northwind, Some("staff@leadconduit.example")).await?,
    })
}

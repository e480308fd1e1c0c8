//! The only reader of flags, environment and file: where settings come from, and what they are once they are read.
//!
//! Flags go before the environment, the environment before the TOML file, the file before the defaults. Every refusal is
//! one line that names the setting, where its value came from and what would do. Values never appear in it where they
//! could hold a secret. An empty value is refused, except where it means "none". Knows nothing of what the settings are used for.

mod file;
mod otel;
mod parse;
mod setting;
mod sources;

use std::net::SocketAddr;
use std::time::Duration;

use clap::{ArgMatches, Command};
use http::HeaderValue;
use http_server::ShutdownSettings;
use ipnet::IpNet;
use secrecy::SecretString;
use url::Url;

pub use otel::{help as otel_help, unused_variables as unused_otel_variables};
pub use setting::Setting;
use sources::Sources;
pub use sources::{Environment, process_environment, process_variable_names};

use crate::telemetry::LogConfig;

/// Why the configuration was refused: one line for people, without secrets.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ConfigError(pub(crate) String);

/// The settings that every command takes which opens the database.
pub const DATABASE_COMMAND: &[&Setting] =
    &[&setting::DATABASE_URL, &setting::DATABASE_MAX_CONNECTIONS, &setting::LOG_FORMAT, &setting::RUST_LOG];

/// The settings of `repair`: the database's and SSO's.
pub const REPAIR_COMMAND: &[&Setting] = &[
    &setting::DATABASE_URL,
    &setting::DATABASE_MAX_CONNECTIONS,
    &setting::SSO_URL,
    &setting::SSO_TOKEN,
    &setting::SSO_TIMEOUT_MS,
    &setting::LOG_FORMAT,
    &setting::RUST_LOG,
];

/// The settings of a command that only logs.
pub const LOGGING_COMMAND: &[&Setting] = &[&setting::LOG_FORMAT, &setting::RUST_LOG];

/// The settings of `demo`.
pub const DEMO_COMMAND: &[&Setting] = &[
    &setting::CORS_ORIGINS,
    &setting::MAX_PAGE_SIZE,
    &setting::GRAPHQL_MAX_DOCUMENT_BYTES,
    &setting::GRAPHQL_MAX_TOKENS,
    &setting::GRAPHQL_MAX_DEPTH,
    &setting::GRAPHQL_MAX_ALIASES,
    &setting::GRAPHQL_MAX_ROOT_FIELDS,
    &setting::GRAPHQL_MAX_DIRECTIVES,
    &setting::GRAPHQL_MAX_SELECTIONS,
    &setting::GRAPHQL_MAX_COST,
    &setting::LOG_FORMAT,
    &setting::RUST_LOG,
];

/// The settings of `serve`: all there are.
pub const SERVE_COMMAND: &[&Setting] = setting::ALL;

/// Which database, and how many connections to it.
#[derive(Debug, Clone)]
pub struct DatabaseConfig {
    /// `sqlite://…` or `postgres://…`; may hold a password.
    pub url: SecretString,
    /// Pool size.
    pub max_connections: u32,
}

/// How SSO is asked.
#[derive(Debug, Clone)]
pub struct SsoConfig {
    /// Base URL, `http` or `https`.
    pub url: Url,
    /// Bearer token.
    pub token: SecretString,
    /// The whole budget of one request's exchange with SSO.
    pub budget: Duration,
    /// How old a fetched view may be when it serves a request.
    pub max_age: Duration,
    /// So many failures in a row open the circuit; 0: never.
    pub circuit_failures: u32,
    /// How long it stays open until one probe.
    pub circuit_open: Duration,
}

/// How large a GraphQL request may be.
#[derive(Debug, Clone, Copy)]
pub struct GraphqlConfig {
    /// Bytes of its document.
    pub document_bytes: u32,
    /// Tokens of its document.
    pub tokens: u32,
    /// Fields within fields.
    pub depth: u32,
    /// Aliases, fragments expanded.
    pub aliases: u32,
    /// Fields of the root, fragments expanded.
    pub root_fields: u32,
    /// Directives, fragments expanded.
    pub directives: u32,
    /// Fields and fragments, fragments expanded.
    pub selections: u32,
    /// Fields that the answer may have, lists counted by their `first`.
    pub cost: u32,
}

/// Everything `serve` needs to know.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where requests are answered.
    pub listen: SocketAddr,
    /// Where `/metrics` is answered instead, if set.
    pub admin_listen: Option<SocketAddr>,
    /// The database.
    pub database: DatabaseConfig,
    /// How long it is waited for at the start.
    pub database_start_timeout: Duration,
    /// The SSO service.
    pub sso: SsoConfig,
    /// Largest `first` or `last`.
    pub max_page_size: u32,
    /// How large a GraphQL request may be.
    pub graphql: GraphqlConfig,
    /// Whether GraphQL introspection is answered.
    pub introspection: bool,
    /// Whether `/graphiql` is there.
    pub graphiql: bool,
    /// Whether `/docs`, `/openapi.json` and `/openapi-3.0.json` are there.
    pub docs: bool,
    /// How many connections clients may have open.
    pub max_connections: u32,
    /// How many requests for connections are worked on at once.
    pub max_concurrent_requests: u32,
    /// How many requests a second each API key may make; 0: any number.
    pub rate_limit_per_second: u32,
    /// Networks of proxies whose word on the client's address is believed.
    pub trusted_proxies: Vec<IpNet>,
    /// The origins whose pages may call this server from a browser.
    pub cors_origins: Vec<HeaderValue>,
    /// How the server ends.
    pub shutdown: ShutdownSettings,
    /// What is logged, and how.
    pub log: LogConfig,
}

impl Config {
    /// What these variables and the defaults come to, without flags and file.
    ///
    /// # Errors
    /// The first setting that is missing or will not do.
    pub fn of_variables(variables: Environment<'_>) -> Result<Self, ConfigError> {
        let command = with_settings(Command::new("serve"), SERVE_COMMAND);
        let matches = command.try_get_matches_from(["serve"]).map_err(|error| ConfigError(error.to_string()))?;
        Self::read(&matches, variables)
    }

    /// Reads what `serve` needs.
    ///
    /// # Errors
    /// The first setting that is missing or will not do.
    pub fn read(matches: &ArgMatches, environment: Environment<'_>) -> Result<Self, ConfigError> {
        let sources = Sources::open(matches, environment)?;
        let listen = sources.required(&setting::LISTEN, parse::address)?;
        let max_page_size = max_page_size(&sources)?;
        Ok(Self {
            listen,
            admin_listen: sources.optional(&setting::ADMIN_LISTEN, |text| match parse::address(text)? {
                // Port 0 takes a free one each time.
                address if address == listen && listen.port() != 0 => {
                    Err("must be another address than LISTEN".to_owned())
                }
                address => Ok(address),
            })?,
            database: database(&sources)?,
            database_start_timeout: sources
                .required(&setting::DATABASE_START_TIMEOUT_MS, parse::milliseconds(0, 3_600_000))?,
            sso: sso(&sources)?,
            max_page_size,
            graphql: graphql(&sources, max_page_size)?,
            introspection: sources.required(&setting::INTROSPECTION, parse::boolean)?,
            graphiql: sources.required(&setting::GRAPHIQL, parse::boolean)?,
            docs: sources.required(&setting::DOCS, parse::boolean)?,
            max_connections: sources.required(&setting::HTTP_MAX_CONNECTIONS, parse::number(1, 1_000_000))?,
            max_concurrent_requests: sources
                .required(&setting::HTTP_MAX_CONCURRENT_REQUESTS, parse::number(1, 1_000_000))?,
            rate_limit_per_second: sources.required(&setting::RATE_LIMIT_PER_SECOND, parse::number(0, 1_000_000))?,
            trusted_proxies: sources.optional(&setting::TRUSTED_PROXIES, parse::networks)?.unwrap_or_default(),
            cors_origins: sources.optional(&setting::CORS_ORIGINS, parse::origins)?.unwrap_or_default(),
            shutdown: shutdown(&sources)?,
            log: LogConfig { traces: otel::traces(&sources)?, ..log(&sources)? },
        })
    }
}

/// What a command needs that works on the database alone.
#[derive(Debug, Clone)]
pub struct DatabaseCommandConfig {
    /// The database.
    pub database: DatabaseConfig,
    /// What is logged, and how.
    pub log: LogConfig,
}

impl DatabaseCommandConfig {
    /// Reads the settings of [`DATABASE_COMMAND`].
    ///
    /// # Errors
    /// The first setting that will not do.
    pub fn read(matches: &ArgMatches, environment: Environment<'_>) -> Result<Self, ConfigError> {
        let sources = Sources::open(matches, environment)?;
        Ok(Self { database: database(&sources)?, log: log(&sources)? })
    }
}

/// What `repair` needs.
#[derive(Debug, Clone)]
pub struct RepairCommandConfig {
    /// The database.
    pub database: DatabaseConfig,
    /// The SSO service.
    pub sso: SsoConfig,
    /// What is logged, and how.
    pub log: LogConfig,
}

impl RepairCommandConfig {
    /// Reads the settings of [`REPAIR_COMMAND`].
    ///
    /// # Errors
    /// The first setting that is missing or will not do.
    pub fn read(matches: &ArgMatches, environment: Environment<'_>) -> Result<Self, ConfigError> {
        let sources = Sources::open(matches, environment)?;
        Ok(Self { database: database(&sources)?, sso: sso(&sources)?, log: log(&sources)? })
    }
}

/// What `demo` needs.
#[derive(Debug, Clone)]
pub struct DemoCommandConfig {
    /// The origins whose pages may call the demo, if any are given.
    pub cors_origins: Option<Vec<HeaderValue>>,
    /// Largest `first` or `last`.
    pub max_page_size: u32,
    /// How large a GraphQL request may be.
    pub graphql: GraphqlConfig,
    /// What is logged, and how.
    pub log: LogConfig,
}

impl DemoCommandConfig {
    /// Reads the settings of [`DEMO_COMMAND`].
    ///
    /// # Errors
    /// The first setting that will not do.
    pub fn read(matches: &ArgMatches, environment: Environment<'_>) -> Result<Self, ConfigError> {
        let sources = Sources::open(matches, environment)?;
        let cors_origins = sources.optional(&setting::CORS_ORIGINS, parse::origins)?;
        let max_page_size = max_page_size(&sources)?;
        Ok(Self { cors_origins, max_page_size, graphql: graphql(&sources, max_page_size)?, log: log(&sources)? })
    }
}

/// Reads the settings of [`LOGGING_COMMAND`].
///
/// # Errors
/// The first setting that will not do.
pub fn read_log(matches: &ArgMatches, environment: Environment<'_>) -> Result<LogConfig, ConfigError> {
    log(&Sources::open(matches, environment)?)
}

/// Adds the settings, and `--config`, to a command as flags.
#[must_use]
pub fn with_settings(command: Command, settings: &[&'static Setting]) -> Command {
    command.arg(setting::CONFIG.to_argument()).args(settings.iter().map(|setting| setting.to_argument()))
}

fn database(sources: &Sources<'_>) -> Result<DatabaseConfig, ConfigError> {
    Ok(DatabaseConfig {
        url: sources.required(&setting::DATABASE_URL, parse::database_url)?,
        max_connections: sources.required(&setting::DATABASE_MAX_CONNECTIONS, parse::number(1, 1000))?,
    })
}

fn sso(sources: &Sources<'_>) -> Result<SsoConfig, ConfigError> {
    Ok(SsoConfig {
        url: sources.required(&setting::SSO_URL, parse::http_url)?,
        token: sources.required(&setting::SSO_TOKEN, parse::token)?,
        budget: sources.required(&setting::SSO_TIMEOUT_MS, parse::milliseconds(1, 60_000))?,
        max_age: sources.required(&setting::SSO_MAX_AGE_MS, parse::milliseconds(0, 3_600_000))?,
        circuit_failures: sources.required(&setting::SSO_CIRCUIT_FAILURES, parse::number(0, 1_000_000))?,
        circuit_open: sources.required(&setting::SSO_CIRCUIT_OPEN_MS, parse::milliseconds(1, 3_600_000))?,
    })
}

fn max_page_size(sources: &Sources<'_>) -> Result<u32, ConfigError> {
    sources.required(&setting::MAX_PAGE_SIZE, parse::number(1, 10_000))
}

fn graphql(sources: &Sources<'_>, max_page_size: u32) -> Result<GraphqlConfig, ConfigError> {
    Ok(GraphqlConfig {
        document_bytes: sources.required(&setting::GRAPHQL_MAX_DOCUMENT_BYTES, parse::number(100, 262_144))?,
        tokens: sources.required(&setting::GRAPHQL_MAX_TOKENS, parse::number(10, 50_000))?,
        depth: sources.required(&setting::GRAPHQL_MAX_DEPTH, parse::number(1, 60))?,
        aliases: sources.required(&setting::GRAPHQL_MAX_ALIASES, parse::number(0, 10_000))?,
        root_fields: sources.required(&setting::GRAPHQL_MAX_ROOT_FIELDS, parse::number(1, 1_000))?,
        directives: sources.required(&setting::GRAPHQL_MAX_DIRECTIVES, parse::number(0, 10_000))?,
        selections: sources.required(&setting::GRAPHQL_MAX_SELECTIONS, parse::number(1, 50_000))?,
        // Whoever may ask for larger pages may ask for all that they hold.
        cost: sources
            .optional(&setting::GRAPHQL_MAX_COST, parse::number(1, 1_000_000_000))?
            .unwrap_or((max_page_size * 1_000).max(100_000)),
    })
}

fn shutdown(sources: &Sources<'_>) -> Result<ShutdownSettings, ConfigError> {
    let timeout = sources.required(&setting::SHUTDOWN_TIMEOUT_MS, parse::milliseconds(1, 600_000))?;
    // The limit includes the delay, so that a delay as long would leave no time for what is in flight.
    let delay = sources.required(&setting::SHUTDOWN_DELAY_MS, |text| match parse::milliseconds(0, 600_000)(text)? {
        delay if delay < timeout => Ok(delay),
        _ => Err(format!("must be less than SHUTDOWN_TIMEOUT_MS, which is {}", timeout.as_millis())),
    })?;
    Ok(ShutdownSettings { delay, timeout })
}

fn log(sources: &Sources<'_>) -> Result<LogConfig, ConfigError> {
    Ok(LogConfig {
        format: sources.required(&setting::LOG_FORMAT, parse::log_format)?,
        filter: sources.required(&setting::RUST_LOG, parse::log_filter)?,
        traces: None,
    })
}

#[cfg(test)]
mod tests;

//! `serve`: connects, looks at the schema, takes its addresses, answers requests until it is told to stop.

use std::net::{SocketAddr, TcpListener};
use std::num::NonZeroU32;
use std::time::Duration;

use axum::Router;
use clap::{Arg, ArgAction, ArgMatches, Command};
use http_server::{
    DEFAULT_RESPONSE_MEMORY_KIB, ServerSettings, Shutdown, ShutdownSettings, Timeouts, raise_open_file_limit,
};
use tokio::time::{Instant, sleep_until, timeout};

use super::{Failure, database};
use crate::app::{App, AppSettings};
use crate::clock::Clock;
use crate::config::{self, Config, Environment, GraphqlConfig, SsoConfig};
use crate::front::body::LARGEST_BODY;
use crate::graphql::document::Limits;
use crate::graphql::handler::Endpoint;
use crate::http::health::{self, Readiness};
use crate::http::metrics;
use crate::http::refusals::response_memory_exceeded;
use crate::http::router::{RouterOptions, router};
use crate::sso::{CircuitSettings, Sso, SsoSettings};
use crate::store::Store;
use crate::telemetry::{self, Metrics};

/// What closing the database's connections may take once everything else has ended.
const LONGEST_CLOSE: Duration = Duration::from_millis(200);

pub(super) fn command() -> Command {
    let command = Command::new("serve").about("Answer requests until SIGTERM or SIGINT").arg(
        Arg::new("migrate")
            .long("migrate")
            .action(ArgAction::SetTrue)
            .help("Migrate an empty or older database first, instead of refusing to start on it"),
    );
    config::with_settings(command, config::SERVE_COMMAND).after_help(config::otel_help())
}

pub(super) async fn run(matches: &ArgMatches, environment: Environment<'_>) -> Result<(), Failure> {
    let config = Config::read(matches, environment)?;
    let logging = telemetry::start_logging(&config.log)?;
    let names = config::process_variable_names();
    let unused = config::unused_otel_variables(&names, environment, config.log.traces.as_ref());
    if !unused.is_empty() {
        let variables = telemetry::one_line(&unused.join(", "));
        tracing::warn!(%variables, "OpenTelemetry variables without effect");
    }
    let shutdown = Shutdown::new();
    shutdown.on_signals().map_err(Failure::Start)?;
    let served = serve(&config, &Clock::default(), matches.get_flag("migrate"), &shutdown, || Ok(())).await;
    logging.finish_traces(remaining_time(&shutdown, config.shutdown));
    served
}

/// The remaining time of the shutdown.
fn remaining_time(shutdown: &Shutdown, settings: ShutdownSettings) -> Duration {
    match shutdown.started_at() {
        _ if shutdown.is_forced() => Duration::ZERO,
        Some(started_at) => (started_at + settings.timeout).saturating_duration_since(Instant::now() + LONGEST_CLOSE),
        None => settings.timeout,
    }
}

/// Serves until `shutdown` starts, then shuts down gracefully. `announce` is called once connections are taken.
///
/// # Errors
/// The database is unreachable or its schema not current, or an address is taken.
pub async fn serve(
    config: &Config,
    clock: &Clock,
    migrate: bool,
    shutdown: &Shutdown,
    announce: impl FnOnce() -> Result<(), Failure>,
) -> Result<(), Failure> {
    let store = tokio::select! {
        store = open(config, migrate) => store?,
        // Nothing is in flight yet.
        _ = shutdown.started() => return Ok(()),
    };
    let counted = Metrics::install()?;
    tokio::spawn(counted.clone().keep_small());
    let metrics = metrics::routes(counted, store.clone());
    let mut operations = health::routes(Readiness::new(store.clone(), shutdown.clone()));

    raise_open_file_limit(to_usize(config.max_connections) * (1 + usize::from(config.admin_listen.is_some())));
    let mut servers = Vec::new();
    if let Some(address) = config.admin_listen {
        // Probes are answered there too, whatever happens to the other address.
        servers.push((listen(address, "ADMIN_LISTEN")?, operations.clone().merge(metrics)));
    } else {
        operations = operations.merge(metrics);
    }
    let app = application(config, &store, clock)?;
    servers.push((listen(config.listen, "LISTEN")?, routes(config, &app, operations)?));

    announce()?;
    let settings = ServerSettings {
        timeouts: Timeouts::default(),
        max_connections: to_usize(config.max_connections),
        max_request_body: LARGEST_BODY,
        max_response_memory_kib: DEFAULT_RESPONSE_MEMORY_KIB,
        response_memory_exceeded,
        shutdown: config.shutdown,
    };
    let serving =
        servers.into_iter().map(|(listener, router)| http_server::serve(listener, router, settings, shutdown.clone()));
    futures_util::future::try_join_all(serving).await.map_err(Failure::Serve)?;
    let deadline = shutdown.started().await + config.shutdown.drain_time();
    tokio::select! {
        () = app.connections.finished() => {}
        () = sleep_until(deadline) => tracing::warn!("cut off repairs that were not finished in time"),
        () = shutdown.forced() => {}
    }
    // A connection that is still at work would be waited for; the process ends it as well.
    let _ = timeout(LONGEST_CLOSE, store.close()).await;
    Ok(())
}

pub(crate) fn application(config: &Config, store: &Store, clock: &Clock) -> Result<App, Failure> {
    let sso = Sso::new(sso_settings(&config.sso), clock.clone())?;
    let settings = AppSettings {
        max_page_size: to_usize(config.max_page_size),
        introspection: config.introspection,
        max_concurrent_requests: to_usize(config.max_concurrent_requests),
        rate_limit_per_second: config.rate_limit_per_second,
        trusted_proxies: config.trusted_proxies.clone().into(),
    };
    Ok(App::new(store, sso, clock, settings))
}

fn limits(config: &Config) -> Limits {
    let GraphqlConfig { document_bytes, tokens, depth, aliases, root_fields, directives, selections, cost } =
        config.graphql;
    Limits {
        document_bytes: to_usize(document_bytes),
        tokens: to_usize(tokens),
        depth: depth.into(),
        aliases: aliases.into(),
        root_fields: root_fields.into(),
        directives: directives.into(),
        expanded_selections: selections.into(),
        cost: cost.into(),
        page: config.max_page_size.into(),
    }
}

fn to_usize(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

/// Everything that is answered on `LISTEN`.
pub(crate) fn routes(config: &Config, app: &App, operations: Router) -> Result<Router, Failure> {
    let graphql = Endpoint::new(app.clone(), limits(config))?;
    let options = RouterOptions {
        graphiql: config.graphiql,
        docs: config.docs,
        metrics: config.admin_listen.is_none(),
        cors_origins: config.cors_origins.clone(),
    };
    Ok(router(app, graphql, operations, options))
}

/// What the SSO client takes of the configuration.
pub(super) fn sso_settings(config: &SsoConfig) -> SsoSettings {
    let SsoConfig { url, token, budget, max_age, circuit_failures, circuit_open } = config.clone();
    let circuit =
        NonZeroU32::new(circuit_failures).map(|failures| CircuitSettings { failures, open_for: circuit_open });
    SsoSettings { url, token, budget, max_age, circuit }
}

/// A database whose schema is current, migrated where that was asked for.
async fn open(config: &Config, migrate: bool) -> Result<Store, Failure> {
    let store = database::connect_patiently(&config.database, config.database_start_timeout).await?;
    let state = database::schema_state(&store).await?;
    if migrate {
        database::migrate(&store, &state).await?;
    } else {
        database::refuse_unless_current(&state, "run `lc-connections migrate`, or `lc-connections serve --migrate`")?;
    }
    Ok(store)
}

fn listen(address: SocketAddr, setting: &'static str) -> Result<TcpListener, Failure> {
    let refuse = |source| Failure::Listen { address, setting, source };
    let listener = http_server::listen(address).map_err(refuse)?;
    let address = listener.local_addr().map_err(refuse)?;
    tracing::info!(%address, setting, "listening");
    Ok(listener)
}

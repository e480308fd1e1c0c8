//! `serve`: connects, looks at the schema, takes its addresses, answers requests until it is told to stop.

use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use axum::Router;
use axum::middleware::from_fn;
use clap::{Arg, ArgAction, ArgMatches, Command};
use tokio::time::timeout;
use tower_http::catch_panic::CatchPanicLayer;

use super::{Failure, database};
use crate::clock::Clock;
use crate::config::{self, Config, Environment};
use crate::http::health::{self, Readiness};
use crate::http::server::{self, Patience};
use crate::http::stop::Stop;
use crate::http::{metrics, request_id, request_log};
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
    config::with_settings(command, config::SERVE_COMMAND)
}

pub(super) async fn run(matches: &ArgMatches, environment: Environment<'_>) -> Result<(), Failure> {
    let config = Config::read(matches, environment)?;
    telemetry::start_logging(&config.log)?;
    let stop = Stop::new();
    stop.on_signals().map_err(Failure::Start)?;
    serve(&config, &Clock::default(), matches.get_flag("migrate"), &stop, |parts| Ok(routes(parts))).await
}

/// What the routes are built from.
#[derive(Debug)]
pub struct Parts<'a> {
    /// All settings.
    pub config: &'a Config,
    /// The database, whose schema is current.
    pub store: &'a Store,
    /// The time.
    pub clock: &'a Clock,
    /// `/livez`, `/readyz` and, unless it has an address of its own, `/metrics`.
    pub operations: Router,
}

/// Everything that is answered on `LISTEN`.
fn routes(parts: Parts<'_>) -> Router {
    // The last layer is the outermost.
    parts.operations.layer(CatchPanicLayer::new()).layer(from_fn(request_log::log)).layer(from_fn(request_id::assign))
}

/// Serves what `build` makes of the parts until `stop` begins, and then ends in order.
///
/// # Errors
/// The database is unreachable or its schema not current, an address is taken, or what `build` refuses.
pub async fn serve(
    config: &Config,
    clock: &Clock,
    migrate: bool,
    stop: &Stop,
    build: impl FnOnce(Parts<'_>) -> Result<Router, Failure>,
) -> Result<(), Failure> {
    let store = tokio::select! {
        store = open(config, migrate) => store?,
        // Nothing is in flight yet.
        () = stop.begun() => return Ok(()),
    };
    let counted = Metrics::install()?;
    tokio::spawn(counted.clone().keep_small());
    let metrics = metrics::routes(counted, store.clone());
    let mut operations = health::routes(Readiness::new(store.clone(), stop.clone()));

    let mut servers = Vec::new();
    if let Some(address) = config.admin_listen {
        servers.push((listen(address, "ADMIN_LISTEN")?, metrics));
    } else {
        operations = operations.merge(metrics);
    }
    let router = build(Parts { config, store: &store, clock, operations })?;
    servers.push((listen(config.listen, "LISTEN")?, router));

    let serving = servers
        .into_iter()
        .map(|(listener, router)| server::serve(listener, router, Patience::default(), config.shutdown, stop.clone()));
    futures_util::future::try_join_all(serving).await.map_err(Failure::Serve)?;
    // A connection that is still at work would be waited for; the process ends it as well.
    let _ = timeout(LONGEST_CLOSE, store.close()).await;
    Ok(())
}

/// A database whose schema is current, migrated where that was asked for.
async fn open(config: &Config, migrate: bool) -> Result<Store, Failure> {
    let store = database::connect(&config.database).await?;
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
    let listener = server::listen(address).map_err(refuse)?;
    let address = listener.local_addr().map_err(refuse)?;
    tracing::info!(%address, setting, "listening");
    Ok(listener)
}

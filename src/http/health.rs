//! `/livez` and `/readyz`: whether the process runs, and whether it should be sent requests.
//!
//! SSO has no part in it: without SSO the answers are degraded, and taking every process out of service would not mend that.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use http::StatusCode;
use http::header::CACHE_CONTROL;
use http_server::Shutdown;
use serde::Serialize;
use tokio::sync::Mutex;
use utoipa::ToSchema;

use crate::store::{SchemaState, Store, StoreError};
use crate::telemetry::{chain, one_line};

/// Knows whether requests should be sent here. Clones are one.
#[derive(Debug, Clone)]
pub struct Readiness(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    store: Store,
    shutdown: Shutdown,
    /// A newer program may migrate the database while this one serves, as rolling upgrades do: that is no reason to stop.
    was_schema_current: AtomicBool,
    /// The last look at the database, shared by all who ask meanwhile: nobody needs a key to ask, and each look takes a
    /// connection of the pool.
    last: Mutex<Option<(Instant, Result<(), NotReady>)>>,
}

/// How long a look is true.
const TRUE_FOR: Duration = Duration::from_millis(100);

/// Why requests should not be sent here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
enum NotReady {
    #[serde(rename = "stopping")]
    Stopping,
    #[serde(rename = "database unreachable")]
    DatabaseUnreachable,
    #[serde(rename = "database schema not current")]
    SchemaNotCurrent,
}

/// `alive` is all that `/livez` says; the others are `/readyz`'s.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
enum Health {
    #[serde(rename = "alive")]
    Alive,
    #[serde(rename = "ready")]
    Ready,
    #[serde(rename = "not ready")]
    NotReady,
}

/// How the process is.
#[derive(Serialize, ToSchema)]
#[schema(as = HealthBody)]
struct Body {
    /// In a word.
    status: Health,
    /// Why it is not ready; absent where it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    reason: Option<NotReady>,
}

/// The cause is for the log; whoever asks is told no more than that.
fn unreachable_database(error: &StoreError) -> NotReady {
    tracing::warn!(error = chain(error), "not ready: the database does not answer");
    NotReady::DatabaseUnreachable
}

impl Readiness {
    /// Ready while `store` answers, its schema is current, and `shutdown` has not started.
    #[must_use]
    pub fn new(store: Store, shutdown: Shutdown) -> Self {
        Self(Arc::new(Inner { store, shutdown, was_schema_current: AtomicBool::new(false), last: Mutex::default() }))
    }

    async fn check(&self) -> Result<(), NotReady> {
        let Inner { shutdown, last, .. } = &*self.0;
        if shutdown.is_started() {
            return Err(NotReady::Stopping);
        }
        let looked = {
            let mut last = last.lock().await;
            match *last {
                Some((at, looked)) if at.elapsed() < TRUE_FOR => looked,
                _ => {
                    let looked = self.look().await;
                    *last = Some((Instant::now(), looked));
                    looked
                }
            }
        };
        // The shutdown may have started while the database was asked.
        if shutdown.is_started() { Err(NotReady::Stopping) } else { looked }
    }

    /// Checks the schema each time: the database may be dropped and recreated, or its file replaced.
    async fn look(&self) -> Result<(), NotReady> {
        let Inner { store, was_schema_current, .. } = &*self.0;
        let found = match store.schema_state().await {
            Ok(SchemaState::Current) => {
                was_schema_current.store(true, Ordering::Relaxed);
                return Ok(());
            }
            Ok(SchemaState::Unknown(_)) if was_schema_current.load(Ordering::Relaxed) => return Ok(()),
            Ok(state) => one_line(&format!("{state:?}")),
            Err(error) if error.is_schema_not_current() => chain(&error),
            Err(error) => return Err(unreachable_database(&error)),
        };
        tracing::warn!(found, "not ready: the database's schema is not current");
        Err(NotReady::SchemaNotCurrent)
    }
}

/// `/livez` and `/readyz`, without authentication.
pub fn routes(readiness: Readiness) -> Router {
    Router::new().route("/livez", get(live)).route("/readyz", get(ready)).with_state(readiness)
}

#[utoipa::path(
    get,
    path = "/livez",
    tag = "Operations",
    operation_id = "getLiveness",
    summary = "Whether the process runs",
    description = "200 as long as the process answers at all. Restart it when it does not.",
    responses((
        status = 200,
        description = "It runs.",
        body = Body,
        headers(("Cache-Control" = String, description = "`no-store`.")),
        example = json!({"status": "alive"}),
    )),
)]
pub(super) async fn live() -> Response {
    answer(StatusCode::OK, Body { status: Health::Alive, reason: None })
}

#[utoipa::path(
    get,
    path = "/readyz",
    tag = "Operations",
    operation_id = "getReadiness",
    summary = "Whether requests should be sent here",
    description = "200 while the database answers and its schema is current, until the process is told to stop. SSO has no \
        part in it: without SSO the answers are degraded.",
    responses(
        (
            status = 200,
            description = "Send requests.",
            body = Body,
            headers(("Cache-Control" = String, description = "`no-store`.")),
            example = json!({"status": "ready"}),
        ),
        (
            status = 503,
            description = "Send none.",
            body = Body,
            headers(("Cache-Control" = String, description = "`no-store`.")),
            example = json!({"status": "not ready", "reason": NotReady::DatabaseUnreachable}),
        ),
    ),
)]
pub(super) async fn ready(State(readiness): State<Readiness>) -> Response {
    match readiness.check().await {
        Ok(()) => answer(StatusCode::OK, Body { status: Health::Ready, reason: None }),
        Err(reason) => answer(StatusCode::SERVICE_UNAVAILABLE, Body { status: Health::NotReady, reason: Some(reason) }),
    }
}

fn answer(status: StatusCode, body: Body) -> Response {
    (status, [(CACHE_CONTROL, "no-store")], Json(body)).into_response()
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use http::Request;
    use tokio::time::sleep;
    use tower::ServiceExt;

    use super::*;

    struct Database {
        store: Store,
        _folder: tempfile::TempDir,
    }

    async fn database() -> Database {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}/test.db?mode=rwc", folder.path().display());
        Database { store: Store::connect(&url.into(), 1).await.unwrap(), _folder: folder }
    }

    async fn ask(readiness: &Readiness, path: &str) -> (StatusCode, String) {
        let request = Request::get(path).body(Body::empty()).unwrap();
        let response = routes(readiness.clone()).oneshot(request).await.unwrap();
        let status = response.status();
        let body = axum::body::to_bytes(response.into_body(), 1000).await.unwrap();
        (status, String::from_utf8(body.to_vec()).unwrap())
    }

    fn not_ready(reason: &str) -> (StatusCode, String) {
        (StatusCode::SERVICE_UNAVAILABLE, format!(r#"{{"status":"not ready","reason":"{reason}"}}"#))
    }

    fn is_ready() -> (StatusCode, String) {
        (StatusCode::OK, r#"{"status":"ready"}"#.to_owned())
    }

    #[tokio::test]
    async fn ready_comes_with_the_schema_and_goes_with_the_stop() {
        let database = database().await;
        let shutdown = Shutdown::new();
        let readiness = Readiness::new(database.store.clone(), shutdown.clone());
        assert_eq!(ask(&readiness, "/readyz").await, not_ready("database schema not current"));

        database.store.migrate().await.unwrap();
        sleep(TRUE_FOR).await;
        assert_eq!(ask(&readiness, "/readyz").await, is_ready());

        shutdown.start();
        assert_eq!(ask(&readiness, "/readyz").await, not_ready("stopping"));
        assert_eq!(ask(&readiness, "/livez").await.0, StatusCode::OK);
    }

    #[tokio::test]
    async fn a_database_that_does_not_answer_makes_the_process_unready_but_not_dead() {
        let database = database().await;
        database.store.migrate().await.unwrap();
        let readiness = Readiness::new(database.store.clone(), Shutdown::new());
        assert_eq!(ask(&readiness, "/readyz").await, is_ready());

        database.store.close().await;
        sleep(TRUE_FOR).await;
        assert_eq!(ask(&readiness, "/readyz").await, not_ready("database unreachable"));
        assert_eq!(ask(&readiness, "/livez").await.0, StatusCode::OK);
    }

    #[tokio::test]
    async fn whoever_asks_at_once_shares_one_look_at_the_database() {
        let database = database().await;
        database.store.migrate().await.unwrap();
        let readiness = Readiness::new(database.store.clone(), Shutdown::new());
        assert_eq!(ask(&readiness, "/readyz").await, is_ready());
        let before = (database.store.statements(), Instant::now());
        let answers = futures_util::future::join_all((0..500).map(|_| ask(&readiness, "/readyz"))).await;
        assert!(answers.iter().all(|answer| *answer == is_ready()));
        let looks = before.1.elapsed().as_millis() / TRUE_FOR.as_millis() + 1;
        assert!(u128::from(database.store.statements() - before.0) <= 2 * looks, "{looks} looks at the most");
    }
}

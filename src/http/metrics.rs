//! `/metrics`: what the process has counted, for Prometheus.

use axum::Router;
use axum::extract::State;
use axum::middleware::from_fn;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};

use super::router::NOTHING_HERE;
use super::security_headers;
use crate::rest::error::ErrorBody;
use crate::store::{PoolSize, Store};
use crate::telemetry::Metrics;

/// `/metrics`, without authentication. The pool is looked at when the answer is made.
pub fn routes(metrics: Metrics, store: Store) -> Router {
    let router = Router::new().route("/metrics", get(show)).with_state((metrics, store));
    // At an address of its own nothing else adds them.
    router.layer(from_fn(security_headers::complete))
}

#[utoipa::path(
    get,
    path = "/metrics",
    tag = "Operations",
    operation_id = "getMetrics",
    summary = "What the process has counted",
    description = "In Prometheus's text format. Where `ADMIN_LISTEN` is set they are answered there alone.",
    responses(
        (
            status = 200,
            description = "All counters, gauges and histograms.",
            body = String,
            content_type = "text/plain",
            headers(("Cache-Control" = String, description = "`no-store`.")),
            example = json!("# TYPE sso_circuit_open gauge\nsso_circuit_open 0\n"),
        ),
        (
            status = 404,
            description = "They are answered at another address.",
            body = ErrorBody<'_>,
            headers(("Cache-Control" = String, description = "`no-store`.")),
            example = json!({"error": NOTHING_HERE}),
        ),
    ),
)]
pub(super) async fn show(State((metrics, store)): State<(Metrics, Store)>) -> Response {
    let PoolSize { idle, in_use } = store.pool_size();
    ::metrics::gauge!("db_pool_connections", "state" => "idle").set(idle);
    ::metrics::gauge!("db_pool_connections", "state" => "in_use").set(in_use);
    let headers = [(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8"), (CACHE_CONTROL, "no-store")];
    (headers, metrics.render()).into_response()
}

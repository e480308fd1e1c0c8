//! `/metrics`: what the process has counted, for Prometheus.

use axum::Router;
use axum::response::IntoResponse;
use axum::routing::get;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};

use crate::store::{PoolSize, Store};
use crate::telemetry::Metrics;

/// `/metrics`, without authentication. The pool is looked at when the answer is made.
pub fn routes(metrics: Metrics, store: Store) -> Router {
    Router::new().route(
        "/metrics",
        get(async move || {
            let PoolSize { idle, in_use } = store.pool_size();
            ::metrics::gauge!("db_pool_connections", "state" => "idle").set(idle);
            ::metrics::gauge!("db_pool_connections", "state" => "in_use").set(in_use);
            let headers = [(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8"), (CACHE_CONTROL, "no-store")];
            (headers, metrics.render()).into_response()
        }),
    )
}

//! Every path on one screen, and the layers in one ordered stack.

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::StatusCode;
use axum::middleware::from_fn;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tower::ServiceBuilder;
use tower_http::catch_panic::CatchPanicLayer;

use crate::api_error::ApiError;
use crate::app::App;
use crate::front::body::LARGEST_BODY;
use crate::front::{request_id, request_log};
use crate::graphql::handler::{self as graphql, Endpoint};
use crate::rest::connections as rest;
use crate::rest::error::RestError;

/// All routes of the server. `operations` are `/livez`, `/readyz` and, unless it has an address of its own, `/metrics`.
pub fn router(app: &App, graphql: Endpoint, operations: Router) -> Router {
    let connections = Router::new()
        .route("/connections", get(rest::list).post(rest::repair))
        .route("/connections/{id}", get(rest::get))
        .with_state(app.clone());
    let graphql = Router::new().route("/graphql", get(graphql::handle).post(graphql::handle)).with_state(graphql);

    Router::new()
        .merge(connections)
        .merge(graphql)
        .merge(operations)
        .fallback(not_found)
        .method_not_allowed_fallback(method_not_allowed)
        .layer(DefaultBodyLimit::max(LARGEST_BODY))
        .layer(
            // The outermost first.
            ServiceBuilder::new()
                .layer(from_fn(request_id::assign))
                .layer(from_fn(request_log::log))
                .layer(CatchPanicLayer::custom(panicked)),
        )
}

async fn not_found() -> Response {
    RestError::new(StatusCode::NOT_FOUND, ApiError::bad_input("there is nothing at this path")).into_response()
}

async fn method_not_allowed() -> Response {
    let text = "this path does not have this method; the header Allow names those it has";
    RestError::new(StatusCode::METHOD_NOT_ALLOWED, ApiError::bad_input(text)).into_response()
}

/// A defect of ours: the panic's own text is in the log, and goes no further.
fn panicked(_panic: Box<dyn std::any::Any + Send>) -> axum::http::Response<axum::body::Body> {
    tracing::error!("a request panicked");
    RestError::from(ApiError::internal()).into_response()
}

//! Every path on one screen, and the layers in one ordered stack.

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tower::ServiceBuilder;
use tower_http::catch_panic::CatchPanicLayer;

use crate::api_error::ApiError;
use crate::app::App;
use crate::front::body::LARGEST_BODY;
use crate::front::capacity::{Admission, Capacity, admit};
use crate::front::{request_id, request_log};
use crate::graphql::handler::{self as graphql, Endpoint};
use crate::rest::connections as rest;
use crate::rest::error::RestError;

use super::compression::{self, Compressor};
use super::home::{self, Contents};
use super::{cors, docs, framing, graphiql, refusals, security_headers};

/// What of the router is a matter of settings. By default none of it.
#[derive(Debug, Clone, Default)]
pub struct RouterOptions {
    /// Whether `/graphiql` is there.
    pub graphiql: bool,
    /// Whether `/docs`, `/openapi.json` and `/openapi-3.0.json` are there.
    pub docs: bool,
    /// Whether `/metrics` is among the operations, so that `/` names it.
    pub metrics: bool,
    /// The origins whose pages may read answers. None: no answer says a word of CORS.
    pub cors_origins: Vec<HeaderValue>,
}

/// All routes of the server. `operations` are `/livez`, `/readyz` and, unless it has an address of its own, `/metrics`.
pub fn router(app: &App, graphql: Endpoint, operations: Router, options: RouterOptions) -> Router {
    let connections = Router::new()
        .route("/connections", get(rest::list).post(rest::repair))
        .route("/connections/{id}", get(rest::get))
        .with_state(app.clone());
    let graphql = Router::new().route("/graphql", get(graphql::handle).post(graphql::handle)).with_state(graphql);

    let RouterOptions { graphiql, docs, metrics, cors_origins } = options;
    let contents = Contents { graphiql, docs, metrics, schema: app.settings.introspection };
    let mut pages = home::routes(contents);
    if graphiql {
        pages = pages.merge(graphiql::routes());
    }
    if docs {
        pages = pages.merge(docs::routes());
    }

    let cors = cors::layer(cors_origins);
    let answers = Router::new()
        .merge(connections)
        .merge(graphql)
        .merge(operations)
        .merge(pages)
        .fallback(not_found)
        .method_not_allowed_fallback(method_not_allowed)
        .layer(DefaultBodyLimit::max(LARGEST_BODY))
        .layer(
            // The outermost first.
            ServiceBuilder::new()
                .layer(from_fn(request_id::assign))
                .layer(from_fn(request_log::log))
                .layer(from_fn(security_headers::complete))
                .layer(from_fn(framing::require_unambiguous))
                // Around what may panic, so that a page on another origin can read that answer too.
                .option_layer(cors.clone())
                .layer(CatchPanicLayer::custom(panicked))
                .layer(from_fn_with_state(Compressor::default(), compression::compress)),
        );
    let capacity = Capacity::new(app.settings.max_concurrent_requests);
    let admission = Admission { capacity, is_limited: refusals::is_limited, refusals: refusals::router(cors) };
    Router::new().fallback_service(answers).layer(from_fn_with_state(admission, admit))
}

pub(super) const NOTHING_HERE: &str = "there is nothing at this path";

async fn not_found() -> Response {
    RestError::new(StatusCode::NOT_FOUND, ApiError::bad_input(NOTHING_HERE)).into_response()
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

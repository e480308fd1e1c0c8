//! The answers to requests that there is no place for. There may be any number of them, in the very moment in which there is
//! no time for anything: so they are made without the layers, of the same parts, and are not logged one by one.

use axum::Router;
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use http::Method;
use tower_http::cors::CorsLayer;

use crate::api_error::ApiError;
use crate::front::request_id::RequestId;
use crate::front::request_log;
use crate::graphql::handler as graphql;
use crate::rest::error::RestError;

use super::security_headers;
use super::unambiguous::Clarity;

/// Whether a request needs a place. Pages and operations are always answered: they cost little, and whoever looks after the
/// server needs them most then. So is what a browser asks before it asks.
pub(super) fn is_limited(request: &Request) -> bool {
    let path = request.uri().path();
    let is_one = |id: &str| !id.is_empty() && !id.contains('/');
    let has_places =
        matches!(path, "/graphql" | "/connections") || path.strip_prefix("/connections/").is_some_and(is_one);
    has_places && request.method() != Method::OPTIONS
}

/// Refuses all that is limited, each front end's requests in its own words.
pub(super) fn router(cors: Option<CorsLayer>) -> Router {
    let by_rest = any(async |request| refuse(request, |_, error| RestError::from(error).into_response()));
    let by_graphql = any(async |request| refuse(request, graphql::refuse));
    let routes = Router::new()
        .route("/connections", by_rest.clone())
        .route("/connections/{id}", by_rest)
        .route("/graphql", by_graphql);
    match cors {
        Some(cors) => routes.layer(cors),
        None => routes,
    }
}

fn refuse(mut request: Request, tell: fn(&Request, ApiError) -> Response) -> Response {
    let (id, clarity) = (RequestId::for_request(request.headers()), Clarity::of(&request));
    request.extensions_mut().insert(id.clone());
    let mut response = tell(&request, ApiError::overloaded());
    let headers = response.headers_mut();
    clarity.settle(headers);
    security_headers::add(headers);
    id.mark(headers);
    request_log::count_refused(&request, response.status());
    response
}

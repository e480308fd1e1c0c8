//! The answers to requests that there is no place for. There may be any number of them, in the very moment in which there is
//! no time for anything: so they are made without the layers, of the same parts, and are not logged one by one.

use axum::Router;
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use http::Method;
use http_server::FramingCheck;
use metrics::counter;
use tower_http::cors::CorsLayer;

use crate::api_error::ApiError;
use crate::front::request_id::{RequestId, X_REQUEST_ID};
use crate::front::request_log;
use crate::graphql::handler as graphql;
use crate::rest::error::RestError;

use super::security_headers;

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
    let (id, framing) = (RequestId::for_request(request.headers()), FramingCheck::new(&request));
    request.extensions_mut().insert(id.clone());
    let mut response = tell(&request, ApiError::overloaded());
    let headers = response.headers_mut();
    framing.finish(headers);
    security_headers::add(headers);
    id.mark(headers);
    request_log::count_refused(&request, response.status());
    response
}

/// Replaces a response that exceeds the server's response memory, after all layers.
#[must_use]
pub fn response_memory_exceeded(response: &Response) -> Response {
    counter!("http_requests_shed_total").increment(1);
    let mut rejection = RestError::from(ApiError::overloaded()).into_response();
    let headers = rejection.headers_mut();
    if let Some(id) = response.headers().get(X_REQUEST_ID) {
        headers.insert(X_REQUEST_ID, id.clone());
    }
    security_headers::add(headers);
    rejection
}

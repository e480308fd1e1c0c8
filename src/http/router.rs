//! Every path on one screen, and the layers in one ordered stack.

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tower::ServiceBuilder;
use tower_http::catch_panic::CatchPanicLayer;

use crate::api_error::ApiError;
use crate::app::App;
use crate::graphql::handler::{self as graphql, Endpoint};
use crate::rest::connections as rest;
use crate::rest::error::RestError;

/// The largest body of a REST request, in bytes.
const LARGEST_BODY: usize = 256 * 1024;

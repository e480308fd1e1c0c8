//! The three legacy routes.

use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, PathRejection};
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::Value;

use crate::api_error::{ApiError, ErrorCode};
use crate::app::App;
use crate::domain::id::{InvalidId, ObjectId, SsoConnectionId};
use crate::domain::repair::{RepairRefusal, RepairVia};
use crate::domain::selection::{Filter, Order, Window};
use crate::domain::wanted::Wanted;
use crate::front::authentication::require_superuser;
use crate::front::body::{json_parameters, refuse_encoded, whole};
use crate::front::degraded::{Frontend, mark_degraded};
use crate::front::request_id::RequestId;
use crate::front::request_log::RequestFacts;
use crate::front::validator::Validator;
use crate::service::Consistency;
use crate::service::list::ListQuery;
use crate::service::repair::RepairRequest;

use super::caller::RestCaller;
use super::dto::{Created, Envelope, ListedConnection, SingleConnection};
use super::error::RestError;
use super::list_parameters::ListParameters;

/// `GET /connections`: the reconciled list.
///
/// # Errors
/// 400, 401, 503.
pub async fn list(
    State(app): State<App>,
    RestCaller(caller): RestCaller,
    request_id: RequestId,
    facts: RequestFacts,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, RestError> {
    let parameters = ListParameters::parse(query.as_deref().unwrap_or_default())?;
    let list_query = ListQuery {
        filter: Filter { relationship_type: parameters.relationship_type, ..Filter::default() },
        order: Order::default(),
        window: Window::ALL,
        wanted: Wanted::ALL,
        consistency: Consistency::FailOpen,
    };
    let views = app.connections.views(request_id.as_str(), app.connections.sso_allowance());
    let list = app.connections.list(&caller.account, &list_query, &views).await?;
    facts.sso(list.sso().outcome());
    let degraded = list.is_degraded();
    let connections: Vec<_> = list.connections().collect();
    let connections: Result<Vec<_>, _> = connections.iter().map(ListedConnection::try_from).collect();
    let connections = connections.map_err(ApiError::from)?;
    let body = if parameters.envelope { to_json(&Envelope { degraded, connections })? } else { to_json(&connections)? };
    let mut response = if degraded { ([CONTENT_TYPE_JSON], body).into_response() } else { conditional(body, &headers) };
    if degraded {
        mark_degraded(response.headers_mut(), Frontend::Rest);
    }
    Ok(response)
}

/// `GET /connections/{id}`: one row, by any of its three ids.
///
/// # Errors
/// 400, 401, 404, 503.
pub async fn get(
    State(app): State<App>,
    RestCaller(caller): RestCaller,
    id: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
) -> Result<Response, RestError> {
    let id = id
        .ok()
        .and_then(|Path(id)| ObjectId::parse(&id).ok())
        .ok_or_else(|| ApiError::bad_input(format!("invalid id: {InvalidId}")))?;
    match app.connections.get_local(&caller.account, id).await? {
        Some(connection) => Ok(conditional(to_json(&SingleConnection::from(&connection))?, &headers)),
        None => Err(RestError::new(StatusCode::NOT_FOUND, ApiError::bad_input("connection not found"))),
    }
}

/// `POST /connections`: a superuser's repair of a missing row.
///
/// # Errors
/// 400, 401, 409, 415, 422, 503.
pub async fn repair(
    State(app): State<App>,
    RestCaller(caller): RestCaller,
    request_id: RequestId,
    facts: RequestFacts,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, RestError> {
    require_superuser(&caller)?;
    let connection_id = connection_id(&headers, body)?;
    let request = RepairRequest {
        connection_id,
        is_dry_run: false,
        reason: None,
        via: RepairVia::Rest,
        request_id: request_id.as_str().into(),
        sso_allowance: app.connections.sso_allowance(),
    };
    let repair = app.connections.repair(&caller, None, request).await?;
    facts.sso(repair.sso);
    match (repair.result, repair.plan) {
        (Ok(_), Some(row)) => Ok((StatusCode::CREATED, Json(Created { id: row.id.0 })).into_response()),
        (Ok(_), None) => Err(ApiError::internal().into()),
        (Err(refusal), _) => Err(refused(refusal)),
    }
}

fn refused(refusal: RepairRefusal) -> RestError {
    let (status, code) = match refusal {
        RepairRefusal::AlreadyExists => (StatusCode::CONFLICT, ErrorCode::BadUserInput),
        RepairRefusal::SsoConnectionNotFound | RepairRefusal::AccountNotFound => {
            (StatusCode::UNPROCESSABLE_ENTITY, ErrorCode::BadUserInput)
        }
        RepairRefusal::SsoUnavailable => (StatusCode::SERVICE_UNAVAILABLE, ErrorCode::SsoUnavailable),
    };
    RestError::new(status, ApiError::new(code, refusal.explanation()))
}

/// Reads `{"connection_id": "<24 hex>"}`.
fn connection_id(headers: &HeaderMap, body: Result<Bytes, BytesRejection>) -> Result<SsoConnectionId, RestError> {
    refuse_encoded(headers).map_err(|(status, error)| RestError::new(status, error))?;
    if json_parameters(headers).is_none() {
        let error = ApiError::bad_input("the Content-Type must be application/json");
        return Err(RestError::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, error));
    }
    let body = whole(body).map_err(|(status, error)| RestError::new(status, error))?;
    let body: Value = serde_json::from_slice(&body).map_err(|_| ApiError::bad_input("the body is not valid JSON"))?;
    let Value::Object(fields) = body else {
        return Err(ApiError::bad_input("the body must be a JSON object like {\"connection_id\": \"…\"}").into());
    };
    match fields.get("connection_id") {
        None => Err(ApiError::bad_input("missing connection_id").into()),
        Some(Value::String(text)) => Ok(text.parse().map_err(|_| invalid_connection_id())?),
        Some(_) => Err(invalid_connection_id().into()),
    }
}

fn invalid_connection_id() -> ApiError {
    ApiError::bad_input(format!("invalid connection_id: {InvalidId}"))
}

fn to_json(value: &impl Serialize) -> Result<Vec<u8>, RestError> {
    serde_json::to_vec(value).map_err(|error| {
        tracing::error!(error = %error, "an answer could not be written");
        ApiError::internal().into()
    })
}

const CONTENT_TYPE_JSON: (HeaderName, HeaderValue) =
    (header::CONTENT_TYPE, HeaderValue::from_static("application/json"));

/// An answer that may be kept as long as it is asked for again each time.
fn conditional(body: Vec<u8>, request: &HeaderMap) -> Response {
    let mut response = Validator::answer(body, request);
    let is_whole = response.status() == StatusCode::OK;
    let headers = response.headers_mut();
    if is_whole {
        let (name, value) = CONTENT_TYPE_JSON;
        headers.insert(name, value);
    }
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    headers.insert(header::VARY, HeaderValue::from_static("Authorization"));
    response
}

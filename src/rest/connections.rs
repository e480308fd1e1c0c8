//! The three legacy routes.

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, RawQuery, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::api_error::ApiError;
use crate::app::App;
use crate::domain::connection::RelationshipType;
use crate::domain::id::{ObjectId, SsoConnectionId};
use crate::domain::json_shape::{Shape, member};
use crate::domain::repair::RepairVia;
use crate::domain::selection::{Filter, Order, Window};
use crate::domain::wanted::Wanted;
use crate::front::authentication::require_superuser;
use crate::front::body::{self, json_charset, refuse_encoded};
use crate::front::degraded::{Frontend, mark_degraded};
use crate::front::request_id::RequestId;
use crate::front::request_json;
use crate::front::request_log::RequestFacts;
use crate::front::validator::Validator;
use crate::service::Consistency;
use crate::service::list::ListQuery;
use crate::service::repair::RepairRequest;

use super::caller::RestCaller;
use super::dto::{Created, Envelope, List, ListedConnection, Repair, SingleConnection};
use super::error::RestError;
use super::list_parameters::ListParameters;
use super::{examples, refusals, responses};

/// `GET /connections`: the reconciled list.
///
/// # Errors
/// 400, 401, 429, 503.
#[utoipa::path(
    get,
    path = "/connections",
    tag = "Connections",
    operation_id = "listConnections",
    summary = "List connections",
    description = "Returns the calling account's reconciled list of connections: LeadConduit's own rows merged with SSO's \
        list, the source of truth. Each entry is `completed` or `sso_only`.\n\nWhen SSO is unreachable, the list fails open: \
        200 with LeadConduit's rows only, empty `permissions` and the header `X-Connections-Degraded: true`.\n\nWith \
        `?envelope=true`, an older published form of this call, the array comes in an object beside the same mark: \
        `{\"degraded\": false, \"connections\": [...]}`. It is described here alone, so that clients that are generated from \
        this description read one shape.",
    params(
        ("relationship_type" = Option<RelationshipType>, Query, description = "Only entries of this type."),
        (
            "If-None-Match" = Option<String>, Header, nullable = false,
            description = "`ETag`s of answers that the client has, to be told by 304 if one is still true.",
        ),
    ),
    responses(
        (status = 200, response = responses::ReconciledList),
        (status = 304, response = responses::NotModified),
        (status = 400, response = responses::InvalidParameter),
        (status = 401, response = responses::NoKey),
        (status = 429, response = responses::TooManyRequests),
        (status = 500, response = responses::Internal),
        (status = 503, response = responses::Unavailable),
    ),
)]
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
    let list =
        if parameters.envelope { List::Enveloped(Envelope { degraded, connections }) } else { List::Bare(connections) };
    let body = to_json(&list)?;
    let mut response = if degraded { ([CONTENT_TYPE_JSON], body).into_response() } else { conditional(body, &headers) };
    if degraded {
        mark_degraded(response.headers_mut(), Frontend::Rest);
    }
    Ok(response)
}

/// `GET /connections/{id}`: one row, by any of its three ids.
///
/// # Errors
/// 400, 401, 404, 429, 503.
#[utoipa::path(
    get,
    path = "/connections/{id}",
    tag = "Connections",
    operation_id = "getConnection",
    summary = "Get connection by ID",
    description = "Retrieves a connection by its unique identifier, its SSO connection id, or its invitation id, in this \
        order; of several connections with one invitation, the first in the list's order. SSO is not asked: a connection \
        that exists in SSO alone is not found.",
    params(
        (
            "id" = String, Path, pattern = "^[0-9a-fA-F]{24}$", example = json!(examples::ID),
            description = "The connection's unique identifier, SSO connection id, or invitation id.",
        ),
        (
            "If-None-Match" = Option<String>, Header, nullable = false,
            description = "`ETag`s of answers that the client has, to be told by 304 if one is still true.",
        ),
    ),
    responses(
        (status = 200, response = responses::OneConnection),
        (status = 304, response = responses::NotModified),
        (status = 400, response = responses::InvalidId),
        (status = 401, response = responses::NoKey),
        (status = 404, response = responses::NotFound),
        (status = 429, response = responses::TooManyRequests),
        (status = 500, response = responses::Internal),
        (status = 503, response = responses::Unavailable),
    ),
)]
pub async fn get(
    State(app): State<App>,
    RestCaller(caller): RestCaller,
    id: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
) -> Result<Response, RestError> {
    let id = id.ok().and_then(|Path(id)| ObjectId::parse(&id).ok()).ok_or_else(refusals::invalid_id)?;
    match app.connections.get_local(&caller.account, id).await? {
        Some(connection) => Ok(conditional(to_json(&SingleConnection::from(&connection))?, &headers)),
        None => Err(refusals::not_found()),
    }
}

/// `POST /connections`: a superuser's repair of a missing row.
///
/// # Errors
/// 400, 401, 408, 409, 413, 415, 422, 429, 503.
#[utoipa::path(
    post,
    path = "/connections",
    tag = "Connections",
    operation_id = "repairConnection",
    summary = "Repair: materialize a missing LC connection",
    description = "Superuser-only. Given a `connection_id`, fetches the corresponding NetworkConnection from SSO and inserts \
        the matching row. Used when an invitation message was missed and LeadConduit's row was never created.\n\nDoes not \
        modify account entities and does not redeploy any flow. When SSO cannot be asked nothing is written.",
    request_body(content = Repair, description = "Which connection.", example = json!({"connection_id": examples::ID})),
    responses(
        (status = 201, response = responses::Repaired),
        (status = 400, response = responses::InvalidRepair),
        (status = 401, response = responses::NoSuperuser),
        (status = 408, response = responses::TooSlow),
        (status = 409, response = responses::AlreadyExists),
        (status = 413, response = responses::TooLarge),
        (status = 415, response = responses::NotPlainJson),
        (status = 422, response = responses::UnknownToSso),
        (status = 429, response = responses::TooManyRequests),
        (status = 500, response = responses::Internal),
        (status = 503, response = responses::RepairUnavailable),
    ),
)]
pub async fn repair(
    State(app): State<App>,
    RestCaller(caller): RestCaller,
    request_id: RequestId,
    facts: RequestFacts,
    request: Request,
) -> Result<Response, RestError> {
    require_superuser(&caller)?;
    let connection_id = wanted(request).await?;
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
        (Err(refusal), _) => Err(refusals::repair_refused(refusal)),
    }
}

/// What a repair's body asks for.
async fn wanted(request: Request) -> Result<SsoConnectionId, RestError> {
    refuse_encoded(request.headers()).map_err(|(status, error)| RestError::new(status, error))?;
    // Any charset is accepted, as in the old service. An id is ASCII, so no charset can make it another id.
    if json_charset(request.headers()).is_none() {
        return Err(refusals::not_json_type());
    }
    let body = body::read(request).await.map_err(|(status, error)| RestError::new(status, error))?;
    Ok(connection_id(&body)?)
}

/// Reads `{"connection_id": "<24 hex>"}` and ignores all other members.
pub(crate) fn connection_id(body: &[u8]) -> Result<SsoConnectionId, ApiError> {
    let members = request_json::object(body).map_err(refusals::invalid_body)?;
    match member(&members, "connection_id").map(Shape::parse) {
        None => Err(refusals::missing_connection_id()),
        Some(Shape::String(text)) => {
            text.unwrap_or_default().parse().map_err(|_| refusals::invalid_connection_id(None))
        }
        Some(other) => Err(refusals::invalid_connection_id(Some(other.kind()))),
    }
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
    let (_, content_type) = CONTENT_TYPE_JSON;
    let mut response = Validator::of(&body).answer(content_type, body, request);
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    headers.insert(header::VARY, HeaderValue::from_static("Authorization"));
    response
}

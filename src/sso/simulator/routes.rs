//! The simulator's routes: SSO's two calls, and its own switches under `/__…`.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};

use axum::body::Bytes;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};
use url::form_urlencoded;

use super::{Scenario, Simulator};
use crate::domain::id::{SsoConnectionId, SsoId};
use crate::sso::wire::{NetworkConnection, Page};

const MOST_ACCOUNTS: usize = 50;

pub(super) fn router(simulator: Simulator) -> Router {
    let sso = Router::new()
        .route("/network_connections", get(list))
        .route("/network_connections/{id}", get(single))
        .layer(from_fn_with_state(simulator.clone(), act));
    let switches = Router::new()
        .route("/__scenario", get(scenario).put(switch))
        .route("/__calls", get(async |State(simulator): State<Simulator>| Json(simulator.calls())));
    sso.merge(switches).with_state(simulator)
}

fn error(status: StatusCode, text: impl Into<String>) -> Response {
    (status, Json(json!({"error": text.into()}))).into_response()
}

/// Being down, and the token, come before everything else.
async fn act(State(simulator): State<Simulator>, request: Request, next: Next) -> Response {
    if simulator.state().scenario == Scenario::Down {
        return error(StatusCode::SERVICE_UNAVAILABLE, "down, by scenario");
    }
    if let Some(token) = &simulator.token {
        let given = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        if given != Some(&format!("Bearer {token}")) {
            return error(StatusCode::UNAUTHORIZED, "a bearer token is required");
        }
    }
    next.run(request).await
}

struct Asked {
    accounts: HashSet<SsoId>,
    limit: usize,
    offset: usize,
}

fn asked(query: &str) -> Result<Asked, String> {
    let mut asked = Asked { accounts: HashSet::new(), limit: 500, offset: 0 };
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        match &*name {
            "account_ids" => {
                for id in value.split(',') {
                    asked.accounts.insert(id.parse().map_err(|_| format!("account_ids holds {id:?}, which is no id"))?);
                }
            }
            "limit" => {
                asked.limit = value.parse().ok().filter(|limit| (1..=500).contains(limit)).ok_or("limit is 1 to 500")?
            }
            "cursor" => {
                asked.offset =
                    value.strip_prefix("from-").and_then(|at| at.parse().ok()).ok_or("cursor is not one of ours")?
            }
            _ => {}
        }
    }
    if asked.accounts.is_empty() || asked.accounts.len() > MOST_ACCOUNTS {
        return Err(format!("account_ids must hold 1 to {MOST_ACCOUNTS} ids"));
    }
    Ok(asked)
}

async fn list(State(simulator): State<Simulator>, headers: HeaderMap, request: Request) -> Response {
    let Asked { accounts, limit, offset } = match asked(request.uri().query().unwrap_or_default()) {
        Ok(asked) => asked,
        Err(text) => return error(StatusCode::BAD_REQUEST, text),
    };
    let mut state = simulator.state();
    let takes_part = |one: &&NetworkConnection| accounts.contains(&one.buyer.id) || accounts.contains(&one.seller.id);
    let listed: Vec<NetworkConnection> = state.listed.iter().filter(takes_part).cloned().collect();
    let etag = etag(&listed);
    if offset > 0 {
        state.calls.further_pages += 1;
        if state.scenario == Scenario::PageFails {
            return error(StatusCode::INTERNAL_SERVER_ERROR, "a later page fails, by scenario");
        }
    } else {
        state.calls.list += 1;
        if headers.get(header::IF_NONE_MATCH).is_some_and(|given| *given == *etag) {
            state.calls.not_modified += 1;
            return (StatusCode::NOT_MODIFIED, [(header::ETAG, etag)]).into_response();
        }
    }
    let limit = limit.min(state.largest_page);
    let next = offset.saturating_add(limit);
    let next_cursor = (next < listed.len()).then(|| format!("from-{next}"));
    let network_connections = listed.into_iter().skip(offset).take(limit).collect();
    ([(header::ETAG, etag)], Json(Page { network_connections, next_cursor })).into_response()
}

/// Strong, over the whole answer set: the same on every page.
fn etag(listed: &[NetworkConnection]) -> String {
    let mut hasher = DefaultHasher::new();
    for one in listed {
        json!(one).to_string().hash(&mut hasher);
    }
    format!("\"{:016x}\"", hasher.finish())
}

async fn single(State(simulator): State<Simulator>, Path(id): Path<String>) -> Response {
    let mut state = simulator.state();
    state.calls.single += 1;
    let Ok(id) = id.parse::<SsoConnectionId>() else { return error(StatusCode::NOT_FOUND, "not found") };
    match state.listed.iter().find(|one| one.id == id) {
        Some(found) => Json(found).into_response(),
        None => error(StatusCode::NOT_FOUND, "not found"),
    }
}

async fn scenario(State(simulator): State<Simulator>) -> Json<Value> {
    Json(json!({"scenario": simulator.state().scenario}))
}

async fn switch(State(simulator): State<Simulator>, body: Bytes) -> Response {
    let wanted = serde_json::from_slice::<Value>(&body)
        .ok()
        .and_then(|body| serde_json::from_value(body["scenario"].clone()).ok());
    let Some(wanted) = wanted else {
        let text = r#"send {"scenario": "ok"}; the scenarios are ok, down and page-fails"#;
        return error(StatusCode::BAD_REQUEST, text);
    };
    simulator.set_scenario(wanted);
    Json(json!({"scenario": wanted})).into_response()
}

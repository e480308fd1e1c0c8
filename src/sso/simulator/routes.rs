//! The simulator over HTTP: SSO's two routes, and `/__scenario` and `/__calls` to steer and watch it by.

use std::collections::BTreeSet;
use std::sync::atomic::Ordering;

use axum::body::Bytes;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, Request, State};
use axum::http::header::{AUTHORIZATION, ETAG, IF_NONE_MATCH};
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::middleware::{self, Next};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use super::data::parse_cursor;
use super::scenario::{SLOWNESS, Scenario, Trouble, UnknownScenario, known};
use super::{Calls, Simulator};
use crate::domain::id::SsoId;
use crate::sso::wire::{MAX_ACCOUNTS, PAGE_LIMIT};

#[derive(Deserialize)]
struct ListQuery {
    account_ids: String,
    limit: Option<usize>,
    cursor: Option<String>,
}

#[derive(Serialize)]
struct ServedPage<'data> {
    network_connections: Vec<&'data RawValue>,
    next_cursor: Option<String>,
}

pub(super) fn router(simulator: Simulator) -> Router {
    let sso = Router::new()
        .route("/network_connections", get(list))
        .route("/network_connections/{id}", get(single))
        .layer(middleware::from_fn_with_state(simulator.clone(), guard));
    Router::new()
        .merge(sso)
        .route("/__scenario", get(scenario).put(set_scenario).delete(reset_scenarios))
        .route("/__calls", get(calls))
        .fallback(async || refusal(StatusCode::NOT_FOUND, "not found"))
        .with_state(simulator)
}

/// Counts every SSO call, and turns it away when the token is not right.
async fn guard(State(simulator): State<Simulator>, request: Request, next: Next) -> Response {
    count(&simulator, request.uri());
    if !is_authorized(&simulator, request.headers()) {
        return refusal(StatusCode::UNAUTHORIZED, "no valid bearer token");
    }
    next.run(request).await
}

fn count(simulator: &Simulator, uri: &Uri) {
    let inner = &simulator.inner;
    let counter = if uri.path() != "/network_connections" {
        &inner.single
    } else if has_parameter(uri.query().unwrap_or_default(), "cursor") {
        &inner.further_pages
    } else {
        &inner.list
    };
    counter.fetch_add(1, Ordering::Relaxed);
}

fn is_authorized(simulator: &Simulator, headers: &HeaderMap) -> bool {
    let Some(token) = &simulator.token else { return true };
    let sent = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    sent.and_then(|value| value.strip_prefix("Bearer ")) == Some(token.expose_secret())
}

fn has_parameter(query: &str, name: &str) -> bool {
    url::form_urlencoded::parse(query.as_bytes()).any(|(key, _)| key == name)
}

async fn list(
    State(simulator): State<Simulator>,
    query: Result<Query<ListQuery>, QueryRejection>,
    headers: HeaderMap,
) -> Response {
    let Ok(Query(ListQuery { account_ids, limit, cursor })) = query else {
        return refusal(StatusCode::BAD_REQUEST, "account_ids is needed; limit is a number, and cursor a text");
    };
    let Some(accounts) = parse_accounts(&account_ids) else {
        return refusal(StatusCode::BAD_REQUEST, "account_ids: 1 to 50 ids, separated by commas");
    };
    let limit = limit.unwrap_or(PAGE_LIMIT);
    if !(1..=PAGE_LIMIT).contains(&limit) {
        return refusal(StatusCode::BAD_REQUEST, "limit: 1 to 500");
    }
    let after = match cursor.as_deref().map(parse_cursor) {
        None => None,
        Some(Some(after)) => Some(after),
        Some(None) => return refusal(StatusCode::BAD_REQUEST, "cursor: not one of this service"),
    };
    let trouble = simulator.scenarios_mut().meet_list(&accounts, after.is_some());
    if let Some(response) = endure(trouble).await {
        return response;
    }

    let set = simulator.data().of(&accounts, &simulator.scenarios());
    let etag = set.etag(&accounts);
    if after.is_none() && matches_validator(&headers, &etag) {
        simulator.inner.not_modified.fetch_add(1, Ordering::Relaxed);
        return (StatusCode::NOT_MODIFIED, [(ETAG, etag)]).into_response();
    }
    let (network_connections, next_cursor) = set.page(after, limit.min(simulator.page_size()));
    ([(ETAG, etag)], Json(ServedPage { network_connections, next_cursor })).into_response()
}

fn parse_accounts(text: &str) -> Option<BTreeSet<SsoId>> {
    let accounts: BTreeSet<SsoId> = text.split(',').map(str::parse).collect::<Result<_, _>>().ok()?;
    (accounts.len() <= MAX_ACCOUNTS).then_some(accounts)
}

fn matches_validator(headers: &HeaderMap, etag: &str) -> bool {
    let validators = headers.get_all(IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    validators
        .flat_map(|value| value.split(','))
        .any(|validator| matches!(validator.trim(), "*") || validator.trim() == etag)
}

async fn single(State(simulator): State<Simulator>, Path(id): Path<String>) -> Response {
    let served = id.parse().ok().and_then(|id| simulator.data().get(id, &simulator.scenarios()));
    let trouble = simulator.scenarios_mut().meet_single(served.iter().flat_map(|served| served.parties));
    if let Some(response) = endure(trouble).await {
        return response;
    }
    match served.filter(|served| !simulator.scenarios().revokes(served.parties)) {
        Some(served) => Json(&served.json).into_response(),
        None => refusal(StatusCode::NOT_FOUND, "no such connection"),
    }
}

/// What trouble answers, if it does not let the call through.
async fn endure(trouble: Trouble) -> Option<Response> {
    match trouble {
        Trouble::None => None,
        Trouble::Down => Some(refusal(StatusCode::SERVICE_UNAVAILABLE, "down, as the scenario wants")),
        Trouble::Slow => {
            tokio::time::sleep(SLOWNESS).await;
            None
        }
        Trouble::Hang => std::future::pending().await,
        Trouble::Error => Some(refusal(StatusCode::INTERNAL_SERVER_ERROR, "it fails, as the scenario wants")),
        Trouble::Garbage => Some(Html("<html><body>Welcome! Please log in.</body></html>").into_response()),
    }
}

async fn scenario(State(simulator): State<Simulator>) -> Response {
    let known = Scenario::ALL.map(|scenario| (scenario.to_string(), scenario.meaning().into()));
    let mut answer = now(&simulator);
    answer["known"] = Map::from_iter(known).into();
    Json(answer).into_response()
}

/// How it behaves: for all, and for the accounts that differ.
fn now(simulator: &Simulator) -> Value {
    let scenarios = simulator.scenarios();
    let own = scenarios.own().map(|(account, scenario)| (account.to_string(), scenario.as_str().into()));
    json!({"scenario": scenarios.default().as_str(), "accounts": own.collect::<Map<_, _>>()})
}

/// Takes the body whatever its content type, so that `curl -d` works as it is.
async fn set_scenario(State(simulator): State<Simulator>, body: Bytes) -> Response {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Wanted {
        scenario: String,
        account: Option<String>,
    }

    let Ok(wanted) = serde_json::from_slice::<Wanted>(&body) else {
        let shape = r#"the body must be {"scenario": "<word>"}, for one account alone also "account": "<SSO id>""#;
        return refusal(StatusCode::BAD_REQUEST, &format!("{shape}; known: {}", known()));
    };
    let scenario = match wanted.scenario.parse() {
        Ok(scenario) => scenario,
        Err(UnknownScenario) => return refusal(StatusCode::BAD_REQUEST, &UnknownScenario.to_string()),
    };
    match wanted.account.map(|account| account.parse()) {
        None => simulator.set_scenario(scenario),
        Some(Ok(account)) => simulator.set_account_scenario(account, scenario),
        Some(Err(error)) => return refusal(StatusCode::BAD_REQUEST, &format!("account: {error}")),
    }
    Json(now(&simulator)).into_response()
}

async fn reset_scenarios(State(simulator): State<Simulator>) -> Response {
    simulator.reset_scenarios();
    Json(now(&simulator)).into_response()
}

async fn calls(State(simulator): State<Simulator>) -> Json<Calls> {
    Json(simulator.calls())
}

fn refusal(status: StatusCode, text: &str) -> Response {
    (status, Json(json!({"error": text}))).into_response()
}

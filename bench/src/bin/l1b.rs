//! The yardstick L1b: what a good engineer writes by hand for one query. axum, sqlx, three statements, rows into
//! structs, `serde_json`. No merge with SSO, no authentication, no GraphQL.
//!
//! `l1b <listen> <database url>`, then `GET /connections?account=<id>`.

use std::collections::HashMap;
use std::error::Error;

use axum::extract::{Query, State};
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use axum::serve::ListenerExt;
use axum::{Router, serve};
use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize, Serializer};
use serde_json::value::RawValue;
use sqlx::postgres::PgPoolOptions;
use sqlx::types::Json;
use sqlx::{FromRow, PgPool};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[derive(FromRow)]
struct ConnectionRow {
    id: String,
    external_id: String,
    invitation_id: Option<String>,
    relationship_type: String,
    connected_account_id: Option<String>,
    connected_account_sso_id: String,
    connected_account_name: String,
    ui_state: Json<Box<RawValue>>,
    created_by: Option<String>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

#[derive(FromRow, Serialize)]
#[serde(rename_all = "camelCase")]
struct Entity {
    id: String,
    name: String,
    description: Option<String>,
    standard: Option<bool>,
    account: Option<bool>,
    pending: Option<bool>,
    #[sqlx(skip)]
    connected: Option<&'static str>,
    connected_account_id: Option<String>,
    deprecated: Option<bool>,
    see: Option<String>,
    field_suffix: Option<String>,
    invitation_id: Option<String>,
    #[serde(serialize_with = "maybe_time")]
    invitation_expires_at: Option<DateTime<Utc>>,
    #[sqlx(skip)]
    expired: Option<bool>,
    flow_ids: Option<Json<Box<RawValue>>>,
    logo_url: Option<String>,
    module_ids: Json<Box<RawValue>>,
    #[serde(serialize_with = "maybe_upper")]
    source: Option<String>,
    #[serde(serialize_with = "maybe_upper")]
    recipient: Option<String>,
    time_zone: Option<String>,
    trustedform_certified_vendor: Option<bool>,
    website: Option<String>,
    #[serde(serialize_with = "time")]
    created_at: DateTime<Utc>,
    #[serde(serialize_with = "time")]
    updated_at: DateTime<Utc>,
}

#[derive(FromRow, Serialize)]
struct Custom {
    id: String,
    #[serde(skip)]
    connected_account_id: String,
    name: String,
    #[serde(serialize_with = "maybe_upper")]
    source: Option<String>,
    #[serde(serialize_with = "maybe_upper")]
    recipient: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::struct_field_names, reason = "they are the answer's keys")]
struct Connection<'a> {
    connection_id: &'a str,
    sso_connection_id: &'a str,
    invitation_id: Option<&'a str>,
    status: &'static str,
    relationship_type: &'static str,
    created_at: Time,
    updated_at: Time,
    created_by: Option<&'a str>,
    ui_state: UiState<'a>,
    connected_account: Partner<'a>,
    account_entity: Option<&'a Entity>,
    custom_entities: &'a [Custom],
}

#[derive(Serialize)]
struct UiState<'a> {
    raw: &'a RawValue,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Partner<'a> {
    id: Option<&'a str>,
    sso_id: &'a str,
    name: &'a str,
}

struct Time(DateTime<Utc>);

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        time(&self.0, serializer)
    }
}

fn time<S: Serializer>(at: &DateTime<Utc>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&at.to_rfc3339_opts(SecondsFormat::Millis, true))
}

#[expect(clippy::ref_option, reason = "serde's signature")]
fn maybe_time<S: Serializer>(at: &Option<DateTime<Utc>>, serializer: S) -> Result<S::Ok, S::Error> {
    match at {
        Some(at) => time(at, serializer),
        None => serializer.serialize_none(),
    }
}

#[expect(clippy::ref_option, reason = "serde's signature")]
fn maybe_upper<S: Serializer>(word: &Option<String>, serializer: S) -> Result<S::Ok, S::Error> {
    match word {
        Some(word) => serializer.serialize_str(&word.to_uppercase()),
        None => serializer.serialize_none(),
    }
}

#[derive(Deserialize)]
struct Parameters {
    account: String,
}

async fn list(State(pool): State<PgPool>, Query(Parameters { account }): Query<Parameters>) -> impl IntoResponse {
    match connections(&pool, &account).await {
        Ok(body) => (StatusCode::OK, [(header::CONTENT_TYPE, "application/json")], body),
        Err(error) => {
            (StatusCode::INTERNAL_SERVER_ERROR, [(header::CONTENT_TYPE, "text/plain")], error.to_string().into())
        }
    }
}

async fn connections(pool: &PgPool, account: &str) -> Result<Vec<u8>, Box<dyn Error + Send + Sync>> {
    let rows: Vec<ConnectionRow> = sqlx::query_as(
        "SELECT c.id, c.external_id, c.invitation_id, c.relationship_type, c.connected_account_id, \
         c.connected_account_sso_id, COALESCE(a.name, c.connected_account_name) AS connected_account_name, \
         c.ui_state, c.created_by, c.created_at, c.updated_at \
         FROM account_connections c LEFT JOIN accounts a ON a.id = c.connected_account_id \
         WHERE c.account_id = $1 ORDER BY c.created_at, c.external_id",
    )
    .bind(account)
    .fetch_all(pool)
    .await?;
    let partners: Vec<&str> = rows.iter().filter_map(|row| row.connected_account_id.as_deref()).collect();
    let entities: Vec<Entity> =
        sqlx::query_as("SELECT * FROM account_entities WHERE account_id = $1 AND connected_account_id = ANY($2)")
            .bind(account)
            .bind(&partners)
            .fetch_all(pool)
            .await?;
    let customs: Vec<Custom> = sqlx::query_as(
        "SELECT id, connected_account_id, name, source, recipient FROM custom_entities \
         WHERE account_id = $1 AND connected_account_id = ANY($2) ORDER BY created_at, id",
    )
    .bind(account)
    .bind(&partners)
    .fetch_all(pool)
    .await?;

    let mut types: HashMap<&str, (bool, bool)> = HashMap::new();
    for row in &rows {
        let (sells, buys) = types.entry(&row.connected_account_sso_id).or_default();
        *(if row.relationship_type == "seller" { sells } else { buys }) = true;
    }
    let sso_ids: HashMap<&str, &str> = rows
        .iter()
        .filter_map(|row| Some((row.connected_account_id.as_deref()?, &*row.connected_account_sso_id)))
        .collect();
    #[expect(clippy::disallowed_methods, reason = "the yardstick has no clock of its own")]
    let now = Utc::now();
    let mut by_partner: HashMap<String, Entity> = HashMap::with_capacity(entities.len());
    for mut entity in entities {
        let Some(partner) = entity.connected_account_id.clone() else { continue };
        entity.expired = entity.invitation_expires_at.map(|at| at <= now);
        entity.connected = sso_ids.get(&*partner).and_then(|sso_id| match types.get(sso_id)? {
            (true, true) => Some("BOTH"),
            (true, false) => Some("SELLER"),
            (false, true) => Some("BUYER"),
            (false, false) => None,
        });
        by_partner.insert(partner, entity);
    }
    let mut customs_by_partner: HashMap<String, Vec<Custom>> = HashMap::new();
    for custom in customs {
        customs_by_partner.entry(custom.connected_account_id.clone()).or_default().push(custom);
    }
    let nodes: Vec<Connection<'_>> = rows
        .iter()
        .map(|row| {
            let partner = row.connected_account_id.as_deref();
            Connection {
                connection_id: &row.id,
                sso_connection_id: &row.external_id,
                invitation_id: row.invitation_id.as_deref(),
                status: "COMPLETED",
                relationship_type: if row.relationship_type == "seller" { "SELLER" } else { "BUYER" },
                created_at: Time(row.created_at),
                updated_at: Time(row.updated_at),
                created_by: row.created_by.as_deref(),
                ui_state: UiState { raw: &row.ui_state },
                connected_account: Partner {
                    id: partner,
                    sso_id: &row.connected_account_sso_id,
                    name: &row.connected_account_name,
                },
                account_entity: partner.and_then(|partner| by_partner.get(partner)),
                custom_entities: partner.and_then(|partner| customs_by_partner.get(partner)).map_or(&[], Vec::as_slice),
            }
        })
        .collect();
    Ok(serde_json::to_vec(&nodes)?)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(listen), Some(database)) = (arguments.next(), arguments.next()) else {
        return Err("usage: l1b <listen> <database url>".into());
    };
    let pool = PgPoolOptions::new().max_connections(10).connect(&database).await?;
    // As the server does: without it, small answers wait for the client's acknowledgements.
    let listener = tokio::net::TcpListener::bind(listen).await?.tap_io(|stream| {
        let _ = stream.set_nodelay(true);
    });
    serve(listener, Router::new().route("/connections", get(list)).with_state(pool)).await?;
    Ok(())
}

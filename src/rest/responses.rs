//! The answers of the connection routes as `openapi.json` shows them: what succeeds with the samples, what is refused with
//! the texts that it has in truth.

use axum::http::StatusCode;
use serde_json::{Value, json};
use utoipa::openapi::content::{Content, ContentBuilder};
use utoipa::openapi::example::ExampleBuilder;
use utoipa::openapi::header::{Header, HeaderBuilder};
use utoipa::openapi::link::LinkBuilder;
use utoipa::openapi::schema::{Array, Object, ObjectBuilder, Schema, Type};
use utoipa::openapi::{Ref, RefOr, Response, ResponseBuilder};
use utoipa::{ToResponse, ToSchema};

use crate::api_error::ApiError;
use crate::domain::repair::RepairRefusal;
use crate::front::authentication::{address_too_often, key_too_often};
use crate::front::body::{cut_short, encoded, too_large, too_slow};
use crate::service::rate_limits::TooOften;

use super::connections::connection_id;
use super::dto::{Created, ListedConnection, SingleConnection};
use super::error::{ErrorBody, RestError};
use super::{examples, list_parameters, refusals};

macro_rules! successes {
    ($($name:ident: $description:literal, $response:expr;)+) => {$(
        #[doc = $description]
        #[derive(Debug)]
        pub struct $name;

        impl ToResponse<'_> for $name {
            fn response() -> (&'static str, RefOr<Response>) {
                (stringify!($name), RefOr::T($response.description($description).build()))
            }
        }
    )+};
}

successes! {
    ReconciledList: "The reconciled list.", kept_until_it_changes()
        .header("X-Connections-Degraded", degraded())
        .content(JSON, content(
            Array::new(Ref::from_schema_name(ListedConnection::name())),
            [("entries", "The list", examples::LIST.value())],
        ));
    OneConnection: "The connection.", kept_until_it_changes()
        .content(JSON, json::<SingleConnection<'_>>([("connection", "A connection", examples::SINGLE.value())]));
    NotModified: "The client has this answer already.", kept_until_it_changes();
    Repaired: "The row was inserted.", ResponseBuilder::new()
        .header("Cache-Control", text("`no-store`."))
        .content(JSON, json::<Created>([("created", "The new row's id", json!({"id": examples::ID}))]))
        .link("connection", LinkBuilder::new()
            .operation_id("getConnection")
            .parameter("id", "$response.body#/id")
            .description("The connection that was repaired.")
            .build());
}

macro_rules! refusals {
    ($($name:ident: $description:literal, [$($key:literal $why:literal: $refusal:expr),+ $(,)?];)+) => {$(
        #[doc = $description]
        #[derive(Debug)]
        pub struct $name;

        impl ToResponse<'_> for $name {
            fn response() -> (&'static str, RefOr<Response>) {
                let response = refusal([$(($key, $why, $refusal.into())),+]);
                (stringify!($name), RefOr::T(response.description($description).build()))
            }
        }
    )+};
}

refusals! {
    InvalidParameter: "A parameter has a value that it does not have, or is given twice with different values.", [
        "relationship_type" "Another relationship type": list_parameters::invalid_relationship_type(),
        "envelope" "Another word than true or false": list_parameters::invalid_envelope(),
        "twice" "Two different values": list_parameters::given_twice("relationship_type"),
    ];
    InvalidId: "The id is not 24 hexadecimal characters.", ["invalid" "No id": refusals::invalid_id()];
    InvalidRepair: "The body is not JSON, or its `connection_id` is missing or not 24 hexadecimal characters.", [
        "malformed" "No id": refusals::invalid_connection_id(None),
        "not_a_string" "No string": refusals::invalid_connection_id(Some("a number")),
        "missing" "Without a connection_id": refusals::missing_connection_id(),
        "not_an_object" "Not an object": of_body("[]"),
        "cut_short_json" "JSON that ends too early": of_body("{"),
        "not_json" "Not JSON": of_body("connection_id=c00000000000000000000009"),
        "cut_short" "Cut short": refused(cut_short()),
    ];
    NoKey: "No valid API key.", ["no_key" "No valid key": ApiError::unauthenticated()];
    NoSuperuser: "No valid API key, or not a superuser's.", [
        "no_key" "No valid key": ApiError::unauthenticated(),
        "no_superuser" "A good key, but not a superuser's: this call needs one": RestError::not_authorized(),
    ];
    NotFound: "Unknown to the caller: nobody's, another account's, or in SSO alone.", ["unknown" "Unknown": refusals::not_found()];
    AlreadyExists: "LeadConduit has the row already.", [
        "exists" "A row exists": refusals::repair_refused(RepairRefusal::AlreadyExists),
    ];
    TooSlow: "The body did not come in time.", ["too_slow" "Too slow": refused(too_slow())];
    TooLarge: "The body is over the limit.", ["too_large" "Too large": refused(too_large())];
    NotPlainJson: "The body is not declared as JSON, or is compressed; `Accept-Encoding` tells the latter.", [
        "not_json" "Not JSON": refusals::not_json_type(),
        "compressed" "Compressed": refused(encoded()),
    ];
    UnknownToSso: "SSO does not know the connection, or the caller's account takes no part in it.", [
        "unknown" "Unknown": refusals::repair_refused(RepairRefusal::SsoConnectionNotFound),
    ];
    TooManyRequests: "The key asks more often than it may, or too many attempts from this address had no valid key.", [
        "key" "The key's own limit": key_too_often(TOO_OFTEN),
        "address" "Too many keys that are none": address_too_often(TOO_OFTEN),
    ];
    Unavailable: "The database cannot be reached in time, or there is too much to do.", [
        "database" "The database": ApiError::unavailable(),
        "overloaded" "Too much to do": ApiError::overloaded(),
    ];
    RepairUnavailable: "SSO or the database cannot be reached in time, or there is too much to do; nothing was written.", [
        "sso" "SSO": refusals::repair_refused(RepairRefusal::SsoUnavailable),
        "database" "The database": ApiError::unavailable(),
        "overloaded" "Too much to do": ApiError::overloaded(),
    ];
    Internal: "A defect of this server.", ["internal" "A defect": ApiError::internal()];
}

const TOO_OFTEN: TooOften = TooOften { wait: std::time::Duration::from_secs(1) };

/// The error for an invalid repair body.
fn of_body(body: &str) -> ApiError {
    connection_id(body.as_bytes()).err().unwrap_or_else(ApiError::internal)
}

fn refused((status, error): (StatusCode, ApiError)) -> RestError {
    RestError::new(status, error)
}

const JSON: &str = "application/json";

type Example = (&'static str, &'static str, Value);

fn json<T: ToSchema>(examples: impl IntoIterator<Item = Example>) -> Content {
    content(Ref::from_schema_name(T::name()), examples)
}

fn content(schema: impl Into<RefOr<Schema>>, examples: impl IntoIterator<Item = Example>) -> Content {
    let examples = examples
        .into_iter()
        .map(|(name, summary, value)| (name, ExampleBuilder::new().summary(summary).value(Some(value)).build()));
    ContentBuilder::new().schema(Some(schema)).examples_from_iter(examples).build()
}

fn text(description: &str) -> Header {
    HeaderBuilder::new().schema(Some(Object::with_type(Type::String))).description(Some(description)).build()
}

fn kept_until_it_changes() -> ResponseBuilder {
    ResponseBuilder::new()
        .header("ETag", text("Of this answer, for `If-None-Match`; absent when it is degraded."))
        .header("Cache-Control", text("`private, no-cache`: ask again each time. Degraded: `no-store`."))
}

fn degraded() -> Header {
    let word = ObjectBuilder::new().schema_type(Type::String).enum_values(Some(["true"]));
    let description =
        "`true` when SSO could not be consulted, so that there are LeadConduit's rows only; absent otherwise.";
    HeaderBuilder::new().schema(Some(word)).description(Some(description)).build()
}

/// A response whose examples, by their names, are these refusals.
fn refusal<const N: usize>(refusals: [(&'static str, &'static str, RestError); N]) -> ResponseBuilder {
    let mut response = ResponseBuilder::new().header("Cache-Control", text("`no-store`."));
    if refusals.iter().any(|(.., refusal)| refusal.status() == StatusCode::UNAUTHORIZED) {
        response = response.header("WWW-Authenticate", text("How to present a key."));
    }
    if refusals.iter().any(|(.., refusal)| refusal.error().retry_after.is_some()) {
        let seconds = ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(1));
        let wait = HeaderBuilder::new().schema(Some(seconds)).description(Some("How many seconds to wait.")).build();
        response = response.header("Retry-After", wait);
    }
    if refusals.iter().any(|(.., refusal)| refusal.status() == StatusCode::UNSUPPORTED_MEDIA_TYPE) {
        response =
            response.header("Accept-Encoding", text("`identity`, where the body is compressed; absent otherwise."));
    }
    let body = |refusal: RestError| json!({"error": refusal.error().message});
    response.content(JSON, json::<ErrorBody<'_>>(refusals.map(|(name, why, refusal)| (name, why, body(refusal)))))
}

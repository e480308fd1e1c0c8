//! The refusal of a request whose head is ambiguous. It comes before routing, so every route has it.

use std::collections::BTreeMap;

use http_server::FramingCheck;
use serde_json::json;
use utoipa::ToSchema;
use utoipa::openapi::content::ContentBuilder;
use utoipa::openapi::example::{Example, ExampleBuilder};
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::schema::{Object, Type};
use utoipa::openapi::{Ref, RefOr, Response, ResponseBuilder, Responses};

use super::component;
use crate::rest::error::ErrorBody;

const NAME: &str = "AmbiguousRequest";
const DESCRIPTION: &str = "The request's head is ambiguous: it has no or several `Host`s, names two hosts, or has an \
    unknown `Transfer-Encoding`.";
const EXAMPLE: &str = "ambiguous";

pub(super) fn response() -> (&'static str, Response) {
    let no_store = HeaderBuilder::new().schema(Some(Object::with_type(Type::String))).description(Some("`no-store`."));
    let content = ContentBuilder::new().schema(Some(Ref::from_schema_name(ErrorBody::name())));
    let response = ResponseBuilder::new()
        .description(DESCRIPTION)
        .header("Cache-Control", no_store.build())
        .content("application/json", content.examples_from_iter([(EXAMPLE, example())]).build());
    (NAME, response.build())
}

fn example() -> Example {
    ExampleBuilder::new()
        .summary("An ambiguous request")
        .value(Some(json!({"error": FramingCheck::NOT_ONE_HOST})))
        .build()
}

/// Adds it to a route's responses, or to the response that the route has for the same status.
pub(super) fn add(responses: &mut Responses, components: &mut BTreeMap<String, RefOr<Response>>) {
    let Some(RefOr::Ref(reference)) = responses.responses.get("400") else {
        responses.responses.insert("400".to_owned(), Ref::from_response_name(NAME).into());
        return;
    };
    let Some(RefOr::T(response)) = components.get_mut(component(reference)) else { return };
    response.description = format!("{} Or: {DESCRIPTION}", response.description);
    for content in response.content.values_mut() {
        if let RefOr::T(content) = content {
            content.examples.insert(EXAMPLE.to_owned(), example().into());
        }
    }
}

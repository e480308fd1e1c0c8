//! What holds for every route of `openapi.json`, said once: the two ways to present a key, the request's id, what HTTP
//! itself refuses, HEAD.

use utoipa::Modify;
use utoipa::openapi::header::{Header, HeaderBuilder};
use utoipa::openapi::path::Operation;
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{Components, OpenApi, Ref, RefOr, Response};

use super::nullable::{describe_nullable_references, inline_nullable_words};
use super::{ambiguous, component};

const REQUEST_ID: &str = "RequestId";
const HEAD_TOO_LARGE: &str = "HeadTooLarge";

const TOO_LARGE: &str = "The request's line and headers are too large or too many. HTTP itself refuses them, so that there is no body and no id.";

pub(super) struct Finish;

impl Modify for Finish {
    fn modify(&self, document: &mut OpenApi) {
        let OpenApi { paths, components, .. } = document;
        let components = components.get_or_insert_default();
        for (name, scheme, description) in [
            ("basic", HttpAuthScheme::Basic, "The API key as the password. The user name is ignored."),
            ("bearer", HttpAuthScheme::Bearer, "The API key as the token."),
        ] {
            let scheme = HttpBuilder::new().scheme(scheme).description(Some(description)).build();
            components.add_security_scheme(name, SecurityScheme::Http(scheme));
        }
        components.headers.insert(REQUEST_ID.to_owned(), RefOr::T(request_id()));
        let (name, refusal) = ambiguous::response();
        components.responses.insert(name.to_owned(), refusal.into());
        components.schemas.values_mut().for_each(describe_nullable_references);
        inline_nullable_words(&mut components.schemas);
        components.responses.values_mut().for_each(add_request_id);
        // Without a request's id: it is refused before it is a request.
        components.responses.insert(HEAD_TOO_LARGE.to_owned(), Response::new(TOO_LARGE).into());
        for item in paths.paths.values_mut() {
            let operations = [&mut item.get, &mut item.post];
            for operation in operations.into_iter().flatten() {
                ambiguous::add(&mut operation.responses, &mut components.responses);
                let responses = &mut operation.responses.responses;
                responses.values_mut().for_each(add_request_id);
                responses.insert("431".to_owned(), Ref::from_response_name(HEAD_TOO_LARGE).into());
                if !responses.contains_key("401") {
                    // Open to all, against what the document asks for by default.
                    operation.security = Some(Vec::new());
                }
            }
            item.head = item.get.as_ref().map(|get| head(get, components));
        }
    }
}

fn request_id() -> Header {
    let schema = ObjectBuilder::new().schema_type(Type::String).pattern(Some("^[A-Za-z0-9._-]{1,64}$"));
    HeaderBuilder::new()
        .schema(Some(schema))
        .description(Some("The request's id, the caller's own or a new one."))
        .build()
}

fn add_request_id(response: &mut RefOr<Response>) {
    // What is a reference has it where it refers to.
    if let RefOr::T(response) = response {
        let header = Ref::new(format!("#/components/headers/{REQUEST_ID}"));
        response.headers.insert("X-Request-Id".to_owned(), RefOr::Ref(header));
    }
}

/// HEAD's answers are GET's without a body.
fn head(get: &Operation, components: &Components) -> Operation {
    let mut head = get.clone();
    let name = get.operation_id.as_deref().unwrap_or_default();
    head.operation_id = Some(format!("{name}Head"));
    head.summary = get.summary.as_ref().map(|summary| format!("{summary}: the headers alone"));
    for response in head.responses.responses.values_mut() {
        if let RefOr::Ref(reference) = response
            && let Some(whole) = components.responses.get(component(reference))
        {
            *response = whole.clone();
        }
        if let RefOr::T(response) = response {
            response.content.clear();
        }
    }
    head
}

//! Parameters: a URL's query and a body, of GraphQL and of REST. An input is both: a query as it stands in a URL, and a body.

use std::collections::HashMap;

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use serde::de::IgnoredAny;
use serde_json::{Map, Value};
use url::form_urlencoded;

use crate::api_error::ErrorCode;
use crate::graphql::parameters::{NotARequest, Parameters};
use crate::rest::connections::connection_id;
use crate::rest::list_parameters::ListParameters;

use super::is_fit_to_tell;

pub(super) fn holds(input: &[u8]) {
    if let Ok(query) = std::str::from_utf8(input) {
        graphql_get(query);
        rest_list(query);
    }
    graphql_post(input);
    rest_repair(input);
}

fn json() -> HeaderMap {
    HeaderMap::from_iter([(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))])
}

fn of_post(body: &[u8]) -> Result<Parameters, NotARequest> {
    Parameters::of_post(&json(), body)
}

/// What a GET says, a POST says too.
fn graphql_get(query: &str) {
    let parameters = match Parameters::of_get(query) {
        Ok(parameters) => parameters,
        Err(refused) => return is_refusal(&refused),
    };
    let mut body = Map::new();
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        let value = match &*name {
            "query" | "operationName" => Value::from(&*value),
            _ => continue,
        };
        body.insert(name.into_owned(), value);
    }
    // As they came: a reader that saw more in them than another would show here.
    let raw = form_urlencoded::parse(query.as_bytes())
        .filter(|(name, value)| ["variables", "extensions"].contains(&&**name) && !value.is_empty())
        .map(|(name, value)| format!(",{}:{value}", Value::from(&*name)));
    body.entry("query").or_insert_with(|| Value::from(""));
    let start = Value::Object(body).to_string();
    let body = format!("{}{}}}", start.trim_end_matches('}'), raw.collect::<String>());
    if serde_json::from_str::<IgnoredAny>(&body).is_ok() {
        assert_eq!(of_post(body.as_bytes()).as_ref(), Ok(&parameters), "{body}");
    }
}

fn graphql_post(body: &[u8]) {
    match of_post(body) {
        Ok(_) => {
            let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
            assert!(serde_json::from_slice::<IgnoredAny>(body).is_ok(), "only JSON is a request");
            assert_eq!(body.trim_ascii_start().first(), Some(&b'{'), "only an object is a request");
        }
        Err(refused) => is_refusal(&refused),
    }
}

fn is_refusal(refused: &NotARequest) {
    assert!([StatusCode::BAD_REQUEST, StatusCode::UNSUPPORTED_MEDIA_TYPE].contains(&refused.status));
    is_fit_to_tell(&refused.error.message);
}

fn rest_list(query: &str) {
    match ListParameters::parse(query) {
        Ok(parameters) => {
            let ListParameters { relationship_type, envelope } = parameters;
            let kind = relationship_type.map(|kind| format!("&relationship_type={}", kind.as_str()));
            let written = format!("envelope={envelope}{}", kind.unwrap_or_default());
            assert_eq!(ListParameters::parse(&written), Ok(parameters));
        }
        Err(refused) => is_fit_to_tell(&refused.message),
    }
}

/// A body asks for the connection that it names as every reader of JSON sees it.
fn rest_repair(body: &[u8]) {
    match connection_id(body) {
        Ok(id) => {
            let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
            assert!(serde_json::from_slice::<IgnoredAny>(body).is_ok(), "only JSON is a request");
            // `serde_json::Value` cannot hold every JSON value.
            if let Ok(fields) = serde_json::from_slice::<HashMap<String, Value>>(body) {
                assert_eq!(fields["connection_id"].as_str().map(str::to_ascii_lowercase).as_deref(), Some(id.as_str()));
            }
        }
        Err(refused) => {
            assert_eq!(refused.code, ErrorCode::BadUserInput);
            is_fit_to_tell(&refused.message);
        }
    }
}

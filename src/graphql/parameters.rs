//! The parameters of a GraphQL request, out of a POST's body or a GET's query.

use async_graphql::ParseRequestError;
use async_graphql_axum::GraphQLRequest;
use axum::body::{Body, Bytes};
use axum::extract::FromRequest;
use axum::http::{HeaderMap, Request, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value};
use url::form_urlencoded;

use crate::api_error::{ApiError, ErrorCode};
use crate::domain::plain_json;
use crate::front::body::{json_parameters, refuse_encoded};

use super::persisted::DocumentHash;

/// What a client sent: a document, and what to do with it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Parameters {
    /// The document; empty where only its hash was sent.
    pub query: String,
    /// The document's hash, if it was sent.
    pub hash: Option<DocumentHash>,
    /// Which of its operations.
    pub operation_name: Option<String>,
    /// Values of its variables.
    pub variables: Map<String, Value>,
}

/// A request that is no GraphQL request: the status, and the one error that says why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotARequest {
    /// 400, 413 or 415.
    pub status: StatusCode,
    /// What was wrong.
    pub error: ApiError,
}

impl NotARequest {
    fn bad(text: impl Into<std::borrow::Cow<'static, str>>) -> Self {
        Self { status: StatusCode::BAD_REQUEST, error: ApiError::bad_input(text) }
    }
}

impl Parameters {
    /// Of a POST, whose body is read already.
    ///
    /// # Errors
    /// 415 for another media type or charset and for what is compressed, 400 for a body that is no single GraphQL request.
    pub async fn of_post(headers: &HeaderMap, body: Bytes) -> Result<Self, NotARequest> {
        refuse_encoded(headers).map_err(|(status, error)| NotARequest { status, error })?;
        if !is_json_in_utf8(headers) {
            return Err(NotARequest {
                status: StatusCode::UNSUPPORTED_MEDIA_TYPE,
                error: ApiError::bad_input("the Content-Type must be application/json, in UTF-8"),
            });
        }
        if body.trim_ascii_start().starts_with(b"[") {
            return Err(NotARequest::bad("the body is an array: batches are not served; send one request at a time"));
        }
        let request = Request::builder()
            .method("POST")
            .header(header::CONTENT_TYPE, "application/json")
            .body(Body::from(body))
            .map_err(|_| NotARequest::bad("the body cannot be read"))?;
        let request =
            GraphQLRequest::<Rejection>::from_request(request, &()).await.map_err(|Rejection(refused)| refused)?;
        let request = request.into_inner();
        let variables = match serde_json::to_value(&request.variables) {
            Ok(Value::Object(variables)) => variables,
            _ => Map::new(),
        };
        let persisted_query = request.extensions.get("persistedQuery").cloned().unwrap_or_default();
        let hash = document_hash(&persisted_query.into_json().unwrap_or_default())?;
        Ok(Self { query: request.query, hash, operation_name: request.operation_name, variables })
    }

    /// Of a GET's query.
    ///
    /// # Errors
    /// 400 for a parameter that is missing, given twice or of the wrong shape.
    pub fn of_get(query: &str) -> Result<Self, NotARequest> {
        let (mut document, mut operation_name, mut variables, mut extensions) = (None, None, None, None);
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            let slot = match &*name {
                "query" => &mut document,
                "operationName" => &mut operation_name,
                "variables" => &mut variables,
                "extensions" => &mut extensions,
                _ => continue,
            };
            if slot.replace(value.into_owned()).is_some() {
                return Err(NotARequest::bad(format!("the parameter {name} is given twice")));
            }
        }
        let extensions = object("extensions", extensions)?;
        let hash = document_hash(extensions.get("persistedQuery").unwrap_or(&Value::Null))?;
        let operation_name = operation_name.filter(|name| !name.is_empty());
        let variables = object("variables", variables)?;
        Ok(Self { query: document.unwrap_or_default(), hash, operation_name, variables })
    }
}

fn document_hash(persisted_query: &Value) -> Result<Option<DocumentHash>, NotARequest> {
    DocumentHash::of_extension(persisted_query).map_err(|error| NotARequest { status: StatusCode::BAD_REQUEST, error })
}

fn object(name: &str, text: Option<String>) -> Result<Map<String, Value>, NotARequest> {
    let Some(text) = text.filter(|text| !text.is_empty()) else { return Ok(Map::new()) };
    match plain_json::parse(text.as_bytes()) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(Value::Null) => Ok(Map::new()),
        _ => Err(NotARequest::bad(format!("the parameter {name} must be a JSON object"))),
    }
}

pub(crate) fn is_json_in_utf8(headers: &HeaderMap) -> bool {
    json_parameters(headers).is_some_and(|mut parameters| {
        parameters.all(|(name, value)| {
            let value = value.trim().trim_matches('"');
            !name.trim().eq_ignore_ascii_case("charset") || value.eq_ignore_ascii_case("utf-8")
        })
    })
}

/// async-graphql-axum's refusal of a body, in our words: its own tell of the library's insides.
struct Rejection(NotARequest);

impl From<ParseRequestError> for Rejection {
    fn from(error: ParseRequestError) -> Self {
        Self(match error {
            ParseRequestError::PayloadTooLarge => NotARequest {
                status: StatusCode::PAYLOAD_TOO_LARGE,
                error: ApiError::new(ErrorCode::LimitExceeded, "the body is too large"),
            },
            _ => NotARequest::bad(
                "the body is not a GraphQL request: a JSON object with the text `query`, and optionally the text \
                 `operationName` and the objects `variables` and `extensions`",
            ),
        })
    }
}

impl IntoResponse for Rejection {
    fn into_response(self) -> Response {
        self.0.status.into_response()
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    async fn post(content_type: &str, body: &str) -> Result<Parameters, NotARequest> {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_str(content_type).unwrap());
        Parameters::of_post(&headers, Bytes::from(body.to_owned())).await
    }

    #[tokio::test]
    async fn a_json_body_is_read() {
        let body = r#"{"query": "{ a }", "operationName": "A", "variables": {"x": 1}, "extensions": {}, "more": 1}"#;
        let parameters = post("Application/JSON; charset=\"UTF-8\"", body).await.unwrap();
        assert_eq!(parameters.query, "{ a }");
        assert_eq!(parameters.operation_name.as_deref(), Some("A"));
        assert_eq!(parameters.variables["x"], 1);
        let nulls = r#"{"query": "{ a }", "operationName": null, "variables": null, "extensions": null}"#;
        assert_eq!(post("application/json", nulls).await.unwrap().variables, Map::new());
    }

    #[tokio::test]
    async fn other_media_types_and_charsets_are_refused() {
        for content_type in
            ["text/plain", "application/json; charset=latin1", "multipart/form-data; boundary=x", "application/graphql"]
        {
            let refused = post(content_type, r#"{"query": "{ a }"}"#).await.unwrap_err();
            assert_eq!(refused.status, StatusCode::UNSUPPORTED_MEDIA_TYPE, "{content_type}");
        }
        let refused = Parameters::of_post(&HeaderMap::new(), Bytes::from_static(b"{}")).await.unwrap_err();
        assert_eq!(refused.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    }

    #[tokio::test]
    async fn other_bodies_are_refused() {
        for body in [
            "",
            "{",
            "null",
            "1",
            "[]",
            r#"[{"query": "{ a }"}]"#,
            r#"{"query": 1}"#,
            r#"{"query": null}"#,
            r#"{"query": "{ a }", "variables": "x"}"#,
            r#"{"query": "{ a }", "variables": [1]}"#,
            r#"{"query": "{ a }", "operationName": 1}"#,
            r#"{"query": "{ a }", "extensions": "x"}"#,
        ] {
            let refused = post("application/json", body).await.expect_err(body);
            assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{body}");
        }
    }

    #[test]
    fn a_query_string_is_read() {
        let query = "query=%7B+a+%7D&operationName=A&variables=%7B%22x%22%3A1%7D&extensions=%7B%7D";
        let parameters = Parameters::of_get(query).unwrap();
        assert_eq!((&*parameters.query, parameters.hash), ("{ a }", None));
        assert_eq!(parameters.operation_name.as_deref(), Some("A"));
        assert_eq!(parameters.variables["x"], 1);
    }

    #[test]
    fn other_query_strings_are_refused() {
        for query in
            ["query=a&query=b", "query=a&variables=1", "query=a&extensions=x", "extensions={\"persistedQuery\":{}}"]
        {
            assert_eq!(Parameters::of_get(query).unwrap_err().status, StatusCode::BAD_REQUEST, "{query}");
        }
    }
}

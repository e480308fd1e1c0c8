//! `openapi.json` and `openapi-3.0.json`, and real answers held against both.
//!
//! 3.1 describes bodies by JSON Schema, formats asserted. Of 3.0 its own strict rules hold (3.0.3, "Schema Object" and
//! "Reference Object"): nothing counts beside a `$ref`, and `nullable` adds null to the `type` beside it, to nothing
//! else.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use jsonschema::Validator;
use lc_connections::http::openapi::{self, Version};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use super::app::{Answer, TestApp};

/// Headers that HTTP itself adds, that are not specific to a route, or that every answer has for browsers.
const UNDESCRIBED_HEADERS: [&str; 11] = [
    "allow",
    "connection",
    "content-length",
    "content-security-policy",
    "content-type",
    "date",
    "referrer-policy",
    "transfer-encoding",
    "vary",
    "x-content-type-options",
    "x-frame-options",
];
/// Described, and absent in some states.
const OPTIONAL_HEADERS: [&str; 3] = ["accept-encoding", "etag", "x-connections-degraded"];

/// Both descriptions, and which of their answers were seen.
pub struct Description {
    /// 3.1, and 3.0 in JSON Schema's words.
    documents: [Arc<Value>; 2],
    validators: HashMap<String, Validator>,
    pub seen: BTreeSet<String>,
}

/// The description as the program exports it.
pub fn exported(version: Version) -> Value {
    serde_json::from_str(&openapi::json(version)).unwrap()
}

/// A document of 3.0 with `nullable` in JSON Schema's words.
fn by_json_schema(mut value: Value, path: &str) -> Value {
    match &mut value {
        Value::Object(fields) => {
            assert!(fields.len() == 1 || !fields.contains_key("$ref"), "{path}: nothing counts beside a reference");
            if let Some(nullable) = fields.remove("nullable") {
                let of_one_type = fields.get("type").is_some_and(Value::is_string);
                assert!(nullable == true && of_one_type, "{path}: nullable counts beside a type alone");
                fields["type"] = json!([fields["type"], "null"]);
            }
            for (key, field) in fields.iter_mut().filter(|(key, _)| *key != "example" && *key != "examples") {
                *field = by_json_schema(field.take(), &format!("{path}/{key}"));
            }
        }
        Value::Array(items) => {
            for item in items {
                *item = by_json_schema(item.take(), path);
            }
        }
        _ => {}
    }
    value
}

/// Stored JSON that clients read and this test's parser does not, in another form: numbers beyond `f64`, halves of
/// surrogate pairs, and keys that mean something to it.
fn readable(text: &str) -> String {
    let large = format!("1{}", "0".repeat(400));
    let text = text.replace(&large, "1e40").replace("1e400", "1e40").replace("\\ud800", "?");
    text.replace("$serde_json::", "")
}

/// Follows a reference, if it is one.
fn resolve<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    match value["$ref"].as_str() {
        Some(reference) => document.pointer(reference.trim_start_matches('#')).unwrap(),
        None => value,
    }
}

/// The schema of a list with `envelope=true`, which the descriptions have in prose alone.
fn enveloped(list: &Value) -> Value {
    json!({
        "type": "object",
        "properties": {"degraded": {"type": "boolean"}, "connections": list},
        "required": ["degraded", "connections"],
        "additionalProperties": false,
    })
}

/// An operation as clients are told of it.
#[derive(Debug, Clone, Copy)]
pub struct Operation<'a> {
    pub method: &'a Method,
    pub path: &'a str,
    /// Whether `envelope=true` was asked for.
    pub is_enveloped: bool,
}

impl<'a> Operation<'a> {
    /// Without an envelope.
    pub fn new(method: &'a Method, path: &'a str) -> Self {
        Self { method, path, is_enveloped: false }
    }
}

impl Description {
    pub fn open() -> Self {
        let documents = [exported(Version::V3_1), by_json_schema(exported(Version::V3_0), "")];
        let documents = documents.map(Arc::new);
        Self { documents, validators: HashMap::new(), seen: BTreeSet::new() }
    }

    /// Whether a value is what a schema of a document says, formats included.
    fn assert_fits(&mut self, value: &Value, document: usize, schema: &Value, what: &str) {
        let validator = self.validators.entry(format!("{document} {schema}")).or_insert_with(|| {
            let mut schema = schema.clone();
            schema["components"] = self.documents[document]["components"].clone();
            jsonschema::options().should_validate_formats(true).build(&schema).unwrap()
        });
        let errors: Vec<String> =
            validator.iter_errors(value).map(|error| format!("{}: {error}", error.instance_path())).collect();
        assert!(errors.is_empty(), "{what}: {errors:#?}");
    }

    /// Every answer that is described, as `GET /connections 200`.
    pub fn all(&self) -> BTreeSet<String> {
        let paths = self.documents[0]["paths"].as_object().unwrap().iter();
        let operations = paths.flat_map(|(path, item)| {
            item.as_object().unwrap().iter().map(move |(method, operation)| (path, method, operation))
        });
        operations
            .flat_map(|(path, method, operation)| {
                let statuses = operation["responses"].as_object().unwrap().keys();
                statuses.map(move |status| format!("{} {path} {status}", method.to_uppercase()))
            })
            .collect()
    }

    /// Holds an answer against both descriptions.
    pub fn check(&mut self, operation: Operation<'_>, answer: &Answer, text: &str) {
        let Operation { method, path, .. } = operation;
        for document in 0..self.documents.len() {
            self.check_by(document, operation, answer, text);
        }
        self.seen.insert(format!("{method} {path} {}", answer.status));
    }

    fn check_by(&mut self, document: usize, operation: Operation<'_>, answer: &Answer, text: &str) {
        let Operation { method, path, is_enveloped } = operation;
        let status = answer.status;
        let what = format!("{method} {path} {status} by {}", self.documents[document]["openapi"]);
        let whole = Arc::clone(&self.documents[document]);
        let operation = &whole["paths"][path][method.as_str().to_lowercase()];
        let response = resolve(&whole, &operation["responses"][status.to_string()]);
        assert!(response.is_object(), "{what} is not described: {text}");

        let described = response["headers"].as_object();
        let described: Vec<(String, &Value)> = described
            .into_iter()
            .flatten()
            .map(|(name, header)| (name.to_lowercase(), resolve(&whole, header)))
            .collect();
        for name in answer.headers.keys().map(reqwest::header::HeaderName::as_str) {
            let is_described = described.iter().any(|(known, _)| known == name);
            assert!(is_described || UNDESCRIBED_HEADERS.contains(&name), "{what}: {name} is not described");
        }
        for (name, header) in described {
            let Some(value) = answer.headers.get(&name).map(|value| value.to_str().unwrap()) else {
                assert!(OPTIONAL_HEADERS.contains(&name.as_str()), "{what}: {name} is missing");
                continue;
            };
            let value =
                if header["schema"]["type"] == "integer" { json!(value.parse::<u64>().unwrap()) } else { json!(value) };
            self.assert_fits(&value, document, &header["schema"], &format!("{what}: {name}"));
        }

        let Some(content) = response["content"].as_object() else {
            assert_eq!(text, "", "{what}: a body that is not described");
            return;
        };
        let content_type = answer.headers["content-type"].to_str().unwrap().split(';').next().unwrap();
        let described = content.get(content_type).unwrap_or_else(|| panic!("{what}: {content_type}"));
        let is_text = content_type == "text/plain";
        let body = if is_text { Ok(json!(text)) } else { serde_json::from_str(&readable(text)) };
        let body = body.unwrap_or_else(|error| panic!("{what}: {error}: {text}"));
        let schema = &described["schema"];
        let schema = if is_enveloped && status == 200 { &enveloped(schema) } else { schema };
        self.assert_fits(&body, document, schema, &what);
        let examples = described["examples"].as_object().into_iter().flatten();
        let mut texts = examples.map(|(_, example)| &example["value"]).filter(|value| value["error"].is_string());
        let is_shown = texts.any(|shown| *shown == body);
        assert!(status < 400 || described.get("example").is_some() || is_shown, "{what}: {body} is no example");
    }

    /// GET and HEAD, both with this status and as described. Gives GET's answer.
    pub async fn get(&mut self, app: &TestApp, path: &str, headers: &[(&str, &str)], status: u16) -> Answer {
        let [answer, _] = self.both(app, path, headers).await.map(|answer| {
            assert_eq!(answer.status, status, "{path}: {}", answer.body);
            answer
        });
        answer
    }

    /// GET and HEAD, both as described, whatever their status.
    pub async fn both(&mut self, app: &TestApp, path: &str, headers: &[(&str, &str)]) -> [Answer; 2] {
        [self.ask(app, Method::GET, path, headers).await, self.ask(app, Method::HEAD, path, headers).await]
    }

    async fn ask(&mut self, app: &TestApp, method: Method, path: &str, headers: &[(&str, &str)]) -> Answer {
        let url = format!("{}{path}", app.url);
        let request = app.client.request(method.clone(), url);
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        let route = match path.split('?').next().unwrap() {
            one if one.starts_with("/connections/") => "/connections/{id}",
            route => route,
        };
        let is_enveloped = path.contains("envelope=true");
        self.send(app, Operation { method: &method, path: route, is_enveloped }, request).await
    }

    pub async fn post(&mut self, app: &TestApp, content_type: &str, body: &str, status: u16) -> Answer {
        let request = app.client.post(format!("{}/connections", app.url)).header("content-type", content_type);
        let repair = Operation::new(&Method::POST, "/connections");
        let answer = self.send(app, repair, request.body(body.to_owned())).await;
        assert_eq!(answer.status, status, "{body}: {}", answer.body);
        answer
    }

    pub async fn send(&mut self, app: &TestApp, operation: Operation<'_>, request: RequestBuilder) -> Answer {
        let request = match &app.key {
            Some(key) => request.basic_auth("ignored", Some(key)),
            None => request,
        };
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = response.text().await.unwrap();
        let answer = Answer { status, headers, body: serde_json::from_str(&readable(&text)).unwrap_or_default() };
        self.check(operation, &answer, &text);
        answer
    }
}

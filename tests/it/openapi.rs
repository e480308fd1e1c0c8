//! `openapi.json` and `openapi-3.0.json` are what the program exports, describe everything in it, show the seed's
//! samples, and have no construct that weak generators of clients stumble on.
//!
//! Those constructs are from public reports:
//! - a choice of schemas: <https://github.com/OpenAPITools/openapi-generator/issues/21894>,
//!   <https://github.com/OpenAPITools/openapi-generator/issues/23025>
//! - a choice with an array in it: <https://github.com/OpenAPITools/openapi-generator/issues/16379>
//! - a server without an address of its own: <https://github.com/postmanlabs/postman-app-support/issues/9057>

use std::path::Path;

use lc_connections::http::openapi::{self, Version};
use serde_json::{Value, json};

use crate::support::binary::{program, run};
use crate::support::description::exported;

const VERSIONS: [Version; 2] = [Version::V3_1, Version::V3_0];

#[test]
fn the_committed_descriptions_are_the_exported_ones() {
    for (file, arguments, version) in
        [("openapi.json", "", Version::V3_1), ("openapi-3.0.json", " --openapi-version 3.0", Version::V3_0)]
    {
        let committed = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).unwrap();
        assert!(
            committed.trim_end() == openapi::json(version),
            "{file} is stale: write it anew with `cargo run -- openapi{arguments} > {file}`"
        );
    }
}

#[test]
fn the_program_prints_either_version() {
    let by_default = run(&mut program(&["openapi"]));
    assert_eq!(by_default, (0, format!("{}\n", openapi::json(Version::V3_1)), String::new()));
    for (argument, version) in
        [("3.1", Version::V3_1), ("3.1.0", Version::V3_1), ("3.0", Version::V3_0), ("3.0.3", Version::V3_0)]
    {
        let (code, printed, _) = run(&mut program(&["openapi", "--openapi-version", argument]));
        assert!(code == 0 && printed.trim_end() == openapi::json(version), "{argument}");
    }
    let (code, printed, refusal) = run(&mut program(&["openapi", "--openapi-version", "2.0"]));
    assert_eq!((code, printed.as_str()), (2, ""));
    assert!(refusal.starts_with("error: invalid value '2.0'") && refusal.lines().count() == 1, "{refusal}");
}

/// Each object of the document that is no example, with its path.
fn objects_but_examples(document: &Value) -> Vec<(String, &Value)> {
    let mut found = Vec::new();
    objects(document, "", &mut found);
    found.retain(|(path, _)| !path.contains("/example"));
    found
}

#[test]
fn one_schema_is_one_shape_and_what_may_be_null_is_one_type() {
    for version in VERSIONS {
        let document = exported(version);
        let mut nullable_references = Vec::new();
        for (path, object) in objects_but_examples(&document) {
            for choice in ["anyOf", "allOf", "not"] {
                assert_eq!(object.get(choice), None, "{path} is a choice");
            }
            // The one form that tools of 3.1 know for a reference that may be null.
            if let Some(items) = object.get("oneOf") {
                assert_eq!(items[1], json!({"type": "null"}), "{path}");
                assert!(items[0]["$ref"].is_string() && items.as_array().unwrap().len() == 2, "{path}");
                nullable_references.push(path.clone());
            }
            if let Some(words) = object.get("enum").filter(|_| path.contains("/properties/")) {
                let may_be_null = words.as_array().unwrap().contains(&Value::Null);
                assert_eq!(may_be_null, is_nullable(object), "{path}: null is one of the words, or none");
            }
        }
        let expected: &[&str] = match version {
            Version::V3_1 => &["/components/schemas/ListedConnection/properties/account_entity"],
            Version::V3_0 => &[],
        };
        assert_eq!(nullable_references, expected);
    }
}

#[test]
fn no_construct_of_3_1_is_left_in_3_0() {
    let document = exported(Version::V3_0);
    assert_eq!(document["openapi"], "3.0.3");
    assert_eq!(document["info"]["license"].get("identifier"), None);
    for (path, object) in objects_but_examples(&document) {
        assert!(!object["type"].is_array() && object["type"] != "null", "{path} has types");
        let of_3_1 = "const contentEncoding contentMediaType dependentSchemas if patternProperties prefixItems propertyNames \
            summary unevaluatedProperties webhooks $defs $id $schema";
        for keyword in of_3_1.split_whitespace() {
            // An operation has a summary in both.
            let is_summary = keyword == "summary" && object.get("operationId").is_some();
            assert!(is_summary || object.get(keyword).is_none(), "{path} has {keyword}");
        }
        for keyword in ["exclusiveMinimum", "exclusiveMaximum"] {
            assert!(!object[keyword].is_number(), "{path} has a number for {keyword}");
        }
    }
}

/// A document without what 3.0 says otherwise: descriptions, null, and what explains the licence.
fn without_null(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let types = value["type"].as_array().map(|types| types[0].clone());
            let reference =
                value["oneOf"].as_array().map(|items| items[0].clone()).or(value.get("$ref").map(|_| value.clone()));
            if let Some(reference) = reference {
                return json!({"$ref": reference["$ref"]});
            }
            let kept = fields.iter().filter(|(key, field)| {
                let is_text = *key == "description" && field.is_string();
                !is_text && !matches!(key.as_str(), "nullable" | "identifier")
            });
            let mut kept: serde_json::Map<_, _> = kept.map(|(key, field)| (key.clone(), without_null(field))).collect();
            if let Some(one) = types {
                kept["type"] = one;
            }
            kept.into()
        }
        Value::Array(items) => items.iter().map(without_null).collect(),
        other => other.clone(),
    }
}

#[test]
fn both_versions_say_the_same() {
    let [mut newer, mut older] = VERSIONS.map(|version| without_null(&exported(version)));
    newer["openapi"] = Value::Null;
    older["openapi"] = Value::Null;
    older["info"]["license"].as_object_mut().unwrap().remove("url");
    assert_eq!(newer, older);
    // And the same properties may be null, as far as a type says so.
    let nullable = |version| {
        let document = exported(version);
        let schemas = &document["components"]["schemas"];
        let mut names = Vec::new();
        for (path, object) in objects_but_examples(schemas) {
            let resolved = match object["$ref"].as_str() {
                Some(reference) => document.pointer(reference.trim_start_matches('#')).unwrap(),
                None => object,
            };
            if path.split('/').nth(2) == Some("properties") && path.split('/').count() == 4 && is_nullable(resolved) {
                names.push(path);
            }
        }
        names
    };
    assert_eq!(nullable(Version::V3_1), nullable(Version::V3_0));
    assert!(nullable(Version::V3_0).len() > 20);
}

#[test]
fn every_server_has_an_address_of_its_own() {
    for version in VERSIONS {
        let document = exported(version);
        let servers = document["servers"].as_array().unwrap();
        assert!(!servers.is_empty());
        for server in servers {
            let url = server["url"].as_str().unwrap();
            assert!(url.parse::<reqwest::Url>().unwrap().has_host() && !url.ends_with('/'), "{url}");
        }
    }
}

/// Each object of the document, with its path.
fn objects<'a>(value: &'a Value, path: &str, found: &mut Vec<(String, &'a Value)>) {
    match value {
        Value::Object(fields) => {
            found.push((path.to_owned(), value));
            for (key, value) in fields {
                objects(value, &format!("{path}/{key}"), found);
            }
        }
        Value::Array(values) => {
            for (index, value) in values.iter().enumerate() {
                objects(value, &format!("{path}/{index}"), found);
            }
        }
        _ => {}
    }
}

/// Whether a schema admits null.
fn is_nullable(schema: &Value) -> bool {
    let null = json!("null");
    let among = |list: &Value, is: &dyn Fn(&Value) -> bool| list.as_array().is_some_and(|list| list.iter().any(is));
    schema["nullable"] == true
        || schema["type"] == null
        || among(&schema["type"], &|one| *one == null)
        || among(&schema["oneOf"], &is_nullable)
}

#[test]
fn everything_is_described_and_what_may_be_null_says_when() {
    let document = exported(Version::V3_1);
    let mut found = Vec::new();
    objects(&document, "", &mut found);
    let mut counted = 0;
    for (path, object) in found {
        let parent = path.rsplit('/').nth(1).unwrap_or_default();
        let is_example = path.contains("/example");
        let is_definition = matches!(parent, "schemas" | "properties" | "parameters" | "securitySchemes" | "tags")
            || (matches!(parent, "headers" | "responses") && object.get("$ref").is_none());
        if is_example || !is_definition {
            continue;
        }
        counted += 1;
        let description = object["description"].as_str().unwrap_or_default();
        assert!(description.len() > 5, "{path} is not described");
        if parent == "properties" && is_nullable(object) {
            assert!(description.contains("; null "), "{path} does not say when it is null: {description}");
        }
    }
    assert!(counted > 100, "{counted}");
}

#[test]
fn every_key_of_every_answer_is_always_there() {
    let schemas = &exported(Version::V3_1)["components"]["schemas"];
    for (name, schema) in schemas.as_object().unwrap() {
        let Some(properties) = schema["properties"].as_object() else { continue };
        for key in properties.keys().filter(|key| (name.as_str(), key.as_str()) != ("HealthBody", "reason")) {
            assert!(schema["required"].as_array().unwrap().contains(&json!(key)), "{name}.{key} may be missing");
        }
    }
}

/// Compares an example with its sample; `text` and `source`, where the sample's renderer had nothing real to show, may
/// differ, and so may the milliseconds of times.
fn assert_shows(example: &Value, sample: &Value, path: &str) {
    match (example, sample) {
        (Value::Object(example), Value::Object(fields)) if !fields.is_empty() => {
            assert!(example.keys().eq(fields.keys()), "{path}");
            for (key, value) in example {
                assert_shows(value, &fields[key], &format!("{path}.{key}"));
            }
        }
        (Value::Array(example), Value::Array(sample)) => assert_shows(&example[0], &sample[0], path),
        (Value::String(text), Value::String(sample)) if sample != "string" => {
            assert_eq!(text.replace(".000Z", "Z"), *sample, "{path}");
        }
        (Value::String(_), Value::String(_)) => {}
        (word, Value::Object(_)) => assert!(word.is_string() || word.is_null(), "{path}"),
        (value, sample) => assert_eq!(value, sample, "{path}"),
    }
}

#[test]
fn the_examples_are_the_samples_of_the_seed() {
    let document = exported(Version::V3_1);
    let responses = &document["components"]["responses"];
    let example = |response: &str, name: &str| {
        responses[response]["content"]["application/json"]["examples"][name]["value"].clone()
    };
    let sample = |text: &str| serde_json::from_str::<Value>(text).unwrap();
    let list = sample(include_str!("golden/list.json"));
    assert_shows(&example("ReconciledList", "entries"), &list, "list");
    assert_shows(&example("OneConnection", "connection"), &sample(include_str!("golden/single.json")), "single");
    assert_shows(&example("Repaired", "created"), &sample(include_str!("golden/created.json")), "created");
}

#[test]
fn head_stands_beside_every_get_and_names_are_unlike() {
    let document = exported(Version::V3_1);
    let mut names = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        assert_eq!(item.get("get").is_some(), item.get("head").is_some(), "{path}");
        names.extend(item.as_object().unwrap().values().map(|operation| operation["operationId"].as_str().unwrap()));
    }
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!((names.len(), count), (11, 11), "{names:?}");
}

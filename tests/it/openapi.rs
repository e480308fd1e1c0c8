//! `openapi.json` is what the program exports, describes everything in it, and shows the seed's samples.

use std::path::Path;

use serde_json::{Value, json};

pub fn exported() -> Value {
    serde_json::from_str(&lc_connections::http::openapi::json()).unwrap()
}

#[test]
fn the_committed_description_is_the_exported_one() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("openapi.json");
    let committed = std::fs::read_to_string(path).unwrap();
    assert!(
        committed.trim_end() == lc_connections::http::openapi::json(),
        "openapi.json is stale: write it anew with `cargo run -- openapi > openapi.json`"
    );
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
    schema["type"] == null || among(&schema["type"], &|one| *one == null) || among(&schema["oneOf"], &is_nullable)
}

#[test]
fn everything_is_described_and_what_may_be_null_says_when() {
    let document = exported();
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
    let schemas = &exported()["components"]["schemas"];
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
    let document = exported();
    let responses = &document["components"]["responses"];
    let example = |response: &str, name: &str| {
        responses[response]["content"]["application/json"]["examples"][name]["value"].clone()
    };
    let sample = |text: &str| serde_json::from_str::<Value>(text).unwrap();
    let list = sample(include_str!("golden/list.json"));
    assert_shows(&example("ReconciledList", "entries"), &list, "list");
    assert_shows(&example("ReconciledList", "envelope")["connections"], &list, "envelope");
    assert_shows(&example("OneConnection", "connection"), &sample(include_str!("golden/single.json")), "single");
    assert_shows(&example("Repaired", "created"), &sample(include_str!("golden/created.json")), "created");
}

#[test]
fn head_stands_beside_every_get_and_names_are_unlike() {
    let document = exported();
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

//! Properties that may be null, in the forms that most generators of clients understand.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{Object, OneOf, Schema, SchemaType, Type};

use super::component;

/// Of a reference that may be null, utoipa describes the reference; this describes the property.
pub(super) fn describe_nullable_references(schema: &mut RefOr<Schema>) {
    let RefOr::T(Schema::Object(object)) = schema else { return };
    for property in object.properties.values_mut() {
        if let RefOr::T(Schema::OneOf(either)) = property {
            for item in &mut either.items {
                if let RefOr::Ref(reference) = item {
                    either.description = Some(std::mem::take(&mut reference.description));
                }
            }
        }
    }
}

/// Describes a word that may be null as one schema: many generators of clients do not read a choice between a reference
/// and null.
pub(super) fn inline_nullable_words(schemas: &mut BTreeMap<String, RefOr<Schema>>) {
    let words: BTreeMap<String, Object> = schemas.iter().filter_map(|(name, schema)| word(name, schema)).collect();
    let mut inlined = BTreeSet::new();
    for schema in schemas.values_mut() {
        let RefOr::T(Schema::Object(object)) = schema else { continue };
        for property in object.properties.values_mut() {
            let RefOr::T(Schema::OneOf(either)) = property else { continue };
            let Some((name, word)) = nullable_reference(either).and_then(|name| words.get_key_value(name)) else {
                continue;
            };
            inlined.insert(name);
            let property_itself = either.description.take().unwrap_or_default();
            *property = nullable_word(word, &property_itself).into();
        }
    }
    schemas.retain(|name, _| !inlined.contains(name));
}

/// A component that is one text, by its name.
fn word(name: &str, schema: &RefOr<Schema>) -> Option<(String, Object)> {
    let RefOr::T(Schema::Object(object)) = schema else { return None };
    (object.schema_type == SchemaType::Type(Type::String)).then(|| (name.to_owned(), object.clone()))
}

fn nullable_word(word: &Object, property: &str) -> Schema {
    let mut word = word.clone();
    word.schema_type = SchemaType::Array(vec![Type::String, Type::Null]);
    word.description = Some(format!("{property} {}", word.description.unwrap_or_default()));
    if let Some(words) = &mut word.enum_values {
        words.push(Value::Null);
    }
    Schema::Object(word)
}

/// The component's name in a choice between a reference and null.
pub(super) fn nullable_reference(either: &OneOf) -> Option<&str> {
    match either.items.as_slice() {
        [RefOr::Ref(reference), null] | [null, RefOr::Ref(reference)] if is_null(null) => Some(component(reference)),
        _ => None,
    }
}

fn is_null(schema: &RefOr<Schema>) -> bool {
    let RefOr::T(Schema::Object(object)) = schema else { return false };
    object.schema_type == SchemaType::Type(Type::Null)
}

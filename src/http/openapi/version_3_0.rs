//! The description by `OpenAPI` 3.0. It rewrites the constructs of 3.1 that this description has, and knows no others;
//! a test fails when one is left.
//!
//! A schema may be null in 3.0 only where `nullable` stands beside a `type`, and beside a `$ref` nothing counts. So a
//! reference that may be null becomes a plain one, and the component that it refers to may be null.

use std::collections::BTreeMap;

use utoipa::openapi::extensions::Extensions;
use utoipa::openapi::schema::{Schema, SchemaType, Type};
use utoipa::openapi::{OpenApi, Ref, RefOr};

use super::nullable::nullable_reference;

pub(super) fn rewrite(document: &mut OpenApi) {
    if let Some(license) = &mut document.info.license {
        // 3.0 has no SPDX identifier, and an address in its place: that of the list of those identifiers.
        license.identifier = None;
        license.url = Some("https://spdx.org/licenses/".to_owned());
    }
    let Some(components) = &mut document.components else { return };
    // By the component's name, the description of the property that may be null.
    let mut nullable = BTreeMap::new();
    for schema in components.schemas.values_mut() {
        let RefOr::T(Schema::Object(object)) = schema else { continue };
        for property in object.properties.values_mut() {
            rewrite_property(property, &mut nullable);
        }
    }
    for (name, description) in nullable {
        if let Some(RefOr::T(Schema::Object(object))) = components.schemas.get_mut(&name) {
            object.description = description;
            allow_null(&mut object.extensions);
        }
    }
}

fn rewrite_property(property: &mut RefOr<Schema>, nullable: &mut BTreeMap<String, Option<String>>) {
    match property {
        RefOr::Ref(reference) => *property = Ref::new(&reference.ref_location).into(),
        RefOr::T(Schema::OneOf(either)) => {
            if let Some(name) = nullable_reference(either) {
                let reference = Ref::from_schema_name(name);
                nullable.insert(name.to_owned(), either.description.clone());
                *property = reference.into();
            }
        }
        RefOr::T(Schema::Object(object)) => {
            if let SchemaType::Array(types) = &object.schema_type
                && let [one, Type::Null] = types.as_slice()
            {
                object.schema_type = SchemaType::Type(one.clone());
                allow_null(&mut object.extensions);
            }
        }
        RefOr::T(_) => {}
    }
}

fn allow_null(extensions: &mut Option<Extensions>) {
    extensions.get_or_insert_default().insert("nullable".to_owned(), true.into());
}

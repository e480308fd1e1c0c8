//! The words that REST sends: how each set of the domain is written, and its schema in `openapi.json`.

use serde::{Serialize, Serializer};
use utoipa::openapi::schema::{AnyOfBuilder, ObjectBuilder, Schema, Type};
use utoipa::openapi::{Object, RefOr};
use utoipa::{PartialSchema, ToSchema};

use crate::domain::account_entity::{EntityConnected, EntityRecipient, EntitySource};
use crate::domain::connection::{ConnectionStatus, RelationshipType};

macro_rules! words {
    ($($name:ident: $schema:expr, $description:literal;)+) => {$(
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                RefOr::T($schema($description))
            }
        }

        impl ToSchema for $name {}
    )+};
}

words! {
    RelationshipType: |text| closed(text, RelationshipType::ALL.map(RelationshipType::as_str)),
        "The partner's role as the caller sees it: a `seller` sells to the caller, a `buyer` buys from it. The partner sees \
         the mirror image.";
    ConnectionStatus: |text| closed(text, ConnectionStatus::ALL.map(ConnectionStatus::as_str)),
        "`completed`: LeadConduit has its row. `sso_only`: the connection exists in SSO alone, and a superuser can repair it.";
    EntityConnected: |text| closed(text, EntityConnected::ALL.map(EntityConnected::as_str)),
        "Which relationship types the caller has with the partner.";
    EntitySource: |text| open(text, EntitySource::KNOWN.iter().copied()),
        "What an entity is as a source of leads. A word beyond these, stored by another program, is passed on.";
    EntityRecipient: |text| open(text, EntityRecipient::KNOWN.iter().copied()),
        "What an entity is as a recipient of leads. A word beyond these, stored by another program, is passed on.";
}

fn one_of<'a>(words: impl IntoIterator<Item = &'a str>) -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String).enum_values(Some(words))
}

/// These words and no others.
fn closed<'a>(description: &str, words: impl IntoIterator<Item = &'a str>) -> Schema {
    Schema::Object(one_of(words).description(Some(description)).build())
}

/// These words, and whatever else is stored.
fn open<'a>(description: &str, words: impl IntoIterator<Item = &'a str>) -> Schema {
    let any = AnyOfBuilder::new().item(one_of(words)).item(Object::with_type(Type::String));
    Schema::AnyOf(any.description(Some(description)).build())
}

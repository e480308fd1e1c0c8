//! The words that REST sends: how each set of the domain is written, and its schema in `openapi.json`.

use serde::{Serialize, Serializer};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
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
        "`seller`: the partner sells to the caller. `buyer`: it buys from the caller. `both`: it does both.";
    EntitySource: |text| open(text, EntitySource::KNOWN), "or another word that another program has stored.";
    EntityRecipient: |text| open(text, EntityRecipient::KNOWN), "or another word that another program has stored.";
}

/// These words and no others.
fn closed<'a>(description: &str, words: impl IntoIterator<Item = &'a str>) -> Schema {
    string(description).enum_values(Some(words)).into()
}

/// These words, and any other that is stored. Only the description names them: a client that is generated from a choice
/// between an `enum` and a `string` reads neither.
fn open(or_another: &str, words: &[&str]) -> Schema {
    string(&format!("`{}`, {or_another}", words.join("`, `"))).into()
}

fn string(description: &str) -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String).description(Some(description))
}

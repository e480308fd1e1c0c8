//! The four custom scalars.

use async_graphql::{InputValueError, InputValueResult, Scalar, ScalarType, Value};

use crate::domain::id;
use crate::domain::raw_json::RawJson;
use crate::domain::stored::StoredUrl;
use crate::domain::timestamp::Timestamp;

/// 24 hex characters (BSON ObjectId). Either case in, lower case out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ObjectId(pub id::ObjectId);

/// 24 hex characters (BSON ObjectId). Either case in, lower case out.
#[Scalar(name = "ObjectID")]
impl ScalarType for ObjectId {
    fn parse(value: Value) -> InputValueResult<Self> {
        match &value {
            Value::String(text) => {
                id::ObjectId::parse(text).map(Self).map_err(|error| InputValueError::custom(error.to_string()))
            }
            _ => Err(InputValueError::expected_type(value)),
        }
    }

    fn to_value(&self) -> Value {
        Value::from(self.0.as_str())
    }
}

macro_rules! from_ids {
    ($($name:ident),+) => {$(
        impl From<id::$name> for ObjectId {
            fn from(id: id::$name) -> Self {
                Self(id.0)
            }
        }
    )+};
}

from_ids!(AccountId, SsoId, ConnectionId, SsoConnectionId, InvitationId, EntityId, CustomEntityId);

/// RFC 3339 instant in UTC with milliseconds and `Z`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DateTime(pub Timestamp);

/// RFC 3339 instant in UTC with milliseconds and `Z`.
#[Scalar(name = "DateTime")]
impl ScalarType for DateTime {
    fn parse(value: Value) -> InputValueResult<Self> {
        match &value {
            Value::String(text) => {
                Timestamp::parse(text).map(Self).map_err(|error| InputValueError::custom(error.to_string()))
            }
            _ => Err(InputValueError::expected_type(value)),
        }
    }

    fn to_value(&self) -> Value {
        Value::from(self.0.to_string())
    }
}

/// An absolute URL as stored. A stored text that is none shows as null, and nulls nothing else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Url(String);

impl Url {
    /// The stored text when it is a URL.
    #[must_use]
    pub fn known(stored: &StoredUrl) -> Option<Self> {
        stored.known().map(|text| Self(text.to_owned()))
    }
}

/// An absolute URL as stored. A stored text that is none shows as null, and nulls nothing else.
#[Scalar(name = "URL")]
impl ScalarType for Url {
    fn parse(value: Value) -> InputValueResult<Self> {
        match value {
            Value::String(text) => Ok(Self(text)),
            value => Err(InputValueError::expected_type(value)),
        }
    }

    fn to_value(&self) -> Value {
        Value::from(self.0.as_str())
    }
}

/// Any JSON value, mostly an open object; an escape hatch, never the only way to read a documented field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Json(Value);

/// Any JSON value, mostly an open object; an escape hatch, never the only way to read a documented field.
#[Scalar(name = "JSON")]
impl ScalarType for Json {
    fn parse(value: Value) -> InputValueResult<Self> {
        Ok(Self(value))
    }

    fn to_value(&self) -> Value {
        self.0.clone()
    }
}

/// The text travels as bytes, and `graphql/answer.rs` writes them into the response unchanged. A value of the library's
/// would round numbers, and could not represent some texts at all.
impl From<&RawJson> for Json {
    fn from(raw: &RawJson) -> Self {
        Self(Value::Binary(raw.as_str().to_owned().into()))
    }
}

//! JSON that stays text until someone asks inside.

use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

use super::plain_json;

/// One valid JSON value, as text. Cheap to pass on, parsed only on demand.
#[derive(Debug, Clone)]
pub struct RawJson(Box<RawValue>);

impl RawJson {
    /// The text when it is valid JSON, else `None`.
    #[must_use]
    pub fn parse(text: String) -> Option<Self> {
        RawValue::from_string(text).ok().map(Self)
    }

    /// `{}`.
    #[must_use]
    pub fn empty_object() -> Self {
        Self::from(&serde_json::Map::new().into())
    }

    /// `[]`.
    #[must_use]
    pub fn empty_array() -> Self {
        Self::from(&serde_json::Value::Array(Vec::new()))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.get()
    }

    /// Whether it is an object.
    #[must_use]
    pub fn is_object(&self) -> bool {
        self.as_str().trim_start().starts_with('{')
    }

    /// The value, parsed.
    #[must_use]
    pub fn value(&self) -> serde_json::Value {
        plain_json::parse(self.as_str().as_bytes()).unwrap_or_default()
    }
}

impl From<&serde_json::Value> for RawJson {
    fn from(value: &serde_json::Value) -> Self {
        // `Value` prints valid JSON, so the fallback is never taken.
        Self(RawValue::from_string(value.to_string()).unwrap_or_default())
    }
}

impl PartialEq for RawJson {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for RawJson {}

impl Serialize for RawJson {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

//! JSON that stays text until someone asks inside.

use serde::{Serialize, Serializer};
use serde_json::value::{RawValue, to_raw_value};

/// One valid JSON value, as text. Cheap to pass on. Its parts are read by [`json_text`](super::json_text).
#[derive(Debug, Clone)]
pub struct RawJson(Box<RawValue>);

impl RawJson {
    /// The text, without the white space around it, when it is valid JSON, else `None`. Numbers, escapes and nesting
    /// have no limit.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        serde_json::from_str::<&RawValue>(text).ok().map(|raw| Self(raw.to_owned()))
    }

    /// A value of the program's own, as JSON.
    #[must_use]
    pub fn from_value(value: &impl Serialize) -> Self {
        // Values of the program always serialize, so the fallback is never taken.
        Self(to_raw_value(value).unwrap_or_default())
    }

    /// `{}`.
    #[must_use]
    pub fn empty_object() -> Self {
        Self::from_value(&serde_json::Map::new())
    }

    /// `[]`.
    #[must_use]
    pub fn empty_array() -> Self {
        Self::from_value(&[(); 0])
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.get()
    }

    /// The text, for reading its parts.
    #[must_use]
    pub fn as_raw_value(&self) -> &RawValue {
        &self.0
    }

    /// Whether it is an object.
    #[must_use]
    pub fn is_object(&self) -> bool {
        self.as_str().starts_with('{')
    }

    /// Whether it is null.
    #[must_use]
    pub fn is_null(&self) -> bool {
        self.as_str() == "null"
    }
}

impl Default for RawJson {
    /// `null`.
    fn default() -> Self {
        Self(RawValue::NULL.to_owned())
    }
}

impl From<&RawValue> for RawJson {
    fn from(raw: &RawValue) -> Self {
        Self(raw.to_owned())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_kept_to_the_byte_and_all_else_refused() {
        let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        for text in [
            "1e400",
            "-0",
            "123456789012345678901234567890.10",
            "{ \"a\" : [ 1.0 , null ] }",
            "\"\\ud800\\u0000\"",
            "{\"a\":1,\"a\":2}",
            "{\"\\udfff\":1}",
            &deep,
        ] {
            let json = RawJson::parse(&format!(" \n{text}\t ")).unwrap();
            assert_eq!(json.as_str(), text, "{text:.100}");
            assert_eq!(serde_json::to_string(&json).unwrap(), text, "{text:.100}");
        }
        for text in
            ["", " ", "NaN", "1e", "01", "{\"a\":1,}", "[1]]", "{a:1}", "\"\t\"", "\"\\x\"", "\"\\ud80\"", "\u{feff}1"]
        {
            assert_eq!(RawJson::parse(text), None, "{text}");
        }
    }
}

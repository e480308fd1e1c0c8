//! JSON from outside, read as it stands.
//!
//! `serde_json::Value` reads one object otherwise: where the first key is `$serde_json::private::RawValue`, it takes the text
//! beside it for JSON and reads that in the object's place, each time with a new limit on nesting. Texts within texts can then
//! nest thousands of levels deep, enough to exhaust a thread's stack, and mean another thing than to any other reader.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Error, Map, Value};

/// The value that a text is.
///
/// # Errors
/// It is no JSON, or nests deeper than 128 levels.
pub fn parse(text: &[u8]) -> Result<Value, Error> {
    serde_json::from_slice(text).map(|Plain(value)| value)
}

struct Plain(Value);

impl<'de> Deserialize<'de> for Plain {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(PlainVisitor).map(Self)
    }
}

struct PlainVisitor;

impl<'de> Visitor<'de> for PlainVisitor {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("any JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
        Ok(number.into())
    }

    fn visit_u64<E>(self, number: u64) -> Result<Value, E> {
        Ok(number.into())
    }

    fn visit_f64<E>(self, number: f64) -> Result<Value, E> {
        Ok(number.into())
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(text.into())
    }

    fn visit_string<E>(self, text: String) -> Result<Value, E> {
        Ok(text.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut array = Vec::new();
        while let Some(Plain(item)) = items.next_element()? {
            array.push(item);
        }
        Ok(Value::Array(array))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some((name, Plain(field))) = fields.next_entry::<String, _>()? {
            object.insert(name, field);
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_what_it_is_to_serde_json() {
        for text in [
            "null",
            "true",
            "[-1, 18446744073709551615, 1.5, -0.0, 1e300, []]",
            r#"{"a": "b\u00e9\\n", "c": {"d": [null, {}]}, "a": "last"}"#,
            "",
            "{",
            "[1,]",
            "1e999",
            "{\"a\": 1} 2",
        ] {
            let known = serde_json::from_str::<Value>(text);
            assert_eq!(parse(text.as_bytes()).ok(), known.ok(), "{text}");
        }
        assert!(parse("[".repeat(1_000).as_bytes()).is_err());
        assert!(parse(b"\"\xff\"").is_err());
    }

    #[test]
    fn an_object_is_an_object_whatever_its_keys() {
        let text = r#"{"$serde_json::private::RawValue": "{\"a\": 1}"}"#;
        let value = parse(text.as_bytes()).unwrap();
        assert_eq!(value["$serde_json::private::RawValue"], "{\"a\": 1}");
        assert_eq!(value.as_object().unwrap().len(), 1);
    }
}

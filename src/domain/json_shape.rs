//! Reads JSON text one level at a time. Reading one member leaves the others unread, so that a value which no Rust
//! type holds (`1e400`, a lone surrogate escape, deep nesting) fails only where the program needs that value.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// The members of an object in document order. A name can occur more than once.
pub type Members<'a> = Vec<(Cow<'a, str>, &'a RawValue)>;

/// One level of a value.
#[derive(Debug)]
pub enum Shape<'a> {
    /// `null`
    Null,
    /// `true` or `false`
    Boolean(bool),
    /// The digits as they were written.
    Number(&'a str),
    /// `None` if it contains a lone surrogate escape (`"\ud800"`), which `str` cannot hold.
    String(Option<Cow<'a, str>>),
    /// The items.
    Array(Vec<&'a RawValue>),
    /// The members.
    Object(Members<'a>),
}

impl<'a> Shape<'a> {
    /// Reads the first level of a value.
    #[must_use]
    pub fn parse(value: &'a RawValue) -> Self {
        let text = value.get();
        // A `RawValue` is always valid JSON, so the fallbacks for arrays and objects are unreachable.
        match text.as_bytes().first() {
            Some(b'n') => Self::Null,
            Some(b't') => Self::Boolean(true),
            Some(b'f') => Self::Boolean(false),
            // Most strings have no escapes. Lists of them can be long.
            Some(b'"') if !text.contains('\\') => Self::String(text.get(1..text.len() - 1).map(Cow::Borrowed)),
            Some(b'"') => Self::String(serde_json::from_str(text).ok().map(Cow::Owned)),
            Some(b'[') => Self::Array(serde_json::from_str(text).unwrap_or_default()),
            Some(b'{') => Self::Object(members(text)),
            _ => Self::Number(text),
        }
    }

    /// The JSON type with its article, for error messages.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Boolean(_) => "a boolean",
            Self::Number(_) => "a number",
            Self::String(_) => "a string",
            Self::Array(_) => "an array",
            Self::Object(_) => "an object",
        }
    }
}

fn members(text: &str) -> Members<'_> {
    serde_json::from_str(text).map(|Object(members)| members).unwrap_or_default()
}

/// Returns the member with this name. The last one wins, as in most JSON readers.
#[must_use]
pub fn member<'a>(members: &Members<'a>, name: &str) -> Option<&'a RawValue> {
    members.iter().rev().find(|(one, _)| one == name).map(|(_, value)| *value)
}

struct Object<'a>(Members<'a>);

impl<'de: 'a, 'a> Deserialize<'de> for Object<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ObjectVisitor).map(Self)
    }
}

struct ObjectVisitor;

impl<'de> Visitor<'de> for ObjectVisitor {
    type Value = Members<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::new();
        while let Some((Name(name), value)) = fields.next_entry::<Name<'de>, &'de RawValue>()? {
            members.push((name, value));
        }
        Ok(members)
    }
}

/// A member's name. A lone surrogate in an unknown name must not fail the whole object.
struct Name<'a>(Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Name<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // As bytes, serde_json accepts lone surrogates.
        deserializer.deserialize_bytes(NameVisitor).map(Self)
    }
}

struct NameVisitor;

impl<'de> Visitor<'de> for NameVisitor {
    type Value = Cow<'de, str>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a string")
    }

    fn visit_borrowed_bytes<E>(self, text: &'de [u8]) -> Result<Self::Value, E> {
        Ok(String::from_utf8_lossy(text))
    }

    fn visit_bytes<E>(self, text: &[u8]) -> Result<Self::Value, E> {
        Ok(Cow::Owned(String::from_utf8_lossy(text).into_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(text: &str) -> &RawValue {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn invalid_values_below_one_level_do_not_fail_it() {
        let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        let text =
            format!(r#"{{"a": 1e400, "\ud800": 1, "b": "\ud800", "c": {deep}, "d\u0065": "\u0041b", "a": null}}"#);
        let Shape::Object(members) = Shape::parse(raw(&text)) else { panic!("an object") };
        let names: Vec<&str> = members.iter().map(|(name, _)| &**name).collect();
        assert_eq!(names, ["a", "\u{fffd}\u{fffd}\u{fffd}", "b", "c", "de", "a"]);
        assert!(matches!(Shape::parse(members[0].1), Shape::Number("1e400")));
        assert!(matches!(Shape::parse(member(&members, "b").unwrap()), Shape::String(None)));
        assert!(matches!(Shape::parse(member(&members, "c").unwrap()), Shape::Array(items) if items.len() == 1));
        assert!(matches!(Shape::parse(member(&members, "de").unwrap()), Shape::String(Some(text)) if text == "Ab"));
        assert!(matches!(Shape::parse(member(&members, "a").unwrap()), Shape::Null), "the last duplicate wins");
        assert!(member(&members, "e").is_none());
    }

    #[test]
    fn each_json_type_has_its_shape() {
        for (text, kind) in [
            ("null", "null"),
            ("true", "a boolean"),
            ("false", "a boolean"),
            ("-0.5e-9", "a number"),
            ("12345678901234567890123", "a number"),
            ("\"\"", "a string"),
            ("[ 1 , {} ]", "an array"),
            ("{ }", "an object"),
            // `serde_json::Value` gives these keys a meaning of its own.
            (r#"{"$serde_json::private::RawValue": "[]"}"#, "an object"),
            (r#"{"$serde_json::private::Number": "1"}"#, "an object"),
        ] {
            assert_eq!(Shape::parse(raw(text)).kind(), kind, "{text}");
        }
    }
}

//! JSON from outside that stays text, looked into one level at a time: whoever reads one member reads no other, so that an odd
//! one (`1e400`, half a surrogate pair, any depth) costs only those who ask for it.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// The members of an object, in their order; a name may come twice.
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
    /// `None`: it has half a surrogate pair (`"\ud800"`), which no text can hold.
    String(Option<Cow<'a, str>>),
    /// The items.
    Array(Vec<&'a RawValue>),
    /// The members.
    Object(Members<'a>),
}

impl<'a> Shape<'a> {
    /// The first level of a value.
    #[must_use]
    pub fn of(value: &'a RawValue) -> Self {
        let text = value.get();
        // `RawValue` is valid JSON, so that no fallback for arrays and objects is ever taken.
        match text.as_bytes().first() {
            Some(b'n') => Self::Null,
            Some(b't') => Self::Boolean(true),
            Some(b'f') => Self::Boolean(false),
            Some(b'"') => Self::String(serde_json::from_str(text).ok().map(|Text(text)| text)),
            Some(b'[') => Self::Array(serde_json::from_str(text).unwrap_or_default()),
            Some(b'{') => Self::Object(members(text)),
            _ => Self::Number(text),
        }
    }

    /// The value's type, for a sentence.
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

/// The member of a name; of several the last, as JSON's readers have it.
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

/// A string, borrowed where it has no escapes.
struct Text<'a>(Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(TextVisitor).map(Self)
    }
}

/// A member's name. One with half a surrogate pair is nobody's, but must not cost the others.
struct Name<'a>(Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Name<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // As bytes, serde_json takes half a pair too.
        deserializer.deserialize_bytes(TextVisitor).map(Self)
    }
}

struct TextVisitor;

impl<'de> Visitor<'de> for TextVisitor {
    type Value = Cow<'de, str>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a string")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(text))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(text.to_owned()))
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
    fn one_level_is_read_whatever_lies_below() {
        let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        let text =
            format!(r#"{{"a": 1e400, "\ud800": 1, "b": "\ud800", "c": {deep}, "d\u0065": "\u0041b", "a": null}}"#);
        let Shape::Object(members) = Shape::of(raw(&text)) else { panic!("an object") };
        let names: Vec<&str> = members.iter().map(|(name, _)| &**name).collect();
        assert_eq!(names, ["a", "\u{fffd}\u{fffd}\u{fffd}", "b", "c", "de", "a"]);
        assert!(matches!(Shape::of(members[0].1), Shape::Number("1e400")));
        assert!(matches!(Shape::of(member(&members, "b").unwrap()), Shape::String(None)));
        assert!(matches!(Shape::of(member(&members, "c").unwrap()), Shape::Array(items) if items.len() == 1));
        assert!(matches!(Shape::of(member(&members, "de").unwrap()), Shape::String(Some(text)) if text == "Ab"));
        assert!(matches!(Shape::of(member(&members, "a").unwrap()), Shape::Null), "the last of one name");
        assert!(member(&members, "e").is_none());
    }

    #[test]
    fn each_type_has_its_shape() {
        for (text, kind) in [
            ("null", "null"),
            ("true", "a boolean"),
            ("false", "a boolean"),
            ("-0.5e-9", "a number"),
            ("12345678901234567890123", "a number"),
            ("\"\"", "a string"),
            ("[ 1 , {} ]", "an array"),
            ("{ }", "an object"),
            // The key by which `serde_json`'s own `Value` takes a text for JSON.
            (r#"{"$serde_json::private::RawValue": "[]"}"#, "an object"),
            (r#"{"$serde_json::private::Number": "1"}"#, "an object"),
        ] {
            assert_eq!(Shape::of(raw(text)).kind(), kind, "{text}");
        }
    }
}

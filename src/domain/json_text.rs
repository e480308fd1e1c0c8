//! Reads parts of JSON texts without building values: a value cannot represent every number, string or depth that a
//! JSON text can have, and one such part would cost all the others.
//!
//! Keys are read as bytes, since a key with a lone surrogate (`"\ud800"`) is no Rust text. Parts are skipped and taken
//! out without recursion, so that nesting has no limit.

use std::fmt;

use serde::de::value::BytesDeserializer;
use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

/// Reads a string by its bytes, without copying them. They are WTF-8: UTF-8 but for lone surrogates.
struct WithBytes<F>(F);

impl<'de, T, F: FnOnce(&[u8]) -> T> DeserializeSeed<'de> for WithBytes<F> {
    type Value = T;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<T, D::Error> {
        deserializer.deserialize_bytes(self)
    }
}

impl<T, F: FnOnce(&[u8]) -> T> Visitor<'_> for WithBytes<F> {
    type Value = T;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a string")
    }

    fn visit_bytes<E>(self, bytes: &[u8]) -> Result<T, E> {
        Ok((self.0)(bytes))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        self.visit_bytes(text.as_bytes())
    }
}

/// Gives an object's keys as bytes to whatever reads them. serde's derived readers compare bytes as well as text.
pub struct ByteKeys<M>(pub M);

impl<'de, M: MapAccess<'de>> MapAccess<'de> for ByteKeys<M> {
    type Error = M::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, M::Error> {
        self.0.next_key_seed(WithBytes(|key: &[u8]| seed.deserialize(BytesDeserializer::new(key))))?.transpose()
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, M::Error> {
        self.0.next_value_seed(seed)
    }

    fn size_hint(&self) -> Option<usize> {
        self.0.size_hint()
    }
}

/// A string's text, in which U+FFFD replaces each lone surrogate.
pub struct LossyText(pub Box<str>);

impl LossyText {
    fn from_wtf_8(bytes: &[u8]) -> Self {
        if let Ok(text) = std::str::from_utf8(bytes) {
            return Self(text.into());
        }
        let mut text = String::with_capacity(bytes.len());
        for chunk in bytes.utf8_chunks() {
            text.push_str(chunk.valid());
            // A surrogate has three bytes, each of which is a chunk's invalid part.
            if chunk.invalid().first() == Some(&0xed) {
                text.push(char::REPLACEMENT_CHARACTER);
            }
        }
        Self(text.into())
    }
}

impl<'de> Deserialize<'de> for LossyText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        WithBytes(Self::from_wtf_8).deserialize(deserializer)
    }
}

/// An array's elements; `None`: it is no array.
#[must_use]
pub fn elements(json: &RawValue) -> Option<Vec<&RawValue>> {
    serde_json::from_str(json.get()).ok()
}

/// The members of an object that have these names; `None`: it is no object. Of several with one name the last counts.
#[must_use]
pub fn members<'a, const N: usize>(json: &'a RawValue, names: [&str; N]) -> Option<[Option<&'a RawValue>; N]> {
    struct MembersVisitor<'n, const N: usize>([&'n str; N]);

    impl<'de, const N: usize> Visitor<'de> for MembersVisitor<'_, N> {
        type Value = [Option<&'de RawValue>; N];

        fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            formatter.write_str("an object")
        }

        fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Self::Value, M::Error> {
            let index = |key: &[u8]| self.0.iter().position(|name| name.as_bytes() == key);
            let mut found = [None; N];
            while let Some(index) = map.next_key_seed(WithBytes(index))? {
                match index {
                    Some(index) => found[index] = Some(map.next_value()?),
                    None => {
                        map.next_value::<IgnoredAny>()?;
                    }
                }
            }
            Ok(found)
        }
    }

    (&mut serde_json::Deserializer::from_str(json.get())).deserialize_map(MembersVisitor(names)).ok()
}

/// A string's text; `None`: it is no string, or has a lone surrogate.
#[must_use]
pub fn text(json: &RawValue) -> Option<String> {
    serde_json::from_str(json.get()).ok()
}

/// A string's text, in which U+FFFD replaces each lone surrogate; `None`: it is no string.
#[must_use]
pub fn lossy_text(json: &RawValue) -> Option<Box<str>> {
    serde_json::from_str(json.get()).ok().map(|LossyText(text)| text)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn raw(json: &str) -> &RawValue {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn the_last_member_of_a_name_counts_whatever_stands_beside_it() {
        let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        let odd = format!(r#""\ud800": 1e400, "\udfff\ud800": "\ud800", "": {deep}"#);
        for (json, found) in [
            (format!(r#"{{"name": 1, {odd}}}"#), Some("1")),
            (format!(r#"{{{odd}, "n\u0061me" : "\ud800" }}"#), Some(r#""\ud800""#)),
            (format!(r#"{{"name": 1, {odd}, "name": [ 2 ]}}"#), Some("[ 2 ]")),
            (format!(r#"{{{odd}, "names": 1, "nam": 2, "Name": 3}}"#), None),
            (format!(r#"{{"name": {deep}}}"#), Some(&*deep)),
            (r#"{"$serde_json::private::RawValue": "{\"name\": 1}"}"#.to_owned(), None),
            ("{}".to_owned(), None),
        ] {
            let [name, other] = members(raw(&json), ["name", "other"]).unwrap();
            assert_eq!(name.map(RawValue::get), found, "{json:.200}");
            assert!(other.is_none());
        }
        for json in ["[]", "null", "1e400", "\"{}\""] {
            assert!(members(raw(json), ["name"]).is_none(), "{json}");
        }
    }

    #[test]
    fn a_lone_surrogate_is_no_text_and_is_replaced_where_it_must_be_shown() {
        for (json, exact, shown) in [
            (r#""a\u00e9\ud83d\ude00""#, Some("aé😀"), "aé😀"),
            (r#""\ud800""#, None, "\u{fffd}"),
            (r#""a\ud83d\ud83d\ude00b\udc00""#, None, "a\u{fffd}😀b\u{fffd}"),
            (r#""é\udbff\ud800x""#, None, "é\u{fffd}\u{fffd}x"),
            (r#""\ufffd\u0000""#, Some("\u{fffd}\0"), "\u{fffd}\0"),
        ] {
            assert_eq!(text(raw(json)).as_deref(), exact, "{json}");
            assert_eq!(lossy_text(raw(json)).as_deref(), Some(shown), "{json}");
        }
        for json in ["[97, 98]", "7", "null", "{}", "true"] {
            assert_eq!((text(raw(json)), lossy_text(raw(json))), (None, None), "{json}");
        }
    }

    proptest! {
        #[test]
        fn parts_are_what_they_are_to_serde_json(
            texts in proptest::collection::vec(".{0,8}", 0..6),
            numbers in proptest::collection::vec(any::<i64>(), 0..6),
        ) {
            let lists = numbers.iter().map(|number| json!([number]));
            let array = Value::Array(texts.iter().map(|text| json!(text)).chain(lists).collect());
            let array_text = array.to_string();
            let parts = elements(raw(&array_text)).unwrap();
            let read: Vec<Value> = parts.iter().map(|part| serde_json::from_str(part.get()).unwrap()).collect();
            prop_assert_eq!(json!(read), array);
            for (part, text_of_it) in parts.iter().zip(&texts) {
                let read = text(part);
                prop_assert_eq!(read.as_deref(), Some(text_of_it.as_str()));
                prop_assert_eq!(lossy_text(part), read.map(Into::into));
            }

            let numbers = numbers.iter().map(|number| json!(number));
            let object: serde_json::Map<String, Value> = texts.iter().cloned().zip(numbers).collect();
            let object_text = json!(object).to_string();
            for name in texts {
                let [member] = members(raw(&object_text), [&name]).unwrap();
                let expected = object.get(&name).map(ToString::to_string);
                prop_assert_eq!(member.map(RawValue::get), expected.as_deref());
            }
        }
    }
}

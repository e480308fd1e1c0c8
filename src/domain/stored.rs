//! Stored values that other programs may have written oddly. REST passes them on as they are; GraphQL shows what is known.

use std::sync::LazyLock;

use super::id::ObjectId;
use super::json_text;
use super::raw_json::RawJson;

/// A stored value that is kept even where it is odd.
pub trait Stored {
    /// How many of its parts are odd: 0 when it is what it is meant to be.
    fn unknown(&self) -> usize;
}

/// A stored text that is meant to be a URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoredUrl {
    /// It is one.
    Url(Box<str>),
    /// It is none, kept as it is.
    Unknown(Box<str>),
}

impl StoredUrl {
    /// Never fails: an odd text is kept. One with U+FFFD is odd, since that character replaces what could not be read.
    #[must_use]
    pub fn from_stored(text: Box<str>) -> Self {
        let is_url = !text.contains(char::REPLACEMENT_CHARACTER) && url::Url::parse(&text).is_ok();
        if is_url { Self::Url(text) } else { Self::Unknown(text) }
    }

    /// The text as stored.
    #[must_use]
    pub fn as_str(&self) -> &str {
        let (Self::Url(text) | Self::Unknown(text)) = self;
        text
    }

    /// The text when it is a URL.
    #[must_use]
    pub fn known(&self) -> Option<&str> {
        if let Self::Url(text) = self { Some(text) } else { None }
    }
}

impl Stored for StoredUrl {
    fn unknown(&self) -> usize {
        usize::from(self.known().is_none())
    }
}

/// A stored text that is meant to be an id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoredId {
    /// It is one.
    Id(ObjectId),
    /// It is none, kept as it is.
    Unknown(Box<str>),
}

impl StoredId {
    /// Never fails: an odd text is kept.
    #[must_use]
    pub fn from_stored(text: Box<str>) -> Self {
        ObjectId::parse(&text).map_or(Self::Unknown(text), Self::Id)
    }

    /// The id in lower case, or the text as stored.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Id(id) => id.as_str(),
            Self::Unknown(text) => text,
        }
    }

    /// The id, if it is one.
    #[must_use]
    pub fn known(&self) -> Option<ObjectId> {
        if let Self::Id(id) = self { Some(*id) } else { None }
    }
}

impl Stored for StoredId {
    fn unknown(&self) -> usize {
        usize::from(self.known().is_none())
    }
}

/// A stored JSON value that is meant to be an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredObject {
    raw: RawJson,
    is_object: bool,
}

static NOTHING: LazyLock<StoredObject> = LazyLock::new(|| StoredObject::from_stored(RawJson::empty_object()));

impl StoredObject {
    /// Never fails: another value is kept.
    #[must_use]
    pub fn from_stored(raw: RawJson) -> Self {
        let is_object = raw.is_object();
        Self { raw, is_object }
    }

    /// `{}`.
    #[must_use]
    pub fn empty() -> &'static Self {
        &NOTHING
    }

    /// The value as stored.
    #[must_use]
    pub fn raw(&self) -> &RawJson {
        &self.raw
    }

    /// The value when it is an object.
    #[must_use]
    pub fn known(&self) -> Option<&RawJson> {
        self.is_object.then_some(&self.raw)
    }

    /// The boolean member of a name; `None`: there is no such member, or it is no boolean.
    #[must_use]
    pub fn flag(&self, name: &str) -> Option<bool> {
        let [member] = json_text::members(self.raw.as_raw_value(), [name])?;
        match member?.get() {
            "true" => Some(true),
            "false" => Some(false),
            _ => None,
        }
    }
}

impl Stored for StoredObject {
    fn unknown(&self) -> usize {
        usize::from(self.known().is_none())
    }
}

/// A stored JSON value that is meant to be an array of texts, of which `T` is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredList<T> {
    raw: RawJson,
    /// `None`: it is no array.
    known: Option<Box<[T]>>,
    /// Elements that are odd; 1 for what is no array.
    unknown: usize,
}

impl StoredList<ObjectId> {
    /// An array of ids.
    #[must_use]
    pub fn of_ids(raw: RawJson) -> Self {
        Self::from_stored(raw, |text| ObjectId::parse(&text).ok())
    }
}

impl StoredList<Box<str>> {
    /// An array of texts, whatever they say.
    #[must_use]
    pub fn of_texts(raw: RawJson) -> Self {
        Self::from_stored(raw, |text| Some(text.into()))
    }
}

impl<T> StoredList<T> {
    /// Never fails: odd elements are kept in the raw value, and so is what is no array.
    fn from_stored(raw: RawJson, element: impl Fn(String) -> Option<T>) -> Self {
        let Some(elements) = json_text::elements(raw.as_raw_value()) else {
            return Self { raw, known: None, unknown: 1 };
        };
        let texts = elements.iter().copied().filter_map(json_text::text);
        let known: Box<[T]> = texts.filter_map(element).collect();
        let unknown = elements.len() - known.len();
        Self { raw, known: Some(known), unknown }
    }

    /// `[]`.
    #[must_use]
    pub fn empty() -> Self {
        Self { raw: RawJson::empty_array(), known: Some(Box::default()), unknown: 0 }
    }

    /// The value as stored.
    #[must_use]
    pub fn raw(&self) -> &RawJson {
        &self.raw
    }

    /// The known elements; `None`: it is no array.
    #[must_use]
    pub fn known(&self) -> Option<&[T]> {
        self.known.as_deref()
    }
}

impl<T> Stored for StoredList<T> {
    fn unknown(&self) -> usize {
        self.unknown
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_odd_text_is_kept_and_not_known() {
        for (text, is_known) in [
            ("https://a.example/x y", true),
            ("mailto:a@b.example", true),
            ("no url", false),
            ("", false),
            ("https://a.example/\u{fffd}", false),
        ] {
            let url = StoredUrl::from_stored(text.into());
            assert_eq!((url.as_str(), url.known()), (text, is_known.then_some(text)));
        }
        let id = StoredId::from_stored("5FD4371E940DF5A34A3888B2".into());
        assert_eq!((id.as_str(), id.known().is_some()), ("5fd4371e940df5a34a3888b2", true));
        let odd = StoredId::from_stored("the other one".into());
        assert_eq!((odd.as_str(), odd.known()), ("the other one", None));
    }

    #[test]
    fn odd_elements_are_left_out_of_a_list_and_kept_in_its_raw_value() {
        for (json, known, unknown) in [
            (r#"["a", 1, null, ["b"], "c"]"#, Some(vec!["a", "c"]), 3),
            (r#"[1e400, "\ud800", "a", [[[]]], {"\udfff": 1}, "\u0063"]"#, Some(vec!["a", "c"]), 4),
            ("[]", Some(vec![]), 0),
            ("1e400", None, 1),
            ("{}", None, 1),
            ("\"a\"", None, 1),
        ] {
            let list = StoredList::of_texts(RawJson::parse(json).unwrap());
            let texts = list.known().map(|texts| texts.iter().map(AsRef::as_ref).collect::<Vec<&str>>());
            assert_eq!((list.raw().as_str(), texts, list.unknown()), (json, known, unknown));
        }
    }

    #[test]
    fn a_flag_is_the_last_boolean_of_its_name_whatever_stands_beside_it() {
        for (json, flag) in [
            (r#"{"on": true}"#, Some(true)),
            (r#"{"a": 1e400, "on" : false, "\ud800": "\udfff"}"#, Some(false)),
            (r#"{"on": true, "on": false, "o\u006e": true}"#, Some(true)),
            (r#"{"on": true, "on": null}"#, None),
            (r#"{"on": "true"}"#, None),
            (r#"{"On": true}"#, None),
            (r#"["on", true]"#, None),
            ("1e400", None),
        ] {
            assert_eq!(StoredObject::from_stored(RawJson::parse(json).unwrap()).flag("on"), flag, "{json}");
        }
    }
}

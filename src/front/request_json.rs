//! Reads a client's JSON object, from a body or a parameter, for both front ends. Its members stay text until a caller
//! reads them.

use serde_json::value::RawValue;

use crate::domain::json_shape::{Members, Shape};

/// Some encoders write it, and RFC 8259 (8.1) allows readers to ignore it.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// A text that is not a JSON object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JsonError {
    /// The text is not JSON. Holds the reason and its place.
    Malformed(String),
    /// The text is another JSON value. Holds its type with an article.
    NotAnObject(&'static str),
}

/// Parses a JSON object.
///
/// # Errors
/// The text is not JSON or not an object. Invalid values inside a member are reported only when that member is read.
pub fn object(text: &[u8]) -> Result<Members<'_>, JsonError> {
    match Shape::parse(value(text)?) {
        Shape::Object(members) => Ok(members),
        other => Err(JsonError::NotAnObject(other.kind())),
    }
}

fn value(text: &[u8]) -> Result<&RawValue, JsonError> {
    let text = text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text);
    if text.starts_with(b"\xfe\xff") || text.starts_with(b"\xff\xfe") {
        return Err(JsonError::Malformed("it is UTF-16; send it in UTF-8".to_owned()));
    }
    let text = std::str::from_utf8(text).map_err(|error| {
        let at = error.valid_up_to();
        JsonError::Malformed(format!("it is not UTF-8: the byte 0x{:02x} {}", text[at], place(text, at)))
    })?;
    if text.trim_ascii().is_empty() {
        return Err(JsonError::Malformed("it is empty".to_owned()));
    }
    serde_json::from_str(text).map_err(|error| JsonError::Malformed(syntax(text, &error)))
}

/// Describes a syntax error in our words, since the library's messages are not meant for clients.
fn syntax(text: &str, error: &serde_json::Error) -> String {
    if error.is_eof() {
        return format!("it ends too early, {}", place(text.as_bytes(), text.len()));
    }
    // The library counts columns in bytes, and column 0 is the line break before the line.
    let line: usize = text.split_inclusive('\n').take(error.line().saturating_sub(1)).map(str::len).sum();
    // For a control character in a string, the library returns the position before it.
    let is_before = error.to_string().starts_with("control character");
    let at = text.floor_char_boundary((line + error.column() + usize::from(is_before)).saturating_sub(1));
    let found = match text[at..].chars().next() {
        Some('"') => "'\"'".to_owned(),
        Some(character) if character.is_ascii_graphic() || character.is_alphanumeric() => format!("\"{character}\""),
        // The character is invisible.
        Some(character) => format!("U+{:04X}", u32::from(character)),
        None => "end".to_owned(),
    };
    format!("unexpected {found} {}", place(text.as_bytes(), at))
}

/// Lines and columns start at 1. Columns count characters.
fn place(text: &[u8], at: usize) -> String {
    let before = &text[..at.min(text.len())];
    let lines: Vec<&[u8]> = before.split(|byte| *byte == b'\n').collect();
    let line = lines.len();
    let column = String::from_utf8_lossy(lines.last().copied().unwrap_or_default()).chars().count() + 1;
    format!("at line {line}, column {column}")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn fault(text: &[u8]) -> String {
        match object(text).unwrap_err() {
            JsonError::Malformed(reason) => reason,
            JsonError::NotAnObject(kind) => kind.to_owned(),
        }
    }

    #[test]
    fn syntax_errors_name_the_character_and_its_place() {
        for (text, reason) in [
            ("", "it is empty"),
            (" \r\n\t", "it is empty"),
            ("{", "it ends too early, at line 1, column 2"),
            ("{\"a\":\n \"b", "it ends too early, at line 2, column 4"),
            ("connection_id=5", "unexpected \"c\" at line 1, column 1"),
            ("{'a': 1}", "unexpected \"'\" at line 1, column 2"),
            ("{\"a\": 1,}", "unexpected \"}\" at line 1, column 9"),
            ("{\"a\": 1} trailing", "unexpected \"t\" at line 1, column 10"),
            ("{\"a\": 01}", "unexpected \"1\" at line 1, column 8"),
            ("{\"a\": NaN}", "unexpected \"N\" at line 1, column 7"),
            ("{\"a\": tru}", "unexpected \"}\" at line 1, column 10"),
            ("{\"a\"\n\n  : \"é\", 1: 2}", "unexpected \"1\" at line 3, column 10"),
            ("{\"é\": \"é\" é}", "unexpected \"é\" at line 1, column 11"),
            ("{\"a\": \"\\x\"}", "unexpected \"x\" at line 1, column 9"),
            ("{\"a\": \"\u{0}\"}", "unexpected U+0000 at line 1, column 8"),
            ("{\"a\": \"line\nend\"}", "unexpected U+000A at line 1, column 12"),
            ("{\"a\" \"b\"}", "unexpected '\"' at line 1, column 6"),
            ("{\"a\": 1}\u{feff}", "unexpected U+FEFF at line 1, column 9"),
        ] {
            assert_eq!(fault(text.as_bytes()), reason, "{text:?}");
        }
    }

    #[test]
    fn invalid_utf_8_is_reported_with_its_place() {
        assert_eq!(fault(b"{\"a\": \"\xe9\"}"), "it is not UTF-8: the byte 0xe9 at line 1, column 8");
        assert_eq!(fault(b"{\n\"\xc3\xa9\": \"\xff\"}"), "it is not UTF-8: the byte 0xff at line 2, column 7");
        assert_eq!(fault(b"\xff\xfe{\0}\0"), "it is UTF-16; send it in UTF-8");
        assert_eq!(fault(b"\xfe\xff\0{\0}"), "it is UTF-16; send it in UTF-8");
    }

    #[test]
    fn other_json_types_are_named() {
        for (text, kind) in [
            ("null", "null"),
            ("true", "a boolean"),
            ("1e400", "a number"),
            ("\"\\ud800\"", "a string"),
            ("[{}]", "an array"),
        ] {
            assert_eq!(object(text.as_bytes()).unwrap_err(), JsonError::NotAnObject(kind), "{text}");
        }
    }

    #[test]
    fn one_byte_order_mark_is_ignored() {
        assert_eq!(object("\u{feff}{\"a\": 1}".as_bytes()).unwrap()[0].0, "a");
        assert_eq!(fault("\u{feff}\u{feff}{}".as_bytes()), "unexpected U+FEFF at line 1, column 1");
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_gives_a_short_reason(text in "[\\PC\n\r\t{}\\[\\]\",:\\\\ue0-9]{0,60}") {
            match object(text.as_bytes()) {
                Ok(_) => prop_assert_eq!(text.trim_ascii().chars().next(), Some('{')),
                Err(JsonError::Malformed(reason)) => prop_assert!(reason.chars().count() < 80, "{}", reason),
                Err(JsonError::NotAnObject(_)) => {}
            }
        }

        #[test]
        fn any_bytes_are_read_or_give_a_short_reason(text in proptest::collection::vec(any::<u8>(), 0..60)) {
            if let Err(JsonError::Malformed(reason)) = object(&text) {
                prop_assert!(reason.chars().count() < 80, "{}", reason);
            }
        }
    }
}

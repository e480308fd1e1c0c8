//! How errors tell of values and names: shortly, with the form that was expected, and with the name that was probably meant.

use super::types::Kind;
use crate::domain::id::InvalidId;
use crate::domain::timestamp::InvalidTimestamp;

/// The longest text of a client's that an error repeats, in characters.
pub(super) const MAX_SHOWN: usize = 40;

/// A client's text, short.
pub(super) fn shown(text: &str) -> String {
    cut(text, MAX_SHOWN)
}

/// A client's text that stands beside another one.
pub(super) fn shown_shortly(text: &str) -> String {
    cut(text, MAX_SHOWN / 3)
}

/// The end of a client's text, which says most of a path.
pub(super) fn shown_end(text: &str) -> String {
    let length = text.chars().count();
    if length <= MAX_SHOWN {
        return text.to_owned();
    }
    std::iter::once('…').chain(text.chars().skip(length + 1 - MAX_SHOWN)).collect()
}

fn cut(text: &str, length: usize) -> String {
    if text.chars().nth(length).is_none() {
        return text.to_owned();
    }
    text.chars().take(length - 1).chain(['…']).collect()
}

/// The end of a sentence that says which values a type has.
pub(super) fn expected(name: &str) -> String {
    match name {
        "Int" => format!("expected a whole number from {} to {}", i32::MIN, i32::MAX),
        "Float" => "expected a number".to_owned(),
        "String" => "expected a string".to_owned(),
        "Boolean" => "expected true or false".to_owned(),
        "ID" => "expected a string or a whole number".to_owned(),
        "ObjectID" => InvalidId.to_string(),
        "DateTime" => InvalidTimestamp.to_string(),
        other => format!("expected a value of type \"{other}\""),
    }
}

/// Which values an enum has, where the schema may be asked for.
pub(super) fn words(kind: &Kind, may_tell: bool) -> String {
    let Kind::Enum(words) = kind else { return String::new() };
    if !may_tell {
        return String::new();
    }
    let mut words: Vec<&str> = words.iter().map(String::as_str).collect();
    words.sort_unstable();
    match words.split_last() {
        Some((last, [])) => format!("; expected {last}"),
        Some((last, others)) => format!("; expected {} or {last}", others.join(", ")),
        None => String::new(),
    }
}

/// ` Did you mean "…"?`, if one of the known names is close, by the measure that graphql-js takes.
pub(super) fn did_you_mean<'a>(given: &str, known: impl Iterator<Item = &'a str>) -> String {
    let length = given.chars().count();
    if length > MAX_SHOWN {
        return String::new();
    }
    let given = given.to_lowercase();
    let distance = |name: &'a str| (strsim::osa_distance(&given, &name.to_lowercase()), name);
    let closest = known.map(distance).min().filter(|(distance, _)| *distance <= length * 2 / 5 + 1);
    closest.map_or_else(String::new, |(_, name)| format!(" Did you mean \"{name}\"?"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_close_name_is_proposed() {
        let known = ["search", "status", "relationshipType", "updatedSince"];
        let meant = |given: &str| did_you_mean(given, known.into_iter());
        for (given, expected) in [
            ("serach", "search"),
            ("Search", "search"),
            ("state", "status"),
            ("relationship_type", "relationshipType"),
            ("updatedsince", "updatedSince"),
        ] {
            assert_eq!(meant(given), format!(" Did you mean \"{expected}\"?"), "{given}");
        }
        for given in ["colour", "x", "", &"search".repeat(50), "日本"] {
            assert_eq!(meant(given), "", "{given}");
        }
        assert_eq!(did_you_mean("b", ["c", "a"].into_iter()), " Did you mean \"a\"?", "of two alike always the same");
    }

    #[test]
    fn what_is_long_is_cut() {
        assert_eq!(shown("é"), "é");
        assert_eq!(shown(&"é".repeat(40)), "é".repeat(40));
        assert_eq!(shown(&"é".repeat(41)), format!("{}…", "é".repeat(39)));
        assert_eq!(shown_end(&"é".repeat(40)), "é".repeat(40));
        assert_eq!(shown_end(&format!("a{}", "é".repeat(40))), format!("…{}", "é".repeat(39)));
    }
}

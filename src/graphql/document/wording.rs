//! Parts of error messages: abbreviated client input, the expected form of a value, similar names.

use super::types::Kind;
use crate::domain::id::InvalidId;
use crate::domain::timestamp::InvalidTimestamp;

/// The maximum length of client input in a message, in characters.
pub(super) const MAX_ECHO: usize = 40;

/// Abbreviates client input.
pub(super) fn abbreviate(text: &str) -> String {
    cut(text, MAX_ECHO)
}

/// Abbreviates client input in a message that has a second one.
pub(super) fn abbreviate_more(text: &str) -> String {
    cut(text, MAX_ECHO / 3)
}

/// Abbreviates a path at its start, since its end is more specific.
pub(super) fn abbreviate_start(text: &str) -> String {
    let length = text.chars().count();
    if length <= MAX_ECHO {
        return text.to_owned();
    }
    std::iter::once('…').chain(text.chars().skip(length + 1 - MAX_ECHO)).collect()
}

fn cut(text: &str, length: usize) -> String {
    if text.chars().nth(length).is_none() {
        return text.to_owned();
    }
    text.chars().take(length - 1).chain(['…']).collect()
}

/// The expected form of a scalar's values, for the end of a sentence.
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

/// The values of an enum for the end of a sentence, or nothing if introspection is off.
pub(super) fn expected_values(kind: &Kind, may_suggest: bool) -> String {
    let Kind::Enum(words) = kind else { return String::new() };
    if !may_suggest {
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

/// Returns ` Did you mean "…"?` if a known name is similar, with the threshold of graphql-js.
pub(super) fn did_you_mean<'a>(given: &str, known: impl Iterator<Item = &'a str>) -> String {
    let length = given.chars().count();
    if length > MAX_ECHO {
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
    fn only_similar_names_are_suggested() {
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
        assert_eq!(did_you_mean("b", ["c", "a"].into_iter()), " Did you mean \"a\"?", "ties are deterministic");
    }

    #[test]
    fn long_input_is_abbreviated() {
        assert_eq!(abbreviate("é"), "é");
        assert_eq!(abbreviate(&"é".repeat(40)), "é".repeat(40));
        assert_eq!(abbreviate(&"é".repeat(41)), format!("{}…", "é".repeat(39)));
        assert_eq!(abbreviate_start(&"é".repeat(40)), "é".repeat(40));
        assert_eq!(abbreviate_start(&format!("a{}", "é".repeat(40))), format!("…{}", "é".repeat(39)));
    }
}

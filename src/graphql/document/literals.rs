//! What the strings of a document mean: their escapes, and how block strings are set in.

/// The text of a `"…"`, quotes and all, or what is wrong with it.
pub(super) fn string(literal: &str) -> Result<String, String> {
    let mut rest = literal.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(literal);
    let mut text = String::with_capacity(rest.len());
    while let Some(at) = rest.find('\\') {
        text.push_str(&rest[..at]);
        rest = &rest[at..];
        let Some((character, length)) = escape(rest) else {
            let shown: String = rest.chars().take(6).collect();
            return Err(format!("Invalid escape sequence: \"{shown}\"."));
        };
        text.push(character);
        rest = &rest[length..];
    }
    text.push_str(rest);
    Ok(text)
}

/// What the escape at the start of a text stands for, and its length.
fn escape(text: &str) -> Option<(char, usize)> {
    let character = match text.as_bytes().get(1)? {
        b'"' => '"',
        b'\\' => '\\',
        b'/' => '/',
        b'b' => '\u{8}',
        b'f' => '\u{c}',
        b'n' => '\n',
        b'r' => '\r',
        b't' => '\t',
        b'u' => return unicode(text),
        _ => return None,
    };
    Some((character, 2))
}

/// `\uXXXX`, two of them that make a surrogate pair, or `\u{X…}`.
fn unicode(text: &str) -> Option<(char, usize)> {
    if let Some(braced) = text.strip_prefix("\\u{") {
        let digits = &braced[..braced.find('}')?];
        return Some((char::from_u32(hexadecimal(digits)?)?, digits.len() + 4));
    }
    let unit = |text: &str| hexadecimal(text.strip_prefix("\\u")?.get(..4)?);
    let first = unit(text)?;
    if let Some(character) = char::from_u32(first) {
        return Some((character, 6));
    }
    let second = unit(text.get(6..)?)?;
    let is_pair = (0xD800..0xDC00).contains(&first) && (0xDC00..0xE000).contains(&second);
    let character = is_pair.then(|| 0x1_0000 + ((first - 0xD800) << 10) + (second - 0xDC00))?;
    Some((char::from_u32(character)?, 12))
}

fn hexadecimal(digits: &str) -> Option<u32> {
    // `from_str_radix` takes a sign too.
    let is_hexadecimal = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    is_hexadecimal.then(|| u32::from_str_radix(digits, 16).ok())?
}

/// The text of a `"""…"""`: without the indentation that all its lines share, and without blank lines around it.
pub(super) fn block_string(literal: &str) -> String {
    let inner = literal.strip_prefix("\"\"\"").and_then(|rest| rest.strip_suffix("\"\"\"")).unwrap_or(literal);
    let raw = inner.replace("\\\"\"\"", "\"\"\"").replace("\r\n", "\n").replace('\r', "\n");
    let lines: Vec<&str> = raw.split('\n').collect();
    let indentation = |line: &str| line.len() - line.trim_start_matches([' ', '\t']).len();
    let is_blank = |line: &str| indentation(line) == line.len();
    let common = lines[1..].iter().filter(|line| !is_blank(line)).map(|line| indentation(line)).min().unwrap_or(0);
    let Some(first) = lines.iter().position(|line| !is_blank(line)) else { return String::new() };
    let last = lines.iter().rposition(|line| !is_blank(line)).unwrap_or(first);
    let unindented = (first..=last).map(|number| match number {
        0 => lines[0],
        number => lines[number].get(common..).unwrap_or_default(),
    });
    unindented.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_stand_for_their_characters() {
        for (literal, text) in [
            (r#""""#, ""),
            (r#""plain 😀""#, "plain 😀"),
            (r#""\"\\\/\b\f\n\r\t""#, "\"\\/\u{8}\u{c}\n\r\t"),
            (r#""a\u00e9b""#, "aéb"),
            (r#""\uD83D\uDE00!""#, "😀!"),
            (r#""\u{1F600}\u{41}""#, "😀A"),
        ] {
            assert_eq!(string(literal).as_deref(), Ok(text), "{literal}");
        }
    }

    #[test]
    fn what_stands_for_no_character_is_refused() {
        for literal in [
            r#""\x""#,
            r#""\u12""#,
            r#""\u+123""#,
            r#""\uD83D""#,
            r#""\uDE00\uD83D""#,
            r#""\uD83Dx""#,
            r#""\u{}""#,
            r#""\u{110000}""#,
            r#""\u{D800}""#,
            r#""\u{41""#,
            r#""\u{1é}""#,
            r#""\ué000""#,
        ] {
            assert!(string(literal).is_err_and(|message| message.starts_with("Invalid escape")), "{literal}");
        }
    }

    #[test]
    fn block_strings_lose_what_sets_them_in() {
        for (literal, text) in [
            ("\"\"\"\"\"\"", ""),
            ("\"\"\"one\"\"\"", "one"),
            ("\"\"\"\n    a\n      b\n\n    c\n  \"\"\"", "a\n  b\n\nc"),
            ("\"\"\"  a\r\n    b\r    c\"\"\"", "  a\nb\nc"),
            ("\"\"\" \\\"\"\" \\n \"\"\"", " \"\"\" \\n "),
            ("\"\"\"\n \n\t\n\"\"\"", ""),
        ] {
            assert_eq!(block_string(literal), text, "{literal}");
        }
    }
}

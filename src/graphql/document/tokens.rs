//! A cheap look at a text before the parser sees it: its length, its tokens, how deep its brackets go. The parser
//! recurses, and must not meet what could exhaust it.

use super::{Limits, RequestError};

/// Brackets of any kind within each other: selections, lists and objects.
const DEEPEST_NESTING: usize = 64;

/// Refuses a text that is too long or too deep.
pub(super) fn check(text: &str, limits: &Limits) -> Result<(), RequestError> {
    let Limits { document_bytes, tokens: most_tokens, .. } = *limits;
    if text.len() > document_bytes {
        let message = format!("the document has {} bytes; the limit is {document_bytes}", text.len());
        return Err(RequestError::limit(message));
    }
    let (mut tokens, mut depth) = (0_usize, 0_usize);
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        at = match byte {
            b' ' | b'\t' | b'\n' | b'\r' | b',' => {
                at += 1;
                continue;
            }
            b'#' => {
                at = skip_while(bytes, at, |byte| byte != b'\n' && byte != b'\r');
                continue;
            }
            b'"' => after_string(bytes, at),
            b'{' | b'(' | b'[' => {
                depth += 1;
                at + 1
            }
            b'}' | b')' | b']' => {
                depth = depth.saturating_sub(1);
                at + 1
            }
            b'.' => skip_while(bytes, at, |byte| byte == b'.'),
            byte if is_word(byte) => skip_while(bytes, at, is_word),
            _ => at + 1,
        };
        tokens += 1;
        if tokens > most_tokens {
            return Err(RequestError::limit(format!(
                "the document has more than {most_tokens} tokens, which is the limit"
            )));
        }
        if depth > DEEPEST_NESTING {
            let message = format!("the document nests brackets deeper than {DEEPEST_NESTING}, which is the limit");
            return Err(RequestError::limit(message));
        }
    }
    Ok(())
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-' || byte >= 0x80
}

fn skip_while(bytes: &[u8], from: usize, is_part: impl Fn(u8) -> bool) -> usize {
    bytes[from..].iter().position(|byte| !is_part(*byte)).map_or(bytes.len(), |length| from + length)
}

/// Behind a string or block string; at the end of the text when it has no end.
fn after_string(bytes: &[u8], from: usize) -> usize {
    if bytes[from..].starts_with(b"\"\"\"") {
        let mut at = from + 3;
        while at < bytes.len() {
            if bytes[at..].starts_with(b"\\\"\"\"") {
                at += 4;
            } else if bytes[at..].starts_with(b"\"\"\"") {
                return at + 3;
            } else {
                at += 1;
            }
        }
        return bytes.len();
    }
    let mut at = from + 1;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'\\' => at += 2,
            b'"' => return at + 1,
            b'\n' | b'\r' => return at,
            _ => at += 1,
        }
    }
    bytes.len()
}

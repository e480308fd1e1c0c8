//! A document's text as tokens, as the specification has them (September 2025, section 2.1), within the limits on its length,
//! its tokens and how deep its brackets go: the parser recurses, and must not meet what could exhaust it.

use async_graphql::Pos;

use super::{Limits, RequestError};

/// Brackets of any kind within each other: selections, lists and objects.
const DEEPEST_NESTING: usize = 64;

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Name,
    Int,
    Float,
    /// `"…"`, with its quotes.
    String,
    /// `"""…"""`, with its quotes.
    BlockString,
    /// One of `! $ & ( ) ... : = @ [ ] { | }`.
    Punctuator,
    /// Behind the last one.
    End,
}

/// A token, as it stands in the text.
#[derive(Debug, Clone, Copy)]
pub(super) struct Token<'a> {
    pub(super) kind: Kind,
    pub(super) text: &'a str,
    pub(super) pos: Pos,
}

/// All tokens of a text; the last is its end.
pub(super) fn tokens<'a>(text: &'a str, limits: &Limits) -> Result<Vec<Token<'a>>, RequestError> {
    let Limits { document_bytes, tokens: most_tokens, .. } = *limits;
    if text.len() > document_bytes {
        let message = format!("the document has {} bytes; the limit is {document_bytes}", text.len());
        return Err(RequestError::limit(message));
    }
    let mut lexer = Lexer { text, at: 0, pos: Pos { line: 1, column: 1 } };
    let (mut tokens, mut depth) = (Vec::new(), 0_usize);
    loop {
        let token = lexer.next()?;
        tokens.push(token);
        match token.text {
            "{" | "(" | "[" => depth += 1,
            "}" | ")" | "]" => depth = depth.saturating_sub(1),
            _ if token.kind == Kind::End => return Ok(tokens),
            _ => {}
        }
        if tokens.len() > most_tokens {
            return Err(RequestError::limit(format!(
                "the document has more than {most_tokens} tokens, which is the limit"
            )));
        }
        if depth > DEEPEST_NESTING {
            let message = format!("the document nests brackets deeper than {DEEPEST_NESTING}, which is the limit");
            return Err(RequestError::limit(message));
        }
    }
}

struct Lexer<'a> {
    text: &'a str,
    at: usize,
    /// Of `at`; columns count characters.
    pos: Pos,
}

impl<'a> Lexer<'a> {
    fn next(&mut self) -> Result<Token<'a>, RequestError> {
        self.skip_ignored();
        let rest = &self.text[self.at..];
        let Some(first) = rest.chars().next() else {
            return Ok(Token { kind: Kind::End, text: "", pos: self.pos });
        };
        let (kind, length) = match first {
            '!' | '$' | '&' | '(' | ')' | ':' | '=' | '@' | '[' | ']' | '{' | '|' | '}' => (Kind::Punctuator, 1),
            '.' if rest.starts_with("...") => (Kind::Punctuator, 3),
            'A'..='Z' | 'a'..='z' | '_' => (Kind::Name, count(rest, is_name_part)),
            '-' | '0'..='9' => self.number(rest)?,
            '"' if rest.starts_with("\"\"\"") => (Kind::BlockString, self.block_string(rest)?),
            '"' => (Kind::String, self.string(rest)?),
            other => return Err(self.error(&format!("Unexpected character: {}.", told(other)))),
        };
        let token = Token { kind, text: &rest[..length], pos: self.pos };
        self.advance(length);
        Ok(token)
    }

    /// Spaces, line ends, commas, comments and byte order marks.
    fn skip_ignored(&mut self) {
        loop {
            let rest = &self.text[self.at..];
            let length = match rest.chars().next() {
                Some(' ' | '\t' | ',' | '\n' | '\r') => 1,
                Some('\u{feff}') => '\u{feff}'.len_utf8(),
                Some('#') => rest.find(['\n', '\r']).unwrap_or(rest.len()),
                _ => return,
            };
            self.advance(length);
        }
    }

    fn advance(&mut self, length: usize) {
        let passed = &self.text[self.at..self.at + length];
        self.at += length;
        for (index, character) in passed.char_indices() {
            // A line ends with LF, CR or both.
            let is_first_of_two = character == '\r' && self.text[self.at - length + index + 1..].starts_with('\n');
            if matches!(character, '\n' | '\r') && !is_first_of_two {
                self.pos = Pos { line: self.pos.line + 1, column: 1 };
            } else {
                self.pos.column += 1;
            }
        }
    }

    fn number(&self, rest: &str) -> Result<(Kind, usize), RequestError> {
        let digits = |from: usize| count(&rest[from..], |byte| byte.is_ascii_digit());
        let sign = usize::from(rest.starts_with('-'));
        let whole = digits(sign);
        let mut length = sign + whole;
        if whole == 0 || (whole > 1 && rest[sign..].starts_with('0')) {
            return Err(self.bad_number(rest, if whole == 0 { length } else { sign + 1 }));
        }
        let mut kind = Kind::Int;
        if rest[length..].starts_with('.') {
            let fraction = digits(length + 1);
            length += 1 + fraction;
            if fraction == 0 {
                return Err(self.bad_number(rest, length));
            }
            kind = Kind::Float;
        }
        if rest[length..].starts_with(['e', 'E']) {
            length += 1 + usize::from(rest[length + 1..].starts_with(['+', '-']));
            let exponent = digits(length);
            length += exponent;
            if exponent == 0 {
                return Err(self.bad_number(rest, length));
            }
            kind = Kind::Float;
        }
        if rest[length..].starts_with(|next: char| next == '.' || next == '_' || next.is_ascii_alphanumeric()) {
            return Err(self.bad_number(rest, length));
        }
        Ok((kind, length))
    }

    fn bad_number(&self, rest: &str, at: usize) -> RequestError {
        let found = rest[at..].chars().next().map_or_else(|| "the end of the document".to_owned(), told);
        self.error(&format!("Invalid number, unexpected {found}."))
    }

    /// How long the string is; what its escapes mean is worked out when it is read as a value.
    fn string(&self, rest: &str) -> Result<usize, RequestError> {
        let mut characters = rest.char_indices().skip(1);
        while let Some((at, character)) = characters.next() {
            match character {
                '"' => return Ok(at + 1),
                '\n' | '\r' => break,
                '\\' => {
                    characters.next();
                }
                _ => {}
            }
        }
        Err(self.error("Unterminated string."))
    }

    fn block_string(&self, rest: &str) -> Result<usize, RequestError> {
        let mut at = 3;
        while let Some(found) = rest[at..].find("\"\"\"") {
            at += found + 3;
            if !rest[..at - 3].ends_with('\\') {
                return Ok(at);
            }
        }
        Err(self.error("Unterminated string."))
    }

    fn error(&self, message: &str) -> RequestError {
        RequestError::syntax(message, self.pos)
    }
}

fn count(text: &str, is_part: impl Fn(u8) -> bool) -> usize {
    text.bytes().position(|byte| !is_part(byte)).unwrap_or(text.len())
}

fn is_name_part(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

fn told(character: char) -> String {
    if character.is_control() { format!("U+{:04X}", u32::from(character)) } else { format!("\"{character}\"") }
}

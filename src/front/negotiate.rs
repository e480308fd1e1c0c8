//! Reads headers that hold lists, weights and parameters (RFC 9110, 5.6 and 12.4): `Accept`, `Accept-Encoding`,
//! `Content-Type`, `Content-Encoding`, `If-None-Match`. It must not know which media types and codings the server has.
//!
//! The reader is lenient: it skips a malformed member or parameter, and the other members keep their meaning.

use std::borrow::Cow;

use axum::http::{HeaderMap, HeaderName, header};

/// The weight of a member without `q`, in thousandths.
const MAX_WEIGHT: u16 = 1000;

/// Joins all lines of a header by commas (RFC 9110, 5.3). Returns `None` if the header is absent.
#[must_use]
pub fn combined<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<Cow<'a, str>> {
    let mut lines = headers.get_all(name).iter().map(|line| String::from_utf8_lossy(line.as_bytes()));
    let first = lines.next()?;
    Some(lines.fold(first, |all, line| Cow::Owned(format!("{all}, {line}"))))
}

/// Splits a list into its members and skips empty ones.
pub fn elements(list: &str) -> impl Iterator<Item = &str> {
    split(list, b',', Escapes::Backslash)
}

/// Splits a list of entity tags, in which a backslash does not escape.
pub fn entity_tags(list: &str) -> impl Iterator<Item = &str> {
    split(list, b',', Escapes::None)
}

/// A value with its parameters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameterised<'a> {
    /// A coding, a media type or a media range, unchanged.
    pub value: &'a str,
    parameters: Vec<(&'a str, Cow<'a, str>)>,
}

impl<'a> Parameterised<'a> {
    /// Parses one list member, or a header with a single value.
    #[must_use]
    pub fn parse(text: &'a str) -> Self {
        // `;charset=x` has an empty value, not the value `charset=x`.
        let is_bare = text.trim_start_matches(WHITESPACE).starts_with(';');
        let mut parts = split(text, b';', Escapes::Backslash);
        let value = if is_bare { "" } else { parts.next().unwrap_or_default() };
        let parameters = parts.filter_map(|part| part.split_once('='));
        let parameters = parameters
            .map(|(name, value)| (name.trim_end_matches(WHITESPACE), unquoted(value.trim_start_matches(WHITESPACE))));
        Self { value, parameters: parameters.collect() }
    }

    /// Returns a parameter by its case-insensitive name. The first duplicate wins, as in the WHATWG MIME Sniffing
    /// standard.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(one, _)| one.eq_ignore_ascii_case(name)).map(|(_, value)| &**value)
    }

    /// The `q` parameter in thousandths. Returns `None` if it is malformed, which makes the whole member malformed.
    #[must_use]
    pub fn weight(&self) -> Option<u16> {
        self.parameter("q").map_or(Some(MAX_WEIGHT), qvalue)
    }

    /// Whether `charset` is absent, UTF-8, or ASCII, a subset of UTF-8.
    #[must_use]
    pub fn is_utf_8(&self) -> bool {
        let is_utf_8 = |name: &str| {
            ["", "utf-8", "utf8", "us-ascii", "ascii"].iter().any(|label| label.eq_ignore_ascii_case(name.trim()))
        };
        self.parameter("charset").is_none_or(is_utf_8)
    }
}

/// Parses a weight into thousandths. Beyond RFC 9110 (12.4.2) it accepts forms that clients send: no digit before the
/// point (`.2` of Java before 19), more than three decimals, and values over 1, which count as 1.
#[must_use]
pub fn qvalue(text: &str) -> Option<u16> {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    let is_number = !(whole.is_empty() && decimals.is_empty())
        && whole.bytes().chain(decimals.bytes()).all(|digit| digit.is_ascii_digit());
    if !is_number {
        return None;
    }
    if whole.bytes().any(|digit| digit != b'0') {
        return Some(MAX_WEIGHT);
    }
    let thousandths = decimals.bytes().chain(*b"000").take(3).fold(0, |sum, digit| sum * 10 + u16::from(digit - b'0'));
    // A tiny weight must not become 0, which means "not acceptable".
    let is_more = decimals.bytes().any(|digit| digit != b'0');
    Some(thousandths.max(u16::from(is_more)))
}

/// The media ranges of an `Accept` header.
#[derive(Debug, Clone)]
pub struct MediaRanges<'a>(Vec<MediaRange<'a>>);

#[derive(Debug, Clone)]
struct MediaRange<'a> {
    kind: &'a str,
    subtype: &'a str,
    weight: u16,
    has_parameters: bool,
    is_utf_8: bool,
}

impl<'a> MediaRanges<'a> {
    /// Parses `Accept` and skips malformed members.
    #[must_use]
    pub fn parse(accept: &'a str) -> Self {
        Self(elements(accept).filter_map(MediaRange::parse).collect())
    }

    /// Whether the header has no well-formed member.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The weight of a media type in UTF-8, from the most specific range that matches. 0 means not acceptable.
    #[must_use]
    pub fn weight(&self, media_type: &str) -> u16 {
        let matching = self.0.iter().filter(|range| range.holds(media_type));
        matching.map(|range| (range.specificity(), range.weight)).max().map_or(0, |(_, weight)| weight)
    }

    /// Returns the acceptable media type with the greatest weight. A tie goes to the type that the client names first,
    /// then to the first of `ours`.
    #[must_use]
    pub fn best<'ours>(&self, ours: &[&'ours str]) -> Option<&'ours str> {
        let best = ours.iter().map(|media_type| self.weight(media_type)).max().filter(|weight| *weight > 0)?;
        let mut alike = ours.iter().copied().filter(|media_type| self.weight(media_type) == best);
        let mut liked = self.0.iter().filter(|range| range.weight == best);
        let named = liked.find_map(|range| alike.clone().find(|media_type| range.names(media_type)));
        named.or_else(|| alike.next())
    }
}

impl<'a> MediaRange<'a> {
    fn parse(element: &'a str) -> Option<Self> {
        let member = Parameterised::parse(element);
        // Java before 19 sends `*` for `*/*`, and servers in Java accept it.
        let (kind, subtype) = if member.value == "*" { ("*", "*") } else { member.value.split_once('/')? };
        let is_range = is_token(kind) && is_token(subtype) && (kind != "*" || subtype == "*");
        let is_known =
            |(name, _): &(&str, Cow<'_, str>)| ["q", "charset"].iter().any(|one| one.eq_ignore_ascii_case(name));
        let weight = member.weight().filter(|_| is_range)?;
        let has_parameters = !member.parameters.iter().all(is_known);
        Some(Self { kind, subtype, weight, has_parameters, is_utf_8: member.is_utf_8() })
    }

    fn holds(&self, media_type: &str) -> bool {
        let of_kind =
            |(kind, _): (&str, &str)| self.subtype == "*" && (self.kind == "*" || self.kind.eq_ignore_ascii_case(kind));
        self.is_utf_8 && (self.names(media_type) || media_type.split_once('/').is_some_and(of_kind))
    }

    fn names(&self, media_type: &str) -> bool {
        let is_it =
            |(kind, subtype)| self.kind.eq_ignore_ascii_case(kind) && self.subtype.eq_ignore_ascii_case(subtype);
        media_type.split_once('/').is_some_and(is_it)
    }

    /// A range with unknown parameters is less specific than the same range without them, since our media types have
    /// none.
    fn specificity(&self) -> (bool, bool, bool) {
        (self.kind != "*", self.subtype != "*", !self.has_parameters)
    }
}

/// Returns `Content-Type`, or `None` if it is missing or duplicated.
#[must_use]
pub fn content_type(headers: &HeaderMap) -> Option<Cow<'_, str>> {
    let mut given = headers.get_all(header::CONTENT_TYPE).iter();
    let (Some(content_type), None) = (given.next(), given.next()) else { return None };
    Some(String::from_utf8_lossy(content_type.as_bytes()))
}

const WHITESPACE: [char; 2] = [' ', '\t'];

fn is_token(text: &str) -> bool {
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !text.is_empty() && text.bytes().all(is_token)
}

/// Whether a backslash escapes the next character of a quoted string.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Escapes {
    Backslash,
    None,
}

/// Splits a text at separators outside quoted strings and skips empty parts.
fn split(text: &str, separator: u8, escapes: Escapes) -> impl Iterator<Item = &str> {
    let mut rest = Some(text);
    let parts = std::iter::from_fn(move || {
        let text = rest?;
        let end = part(text.as_bytes(), separator, escapes);
        rest = text.get(end + 1..);
        text.get(..end)
    });
    parts.map(|part| part.trim_matches(WHITESPACE)).filter(|part| !part.is_empty())
}

/// The length of the first part of a text.
fn part(text: &[u8], separator: u8, escapes: Escapes) -> usize {
    let mut at = text.len() - text.trim_ascii_start().len();
    let start = at;
    while at < text.len() && text[at] != separator {
        let may_begin = text[at] == b'"' && may_be_quoted(&text[start..at]);
        at = may_begin.then(|| quoted(text, at, escapes)).flatten().unwrap_or(at + 1);
    }
    at
}

/// A quoted string starts after `=`, or at the start of a member, where `W/` can precede it.
fn may_be_quoted(before: &[u8]) -> bool {
    before.is_empty() || before.eq_ignore_ascii_case(b"W/") || before.trim_ascii_end().ends_with(b"=")
}

/// Returns the end of the quoted string at this position, or `None` if it is malformed. An unterminated quote, or one
/// followed by text, counts as an ordinary character, so that it does not hide the members after it.
fn quoted(text: &[u8], at: usize, escapes: Escapes) -> Option<usize> {
    let mut end = at + 1;
    while *text.get(end)? != b'"' {
        end += if text[end] == b'\\' && escapes == Escapes::Backslash { 2 } else { 1 };
    }
    let is_whole = matches!(text[end + 1..].trim_ascii_start().first(), None | Some(b',' | b';'));
    is_whole.then_some(end + 1)
}

/// Removes quotes and escapes from a parameter's value. An unterminated quote is dropped.
fn unquoted(value: &str) -> Cow<'_, str> {
    let Some(inside) = value.strip_prefix('"') else { return Cow::Borrowed(value) };
    let inside = inside.strip_suffix('"').unwrap_or(inside);
    if !inside.contains('\\') {
        return Cow::Borrowed(inside);
    }
    let (mut text, mut characters) = (String::with_capacity(inside.len()), inside.chars());
    while let Some(character) = characters.next() {
        text.extend(if character == '\\' { characters.next() } else { Some(character) });
    }
    Cow::Owned(text)
}

#[cfg(test)]
mod tests;

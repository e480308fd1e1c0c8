//! Random JSON texts, odd ones included, each with the meaning that a careful reader finds in it. Shares no code with
//! the program.

use std::fmt::Write as _;

use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use sea_orm::DbBackend;

/// Makes texts that one of the databases can store.
pub struct JsonTexts {
    random: StdRng,
    /// `jsonb` rejects lone surrogates and U+0000.
    is_jsonb: bool,
}

const NUMBERS: [&str; 13] = [
    "0",
    "-0",
    "1.10",
    "1e400",
    "-1E+400",
    "1e-400",
    "9007199254740993",
    "18446744073709551616",
    "-9223372036854775809",
    "123456789012345678901234567890.123456789012345678901234567890",
    "0.1000000000000000055511151231257827",
    "2E0",
    "1.7976931348623159e308",
];
const PIECES: [&str; 12] =
    ["a", "é", "日本", "\u{fffd}", "\\\"", "\\\\", "\\/", "\\n", "\\u0001", "\\u00e9", "\\ud83d\\ude00", "\u{7f}"];
const UNPRINTABLE_PIECES: [&str; 5] = ["\\ud800", "\\uDFFF", "\\ud83d\\ud83d", "\\u0000", "\\udc00\\ud800"];
const KEYS: [&str; 5] =
    ["$serde_json::private::RawValue", "$serde_json::private::Number", "", "__proto__", "has_setup_buyer_deliver"];
/// The member that GraphQL shows by itself.
const FLAG: [&str; 3] =
    ["\"has_setup_buyer_delivery\"", "\"has_setup_buyer_deliver\\u0079\"", "\"\\u0068as_setup_buyer_delivery\""];

impl JsonTexts {
    pub fn new(seed: u64, backend: DbBackend) -> Self {
        Self { random: StdRng::seed_from_u64(seed), is_jsonb: backend == DbBackend::Postgres }
    }

    /// An object, and its member `has_setup_buyer_delivery` where that is a boolean.
    pub fn ui_state(&mut self) -> (String, Option<bool>) {
        let mut members = Vec::new();
        let mut flag = None;
        for _ in 0..self.random.random_range(0..5) {
            if self.random.random_bool(0.3) {
                // The last one counts.
                let (value, meaning) = match self.random.random_range(0..4) {
                    0 => ("true".to_owned(), Some(true)),
                    1 => ("false".to_owned(), Some(false)),
                    2 => ("\"true\"".to_owned(), None),
                    _ => (self.value(2), None),
                };
                let is_boolean = matches!(value.as_str(), "true" | "false");
                flag = if is_boolean { Some(value == "true") } else { meaning };
                let name = self.one_of(&FLAG).to_owned();
                members.push(self.member(&name, &value));
            } else {
                let (name, value) = (self.key(), self.value(3));
                members.push(self.member(&name, &value));
            }
        }
        (format!("{{{}}}", members.join(",")), flag)
    }

    /// An array of these texts, some of them escaped, among elements that are no texts.
    pub fn list_of(&mut self, texts: &[&str]) -> String {
        let mut elements: Vec<String> = Vec::new();
        for text in texts {
            while self.random.random_bool(0.4) {
                elements.push(self.no_text());
            }
            let space = self.space();
            elements.push(format!("{space}\"{}\"{space}", self.escaped(text)));
        }
        while self.random.random_bool(0.4) {
            elements.push(self.no_text());
        }
        format!("[{}]", elements.join(","))
    }

    fn one_of<'a>(&mut self, among: &[&'a str]) -> &'a str {
        among.choose(&mut self.random).unwrap()
    }

    fn space(&mut self) -> &'static str {
        self.one_of(&["", "", "", " ", "\n", "\t\r\n "])
    }

    fn member(&mut self, name: &str, value: &str) -> String {
        let (before, after) = (self.space(), self.space());
        format!("{before}{name}{after}:{after}{value}{before}")
    }

    fn escaped(&mut self, text: &str) -> String {
        let mut escaped = String::new();
        for character in text.chars() {
            if self.random.random_bool(0.1) {
                write!(escaped, "\\u{:04x}", u32::from(character)).unwrap();
            } else {
                escaped.push(character);
            }
        }
        escaped
    }

    /// An element that a list of texts does not have.
    fn no_text(&mut self) -> String {
        if !self.is_jsonb && self.random.random_bool(0.3) {
            return format!("\"x{}\"", self.one_of(&["\\ud800", "\\udc00y", "\\ud83d\\ud83d"]));
        }
        match self.random.random_range(0..4) {
            0 => self.number(),
            1 => self.one_of(&["null", "true", "{}", "[]"]).to_owned(),
            2 => format!("[{}]", self.value(2)),
            _ => self.deep(),
        }
    }

    fn value(&mut self, levels: usize) -> String {
        match self.random.random_range(0..if levels == 0 { 3 } else { 6 }) {
            0 => self.number(),
            1 => self.string(),
            2 => self.one_of(&["null", "true", "false"]).to_owned(),
            3 => {
                let elements: Vec<_> = (0..self.random.random_range(0..4)).map(|_| self.value(levels - 1)).collect();
                let space = self.space();
                format!("[{space}{}{space}]", elements.join(","))
            }
            4 => {
                let members: Vec<_> = (0..self.random.random_range(0..4))
                    .map(|_| {
                        let (name, value) = (self.key(), self.value(levels - 1));
                        self.member(&name, &value)
                    })
                    .collect();
                format!("{{{}}}", members.join(","))
            }
            _ => self.deep(),
        }
    }

    /// Deeper than most readers go.
    fn deep(&mut self) -> String {
        let levels = self.random.random_range(100..1_000);
        format!("{}{}{}", "[".repeat(levels), self.number(), "]".repeat(levels))
    }

    fn number(&mut self) -> String {
        if self.random.random_bool(0.5) {
            return self.one_of(&NUMBERS).to_owned();
        }
        let mut digits = |most: usize| -> String {
            (0..self.random.random_range(1..=most)).map(|_| char::from(self.random.random_range(b'0'..=b'9'))).collect()
        };
        let (whole, fraction, exponent) = (digits(40), digits(40), digits(2));
        let mut number = format!("-{}", whole.trim_start_matches('0'));
        if number == "-" {
            number.push('0');
        }
        if self.random.random_bool(0.5) {
            number.remove(0);
        }
        if self.random.random_bool(0.5) {
            number = format!("{number}.{fraction}");
        }
        if self.random.random_bool(0.3) {
            number = format!("{number}{}{exponent}", self.one_of(&["e", "E", "e+", "E-"]));
        }
        number
    }

    fn string(&mut self) -> String {
        let mut string = String::new();
        for _ in 0..self.random.random_range(0..5) {
            let is_odd = !self.is_jsonb && self.random.random_bool(0.2);
            string.push_str(if is_odd { self.one_of(&UNPRINTABLE_PIECES) } else { self.one_of(&PIECES) });
        }
        format!("\"{string}\"")
    }

    fn key(&mut self) -> String {
        if self.random.random_bool(0.3) { format!("\"{}\"", self.one_of(&KEYS)) } else { self.string() }
    }
}

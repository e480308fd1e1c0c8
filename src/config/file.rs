//! Reads the TOML file. Error texts name keys and lines, and show no value, since any of them may be a secret.

use std::fs;
use std::path::PathBuf;

use toml::{Table, Value};

use super::ConfigError;
use super::setting;

pub(super) struct File {
    pub(super) path: PathBuf,
    pub(super) table: Table,
}

impl File {
    /// `origin` says where the path came from.
    pub(super) fn read(path: PathBuf, origin: &str) -> Result<Self, ConfigError> {
        let refuse = |problem: String| ConfigError(format!("configuration file {}: {problem}", path.display()));
        let bytes = fs::read(&path).map_err(|error| refuse(format!("cannot be read ({origin}): {error}")))?;
        let text = text(bytes).map_err(refuse)?;
        let table: Table = text.parse().map_err(|error| refuse(syntax_error(&text, &error)))?;
        if let Some((unknown, value)) = table.iter().find(|(key, _)| !is_known(key)) {
            // A key in quotes may hold line ends.
            let shown = unknown.escape_debug();
            let problem = match nearest(unknown) {
                Some(known) => format!("unknown key `{shown}`: did you mean `{known}`?"),
                None if matches!(value, Value::Table(_)) => {
                    format!("unknown table `{shown}`: settings stand outside of tables")
                }
                None if unknown.to_ascii_lowercase().starts_with("otel_") => format!(
                    "unknown key `{shown}`: only the environment sets OpenTelemetry's variables, except for the endpoint"
                ),
                None => format!("unknown key `{shown}`: `lc-connections serve --help` lists the settings"),
            };
            return Err(refuse(problem));
        }
        Ok(Self { path, table })
    }
}

fn text(bytes: Vec<u8>) -> Result<String, String> {
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        return Err("is UTF-16 text: save it as UTF-8".to_owned());
    }
    String::from_utf8(bytes).map_err(|error| {
        let valid = error.as_bytes().utf8_chunks().next().map_or("", |chunk| chunk.valid());
        format!("line {} is not UTF-8 text: save the file as UTF-8", line_after(valid))
    })
}

/// The number of the line in which this text ends.
fn line_after(text: &str) -> usize {
    text.matches('\n').count() + 1
}

/// The error's `Display` shows the line. Its message has fixed texts, except for numbers that are too large.
fn syntax_error(text: &str, error: &toml::de::Error) -> String {
    let span = error.span().unwrap_or_default();
    let line = line_after(text.get(..span.start).unwrap_or(text));
    let message = error.message();
    if message == "duplicate key" {
        let key = text.get(span).unwrap_or_default().trim_matches(['"', '\'']).escape_debug();
        return format!("the key `{key}` is set twice, the second time in line {line}: keep one");
    }
    let problem = if message.starts_with("invalid type") || message.starts_with("invalid value") {
        "a number is too large"
    } else {
        message.trim_end_matches(", expected nothing").trim_end_matches(", expected literal string")
    };
    format!("line {line} is not TOML: {problem}; give each setting as key = \"value\"")
}

fn is_known(key: &str) -> bool {
    setting::ALL.iter().any(|setting| setting.key() == key)
}

/// The setting that was likely meant: same letters, but for case and dashes.
fn nearest(unknown: &str) -> Option<String> {
    let plain = unknown.to_ascii_lowercase().replace('-', "_");
    is_known(&plain).then_some(plain)
}

//! Where a setting's text comes from, in order of precedence, and how a refusal names that place.

use std::ffi::OsString;
use std::fs;
use std::path::PathBuf;

use clap::ArgMatches;
use toml::{Table, Value};

use super::ConfigError;
use super::setting::{self, Setting};

/// Looks a variable up. Passed in, so that tests need not touch the process's own.
pub type Environment<'a> = &'a dyn Fn(&str) -> Option<OsString>;

/// The environment of this process.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "this is the one place")]
pub fn process_environment(name: &str) -> Option<OsString> {
    std::env::var_os(name)
}

/// The names of the variables of this process's environment.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "this is the one place")]
pub fn process_variable_names() -> Vec<String> {
    std::env::vars_os().map(|(name, _)| name.to_string_lossy().into_owned()).collect()
}

/// Flags, environment and file of one run.
pub(super) struct Sources<'a> {
    matches: &'a ArgMatches,
    environment: Environment<'a>,
    file: Option<File>,
}

struct File {
    path: PathBuf,
    table: Table,
}

/// A setting's text, and the words for where it stood.
struct Found {
    text: String,
    origin: String,
}

impl<'a> Sources<'a> {
    /// Reads the file, if one is named, and refuses keys that no setting has.
    pub(super) fn open(matches: &'a ArgMatches, environment: Environment<'a>) -> Result<Self, ConfigError> {
        let mut sources = Self { matches, environment, file: None };
        if let Some(Found { text, origin }) = sources.find(&setting::CONFIG)? {
            sources.file = Some(File::read(text.into(), &origin)?);
        }
        Ok(sources)
    }

    /// A setting that has a value or a default; else the refusal says how to give one.
    pub(super) fn required<T>(
        &self,
        setting: &Setting,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Result<T, ConfigError> {
        self.optional(setting, parse)?.ok_or_else(|| {
            let Setting { name, .. } = setting;
            ConfigError(format!(
                "{name} is not set: give {}, the environment variable {name}, or {} in the configuration file",
                setting.flag(),
                setting.key()
            ))
        })
    }

    /// A setting that may have no value.
    pub(super) fn optional<T>(
        &self,
        setting: &Setting,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Result<Option<T>, ConfigError> {
        let Some(Found { text, origin }) = self.find(setting)? else { return Ok(None) };
        parse(&text).map(Some).map_err(|problem| {
            let shown = if setting.is_secret { String::new() } else { format!(" is {text:?}:") };
            ConfigError(format!("{} ({origin}){shown} {problem}", setting.name))
        })
    }

    fn find(&self, setting: &Setting) -> Result<Option<Found>, ConfigError> {
        let key = setting.key();
        // A command may not have every setting as a flag.
        if let Ok(Some(text)) = self.matches.try_get_one::<String>(setting.name) {
            return Ok(Some(Found { text: text.clone(), origin: format!("flag {}", setting.flag()) }));
        }
        if let Some(value) = (self.environment)(setting.name).filter(|value| !value.is_empty()) {
            let text = value
                .into_string()
                .map_err(|_| ConfigError(format!("{} (environment) must be UTF-8 text", setting.name)))?;
            return Ok(Some(Found { text, origin: "environment".to_owned() }));
        }
        if let Some(File { path, table }) = &self.file
            && let Some(value) = table.get(&key)
        {
            let origin = format!("file {}", path.display());
            return match text_of(value, setting) {
                Ok(text) => Ok(Some(Found { text, origin })),
                Err(problem) => Err(ConfigError(format!("{} ({origin}) {problem}", setting.name))),
            };
        }
        Ok(setting.default.map(|text| Found { text: text.to_owned(), origin: "default".to_owned() }))
    }
}

/// A value of the file as the text that a flag would have.
fn text_of(value: &Value, setting: &Setting) -> Result<String, &'static str> {
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Array(values) if setting.is_list => {
            let texts: Option<Vec<&str>> = values.iter().map(Value::as_str).collect();
            texts.map(|texts| texts.join(",")).ok_or("must be a text or an array of texts")
        }
        _ if setting.is_list => Err("must be a text or an array of texts"),
        Value::Integer(number) => Ok(number.to_string()),
        Value::Boolean(value) => Ok(value.to_string()),
        Value::Float(_) | Value::Datetime(_) | Value::Array(_) | Value::Table(_) => {
            Err("must be a text, a whole number or a boolean")
        }
    }
}

impl File {
    fn read(path: PathBuf, origin: &str) -> Result<Self, ConfigError> {
        let refuse = |problem: String| ConfigError(format!("configuration file {}: {problem}", path.display()));
        let text = fs::read_to_string(&path).map_err(|error| refuse(format!("cannot be read ({origin}): {error}")))?;
        // The error's own text shows the line that it complains of, and that line may hold a secret.
        let table: Table = text.parse().map_err(|error: toml::de::Error| {
            let start = error.span().map_or(0, |span| span.start);
            let line = text.bytes().take(start).filter(|byte| *byte == b'\n').count() + 1;
            refuse(format!("line {line} is not TOML: give each setting as key = \"value\""))
        })?;
        if let Some(unknown) = table.keys().find(|key| !is_known(key)) {
            // A key in quotes may hold line ends.
            let shown = unknown.escape_debug();
            let problem = match nearest(unknown) {
                Some(known) => format!("unknown key `{shown}`: did you mean `{known}`?"),
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

fn is_known(key: &str) -> bool {
    setting::ALL.iter().any(|setting| setting.key() == key)
}

/// The setting that was likely meant: same letters, but for case and dashes.
fn nearest(unknown: &str) -> Option<String> {
    let plain = unknown.to_ascii_lowercase().replace('-', "_");
    is_known(&plain).then_some(plain)
}

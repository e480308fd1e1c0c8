//! Where a setting's text comes from, in order of precedence, and how a refusal names that place.

use std::ffi::OsString;

use clap::ArgMatches;
use toml::Value;

use super::ConfigError;
use super::file::File;
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

/// A setting's text, without surrounding whitespace, and the words for where it stood.
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
        if text.is_empty() && !setting.is_list {
            return Ok(None);
        }
        parse(&text).map(Some).map_err(|problem| {
            let shown = if setting.is_secret { String::new() } else { format!(" is {text:?}:") };
            ConfigError(format!("{} ({origin}){shown} {problem}", setting.name))
        })
    }

    /// Nothing where the setting has no value, or an empty one that means none.
    fn find(&self, setting: &Setting) -> Result<Option<Found>, ConfigError> {
        // A command may not have every setting as a flag.
        if let Ok(Some(text)) = self.matches.try_get_one::<String>(setting.name) {
            return Found::new(setting, text, format!("flag {}", setting.flag())).map(Some);
        }
        if let Some(value) = (self.environment)(setting.name) {
            let text = value
                .into_string()
                .map_err(|_| ConfigError(format!("{} (environment) must be UTF-8 text", setting.name)))?;
            // Compose and Helm pass on variables that nobody has set, and OpenTelemetry counts an empty one as unset.
            if !(setting.may_be_empty && text.trim().is_empty()) {
                return Found::new(setting, &text, "environment".to_owned()).map(Some);
            }
        }
        if let Some(File { path, table }) = &self.file
            && let Some(value) = table.get(&setting.key())
        {
            let origin = format!("file {}", path.display());
            return match text_of(value, setting) {
                Ok(text) => Found::new(setting, &text, origin).map(Some),
                Err(problem) => Err(ConfigError(format!("{} ({origin}) {problem}", setting.name))),
            };
        }
        Ok(setting.default.map(|text| Found { text: text.to_owned(), origin: "default".to_owned() }))
    }
}

impl Found {
    /// Refuses an empty value where it does not mean "none": taking the default for it would surprise. Surrounding
    /// whitespace goes, since files that hold secrets often end in a newline.
    fn new(setting: &Setting, text: &str, origin: String) -> Result<Self, ConfigError> {
        let text = text.trim();
        if text.is_empty() && !setting.may_be_empty {
            let default = setting.default.map(|default| format!(" to take the default, {default}")).unwrap_or_default();
            let problem = format!("is set but empty: give a value, or unset it{default}");
            return Err(ConfigError(format!("{} ({origin}) {problem}", setting.name)));
        }
        Ok(Self { text: text.to_owned(), origin })
    }
}

/// A value of the file as the text that a flag would have.
fn text_of(value: &Value, setting: &Setting) -> Result<String, String> {
    let found = match value {
        Value::String(text) => return Ok(text.clone()),
        Value::Array(values) if setting.is_list => {
            let texts: Option<Vec<&str>> = values.iter().map(Value::as_str).collect();
            let problem = || "must be a text or an array of texts, and an element is no text".to_owned();
            return texts.map(|texts| texts.join(",")).ok_or_else(problem);
        }
        Value::Integer(number) if !setting.is_list => return Ok(number.to_string()),
        Value::Boolean(value) if !setting.is_list => return Ok(value.to_string()),
        Value::Integer(_) => "a number",
        Value::Boolean(_) => "a boolean",
        Value::Float(_) => "a number with a fraction",
        Value::Datetime(_) => "a date or a time",
        Value::Array(_) => "an array",
        Value::Table(_) => "a table",
    };
    let wanted = if setting.is_list { "a text or an array of texts" } else { "a text, a whole number or a boolean" };
    Err(format!("must be {wanted}, not {found}"))
}

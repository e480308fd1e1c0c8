//! Configuration: a file's text and variables. A refusal is one line without secrets, and a setting means the same in a
//! variable and in the file.
//!
//! An input is variables, as lines of `NAME=value`, then a NUL, then the text of a file.

use std::ffi::OsString;
use std::io::Write;

use clap::Command;

use crate::config::{Config, SERVE_COMMAND, with_settings};

use super::split_at;

/// What must never be shown: not in a refusal, and not where a configuration is printed for debugging.
const SECRET: &str = "hush-hush-0451";

pub(super) fn holds(input: &[u8]) {
    let (variables, file) = split_at(input, 0);
    let (Ok(variables), Ok(file)) = (std::str::from_utf8(variables), std::str::from_utf8(file)) else { return };
    if input.windows(SECRET.len()).any(|part| part == SECRET.as_bytes()) {
        return;
    }
    let mut variables: Vec<(&str, &str)> = variables.lines().filter_map(|line| line.split_once('=')).collect();
    // Last, so that others go before them: without them nothing would be read.
    variables.extend([("SSO_TOKEN", SECRET), ("SSO_URL", "http://localhost:1/")]);
    let _ = read(&variables, file);

    // The same settings in a file. What is not set, or empty, in the environment is not there.
    let known =
        |(name, value): &(&str, &str)| !value.is_empty() && SERVE_COMMAND.iter().any(|setting| setting.name == *name);
    let mut settings: Vec<(&str, &str)> = variables.into_iter().filter(known).collect();
    settings.sort_by_key(|(name, _)| *name);
    settings.dedup_by_key(|(name, _)| *name);
    let line = |(name, value): &(&str, &str)| {
        let value = serde_json::Value::from(*value).to_string().replace('\u{7f}', "\\u007f");
        format!("{} = {value}\n", name.to_ascii_lowercase())
    };
    let file: String = settings.iter().map(line).collect();
    assert_eq!(read(&settings, "").ok(), read(&[], &file).ok(), "{file}");
}

/// A configuration as it prints, or its refusal.
fn read(variables: &[(&str, &str)], text: &str) -> Result<String, String> {
    let mut file = tempfile::NamedTempFile::new().expect("a file");
    file.write_all(text.as_bytes()).expect("a file that is written");
    let path = file.path().as_os_str().to_owned();
    let environment = |name: &str| {
        let given = variables.iter().find(|(given, _)| *given == name).map(|(_, value)| OsString::from(value));
        match name {
            "LC_CONFIG" => Some(path.clone()),
            _ => given,
        }
    };
    let matches = with_settings(Command::new("serve"), SERVE_COMMAND).try_get_matches_from(["serve"]);
    let told = Config::read(&matches.expect("no flags"), &environment);
    let told = told.map(|config| format!("{config:?}")).map_err(|refused| refused.to_string());
    let (Ok(text) | Err(text)) = &told;
    assert!(!text.contains(SECRET), "{text}");
    if let Err(refused) = &told {
        assert!(!refused.chars().any(char::is_control), "more than one line: {refused:?}");
    }
    told
}

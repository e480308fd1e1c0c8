//! Values that are empty, and whitespace around values: no default is taken for what was set by mistake.
//!
//! Compose and Helm pass on variables that nobody has set; files that hold secrets end in a newline. OpenTelemetry counts
//! an empty variable as unset: <https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/>.

use secrecy::ExposeSecret;

use super::Run;
use crate::config::setting::{self, Setting};

/// Those of which an empty value means "none".
const MAY_BE_EMPTY: [&str; 4] = ["ADMIN_LISTEN", "CORS_ORIGINS", "OTEL_EXPORTER_OTLP_ENDPOINT", "TRUSTED_PROXIES"];

const NOTHING: [&str; 4] = ["", " ", "\n", " \t\r\n "];

fn refusal(setting: &Setting, origin: &str) -> String {
    let default = setting.default.map(|default| format!(" to take the default, {default}")).unwrap_or_default();
    format!("{} ({origin}) is set but empty: give a value, or unset it{default}", setting.name)
}

#[test]
fn empty_value_is_rejected_unless_it_means_none() {
    let refused: Vec<&Setting> =
        setting::ALL.iter().copied().filter(|setting| !MAY_BE_EMPTY.contains(&setting.name)).collect();
    assert_eq!(refused.len() + MAY_BE_EMPTY.len(), setting::ALL.len());
    for setting in refused {
        for nothing in NOTHING {
            let flag: &'static str = setting.flag().leak();
            let line: &'static str = format!("{} = {nothing:?}", setting.key()).leak();
            let by_flag = Run::complete().flag(flag, nothing).refusal();
            assert_eq!(by_flag, refusal(setting, &format!("flag {flag}")));
            assert_eq!(Run::complete().variable(setting.name, nothing).refusal(), refusal(setting, "environment"));
            let mut by_file = Run::complete().file(line);
            by_file.environment.remove(setting.name);
            assert_eq!(by_file.refusal(), refusal(setting, "file test.toml"));
        }
    }
    let hint = "is set but empty: give a value, or unset it to take the default, sqlite://lc-connections.db?mode=rwc";
    assert_eq!(Run::complete().variable("DATABASE_URL", "").refusal(), format!("DATABASE_URL (environment) {hint}"));
    let error = Run::complete().variable("LC_CONFIG", "").refusal();
    assert_eq!(error, "LC_CONFIG (environment) is set but empty: give a value, or unset it");
}

#[test]
fn empty_value_of_an_optional_setting_means_none() {
    for nothing in NOTHING {
        for name in MAY_BE_EMPTY {
            let setting = setting::ALL.iter().find(|setting| setting.name == name).unwrap();
            let line: &'static str = format!("{} = {nothing:?}", setting.key()).leak();
            let runs = [
                Run::complete().flag(setting.flag().leak(), nothing),
                Run::complete().variable(setting.name, nothing),
                Run::complete().file(line),
            ];
            for run in runs {
                let config = run.read().unwrap();
                assert_eq!((config.admin_listen, config.log.traces), (None, None), "{name}");
                assert!(config.cors_origins.is_empty() && config.trusted_proxies.is_empty(), "{name}");
            }
        }
    }
    // A flag that says "none" goes before the file; a variable that is passed on empty says nothing.
    let in_file = || Run::complete().file("admin_listen = \"127.0.0.1:1\"\ncors_origins = [\"https://a.example\"]");
    let by_flag = in_file().flag("--admin-listen", "").flag("--cors-origins", "").read().unwrap();
    assert_eq!((by_flag.admin_listen, by_flag.cors_origins.len()), (None, 0));
    let by_variable = in_file().variable("ADMIN_LISTEN", "").variable("CORS_ORIGINS", "").read().unwrap();
    assert_eq!((by_variable.admin_listen.map(|address| address.port()), by_variable.cors_origins.len()), (Some(1), 1));
}

#[test]
fn surrounding_whitespace_is_ignored() {
    let config = Run::complete()
        .variable("SSO_TOKEN", "token-2\n")
        .variable("DATABASE_URL", "\tpostgres://u:p@h/d\r\n")
        .variable("SSO_URL", " https://sso.example/ ")
        .variable("LISTEN", " 127.0.0.1:81\n")
        .flag("--max-page-size", " 7 ")
        .file("log_format = \" json\\n\"")
        .read()
        .unwrap();
    assert_eq!(config.sso.token.expose_secret(), "token-2");
    assert_eq!(config.database.url.expose_secret(), "postgres://u:p@h/d");
    assert_eq!((config.sso.url.as_str(), config.listen.port()), ("https://sso.example/", 81));
    assert_eq!((config.max_page_size, config.log.format), (7, crate::telemetry::LogFormat::Json));
    // Within it, it is.
    assert!(Run::complete().variable("SSO_TOKEN", "to ken").refusal().contains("without spaces"));
    assert!(Run::complete().variable("SSO_TOKEN", "one\ntwo").refusal().contains("without spaces"));
}

//! Precedence, and the text of each refusal.

mod each_setting;
mod otel;

use std::collections::HashMap;
use std::ffi::OsString;
use std::io::Write;

use secrecy::ExposeSecret;

use super::*;
use crate::telemetry::LogFormat;

/// One run's flags, environment and file.
#[derive(Default)]
struct Run {
    flags: Vec<&'static str>,
    environment: HashMap<&'static str, &'static str>,
    file: Option<&'static str>,
}

impl Run {
    /// A run that lacks nothing.
    fn complete() -> Self {
        Self::default().variable("SSO_URL", "http://localhost:9/base").variable("SSO_TOKEN", "token-1")
    }

    fn flag(mut self, flag: &'static str, value: &'static str) -> Self {
        self.flags.extend([flag, value]);
        self
    }

    fn variable(mut self, name: &'static str, value: &'static str) -> Self {
        self.environment.insert(name, value);
        self
    }

    fn file(mut self, text: &'static str) -> Self {
        self.file = Some(text);
        self
    }

    fn read(self) -> Result<Config, String> {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(self.file.unwrap_or_default().as_bytes()).unwrap();
        let path = file.path().as_os_str().to_owned();
        let command = with_settings(Command::new("serve"), SERVE_COMMAND);
        let matches = command.try_get_matches_from([&["serve"][..], &self.flags].concat()).unwrap();
        let environment = |name: &str| match name {
            "LC_CONFIG" if self.file.is_some() => Some(path.clone()),
            name => self.environment.get(name).map(OsString::from),
        };
        let shown = path.to_str().unwrap();
        Config::read(&matches, &environment).map_err(|error| error.to_string().replace(shown, "test.toml"))
    }

    fn refusal(self) -> String {
        self.read().expect_err("this run must be refused")
    }
}

#[test]
fn what_is_not_set_has_its_default() {
    let config = Run::complete().read().unwrap();
    assert_eq!(config.listen.to_string(), "127.0.0.1:8080");
    assert_eq!(config.admin_listen, None);
    assert_eq!(config.database.url.expose_secret(), "sqlite://lc-connections.db?mode=rwc");
    assert_eq!(config.database.max_connections, 10);
    assert_eq!(config.sso.url.as_str(), "http://localhost:9/base");
    assert_eq!(config.sso.budget, Duration::from_millis(800));
    assert_eq!(config.sso.max_age, Duration::from_secs(1));
    assert_eq!((config.rate_limit_per_second, config.trusted_proxies.len()), (0, 0));
    assert_eq!((config.sso.circuit_failures, config.sso.circuit_open), (5, Duration::from_secs(5)));
    assert_eq!(config.max_page_size, 100);
    assert!(config.introspection && config.graphiql && config.docs);
    assert_eq!(config.cors_origins, Vec::<HeaderValue>::new());
    assert_eq!(config.shutdown.delay, Duration::ZERO);
    assert_eq!(config.shutdown.timeout, Duration::from_secs(10));
    assert_eq!(config.log, LogConfig { format: LogFormat::Compact, filter: "info".to_owned(), traces: None });
}

#[test]
fn a_flag_goes_before_the_environment_and_that_before_the_file() {
    let in_file = || Run::complete().file("max_page_size = 1\nlisten = \"127.0.0.1:1\"\nintrospection = false");
    let config = in_file().read().unwrap();
    assert_eq!((config.max_page_size, config.listen.port(), config.introspection), (1, 1, false));

    let in_environment = || in_file().variable("MAX_PAGE_SIZE", "2");
    assert_eq!(in_environment().read().unwrap().max_page_size, 2);

    let config = in_environment().flag("--max-page-size", "3").read().unwrap();
    assert_eq!((config.max_page_size, config.listen.port()), (3, 1));
}

#[test]
fn an_empty_variable_counts_as_not_set() {
    let config = Run::complete().file("max_page_size = 7").variable("MAX_PAGE_SIZE", "").read().unwrap();
    assert_eq!(config.max_page_size, 7);
    assert!(Run::complete().variable("SSO_TOKEN", "").refusal().starts_with("SSO_TOKEN is not set"));
}

#[test]
fn the_file_may_be_named_by_flag() {
    let error = Run::complete().flag("--config", "/nowhere/at-all.toml").refusal();
    assert_eq!(
        error,
        "configuration file /nowhere/at-all.toml: cannot be read (flag --config): No such file or directory (os error 2)"
    );
}

#[test]
fn booleans_have_three_spellings_each() {
    for (text, expected) in [("on", true), ("TRUE", true), ("1", true), ("off", false), ("false", false), ("0", false)]
    {
        assert_eq!(Run::complete().variable("INTROSPECTION", text).read().unwrap().introspection, expected, "{text}");
    }
}

#[test]
fn each_refusal_names_the_setting_its_origin_and_what_would_do() {
    let number = |least, greatest| format!("must be a whole number from {least} to {greatest}");
    let url = "must be an http or https URL, like https://sso.example.com";
    let database = "must be a URL like sqlite://file.db?mode=rwc or postgres://user:password@host/database";
    let address = "must be an IP address and a port, like 127.0.0.1:8080";
    let cases: Vec<(&str, &str, String)> = vec![
        ("LISTEN", "localhost", format!("LISTEN (environment) is \"localhost\": {address}")),
        ("LISTEN", "127.0.0.1:70000", format!("LISTEN (environment) is \"127.0.0.1:70000\": {address}")),
        ("ADMIN_LISTEN", ":9090", format!("ADMIN_LISTEN (environment) is \":9090\": {address}")),
        (
            "ADMIN_LISTEN",
            "127.0.0.1:8080",
            "ADMIN_LISTEN (environment) is \"127.0.0.1:8080\": must be another address than LISTEN".to_owned(),
        ),
        ("DATABASE_URL", "mysql://u:secret@h/d", format!("DATABASE_URL (environment) {database}")),
        ("DATABASE_URL", "secret", format!("DATABASE_URL (environment) {database}")),
        (
            "DATABASE_MAX_CONNECTIONS",
            "0",
            format!("DATABASE_MAX_CONNECTIONS (environment) is \"0\": {}", number(1, 1000)),
        ),
        ("MAX_PAGE_SIZE", "0", format!("MAX_PAGE_SIZE (environment) is \"0\": {}", number(1, 10_000))),
        ("MAX_PAGE_SIZE", "many", format!("MAX_PAGE_SIZE (environment) is \"many\": {}", number(1, 10_000))),
        ("SSO_URL", "ftp://secret@sso", format!("SSO_URL (environment) {url}")),
        ("SSO_URL", "sso.example.com", format!("SSO_URL (environment) {url}")),
        (
            "SSO_URL",
            "https://user:secret@sso",
            "SSO_URL (environment) must hold no user, password, query or fragment; the token belongs in SSO_TOKEN"
                .to_owned(),
        ),
        (
            "SSO_TOKEN",
            "sec ret",
            "SSO_TOKEN (environment) must be visible ASCII characters without spaces, since it travels in a header"
                .to_owned(),
        ),
        ("SSO_TIMEOUT_MS", "0", format!("SSO_TIMEOUT_MS (environment) is \"0\": {}", number(1, 60_000))),
        ("SSO_MAX_AGE_MS", "-1", format!("SSO_MAX_AGE_MS (environment) is \"-1\": {}", number(0, 3_600_000))),
        ("RATE_LIMIT_PER_SECOND", "-1", format!("RATE_LIMIT_PER_SECOND (environment) is \"-1\": {}", number(0, 1_000_000))),
        (
            "TRUSTED_PROXIES",
            "10.0.0.0/8, proxy",
            "TRUSTED_PROXIES (environment) is \"10.0.0.0/8, proxy\": must hold networks like 10.0.0.0/8 or addresses like \
             2001:db8::1, and \"proxy\" is neither"
                .to_owned(),
        ),
        (
            "SSO_CIRCUIT_FAILURES",
            "some",
            format!("SSO_CIRCUIT_FAILURES (environment) is \"some\": {}", number(0, 1_000_000)),
        ),
        ("SSO_CIRCUIT_OPEN_MS", "0", format!("SSO_CIRCUIT_OPEN_MS (environment) is \"0\": {}", number(1, 3_600_000))),
        ("INTROSPECTION", "maybe", "INTROSPECTION (environment) is \"maybe\": must be on or off".to_owned()),
        ("GRAPHIQL", "page", "GRAPHIQL (environment) is \"page\": must be on or off".to_owned()),
        (
            "SHUTDOWN_DELAY_MS",
            "10000",
            "SHUTDOWN_DELAY_MS (environment) is \"10000\": must be less than SHUTDOWN_TIMEOUT_MS, which is 10000"
                .to_owned(),
        ),
        ("SHUTDOWN_TIMEOUT_MS", "0", format!("SHUTDOWN_TIMEOUT_MS (environment) is \"0\": {}", number(1, 600_000))),
        ("LOG_FORMAT", "xml", "LOG_FORMAT (environment) is \"xml\": must be compact or json".to_owned()),
        (
            "RUST_LOG",
            "a=b=c",
            "RUST_LOG (environment) is \"a=b=c\": must be a log filter, like info or lc_connections=debug,warn"
                .to_owned(),
        ),
    ];
    for (name, value, expected) in cases {
        let error = Run::complete().variable(name, value).refusal();
        assert_eq!(error, expected);
        assert!(!error.contains("secret") && !error.contains('\n'), "{error}");
    }
}

#[test]
fn origins_are_a_list_in_a_text_or_an_array_in_the_file() {
    let read = |run: Run| run.read().unwrap().cors_origins;
    let two = ["https://app.example.com", "http://localhost:3000"];
    for text in [
        "https://app.example.com,http://localhost:3000",
        "https://app.example.com http://localhost:3000",
        " https://app.example.com , http://localhost:3000, ",
    ] {
        assert_eq!(read(Run::complete().variable("CORS_ORIGINS", text)), two, "{text:?}");
        assert_eq!(read(Run::complete().flag("--cors-origins", text)), two, "{text:?}");
    }
    for text in [
        "cors_origins = [\"https://app.example.com\", \"http://localhost:3000\"]",
        "cors_origins = \"https://app.example.com http://localhost:3000\"",
    ] {
        assert_eq!(read(Run::complete().file(text)), two, "{text:?}");
    }
    for text in ["cors_origins = []", "cors_origins = \"\"", ""] {
        assert_eq!(read(Run::complete().file(text)), Vec::<HeaderValue>::new(), "{text:?}");
    }
    assert_eq!(read(Run::complete().variable("CORS_ORIGINS", "http://[::1]:8080")), ["http://[::1]:8080"]);
    for text in ["cors_origins = [1]", "cors_origins = true"] {
        let error = Run::complete().file(text).refusal();
        assert_eq!(error, "CORS_ORIGINS (file test.toml) must be a text or an array of texts");
    }
}

#[test]
fn an_origin_that_no_browser_would_send_is_refused_by_name() {
    let bare =
        |origin: &str, text: &str| format!("must hold scheme, host and port alone: {origin} instead of {text:?}");
    let written =
        |origin: &str, text: &str| format!("must hold origins as browsers write them: {origin} instead of {text:?}");
    let none = |text: &str| format!("must hold origins like https://app.example.com, and {text:?} is none");
    let star = |text: &str| format!("must name each origin in full, but holds {text:?}");
    for (text, problem) in [
        ("*", star("*")),
        ("https://*.example.com", star("https://*.example.com")),
        ("null", none("null")),
        ("app.example.com", none("app.example.com")),
        ("ftp://app.example.com", none("ftp://app.example.com")),
        ("https://a.example/app", bare("https://a.example", "https://a.example/app")),
        ("https://a.example?x", bare("https://a.example", "https://a.example?x")),
        ("https://user@a.example", bare("https://a.example", "https://user@a.example")),
        ("https://a.example/", written("https://a.example", "https://a.example/")),
        ("https://A.example", written("https://a.example", "https://A.example")),
        ("https://a.example:443", written("https://a.example", "https://a.example:443")),
    ] {
        let error = Run::complete().variable("CORS_ORIGINS", text).refusal();
        assert_eq!(error, format!("CORS_ORIGINS (environment) is {text:?}: {problem}"));
        let second = format!("https://first.example {text}").leak();
        assert!(Run::complete().variable("CORS_ORIGINS", second).refusal().ends_with(&problem));
    }
}

#[test]
fn a_refusal_names_the_flag_or_the_file_that_held_the_value() {
    let problem = "is \"0\": must be a whole number from 1 to 10000";
    let error = Run::complete().flag("--max-page-size", "0").refusal();
    assert_eq!(error, format!("MAX_PAGE_SIZE (flag --max-page-size) {problem}"));
    let error = Run::complete().file("max_page_size = 0").refusal();
    assert_eq!(error, format!("MAX_PAGE_SIZE (file test.toml) {problem}"));
}

#[test]
fn what_serve_cannot_do_without_is_asked_for() {
    for (present, missing, flag, key) in
        [("SSO_TOKEN", "SSO_URL", "--sso-url", "sso_url"), ("SSO_URL", "SSO_TOKEN", "--sso-token", "sso_token")]
    {
        let error = Run::default().variable(present, "http://sso").refusal();
        let advice = format!("give {flag}, the environment variable {missing}, or {key} in the configuration file");
        assert_eq!(error, format!("{missing} is not set: {advice}"));
    }
}

#[test]
fn a_file_that_will_not_do_is_refused_without_showing_its_lines() {
    let cases = [
        ("max_pages = 3", "unknown key `max_pages`: `lc-connections serve --help` lists the settings"),
        ("MAX-PAGE-SIZE = 3", "unknown key `MAX-PAGE-SIZE`: did you mean `max_page_size`?"),
        ("\"max\\npages\" = 3", "unknown key `max\\npages`: `lc-connections serve --help` lists the settings"),
        ("lc_config = \"x\"", "unknown key `lc_config`: `lc-connections serve --help` lists the settings"),
        ("# a comment\nsso_token = secret", "line 2 is not TOML: give each setting as key = \"value\""),
    ];
    for (text, problem) in cases {
        assert_eq!(Run::complete().file(text).refusal(), format!("configuration file test.toml: {problem}"));
    }
    let error = Run::complete().file("max_page_size = [1]").refusal();
    assert_eq!(error, "MAX_PAGE_SIZE (file test.toml) must be a text, a whole number or a boolean");
}

#[test]
fn no_secret_is_shown_by_debug_or_help() {
    let config = Run::complete()
        .variable("SSO_TOKEN", "very-secret")
        .variable("DATABASE_URL", "postgres://user:very-secret@host/db")
        .read()
        .unwrap();
    assert_eq!(config.sso.token.expose_secret(), "very-secret");
    assert!(!format!("{config:?}").contains("very-secret"));
}

#[test]
fn help_documents_every_setting_with_its_flag_variable_and_default() {
    let help = with_settings(Command::new("serve"), SERVE_COMMAND).term_width(1000).render_help().to_string();
    for setting in setting::ALL {
        let line = help.lines().find(|line| line.contains(&format!("{} <", setting.flag()))).unwrap();
        assert!(line.contains(&format!("environment: {}", setting.name)), "{line}");
        assert!(setting.default.is_none_or(|default| line.contains(&format!("default: {default}]"))), "{line}");
    }
    assert!(help.contains("--config <FILE>") && help.contains("environment: LC_CONFIG"), "{help}");
}

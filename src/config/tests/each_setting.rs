//! Each setting of the table: it takes effect from the flag, the environment and the file, and the sample file has it.

use std::fmt::Debug;

use secrecy::ExposeSecret;

use super::Run;
use crate::config::setting::{self, Setting};
use crate::config::{Config, SERVE_COMMAND};

fn shown(value: &impl Debug) -> String {
    format!("{value:?}")
}

/// What a setting is set to here, and where it takes effect.
type Case = (&'static str, &'static str, fn(&Config) -> String);

/// Every setting, with a value that is not its default.
const CASES: [Case; 33] = [
    ("LISTEN", "0.0.0.0:81", |config| shown(&config.listen)),
    ("ADMIN_LISTEN", "127.0.0.1:82", |config| shown(&config.admin_listen)),
    ("DATABASE_URL", "postgres://u:p@h/d", |config| config.database.url.expose_secret().to_owned()),
    ("DATABASE_MAX_CONNECTIONS", "11", |config| shown(&config.database.max_connections)),
    ("DATABASE_START_TIMEOUT_MS", "30001", |config| shown(&config.database_start_timeout)),
    ("SSO_URL", "https://other.example/", |config| shown(&config.sso.url)),
    ("SSO_TOKEN", "token-2", |config| config.sso.token.expose_secret().to_owned()),
    ("SSO_TIMEOUT_MS", "801", |config| shown(&config.sso.budget)),
    ("SSO_MAX_AGE_MS", "1001", |config| shown(&config.sso.max_age)),
    ("SSO_CIRCUIT_FAILURES", "6", |config| shown(&config.sso.circuit_failures)),
    ("SSO_CIRCUIT_OPEN_MS", "5001", |config| shown(&config.sso.circuit_open)),
    ("MAX_PAGE_SIZE", "101", |config| shown(&config.max_page_size)),
    ("GRAPHQL_MAX_DOCUMENT_BYTES", "32769", |config| shown(&config.graphql.document_bytes)),
    ("GRAPHQL_MAX_TOKENS", "2001", |config| shown(&config.graphql.tokens)),
    ("GRAPHQL_MAX_DEPTH", "16", |config| shown(&config.graphql.depth)),
    ("GRAPHQL_MAX_ALIASES", "31", |config| shown(&config.graphql.aliases)),
    ("GRAPHQL_MAX_ROOT_FIELDS", "21", |config| shown(&config.graphql.root_fields)),
    ("GRAPHQL_MAX_DIRECTIVES", "51", |config| shown(&config.graphql.directives)),
    ("GRAPHQL_MAX_SELECTIONS", "2001", |config| shown(&config.graphql.selections)),
    ("GRAPHQL_MAX_COST", "100001", |config| shown(&config.graphql.cost)),
    ("HTTP_MAX_CONNECTIONS", "1001", |config| shown(&config.max_connections)),
    ("HTTP_MAX_CONCURRENT_REQUESTS", "129", |config| shown(&config.max_concurrent_requests)),
    ("INTROSPECTION", "off", |config| shown(&config.introspection)),
    ("GRAPHIQL", "off", |config| shown(&config.graphiql)),
    ("DOCS", "off", |config| shown(&config.docs)),
    ("RATE_LIMIT_PER_SECOND", "1", |config| shown(&config.rate_limit_per_second)),
    ("TRUSTED_PROXIES", "10.0.0.0/8,::1", |config| shown(&config.trusted_proxies)),
    ("CORS_ORIGINS", "https://a.example,https://b.example", |config| shown(&config.cors_origins)),
    ("SHUTDOWN_DELAY_MS", "1", |config| shown(&config.shutdown.delay)),
    ("SHUTDOWN_TIMEOUT_MS", "10001", |config| shown(&config.shutdown.timeout)),
    ("LOG_FORMAT", "json", |config| shown(&config.log.format)),
    ("RUST_LOG", "warn", |config| shown(&config.log.filter)),
    ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318", |config| shown(&config.log.traces)),
];

fn setting_of(name: &str) -> &'static Setting {
    setting::ALL.iter().find(|setting| setting.name == name).unwrap()
}

#[test]
fn each_takes_effect_from_the_flag_the_environment_and_the_file() {
    let mut names = CASES.map(|(name, ..)| name);
    let mut all: Vec<&str> = SERVE_COMMAND.iter().map(|setting| setting.name).collect();
    names.sort_unstable();
    all.sort_unstable();
    assert_eq!(names[..], all[..]);
    let default = Run::complete().read().unwrap();
    for (name, value, effect) in CASES {
        if name == "OTEL_EXPORTER_OTLP_ENDPOINT" && !cfg!(feature = "otel") {
            continue;
        }
        let setting = setting_of(name);
        let (flag, line) = (setting.flag().leak(), format!("{} = {value:?}", setting.key()).leak());
        // Nothing in the way of the file.
        let mut by_file = Run::complete().file(line);
        by_file.environment.remove(name);
        let runs = [Run::complete().flag(flag, value), Run::complete().variable(name, value), by_file];
        for (run, place) in runs.into_iter().zip(["flag", "environment", "file"]) {
            let config = run.read().unwrap_or_else(|error| panic!("{name} by {place}: {error}"));
            assert_ne!(effect(&config), effect(&default), "{name} by {place} has no effect");
            let by_flag = Run::complete().flag(flag, value).read().unwrap();
            assert_eq!(effect(&config), effect(&by_flag), "{name} by {place}");
        }
    }
}

/// The sample's settings: those that are marked off too, when `all` of them are wanted.
fn sample(all: bool) -> String {
    let lines = include_str!("../../../lc-connections.sample.toml").lines();
    let is_setting = |line: &str| line.split_once(" = ").is_some_and(|(key, _)| !key.contains(' '));
    let unmarked = lines.map(|line| match line.strip_prefix("# ") {
        Some(marked) if all && is_setting(marked) => marked,
        _ => line,
    });
    unmarked.fold(String::new(), |text, line| text + line + "\n")
}

#[test]
fn the_sample_file_has_each_setting_and_shows_the_defaults() {
    let read = |text: String| Run::default().file(text.leak()).read().unwrap();
    let (as_it_is, complete) = (read(sample(false)), Run::complete().read().unwrap());
    let table: toml::Table = sample(true).parse().unwrap();
    let keys: Vec<&str> = table.keys().map(String::as_str).collect();
    let mut all: Vec<String> = SERVE_COMMAND.iter().map(|setting| setting.key()).collect();
    all.sort_unstable();
    assert_eq!(keys, all);
    for (name, _, effect) in CASES.iter().filter(|(name, ..)| !["SSO_URL", "SSO_TOKEN"].contains(name)) {
        assert_eq!(effect(&as_it_is), effect(&complete), "{name} is marked off");
    }
    if cfg!(feature = "otel") {
        let unmarked = read(sample(true));
        for (name, _, effect) in CASES.iter().filter(|(name, ..)| setting_of(name).default.is_some()) {
            assert_eq!(effect(&unmarked), effect(&complete), "{name}: what is marked off is the default");
        }
    }
}

#[test]
fn the_documents_list_the_limits_of_graphql_with_their_defaults() {
    let document = include_str!("../../../docs/frontend.md");
    let (begin, end) = ("<!-- limits: begin -->\n", "<!-- limits: end -->");
    let table = document.split_once(begin).and_then(|(_, rest)| rest.split_once(end)).unwrap().0;
    let listed: Vec<&str> = table.lines().skip(2).collect();
    let limits: Vec<&Setting> =
        setting::ALL.iter().copied().filter(|setting| setting.name.starts_with("GRAPHQL_MAX_")).collect();
    assert_eq!(listed.len(), limits.len());
    for (row, limit) in listed.iter().zip(limits) {
        // One depends on another setting.
        let default =
            limit.default.map_or_else(|| Run::complete().read().unwrap().graphql.cost.to_string(), str::to_owned);
        assert!(row.starts_with(&format!("| `{}` | {default} | ", limit.name)), "{row}");
    }
}

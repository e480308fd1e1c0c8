//! The table of settings: each has one name, which is its environment variable, its flag and its key in the file.

use clap::Arg;

/// A setting, documented.
#[derive(Debug)]
pub struct Setting {
    /// `MAX_PAGE_SIZE`: the environment variable. The flag is `--max-page-size`, the file's key `max_page_size`.
    pub name: &'static str,
    /// What stands in its place in the usage line.
    pub value_name: &'static str,
    /// What is taken when nothing is given.
    pub default: Option<&'static str>,
    /// What it does, in a line.
    pub meaning: &'static str,
    /// Whether its value must never be shown.
    pub is_secret: bool,
    /// Whether it holds several values: separated by commas or spaces in a text, or an array in the file.
    pub is_list: bool,
    /// Whether an empty value means "none"; it is refused otherwise.
    pub may_be_empty: bool,
}

impl Setting {
    pub(super) const fn new(name: &'static str, value_name: &'static str, meaning: &'static str) -> Self {
        Self { name, value_name, default: None, meaning, is_secret: false, is_list: false, may_be_empty: false }
    }

    const fn or(mut self, default: &'static str) -> Self {
        self.default = Some(default);
        self
    }

    pub(super) const fn secret(mut self) -> Self {
        self.is_secret = true;
        self
    }

    const fn list(mut self) -> Self {
        self.is_list = true;
        self.or_empty()
    }

    pub(super) const fn or_empty(mut self) -> Self {
        self.may_be_empty = true;
        self
    }

    /// The file's key: `max_page_size`.
    #[must_use]
    pub fn key(&self) -> String {
        self.name.to_ascii_lowercase()
    }

    /// The flag: `--max-page-size`. What marks a variable as this program's own, `LC_`, is not part of it.
    #[must_use]
    pub fn flag(&self) -> String {
        format!("--{}", self.flag_name())
    }

    fn flag_name(&self) -> String {
        self.key().trim_start_matches("lc_").replace('_', "-")
    }

    /// The flag for clap. Values stay text here: they are read where their origin can be named, whatever it is.
    pub(super) fn to_argument(&self) -> Arg {
        let default = self.default.map(|default| format!(", default: {default}")).unwrap_or_default();
        Arg::new(self.name)
            .long(self.flag_name())
            .value_name(self.value_name)
            .help(format!("{} [environment: {}{default}]", self.meaning, self.name))
    }
}

/// The file that holds the other settings. It cannot be set in itself.
pub(super) static CONFIG: Setting =
    Setting::new("LC_CONFIG", "FILE", "A TOML file with settings, named like the environment variables in lower case");

macro_rules! settings {
    ($($constant:ident = $setting:expr;)+) => {
        $(pub(super) static $constant: Setting = $setting;)+

        /// Every setting that the file may hold.
        pub(super) static ALL: &[&Setting] = &[$(&$constant),+];
    };
}

settings! {
    LISTEN = Setting::new("LISTEN", "ADDRESS", "Where requests are answered; port 0 takes a free one").or("127.0.0.1:8080");
    ADMIN_LISTEN = Setting::new("ADMIN_LISTEN", "ADDRESS", "If set, /metrics is answered there only, and /livez and /readyz there too")
        .or_empty();
    DATABASE_URL = Setting::new("DATABASE_URL", "URL", "sqlite://… or postgres://…")
        .or("sqlite://lc-connections.db?mode=rwc")
        .secret();
    DATABASE_MAX_CONNECTIONS =
        Setting::new("DATABASE_MAX_CONNECTIONS", "NUMBER", "Pool size; a request waits at most 2 s for a connection")
            .or("10");
    DATABASE_START_TIMEOUT_MS = Setting::new(
        "DATABASE_START_TIMEOUT_MS",
        "MILLISECONDS",
        "How long serve waits at its start for a database that cannot be reached yet, before it gives up",
    )
    .or("30000");
    SSO_URL = Setting::new("SSO_URL", "URL", "Base URL of the SSO service, http or https; required").secret();
    SSO_TOKEN = Setting::new("SSO_TOKEN", "TOKEN", "Bearer token for the SSO service; required").secret();
    SSO_TIMEOUT_MS = Setting::new(
        "SSO_TIMEOUT_MS",
        "MILLISECONDS",
        "The whole budget of one request's exchange with SSO, retries and pages included",
    )
    .or("800");
    SSO_MAX_AGE_MS = Setting::new(
        "SSO_MAX_AGE_MS",
        "MILLISECONDS",
        "How old a fetched SSO view may be when it serves a request; 0: every request asks SSO",
    )
    .or("1000");
    SSO_CIRCUIT_FAILURES = Setting::new(
        "SSO_CIRCUIT_FAILURES",
        "NUMBER",
        "So many failures of SSO in a row open the circuit: SSO is left alone; 0: never",
    )
    .or("5");
    SSO_CIRCUIT_OPEN_MS =
        Setting::new("SSO_CIRCUIT_OPEN_MS", "MILLISECONDS", "How long the circuit stays open until one probe").or("5000");
    MAX_PAGE_SIZE = Setting::new("MAX_PAGE_SIZE", "NUMBER", "Largest `first` or `last`").or("100");
    GRAPHQL_MAX_DOCUMENT_BYTES = Setting::new("GRAPHQL_MAX_DOCUMENT_BYTES", "NUMBER", "Largest GraphQL document").or("32768");
    GRAPHQL_MAX_TOKENS = Setting::new("GRAPHQL_MAX_TOKENS", "NUMBER", "Most tokens of a document").or("2000");
    GRAPHQL_MAX_DEPTH = Setting::new("GRAPHQL_MAX_DEPTH", "NUMBER", "Deepest nesting of fields").or("15");
    GRAPHQL_MAX_ALIASES = Setting::new("GRAPHQL_MAX_ALIASES", "NUMBER", "Most aliases, fragments expanded").or("30");
    GRAPHQL_MAX_ROOT_FIELDS =
        Setting::new("GRAPHQL_MAX_ROOT_FIELDS", "NUMBER", "Most fields of the root, fragments expanded").or("20");
    GRAPHQL_MAX_DIRECTIVES =
        Setting::new("GRAPHQL_MAX_DIRECTIVES", "NUMBER", "Most directives, fragments expanded").or("50");
    GRAPHQL_MAX_SELECTIONS =
        Setting::new("GRAPHQL_MAX_SELECTIONS", "NUMBER", "Most fields and fragments, all fragments expanded").or("2000");
    GRAPHQL_MAX_COST = Setting::new(
        "GRAPHQL_MAX_COST",
        "NUMBER",
        "Most fields that an answer may have, lists counted by their `first`; default: 1000 for each of MAX_PAGE_SIZE, \
         at least 100000",
    );
    INTROSPECTION =
        Setting::new("INTROSPECTION", "on|off", "Whether GraphQL introspection is answered; turn off in production").or("on");
    GRAPHIQL = Setting::new("GRAPHIQL", "on|off", "Whether /graphiql serves the GraphiQL page; turn off in production").or("on");
    DOCS = Setting::new(
        "DOCS",
        "on|off",
        "Whether /docs serves the REST reference, and /openapi.json and /openapi-3.0.json its descriptions; turn off in production",
    )
    .or("on");
    HTTP_MAX_CONNECTIONS = Setting::new(
        "HTTP_MAX_CONNECTIONS",
        "NUMBER",
        "How many connections clients may have open; over it they are told 503, and then not taken at all",
    )
    .or("1000");
    HTTP_MAX_CONCURRENT_REQUESTS = Setting::new(
        "HTTP_MAX_CONCURRENT_REQUESTS",
        "NUMBER",
        "How many requests for connections are worked on at once, in a burst of up to a second four times as many; over it \
         503 at once, with Retry-After",
    )
    .or("128");
    RATE_LIMIT_PER_SECOND = Setting::new(
        "RATE_LIMIT_PER_SECOND",
        "NUMBER",
        "How many requests a second each API key may make; 0: any number",
    )
    .or("0");
    TRUSTED_PROXIES = Setting::new(
        "TRUSTED_PROXIES",
        "NETWORKS",
        "Networks of proxies whose Forwarded and X-Forwarded-For are believed, like 10.0.0.0/8, separated by commas or spaces",
    )
    .list();
    CORS_ORIGINS = Setting::new(
        "CORS_ORIGINS",
        "ORIGINS",
        "Origins whose pages may call this server from a browser, like https://app.example.com, separated by commas or spaces",
    )
    .list();
    SHUTDOWN_DELAY_MS = Setting::new(
        "SHUTDOWN_DELAY_MS",
        "MILLISECONDS",
        "After SIGTERM: how long /readyz says 503 before connections are refused",
    )
    .or("0");
    SHUTDOWN_TIMEOUT_MS =
        Setting::new("SHUTDOWN_TIMEOUT_MS", "MILLISECONDS", "After SIGTERM: the limit of all, the delay included").or("10000");
    LOG_FORMAT = Setting::new("LOG_FORMAT", "compact|json", "compact for people, json for production").or("compact");
    RUST_LOG = Setting::new("RUST_LOG", "FILTER", "What is logged, like info or lc_connections=debug,warn").or("info");
    OTEL_EXPORTER_OTLP_ENDPOINT = Setting::new(
        "OTEL_EXPORTER_OTLP_ENDPOINT",
        "URL",
        "If set, traces are sent to this OpenTelemetry collector, by OTLP over HTTP, like http://localhost:4318",
    )
    .or_empty()
    .secret();
}

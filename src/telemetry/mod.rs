//! Logs, metrics and traces of the process: how they are set up, and the names and units of what is counted.
//!
//! Knows nothing of what is logged or counted, but for the list of metrics, so that one place documents them all.

pub mod stored_values;
pub mod traces;

use std::error::Error;
use std::io::{IsTerminal, stderr};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

use metrics::{Unit, describe_counter, describe_gauge, describe_histogram};
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};
use tracing_appender::non_blocking::{ErrorCounter, NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::filter::ParseError;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, Registry};

use traces::settings::TraceSettings;

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Compact,
    /// One JSON object a line, for production.
    Json,
}

/// What is logged, and how.
#[derive(Debug, Clone, PartialEq)]
pub struct LogConfig {
    /// How lines look.
    pub format: LogFormat,
    /// Which lines: tracing's directives, as `RUST_LOG` has them.
    pub filter: String,
    /// How traces are exported, if they are.
    pub traces: Option<TraceSettings>,
}

/// Why logs or traces cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum LogSetupError {
    /// The filter has no meaning.
    #[error("the log filter has no meaning")]
    Filter(#[from] ParseError),
    /// The traces' exporter refuses.
    #[error("traces cannot be sent")]
    Traces(#[source] Box<dyn Error + Send + Sync>),
}

/// Holds tracing; what is left of the traces is sent when it is dropped.
#[derive(Debug)]
#[must_use = "traces end when it is dropped"]
pub struct Logging {
    #[cfg(feature = "otel")]
    exporter: Option<traces::export::Exporter>,
}

impl Logging {
    /// Exports the remaining traces within the limit.
    #[cfg_attr(not(feature = "otel"), expect(unused_variables, reason = "no traces"))]
    pub fn finish_traces(self, limit: Duration) {
        #[cfg(feature = "otel")]
        if let Some(mut exporter) = self.exporter {
            exporter.end(limit);
        }
    }
}

/// How many lines may wait for being written. Whoever reads them may stop doing that; then lines are lost, and not requests.
const MOST_WAITING_LINES: usize = 10_000;

/// Counts the lines that were lost.
static LOST_LINES: OnceLock<ErrorCounter> = OnceLock::new();

/// Writes lines until it is dropped.
static WRITER: Mutex<Option<WorkerGuard>> = Mutex::new(None);

/// Writes what waits, for a second at the most. To be called when nothing is at work any more: later lines are lost.
pub fn finish_log() {
    drop(WRITER.lock().unwrap_or_else(PoisonError::into_inner).take());
}

/// Sends log lines to standard error from now on, and traces where the configuration says. A process that already logs
/// somewhere goes on doing that.
///
/// # Errors
/// The filter has no meaning, or the traces' exporter cannot be set up.
pub fn start_logging(config: &LogConfig) -> Result<Logging, LogSetupError> {
    let filter = EnvFilter::builder().parse(&config.filter)?;
    let (writer, guard) =
        NonBlockingBuilder::default().lossy(true).buffered_lines_limit(MOST_WAITING_LINES).finish(stderr());
    let lost = writer.error_counter();
    let lines = tracing_subscriber::fmt::layer().with_writer(writer);
    let lines: Box<dyn Layer<Registry> + Send + Sync> = match config.format {
        LogFormat::Compact => lines.compact().with_ansi(stderr().is_terminal()).with_filter(filter).boxed(),
        LogFormat::Json => lines.json().flatten_event(true).with_span_list(false).with_filter(filter).boxed(),
    };
    let subscriber = Registry::default().with(lines);
    #[cfg(feature = "otel")]
    let exporter = config.traces.as_ref().map(traces::export::Exporter::start).transpose();
    #[cfg(feature = "otel")]
    let exporter = exporter.map_err(LogSetupError::Traces)?;
    #[cfg(feature = "otel")]
    let subscriber = subscriber.with(exporter.as_ref().and_then(traces::export::Exporter::layer));
    // The error says that a subscriber is there already: tests start several programs in one process.
    if subscriber.try_init().is_ok() {
        let _ = LOST_LINES.set(lost);
        *WRITER.lock().unwrap_or_else(PoisonError::into_inner) = Some(guard);
    }
    if let Some(TraceSettings { endpoint, .. }) = &config.traces {
        tracing::info!(%endpoint, "exporting traces");
    }
    Ok(Logging {
        #[cfg(feature = "otel")]
        exporter,
    })
}

/// Sends panics to the log, with their request's span, once there is one.
pub fn log_panics() {
    let to_standard_error = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if tracing::dispatcher::has_been_set() {
            tracing::error!(panic = one_line(&panic.to_string()), "a thread panicked");
        } else {
            to_standard_error(panic);
        }
    }));
}

/// An error's text and its causes', in one line. Others' errors repeat their causes; those are told once.
#[must_use]
pub fn chain(error: &dyn Error) -> String {
    let mut line = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let text = error.to_string();
        if !line.ends_with(&text) {
            line.push_str(": ");
            line.push_str(&text);
        }
        cause = error.source();
    }
    one_line(&line)
}

/// The longest text that is told of one thing, in characters: what goes wrong may quote whoever made it go wrong.
const LONGEST_TEXT: usize = 2_000;

/// A text as part of a line: none of its characters ends the line or means anything to a terminal.
#[must_use]
pub fn one_line(text: &str) -> String {
    let is_harmless = |character: &char| !character.is_control() && !matches!(character, '\u{2028}' | '\u{2029}');
    let mut characters = text.chars().map(|character| if is_harmless(&character) { character } else { ' ' });
    let mut line: String = characters.by_ref().take(LONGEST_TEXT).collect();
    if characters.next().is_some() {
        line.push('…');
    }
    line
}

/// The process's metrics, ready to be rendered.
#[derive(Clone)]
pub struct Metrics(PrometheusHandle);

impl Metrics {
    /// The recorder that `metrics`' macros write to. The first call installs it, once for the process.
    ///
    /// # Errors
    /// Somebody else installed another recorder.
    pub fn install() -> Result<Self, BuildError> {
        static INSTALLED: OnceLock<PrometheusHandle> = OnceLock::new();
        static INSTALLING: Mutex<()> = Mutex::new(());

        let _one_at_a_time = INSTALLING.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(handle) = INSTALLED.get() {
            return Ok(Self(handle.clone()));
        }
        let handle = PrometheusBuilder::new()
            .set_buckets_for_metric(Matcher::Suffix("_duration_seconds".to_owned()), DURATION_BUCKETS)?
            .install_recorder()?;
        describe();
        Ok(Self(INSTALLED.get_or_init(|| handle).clone()))
    }

    /// Everything counted so far, in Prometheus' text format.
    #[must_use]
    pub fn render(&self) -> String {
        let lost = LOST_LINES.get().map_or(0, ErrorCounter::dropped_lines);
        metrics::counter!("log_lines_lost_total").absolute(u64::try_from(lost).unwrap_or(u64::MAX));
        #[cfg(feature = "otel")]
        traces::export::count_from_zero();
        self.0.render()
    }

    /// Folds recorded durations into their buckets now and then, for ever; without it they pile up between two renderings.
    pub async fn keep_small(self) {
        let mut interval = tokio::time::interval(Duration::from_secs(5));
        loop {
            interval.tick().await;
            self.0.run_upkeep();
        }
    }
}

impl std::fmt::Debug for Metrics {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Metrics")
    }
}

/// In seconds; dense where requests usually end, and with an edge at the SSO's default budget.
const DURATION_BUCKETS: &[f64] = &[0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 0.8, 1.0, 2.5, 5.0];

fn describe() {
    describe_counter!("http_requests_total", "Requests answered, by matched route, method and status");
    describe_histogram!(
        "http_request_duration_seconds",
        Unit::Seconds,
        "Time from a request's head to its answer's head; without what was refused unseen"
    );
    describe_gauge!("http_requests_in_progress", "Requests for connections that are worked on now");
    describe_counter!("http_requests_shed_total", "Requests refused at once, since there was too much to do");
    describe_gauge!("http_connections", "Connections that clients have open now");
    describe_counter!("http_connections_refused_total", "Connections that there was no room for");
    describe_counter!("graphql_operations_total", "GraphQL operations, by type and outcome");
    describe_counter!("graphql_errors_total", "GraphQL errors, by code");
    describe_counter!("sso_requests_total", "Calls to SSO, by outcome");
    describe_counter!("sso_retries_total", "Calls to SSO that were tried a second time, by how that went");
    describe_histogram!("sso_request_duration_seconds", Unit::Seconds, "Time of one exchange with SSO, pages included");
    describe_gauge!("sso_circuit_open", "1 while SSO is left alone after too many failures in a row, else 0");
    describe_counter!("connections_degraded_total", "Answers without SSO's part, by front end");
    describe_counter!("repairs_total", "Attempted repairs, by the way they came and their outcome");
    describe_gauge!("db_pool_connections", "Database connections of this process, by state");
    describe_histogram!("db_statement_duration_seconds", Unit::Seconds, "Time of one database statement");
    describe_counter!(
        "db_retries_total",
        "Calls of the database that were tried again, for a dead connection or another transaction"
    );
    describe_counter!("log_lines_lost_total", "Log lines that standard error did not take in time");
    describe_counter!("otel_spans_dropped_total", "Spans that were lost before the collector took them, by cause");
    describe_counter!("stored_values_unknown_total", "Stored values outside their known set, by field");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_program_in_the_process_shares_the_first_ones_metrics() {
        let first = Metrics::install().unwrap();
        let second = Metrics::install().unwrap();
        metrics::counter!("http_requests_total", "route" => "telemetry_test").increment(2);
        for metrics in [first, second] {
            assert!(metrics.render().contains(r#"http_requests_total{route="telemetry_test"} 2"#));
        }
    }

    #[test]
    fn durations_are_rendered_as_buckets_in_seconds() {
        let rendered = Metrics::install().unwrap();
        metrics::histogram!("http_request_duration_seconds", "route" => "telemetry_test").record(0.02);
        let text = rendered.render();
        let bucket =
            |edge: &str| format!(r#"http_request_duration_seconds_bucket{{route="telemetry_test",le="{edge}"}}"#);
        assert!(text.contains(&format!("{} 0", bucket("0.01"))), "{text}");
        assert!(text.contains(&format!("{} 1", bucket("0.025"))), "{text}");
    }

    #[test]
    fn a_text_becomes_one_line_without_a_character_that_a_terminal_obeys_and_of_bounded_length() {
        assert_eq!(one_line("col\u{1b}[31mred\r\nnext\u{2028}\u{9b}é\u{7f}\0."), "col [31mred  next  é  .");
        let long = one_line(&"é".repeat(LONGEST_TEXT + 1));
        assert_eq!(long.chars().count(), LONGEST_TEXT + 1);
        assert!(long.ends_with("é…"));
        assert_eq!(one_line(&"é".repeat(LONGEST_TEXT)), "é".repeat(LONGEST_TEXT));
    }

    #[test]
    fn an_error_and_its_causes_become_one_line() {
        let error = std::io::Error::other("first\r\nsecond\u{1b}[0m");
        assert_eq!(chain(&error), "first  second [0m");
    }

    #[test]
    fn logging_may_be_started_twice() {
        let config = LogConfig { format: LogFormat::Json, filter: "warn".to_owned(), traces: None };
        let _first = start_logging(&config).unwrap();
        let _second = start_logging(&config).unwrap();
    }
}

//! One log line and one count per request; of what is refused unseen, the count alone. Never keys, e-mails, bodies or raw
//! paths: a path may hold what a client put there by mistake, and labels must stay few.

use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use axum::extract::{FromRequestParts, MatchedPath, Request};
use axum::middleware::Next;
use axum::response::Response;
use http::request::Parts;
use http::{Extensions, Method, StatusCode};
use tracing::Instrument;
use tracing::field::{Empty, display};

use crate::database_use;
use crate::domain::id::AccountId;
use crate::domain::sso_view::SourceFailure;
use crate::telemetry::traces;

use super::request_id::RequestId;

/// The longest name of an operation that is logged, in characters: the client chooses it.
const LONGEST_OPERATION: usize = 64;

/// What is known of a request that belongs in its log line, noted as soon as it is known. Found among the request's
/// extensions; clones share everything.
#[derive(Debug, Clone, Default)]
pub struct RequestFacts(Arc<Mutex<Facts>>);

#[derive(Debug, Default)]
struct Facts {
    /// The GraphQL operation's name.
    operation: Option<String>,
    /// How SSO did, where it was asked.
    sso: Option<&'static str>,
    /// The caller's account.
    account: Option<AccountId>,
}

impl RequestFacts {
    /// The request's own. Where no layer logs, they go nowhere.
    #[must_use]
    pub fn of(extensions: &Extensions) -> Self {
        extensions.get().cloned().unwrap_or_default()
    }

    /// Whose request it is.
    pub fn account(&self, account: AccountId) {
        self.lock().account = Some(account);
    }

    /// What the client calls its operation.
    pub fn operation(&self, name: &str) {
        self.lock().operation = Some(name.chars().take(LONGEST_OPERATION).collect());
    }

    /// How SSO did, if it was asked.
    pub fn sso(&self, outcome: Option<Result<(), SourceFailure>>) {
        if let Some(outcome) = outcome {
            self.lock().sso = Some(outcome.map_or_else(SourceFailure::as_str, |()| "ok"));
        }
    }

    fn lock(&self) -> MutexGuard<'_, Facts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for RequestFacts {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Infallible> {
        Ok(Self::of(&parts.extensions))
    }
}

/// The route of what no route is for.
const UNMATCHED: &str = "unmatched";

/// The status in the log and the metrics when the client went away before its answer, as others write it too.
const CLIENT_WENT_AWAY: u16 = 499;

/// The layer, for `axum::middleware::from_fn` on a router whose routes it wraps: inside the request id's, outside all else.
pub async fn log(mut request: Request, next: Next) -> Response {
    let facts = RequestFacts::default();
    request.extensions_mut().insert(facts.clone());
    let mut line = Line {
        started: Instant::now(),
        method: known_method(request.method()),
        route: request.extensions().get::<MatchedPath>().cloned(),
        status: CLIENT_WENT_AWAY,
        facts,
        statements: 0,
    };
    let span = tracing::debug_span!(
        target: traces::TARGET,
        "request",
        otel.kind = "server",
        otel.name = format_args!("{} {}", line.method, line.route()),
        http.request.method = line.method,
        http.route = line.route(),
        http.response.status_code = Empty,
        otel.status_code = Empty,
        request.id = request.extensions().get::<RequestId>().map(display),
        graphql.operation.name = Empty,
        account.id = Empty,
    );
    traces::adopt(&span, request.headers());
    let (response, statements) = database_use::of_request(next.run(request).instrument(span.clone())).await;
    line.statements = statements;
    line.status = response.status().as_u16();
    span.record("http.response.status_code", line.status);
    if response.status().is_server_error() {
        span.record("otel.status_code", "ERROR");
    }
    let facts = line.facts.lock();
    span.record("graphql.operation.name", facts.operation.as_deref());
    span.record("account.id", facts.account.map(display));
    drop(facts);
    response
}

/// Written when it is dropped, so that a request whose client goes away is not forgotten.
struct Line {
    started: Instant,
    method: &'static str,
    route: Option<MatchedPath>,
    status: u16,
    facts: RequestFacts,
    statements: u64,
}

impl Line {
    fn route(&self) -> &str {
        self.route.as_ref().map_or(UNMATCHED, MatchedPath::as_str)
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        let template = self.route();
        let Self { started, method, route: _, status, facts, statements } = &*self;
        let elapsed = started.elapsed();
        let Facts { operation, sso, account } = &*facts.lock();
        tracing::info!(
            http.method = *method,
            http.route = template,
            http.status = *status,
            milliseconds = (elapsed.as_secs_f64() * 1e6).round() / 1e3,
            operation = operation.as_deref(),
            statements = *statements,
            sso.outcome = *sso,
            account.id = account.map(tracing::field::display),
            "request"
        );
        count(template, method, *status);
        metrics::histogram!("http_request_duration_seconds", "route" => template.to_owned(), "method" => *method)
            .record(elapsed.as_secs_f64());
    }
}

/// Counts a request that was refused unseen, which has no line: a flood of them would push out all others, and times that
/// are next to nothing would hide those of what was served.
pub fn count_refused(request: &Request, status: StatusCode) {
    let route = request.extensions().get::<MatchedPath>();
    count(route.map_or(UNMATCHED, MatchedPath::as_str), known_method(request.method()), status.as_u16());
}

fn count(route: &str, method: &'static str, status: u16) {
    metrics::counter!("http_requests_total", "route" => route.to_owned(), "method" => method, "status" => status.to_string())
        .increment(1);
}

/// A client may invent methods without end; a label may not follow it.
fn known_method(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "OTHER",
    }
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::body::Body;
    use axum::routing::get;
    use tower::ServiceExt;

    use super::*;
    use crate::telemetry::Metrics;

    fn router() -> Router {
        Router::new()
            .route("/logged/{id}", get(async || StatusCode::OK))
            .route("/logged_slow", get(std::future::pending::<()>))
            .layer(axum::middleware::from_fn(log))
    }

    async fn ask(method: &str, path: &str) -> StatusCode {
        let request = Request::builder().method(method).uri(path).body(Body::empty()).unwrap();
        router().oneshot(request).await.unwrap().status()
    }

    /// How often this was counted, out of Prometheus' text.
    fn counted(labels: &str) -> u64 {
        let text = Metrics::install().unwrap().render();
        let prefix = format!("http_requests_total{{{labels}}} ");
        text.lines().find_map(|line| line.strip_prefix(&prefix)).map_or(0, |count| count.parse().unwrap())
    }

    #[tokio::test]
    async fn a_request_is_counted_by_its_route_and_not_by_its_path() {
        Metrics::install().unwrap();
        for path in ["/logged/1", "/logged/2"] {
            assert_eq!(ask("GET", path).await, StatusCode::OK);
        }
        assert_eq!(counted(r#"route="/logged/{id}",method="GET",status="200""#), 2);
        assert_eq!(counted(r#"route="/logged/1",method="GET",status="200""#), 0);
    }

    #[tokio::test]
    async fn unknown_paths_and_invented_methods_share_one_label_each() {
        Metrics::install().unwrap();
        for path in ["/nowhere", "/nowhere/else"] {
            assert_eq!(ask("BREW", path).await, StatusCode::NOT_FOUND);
        }
        assert_eq!(ask("MELT", "/logged/1").await, StatusCode::METHOD_NOT_ALLOWED);
        assert_eq!(counted(r#"route="unmatched",method="OTHER",status="404""#), 2);
        assert_eq!(counted(r#"route="/logged/{id}",method="OTHER",status="405""#), 1);
    }

    #[tokio::test]
    async fn a_request_whose_client_goes_away_is_counted_too() {
        Metrics::install().unwrap();
        let request = Request::builder().uri("/logged_slow").body(Body::empty()).unwrap();
        let answer = tokio::time::timeout(std::time::Duration::from_millis(20), router().oneshot(request)).await;
        assert!(answer.is_err());
        assert_eq!(counted(r#"route="/logged_slow",method="GET",status="499""#), 1);
    }
}

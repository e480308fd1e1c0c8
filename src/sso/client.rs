//! What is asked of SSO: a list, page by page, or a single connection; budget, conditions, limits.
//!
//! An *exchange* is one call as its caller sees it: a list with all its pages, or a single connection. Each exchange
//! ends within the budget, is counted once and logged once when it fails; while the circuit is open there is none. Knows nothing of what is kept.

use std::time::Duration;

use reqwest::StatusCode;
use reqwest::header::{ETAG, HeaderMap, HeaderValue};
use secrecy::SecretString;
use tokio::time::{Instant, timeout_at};
use tracing::Instrument;
use tracing::field::Empty;
use url::Url;

use super::SsoSetupError;
use super::call::{Caller, Calls, PAGE_BYTES};
use super::circuit::{Circuit, CircuitSettings};
use super::fault::Fault;
use super::http_pool::{HttpPool, HttpSettings};
use super::pages::Pages;
use super::wire::{self, NetworkConnection, Page};
use crate::domain::id::{SsoConnectionId, SsoId};
use crate::domain::sso_view::{SourceFailure, SsoConnection};
use crate::telemetry::traces;

/// The most bytes that all pages of a list may have together, on the wire and for what permissions take once read.
const LIST_BYTES: usize = 64 * 1024 * 1024;

/// Talks to SSO.
pub(super) struct Client {
    caller: Caller,
    list_url: Url,
    budget: Duration,
    circuit: Circuit,
}

/// What SSO answered to a list call.
pub(super) enum Listing {
    /// What is kept is still right.
    NotModified,
    /// The whole set.
    Answered(Fetched),
}

/// The whole set of the accounts that were asked for.
pub(super) struct Fetched {
    /// Each account's connections as it sees them, in the order of the accounts; in no particular order themselves.
    pub(super) connections: Vec<Vec<SsoConnection>>,
    /// The set's validator, if SSO gave one.
    pub(super) etag: Option<HeaderValue>,
    /// How many bytes it had on the wire, its validator's and what its permissions take once read among them.
    pub(super) bytes: usize,
}

/// All pages of a list, as they came.
struct Answers {
    pages: Pages,
    etag: Option<HeaderValue>,
    bytes: usize,
}

/// How one walk through the pages ended, faults apart.
enum Walk {
    NotModified,
    Whole(Answers),
    Changed,
}

impl Client {
    pub(super) fn new(
        url: &Url,
        token: &SecretString,
        budget: Duration,
        circuit: Option<CircuitSettings>,
    ) -> Result<Self, SsoSetupError> {
        let http = HttpPool::new(HttpSettings::new(url, budget)?)?;
        Self::with_pool(url, token, budget, circuit, http)
    }

    /// For a pool that is made otherwise.
    pub(super) fn with_pool(
        url: &Url,
        token: &SecretString,
        budget: Duration,
        circuit: Option<CircuitSettings>,
        http: HttpPool,
    ) -> Result<Self, SsoSetupError> {
        let mut list_url = url.clone();
        list_url.path_segments_mut().map_err(|()| SsoSetupError::Url)?.pop_if_empty().push("network_connections");

        let caller = Caller::new(token, http)?;
        Ok(Self { caller, list_url, budget, circuit: Circuit::new(circuit) })
    }

    /// The accounts' whole set, or the news that what bears the `known` validator is still right. The accounts are in
    /// order, each once, and at most [`wire::MAX_ACCOUNTS`].
    pub(super) async fn list(
        &self,
        accounts: &[SsoId],
        known: Option<&HeaderValue>,
        request_id: &str,
    ) -> Result<Listing, SourceFailure> {
        let calls = self.caller.calls(&self.circuit, request_id, self.budget);
        let work = async {
            let Some(Answers { pages, etag, bytes }) = self.settled(&calls, accounts, known).await? else {
                return Ok((Listing::NotModified, "not_modified"));
            };
            let connections = pages.split(accounts)?;
            Ok((Listing::Answered(Fetched { connections, etag, bytes }), "ok"))
        };
        self.exchange(&calls, accounts, self.budget, work).await
    }

    /// How long an exchange may take, pages included.
    pub(super) fn budget(&self) -> Duration {
        self.budget
    }

    /// One connection as the account sees it; `None` when unknown, or when the account takes no part in it.
    pub(super) async fn connection(
        &self,
        id: SsoConnectionId,
        account: SsoId,
        request_id: &str,
        within: Duration,
    ) -> Result<Option<SsoConnection>, SourceFailure> {
        let calls = self.caller.calls(&self.circuit, request_id, within.min(self.budget));
        let work = async {
            let mut url = self.list_url.clone();
            // A base URL can hold a path (see `new`), so there is always one to add to.
            if let Ok(mut segments) = url.path_segments_mut() {
                segments.push(id.as_str());
            }
            let response = calls.get(url, None).await?;
            match response.status() {
                StatusCode::OK => {}
                StatusCode::NOT_FOUND => return Ok((None, "not_found")),
                _ => return Err(Fault::status(&response)),
            }
            let (connection, _): (NetworkConnection, _) = calls.read(response, PAGE_BYTES).await?;
            if connection.id != id {
                return Err(Fault::OtherConnection);
            }
            Ok((connection.seen_by(account), "ok"))
        };
        self.exchange(&calls, &[account], within, work).await
    }

    /// Holds the work to its time and the circuit, counts and times it by its outcome, and logs its failure.
    async fn exchange<T>(
        &self,
        calls: &Calls<'_>,
        accounts: &[SsoId],
        within: Duration,
        work: impl Future<Output = Result<(T, &'static str), Fault>>,
    ) -> Result<T, SourceFailure> {
        if within.is_zero() {
            return Err(SourceFailure::Timeout);
        }
        // That the circuit opened was logged when it did.
        let permit = self.circuit.permit().ok_or(SourceFailure::CircuitOpen)?;
        let started = Instant::now();
        let span = tracing::debug_span!(
            target: traces::TARGET,
            "SSO",
            otel.kind = "client",
            accounts = accounts.len(),
            sso.outcome = Empty
        );
        let work = timeout_at(started + within.min(self.budget), work).instrument(span.clone());
        let result = work.await.unwrap_or(Err(Fault::OutOfTime));
        metrics::histogram!("sso_request_duration_seconds").record(started.elapsed().as_secs_f64());
        let outcome = match &result {
            Ok((_, outcome)) => outcome,
            Err(fault) => fault.class().as_str(),
        };
        metrics::counter!("sso_requests_total", "outcome" => outcome).increment(1);
        if calls.has_retried() {
            metrics::counter!("sso_retries_total", "outcome" => outcome).increment(1);
        }
        span.record("sso.outcome", outcome);
        match &result {
            Ok(_) => permit.succeeded(),
            // The request had spent its budget on other exchanges, so that SSO was hardly asked, or another's large body was
            // in the way.
            Err(Fault::OutOfTime) if within < self.budget || calls.has_waited() => drop(permit),
            Err(fault) if fault.is_outage() => permit.failed(),
            // One answer's trouble says nothing of SSO as a whole, neither good nor bad.
            Err(_) => drop(permit),
        }
        result.map(|(value, _)| value).map_err(|fault| {
            tracing::warn!(
                sso.outcome = outcome,
                account.sso_id = accounts.first().map(tracing::field::display),
                accounts = accounts.len(),
                request.id = calls.request_id(),
                retried = calls.has_retried(),
                cause = %fault,
                detail = fault.detail(),
                "SSO could not be consulted"
            );
            fault.class()
        })
    }

    /// All pages of one and the same set: starts again, once, when the set changes meanwhile. `None`: not modified.
    async fn settled(
        &self,
        calls: &Calls<'_>,
        accounts: &[SsoId],
        known: Option<&HeaderValue>,
    ) -> Result<Option<Answers>, Fault> {
        for _ in 0..2 {
            match self.walk(calls, accounts, known).await? {
                Walk::NotModified => return Ok(None),
                Walk::Whole(answers) => return Ok(Some(answers)),
                Walk::Changed => {}
            }
        }
        Err(Fault::Unsettled)
    }

    /// One walk through the pages.
    async fn walk(&self, calls: &Calls<'_>, accounts: &[SsoId], known: Option<&HeaderValue>) -> Result<Walk, Fault> {
        let mut answers = Answers { pages: Pages::default(), etag: None, bytes: 0 };
        let mut cursor: Option<String> = None;
        loop {
            let condition = known.filter(|_| cursor.is_none());
            let response = calls.get(self.page_url(accounts, cursor.as_deref()), condition).await?;
            match response.status() {
                StatusCode::OK => {}
                StatusCode::NOT_MODIFIED if condition.is_some() => return Ok(Walk::NotModified),
                _ => return Err(Fault::status(&response)),
            }
            let etag = validator(response.headers());
            if cursor.is_none() {
                answers.bytes = etag.as_ref().map_or(0, HeaderValue::len);
                answers.etag = etag;
            } else if answers.etag != etag {
                return Ok(Walk::Changed);
            }
            let (page, bytes): (Page, _) = calls.read(response, PAGE_BYTES.min(LIST_BYTES - answers.bytes)).await?;
            answers.bytes += bytes + page.bytes_of_permissions();
            if answers.bytes > LIST_BYTES {
                return Err(Fault::TooLarge);
            }
            cursor = answers.pages.add(page)?;
            if cursor.is_none() {
                return Ok(Walk::Whole(answers));
            }
        }
    }

    fn page_url(&self, accounts: &[SsoId], cursor: Option<&str>) -> Url {
        let accounts: Vec<&str> = accounts.iter().map(SsoId::as_str).collect();
        let mut url = self.list_url.clone();
        url.query_pairs_mut()
            .append_pair("account_ids", &accounts.join(","))
            .append_pair("limit", &wire::PAGE_LIMIT.to_string())
            .extend_pairs(cursor.map(|cursor| ("cursor", cursor)));
        url
    }
}

/// The answer's `ETag`. `*` would match anything when sent back, and is no validator.
fn validator(headers: &HeaderMap) -> Option<HeaderValue> {
    let etag = headers.get(ETAG).filter(|etag| !matches!(etag.as_bytes(), b"" | b"*"))?;
    // Copied, since it is kept, and a clone would keep the whole buffer that it was read into.
    HeaderValue::from_bytes(etag.as_bytes()).ok()
}

//! The two calls to SSO, and what each way of failing is called. No redirects, no partial answers, bounded time and size.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use reqwest::header::{AUTHORIZATION, ETAG, HeaderValue, IF_NONE_MATCH};
use reqwest::redirect::Policy;
use reqwest::{Response, StatusCode};
use secrecy::ExposeSecret;
use url::Url;

use super::SsoSettings;
use super::wire::{NetworkConnection, Page};
use crate::domain::id::{SsoConnectionId, SsoId};
use crate::domain::sso_view::{SourceFailure, SsoConnection};

/// The largest page, in bytes.
const LARGEST_PAGE: usize = 16 * 1024 * 1024;
/// The largest list of one account, all its pages together.
const LARGEST_LIST: usize = 64 * 1024 * 1024;

/// The client cannot be set up.
#[derive(Debug, thiserror::Error)]
#[error("the SSO client cannot be set up")]
pub struct SsoSetupError(#[source] Box<dyn std::error::Error + Send + Sync>);

/// What the list call answered.
pub(super) enum ListAnswer {
    /// Nothing has changed since the ETag that was sent.
    Unchanged,
    /// The whole list.
    Listed {
        /// In no order.
        connections: Vec<SsoConnection>,
        /// To ask with next time.
        etag: Option<HeaderValue>,
    },
}

pub(super) struct Client {
    http: reqwest::Client,
    base: Url,
    authorization: HeaderValue,
    pub(super) budget: Duration,
}

type Result<T> = std::result::Result<T, SourceFailure>;

impl Client {
    pub(super) fn new(settings: SsoSettings) -> std::result::Result<Self, SsoSetupError> {
        // `main` has installed it already; tests have no `main`.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let SsoSettings { url: mut base, token, budget, max_age: _ } = settings;
        if !base.path().ends_with('/') {
            base.set_path(&format!("{}/", base.path()));
        }
        let bearer = format!("Bearer {}", token.expose_secret());
        let mut authorization = HeaderValue::from_str(&bearer).map_err(|error| SsoSetupError(error.into()))?;
        authorization.set_sensitive(true);
        let http = reqwest::Client::builder()
            .redirect(Policy::none())
            .no_proxy()
            .connect_timeout(budget)
            .pool_idle_timeout(Duration::from_secs(30))
            .build()
            .map_err(|error| SsoSetupError(error.into()))?;
        Ok(Self { http, base, authorization, budget })
    }

    /// Everything SSO lists for an account, all pages within one budget.
    pub(super) async fn list(
        &self,
        account: SsoId,
        etag: Option<&HeaderValue>,
        request_id: &str,
    ) -> Result<ListAnswer> {
        let start = Instant::now();
        let answer = self.within_budget(self.whole_list(account, etag, request_id)).await;
        let outcome = match &answer {
            Ok(ListAnswer::Listed { .. }) => "ok",
            Ok(ListAnswer::Unchanged) => "not_modified",
            Err(failure) => failure.as_str(),
        };
        record(outcome, start);
        if answer.is_err() {
            tracing::warn!(sso.outcome = outcome, account.sso_id = %account, "SSO could not tell an account's list");
        }
        answer
    }

    /// A single connection; `None`: SSO does not know it.
    pub(super) async fn single(&self, id: SsoConnectionId, request_id: &str) -> Result<Option<NetworkConnection>> {
        let start = Instant::now();
        let answer = self.within_budget(self.one(id, request_id)).await;
        let outcome = match &answer {
            Ok(Some(_)) => "ok",
            Ok(None) => "not_found",
            Err(failure) => failure.as_str(),
        };
        record(outcome, start);
        if answer.is_err() {
            tracing::warn!(sso.outcome = outcome, connection.id = %id, "SSO could not tell a connection");
        }
        answer
    }

    async fn within_budget<T>(&self, exchange: impl Future<Output = Result<T>>) -> Result<T> {
        tokio::time::timeout(self.budget, exchange).await.unwrap_or(Err(SourceFailure::Timeout))
    }

    async fn whole_list(&self, account: SsoId, etag: Option<&HeaderValue>, request_id: &str) -> Result<ListAnswer> {
        // A set that changes between two pages is read once more, then given up.
        for condition in [etag, None] {
            if let Some(answer) = self.all_pages(account, condition, request_id).await? {
                return Ok(answer);
            }
        }
        Err(SourceFailure::BadPayload)
    }

    /// `None`: the set changed between two pages.
    async fn all_pages(
        &self,
        account: SsoId,
        condition: Option<&HeaderValue>,
        request_id: &str,
    ) -> Result<Option<ListAnswer>> {
        let (mut connections, mut seen, mut size) = (Vec::new(), HashSet::new(), 0);
        let mut etag = None;
        let mut cursor: Option<String> = None;
        loop {
            let is_first = cursor.is_none();
            let mut url = self.url("network_connections")?;
            url.query_pairs_mut().append_pair("account_ids", account.as_str()).append_pair("limit", "500");
            if let Some(cursor) = &cursor {
                url.query_pairs_mut().append_pair("cursor", cursor);
            }
            let condition = condition.filter(|_| is_first);
            let response = self.get(url, condition, request_id).await?;
            match response.status() {
                StatusCode::OK => {}
                StatusCode::NOT_MODIFIED if condition.is_some() => return Ok(Some(ListAnswer::Unchanged)),
                _ => return Err(SourceFailure::BadStatus),
            }
            let page_etag = response.headers().get(ETAG).cloned();
            if is_first {
                etag = page_etag;
            } else if etag != page_etag {
                return Ok(None);
            }
            let body = read(response).await?;
            size += body.len();
            if size > LARGEST_LIST {
                return Err(SourceFailure::BadPayload);
            }
            let page: Page = serde_json::from_slice(&body).map_err(|_| SourceFailure::BadPayload)?;
            for listed in page.network_connections {
                if !seen.insert(listed.id) {
                    return Err(SourceFailure::BadPayload);
                }
                connections.push(listed.seen_by(account).ok_or(SourceFailure::BadPayload)?);
            }
            match page.next_cursor {
                Some(next) => cursor = Some(next),
                None => return Ok(Some(ListAnswer::Listed { connections, etag })),
            }
        }
    }

    async fn one(&self, id: SsoConnectionId, request_id: &str) -> Result<Option<NetworkConnection>> {
        let url = self.url(&format!("network_connections/{id}"))?;
        let response = self.get(url, None, request_id).await?;
        match response.status() {
            StatusCode::OK => {}
            StatusCode::NOT_FOUND => return Ok(None),
            _ => return Err(SourceFailure::BadStatus),
        }
        let body = read(response).await?;
        let connection: NetworkConnection = serde_json::from_slice(&body).map_err(|_| SourceFailure::BadPayload)?;
        if connection.id == id { Ok(Some(connection)) } else { Err(SourceFailure::BadPayload) }
    }

    fn url(&self, path: &str) -> Result<Url> {
        // The base was checked when the configuration was read; joining a relative path to it does not fail.
        self.base.join(path).map_err(|_| SourceFailure::ConnectFailed)
    }

    /// The one place through which each HTTP call passes.
    async fn get(&self, url: Url, etag: Option<&HeaderValue>, request_id: &str) -> Result<Response> {
        let mut request = self.http.get(url).header(AUTHORIZATION, self.authorization.clone());
        if !request_id.is_empty() {
            request = request.header("x-request-id", request_id);
        }
        if let Some(etag) = etag {
            request = request.header(IF_NONE_MATCH, etag.clone());
        }
        request.send().await.map_err(|error| failure(&error))
    }
}

/// The body, as long as it is no larger than a page may be.
async fn read(mut response: Response) -> Result<Vec<u8>> {
    let announced = response.content_length().unwrap_or(0);
    if announced > LARGEST_PAGE as u64 {
        return Err(SourceFailure::BadPayload);
    }
    let mut body = Vec::with_capacity(usize::try_from(announced).unwrap_or(0).min(64 * 1024));
    while let Some(chunk) = response.chunk().await.map_err(|error| failure(&error))? {
        if body.len() + chunk.len() > LARGEST_PAGE {
            return Err(SourceFailure::BadPayload);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

fn failure(error: &reqwest::Error) -> SourceFailure {
    if error.is_timeout() { SourceFailure::Timeout } else { SourceFailure::ConnectFailed }
}

fn record(outcome: &'static str, start: Instant) {
    metrics::counter!("sso_requests_total", "outcome" => outcome).increment(1);
    metrics::histogram!("sso_request_duration_seconds").record(start.elapsed());
}

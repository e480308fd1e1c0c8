//! One HTTP call to SSO: what is sent, how much of an answer is read, and the one retry that an exchange may have.
//!
//! Every call passes [`Calls::get`]. What the answers mean is for the client to say.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use backon::{ConstantBuilder, Retryable};
use http::header::{ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, CONTENT_ENCODING, IF_NONE_MATCH};
use reqwest::Response;
use reqwest::header::{HeaderMap, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;
use tokio::sync::{Mutex, MutexGuard};
use tokio::time::Instant;
use tower::retry::budget::{Budget, TpsBudget};
use url::Url;

use super::SsoSetupError;
use super::circuit::Circuit;
use super::fault::Fault;
use super::http_pool::HttpPool;
use super::wire;
use crate::telemetry::traces;

/// The most bytes that one page, or a single connection, may have.
pub(super) const PAGE_BYTES: usize = 16 * 1024 * 1024;

/// Bodies of more bytes than this are read one at a time, all into the same memory, so that it stays flat however many
/// accounts SSO floods at once. A full page has half of it.
const LARGE_BODY_BYTES: usize = 512 * 1024;

/// How long until a second try, at least; at most twice as long.
const PAUSE: Duration = Duration::from_millis(50);

/// Retries may add so much to the calls of the last ten seconds, and one a second where there are few calls.
const RETRY_SHARE: f32 = 0.1;

/// Makes HTTP calls.
pub(super) struct Caller {
    http: HttpPool,
    authorization: HeaderValue,
    retries: TpsBudget,
    /// Where a large body is read into.
    large_body: Mutex<Vec<u8>>,
}

/// The calls of one exchange.
pub(super) struct Calls<'a> {
    caller: &'a Caller,
    /// The same for all pages, so that they come from the same server where that can be.
    http: reqwest::Client,
    circuit: &'a Circuit,
    request_id: &'a str,
    /// What cannot be tried again before this is not: the rest of the time would be too little.
    last_retry: Instant,
    has_retried: AtomicBool,
    /// Whether one of them waited for what is not SSO's: the memory that another exchange read into.
    has_waited: AtomicBool,
}

impl Caller {
    pub(super) fn new(token: &SecretString, http: HttpPool) -> Result<Self, SsoSetupError> {
        let token = token.expose_secret();
        let mut authorization = HeaderValue::from_str(&format!("Bearer {token}")).map_err(|_| SsoSetupError::Token)?;
        authorization.set_sensitive(true);
        let retries = TpsBudget::new(Duration::from_secs(10), 1, RETRY_SHARE);
        Ok(Self { http, authorization, retries, large_body: Mutex::default() })
    }

    /// For an exchange that has so long from now.
    pub(super) fn calls<'a>(&'a self, circuit: &'a Circuit, request_id: &'a str, within: Duration) -> Calls<'a> {
        let last_retry = Instant::now() + within / 2;
        Calls {
            caller: self,
            http: self.http.client(),
            circuit,
            request_id,
            last_retry,
            has_retried: AtomicBool::new(false),
            has_waited: AtomicBool::new(false),
        }
    }
}

impl Calls<'_> {
    /// The answer's head; 5xx and 429 are faults already. Tried a second time, once an exchange, where that is worth it.
    pub(super) async fn get(&self, url: Url, condition: Option<&HeaderValue>) -> Result<Response, Fault> {
        self.caller.retries.deposit();
        let pause = ConstantBuilder::default().with_delay(PAUSE).with_jitter().with_max_times(1);
        let send = || self.send(url.clone(), condition);
        send.retry(pause).adjust(|fault, pause| self.pause_before_retry(fault, pause?)).await
    }

    /// The request that they are made for.
    pub(super) fn request_id(&self) -> &str {
        self.request_id
    }

    /// Whether one of the calls was tried again.
    pub(super) fn has_retried(&self) -> bool {
        self.has_retried.load(Ordering::Relaxed)
    }

    /// Whether one of them waited for what is not SSO's.
    pub(super) fn has_waited(&self) -> bool {
        self.has_waited.load(Ordering::Relaxed)
    }

    /// How long to wait before the call is tried again; `None`: it is not worth it, or would add to SSO's trouble.
    fn pause_before_retry(&self, fault: &Fault, pause: Duration) -> Option<Duration> {
        let pause = pause.max(fault.retry_after()?);
        let is_in_time = Instant::now().checked_add(pause).is_some_and(|then| then <= self.last_retry);
        // In this order, since what is claimed or withdrawn is spent.
        let may_retry =
            is_in_time && !self.has_retried() && self.circuit.claim_retry() && self.caller.retries.withdraw();
        if may_retry {
            self.has_retried.store(true, Ordering::Relaxed);
        }
        may_retry.then_some(pause)
    }

    async fn send(&self, url: Url, condition: Option<&HeaderValue>) -> Result<Response, Fault> {
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, self.caller.authorization.clone());
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        // Without it any encoding would do, and one that unpacks to gigabytes too.
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        if let Ok(request_id) = HeaderValue::from_str(self.request_id) {
            headers.insert("x-request-id", request_id);
        }
        if let Some(etag) = condition {
            headers.insert(IF_NONE_MATCH, etag.clone());
        }
        traces::propagate(&mut headers);
        let sent = self.http.get(url).headers(headers).send().await;
        let response = sent.map_err(|error| Fault::Transport(error.without_url()))?;
        if Fault::is_trouble(response.status()) { Err(Fault::status(&response)) } else { Ok(response) }
    }

    /// The body, whole, as what it should be, unless it is larger than the limit; and how many bytes it had.
    pub(super) async fn read<T: DeserializeOwned>(
        &self,
        mut response: Response,
        limit: usize,
    ) -> Result<(T, usize), Fault> {
        let encoding = response.headers().get(CONTENT_ENCODING);
        if encoding.is_some_and(|encoding| !encoding.as_bytes().eq_ignore_ascii_case(b"identity")) {
            return Err(Fault::Encoded);
        }
        let declared = response.content_length().unwrap_or(0);
        let declared = usize::try_from(declared).ok().filter(|length| *length <= limit).ok_or(Fault::TooLarge)?;
        let mut own = Vec::with_capacity(declared.min(LARGE_BODY_BYTES));
        let mut shared: Option<MutexGuard<'_, Vec<u8>>> = None;
        while let Some(chunk) = response.chunk().await.map_err(|error| Fault::Transport(error.without_url()))? {
            if shared.is_none() && own.len() + chunk.len() > LARGE_BODY_BYTES {
                let mut large = if let Ok(large) = self.caller.large_body.try_lock() {
                    large
                } else {
                    self.has_waited.store(true, Ordering::Relaxed);
                    self.caller.large_body.lock().await
                };
                large.clear();
                // At once, since growing by doubling takes twice as much. What was never written takes no memory.
                large.reserve_exact(PAGE_BYTES);
                large.append(&mut own);
                shared = Some(large);
            }
            let body = shared.as_deref_mut().unwrap_or(&mut own);
            if body.len() + chunk.len() > limit {
                return Err(Fault::TooLarge);
            }
            body.extend_from_slice(&chunk);
        }
        let body = shared.as_deref().unwrap_or(&own);
        let value = wire::read(body).map_err(Fault::Unreadable)?;
        Ok((value, body.len()))
    }
}

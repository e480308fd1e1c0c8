//! Requests of every kind, and whether their answers may be so.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::body::Bytes;
use rand::Rng;
use rand::seq::IndexedRandom;
use reqwest::RequestBuilder;
use reqwest::header::HeaderMap;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use super::figures::Figures;
use super::past::Span;
use super::trouble::Log;
use super::{Account, Pace};
use crate::support::careful::Asked;
use crate::support::projection::{NESTED, everything, rest_entry};
use crate::support::{client, http_2_client};

const REPAIR: &str = "mutation Repair($id: ObjectID!) { repairConnection(input: {connectionId: $id}) { outcome \
    partnership { localId } userErrors { code } } }";

const UNKNOWN: &str = "0123456789abcdef01234567";

/// No request may take longer: the database's and SSO's patience, and room for a busy machine.
const LONGEST: Duration = Duration::from_secs(10);

/// The largest answer to a document that is refused.
const LARGEST_REFUSAL: usize = 8 * 1024;

pub struct Clients {
    pub address: SocketAddr,
    http: [reqwest::Client; 2],
    pub accounts: Arc<Vec<Account>>,
    pub log: Arc<Log>,
    pub figures: Figures,
    pub pace: Pace,
    pub started: Instant,
    kept: Mutex<HashMap<usize, Kept>>,
}

/// The last whole list of an account, with its validator.
type Kept = (String, Arc<Vec<Value>>);

/// An answer and when it came.
struct Reply {
    span: Span,
    status: u16,
    headers: HeaderMap,
    body: Bytes,
}

impl Reply {
    fn is_degraded(&self) -> bool {
        self.headers.get("x-connections-degraded").is_some_and(|value| value == "true")
    }

    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}

/// What came of a request, in a word, or what is wrong with it.
type Outcome = Result<&'static str, String>;

impl Clients {
    pub fn new(address: SocketAddr, accounts: Arc<Vec<Account>>, log: Arc<Log>, pace: Pace) -> Self {
        // So that descriptors tell of the load of the moment.
        let http_1 = client().http1_only().pool_max_idle_per_host(8).build().unwrap();
        let http = [http_1, http_2_client()];
        let (figures, started, kept) = (Figures::default(), Instant::now(), Mutex::default());
        Self { address, http, accounts, log, figures, pace, started, kept }
    }

    /// One request of any kind, and the judgement of its answer.
    pub async fn ask(&self) {
        let (number, dice) = (rand::rng().random_range(0..self.accounts.len()), rand::rng().random_range(0..100));
        let (kind, outcome) = match dice {
            0..20 => ("list", self.list(number).await),
            20..40 => ("list, conditional", self.conditional(number).await),
            40..55 => ("by id", self.by_id(number).await),
            55..72 => ("graphql list", self.graphql_list(number).await),
            72..82 => ("graphql nodes", self.nodes(number).await),
            82..88 => ("repair", self.repair(number).await),
            88..91 => ("repair by graphql", self.repair_by_graphql(number).await),
            91..94 => ("health", self.health().await),
            94 => ("metrics", self.metrics().await),
            95 => ("bad key", self.bad_key().await),
            96..98 => ("hostile", self.hostile(number).await),
            _ => ("hung up", self.hang_up(number).await),
        };
        match outcome {
            Ok(outcome) => self.figures.outcome(kind, outcome),
            Err(why) => {
                self.figures.outcome(kind, "WRONG");
                self.figures.wrong(&format!("{kind} after {:?}: {why}", self.started.elapsed()));
            }
        }
    }

    async fn send(&self, request: impl FnOnce(&reqwest::Client, String) -> RequestBuilder) -> Result<Reply, String> {
        let client = self.http.choose(&mut rand::rng()).unwrap();
        let request = request(client, format!("http://{}", self.address)).timeout(LONGEST);
        let sent = Instant::now();
        let response = request.send().await.map_err(|error| format!("no answer: {error:?}"))?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let body = response.bytes().await.map_err(|error| format!("no whole answer: {error:?}"))?;
        let span = Span { sent, come: Instant::now() };
        let recovery = self.pace.recovery_of_sso;
        if !self.log.sso.touches(span, recovery) && !self.log.database.touches(span, recovery) {
            self.figures.time(span.come - sent);
        }
        Ok(Reply { span, status, headers, body })
    }

    async fn get(&self, account: &Account, path: &str) -> Result<Reply, String> {
        self.send(|client, url| client.get(url + path).bearer_auth(&account.key)).await
    }

    async fn post(&self, account: &Account, path: &str, body: &Value) -> Result<Reply, String> {
        let body = body.to_string();
        let json = "application/json";
        self.send(|client, url| {
            client.post(url + path).bearer_auth(&account.key).header("content-type", json).body(body)
        })
        .await
    }

    /// Data without errors; nothing if the database had trouble.
    fn data(&self, reply: &Reply) -> Result<Option<Value>, String> {
        let mut body = reply.json();
        let errors = body["errors"].as_array().cloned().unwrap_or_default();
        let are_excused = errors.iter().all(|error| error["extensions"]["code"] == "UNAVAILABLE");
        if !errors.is_empty() && are_excused {
            return self.is_unavailable(reply).map(|()| None);
        }
        let is_right = reply.status == 200 && errors.is_empty();
        if is_right { Ok(Some(body["data"].take())) } else { Err(format!("{} {body}", reply.status)) }
    }

    /// Whether 503 may be the answer to what reads.
    fn is_unavailable(&self, reply: &Reply) -> Result<(), String> {
        let is_excused =
            self.pace.database_may_be_gone && self.log.database.touches(reply.span, self.pace.recovery_of_database);
        if is_excused { Ok(()) } else { Err(format!("{} without need: {:?}", reply.status, reply.body)) }
    }

    /// Whether the list may be degraded, or may be whole.
    fn check_degraded(&self, span: Span, is_degraded: bool) -> Result<(), String> {
        if is_degraded && !self.log.sso.touches(span, self.pace.recovery_of_sso) {
            return Err("degraded without need".to_owned());
        }
        // What SSO said before may be believed for a second.
        if !is_degraded && self.log.sso_is_gone.covers(span, Duration::from_millis(1_500)) {
            return Err("whole, though SSO is gone".to_owned());
        }
        Ok(())
    }

    fn rest_list(&self, account: &Account, reply: &Reply) -> Result<Option<Vec<Value>>, String> {
        match reply.status {
            200 => {}
            503 => return self.is_unavailable(reply).map(|()| None),
            other => return Err(format!("{other} {:?}", reply.body)),
        }
        self.check_degraded(reply.span, reply.is_degraded())?;
        let Value::Array(list) = reply.json() else { return Err(format!("no list: {:?}", reply.body)) };
        account.oracle.check_list(&list, reply.is_degraded(), true, reply.span)?;
        Ok(Some(list))
    }

    async fn list(&self, number: usize) -> Outcome {
        let account = &self.accounts[number];
        let reply = self.get(account, "/connections").await?;
        let Some(list) = self.rest_list(account, &reply)? else { return Ok("503") };
        match (reply.is_degraded(), reply.headers.get("etag")) {
            (false, Some(etag)) => {
                let etag = etag.to_str().unwrap().to_owned();
                self.kept.lock().unwrap().insert(number, (etag, Arc::new(list)));
                Ok("whole")
            }
            (true, None) if reply.headers["cache-control"] == "no-store" => Ok("degraded"),
            _ => Err(format!("{:?}", reply.headers)),
        }
    }

    async fn conditional(&self, number: usize) -> Outcome {
        let account = &self.accounts[number];
        let kept = self.kept.lock().unwrap().get(&number).cloned();
        let Some((etag, kept)) = kept else { return self.list(number).await };
        let request = |client: &reqwest::Client, url: String| {
            client.get(url + "/connections").bearer_auth(&account.key).header("if-none-match", &etag)
        };
        let reply = self.send(request).await?;
        if reply.status == 304 {
            account.oracle.check_list(&kept, false, true, reply.span)?;
            return Ok("304");
        }
        Ok(if self.rest_list(account, &reply)?.is_none() { "503" } else { "changed" })
    }

    async fn by_id(&self, number: usize) -> Outcome {
        let account = &self.accounts[number];
        let id = match rand::rng().random_range(0..10) {
            0 => UNKNOWN.to_owned(),
            1 => account.repairable.choose(&mut rand::rng()).unwrap().clone(),
            2 => account.ids.choose(&mut rand::rng()).unwrap().0.clone(),
            _ => account.oracle.history.any_row(),
        };
        let reply = self.get(account, &format!("/connections/{id}")).await?;
        match reply.status {
            200 => account.oracle.check_single(&id, Some(&reply.json()), reply.span).map(|()| "200"),
            404 => account.oracle.check_single(&id, None, reply.span).map(|()| "404"),
            503 => self.is_unavailable(&reply).map(|()| "503"),
            other => Err(format!("{other} {:?}", reply.body)),
        }
    }

    async fn graphql_list(&self, number: usize) -> Outcome {
        let account = &self.accounts[number];
        let first = *[5, 50, 1_000].choose(&mut rand::rng()).unwrap();
        let asked = json!({"query": NESTED, "variables": {"first": first}});
        let reply = self.post(account, "/graphql", &asked).await?;
        let Some(data) = self.data(&reply)? else { return Ok("UNAVAILABLE") };
        let list = &data["connections"];
        let is_degraded = list["degraded"] == true;
        self.check_degraded(reply.span, is_degraded)?;
        let entries: Vec<Value> = list["nodes"].as_array().unwrap().iter().map(rest_entry).collect();
        let is_whole = list["pageInfo"]["hasNextPage"] == false;
        if is_degraded != reply.is_degraded() || entries.len() > first || (!is_whole && entries.len() < first) {
            return Err(format!("{} of {first}, {is_degraded} {:?}", entries.len(), reply.headers));
        }
        account.oracle.check_list(&entries, is_degraded, is_whole, reply.span)?;
        if is_whole && list["totalCount"] != json!(entries.len()) {
            return Err(format!("{} of {}", entries.len(), list["totalCount"]));
        }
        Ok(if is_degraded { "degraded" } else { "whole" })
    }

    async fn nodes(&self, number: usize) -> Outcome {
        let account = &self.accounts[number];
        let asked: Vec<_> = (0..5).map(|_| account.ids.choose(&mut rand::rng()).unwrap()).collect();
        let mut ids: Vec<&str> = asked.iter().map(|(_, global)| global.as_str()).collect();
        ids.push("Tm90aGluZzo1");
        let query = format!("query Nodes($ids: [ID!]!) {{ nodes(ids: $ids) {{ ...Everything }} }} {}", everything());
        let reply = self.post(account, "/graphql", &json!({"query": query, "variables": {"ids": ids}})).await?;
        let Some(data) = self.data(&reply)? else { return Ok("UNAVAILABLE") };
        let nodes = data["nodes"].as_array().unwrap();
        self.check_degraded(reply.span, reply.is_degraded())?;
        for ((id, _), node) in asked.iter().zip(nodes) {
            let entry = (!node.is_null()).then(|| rest_entry(node));
            account.oracle.check_one(id, entry.as_ref(), reply.is_degraded(), reply.span)?;
        }
        if nodes.len() != 6 || !nodes[5].is_null() {
            return Err(format!("not nothing: {}", nodes[5]));
        }
        Ok(if reply.is_degraded() { "degraded" } else { "whole" })
    }

    /// One whose time has come: again and again, since most are repaired already.
    fn repairable<'a>(&self, account: &'a Account) -> &'a str {
        if rand::rng().random_bool(0.1) {
            return UNKNOWN;
        }
        let part = self.started.elapsed().as_secs_f64() / self.pace.duration.as_secs_f64();
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "small"
        )]
        let released = ((account.repairable.len() as f64 * part) as usize).clamp(1, account.repairable.len());
        account.repairable[..released].choose(&mut rand::rng()).unwrap()
    }

    /// Whether a repair may be told to come again.
    fn is_refused(&self, reply: &Reply) -> Outcome {
        let sso = self.log.sso.touches(reply.span, self.pace.recovery_of_sso);
        let database = self.log.database.touches(reply.span, self.pace.recovery_of_database);
        if sso || database { Ok("503") } else { Err(format!("refused without need: {:?}", reply.body)) }
    }

    async fn repair(&self, number: usize) -> Outcome {
        let account = &self.accounts[number];
        let id = self.repairable(account);
        account.oracle.repairs.begins(id);
        let reply = self.post(account, "/connections", &json!({"connection_id": id})).await?;
        let is_known = id != UNKNOWN;
        match reply.status {
            201 if is_known => account.oracle.repairs.is_known(id, reply.json()["id"].as_str()).map(|()| "201"),
            409 if is_known => account.oracle.repairs.is_known(id, None).map(|()| "409"),
            422 if !is_known => Ok("422"),
            503 => self.is_refused(&reply),
            other => Err(format!("{id}: {other} {:?}", reply.body)),
        }
    }

    async fn repair_by_graphql(&self, number: usize) -> Outcome {
        let account = &self.accounts[number];
        let id = self.repairable(account);
        account.oracle.repairs.begins(id);
        let reply = self.post(account, "/graphql", &json!({"query": REPAIR, "variables": {"id": id}})).await?;
        let body = reply.json();
        if body["errors"][0]["extensions"]["code"] == "UNAVAILABLE" {
            return self.is_refused(&reply);
        }
        let payload = &body["data"]["repairConnection"];
        let code = payload["userErrors"][0]["code"].as_str();
        match (payload["outcome"].as_str(), code) {
            (Some("CREATED"), None) => {
                account.oracle.repairs.is_known(id, payload["partnership"]["localId"].as_str()).map(|()| "201")
            }
            (None, Some("ALREADY_EXISTS")) => account.oracle.repairs.is_known(id, None).map(|()| "409"),
            (None, Some("SSO_CONNECTION_NOT_FOUND")) if id == UNKNOWN => Ok("422"),
            (None, Some("SSO_UNAVAILABLE")) => self.is_refused(&reply),
            _ => Err(format!("{} {body}", reply.status)),
        }
    }

    async fn health(&self) -> Outcome {
        let live = self.send(|client, url| client.get(url + "/livez")).await?;
        let ready = self.send(|client, url| client.get(url + "/readyz")).await?;
        match (live.status, ready.status) {
            (200, 200) => Ok("ready"),
            (200, 503) => self.is_unavailable(&ready).map(|()| "not ready"),
            other => Err(format!("{other:?}")),
        }
    }

    async fn metrics(&self) -> Outcome {
        let reply = self.send(|client, url| client.get(url + "/metrics")).await?;
        let is_right = reply.status == 200 && String::from_utf8_lossy(&reply.body).contains("http_requests_total{");
        if is_right { Ok("200") } else { Err(format!("{} {:?}", reply.status, reply.body)) }
    }

    async fn bad_key(&self) -> Outcome {
        let reply = self.send(|client, url| client.get(url + "/connections").bearer_auth("lck_guess")).await?;
        match reply.status {
            401 => Ok("401"),
            429 => Ok("429"),
            503 => self.is_unavailable(&reply).map(|()| "503"),
            other => Err(format!("{other} {:?}", reply.body)),
        }
    }

    async fn hostile(&self, number: usize) -> Outcome {
        let deep = format!("{{ {} id {} }}", "viewer { account { ".repeat(40), "} }".repeat(40));
        let wide: Vec<_> = (0..400).map(|alias| format!("a{alias}: connections {{ totalCount }} ")).collect();
        let bomb: String = (0..24)
            .map(|level| format!("fragment F{level} on Query {{ ...F{0} ...F{0} }} ", level + 1))
            .chain(["fragment F24 on Query { __typename }".to_owned()])
            .collect();
        let documents = [deep, format!("{{ {} }}", wide.concat()), format!("{{ ...F0 }} {bomb}")];
        let document = documents.choose(&mut rand::rng()).unwrap();
        let reply = self.post(&self.accounts[number], "/graphql", &json!({"query": document})).await?;
        let body = reply.json();
        if reply.status == 503 {
            return self.is_unavailable(&reply).map(|()| "503");
        }
        let is_refused = body["errors"].is_array() && body["data"].is_null() && reply.status < 500;
        if is_refused && reply.body.len() <= LARGEST_REFUSAL {
            Ok("refused")
        } else {
            Err(format!("{} {body}", reply.status))
        }
    }

    /// Goes away, at any byte of a request.
    async fn hang_up(&self, number: usize) -> Outcome {
        let key = self.accounts[number].key.clone();
        let (method, path) = ("POST", "/graphql".to_owned());
        let body = Some(json!({"query": NESTED, "variables": {"first": 50}}));
        let bytes =
            Asked { method, path, key, request_id: "hung-up".to_owned(), body: body.map(|body| body.to_string()) }
                .bytes();
        let part = rand::rng().random_range(0..=bytes.len());
        let mut stream = TcpStream::connect(self.address).await.map_err(|error| error.to_string())?;
        stream.write_all(&bytes[..part]).await.map_err(|error| error.to_string())?;
        if rand::random() {
            stream.set_zero_linger().unwrap();
        }
        Ok("gone")
    }
}

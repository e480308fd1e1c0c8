//! The production router over a fresh database and a simulated SSO, both on real sockets, and clients for it.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use http_server::{DEFAULT_RESPONSE_MEMORY_KIB, ServerSettings, Shutdown, ShutdownSettings, Timeouts};
use lc_connections::app::{App, AppSettings};
use lc_connections::clock::Clock;
use lc_connections::domain::timestamp::Timestamp;
use lc_connections::front::body::LARGEST_BODY;
use lc_connections::graphql::document::Limits;
use lc_connections::graphql::handler::Endpoint;
use lc_connections::http::refusals::response_memory_exceeded;
use lc_connections::http::router::{RouterOptions, router};
use lc_connections::http::{health, metrics};
use lc_connections::service::api_key::ApiKey;
pub use lc_connections::sso::simulator::Scenario;
use lc_connections::sso::simulator::{Simulator, parse_data};
use lc_connections::sso::{Sso, SsoSettings};
use lc_connections::store::{NewKey, Store};
use lc_connections::telemetry::Metrics;
use reqwest::header::HeaderMap;
use secrecy::SecretString;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::databases::Database;
use super::plain_client;
use super::world::{Account, World};

/// The simulated SSO. Its pages are small, so that small worlds have several.
#[derive(Clone)]
pub struct TestSso(Simulator);

impl TestSso {
    pub fn replace(&self, listed: &[Value]) {
        self.replace_text(&json!(listed).to_string());
    }

    /// With the text of a data file.
    pub fn replace_text(&self, listed: &str) {
        self.0.replace(parse_data(listed).unwrap());
    }

    pub fn set(&self, scenario: Scenario) {
        self.0.set_scenario(scenario);
    }

    pub fn set_page_size(&self, size: usize) {
        self.0.set_page_size(size);
    }

    pub fn list_calls(&self) -> u64 {
        self.0.calls().list
    }

    pub fn single_calls(&self) -> u64 {
        self.0.calls().single
    }
}

/// An answer, read whole.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Value,
}

impl Answer {
    pub fn is_degraded(&self) -> bool {
        self.headers.get("x-connections-degraded").is_some_and(|value| value == "true")
    }
}

/// A running application, and a key to call it with.
#[derive(Clone)]
pub struct TestApp {
    pub url: String,
    pub store: Store,
    pub clock: Clock,
    pub simulator: TestSso,
    pub client: reqwest::Client,
    pub key: Option<String>,
    /// Ends the servers when the last clone goes.
    _servers: Arc<Vec<Server>>,
}

struct Server(tokio::task::JoinHandle<()>);

impl Drop for Server {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Pages of this size make small worlds have several.
pub const SSO_PAGE_SIZE: usize = 3;

/// What the program has by default.
pub fn settings() -> AppSettings {
    AppSettings {
        max_page_size: 100,
        introspection: true,
        max_concurrent_requests: 128,
        rate_limit_per_second: 0,
        trusted_proxies: Arc::new([]),
    }
}

/// What a test may want otherwise.
pub struct Setup {
    /// How old SSO's list may be; 0: every request asks.
    pub max_age: Duration,
    /// How long SSO may take.
    pub budget: Duration,
    /// Where SSO is, if it is not the simulator.
    pub sso: Option<String>,
    pub settings: AppSettings,
    pub options: RouterOptions,
    /// How long clients may take.
    pub timeouts: Timeouts,
    /// What a defect would be, which the production routes do not have.
    pub more_routes: Router,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            max_age: Duration::ZERO,
            // Wide, since many tests share two cores.
            budget: Duration::from_secs(10),
            sso: None,
            settings: settings(),
            options: RouterOptions::default(),
            timeouts: Timeouts::default(),
            more_routes: Router::new(),
        }
    }
}

impl TestApp {
    /// Every request asks SSO.
    pub async fn start(database: &Database) -> Self {
        Self::start_with(database, Setup::default()).await
    }

    /// In a world of so many connections of its caller's, and called by that one.
    pub async fn in_world(database: &Database, connections: usize) -> (Self, World) {
        let world = World::with_connections(connections);
        (Self::start(database).await.enter(database, &world).await, world)
    }

    /// Like [`Self::in_world`], as a superuser.
    pub async fn in_world_as_superuser(database: &Database, connections: usize) -> (Self, World) {
        let world = World::with_connections(connections);
        (Self::start(database).await.enter_as_superuser(database, &world).await, world)
    }

    /// With other ways than the usual ones.
    pub async fn start_with(database: &Database, setup: Setup) -> Self {
        let Setup { max_age, budget, sso, settings, options, timeouts, more_routes } = setup;
        let simulator = Simulator::new(Vec::new());
        simulator.set_page_size(SSO_PAGE_SIZE);
        let sso_listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let sso_url = sso.unwrap_or(format!("http://{}/", sso_listener.local_addr().unwrap()));
        let sso_router = simulator.router();
        let sso_server = tokio::spawn(async move { axum::serve(sso_listener, sso_router).await.unwrap() });

        let clock = Clock::default();
        let sso_settings = SsoSettings {
            url: sso_url.parse().unwrap(),
            token: SecretString::from("test-token"),
            budget,
            max_age,
            circuit: None,
        };
        let sso = Sso::new(sso_settings, clock.clone()).unwrap();
        let store = database.store().await;
        let app = App::new(&store, sso, &clock, settings);
        let readiness = health::Readiness::new(store.clone(), Shutdown::new());
        let counted = metrics::routes(Metrics::install().unwrap(), store.clone());
        let operations = health::routes(readiness).merge(counted).merge(more_routes);
        let router = router(&app, Endpoint::new(app.clone(), Limits::default()).unwrap(), operations, options);
        let listener = http_server::listen("127.0.0.1:0".parse().unwrap()).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let shutdown = ShutdownSettings { delay: Duration::ZERO, timeout: Duration::from_secs(1) };
        let server_settings = ServerSettings {
            timeouts,
            max_connections: 1_000,
            max_request_body: LARGEST_BODY,
            max_response_memory_kib: DEFAULT_RESPONSE_MEMORY_KIB,
            response_memory_exceeded,
            shutdown,
        };
        let serving = http_server::serve(listener, router, server_settings, Shutdown::new());
        let server = tokio::spawn(async move { serving.await.unwrap() });
        Self {
            url,
            store,
            clock,
            simulator: TestSso(simulator),
            client: plain_client(),
            key: None,
            _servers: Arc::new(vec![Server(sso_server), Server(server)]),
        }
    }

    /// Puts a world into the database and into SSO. The same application, called by the world's caller.
    pub async fn enter(&self, database: &Database, world: &World) -> Self {
        self.put(database, world).await;
        self.become_caller(world.caller()).await
    }

    /// Like [`Self::enter`], as a superuser.
    pub async fn enter_as_superuser(&self, database: &Database, world: &World) -> Self {
        self.put(database, world).await;
        self.become_superuser(world.caller()).await
    }

    async fn put(&self, database: &Database, world: &World) {
        database.execute(&world.sql()).await;
        self.simulator.replace(&world.listed);
    }

    /// The same application, called with a new key of the account.
    pub async fn become_caller(&self, account: &Account) -> Self {
        self.with_new_key(account, None).await
    }

    /// The same application, called with a new superuser's key of the account.
    pub async fn become_superuser(&self, account: &Account) -> Self {
        self.with_new_key(account, Some("staff@example.com")).await
    }

    /// The same application, called without a key.
    pub fn without_key(&self) -> Self {
        Self { key: None, ..self.clone() }
    }

    /// The same application, called with this key, which may be none.
    pub fn with_key(&self, key: &str) -> Self {
        Self { key: Some(key.to_owned()), ..self.clone() }
    }

    /// Another server, called with the same key.
    pub fn at(&self, url: &str) -> Self {
        Self { url: url.to_owned(), ..self.clone() }
    }

    async fn with_new_key(&self, account: &Account, superuser: Option<&str>) -> Self {
        let key = ApiKey::random();
        let new_key = NewKey {
            id: lc_connections::service::new_id::NewIds::new().next(Timestamp::EPOCH).into(),
            account: account.id.parse().unwrap(),
            hash: key.hash(),
            user_email: superuser.map(Into::into),
            is_superuser: superuser.is_some(),
            created_at: self.clock.now(),
            expires_at: None,
        };
        self.store.insert_key(&new_key).await.unwrap();
        self.with_key(key.reveal())
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send(self.client.get(format!("{}{path}", self.url))).await
    }

    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        self.post_text(path, "application/json", &body.to_string()).await
    }

    pub async fn post_text(&self, path: &str, content_type: &str, body: &str) -> Answer {
        let request = self.client.post(format!("{}{path}", self.url));
        self.send(request.header("content-type", content_type).body(body.to_owned())).await
    }

    pub async fn graphql(&self, query: &str, variables: &Value) -> Answer {
        self.post("/graphql", &json!({"query": query, "variables": variables})).await
    }

    /// The body's text, for JSON that no `Value` can represent.
    pub async fn get_text(&self, path: &str) -> String {
        self.text_of(self.client.get(format!("{}{path}", self.url))).await
    }

    /// Like [`Self::get_text`].
    pub async fn graphql_text(&self, query: &str, variables: &Value) -> String {
        let request = self.client.post(format!("{}/graphql", self.url)).header("content-type", "application/json");
        self.text_of(request.body(json!({"query": query, "variables": variables}).to_string())).await
    }

    async fn text_of(&self, request: reqwest::RequestBuilder) -> String {
        let response = self.with_credentials(request).send().await.unwrap();
        assert_eq!(response.status(), 200);
        String::from_utf8(response.bytes().await.unwrap().into()).unwrap()
    }

    fn with_credentials(&self, request: reqwest::RequestBuilder) -> reqwest::RequestBuilder {
        match &self.key {
            Some(key) => request.basic_auth("ignored", Some(key)),
            None => request,
        }
    }

    /// Sends with this caller's key.
    pub async fn send(&self, request: reqwest::RequestBuilder) -> Answer {
        let response = self.with_credentials(request).send().await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let body = response.bytes().await.unwrap();
        Answer { status, headers, body: serde_json::from_slice(&body).unwrap_or(Value::Null) }
    }
}

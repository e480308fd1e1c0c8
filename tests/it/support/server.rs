//! The real binary as a server that may be killed and started again, always at the same port, and a client of it.

use std::fs::File;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use lc_connections::sso::simulator::{Simulator, parse_data};
use serde_json::{Value, json};

use super::app::Answer;
use super::binary::{Running, executable, free_port, superuser_key, wait_until_ready};
use super::databases::Database;
use super::plain_client;
use super::world::World;

/// Not started yet, running, or killed.
pub struct Server {
    pub url: String,
    port: u16,
    /// What runs the program: its own name comes behind.
    through: Vec<String>,
    variables: Vec<(&'static str, String)>,
    log: Option<PathBuf>,
    running: Option<Running>,
}

impl Server {
    pub fn new(database: &str, sso: &str) -> Self {
        let port = free_port();
        let variables = vec![
            ("DATABASE_URL", database.to_owned()),
            ("SSO_URL", sso.to_owned()),
            ("SSO_TOKEN", "token".to_owned()),
            ("LISTEN", format!("127.0.0.1:{port}")),
            ("RUST_LOG", "warn".to_owned()),
        ];
        Self { url: format!("http://127.0.0.1:{port}"), port, through: vec![], variables, log: None, running: None }
    }

    /// Run by other programs.
    pub fn through(mut self, programs: &[&str]) -> Self {
        self.through = programs.iter().map(ToString::to_string).collect();
        self
    }

    /// With a setting of its own.
    pub fn with(mut self, name: &'static str, value: &str) -> Self {
        self.variables.push((name, value.to_owned()));
        self
    }

    /// Logging in JSON, a line for each request, to this file, which goes on where it ended.
    pub fn logging_to(mut self, path: &Path) -> Self {
        self.log = Some(path.to_owned());
        self.with("RUST_LOG", "info").with("LOG_FORMAT", "json")
    }

    /// Starts it, and waits until it is ready.
    pub async fn start(&mut self) {
        let executable = executable();
        let name = executable.to_str().unwrap();
        let mut words = self.through.iter().map(String::as_str).chain([name, "serve"]);
        let mut command = Command::new(words.next().unwrap());
        command.args(words).env_clear().envs(self.variables.iter().map(|(name, value)| (name, value)));
        // What runs the program is found by it.
        command.env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin").stdin(Stdio::null());
        command.stderr(
            self.log
                .as_ref()
                .map_or_else(Stdio::null, |path| File::options().create(true).append(true).open(path).unwrap().into()),
        );
        self.running = Some(Running(command.spawn().unwrap()));
        let port = self.port;
        tokio::task::spawn_blocking(move || wait_until_ready(port)).await.unwrap();
    }

    pub fn address(&self) -> SocketAddr {
        ([127, 0, 0, 1], self.port).into()
    }

    pub fn running(&self) -> &Running {
        self.running.as_ref().unwrap()
    }

    pub fn pid(&self) -> u32 {
        self.running().0.id()
    }

    /// Waits until it has ended, as it was told to, and gives its exit code.
    pub async fn ends(&mut self, limit: Duration) -> Option<i32> {
        let mut running = self.running.take().unwrap();
        tokio::task::spawn_blocking(move || running.wait_for_end(limit)).await.unwrap()
    }

    /// `kill -9`.
    pub fn kill(&mut self) {
        drop(self.running.take());
    }
}

/// A caller by its key. The server may be gone at any time.
#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::Client,
    url: String,
    key: String,
}

impl Client {
    pub fn of(server: &Server, key: &str) -> Self {
        Self { http: plain_client(), url: server.url.clone(), key: key.to_owned() }
    }

    /// `None`: there was no answer, or no whole one.
    pub async fn get(&self, path: &str) -> Option<Answer> {
        self.send(self.http.get(format!("{}{path}", self.url))).await
    }

    pub async fn post(&self, path: &str, request_id: &str, body: &Value) -> Option<Answer> {
        let request = self.http.post(format!("{}{path}", self.url)).header("x-request-id", request_id);
        self.send(request.header("content-type", "application/json").body(body.to_string())).await
    }

    /// Repairs by REST.
    pub async fn repair(&self, id: &str) -> Answer {
        self.post("/connections", "test", &json!({"connection_id": id})).await.unwrap()
    }

    async fn send(&self, request: reqwest::RequestBuilder) -> Option<Answer> {
        let response = request.basic_auth("ignored", Some(&self.key)).send().await.ok()?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let body = response.bytes().await.ok()?;
        Some(Answer { status, headers, body: serde_json::from_slice(&body).ok()? })
    }
}

/// Puts a world and a superuser's key of its caller into the database, and SSO's side of it behind a socket. Gives the key and
/// SSO's URL.
pub async fn furnish(database: &Database, world: &World) -> (String, String) {
    database.execute(&world.sql()).await;
    let key = superuser_key(database, world.caller()).await;
    (key, sso_of(world).await.1)
}

/// SSO's side of a world behind a socket, and its URL.
pub async fn sso_of(world: &World) -> (Simulator, String) {
    let sso = Simulator::new(parse_data(&json!(world.listed).to_string()).unwrap());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    sso.spawn(listener);
    (sso, url)
}

/// Of a file, or of a folder and all that is in it.
pub fn set_mode(path: &Path, mode: &str) {
    assert!(Command::new("chmod").args(["--recursive", mode]).arg(path).status().unwrap().success());
}

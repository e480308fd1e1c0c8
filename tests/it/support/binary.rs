//! The real binary: run to its end, or started and ended.

use std::io::{BufRead, BufReader, Read};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use std::time::{Duration, Instant};

use lc_connections::domain::timestamp::Timestamp;
use lc_connections::service::api_key::ApiKey;
use lc_connections::service::new_id::NewIds;
use lc_connections::store::NewKey;
use rand::Rng;
use secrecy::ExposeSecret;

use super::databases::Database;
use super::world::{Account, World};

/// The binary under test: what `LC_CONNECTIONS` names, which lets tests measure a release build, else that of this run.
#[expect(clippy::disallowed_methods, reason = "tests have no configuration but this")]
pub fn executable() -> PathBuf {
    std::env::var_os("LC_CONNECTIONS").map_or_else(|| env!("CARGO_BIN_EXE_lc-connections").into(), PathBuf::from)
}

/// Whether what takes minutes is asked for.
#[expect(clippy::disallowed_methods, reason = "tests have no configuration but this")]
pub fn is_long() -> bool {
    std::env::var("LC_LONG").is_ok_and(|long| long == "1")
}

/// Without what the test's own environment may hold.
pub fn program(arguments: &[&str]) -> Command {
    let mut command = Command::new(executable());
    command.args(arguments).env_clear().stdin(Stdio::null());
    command
}

/// A port that stays free while nobody listens on it: not one of those that the system hands out.
pub fn free_port() -> u16 {
    let range = std::fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range").unwrap();
    let first_handed_out = range.split_whitespace().next().unwrap().parse().unwrap();
    loop {
        let port = rand::rng().random_range(10_000..first_handed_out);
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

pub fn run(command: &mut Command) -> (i32, String, String) {
    let Output { status, stdout, stderr } = command.output().unwrap();
    (status.code().unwrap(), String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap())
}

/// A running program, ended with its test.
pub struct Running(pub Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

pub fn wait_until_ready(port: u16) {
    let start = Instant::now();
    while start.elapsed() < Duration::from_secs(30) {
        if curl(&format!("curl -sf http://127.0.0.1:{port}/readyz")).0 {
            return;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("nothing answers on port {port}");
}

/// Runs a line as a user would paste it.
pub fn curl(line: &str) -> (bool, String) {
    let Output { status, stdout, .. } = Command::new("bash").arg("-c").arg(line).output().unwrap();
    (status.success(), String::from_utf8_lossy(&stdout).into_owned())
}

/// What may be open besides what was open before, once a process was busy: three for each of ten connections of an SQLite pool,
/// and a few to SSO.
pub const FEW_DESCRIPTORS: usize = 32;

impl Running {
    /// Its anonymous memory, in bytes.
    pub fn memory(&self) -> i64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.0.id())).unwrap();
        let kilobytes = status.lines().find_map(|line| line.strip_prefix("RssAnon:"));
        let kilobytes = kilobytes.unwrap().trim().strip_suffix(" kB").unwrap();
        kilobytes.parse::<i64>().unwrap() * 1024
    }

    /// How long its threads have run.
    pub fn processor_time(&self) -> Duration {
        let threads = std::fs::read_dir(format!("/proc/{}/task", self.0.id())).unwrap();
        // A thread may end meanwhile.
        let of_each =
            threads.filter_map(|thread| std::fs::read_to_string(thread.unwrap().path().join("schedstat")).ok());
        of_each.map(|times| Duration::from_nanos(times.split(' ').next().unwrap().parse().unwrap())).sum()
    }

    pub fn open_files(&self) -> usize {
        std::fs::read_dir(format!("/proc/{}/fd", self.0.id())).unwrap().count()
    }

    /// Sends it a signal, like `-TERM`.
    pub fn signal(&self, name: &str) {
        assert!(Command::new("kill").args([name, &self.0.id().to_string()]).status().unwrap().success());
    }

    /// Waits until it has ended, and gives its exit code: none if a signal ended it.
    pub fn wait_for_end(&mut self, limit: Duration) -> Option<i32> {
        let start = Instant::now();
        loop {
            if let Some(status) = self.0.try_wait().unwrap() {
                return status.code();
            }
            assert!(start.elapsed() < limit, "it does not end");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Asks it to end, and gives its exit code and what it wrote to standard error.
    pub fn terminate(mut self) -> (i32, String) {
        self.signal("-TERM");
        let code = self.wait_for_end(Duration::from_secs(20));
        let mut log = String::new();
        // It may have gone elsewhere.
        if let Some(mut stderr) = self.0.stderr.take() {
            stderr.read_to_string(&mut log).unwrap();
        }
        (code.unwrap(), log)
    }
}

/// The demo, with its own data and its own SSO.
pub struct Demo {
    pub port: u16,
    pub sso_port: u16,
    /// What it printed, line by line.
    pub printed: Vec<String>,
    _running: Running,
    /// Kept open to the end, as a terminal is.
    _terminal: BufReader<ChildStdout>,
}

impl Demo {
    /// Starts it, and reads what it prints to its last line.
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    /// The same with these environment variables.
    pub fn start_with(variables: &[(&str, &str)]) -> Self {
        let (port, sso_port) = (free_port(), free_port());
        let mut demo = program(&["demo", "--port", &port.to_string(), "--sso-port", &sso_port.to_string()]);
        demo.env("RUST_LOG", "warn").envs(variables.iter().copied()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut running = Running(demo.spawn().unwrap());
        let mut terminal = BufReader::new(running.0.stdout.take().unwrap());
        let mut printed = Vec::new();
        while !printed.last().is_some_and(|line: &String| line.ends_with("/readyz")) {
            let mut line = String::new();
            assert!(terminal.read_line(&mut line).unwrap() > 0, "it ended early: {printed:?}");
            printed.push(line.trim_end().to_owned());
        }
        wait_until_ready(port);
        Self { port, sso_port, printed, _running: running, _terminal: terminal }
    }

    /// The key that it printed for this holder.
    pub fn key(&self, holder: &str) -> &str {
        let line = self.printed.iter().find(|line| line.trim_start().starts_with(holder)).unwrap();
        line.split_whitespace().last().unwrap()
    }
}

/// The real binary over this database and this SSO, and a superuser's key.
pub async fn serve(database: &Database, sso: &str, more: &[(&str, &str)]) -> (Running, String, String) {
    let world = World::with_connections(4);
    serve_world(database, &world, sso, more, Stdio::piped()).await
}

/// The same over this world, its log going where it is told: a pipe holds little of a long one.
pub async fn serve_world(
    database: &Database,
    world: &World,
    sso: &str,
    more: &[(&str, &str)],
    log: Stdio,
) -> (Running, String, String) {
    database.execute(&world.sql()).await;
    let key = superuser_key(database, world.caller()).await;
    let port = free_port();
    let mut command = program(&["serve", "--listen", &format!("127.0.0.1:{port}")]);
    command.env("DATABASE_URL", database.url.expose_secret()).env("LOG_FORMAT", "json");
    command.env("SSO_URL", sso).env("SSO_TOKEN", "token");
    let server = Running(command.envs(more.iter().copied()).stderr(log).spawn().unwrap());
    tokio::task::spawn_blocking(move || wait_until_ready(port)).await.unwrap();
    (server, format!("http://127.0.0.1:{port}"), key)
}

/// A new superuser's key of the account.
pub async fn superuser_key(database: &Database, account: &Account) -> String {
    let key = ApiKey::random();
    let new_key = NewKey {
        id: NewIds::new().next(Timestamp::EPOCH).into(),
        account: account.id.parse().unwrap(),
        hash: key.hash(),
        user_email: Some("staff@example.com".into()),
        is_superuser: true,
        created_at: Timestamp::EPOCH,
        expires_at: None,
    };
    let store = database.store().await;
    store.insert_key(&new_key).await.unwrap();
    store.close().await;
    key.reveal().to_owned()
}

//! A PostgreSQL of the test's own, to be killed, stopped, frozen and started again.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use lc_connections::store::Store;
use secrecy::SecretString;

use super::authority::Identity;
use super::binary::free_port;
use super::databases::{Database, postgres_programs};
use super::proxy::Proxy;

/// Started anew, it is the same cluster: same data, same port.
pub struct Cluster {
    folder: tempfile::TempDir,
    programs: PathBuf,
    port: u16,
    settings: Vec<String>,
    server: Option<Child>,
}

/// How long a start may take on a busy machine, crash recovery included.
const LONGEST_START: Duration = Duration::from_mins(1);

/// PostgreSQL refuses to run as root; then it runs as Debian's user for it.
fn as_owner(program: &Path) -> Command {
    if !is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid=postgres", "--regid=postgres", "--init-groups", "--"]).arg(program);
    command
}

pub fn is_root() -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let ids = status.lines().find_map(|line| line.strip_prefix("Uid:")).unwrap();
    ids.split_whitespace().nth(1) == Some("0")
}

fn signal(pid: u32, name: &str) {
    assert!(Command::new("kill").args([name, &pid.to_string()]).status().unwrap().success(), "kill {name} {pid}");
}

/// Of a process: its parent and whether it is gone but for its exit code.
fn parent_of(pid: u32) -> Option<u32> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name before may hold spaces.
    let (_, fields) = stat.rsplit_once(')')?;
    fields.split_whitespace().nth(1)?.parse().ok()
}

fn children_of(parent: u32) -> Vec<u32> {
    let entries = fs::read_dir("/proc").unwrap();
    let pids = entries.filter_map(|entry| entry.unwrap().file_name().to_str()?.parse().ok());
    pids.filter(|pid| parent_of(*pid) == Some(parent)).collect()
}

impl Cluster {
    /// One that may lose data when the machine fails, which no test does. Killed, it loses nothing that it has acknowledged.
    pub async fn start() -> Self {
        Self::start_with(&["fsync=off", "full_page_writes=off"]).await
    }

    /// One that writes to the disk what it says it has written.
    pub async fn start_durable() -> Self {
        Self::start_with(&[]).await
    }

    /// One that speaks TLS, at the addresses of either protocol, and asks the user `scram` for a password.
    pub async fn start_with_tls(identity: &Identity) -> Self {
        let mut cluster = Self::make(&["fsync=off", "full_page_writes=off"]).await;
        let folder = cluster.folder.path().to_owned();
        let (certificate, key) = (folder.join("server.crt"), folder.join("server.key"));
        fs::write(&certificate, identity.certificate.pem()).unwrap();
        fs::write(&key, identity.key.serialize_pem()).unwrap();
        fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
        if is_root() {
            assert!(Command::new("chown").arg("postgres:").args([&certificate, &key]).status().unwrap().success());
        }
        let access = folder.join("data/pg_hba.conf");
        let others = fs::read_to_string(&access).unwrap();
        fs::write(&access, format!("host all scram all scram-sha-256\n{others}")).unwrap();
        cluster.settings.extend([
            "listen_addresses=127.0.0.1,::1".to_owned(),
            "ssl=on".to_owned(),
            format!("ssl_cert_file={}", certificate.display()),
            format!("ssl_key_file={}", key.display()),
        ]);
        cluster.start_again().await;
        cluster
    }

    async fn start_with(settings: &[&'static str]) -> Self {
        let mut cluster = Self::make(settings).await;
        cluster.start_again().await;
        cluster
    }

    async fn make(settings: &[&'static str]) -> Self {
        let folder = tempfile::Builder::new().prefix("lc-cluster-").tempdir().unwrap();
        if is_root() {
            assert!(Command::new("chown").arg("postgres:").arg(folder.path()).status().unwrap().success());
        }
        let programs = postgres_programs().await;
        let mut initdb = as_owner(&programs.join("initdb"));
        initdb.current_dir(folder.path()).arg("-D").arg(folder.path().join("data"));
        initdb.args(["-U", "lc", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"]);
        let made = initdb.output().unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let settings = settings.iter().map(ToString::to_string).collect();
        Self { folder, programs, port: free_port(), settings, server: None }
    }

    /// Starts what was killed or stopped, and waits until it answers.
    pub async fn start_again(&mut self) {
        let start = Instant::now();
        loop {
            self.launch();
            while start.elapsed() < LONGEST_START {
                if Store::connect(&self.url("postgres"), 1).await.is_ok() {
                    return;
                }
                // What was killed a moment ago may not be gone altogether: then it is tried again.
                if self.server.as_mut().unwrap().try_wait().unwrap().is_some() {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            assert!(start.elapsed() < LONGEST_START, "PostgreSQL does not start: {}", self.log());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Starts it without waiting.
    pub fn launch(&mut self) {
        let folder = self.folder.path();
        let log = fs::File::options().append(true).create(true).open(folder.join("log")).unwrap();
        let mut postgres = as_owner(&self.programs.join("postgres"));
        postgres.current_dir(folder).arg("-D").arg(folder.join("data")).arg("-k").arg(folder);
        postgres.args(["-p", &self.port.to_string()]);
        for setting in ["listen_addresses=127.0.0.1", "max_connections=100", "shared_buffers=16MB"] {
            postgres.args(["-c", setting]);
        }
        for setting in &self.settings {
            postgres.args(["-c", setting]);
        }
        postgres.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log).process_group(0);
        self.server = Some(postgres.spawn().unwrap());
    }

    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// Where its socket is, and what the test needs besides.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub fn url(&self, database: &str) -> SecretString {
        format!("postgres://lc@127.0.0.1:{}/{database}", self.port).into()
    }

    /// A migrated database in it.
    pub async fn database(&self) -> Database {
        Database::on_server(&self.url("postgres"), self.port).await
    }

    /// A migrated database in it, which the program reaches through the proxy.
    pub async fn database_behind(&self, proxy: &Proxy) -> Database {
        Database::on_server(&self.url("postgres"), proxy.port()).await
    }

    /// How to reach one of its databases without a proxy.
    pub async fn url_of(&self, database: &Database) -> SecretString {
        let name: String = database.scalar("SELECT current_database()::text").await;
        self.url(&name)
    }

    fn pid(&self) -> u32 {
        self.server.as_ref().unwrap().id()
    }

    /// `kill -9` of the postmaster; its children end when they notice.
    pub fn kill(&mut self) {
        self.end("-KILL");
    }

    /// The immediate stop: no farewell to clients, recovery at the next start.
    pub fn stop_immediately(&mut self) {
        self.end("-QUIT");
    }

    fn end(&mut self, name: &str) {
        signal(self.pid(), name);
        self.server.take().unwrap().wait().unwrap();
    }

    /// `kill -9` of one process that serves a client: PostgreSQL ends all others and recovers by itself.
    pub fn kill_backend(&self, pid: u32) {
        assert_eq!(parent_of(pid), Some(self.pid()), "not one of this cluster's");
        signal(pid, "-KILL");
    }

    /// Stops all its processes where they stand; the system still accepts connections for it.
    pub fn freeze(&self) {
        // The postmaster first, so that it begins no more.
        signal(self.pid(), "-STOP");
        for child in children_of(self.pid()) {
            signal(child, "-STOP");
        }
    }

    pub fn thaw(&self) {
        for child in children_of(self.pid()) {
            signal(child, "-CONT");
        }
        signal(self.pid(), "-CONT");
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if let Some(mut server) = self.server.take() {
            // Whoever stands still would not hear it.
            for (name, pid) in children_of(server.id())
                .into_iter()
                .map(|pid| ("-CONT", pid))
                .chain([("-QUIT", server.id()), ("-CONT", server.id())])
            {
                let _ = Command::new("kill").args([name, &pid.to_string()]).stderr(Stdio::null()).status();
            }
            let _ = server.wait();
        }
    }
}

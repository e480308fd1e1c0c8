//! The real binary in front of a raw SSO, with its log in a file.

use std::fs::File;
use std::process::Stdio;

use tempfile::NamedTempFile;

use crate::support::binary::{Running, serve_world};
use crate::support::databases::Database;
use crate::support::raw_sso::RawSso;
use crate::support::world::World;

pub struct Logged {
    pub url: String,
    /// A superuser's.
    pub key: String,
    pub sso: RawSso,
    pub world: World,
    running: Running,
    log: NamedTempFile,
}

impl Logged {
    /// It asks SSO for each list, however often that fails.
    pub async fn start(database: &Database, settings: &[(&str, &str)]) -> Self {
        let world = World::with_connections(6);
        let sso = RawSso::start(world.listed.clone()).await;
        let log = NamedTempFile::new().unwrap();
        let to_log = Stdio::from(File::create(log.path()).unwrap());
        let settings = [&[("SSO_MAX_AGE_MS", "0"), ("SSO_CIRCUIT_FAILURES", "0")], settings].concat();
        let (running, url, key) = serve_world(database, &world, &sso.url, &settings, to_log).await;
        Self { url, key, sso, world, running, log }
    }

    /// Ends it in order, and gives all that it has logged.
    pub async fn end(self) -> String {
        let Self { running, log, .. } = self;
        let (code, _) = tokio::task::spawn_blocking(|| running.terminate()).await.unwrap();
        assert_eq!(code, 0);
        std::fs::read_to_string(log.path()).unwrap()
    }
}

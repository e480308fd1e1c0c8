//! The SQLite file, its WAL or its shared memory is deleted, moved or replaced under the server: no acknowledged repair is
//! lost, and the server uses the file that is at the path.
//!
//! Reports of the kind: <https://github.com/WiseLibs/better-sqlite3/issues/1237>,
//! <https://github.com/holon-run/holon/issues/2850>, <https://github.com/realm/realm-core/issues/1944>.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Duration;

use futures_util::future::join_all;
use sea_orm::{ConnectOptions, ConnectionTrait, DatabaseConnection, DbBackend, Statement};
use serde_json::json;

use crate::support::binary::{program, run};
use crate::support::databases::{Database, Kind};
use crate::support::server::{Client, Server, furnish};
use crate::support::world::World;

use super::is_refused;

/// A server over a file, and copies of the file as it was at the start.
struct Scene {
    folder: PathBuf,
    database: PathBuf,
    missing: Vec<String>,
    client: Client,
    server: Server,
    key: String,
    sso: String,
    _world: (Database, tempfile::TempDir),
}

async fn open(path: &Path) -> DatabaseConnection {
    let mut options = ConnectOptions::new(format!("sqlite://{}", path.display()));
    options.max_connections(1).sqlx_logging(false);
    sea_orm::Database::connect(options).await.unwrap()
}

async fn execute(path: &Path, sql: &str) {
    let connection = open(path).await;
    connection.execute_unprepared(sql).await.unwrap();
    connection.close().await.unwrap();
}

async fn texts(path: &Path, sql: &str) -> Vec<String> {
    let connection = open(path).await;
    let rows = connection.query_all_raw(Statement::from_string(DbBackend::Sqlite, sql)).await.unwrap();
    let texts = rows.iter().map(|row| row.try_get_by_index(0).unwrap()).collect();
    connection.close().await.unwrap();
    texts
}

/// Whether a repair's row is in the file.
async fn holds(path: &Path, id: &str) -> bool {
    let row = format!("SELECT id FROM account_connections WHERE external_id = '{id}'");
    let record = format!("SELECT id FROM repair_records WHERE external_id = '{id}' AND outcome = 'CREATED'");
    let (rows, records) = (texts(path, &row).await.len(), texts(path, &record).await.len());
    assert_eq!(rows, records, "a row and its record come together");
    rows == 1
}

async fn is_sound(path: &Path) {
    assert_eq!(texts(path, "PRAGMA integrity_check").await, ["ok"], "{}", path.display());
}

impl Scene {
    async fn start() -> Self {
        Self::start_at("lc.db").await
    }

    /// The server opens this path within the folder.
    async fn start_at(name: &str) -> Self {
        let template = Database::fresh(Kind::Sqlite).await;
        let world = World::with_connections(60);
        let (key, sso) = furnish(&template, &world).await;
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join("data");
        fs::create_dir(&folder).unwrap();
        let database = folder.join("lc.db");
        template.execute(&format!("VACUUM INTO '{}'", database.display())).await;
        for copy in ["one", "two", "three"] {
            template.execute(&format!("VACUUM INTO '{}'", home.path().join(copy).display())).await;
        }
        if name != "lc.db" {
            std::os::unix::fs::symlink(&database, folder.join(name)).unwrap();
        }
        let mut server = Server::new(&format!("sqlite://{}?mode=rwc", folder.join(name).display()), &sso);
        server.start().await;
        let client = Client::of(&server, &key);
        let missing = world.missing();
        Self { folder, database, missing, client, server, key, sso, _world: (template, home) }
    }

    fn copy(&self, name: &str) -> PathBuf {
        self.folder.parent().unwrap().join(name)
    }

    fn beside(&self, ending: &str) -> PathBuf {
        format!("{}{ending}", self.database.display()).into()
    }

    /// A repair that is acknowledged.
    async fn repairs(&self, number: usize) {
        let answer = self.client.repair(&self.missing[number]).await;
        assert_eq!(answer.status, 201, "{}", answer.body);
    }

    async fn list(&self) -> (u16, String) {
        let answer = self.client.get("/connections").await.unwrap();
        (answer.status, answer.body.to_string())
    }

    async fn ready(&self) -> (u16, serde_json::Value) {
        let answer = self.client.get("/readyz").await.unwrap();
        (answer.status, answer.body["reason"].clone())
    }

    /// Reads and repairs are rejected, and the process is not ready.
    async fn is_out_of_service(&self, number: usize, reason: &str) {
        let refused = self.client.repair(&self.missing[number]).await;
        assert!(is_refused(&refused), "{} {}", refused.status, refused.body);
        assert_eq!(self.list().await.0, 503);
        // A look is cached for 100 ms.
        tokio::time::sleep(Duration::from_millis(150)).await;
        assert_eq!(self.ready().await, (503, json!(reason)));
        assert_eq!(self.client.get("/livez").await.unwrap().status, 200);
    }

    /// A repair, and more reads than the pool has connections.
    async fn works(&self, number: usize) {
        self.repairs(number).await;
        assert!(holds(&self.database, &self.missing[number]).await, "the row is in the file at the path");
        let lists = join_all((0..30).map(|_| self.list())).await;
        assert!(lists.iter().all(|(status, _)| *status == 200), "{lists:?}");
        tokio::time::sleep(Duration::from_millis(150)).await;
        assert_eq!(self.ready().await.0, 200);
        is_sound(&self.database).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn deleted_file_is_detected_and_not_recreated() {
    for with_others in [false, true] {
        let scene = Scene::start().await;
        scene.works(0).await;
        fs::remove_file(&scene.database).unwrap();
        if with_others {
            fs::remove_file(scene.beside("-wal")).unwrap();
            fs::remove_file(scene.beside("-shm")).unwrap();
        }
        scene.is_out_of_service(1, "database unreachable").await;
        assert!(!scene.database.exists(), "no empty file takes its place");
        // A backup comes in its place.
        fs::copy(scene.copy("one"), scene.folder.join("restored")).unwrap();
        fs::rename(scene.folder.join("restored"), &scene.database).unwrap();
        scene.works(2).await;
        assert!(!holds(&scene.database, &scene.missing[0]).await, "it is the backup that is served");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn file_moved_away_and_back_is_served_again() {
    let scene = Scene::start().await;
    scene.works(0).await;
    let away = scene.folder.join("away");
    fs::rename(&scene.database, &away).unwrap();
    scene.is_out_of_service(1, "database unreachable").await;
    fs::rename(&away, &scene.database).unwrap();
    scene.works(2).await;
    assert!(holds(&scene.database, &scene.missing[0]).await);

    let elsewhere = scene.folder.with_extension("elsewhere");
    fs::rename(&scene.folder, &elsewhere).unwrap();
    scene.is_out_of_service(3, "database unreachable").await;
    fs::rename(&elsewhere, &scene.folder).unwrap();
    scene.works(4).await;
    assert!(holds(&scene.database, &scene.missing[2]).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replaced_file_is_served_and_receives_the_next_repair() {
    let scene = Scene::start().await;
    for (number, copy) in ["one", "two"].into_iter().enumerate() {
        let mark = format!("UPDATE account_connections SET connected_account_name = 'as in {copy}'");
        execute(&scene.copy(copy), &mark).await;
        // The WAL of the old file holds the latest repair.
        scene.repairs(3 * number).await;
        let old = scene.folder.join(format!("before-{copy}"));
        fs::hard_link(&scene.database, &old).unwrap();
        fs::rename(scene.copy(copy), &scene.database).unwrap();
        if number == 0 {
            scene.repairs(1).await;
            assert!(holds(&scene.database, &scene.missing[1]).await, "the row is in the file at the path");
        }
        let (status, list) = scene.list().await;
        assert!(status == 200 && list.contains(&format!("as in {copy}")), "{status} {list}");
        assert_eq!(scene.ready().await.0, 200);
        scene.works(3 * number + 2).await;
        assert!(!holds(&scene.database, &scene.missing[3 * number]).await, "nothing of the old log is in the new file");
        assert!(holds(&old, &scene.missing[3 * number]).await, "the old file has all that was acknowledged");
        is_sound(&old).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replaced_folder_or_symbolic_link_is_followed() {
    let scene = Scene::start_at("link.db").await;
    scene.works(0).await;
    let other = scene.folder.join("other.db");
    fs::rename(scene.copy("one"), &other).unwrap();
    let link = scene.folder.join("link.db");
    std::os::unix::fs::symlink(&other, scene.folder.join("new-link")).unwrap();
    fs::rename(scene.folder.join("new-link"), &link).unwrap();
    scene.repairs(1).await;
    assert!(holds(&other, &scene.missing[1]).await && !holds(&other, &scene.missing[0]).await);
    assert!(!holds(&scene.database, &scene.missing[1]).await && holds(&scene.database, &scene.missing[0]).await);

    let scene = Scene::start().await;
    scene.works(0).await;
    let (away, next) = (scene.folder.with_extension("away"), scene.folder.with_extension("next"));
    fs::create_dir(&next).unwrap();
    fs::rename(scene.copy("one"), next.join("lc.db")).unwrap();
    fs::rename(&scene.folder, &away).unwrap();
    fs::rename(&next, &scene.folder).unwrap();
    scene.works(1).await;
    assert!(!holds(&scene.database, &scene.missing[0]).await && holds(&away.join("lc.db"), &scene.missing[0]).await);
    assert!(!holds(&away.join("lc.db"), &scene.missing[1]).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn deleted_or_replaced_wal_or_shm_loses_no_repair() {
    for (number, gone) in [&["-wal"][..], &["-shm"], &["-wal", "-shm"]].into_iter().enumerate() {
        for replaced in [false, true] {
            let scene = Scene::start().await;
            scene.repairs(0).await;
            for ending in gone {
                let path = scene.beside(ending);
                assert!(path.exists());
                fs::remove_file(&path).unwrap();
                if replaced {
                    fs::write(&path, "").unwrap();
                }
            }
            scene.repairs(1).await;
            for id in &scene.missing[..2] {
                assert!(holds(&scene.database, id).await, "{number} {replaced}");
            }
            scene.works(2).await;
            assert!(holds(&scene.database, &scene.missing[0]).await);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn file_with_another_schema_is_rejected_until_it_is_migrated() {
    let older = "DROP TABLE repair_records; DELETE FROM seaql_migrations WHERE version LIKE '%create_repair_records'";
    let newer = "INSERT INTO seaql_migrations (version, applied_at) VALUES ('m29991231_000001_from_the_future', 0)";
    let scene = Scene::start().await;
    scene.works(0).await;
    execute(&scene.copy("one"), older).await;
    fs::rename(scene.copy("one"), &scene.database).unwrap();
    scene.is_out_of_service(1, "database schema not current").await;
    execute(&scene.copy("two"), newer).await;
    fs::rename(scene.copy("two"), &scene.database).unwrap();
    scene.is_out_of_service(1, "database schema not current").await;
    // Empty, as `touch` makes it, and none at all.
    fs::write(scene.folder.join("empty"), "").unwrap();
    fs::rename(scene.folder.join("empty"), &scene.database).unwrap();
    scene.is_out_of_service(1, "database schema not current").await;
    fs::write(scene.folder.join("text"), "this is no database, however long it may be. ".repeat(100)).unwrap();
    fs::rename(scene.folder.join("text"), &scene.database).unwrap();
    scene.is_out_of_service(1, "database unreachable").await;

    execute(&scene.copy("three"), older).await;
    fs::rename(scene.copy("three"), &scene.database).unwrap();
    scene.is_out_of_service(1, "database schema not current").await;
    let url = format!("sqlite://{}", scene.database.display());
    let migrated = tokio::task::spawn_blocking(move || run(program(&["migrate"]).env("DATABASE_URL", url))).await;
    assert_eq!(migrated.unwrap().0, 0);
    scene.works(2).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn partially_copied_file_is_served_once_it_is_complete() {
    let scene = Scene::start().await;
    scene.works(0).await;
    fs::remove_file(&scene.database).unwrap();
    let whole = fs::read(scene.copy("one")).unwrap();
    let mut copy = fs::File::create(&scene.database).unwrap();
    scene.is_out_of_service(1, "database schema not current").await;
    assert_eq!(fs::metadata(&scene.database).unwrap().len(), 0, "nothing was written to it");
    let (first, second) = whole.split_at(whole.len() / 2);
    copy.write_all(first).unwrap();
    scene.is_out_of_service(1, "database unreachable").await;
    copy.write_all(second).unwrap();
    drop(copy);
    scene.works(2).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn file_replaced_before_the_stop_is_whole_afterwards() {
    for is_moved in [false, true] {
        let mut scene = Scene::start().await;
        scene.works(0).await;
        let old = scene.folder.join("old");
        if is_moved {
            fs::rename(&scene.database, &old).unwrap();
        } else {
            fs::hard_link(&scene.database, &old).unwrap();
            fs::rename(scene.copy("one"), &scene.database).unwrap();
        }
        scene.server.running().signal("-TERM");
        assert_eq!(scene.server.ends(Duration::from_mins(1)).await, Some(0));
        if is_moved {
            fs::rename(scene.copy("one"), &scene.database).unwrap();
        }
        assert!(holds(&old, &scene.missing[0]).await, "the old file has all repairs");
        assert!(!holds(&scene.database, &scene.missing[0]).await, "the new file has nothing of the old WAL");
        is_sound(&old).await;
        is_sound(&scene.database).await;
    }
}

/// By one server, and by two that share the file.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_acknowledged_repair_is_lost_while_files_are_swapped_under_load() {
    for servers in 1..=2 {
        swaps_under_load(servers).await;
    }
}

async fn swaps_under_load(servers: usize) {
    let scene = Scene::start().await;
    let mut other = Server::new(&format!("sqlite://{}", scene.database.display()), &scene.sso);
    let mut clients = vec![scene.client.clone()];
    if servers == 2 {
        other.start().await;
        clients.push(Client::of(&other, &scene.key));
    }
    // The pools fill.
    for client in &clients {
        join_all((0..30).map(|_| client.get("/connections"))).await;
    }
    let next = Mutex::new(scene.missing.iter());
    let acknowledged = Mutex::new(Vec::new());
    let load = join_all((0..4).map(async |number| {
        let client = &clients[number % servers];
        loop {
            let Some(id) = next.lock().unwrap().next() else { return };
            // A rejected repair is retried; its row may exist by then.
            for _ in 0..100 {
                let answer = client.repair(id).await;
                match answer.status {
                    201 => acknowledged.lock().unwrap().push(id.clone()),
                    503 => {
                        tokio::time::sleep(Duration::from_millis(20)).await;
                        continue;
                    }
                    status => assert_eq!(status, 409, "{}", answer.body),
                }
                break;
            }
        }
    }));
    let exchanges = async {
        // One after each fifth of the repairs.
        let fifth = scene.missing.len() / 5;
        for (number, copy) in ["one", "two", "three"].into_iter().enumerate() {
            while next.lock().unwrap().len() > fifth * (4 - number) {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            fs::rename(&scene.database, scene.folder.join(format!("before-{copy}"))).unwrap();
            fs::rename(scene.copy(copy), &scene.database).unwrap();
        }
    };
    tokio::join!(load, exchanges);
    let mut server = scene.server;
    for server in [&mut server, &mut other].into_iter().take(servers) {
        server.running().signal("-TERM");
        assert_eq!(server.ends(Duration::from_mins(1)).await, Some(0));
    }
    let files = ["before-one", "before-two", "before-three", "lc.db"].map(|name| scene.folder.join(name));
    for id in acknowledged.into_inner().unwrap() {
        let mut found = 0;
        for file in &files {
            found += usize::from(holds(file, &id).await);
        }
        assert!(found >= 1, "{id} was acknowledged and is lost");
    }
    for file in &files {
        is_sound(file).await;
    }
}

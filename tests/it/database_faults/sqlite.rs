//! SQLite's file is read-only, its disk full, or another program writes: reads go on, repairs are refused, and accepted as
//! soon as they can be.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use secrecy::ExposeSecret;

use crate::support::cluster::is_root;
use crate::support::databases::{Database, Kind};
use crate::support::server::{Client, Server, furnish, set_mode};
use crate::support::world::World;

use super::{Subject, in_time, is_refused};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_program_that_writes_is_waited_for_but_not_for_long() {
    let database = Database::fresh(Kind::Sqlite).await;
    let subject = Subject::start(&database).await;
    let missing = subject.world.missing();
    let blocker = database.block_writers().await;
    for _ in 0..2 {
        let (answers, bad) = tokio::join!(subject.repair(&missing[0]), subject.ask_much());
        assert!(answers.iter().all(is_refused), "{answers:?}");
        assert_eq!(bad, Vec::<String>::new(), "reads go on");
        assert_eq!(in_time(subject.app.get("/readyz")).await.status, 200);
    }
    blocker.release().await;
    subject.works().await;

    // One that is done soon is waited for.
    let blocker = database.block_writers().await;
    let (answers, ()) = tokio::join!(subject.repair(&missing[0]), async {
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        blocker.release().await;
    });
    assert!(!answers.iter().any(is_refused), "{answers:?}");
}

/// A world with much to repair, in a file.
async fn file() -> (Database, World, String, String, PathBuf) {
    let database = Database::fresh(Kind::Sqlite).await;
    let world = World::with_connections(60);
    let (key, sso) = furnish(&database, &world).await;
    let path = database.url.expose_secret().strip_prefix("sqlite://").unwrap().split_once('?').unwrap().0.into();
    (database, world, key, sso, path)
}

/// Reads are answered and the process says that it is ready, while repairs are refused.
async fn only_reads(client: &Client, missing: &[String]) {
    for id in &missing[..3] {
        let refused = in_time(client.repair(id)).await;
        assert!(is_refused(&refused), "{} {:?} {}", refused.status, refused.headers, refused.body);
        assert_eq!(client.get("/connections").await.unwrap().status, 200);
        assert_eq!(client.get("/readyz").await.unwrap().status, 200);
    }
}

async fn repairs_all(client: &Client, missing: &[String]) {
    for id in missing {
        let created = client.repair(id).await;
        assert_eq!(created.status, 201, "{}", created.body);
    }
    let list = client.get("/connections").await.unwrap().body;
    assert!(list.as_array().unwrap().iter().all(|entry| entry["status"] == "completed"), "{list}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_must_not_be_written_is_written_as_soon_as_it_may() {
    let (_database, world, key, sso, path) = file().await;
    // Root may write whatever a file says.
    let unprivileged: &[&str] =
        if is_root() { &["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", "--"] } else { &[] };
    let folder = path.parent().unwrap();
    if is_root() {
        assert!(Command::new("chown").arg("-R").arg("nobody:nogroup").arg(folder).status().unwrap().success());
    }
    set_mode(&path, "a-w");
    let mut server = Server::new(&format!("sqlite://{}", path.display()), &sso).through(unprivileged);
    server.start().await;
    let client = Client::of(&server, &key);
    let missing = world.missing();
    only_reads(&client, &missing).await;
    // With those beside it, which SQLite has made like it.
    set_mode(folder, "u+w");
    repairs_all(&client, &missing).await;
}

/// How the disk comes to be full: no privilege lets a test fill that of the machine.
#[derive(Debug, Clone, Copy)]
enum Disk {
    /// The program sees a small disk of its own, where the system lets one be mounted.
    Small,
    /// The system lets the program's files grow no further.
    Limited,
}

/// Where the small disk is, for the program alone.
const SMALL_DISK: &str = "/mnt";

impl Disk {
    fn can_be_had(self) -> bool {
        let mount = ["--map-root-user", "--mount", "mount", "-t", "tmpfs", "tmpfs", SMALL_DISK];
        matches!(self, Self::Limited) || Command::new("unshare").args(mount).status().is_ok_and(|done| done.success())
    }

    /// A server of the database in the folder.
    fn server(self, file: &Path, sso: &str) -> Server {
        match self {
            Self::Small => {
                let mount =
                    format!("mount -t tmpfs -o size=4m tmpfs {SMALL_DISK} && cp \"$0\"/* {SMALL_DISK} && exec \"$@\"");
                let folder = file.parent().unwrap().to_str().unwrap();
                let database = format!("sqlite://{SMALL_DISK}/{}", file.file_name().unwrap().to_str().unwrap());
                Server::new(&database, sso).through(&[
                    "unshare",
                    "--map-root-user",
                    "--mount",
                    "sh",
                    "-c",
                    &mount,
                    folder,
                ])
            }
            // Told by an error, as of a disk, and not by a signal.
            Self::Limited => Server::new(&format!("sqlite://{}", file.display()), sso).through(&[
                "sh",
                "-c",
                "trap '' XFSZ && exec \"$0\" \"$@\"",
            ]),
        }
    }

    fn fill(self, pid: u32) {
        match self {
            Self::Small => {
                let mut filler = fs::File::create(filler(pid)).unwrap();
                let error = loop {
                    if let Err(error) = filler.write_all(&[0; 4096]) {
                        break error;
                    }
                };
                assert_eq!(error.kind(), std::io::ErrorKind::StorageFull);
            }
            Self::Limited => limit_files(pid, "0"),
        }
    }

    fn free(self, pid: u32) {
        match self {
            Self::Small => fs::remove_file(filler(pid)).unwrap(),
            Self::Limited => limit_files(pid, "unlimited"),
        }
    }
}

fn filler(pid: u32) -> PathBuf {
    format!("/proc/{pid}/root{SMALL_DISK}/filler").into()
}

fn limit_files(pid: u32, soft: &str) {
    let arguments = ["--pid", &pid.to_string(), &format!("--fsize={soft}:unlimited")];
    assert!(Command::new("prlimit").args(arguments).status().unwrap().success());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_is_written_as_soon_as_there_is_room() {
    for disk in [Disk::Small, Disk::Limited].into_iter().filter(|disk| disk.can_be_had()) {
        println!("{disk:?}");
        let (_database, world, key, sso, path) = file().await;
        let mut server = disk.server(&path, &sso);
        server.start().await;
        let client = Client::of(&server, &key);
        let missing = world.missing();
        assert_eq!(client.repair(&missing[0]).await.status, 201);
        disk.fill(server.pid());
        only_reads(&client, &missing[1..]).await;
        disk.free(server.pid());
        repairs_all(&client, &missing[1..]).await;
    }
}

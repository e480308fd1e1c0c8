//! Starting while the database is down or half made: patience first, then one clear line.

use std::io::Read;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use lc_connections::store::SchemaState;
use secrecy::ExposeSecret;

use crate::support::binary::{Running, free_port, program, run, wait_until_ready};
use crate::support::cluster::Cluster;
use crate::support::databases::{Database, Kind, OTHER_SESSIONS};
use crate::support::proxy::Proxy;

fn serve(database: &str, port: u16, patience: &str) -> Command {
    let mut command = program(&["serve", "--listen", &format!("127.0.0.1:{port}")]);
    command.env("DATABASE_URL", database).env("DATABASE_START_TIMEOUT_MS", patience);
    command.env("SSO_URL", "http://127.0.0.1:1/").env("SSO_TOKEN", "secret-token").stderr(Stdio::piped());
    command
}

/// Runs it to its end, which is a failure, and gives how long that took and the one line that says why.
async fn gives_up(mut command: Command) -> (Duration, String) {
    let start = Instant::now();
    let (code, printed, stderr) = tokio::task::spawn_blocking(move || run(&mut command)).await.unwrap();
    let took = start.elapsed();
    assert!(code == 1 && printed.is_empty() && !stderr.contains("secret"), "{code} {printed} {stderr}");
    let errors: Vec<&str> = stderr.lines().filter(|line| line.starts_with("error: ")).collect();
    assert!(errors.len() == 1 && stderr.ends_with(&format!("{}\n", errors[0])), "{stderr}");
    assert!(errors[0].starts_with("error: cannot connect to the database (DATABASE_URL): "), "{stderr}");
    (took, errors[0].to_owned())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_stays_down_is_waited_for_and_then_given_up() {
    let patience = Duration::from_millis(2_500);
    let nothing = format!("postgres://lc:secret@127.0.0.1:{}/lc", free_port());
    let (took, line) = gives_up(serve(&nothing, free_port(), "2500")).await;
    assert!(took >= patience && took < patience + Duration::from_secs(5), "{took:?}");
    assert!(line.contains("Connection refused"), "{line}");

    // One that is silent.
    let cluster = Cluster::start().await;
    let proxy = Proxy::before(cluster.port()).await;
    proxy.fall_silent();
    let silent = format!("postgres://lc:secret@127.0.0.1:{}/postgres", proxy.port());
    let (took, line) = gives_up(serve(&silent, free_port(), "2500")).await;
    assert!(took >= patience && took < patience + Duration::from_secs(5), "{took:?}");
    assert!(line.contains("no answer in time"), "{line}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_waiting_does_not_mend_is_not_waited_for() {
    let cluster = Cluster::start().await;
    let no_folder = "sqlite:///does/not/exist/lc.db?mode=rwc";
    let no_database = cluster.url("no_such_database");
    for (database, said) in [(no_folder, "unable to open"), (no_database.expose_secret(), "no_such_database")] {
        let (took, line) = gives_up(serve(database, free_port(), "60000")).await;
        assert!(line.contains(said), "{line}");
        assert!(took < Duration::from_secs(20), "{took:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_port_that_is_taken_is_told_in_one_line() {
    let database = Database::fresh(Kind::Sqlite).await;
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    for setting in ["LISTEN", "ADMIN_LISTEN"] {
        let port = if setting == "LISTEN" { address.port() } else { free_port() };
        let mut command = serve(database.url.expose_secret(), port, "60000");
        if setting == "ADMIN_LISTEN" {
            command.env(setting, address.to_string());
        }
        let (code, _, stderr) = tokio::task::spawn_blocking(move || run(&mut command)).await.unwrap();
        let told = format!("error: cannot listen on {address} (set {setting} to another): ");
        let errors: Vec<&str> = stderr.lines().filter(|line| line.starts_with("error")).collect();
        assert!(code == 1 && errors.len() == 1 && errors[0].starts_with(&told), "{code} {stderr}");
    }
}

/// Reads its log up to the line that says so.
fn says_that_it_waits(server: &mut Running) {
    let (stderr, mut line) = (server.0.stderr.as_mut().unwrap(), Vec::new());
    while line.last() != Some(&b'\n') {
        let mut byte = [0];
        stderr.read_exact(&mut byte).unwrap();
        line.extend(byte);
    }
    let line = String::from_utf8(line).unwrap();
    assert!(line.contains("the database cannot be reached yet"), "{line}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_comes_up_meanwhile_is_served() {
    let mut cluster = Cluster::start().await;
    let database = cluster.database().await;
    cluster.stop_immediately();
    let port = free_port();
    let mut server = Running(serve(database.url.expose_secret(), port, "60000").spawn().unwrap());
    says_that_it_waits(&mut server);
    cluster.start_again().await;
    let ended = tokio::task::spawn_blocking(move || {
        wait_until_ready(port);
        server.terminate()
    });
    let (code, log) = ended.await.unwrap();
    assert_eq!(code, 0, "{log}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_waits_for_the_database_ends_when_told_to() {
    let nothing = format!("postgres://127.0.0.1:{}/lc", free_port());
    let mut server = Running(serve(&nothing, free_port(), "60000").spawn().unwrap());
    says_that_it_waits(&mut server);
    let start = Instant::now();
    assert_eq!(tokio::task::spawn_blocking(move || server.terminate()).await.unwrap().0, 0);
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
}

fn migrate(database: &Database) -> Command {
    let mut command = program(&["migrate"]);
    command.env("DATABASE_URL", database.url.expose_secret()).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

/// Kills migrations at twenty moments of what a whole one takes.
async fn killed_anywhere(kind: Kind) {
    let start = Instant::now();
    assert_eq!(run(&mut migrate(&Database::unmigrated(kind).await)).0, 0);
    let whole = start.elapsed();
    let mut done = 0;
    for round in 0..20 {
        let database = Database::unmigrated(kind).await;
        let mut migrating = migrate(&database).spawn().unwrap();
        tokio::time::sleep(whole.mul_f64(f64::from(round) / 20.0)).await;
        migrating.kill().unwrap();
        migrating.wait().unwrap();
        // PostgreSQL may still be at work for who is gone.
        while kind == Kind::Postgres && database.count(OTHER_SESSIONS).await > 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let store = database.store().await;
        match store.schema_state().await.unwrap() {
            SchemaState::Empty => {}
            SchemaState::Current => done += 1,
            half => panic!("half migrated: {half:?}"),
        }
        assert_eq!(run(&mut migrate(&database)).0, 0);
        assert_eq!(store.schema_state().await.unwrap(), SchemaState::Current);
    }
    println!("{done} of 20 were done when they were killed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_migration_that_is_killed_anywhere_leaves_all_of_it_or_nothing_on_sqlite() {
    killed_anywhere(Kind::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_migration_that_is_killed_anywhere_leaves_all_of_it_or_nothing_on_postgres() {
    killed_anywhere(Kind::Postgres).await;
}

async fn a_schema_that_is_half_made_is_refused_until_it_is_migrated(database: Database) {
    let store = database.store().await;
    let applied = store.migrate().await.unwrap();
    // As a program that knew fewer migrations left it.
    database.execute("DROP TABLE repair_records").await;
    database.execute("DROP TABLE custom_entities").await;
    if database.backend() == sea_orm::DbBackend::Postgres {
        database.execute("DROP FUNCTION repair_records_are_append_only").await;
    }
    for name in &applied[4..] {
        database.execute(&format!("DELETE FROM seaql_migrations WHERE version = '{name}'")).await;
    }
    let url = database.url.expose_secret().to_owned();
    let refused = tokio::task::spawn_blocking(move || run(&mut serve(&url, free_port(), "60000"))).await.unwrap();
    let names = applied[4..].join(", ");
    assert!(refused.0 == 1 && refused.2.contains(&format!("lacks migrations ({names})")), "{refused:?}");
    assert!(refused.2.contains("run `lc-connections migrate`"), "{refused:?}");

    // What is in the way of one of them stops all of them.
    database.execute("CREATE TABLE repair_records (id text)").await;
    assert_eq!(run(&mut migrate(&database)).0, 1);
    assert_eq!(store.schema_state().await.unwrap(), SchemaState::Pending(applied[4..].to_vec()));
    database.execute("DROP TABLE repair_records").await;
    assert_eq!(run(&mut migrate(&database)).0, 0);
    assert_eq!(store.schema_state().await.unwrap(), SchemaState::Current);
}

crate::on_both_databases!(a_schema_that_is_half_made_is_refused_until_it_is_migrated, unmigrated);

//! The end, of the real binary: no answer is broken, nothing acknowledged is lost, nobody holds it up.

mod load;

use std::collections::HashSet;
use std::fs;
use std::time::{Duration, Instant};

use lc_connections::sso::simulator::Scenario;
use rand::Rng;
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use tokio::time::sleep;

use self::load::{History, Load};
use crate::support::binary::{Running, free_port, is_long, program, superuser_key};
use crate::support::careful::{Asked, Fate, KeepAlive, Manner};
use crate::support::cluster::Cluster;
use crate::support::databases::{Database, Kind, OTHER_SESSIONS};
use crate::support::plain_client;
use crate::support::proxy::Proxy;
use crate::support::server::{Server, furnish, sso_of};
use crate::support::slow::Slow;
use crate::support::world::{Account, World};

/// `SHUTDOWN_TIMEOUT_MS`, and what a busy machine may add to it.
const LONGEST_END: Duration = Duration::from_secs(10 + 1);

fn world() -> World {
    World::with_connections(90)
}

/// Signals, waits for the end, and gives what the clients were told.
async fn stop(server: &mut Server, load: Load) -> History {
    let start = Instant::now();
    server.running().signal("-TERM");
    assert_eq!(server.ends(LONGEST_END).await, Some(0));
    let took = start.elapsed();
    let history = load.end().await;
    let unanswered: Vec<_> = history.unanswered.iter().map(|(_, what)| what).collect();
    println!(
        "ended after {took:?}: {:?} answered, {} unseen, unanswered {unanswered:?}",
        history.answered,
        history.unseen.len()
    );
    history
}

/// What the log says of requests: their ids.
fn logged(log: &str) -> HashSet<String> {
    let lines = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let requests = lines.filter(|line| line["message"] == "request");
    requests.filter_map(|line| line["span"]["request.id"].as_str().map(str::to_owned)).collect()
}

/// Compares what the clients saw with the log and the tables.
async fn judge(history: &History, log: &str, database: &Database) {
    assert!(history.broken.is_empty(), "{:?}", history.broken);
    assert!(history.wrong.is_empty(), "{:?}", history.wrong);
    let read = logged(log);
    let lost: Vec<_> = history.unanswered.iter().filter(|(id, _)| read.contains(id)).collect();
    assert!(lost.is_empty(), "read, and not answered: {lost:?}");
    assert!(history.unseen.iter().all(|id| !read.contains(id)), "read, and said to be unseen");
    assert!(history.answered.values().sum::<usize>() > 10, "hardly any load: {:?}", history.answered);
    for (external_id, row, request_id) in &history.created {
        let found = database
            .texts(&format!(
                "SELECT c.id FROM account_connections c JOIN repair_records r ON r.external_id = c.external_id \
                 WHERE c.external_id = '{external_id}' AND r.outcome = 'CREATED' AND r.request_id = '{request_id}'"
            ))
            .await;
        assert_eq!(found, [row.as_str()], "acknowledged, and not there with its record");
    }
}

/// Nobody holds anything of the database any more, and it is whole.
async fn is_left_in_order(database: &Database) {
    if database.backend() == sea_orm::DbBackend::Postgres {
        let start = Instant::now();
        while database.count(OTHER_SESSIONS).await > 0 {
            assert!(start.elapsed() < Duration::from_secs(5), "a session is left");
            sleep(Duration::from_millis(20)).await;
        }
    } else {
        assert_eq!(database.texts("PRAGMA integrity_check").await, ["ok"]);
    }
    database.block_writers().await.release().await;
}

/// Rows, and records of their insertion.
async fn rows_and_records(database: &Database) -> (i64, i64) {
    let records = database.count("repair_records WHERE outcome = 'CREATED'").await;
    (database.count("account_connections").await, records)
}

async fn a_stop_under_load_breaks_no_answer_and_loses_no_repair(database: Database) {
    let world = world();
    let (key, sso) = furnish(&database, &world).await;
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log");
    let mut server = Server::new(database.url.expose_secret(), &sso).logging_to(&log);
    let rounds = if is_long() { 40 } else { 3 };
    let (mut unanswered, mut unseen, mut answered) = (0, 0, 0);
    for _ in 0..rounds {
        let (rows, records) = rows_and_records(&database).await;
        server.start().await;
        let load = Load::start(&server, &key, &world, false).await;
        let at_work = rand::rng().random_range(300..1_200);
        sleep(Duration::from_millis(at_work)).await;
        let history = stop(&mut server, load).await;
        judge(&history, &fs::read_to_string(&log).unwrap(), &database).await;
        is_left_in_order(&database).await;
        let (rows_now, records_now) = rows_and_records(&database).await;
        assert_eq!(rows_now - rows, records_now - records, "a row without its record, or a record without its row");
        unanswered += history.unanswered.len();
        unseen += history.unseen.len();
        answered += history.answered.values().sum::<usize>();
        // As another program does that takes rows out.
        let repaired = "external_id IN (SELECT external_id FROM repair_records WHERE outcome = 'CREATED')";
        database.execute(&format!("DELETE FROM account_connections WHERE {repaired}")).await;
        fs::remove_file(&log).unwrap();
    }
    println!("{rounds} stops: {answered} answered whole, {unseen} told to be unseen, {unanswered} not read, 0 broken");
}

crate::on_both_databases!(a_stop_under_load_breaks_no_answer_and_loses_no_repair);

async fn connections_that_are_stuck_do_not_hold_the_end_up(database: Database) {
    let mut world = world();
    // An account for which SSO never answers, and that is nobody's partner.
    let (id, sso_id) = ("0123456789abcdef01234567".to_owned(), "0123456789abcdef01234568".to_owned());
    world.accounts.push(Account { id, sso_id, name: "Unlucky".to_owned() });
    database.execute(&world.sql()).await;
    let key = superuser_key(&database, world.caller()).await;
    let (simulator, sso) = sso_of(&world).await;
    let unlucky = world.accounts.last().unwrap();
    simulator.set_account_scenario(unlucky.sso_id.parse().unwrap(), Scenario::Hang);
    let unlucky_key = superuser_key(&database, unlucky).await;
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log");
    let server = Server::new(database.url.expose_secret(), &sso).logging_to(&log);
    let mut server = server.with("SSO_TIMEOUT_MS", "60000").with("SSO_CIRCUIT_FAILURES", "0");
    server.start().await;
    let address = server.address();

    let mut stuck = tokio::task::JoinSet::new();
    let ways = [Slow::HeadDripped, Slow::BodyDripped, Slow::AnswerUnread, Slow::HalfPreface, Slow::Deaf];
    for way in ways {
        for _ in 0..4 {
            let key = key.clone();
            stuck.spawn(async move { way.hold(address, &key).await });
        }
    }
    let mut waiting = KeepAlive::new(address, Manner::Brisk);
    let asked = Asked {
        method: "GET",
        path: "/connections".to_owned(),
        key: unlucky_key,
        request_id: "stuck".to_owned(),
        body: None,
    };
    let waiting = tokio::spawn(async move { waiting.ask(&asked).await });
    let load = Load::start(&server, &key, &world, false).await;
    sleep(Duration::from_millis(700)).await;
    assert!(!waiting.is_finished());
    let history = stop(&mut server, load).await;
    let log = fs::read_to_string(&log).unwrap();
    judge(&history, &log, &database).await;
    is_left_in_order(&database).await;
    // What could not be finished was cut off, and that is told.
    assert!(matches!(waiting.await.unwrap(), Fate::Unanswered) && logged(&log).contains("stuck"));
    assert!(log.contains("shutdown timeout: connections aborted"), "{log}");
    stuck.shutdown().await;
}

crate::on_both_databases!(connections_that_are_stuck_do_not_hold_the_end_up);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_falls_silent_does_not_hold_the_end_up() {
    let cluster = Cluster::start().await;
    let proxy = Proxy::before(cluster.port()).await;
    let database = cluster.database_behind(&proxy).await;
    let world = world();
    let (key, sso) = furnish(&database, &world).await;
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log");
    let mut server = Server::new(database.url.expose_secret(), &sso).logging_to(&log);
    server.start().await;
    let load = Load::start(&server, &key, &world, true).await;
    sleep(Duration::from_millis(500)).await;
    proxy.fall_silent();
    sleep(Duration::from_millis(100)).await;
    let history = stop(&mut server, load).await;
    proxy.resume();
    judge(&history, &fs::read_to_string(&log).unwrap(), &database).await;
    is_left_in_order(&database).await;
}

/// What `/readyz` says, over a new connection; nothing if it is refused.
async fn readiness(url: &str) -> Option<(u16, Value)> {
    let answer = plain_client().get(format!("{url}/readyz")).send().await.ok()?;
    Some((answer.status().as_u16(), serde_json::from_slice(&answer.bytes().await.ok()?).unwrap()))
}

async fn waits_until_it_is_stopping(url: &str) {
    let start = Instant::now();
    while readiness(url).await.is_none_or(|(status, _)| status != 503) {
        assert!(start.elapsed() < Duration::from_secs(5), "it does not say that it is stopping");
    }
}

async fn readiness_turns_first_and_everybody_is_served_meanwhile(database: Database) {
    let (key, sso) = furnish(&database, &world()).await;
    let mut server = Server::new(database.url.expose_secret(), &sso).with("SHUTDOWN_DELAY_MS", "1500");
    server.start().await;
    let signalled = Instant::now();
    server.running().signal("-TERM");
    waits_until_it_is_stopping(&server.url).await;
    let mut answers = 0;
    while let Some((status, body)) = readiness(&server.url).await {
        assert_eq!((status, &body["reason"]), (503, &json!("stopping")));
        // Over a new connection as well.
        let Ok(answer) = plain_client().get(format!("{}/connections", server.url)).bearer_auth(&key).send().await
        else {
            break;
        };
        assert_eq!(answer.status(), 200);
        answers += 1;
    }
    assert!(answers > 0 && signalled.elapsed() >= Duration::from_millis(1_500), "{answers} {:?}", signalled.elapsed());
    assert_eq!(server.ends(LONGEST_END).await, Some(0));
}

crate::on_both_databases!(readiness_turns_first_and_everybody_is_served_meanwhile);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_signal_of_either_kind_ends_at_once() {
    let database = Database::fresh(Kind::Sqlite).await;
    let world = world();
    database.execute(&world.sql()).await;
    let key = superuser_key(&database, world.caller()).await;
    let (simulator, sso) = sso_of(&world).await;
    simulator.set_scenario(Scenario::Hang);
    for (first, second) in [("-TERM", "-TERM"), ("-TERM", "-INT"), ("-INT", "-TERM")] {
        let server = Server::new(database.url.expose_secret(), &sso).with("SHUTDOWN_DELAY_MS", "60000");
        let mut server = server.with("SHUTDOWN_TIMEOUT_MS", "120000").with("SSO_TIMEOUT_MS", "60000");
        server.start().await;
        let stuck = plain_client().get(format!("{}/connections", server.url)).bearer_auth(&key).send();
        let stuck = tokio::spawn(stuck);
        sleep(Duration::from_millis(200)).await;
        server.running().signal(first);
        waits_until_it_is_stopping(&server.url).await;
        let start = Instant::now();
        server.running().signal(second);
        assert_eq!(server.ends(Duration::from_secs(5)).await, Some(0), "{first} {second}");
        println!("{first} {second}: ended after {:?}", start.elapsed());
        assert!(stuck.await.unwrap().is_err());
        is_left_in_order(&database).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_signal_at_any_moment_of_the_start_ends_it() {
    let database = Database::fresh(Kind::Sqlite).await;
    let url = database.url.expose_secret();
    for round in 0..if is_long() { 200 } else { 20 } {
        let mut serve = program(&["serve", "--listen", &format!("127.0.0.1:{}", free_port())]);
        serve.env("DATABASE_URL", url).env("SSO_URL", "http://127.0.0.1:1/").env("SSO_TOKEN", "token");
        let mut server = Running(serve.stderr(std::process::Stdio::null()).spawn().unwrap());
        sleep(Duration::from_millis(round * 7 % 140)).await;
        server.signal("-TERM");
        let code = tokio::task::spawn_blocking(move || server.wait_for_end(Duration::from_secs(10))).await.unwrap();
        // Before it takes signals over, the system ends it.
        assert!(matches!(code, None | Some(0)), "{code:?}");
    }
    is_left_in_order(&database).await;
}

//! Clients hang up at any byte of what they send or are sent, over both protocols, with a reset or without: nothing is half
//! written, nothing is left of them, and everybody else is answered rightly. (What the database's connections bear is tried
//! in `database_faults`.)

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use rand::Rng;
use rand::seq::IndexedRandom;
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::support::app::TestApp;
use crate::support::binary::{FEW_DESCRIPTORS, is_long};
use crate::support::databases::{Database, Kind, OTHER_SESSIONS};
use crate::support::projection::NESTED;
use crate::support::server::{Server, furnish};
use crate::support::world::World;
use crate::support::{http_2_client, plain_client};

const REPAIR: &str = "mutation Repair($id: ObjectID!) { repairConnection(input: {connectionId: $id}) { outcome \
    partnership { localId } userErrors { code } } }";

/// Who is asked.
struct Target<'a> {
    url: &'a str,
    key: &'a str,
    existing: String,
    missing: Vec<String>,
}

#[derive(Debug, Clone, Copy)]
enum Asked {
    List,
    Graphql,
    Repair,
    RepairByGraphql,
    Refused,
}

const KINDS: [Asked; 5] = [Asked::List, Asked::Graphql, Asked::Repair, Asked::RepairByGraphql, Asked::Refused];

/// After how many bytes a connection ends, and how.
#[derive(Debug, Clone, Copy)]
struct Cut {
    sent: u64,
    come: u64,
    resets: bool,
}

const NEVER: Cut = Cut { sent: u64::MAX, come: u64::MAX, resets: false };

impl Target<'_> {
    fn request(&self, client: &reqwest::Client, url: &str, asked: Asked, id: &str) -> reqwest::RequestBuilder {
        let post = |path: &str, body: Value| {
            client.post(format!("{url}{path}")).header("content-type", "application/json").body(body.to_string())
        };
        let request = match asked {
            Asked::List => client.get(format!("{url}/connections")),
            Asked::Graphql => post("/graphql", json!({"query": NESTED, "variables": {"first": 100}})),
            Asked::Repair => post("/connections", json!({"connection_id": id})),
            Asked::RepairByGraphql => post("/graphql", json!({"query": REPAIR, "variables": {"id": id}})),
            Asked::Refused => post("/connections", json!({"connection_id": "x".repeat(40_000)})),
        };
        request.bearer_auth(self.key)
    }

    /// Asks over a connection of its own that is cut so. Gives how many bytes were sent and have come, and the status of
    /// what was answered whole.
    async fn ask(&self, asked: Asked, id: &str, is_http_2: bool, cut: Cut) -> (u64, u64, Option<u16>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let asking = async {
            let client = if is_http_2 { http_2_client() } else { plain_client() };
            let answer = self.request(&client, &url, asked, id).send().await.ok()?;
            let status = answer.status().as_u16();
            answer.bytes().await.ok().map(|_| status)
        };
        let address = self.url.strip_prefix("http://").unwrap();
        let both = async { tokio::join!(asking, cut_off(&listener, address, cut)) };
        let (status, (sent, come)) = tokio::time::timeout(Duration::from_secs(20), both).await.expect("it hangs");
        (sent, come, status)
    }

    /// So many times of each kind, some at once, at random bytes. Gives how many were cut.
    async fn hang_up_anywhere(&self, times: usize) -> usize {
        let mut whole = Vec::new();
        for is_http_2 in [false, true] {
            for asked in KINDS {
                let (sent, come, status) = self.ask(asked, &self.existing, is_http_2, NEVER).await;
                assert!(status.is_some(), "{asked:?}");
                whole.push((asked, is_http_2, sent, come));
            }
        }
        let lanes = (0..4).map(async |_| {
            let mut cut_off = 0;
            for _ in 0..times / 4 {
                for (asked, is_http_2, sent, come) in &whole {
                    let (mut cut, resets) = (NEVER, rand::random());
                    if rand::random() {
                        cut = Cut { sent: rand::rng().random_range(0..*sent), resets, ..cut };
                    } else {
                        cut = Cut { come: rand::rng().random_range(0..*come), resets, ..cut };
                    }
                    let missing = self.missing.choose(&mut rand::rng()).unwrap();
                    let (.., status) = self.ask(*asked, missing, *is_http_2, cut).await;
                    cut_off += usize::from(status.is_none());
                }
            }
            cut_off
        });
        join_all(lanes).await.into_iter().sum()
    }
}

/// Takes one connection, and passes on so much of it. Ends it on both sides, and gives what was passed on.
async fn cut_off(listener: &TcpListener, server: &str, cut: Cut) -> (u64, u64) {
    let (mut client, _) = listener.accept().await.unwrap();
    let mut server = TcpStream::connect(server).await.unwrap();
    let (sent, come) = (AtomicU64::new(0), AtomicU64::new(0));
    {
        let (client_reads, client_writes) = client.split();
        let (server_reads, server_writes) = server.split();
        tokio::select! {
            () = pass(client_reads, server_writes, cut.sent, &sent) => {}
            () = pass(server_reads, client_writes, cut.come, &come) => {}
        }
    }
    if cut.resets {
        server.set_zero_linger().unwrap();
    }
    (sent.into_inner(), come.into_inner())
}

async fn pass(mut from: impl AsyncRead + Unpin, mut to: impl AsyncWrite + Unpin, most: u64, passed: &AtomicU64) {
    let mut buffer = vec![0; 16 * 1024];
    loop {
        let room = (most - passed.load(Ordering::Relaxed)).min(buffer.len() as u64);
        let room = usize::try_from(room).unwrap();
        match from.read(&mut buffer[..room]).await {
            Ok(length @ 1..) if to.write_all(&buffer[..length]).await.is_ok() => {
                passed.fetch_add(length as u64, Ordering::Relaxed);
            }
            _ => return,
        }
    }
}

/// Asks again and again until it is so, which must come soon.
async fn soon(what: &str, is_so: impl AsyncFn() -> bool) {
    let start = Instant::now();
    while !is_so().await {
        assert!(start.elapsed() < Duration::from_secs(10), "{what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// A row with its record each, or neither, and no transaction that is open.
async fn nothing_is_half_written(database: &Database, missing: &[String]) {
    let missing: Vec<String> = missing.iter().map(|id| format!("'{id}'")).collect();
    let rows = format!("account_connections WHERE external_id IN ({})", missing.join(", "));
    let pairs = format!(
        "account_connections c JOIN repair_records r ON r.external_id = c.external_id AND r.outcome = 'CREATED' \
         WHERE c.external_id IN ({})",
        missing.join(", ")
    );
    let records = "repair_records WHERE outcome = 'CREATED'";
    let counts = [database.count(&rows).await, database.count(&pairs).await, database.count(records).await];
    assert!(counts[0] > 0 && counts[1..] == [counts[0]; 2], "rows, pairs, records: {counts:?}");
    if database.backend() == sea_orm::DbBackend::Postgres {
        let in_transaction = format!("{OTHER_SESSIONS} AND state LIKE 'idle in transaction%'");
        assert_eq!(database.count(&in_transaction).await, 0);
    }
}

/// Of connections that end in this moment.
const FEW_TASKS: usize = 8;

fn times() -> usize {
    if is_long() { 400 } else { 20 }
}

async fn who_hangs_up_at_any_byte_leaves_nothing_in_the_process(database: Database) {
    let world = World::with_connections(60);
    let (key, sso) = furnish(&database, &world).await;
    let mut server = Server::new(database.url.expose_secret(), &sso);
    server.start().await;
    let url = server.url.clone();
    let missing = world.missing();
    let existing = world.own_row("external_id");
    let target = Target { url: &url, key: &key, existing, missing: missing.clone() };
    // So that its connections to the database and to SSO are there.
    target.hang_up_anywhere(8).await;
    let (files, memory) = (server.running().open_files(), server.running().memory());
    let cut_off = target.hang_up_anywhere(times()).await;
    println!("{cut_off} of {} were cut", times() * KINDS.len() * 2);
    assert!(cut_off > times() * KINDS.len(), "hardly any was cut: {cut_off}");

    soon("descriptors are left", async || server.running().open_files() <= files + FEW_DESCRIPTORS).await;
    let metrics = || async {
        let answer = plain_client().get(format!("{url}/metrics")).send().await.unwrap();
        answer.text().await.unwrap()
    };
    soon("the pool's connections are not given back", async || {
        metrics().await.contains("db_pool_connections{state=\"in_use\"} 0\n")
    })
    .await;
    nothing_is_half_written(&database, &missing).await;
    let list = plain_client().get(format!("{url}/connections")).bearer_auth(&key).send().await.unwrap();
    let list: Vec<Value> = serde_json::from_slice(&list.bytes().await.unwrap()).unwrap();
    let created = database.count("repair_records WHERE outcome = 'CREATED'").await;
    let without_row = list.iter().filter(|entry| entry["status"] == "sso_only").count();
    assert_eq!((list.len(), without_row), (60, missing.len() - usize::try_from(created).unwrap()));
    let grown = server.running().memory() - memory;
    println!("memory {} MB, {} kB more", memory >> 20, grown >> 10);
    assert!(grown < 32 * 1024 * 1024, "{} kB more", grown >> 10);
}

crate::on_both_databases!(who_hangs_up_at_any_byte_leaves_nothing_in_the_process);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_hangs_up_at_any_byte_leaves_no_task() {
    let database = Database::fresh(Kind::Sqlite).await;
    let (app, world) = TestApp::in_world_as_superuser(&database, 60).await;
    let key = app.key.clone().unwrap();
    let missing = world.missing();
    let target = Target { url: &app.url, key: &key, existing: world.own_row("external_id"), missing: missing.clone() };
    target.hang_up_anywhere(8).await;
    let tasks = || tokio::runtime::Handle::current().metrics().num_alive_tasks();
    // Those of connections that end in this moment have their time.
    tokio::time::sleep(Duration::from_secs(3)).await;
    let before = tasks();
    target.hang_up_anywhere(times()).await;
    soon("tasks are left", async || tasks() <= before + FEW_TASKS).await;
    println!("{before} tasks before, {} after", tasks());
    soon("the pool's connections are not given back", async || app.store.pool_size().in_use == 0).await;
    nothing_is_half_written(&database, &missing).await;
    let (list, mut expected) = (app.get("/connections").await.body, world.expected_list(true));
    for (entry, expected) in list.as_array().unwrap().iter().zip(expected.as_array_mut().unwrap()) {
        // A repair gives an entry its row, and leaves it where it stands.
        if expected["status"] == "sso_only" && entry["status"] == "completed" {
            for key in ["id", "status"] {
                expected[key] = entry[key].clone();
            }
        }
    }
    assert_eq!(list, expected);
}

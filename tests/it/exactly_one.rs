//! Of any number of repairs, over REST, GraphQL and the command line, with the server, the command line and PostgreSQL killed
//! in between, exactly one inserts the row; what was acknowledged is there, and the trail agrees.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::process::Stdio;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rand::Rng;
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use tokio::sync::Semaphore;

use crate::support::binary::{is_long, program};
use crate::support::cluster::Cluster;
use crate::support::databases::{Database, Kind};
use crate::support::server::{Client, Server, furnish};
use crate::support::world::{Account, World};

/// By which door an attempt comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Door {
    Rest,
    Graphql,
    CommandLine,
}

impl Door {
    /// Its name in the trail.
    fn via(self) -> &'static str {
        match self {
            Self::Rest => "rest",
            Self::Graphql => "graphql",
            Self::CommandLine => "cli",
        }
    }
}

/// For each connection, at once.
const ATTEMPTS: [Door; 8] = [
    Door::Rest,
    Door::Graphql,
    Door::CommandLine,
    Door::Rest,
    Door::Graphql,
    Door::CommandLine,
    Door::Rest,
    Door::Graphql,
];

/// How many attempts are under way at once: some of several connections.
const AT_ONCE: usize = 24;

/// How long an attempt is repeated until it is told something definite.
const LONGEST_ATTEMPT: Duration = Duration::from_mins(2);

/// What the one who tried was told.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Told {
    /// The row that was inserted, where its id could be read as well.
    Created(Option<String>),
    AlreadyExists,
    /// To come again, or nothing at all.
    Nothing,
}

/// One try of an attempt, as its client saw it.
#[derive(Debug, Clone)]
struct Try {
    id: String,
    door: Door,
    /// Unknown of a command that was killed.
    request_id: Option<String>,
    told: Told,
}

#[derive(Debug, Clone)]
struct Repairer {
    client: Client,
    account: String,
    variables: Arc<[(&'static str, String)]>,
    history: Arc<Mutex<Vec<Try>>>,
    /// How many attempts have ended.
    ended: Arc<AtomicUsize>,
}

const REPAIR: &str = "mutation Repair($id: ObjectID!) { repairConnection(input: {connectionId: $id}) { outcome \
    partnership { localId } userErrors { code } } }";

impl Repairer {
    /// Tries until something definite is told.
    async fn attempt(self, id: String, door: Door) {
        let start = Instant::now();
        loop {
            let (request_id, told) = match door {
                Door::Rest => self.by_rest(&id).await,
                Door::Graphql => self.by_graphql(&id).await,
                Door::CommandLine => self.by_command_line(&id).await,
            };
            let is_done = told != Told::Nothing;
            self.history.lock().unwrap().push(Try { id: id.clone(), door, request_id, told });
            if is_done {
                self.ended.fetch_add(1, Ordering::Relaxed);
                return;
            }
            assert!(start.elapsed() < LONGEST_ATTEMPT, "{id} by {door:?} is told nothing");
            let pause = rand::rng().random_range(20..200);
            tokio::time::sleep(Duration::from_millis(pause)).await;
        }
    }

    async fn by_rest(&self, id: &str) -> (Option<String>, Told) {
        let request_id = new_request_id();
        let answer = self.client.post("/connections", &request_id, &json!({"connection_id": id})).await;
        let told = match answer {
            None => Told::Nothing,
            Some(answer) => match answer.status {
                201 => Told::Created(text(&answer.body["id"])),
                409 => Told::AlreadyExists,
                503 => Told::Nothing,
                other => panic!("{other}: {}", answer.body),
            },
        };
        (Some(request_id), told)
    }

    async fn by_graphql(&self, id: &str) -> (Option<String>, Told) {
        let request_id = new_request_id();
        let asked = json!({"query": REPAIR, "variables": {"id": id}});
        let told = match self.client.post("/graphql", &request_id, &asked).await {
            None => Told::Nothing,
            Some(answer) => {
                let payload = &answer.body["data"]["repairConnection"];
                let refusal = payload["userErrors"][0]["code"].as_str();
                match (payload["outcome"].as_str(), refusal) {
                    (Some("CREATED"), None) => Told::Created(text(&payload["partnership"]["localId"])),
                    (None, Some("ALREADY_EXISTS")) => Told::AlreadyExists,
                    (None, Some("SSO_UNAVAILABLE")) => Told::Nothing,
                    _ if answer.body["errors"][0]["extensions"]["code"] == "UNAVAILABLE" => Told::Nothing,
                    _ => panic!("{}: {}", answer.status, answer.body),
                }
            }
        };
        (Some(request_id), told)
    }

    /// By the program's own command; some are killed before they end.
    async fn by_command_line(&self, id: &str) -> (Option<String>, Told) {
        let mut command = program(&["repair", id, "--account", &self.account, "--actor", "ada@example.com", "--json"]);
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let killed_after = rand::rng().random_bool(0.2).then(|| rand::rng().random_range(0..150));
        let run = move || {
            let mut child = command.spawn().unwrap();
            if let Some(killed_after) = killed_after {
                std::thread::sleep(Duration::from_millis(killed_after));
                let _ = child.kill();
            }
            child.wait_with_output().unwrap()
        };
        let output = tokio::task::spawn_blocking(run).await.unwrap();
        let printed: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
        let request_id = printed["request_id"].as_str().map(str::to_owned);
        let told = match output.status.code() {
            Some(0) => Told::Created(text(&printed["id"])),
            Some(3) => Told::AlreadyExists,
            // Failed, or SSO is unavailable, or killed.
            Some(1 | 5) | None => Told::Nothing,
            Some(other) => panic!("{other}: {}", String::from_utf8_lossy(&output.stderr)),
        };
        (request_id, told)
    }
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

fn new_request_id() -> String {
    format!("{:032x}", rand::random::<u128>())
}

/// A caller who lacks the rows of so many connections.
fn world(connections: usize) -> World {
    let id = |kind: char, number: usize| format!("{kind}{number:023}");
    let caller = Account { id: id('a', 1), sso_id: id('5', 1), name: "Caller".to_owned() };
    let listed = (1..=connections)
        .map(|number| {
            json!({
                "id": id('c', number),
                "invitation_id": null,
                "buyer": {"id": caller.sso_id, "name": "Caller"},
                "seller": {"id": id('6', number), "name": format!("Seller {number}")},
                "permissions": {"buyer": [], "seller": []},
                "created_by": null,
                "created_at": "2024-06-21T10:00:00Z",
                "updated_at": "2024-06-21T10:00:00Z",
            })
        })
        .collect();
    World { accounts: vec![caller], connections: vec![], entities: vec![], custom_entities: vec![], listed }
}

/// What is killed, and started again at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Victim {
    Server,
    Database,
    Both,
}

/// One after the other, evenly over the attempts.
const VICTIMS: [Victim; 3] = [Victim::Server, Victim::Database, Victim::Both];

/// How many connections, and how many kills meanwhile.
fn counts() -> (usize, usize) {
    if is_long() { (1_000, 30) } else { (50, 6) }
}

async fn hold(database: &Database, mut cluster: Option<Cluster>) {
    let (count, kills) = counts();
    let world = world(count);
    let (key, sso) = furnish(database, &world).await;
    let url = database.url.expose_secret();
    let mut server = Server::new(url, &sso).with("SSO_TIMEOUT_MS", "10000").with("SSO_CIRCUIT_FAILURES", "0");
    server.start().await;
    let repairer = Repairer {
        client: Client::of(&server, &key),
        account: world.caller().id.clone(),
        variables: Arc::new([
            ("DATABASE_URL", url.to_owned()),
            ("SSO_URL", sso),
            ("SSO_TOKEN", "token".to_owned()),
            ("SSO_TIMEOUT_MS", "10000".to_owned()),
        ]),
        history: Arc::default(),
        ended: Arc::default(),
    };

    let missing = world.missing();
    assert_eq!(missing.len(), count);
    let room = Arc::new(Semaphore::new(AT_ONCE));
    let mut attempts = tokio::task::JoinSet::new();
    for id in &missing {
        for door in ATTEMPTS {
            let (room, repairer, id) = (Arc::clone(&room), repairer.clone(), id.clone());
            attempts.spawn(async move {
                let _place = room.acquire_owned().await.unwrap();
                repairer.attempt(id, door).await;
            });
        }
    }
    let all = missing.len() * ATTEMPTS.len();
    for (number, victim) in VICTIMS.into_iter().cycle().take(kills).enumerate() {
        while repairer.ended.load(Ordering::Relaxed) * (kills + 1) < all * (number + 1) {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        // SQLite is a part of the server.
        let is_server = victim != Victim::Database || cluster.is_none();
        if is_server {
            server.kill();
        }
        if let Some(cluster) = cluster.as_mut().filter(|_| victim != Victim::Server) {
            cluster.kill();
            cluster.start_again().await;
        }
        if is_server {
            server.start().await;
        }
    }
    while let Some(attempt) = attempts.join_next().await {
        attempt.unwrap();
    }
    let history = repairer.history.lock().unwrap().clone();
    judge(database, &missing, &history).await;
}

/// An entry of the trail.
struct Record {
    id: String,
    result: String,
    via: String,
    request_id: String,
}

/// Compares what the clients were told with what there is.
async fn judge(database: &Database, missing: &[String], history: &[Try]) {
    let mut rows: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for row in database.texts("SELECT external_id || ' ' || id FROM account_connections").await {
        let (external_id, id) = row.split_once(' ').unwrap();
        rows.entry(external_id.to_owned()).or_default().push(id.to_owned());
    }
    let records = database
        .texts("SELECT external_id || ' ' || COALESCE(outcome, error_code) || ' ' || via || ' ' || request_id FROM repair_records")
        .await;
    let records: Vec<Record> = records
        .iter()
        .map(|record| {
            let [id, result, via, request_id] = record.split(' ').collect::<Vec<_>>().try_into().unwrap();
            Record { id: id.into(), result: result.into(), via: via.into(), request_id: request_id.into() }
        })
        .collect();

    assert_eq!(
        rows.keys().collect::<Vec<_>>(),
        missing.iter().collect::<Vec<_>>(),
        "each has a row, and nothing else has"
    );
    let mut unacknowledged = 0;
    for id in missing {
        assert_eq!(rows[id].len(), 1, "{id}");
        let created: Vec<_> = records.iter().filter(|record| record.id == *id && record.result == "CREATED").collect();
        assert_eq!(created.len(), 1, "one row, one record: {id}");
        let told: Vec<&Try> =
            history.iter().filter(|one| one.id == *id && matches!(one.told, Told::Created(_))).collect();
        assert!(told.len() <= 1, "two were told that they inserted it: {told:?}");
        if let Some(one) = told.first() {
            let Told::Created(row) = &one.told else { unreachable!() };
            assert!(row.as_ref().is_none_or(|row| *row == rows[id][0]), "{one:?}, and not {:?}", rows[id]);
            assert_eq!(one.request_id.as_ref(), Some(&created[0].request_id));
        } else {
            // Whoever inserted it was killed, or its server was, before it could say so.
            let is_known = |one: &Try| one.request_id.as_ref().is_none_or(|known| *known == created[0].request_id);
            assert!(history.iter().any(|one| one.id == *id && one.told == Told::Nothing && is_known(one)), "{id}");
            unacknowledged += 1;
        }
    }

    // What was told to be refused is in the trail, once.
    let mut by_request: HashMap<&str, Vec<&Record>> = HashMap::new();
    for record in &records {
        by_request.entry(&record.request_id).or_default().push(record);
    }
    for one in history.iter().filter(|one| one.told != Told::Nothing) {
        let of_request = &by_request[one.request_id.as_ref().unwrap().as_str()];
        let expected = if one.told == Told::AlreadyExists { "ALREADY_EXISTS" } else { "CREATED" };
        let [record] = of_request[..] else { panic!("{one:?} has {} records", of_request.len()) };
        let recorded = (record.id.as_str(), record.result.as_str(), record.via.as_str());
        assert_eq!(recorded, (one.id.as_str(), expected, one.door.via()));
    }
    // And nothing is in the trail that nobody tried.
    let tried: HashSet<&str> = history.iter().filter_map(|one| one.request_id.as_deref()).collect();
    let killed = history.iter().filter(|one| one.request_id.is_none()).count();
    let strange = records.iter().filter(|record| !tried.contains(record.request_id.as_str()));
    let (of_commands, strange): (Vec<_>, Vec<_>) = strange.partition(|record| record.via == "cli");
    assert!(strange.is_empty() && of_commands.len() <= killed, "{} {} {killed}", strange.len(), of_commands.len());

    let count = |told: fn(&Told) -> bool| history.iter().filter(|one| told(&one.told)).count();
    println!(
        "{} connections, {} tries: {} told created, {} told that it exists, {} told nothing; {unacknowledged} rows by one that \
         was told nothing; {} records",
        missing.len(),
        history.len(),
        count(|told| matches!(told, Told::Created(_))),
        count(|told| *told == Told::AlreadyExists),
        count(|told| *told == Told::Nothing),
        records.len()
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_row_and_one_record_each_on_sqlite() {
    hold(&Database::fresh(Kind::Sqlite).await, None).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_row_and_one_record_each_on_postgres() {
    let cluster = Cluster::start_durable().await;
    hold(&cluster.database().await, Some(cluster)).await;
}

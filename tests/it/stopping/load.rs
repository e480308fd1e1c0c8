//! Clients of every manner at work until nobody takes their requests any more, and what became of each request.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rand::Rng;
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::support::careful::{Asked, Fate, KeepAlive, Manner, Multiplexed};
use crate::support::server::Server;
use crate::support::world::World;

const LIST: &str = "query List { connections(first: 100) { totalCount nodes { id status connectedAccount { name } \
    accountEntity { name } permissions } } }";

const REPAIR: &str = "mutation Repair($id: ObjectID!) { repairConnection(input: {connectionId: $id}) { outcome \
    partnership { localId } userErrors { code } } }";

/// What the clients know and share.
struct Shared {
    key: String,
    /// How many connections the caller has, and a row among them.
    total: usize,
    row: String,
    missing: Mutex<Vec<String>>,
    existing: String,
    /// Whether the database may fail meanwhile, so that 503 is an answer like others.
    may_be_unavailable: bool,
    history: Mutex<History>,
}

/// What became of all requests.
#[derive(Debug, Default)]
pub struct History {
    pub answered: BTreeMap<u16, usize>,
    /// Ids of requests of which the server said that it has not looked at them.
    pub unseen: Vec<String>,
    /// Requests that were sent, and to which no answer began: the id, and what it was.
    pub unanswered: Vec<(String, String)>,
    pub broken: Vec<String>,
    pub wrong: Vec<String>,
    /// Repairs that were acknowledged: the connection, the row, the request.
    pub created: Vec<(String, String, String)>,
}

/// Running clients.
pub struct Load {
    shared: Arc<Shared>,
    clients: JoinSet<()>,
}

enum Client {
    Http1(KeepAlive),
    Http2(Multiplexed),
}

impl Client {
    fn name(&self) -> String {
        match self {
            Self::Http1(client) => format!("{:?}", client.manner()),
            Self::Http2(_) => "HTTP/2".to_owned(),
        }
    }

    async fn ask(&mut self, asked: &Asked) -> Fate {
        match self {
            Self::Http1(client) => client.ask(asked).await,
            Self::Http2(client) => client.ask(asked).await,
        }
    }
}

/// The longest pauses between the requests of a client, in milliseconds: of most, and of those that are idle for longer than
/// the server waits for a last request.
const SHORT: u64 = 10;
const IDLE: u64 = 900;

impl Load {
    pub async fn start(server: &Server, key: &str, world: &World, may_be_unavailable: bool) -> Self {
        let address = server.address();
        let shared = Arc::new(Shared {
            key: key.to_owned(),
            total: world.expected_list(true).as_array().unwrap().len(),
            row: world.own_row("id"),
            missing: Mutex::new(world.missing()),
            existing: world.own_row("external_id"),
            may_be_unavailable,
            history: Mutex::default(),
        });
        let mut clients = JoinSet::new();
        let manners = [(Manner::Brisk, 6), (Manner::Afresh, 2), (Manner::SlowToSend, 3), (Manner::SlowToRead, 3)];
        for (manner, count) in manners {
            for _ in 0..count {
                clients.spawn(work(Client::Http1(KeepAlive::new(address, manner)), SHORT, Arc::clone(&shared)));
            }
        }
        for _ in 0..3 {
            clients.spawn(work(Client::Http1(KeepAlive::new(address, Manner::Brisk)), IDLE, Arc::clone(&shared)));
        }
        for _ in 0..2 {
            let connection = Multiplexed::connect(address).await;
            for _ in 0..4 {
                clients.spawn(work(Client::Http2(connection.clone()), SHORT, Arc::clone(&shared)));
            }
        }
        Self { shared, clients }
    }

    /// Waits until all clients were refused, which ends them.
    pub async fn end(self) -> History {
        let ended = tokio::time::timeout(Duration::from_secs(20), self.clients.join_all()).await;
        ended.expect("a client is still waiting, though the server is gone");
        std::mem::take(&mut *self.shared.history.lock().unwrap())
    }
}

async fn work(mut client: Client, longest_pause: u64, shared: Arc<Shared>) {
    loop {
        let (kind, asked, missing) = shared.any_request();
        match client.ask(&asked).await {
            Fate::Answered { status, body } => shared.answered(kind, &asked, missing, status, &body),
            Fate::Refused => return,
            Fate::Unseen => shared.history.lock().unwrap().unseen.push(asked.request_id),
            Fate::Unanswered => {
                let what = format!("{kind:?} by {}", client.name());
                shared.history.lock().unwrap().unanswered.push((asked.request_id, what));
            }
            Fate::Broken(how) => shared.history.lock().unwrap().broken.push(format!("{} {how}", asked.path)),
        }
        let pause = rand::rng().random_range(0..longest_pause);
        sleep(Duration::from_millis(pause)).await;
    }
}

#[derive(Debug, Clone, Copy)]
enum Kind {
    List,
    ById,
    Graphql,
    Repair,
    RepairByGraphql,
}

const KINDS: [Kind; 6] = [Kind::List, Kind::ById, Kind::Graphql, Kind::Repair, Kind::Graphql, Kind::RepairByGraphql];

impl Shared {
    /// A request, and the connection that it repairs.
    fn any_request(&self) -> (Kind, Asked, String) {
        let kind = KINDS[rand::rng().random_range(0..KINDS.len())];
        let next = || self.missing.lock().unwrap().pop();
        let is_repair = matches!(kind, Kind::Repair | Kind::RepairByGraphql);
        let id = if is_repair { next() } else { None }.unwrap_or_else(|| self.existing.clone());
        let (method, path, body) = match kind {
            Kind::List => ("GET", "/connections".to_owned(), None),
            Kind::ById => ("GET", format!("/connections/{}", self.row), None),
            Kind::Graphql => ("POST", "/graphql".to_owned(), Some(json!({"query": LIST}))),
            Kind::Repair => ("POST", "/connections".to_owned(), Some(json!({"connection_id": id}))),
            Kind::RepairByGraphql => {
                ("POST", "/graphql".to_owned(), Some(json!({"query": REPAIR, "variables": {"id": id}})))
            }
        };
        let request_id = format!("{:032x}", rand::random::<u128>());
        (kind, Asked { method, path, key: self.key.clone(), request_id, body: body.map(|body| body.to_string()) }, id)
    }

    fn answered(&self, kind: Kind, asked: &Asked, repaired: String, status: u16, body: &[u8]) {
        let body: Value = serde_json::from_slice(body).unwrap_or_default();
        let data = &body["data"];
        let payload = &data["repairConnection"];
        let created = match kind {
            Kind::Repair => body["id"].as_str().filter(|_| status == 201),
            _ => payload["partnership"]["localId"].as_str(),
        };
        let is_excused =
            self.may_be_unavailable && (status == 503 || body["errors"][0]["extensions"]["code"] == "UNAVAILABLE");
        let is_right = match kind {
            Kind::List => status == 200 && body.as_array().map(Vec::len) == Some(self.total),
            Kind::ById => status == 200 && body["id"] == json!(self.row),
            Kind::Graphql => status == 200 && data["connections"]["totalCount"] == json!(self.total),
            Kind::Repair => created.is_some() || status == 409,
            Kind::RepairByGraphql => created.is_some() || payload["userErrors"][0]["code"] == "ALREADY_EXISTS",
        };
        let mut history = self.history.lock().unwrap();
        *history.answered.entry(status).or_default() += 1;
        if let Some(row) = created {
            history.created.push((repaired, row.to_owned(), asked.request_id.clone()));
        }
        if !is_right && !is_excused {
            history.wrong.push(format!("{kind:?}: {status} {body}"));
        }
    }
}

//! The database fails: requests are refused soon, and answered again soon after it is back, by the same process.

mod hang_ups;
mod network;
mod postgres;
mod sqlite;
mod sqlite_replaced;
mod transactions;
mod waiting_writes;

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use serde_json::json;

use crate::support::app::{Answer, TestApp};
use crate::support::databases::Database;
use crate::support::projection::NESTED;
use crate::support::world::World;

/// No request takes longer, whatever the database does.
const LONGEST_REQUEST: Duration = Duration::from_secs(3);
/// How long after the database is back everything works again, at the latest.
const LONGEST_RECOVERY: Duration = Duration::from_secs(5);

const REPAIR: &str = "mutation Repair($id: ObjectID!) { repairConnection(input: {connectionId: $id}) { outcome \
    userErrors { code } } }";

/// A running application, whose pool is full of open connections, and what can be asked of it.
struct Subject {
    app: TestApp,
    /// The same, by a key that it has not seen yet.
    stranger: TestApp,
    world: World,
}

impl Subject {
    async fn start(database: &Database) -> Self {
        let (app, world) = TestApp::in_world_as_superuser(database, 12).await;
        let stranger = app.become_caller(world.caller()).await;
        let subject = Self { app, stranger, world };
        for _ in 0..3 {
            assert_eq!(subject.ask_much().await, Vec::<String>::new());
        }
        subject
    }

    /// What may be read.
    async fn read(&self) -> Vec<Answer> {
        let (row, no_variables) = (format!("/connections/{}", self.world.own_row("id")), json!({}));
        let (list, one, graphql) = tokio::join!(
            in_time(self.app.get("/connections")),
            in_time(self.app.get(&row)),
            in_time(self.app.graphql(NESTED, &no_variables)),
        );
        vec![list, one, graphql]
    }

    /// Repairs of a connection that has its row, and of one that has none.
    async fn repair(&self, missing: &str) -> [Answer; 2] {
        let existing = json!({"connection_id": self.world.own_row("external_id")});
        let missing = json!({"id": missing});
        let (rest, graphql) = tokio::join!(
            in_time(self.app.post("/connections", &existing)),
            in_time(self.app.graphql(REPAIR, &missing)),
        );
        [rest, graphql]
    }

    /// Many requests at once, more than the pool has connections. Gives those that were not answered as they should be.
    async fn ask_much(&self) -> Vec<String> {
        let answers = join_all((0..8).map(|_| self.read())).await;
        let bad = answers.iter().flatten().filter(|answer| answer.status != 200 || code(answer).is_some());
        bad.map(|answer| format!("{} {}", answer.status, answer.body)).collect()
    }

    /// While the fault lasts: everything is refused, in time, and the process says so.
    async fn is_out_of_service(&self) {
        let missing = self.world.missing();
        for _ in 0..2 {
            let start = Instant::now();
            let (answers, repairs, unseen, ready, live) = tokio::join!(
                join_all((0..4).map(|_| self.read())),
                self.repair(&missing[0]),
                in_time(self.stranger.get("/connections")),
                in_time(self.app.get("/readyz")),
                in_time(self.app.get("/livez")),
            );
            println!("refused after {:?} at the latest", start.elapsed());
            for answer in answers.iter().flatten().chain(&repairs).chain([&unseen]) {
                assert!(is_refused(answer), "{} {:?} {}", answer.status, answer.headers, answer.body);
            }
            assert_eq!((ready.status, &ready.body["reason"]), (503, &json!("database unreachable")));
            assert_eq!(live.status, 200);
        }
    }

    /// After the fault: everything works, soon and for good.
    async fn recovers(&self) {
        let start = Instant::now();
        loop {
            let bad = self.ask_much().await;
            if bad.is_empty() {
                break;
            }
            assert!(start.elapsed() < LONGEST_RECOVERY, "still refused: {bad:?}");
        }
        println!("recovered after {:?}", start.elapsed());
        self.works().await;
    }

    /// Everything is answered, repairs too; each connection of the pool has its turn.
    async fn works(&self) {
        for _ in 0..4 {
            assert_eq!(self.ask_much().await, Vec::<String>::new());
        }
        assert_eq!(self.app.get("/readyz").await.status, 200);
        let missing = &self.world.missing()[1];
        let [existing, created] = self.repair(missing).await;
        assert_eq!(existing.status, 409, "{}", existing.body);
        let payload = &created.body["data"]["repairConnection"];
        let is_repaired = payload["outcome"] == "CREATED" || payload["userErrors"][0]["code"] == "ALREADY_EXISTS";
        assert!(is_repaired, "{}", created.body);
    }
}

async fn in_time(answer: impl Future<Output = Answer>) -> Answer {
    let start = Instant::now();
    let answer = answer.await;
    let took = start.elapsed();
    assert!(took <= LONGEST_REQUEST, "{took:?}: {} {}", answer.status, answer.body);
    answer
}

fn code(answer: &Answer) -> Option<&str> {
    answer.body["errors"][0]["extensions"]["code"].as_str()
}

/// Told to come again: by the status, or in GraphQL by the error's code.
fn is_refused(answer: &Answer) -> bool {
    match code(answer) {
        Some(code) => code == "UNAVAILABLE" && answer.body["errors"][0]["extensions"]["retryable"] == true,
        None => answer.status == 503 && answer.headers.contains_key("retry-after"),
    }
}

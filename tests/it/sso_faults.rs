//! Whatever SSO does, at the socket: reads lose what only SSO knows and nothing else, repairs are refused, in time, and
//! nobody gets to see a word of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::support::app::{Answer, Setup, TestApp};
use crate::support::databases::Database;
use crate::support::projection::{NESTED, rest_entry};
use crate::support::raw_sso::{RawSso, Script};
use crate::support::sso_faults::{self, Fault, SECRET};
use crate::support::world::World;

/// Beyond its budget a request may take so long.
const GRACE: Duration = Duration::from_millis(100);

/// Five pages of SSO's and more.
fn world() -> World {
    let world = World::with_connections(16);
    assert!(world.listed_for_caller() > 8);
    world
}

/// The application in front of this SSO, called by a superuser.
async fn in_front_of(sso: &str, budget: Duration, database: &Database, world: &World) -> TestApp {
    let setup = Setup { budget, sso: Some(sso.to_owned()), ..Setup::default() };
    TestApp::start_with(database, setup).await.become_superuser(world.caller()).await
}

/// The answer, and how long it took.
async fn timed(answer: impl Future<Output = Answer>) -> (Answer, Duration) {
    let started = Instant::now();
    (answer.await, started.elapsed())
}

/// What must hold of a list, a GraphQL list and a repair under this fault.
struct Trial<'a> {
    app: &'a TestApp,
    database: &'a Database,
    world: &'a World,
    fault: &'a Fault,
}

impl Trial<'_> {
    async fn run(&self, budget: Duration) {
        let name = self.fault.name;
        let page = json!({"first": 100});
        let mut took = Vec::new();
        // Other tests run on the same cores: one of several tries must be in time.
        for attempt in 0..5 {
            let (list, graphql, repair) = tokio::join!(
                timed(self.app.get("/connections")),
                timed(self.app.graphql(NESTED, &page)),
                timed(self.repair(attempt)),
            );
            self.list_is_local(&list.0);
            self.graphql_is_local(&graphql.0);
            self.repair_is_refused(attempt, &repair.0).await;
            let slowest = list.1.max(graphql.1).max(repair.1);
            took.push(slowest);
            if slowest <= budget + GRACE {
                return;
            }
        }
        panic!("{name}: never within {budget:?} and {GRACE:?}: {took:?}");
    }

    fn list_is_local(&self, list: &Answer) {
        let name = self.fault.name;
        assert_eq!((list.status, list.is_degraded()), (200, true), "{name}: {}", list.body);
        assert!(list.body == self.world.expected_list(false), "{name}");
        assert_eq!((list.headers.get("etag"), &list.headers["cache-control"]), (None, &"no-store".parse().unwrap()));
        says_nothing_of_sso(name, list);
    }

    fn graphql_is_local(&self, graphql: &Answer) {
        let name = self.fault.name;
        assert_eq!((graphql.status, graphql.is_degraded()), (200, true), "{name}: {}", graphql.body);
        assert_eq!(graphql.body.get("errors"), None, "{name}");
        let list = &graphql.body["data"]["connections"];
        let sso = json!({"source": "SSO", "state": "UNAVAILABLE", "asOf": null, "reason": self.fault.reason});
        assert_eq!(list["sources"][1], sso, "{name}");
        assert_eq!((&list["degraded"], &list["totalCountPrecision"]), (&json!(true), &json!("LOCAL_ONLY")), "{name}");
        let nodes = list["nodes"].as_array().unwrap();
        assert!(nodes.iter().all(|node| node["permissions"].is_null() && node["drift"] == "UNKNOWN"), "{name}");
        let told: Value = nodes.iter().map(rest_entry).collect();
        assert!(told == self.world.expected_list(false), "{name}");
        says_nothing_of_sso(name, graphql);
    }

    /// Where the fault spares it, only a dry run, so that the world stays what it is.
    async fn repair(&self, attempt: u32) -> Answer {
        let missing = &self.world.missing()[0];
        if self.fault.spares_single {
            let repair = "mutation Repair($id: ObjectID!) { repairConnection(input: {connectionId: $id, dryRun: true}) \
                { outcome userErrors { code } } }";
            return self.app.graphql(repair, &json!({"id": missing})).await;
        }
        let request = self.app.client.post(format!("{}/connections", self.app.url));
        let request = request.header("content-type", "application/json").header("x-request-id", self.id(attempt));
        self.app.send(request.body(json!({"connection_id": missing}).to_string())).await
    }

    async fn repair_is_refused(&self, attempt: u32, repair: &Answer) {
        let name = self.fault.name;
        says_nothing_of_sso(name, repair);
        if self.fault.spares_single {
            let payload = &repair.body["data"]["repairConnection"];
            assert_eq!(payload, &json!({"outcome": "WOULD_CREATE", "userErrors": []}), "{name}");
            return;
        }
        assert_eq!(repair.status, 503, "{name}: {}", repair.body);
        let retry_after: u32 = repair.headers["retry-after"].to_str().unwrap().parse().unwrap();
        assert!((1..=60).contains(&retry_after), "{name}: {retry_after}");
        let trail = format!("repair_records WHERE request_id = '{}' AND outcome IS NULL", self.id(attempt));
        assert_eq!(self.database.count(&trail).await, 1, "{name}");
        assert_eq!(self.database.count(&format!("{trail} AND error_code = 'SSO_UNAVAILABLE'")).await, 1, "{name}");
    }

    fn id(&self, attempt: u32) -> String {
        let name: String = self.fault.name.chars().filter(char::is_ascii_alphanumeric).collect();
        format!("{name}-{attempt}")
    }
}

fn says_nothing_of_sso(name: &str, answer: &Answer) {
    let told = format!("{:?}{}", answer.headers, answer.body);
    assert!(!told.contains(SECRET), "{name}: {told}");
}

async fn costs_only_what_sso_knows(database: &Database, faults: Vec<Fault>, budget: Duration) {
    let world = world();
    database.execute(&world.sql()).await;
    let sso = RawSso::start(world.listed.clone()).await;
    let app = in_front_of(&sso.url, budget, database, &world).await;
    let rows = database.count("account_connections").await;
    for fault in &faults {
        sso.play(Arc::clone(&fault.answer));
        Trial { app: &app, database, world: &world, fault }.run(budget).await;
        // It leaves nothing behind: not in what is kept, not in a connection that is used again.
        sso.tell_the_truth();
        let list = app.get("/connections").await;
        assert!(!list.is_degraded(), "after: {}", fault.name);
        assert!(list.body == world.expected_list(true), "after: {}", fault.name);
    }
    assert_eq!(database.count("account_connections").await, rows);
}

async fn an_sso_that_hangs_or_drips_costs_its_budget(database: Database) {
    costs_only_what_sso_knows(&database, sso_faults::hanging(), Duration::from_millis(250)).await;
}

crate::on_both_databases!(an_sso_that_hangs_or_drips_costs_its_budget);

/// Wide, since what these faults cost is their own time, and a debug build on a busy machine has little of it.
const WIDE: Duration = Duration::from_secs(20);

async fn a_connection_that_breaks_costs_only_what_sso_knows(database: Database) {
    costs_only_what_sso_knows(&database, sso_faults::broken(), WIDE).await;
}

crate::on_both_databases!(a_connection_that_breaks_costs_only_what_sso_knows);

async fn a_bad_status_costs_only_what_sso_knows(database: Database) {
    costs_only_what_sso_knows(&database, sso_faults::statuses(), WIDE).await;
}

crate::on_both_databases!(a_bad_status_costs_only_what_sso_knows);

async fn a_bad_payload_costs_only_what_sso_knows(database: Database) {
    costs_only_what_sso_knows(&database, sso_faults::payloads(), WIDE).await;
}

crate::on_both_databases!(a_bad_payload_costs_only_what_sso_knows);

async fn a_flood_costs_only_what_sso_knows(database: Database) {
    costs_only_what_sso_knows(&database, sso_faults::floods(), WIDE).await;
}

crate::on_both_databases!(a_flood_costs_only_what_sso_knows);

async fn a_peer_that_speaks_no_tls_costs_only_what_sso_knows(database: Database) {
    let world = world();
    database.execute(&world.sql()).await;
    let sso = RawSso::start(world.listed.clone()).await;
    let url = sso.url.replace("http://", "https://");
    let budget = Duration::from_secs(2);
    let app = in_front_of(&url, budget, &database, &world).await;
    for fault in &sso_faults::without_tls() {
        sso.play(Arc::clone(&fault.answer));
        Trial { app: &app, database: &database, world: &world, fault }.run(budget).await;
    }
}

crate::on_both_databases!(a_peer_that_speaks_no_tls_costs_only_what_sso_knows);

async fn while_faults_come_and_go_every_answer_is_whole_or_local(database: Database) {
    const RARELY: usize = 13;
    let world = world();
    database.execute(&world.sql()).await;
    let sso = RawSso::start(world.listed.clone()).await;
    let app = in_front_of(&sso.url, WIDE, &database, &world).await;
    // Now and then a call, be it for a first page or a later one, meets another fault.
    let faults = [sso_faults::broken(), sso_faults::statuses(), sso_faults::payloads()].concat();
    let calls = AtomicUsize::new(0);
    sso.play(Arc::new(move |request| {
        let call = calls.fetch_add(1, Ordering::SeqCst);
        let fault = &faults[call / RARELY % faults.len()];
        if call.is_multiple_of(RARELY) { (fault.answer)(request) } else { Script::truth(request) }
    }));
    let (whole, local) = (world.expected_list(true), world.expected_list(false));
    let lists = join_all((0..4).map(async |_| {
        let mut degraded = 0;
        for _ in 0..60 {
            let list = app.get("/connections").await;
            let expected = if list.is_degraded() { &local } else { &whole };
            assert!(list.status == 200 && list.body == *expected, "{}: {}", list.status, list.body);
            degraded += usize::from(list.is_degraded());
        }
        degraded
    }));
    let degraded: usize = lists.await.into_iter().sum();
    assert!((1..240).contains(&degraded), "{degraded}");
    sso.tell_the_truth();
    assert!(!app.get("/connections").await.is_degraded());
}

crate::on_both_databases!(while_faults_come_and_go_every_answer_is_whole_or_local);

async fn another_host_is_never_called(database: Database) {
    let world = world();
    let elsewhere = RawSso::start(world.listed.clone()).await;
    let faults = ["301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"].map(|status| {
        let head = format!("location: {}network_connections\r\n", elsewhere.url);
        let answer = Arc::new(move |_: &_| Script::answer(status, &head, SECRET));
        Fault { name: status, reason: "BAD_STATUS", spares_single: false, answer }
    });
    costs_only_what_sso_knows(&database, faults.to_vec(), WIDE).await;
    assert_eq!(elsewhere.calls(), 0);
}

crate::on_both_databases!(another_host_is_never_called);

async fn what_is_odd_and_yet_right_costs_nothing(database: Database) {
    let world = world();
    database.execute(&world.sql()).await;
    let sso = RawSso::start(world.listed.clone()).await;
    let app = in_front_of(&sso.url, WIDE, &database, &world).await;
    for oddity in sso_faults::oddities() {
        sso.play(oddity.answer);
        let list = app.get("/connections").await;
        assert!(!list.is_degraded(), "{}", oddity.name);
        assert!(list.body == world.expected_list(true), "{}", oddity.name);
    }
}

crate::on_both_databases!(what_is_odd_and_yet_right_costs_nothing);

//! What befalls the server meanwhile: SSO's and the database's faults, coming and going, and another program that writes.

use std::sync::Arc;
use std::time::{Duration, Instant};

use lc_connections::sso::simulator::{Scenario, Simulator};
use rand::Rng;
use rand::seq::IndexedRandom;
use serde_json::json;
use tokio::sync::Mutex;
use tokio::time::{sleep, sleep_until};

use super::past::Troubles;
use super::{Account, Pace};
use crate::support::cluster::Cluster;
use crate::support::databases::Database;
use crate::support::world::World;

/// A fault that comes and goes.
#[derive(Debug, Clone, Copy)]
enum Fault {
    Sso(Scenario),
    /// Nothing moves; of SQLite, nobody else may write.
    Frozen,
    /// Ended without a farewell, and started again; of SQLite as above.
    Restarted,
}

const FAULTS: [Fault; 9] = [
    Fault::Sso(Scenario::Down),
    Fault::Frozen,
    Fault::Sso(Scenario::Hang),
    Fault::Restarted,
    Fault::Sso(Scenario::Garbage),
    Fault::Sso(Scenario::Flap),
    Fault::Frozen,
    Fault::Sso(Scenario::Slow),
    Fault::Sso(Scenario::PageFails),
];

/// When there was trouble, and of what kind.
#[derive(Default)]
pub struct Log {
    /// SSO may not be had.
    pub sso: Troubles,
    /// SSO is not to be had.
    pub sso_is_gone: Troubles,
    pub database: Troubles,
}

/// Brings trouble until the time is over, and ends when all is well again.
pub async fn bring(
    simulator: &Simulator,
    database: &Arc<Mutex<Database>>,
    cluster: &mut Option<Cluster>,
    log: &Log,
    pace: &Pace,
    until: Instant,
) -> usize {
    let mut brought = 0;
    for fault in FAULTS.into_iter().cycle() {
        if Instant::now() + pace.quiet * 2 + pace.fault > until {
            break;
        }
        sleep(pace.quiet).await;
        match fault {
            Fault::Sso(scenario) => {
                let is_gone = matches!(scenario, Scenario::Down | Scenario::Hang | Scenario::Garbage);
                log.sso.begins();
                simulator.set_scenario(scenario);
                if is_gone {
                    log.sso_is_gone.begins();
                }
                sleep(pace.fault).await;
                if is_gone {
                    log.sso_is_gone.ends();
                }
                simulator.reset_scenarios();
                log.sso.ends();
            }
            Fault::Frozen | Fault::Restarted => {
                // The other program pauses, since its own writes would fail as well.
                let database = database.lock().await;
                log.database.begins();
                match (&mut *cluster, fault) {
                    (Some(cluster), Fault::Frozen) => {
                        cluster.freeze();
                        sleep(pace.fault).await;
                        cluster.thaw();
                    }
                    (Some(cluster), _) => {
                        cluster.stop_immediately();
                        sleep(pace.fault).await;
                        cluster.start_again().await;
                    }
                    (None, _) => {
                        let blocker = database.block_writers().await;
                        sleep(pace.fault).await;
                        blocker.release().await;
                    }
                }
                log.database.ends();
                while database.try_execute("SELECT 1").await.is_err() {
                    sleep(Duration::from_millis(20)).await;
                }
            }
        }
        brought += 1;
    }
    sleep_until(until.into()).await;
    brought
}

/// Another program's writes: rows appear, vanish and change, cards change.
pub async fn write(database: Arc<Mutex<Database>>, accounts: Arc<Vec<Account>>, until: Instant) -> usize {
    let mut written = 0;
    while Instant::now() < until {
        {
            let database = database.lock().await;
            let account = accounts.choose(&mut rand::rng()).unwrap();
            let (world, sql) = changed(account.oracle.history.latest(), written);
            account.oracle.history.begins(world);
            database.execute(&sql).await;
            account.oracle.history.is_done();
        }
        written += 1;
        sleep(Duration::from_millis(700)).await;
    }
    written
}

/// A change, and the statement for it.
fn changed(mut world: World, number: usize) -> (World, String) {
    let mut random = rand::rng();
    let (caller, now) = (json!(world.caller().id), "2024-05-09T10:00:00.000Z");
    let own: Vec<usize> =
        (0..world.connections.len()).filter(|at| world.connections[*at]["account_id"] == caller).collect();
    let at = *own.choose(&mut random).unwrap();
    let id = world.connections[at]["id"].as_str().unwrap().to_owned();
    let sql = match random.random_range(0..4) {
        0 => {
            let mut row = world.connections[at].clone();
            row.insert("id", json!(format!("{:024x}", random.random::<u64>())));
            row.insert("external_id", json!(format!("{:024x}", random.random::<u64>())));
            world.connections.push(row.clone());
            World {
                accounts: vec![],
                connections: vec![row],
                entities: vec![],
                custom_entities: vec![],
                listed: vec![],
            }
            .sql()
        }
        1 if own.len() > 20 => {
            world.connections.remove(at);
            format!("DELETE FROM account_connections WHERE id = '{id}'")
        }
        2 => {
            let cards: Vec<usize> =
                (0..world.entities.len()).filter(|at| world.entities[*at]["account_id"] == caller).collect();
            let card = &mut world.entities[*cards.choose(&mut random).unwrap()];
            card.insert("name", json!(format!("Card {number}")));
            card.insert("updated_at", json!(now));
            format!(
                "UPDATE account_entities SET name = 'Card {number}', updated_at = '{now}' WHERE account_id = {} AND id = {}",
                literal(&card["account_id"]),
                literal(&card["id"])
            )
        }
        _ => {
            let row = &mut world.connections[at];
            row.insert("updated_at", json!(now));
            row.insert("ui_state", json!({"has_setup_buyer_delivery": true, "number": number}));
            format!(
                "UPDATE account_connections SET updated_at = '{now}', \
                 ui_state = '{{\"has_setup_buyer_delivery\":true,\"number\":{number}}}' WHERE id = '{id}'"
            )
        }
    };
    (world, sql)
}

fn literal(value: &serde_json::Value) -> String {
    format!("'{}'", value.as_str().unwrap())
}

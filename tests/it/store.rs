//! The store: whose rows are read, what other programs wrote, and what happens when the database is in the way.

use std::sync::Arc;

use lc_connections::domain::connection::RelationshipType;
use lc_connections::domain::id::{AccountId, ObjectId, SsoConnectionId, SsoId};
use lc_connections::domain::repair::{NewConnection, RepairRecord, RepairVia};
use lc_connections::domain::timestamp::Timestamp;
use lc_connections::service::new_id::NewIds;
use lc_connections::store::{Inserted, Store, StoreError};
use sea_orm::DbBackend;

use crate::support::databases::Database;
use crate::support::world::World;

async fn no_finder_gives_another_owners_row(database: Database) {
    let world = World::random(3, 14);
    database.execute(&world.sql()).await;
    let store = database.store().await;
    let (owner, other): (AccountId, AccountId) =
        (world.accounts[0].id.parse().unwrap(), world.accounts[1].id.parse().unwrap());
    let partners: Vec<AccountId> = world.accounts.iter().map(|account| account.id.parse().unwrap()).collect();
    let count = |rows: &[crate::support::world::Row]| {
        rows.iter().filter(|row| row["account_id"] == world.accounts[0].id).count()
    };

    assert_eq!(store.connections(owner, true).await.unwrap().len(), count(&world.connections));
    let of_owner: Vec<_> = partners.iter().map(|partner| (owner, *partner)).collect();
    assert_eq!(store.account_entities(&of_owner).await.unwrap().len(), count(&world.entities));
    assert_eq!(store.custom_entities(&of_owner).await.unwrap().len(), count(&world.custom_entities));
    // Of several owners at once, each has its own.
    let both: Vec<_> = partners.iter().flat_map(|partner| [(owner, *partner), (other, *partner)]).collect();
    let entities = store.account_entities(&both).await.unwrap();
    assert_eq!(entities.len(), world.entities.len());
    assert_eq!(entities.iter().filter(|(of, _)| *of == owner).count(), count(&world.entities));
    let custom_entities = store.custom_entities(&both).await.unwrap();
    assert_eq!(custom_entities.len(), world.custom_entities.len());
    assert_eq!(custom_entities.iter().filter(|(of, ..)| *of == owner).count(), count(&world.custom_entities));
    for row in &world.connections {
        let column = |name: &str| row[name].as_str().map(|text| text.parse::<AccountId>().unwrap().0);
        let is_owners = row["account_id"] == world.accounts[0].id;
        let found = async |owner, id: ObjectId| store.connections_by_any_id(owner, id, false).await.unwrap().len();
        for id in [column("id"), column("external_id"), column("invitation_id")].into_iter().flatten() {
            assert_eq!(found(owner, id).await, usize::from(is_owners));
            assert_eq!(found(other, id).await, usize::from(!is_owners));
        }
        let external_id = SsoConnectionId(column("external_id").unwrap());
        assert_eq!(store.connection_by_sso_id(owner, external_id, false).await.unwrap().is_some(), is_owners);
        let partner = SsoId(column("connected_account_sso_id").unwrap());
        for ids in [vec![(owner, external_id)], vec![(owner, external_id), (other, SsoConnectionId(partner.0))]] {
            let with_partner = store.connections_with_partners(&[(owner, partner)], &ids).await.unwrap();
            assert_eq!(with_partner.iter().any(|(_, found)| found.sso_connection_id() == external_id), is_owners);
            let by_id = store.connections_by_sso_ids(&ids, false).await.unwrap();
            assert_eq!(by_id.iter().any(|(of, _)| *of == owner), is_owners);
        }
    }
}

crate::on_both_databases!(no_finder_gives_another_owners_row);

const OWNER: &str = "a00000000000000000000001";
const PARTNER: &str = "a00000000000000000000002";

/// What another program wrote, in the forms that each database's own clients use.
pub async fn other_programs_rows(database: &Database) {
    let [midsummer, finer] = match database.backend() {
        DbBackend::Postgres => ["2024-06-21 12:00:00.123999+02", "2024-06-21 10:00:00+00"],
        _ => ["2024-06-21T12:00:00.123999+02:00", "2024-06-21T10:00:00Z"],
    };
    let (yes, no) = if database.backend() == DbBackend::Postgres { ("true", "false") } else { ("1", "0") };
    database
        .execute(&format!(
            "INSERT INTO accounts VALUES ('{OWNER}', '500000000000000000000001', 'Owner', '{finer}', '{finer}'), \
             ('{PARTNER}', '500000000000000000000002', 'Partner', '{finer}', '{finer}');
             INSERT INTO account_connections (id, account_id, external_id, relationship_type, connected_account_id, \
             connected_account_sso_id, connected_account_name, ui_state, created_at, updated_at) VALUES \
             ('b00000000000000000000001', '{OWNER}', 'c00000000000000000000001', 'buyer', '{PARTNER}', \
             '500000000000000000000002', 'Copy', '{{\"a\": [1]}}', '{midsummer}', '{finer}');
             INSERT INTO account_entities (account_id, id, connected_account_id, name, standard, account, source, recipient, \
             logo_url, flow_ids, module_ids, created_at, updated_at) VALUES \
             ('{OWNER}', 'e00000000000000000000001', '{PARTNER}', 'Card', {yes}, {no}, 'magic', 'esp', 'no url', \
             '{{\"not\": \"a list\"}}', '[1, \"two\"]', '{midsummer}', '{finer}');"
        ))
        .await;
}

async fn rows_of_other_programs_are_read_and_odd_values_kept(database: Database) {
    other_programs_rows(&database).await;
    let store = database.store().await;
    let (owner, partner): (AccountId, AccountId) = (OWNER.parse().unwrap(), PARTNER.parse().unwrap());
    let row = store.connections(owner, true).await.unwrap().pop().unwrap();
    assert_eq!(row.created_at().to_string(), "2024-06-21T10:00:00.123Z", "cut to milliseconds");
    assert_eq!(row.updated_at().to_string(), "2024-06-21T10:00:00.000Z");
    assert_eq!(row.relationship_type(), RelationshipType::Buyer);
    assert_eq!(row.ui_state().unwrap().raw().as_str(), "{\"a\": [1]}");
    let card = store.account_entities(&[(owner, partner)]).await.unwrap().pop().unwrap().1;
    assert_eq!((card.standard(), card.account(), card.pending()), (Some(true), Some(false), None));
    assert_eq!((card.source().unwrap().as_str(), card.recipient().unwrap().as_str()), ("magic", "esp"));
    assert_eq!(card.module_ids().raw().as_str(), "[1, \"two\"]");
    assert_eq!(card.flow_ids().unwrap().raw().as_str(), "{\"not\": \"a list\"}");
}

crate::on_both_databases!(rows_of_other_programs_are_read_and_odd_values_kept);

pub fn repair_of(number: u32, now: Timestamp) -> (NewConnection, RepairRecord) {
    let ids = NewIds::new();
    let sso_connection_id: SsoConnectionId = format!("c{number:023}").parse().unwrap();
    let row = NewConnection {
        id: ids.next(now).into(),
        account_id: OWNER.parse().unwrap(),
        sso_connection_id,
        invitation_id: None,
        relationship_type: RelationshipType::Seller,
        partner_id: None,
        partner_sso_id: "500000000000000000000002".parse().unwrap(),
        partner_name: "it's".into(),
        created_by: None,
        created_at: now,
        updated_at: now,
    };
    let record = RepairRecord {
        id: ids.next(now).into(),
        account_id: row.account_id,
        sso_connection_id,
        actor: "staff@example.com".into(),
        api_key_id: None,
        via: RepairVia::Cli,
        reason: None,
        request_id: "r".into(),
        result: Some(Ok(())),
        changes: row.changes(),
        created_at: now,
    };
    (row, record)
}

async fn of_many_at_once_one_inserts_and_leaves_one_record(database: Database) {
    other_programs_rows(&database).await;
    let store = Arc::new(database.store().await);
    let attempts: Vec<_> = (0..16)
        .map(|_| {
            let store = Arc::clone(&store);
            tokio::spawn(async move {
                let (row, record) = repair_of(77, Timestamp::from_millis(1_700_000_000_123));
                store.insert_repair(&row, &record).await.unwrap()
            })
        })
        .collect();
    let mut created = 0;
    for attempt in attempts {
        created += usize::from(attempt.await.unwrap() == Inserted::Created);
    }
    assert_eq!(created, 1);
    assert_eq!(database.count("account_connections").await, 2);
    assert_eq!(database.count("repair_records").await, 1);
    if database.backend() == DbBackend::Sqlite {
        let stored: String = database.scalar("SELECT created_at FROM repair_records").await;
        assert_eq!(stored, "2023-11-14T22:13:20.123Z");
    }
}

crate::on_both_databases!(of_many_at_once_one_inserts_and_leaves_one_record);

async fn the_row_and_its_record_come_together_or_not_at_all(database: Database) {
    other_programs_rows(&database).await;
    let store = database.store().await;
    let (row, record) = repair_of(5, Timestamp::EPOCH);
    store.insert_repair(&row, &record).await.unwrap();
    // A record whose id is taken fails, and takes its row with it.
    let (other_row, mut other_record) = repair_of(6, Timestamp::EPOCH);
    other_record.id = record.id;
    assert!(matches!(store.insert_repair(&other_row, &other_record).await, Err(StoreError::Conflict { .. })));
    assert!(store.connection_by_sso_id(row.account_id, other_row.sso_connection_id, false).await.unwrap().is_none());
}

crate::on_both_databases!(the_row_and_its_record_come_together_or_not_at_all);

async fn the_trail_can_only_grow(database: Database) {
    let store = database.store().await;
    let (_, record) = repair_of(5, Timestamp::EPOCH);
    store.insert_record(&record).await.unwrap();
    for sql in ["UPDATE repair_records SET actor = 'someone else'", "DELETE FROM repair_records"] {
        let refused = database.try_execute(sql).await.unwrap_err();
        assert!(refused.to_string().contains("append-only"), "{refused}");
    }
    assert_eq!(database.count("repair_records").await, 1);
}

crate::on_both_databases!(the_trail_can_only_grow);

async fn an_exhausted_pool_is_unavailable_soon(database: Database) {
    let store = Store::connect(&database.url, 1).await.unwrap();
    other_programs_rows(&database).await;
    // Another program holds what the only connection then waits for, longer than anybody waits.
    let held = Store::connect(&database.url, 1).await.unwrap();
    let (row, record) = repair_of(9, Timestamp::EPOCH);
    held.insert_repair(&row, &record).await.unwrap();
    let blocker = database.block_writers().await;
    let waiting: Vec<_> = (0..4)
        .map(|number| {
            let store = store.clone();
            tokio::spawn(async move {
                let (row, record) = repair_of(100 + number, Timestamp::EPOCH);
                store.insert_repair(&row, &record).await
            })
        })
        .collect();
    for attempt in waiting {
        let refused = attempt.await.unwrap().unwrap_err();
        assert!(matches!(refused, StoreError::Unavailable { .. }), "{refused:?}");
    }
    blocker.release().await;
    let (row, record) = repair_of(200, Timestamp::EPOCH);
    assert_eq!(store.insert_repair(&row, &record).await.unwrap(), Inserted::Created, "it recovers by itself");
    // What was refused is not written later, and what was written after it is there for everybody.
    assert_eq!(database.count("account_connections").await, 3);
    assert_eq!(database.count("repair_records").await, 2);
}

crate::on_both_databases!(an_exhausted_pool_is_unavailable_soon);

async fn look_ups_use_their_indexes(database: Database) {
    if database.backend() != DbBackend::Sqlite {
        // PostgreSQL reads small tables whole, whatever the indexes; there, forbid it to.
        database.execute("SET enable_seqscan = off").await;
    }
    for (sql, table) in [
        (
            "SELECT id FROM account_connections WHERE account_id = 'a' ORDER BY created_at, external_id",
            "account_connections",
        ),
        ("SELECT id FROM account_connections WHERE account_id = 'a' AND id = 'b'", "account_connections"),
        ("SELECT id FROM account_connections WHERE account_id = 'a' AND external_id = 'b'", "account_connections"),
        ("SELECT id FROM account_connections WHERE account_id = 'a' AND invitation_id = 'b'", "account_connections"),
        (
            "SELECT id FROM account_connections WHERE account_id = 'a' AND connected_account_sso_id = 'b'",
            "account_connections",
        ),
        ("SELECT id FROM account_entities WHERE account_id = 'a' AND connected_account_id = 'b'", "account_entities"),
        ("SELECT id FROM custom_entities WHERE account_id = 'a' AND connected_account_id = 'b'", "custom_entities"),
        ("SELECT id FROM repair_records WHERE account_id = 'a' AND external_id = 'b'", "repair_records"),
    ] {
        let plan = database.plan(sql).await;
        let scans = if database.backend() == DbBackend::Sqlite {
            format!("SCAN {table}")
        } else {
            format!("Seq Scan on {table}")
        };
        assert!(plan.contains("ndex") || plan.contains("INDEX"), "{sql}: {plan}");
        assert!(!plan.contains(&scans) || plan.contains("USING COVERING INDEX"), "{sql}: {plan}");
    }
}

crate::on_both_databases!(look_ups_use_their_indexes);

//! Random worlds into which another program has written odd values, wherever a column takes one: every list and every
//! connection is answered, and as both descriptions say.
//!
//! Clients that are generated from a description refuse a whole list for one value outside of it: pydantic, zod and ajv
//! for a `format: uri` (<https://github.com/Universal-Commerce-Protocol/js-sdk/pull/44>), all of them for another JSON
//! type.

use std::fmt::Write as _;

use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use sea_orm::DbBackend;
use serde_json::{Value, json};

use crate::support::app::{Scenario, TestApp};
use crate::support::databases::Database;
use crate::support::description::Description;
use crate::support::world::{Row, World};

const WORLDS_A_DATABASE: u64 = 40;

/// Values for a kind of column, in SQL: for both databases, then for one alone.
struct Odd {
    both: &'static [&'static str],
    sqlite: &'static [&'static str],
    postgres: &'static [&'static str],
}

const NULL: &[&str] = &["NULL"];

/// Free texts, and texts that are meant to be something.
const TEXTS: Odd = Odd {
    both: &[
        "''",
        "' '",
        "'www.contoso.example'",
        "'//nowhere'",
        "'http://exa mple.com/ü?q=[]'",
        "'javascript:alert(1)'",
        "'null'",
        "'\"'",
        "'\\'",
        "'Seller'",
        "'BUYER'",
        "'sms'",
        "'Mars/Olympus Mons'",
        "'5FD4371E940DF5A34A3888B2'",
        "'\u{1f600} \u{202e}abc\u{2028}'",
        "'line\nline\r\ttab\u{1}\u{7f}\u{85}'",
        "'<script>&amp;'",
        "'a text of sixty-four characters, and then some more of them: abcdef'",
    ],
    sqlite: &["7", "1.5", "x'00ff'", "'a' || char(0) || 'b'", "CAST(x'61ff62' AS text)", "x''"],
    postgres: &[],
};

const DOCUMENTS: Odd = Odd {
    both: &[
        "'null'",
        "'true'",
        "'0'",
        "'-0.0'",
        "'12345678901234567890123'",
        "'1e400'",
        "'{\"zoom\": 1e400, \"has_setup_buyer_delivery\": \"yes\"}'",
        "'\"text\"'",
        "'\"\"'",
        "'[]'",
        "'{}'",
        "'[null, 1, \"5fd4371e940df5a34a3888b2\", [\"5fd4371e940df5a34a3888b2\"], {\"a\": []}]'",
        "'{\"a\": {\"b\": [[]]}, \"a\": 2, \"\": null}'",
        "'{\"$serde_json::private::RawValue\": \"1\", \"$serde_json::private::Number\": \"x\"}'",
        "'[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]'",
    ],
    sqlite: &["'no JSON'", "''", "'{'", "'NaN'", "x'00ff'", "'\"\\ud800\"'", "'{\"a\": \"\\ud800\"}'", "7", "' [1] '"],
    postgres: &[],
};

const TIMES: Odd = Odd {
    both: &["'9999-12-31T23:59:59.999Z'", "'1969-12-31T23:59:59.9999Z'", "'2024-02-29T00:00:00+14:00'"],
    sqlite: &[
        "'0000-01-01T00:00:00Z'",
        "'0000-12-31T23:59:59+23:59'",
        "'9999-12-31T23:59:60Z'",
        "'2024-05-01 10:00:00'",
        "'2024-02-30T10:00:00Z'",
        "'tomorrow'",
        "''",
        "17",
        "x'00'",
    ],
    postgres: &["'infinity'", "'-infinity'", "'0044-03-15 12:00:00 BC'", "'0001-01-01 00:00:00 BC'", "'12024-01-01'"],
};

const FLAGS: Odd =
    Odd { both: &["TRUE", "FALSE"], sqlite: &["2", "-1", "1.5", "'maybe'", "'true'", "''", "x'01'"], postgres: &[] };

const IDS: Odd = Odd {
    both: &["'no id'", "''", "'5FD4371E940DF5A34A3888B2'", "'5fd4371e940df5a34a3888b'"],
    sqlite: &["7", "x'00ff'"],
    postgres: &[],
};

/// Every column that a list shows; whether it may be NULL; its values.
const CONNECTIONS: &[(&str, bool, &Odd)] = &[
    ("invitation_id", true, &IDS),
    ("connected_account_name", false, &TEXTS),
    ("connected_account_sso_id", false, &IDS),
    ("created_by", true, &TEXTS),
    ("ui_state", false, &DOCUMENTS),
    ("created_at", false, &TIMES),
    ("updated_at", false, &TIMES),
];
const ENTITIES: &[(&str, bool, &Odd)] = &[
    ("name", false, &TEXTS),
    ("description", true, &TEXTS),
    ("standard", true, &FLAGS),
    ("account", true, &FLAGS),
    ("pending", true, &FLAGS),
    ("deprecated", true, &FLAGS),
    ("see", true, &TEXTS),
    ("field_suffix", true, &TEXTS),
    ("invitation_id", true, &IDS),
    ("invitation_expires_at", true, &TIMES),
    ("flow_ids", true, &DOCUMENTS),
    ("logo_url", true, &TEXTS),
    ("module_ids", false, &DOCUMENTS),
    ("source", true, &TEXTS),
    ("recipient", true, &TEXTS),
    ("time_zone", true, &TEXTS),
    ("trustedform_certified_vendor", true, &FLAGS),
    ("website", true, &TEXTS),
    ("created_at", false, &TIMES),
    ("updated_at", false, &TIMES),
];
const CUSTOM_ENTITIES: &[(&str, bool, &Odd)] =
    &[("name", false, &TEXTS), ("source", true, &TEXTS), ("recipient", true, &TEXTS), ("created_at", false, &TIMES)];
const ACCOUNTS: &[(&str, bool, &Odd)] = &[("name", false, &TEXTS)];

/// Statements that write an odd value into about every third column.
fn odd_values(world: &World, backend: DbBackend, random: &mut StdRng) -> String {
    let accounts: Vec<Row> = world.accounts.iter().map(|account| Row::from([("id", json!(account.id))])).collect();
    let mut sql = String::new();
    for (table, rows, columns) in [
        ("accounts", &accounts, ACCOUNTS),
        ("account_connections", &world.connections, CONNECTIONS),
        ("account_entities", &world.entities, ENTITIES),
        ("custom_entities", &world.custom_entities, CUSTOM_ENTITIES),
    ] {
        for row in rows {
            for (column, may_be_null, Odd { both, sqlite, postgres }) in columns {
                // A row whose partner has no id is left out of every list; a few such are enough.
                let chance = if *column == "connected_account_sso_id" { 0.05 } else { 0.35 };
                if !random.random_bool(chance) {
                    continue;
                }
                let own = if backend == DbBackend::Postgres { postgres } else { sqlite };
                let null = if *may_be_null { NULL } else { &[] };
                let among: Vec<&str> = [both, *own, null].concat();
                let value = among.choose(random).unwrap();
                writeln!(sql, "UPDATE {table} SET {column} = {value} WHERE id = '{}';", row["id"].as_str().unwrap())
                    .unwrap();
            }
        }
    }
    sql
}

/// Texts of SSO that are texts, and no more is known of them.
fn odd_texts_of_sso(world: &mut World, random: &mut StdRng) {
    const ODD: [&str; 4] = ["", "\u{0}\u{1f600}\u{2028}", "null", "//\"\\"];
    for one in &mut world.listed {
        for side in ["buyer", "seller"] {
            if random.random_bool(0.3) {
                one[side]["name"] = json!(ODD.choose(random).unwrap());
            }
            if random.random_bool(0.3) {
                one["permissions"][side] = ODD.choose_multiple(random, 2).copied().collect();
            }
        }
        if random.random_bool(0.3) {
            one["created_by"] = json!(ODD.choose(random).unwrap());
        }
        if random.random_bool(0.3) {
            one["created_at"] = ["0000-01-01T00:00:00Z", "9999-12-31T23:59:59.9999Z"].choose(random).copied().into();
        }
    }
}

async fn every_answer_about_odd_values_is_as_described(database: Database) {
    let mut description = Description::open();
    let app = TestApp::start(&database).await;
    let (mut entries, mut cards) = (0, 0);
    for seed in 0..WORLDS_A_DATABASE {
        let mut random = StdRng::seed_from_u64(seed);
        let mut world = World::random(seed, 14);
        odd_texts_of_sso(&mut world, &mut random);
        database.empty().await;
        let app = app.enter(&database, &world).await;
        let odd = odd_values(&world, database.backend(), &mut random);
        database.execute(&odd).await;
        for scenario in [Scenario::Ok, Scenario::Down] {
            app.simulator.set(scenario);
            for query in ["", "?relationship_type=buyer", "?envelope=true"] {
                let answer = description.get(&app, &format!("/connections{query}"), &[], 200).await;
                assert_eq!(answer.is_degraded(), scenario == Scenario::Down, "seed {seed}");
                if query.is_empty() {
                    let list = answer.body.as_array().unwrap();
                    entries += list.len();
                    cards += list.iter().filter(|entry| !entry["account_entity"].is_null()).count();
                }
            }
        }
        app.simulator.set(Scenario::Ok);
        for row in world.connections.iter().take(4) {
            for column in ["id", "external_id", "invitation_id"] {
                let Some(id) = row[column].as_str() else { continue };
                description.both(&app, &format!("/connections/{id}"), &[]).await;
            }
        }
    }
    assert!(entries > 200 && cards > 50, "{entries} entries, {cards} cards");
    let seen = ["GET /connections 200", "GET /connections/{id} 200", "HEAD /connections/{id} 200"];
    assert!(seen.iter().all(|answer| description.seen.contains(*answer)), "{:?}", description.seen);
}

crate::on_both_databases!(every_answer_about_odd_values_is_as_described);

#[test]
fn formats_and_types_are_held_against_values() {
    let is_valid = |schema: Value, value: Value| {
        jsonschema::options().should_validate_formats(true).build(&schema).unwrap().is_valid(&value)
    };
    for (format, right, wrong) in [
        ("date-time", "2024-02-29T00:00:00.000Z", "2023-02-29T00:00:00.000Z"),
        ("uri", "http://a.example/", "a.example"),
    ] {
        let schema = json!({"type": "string", "format": format});
        assert!(is_valid(schema.clone(), json!(right)) && !is_valid(schema, json!(wrong)), "{format}");
    }
    assert!(!is_valid(json!({"type": ["string", "null"], "pattern": "^a$"}), json!("b")));
}

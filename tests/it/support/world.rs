//! Random worlds: accounts, rows, cards and SSO's list, as plain values; written with plain SQL, as another program
//! would, and told by an oracle that shares no code with the program.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use serde_json::{Value, json};

/// An account of LC.
#[derive(Debug, Clone)]
pub struct Account {
    pub id: String,
    pub sso_id: String,
    pub name: String,
}

impl Account {
    /// One that is known by its id alone, which is enough for a key of it.
    pub fn of_id(id: &str) -> Self {
        Self { id: id.to_owned(), sso_id: String::new(), name: String::new() }
    }
}

/// A table's row: column names and JSON values; nested JSON is for JSON columns.
pub type Row = BTreeMap<&'static str, Value>;

/// Everything there is.
#[derive(Debug, Clone)]
pub struct World {
    /// The first one is the caller.
    pub accounts: Vec<Account>,
    pub connections: Vec<Row>,
    pub entities: Vec<Row>,
    pub custom_entities: Vec<Row>,
    /// SSO's `NetworkConnections`, of everyone.
    pub listed: Vec<Value>,
}

struct Maker {
    random: StdRng,
    last_id: u64,
}

impl Maker {
    fn id(&mut self) -> String {
        self.last_id += 1;
        // Random in front, so that the order of ids is not the order of making.
        format!("{:08x}{:016x}", self.random.random::<u32>(), self.last_id)
    }

    fn one_of<T: Clone>(&mut self, among: &[T]) -> T {
        among.choose(&mut self.random).unwrap().clone()
    }

    fn chance(&mut self, probability: f64) -> bool {
        self.random.random_bool(probability)
    }

    fn maybe(&mut self, value: Value) -> Value {
        if self.chance(0.6) { value } else { Value::Null }
    }

    fn time(&mut self) -> Value {
        // Few instants, so that the second key of the order matters.
        json!(format!("2024-05-{:02}T10:00:00.{:03}Z", self.random.random_range(1..=3), self.random.random_range(0..3)))
    }

    fn name(&mut self) -> Value {
        json!(self.one_of(&["Acme \"Corp\"", "Ümlaut & Söhne, Großhandel", "acme", "it's", "日本", "Zeta", ""]))
    }

    fn flag(&mut self) -> Value {
        self.one_of(&[json!(true), json!(false), Value::Null])
    }

    fn source(&mut self) -> Value {
        self.one_of(&[json!("form"), json!("seller"), json!("other"), Value::Null])
    }

    fn recipient(&mut self) -> Value {
        self.one_of(&[
            json!("buyer"),
            json!("crm"),
            json!("esp"),
            json!("analytics"),
            json!("enhancement"),
            Value::Null,
        ])
    }
}

impl World {
    /// The world of a seed, with up to `most` connections of the caller.
    pub fn random(seed: u64, most: usize) -> Self {
        let mut maker = Maker { random: StdRng::seed_from_u64(seed), last_id: 0 };
        let accounts: Vec<Account> = (0..5)
            .map(|_| Account { id: maker.id(), sso_id: maker.id(), name: maker.name().as_str().unwrap().to_owned() })
            .collect();
        let strangers: Vec<String> = (0..3).map(|_| maker.id()).collect();
        let mut world =
            Self { accounts, connections: vec![], entities: vec![], custom_entities: vec![], listed: vec![] };
        let count = maker.random.random_range(0..=most);
        for _ in 0..count {
            world.add_connection(&mut maker, 0, &strangers);
        }
        for _ in 0..4 {
            world.add_connection(&mut maker, 1, &strangers);
        }
        for owner in 0..2 {
            for partner in 0..5 {
                for _ in 0..maker.random.random_range(0..3) {
                    world.add_entity(&mut maker, owner, partner);
                    world.add_custom_entity(&mut maker, owner, partner);
                }
            }
        }
        world
    }

    /// A world in which the caller has exactly so many connections, the first of them without a row.
    pub fn with_connections(count: usize) -> Self {
        let mut maker = Maker { random: StdRng::seed_from_u64(count as u64), last_id: 1_000_000 };
        let mut world = Self::random(count as u64, 0);
        let strangers = vec![maker.id()];
        let (id, sso_id) = (json!(world.caller().id), world.caller().sso_id.clone());
        while world.missing().is_empty() || world.expected_list(true).as_array().unwrap().len() > 1 {
            world.connections.retain(|row| row["account_id"] != id);
            world.listed.retain(|one| Listed::seen_by(one, &sso_id).is_none());
            world.add_connection(&mut maker, 0, &strangers);
        }
        for _ in 1..count {
            world.add_connection(&mut maker, 0, &strangers);
        }
        world
    }

    /// A world in which each account has so many connections of its own making; the partners have many of them as well.
    pub fn of_many(count: usize) -> Self {
        let mut maker = Maker { random: StdRng::seed_from_u64(count as u64), last_id: 2_000_000 };
        let mut world = Self::random(count as u64, 0);
        let strangers: Vec<String> = (0..10).map(|_| maker.id()).collect();
        for owner in 0..world.accounts.len() {
            for _ in 0..count {
                world.add_connection(&mut maker, owner, &strangers);
            }
            for partner in 0..world.accounts.len() {
                world.add_entity(&mut maker, owner, partner);
                world.add_custom_entity(&mut maker, owner, partner);
            }
        }
        world
    }

    /// A column of one of the caller's rows.
    pub fn own_row(&self, column: &str) -> String {
        let caller = json!(self.caller().id);
        text(&self.connections.iter().find(|row| row["account_id"] == caller).unwrap()[column])
    }

    /// SSO ids of the caller's connections that have no row.
    pub fn missing(&self) -> Vec<String> {
        let list = self.expected_list(true);
        let is_missing = |entry: &&Value| entry["status"] == json!("sso_only");
        list.as_array().unwrap().iter().filter(is_missing).map(|entry| text(&entry["id"])).collect()
    }

    /// How many connections SSO lists for the caller.
    pub fn listed_for_caller(&self) -> usize {
        self.listed.iter().filter(|one| Listed::seen_by(one, &self.caller().sso_id).is_some()).count()
    }

    /// SSO ids of connections in which the caller takes no part.
    pub fn foreign(&self) -> Vec<String> {
        let caller = &self.caller().sso_id;
        self.listed.iter().filter(|one| Listed::seen_by(one, caller).is_none()).map(|one| text(&one["id"])).collect()
    }

    /// Whose list is asked for.
    pub fn caller(&self) -> &Account {
        &self.accounts[0]
    }

    /// The same world, asked by another of its accounts.
    pub fn asked_by(&self, account: usize) -> Self {
        let mut world = self.clone();
        world.accounts.swap(0, account);
        world
    }

    fn add_connection(&mut self, maker: &mut Maker, owner: usize, strangers: &[String]) {
        let owner = self.accounts[owner].clone();
        let mut partners: Vec<(Option<String>, String)> = self
            .accounts
            .iter()
            .filter(|account| account.id != owner.id)
            .map(|account| (Some(account.id.clone()), account.sso_id.clone()))
            .collect();
        partners.extend(strangers.iter().map(|sso_id| (None, sso_id.clone())));
        let (partner_id, partner_sso_id) = maker.one_of(&partners);
        let external_id = maker.id();
        let invitation_id = if maker.chance(0.7) { json!(maker.id()) } else { Value::Null };
        let relationship_type = maker.one_of(&["seller", "buyer"]);
        let (created_at, updated_at, created_by) = (maker.time(), maker.time(), json!("someone@example.com"));
        let created_by = maker.maybe(created_by);
        let (has_row, is_listed) = maker.one_of(&[(true, true), (true, true), (true, false), (false, true)]);
        if has_row {
            let mut row = Row::from([
                ("id", json!(maker.id())),
                ("account_id", json!(owner.id)),
                ("external_id", json!(external_id)),
                ("invitation_id", invitation_id.clone()),
                ("relationship_type", json!(relationship_type)),
                // Written while the partner had no LC account yet, now and then.
                ("connected_account_id", if maker.chance(0.8) { json!(partner_id) } else { Value::Null }),
                ("connected_account_sso_id", json!(partner_sso_id)),
                ("connected_account_name", maker.name()),
                ("created_by", created_by.clone()),
                ("created_at", created_at.clone()),
                ("updated_at", updated_at.clone()),
            ]);
            let noted = maker.chance(0.5);
            row.insert(
                "ui_state",
                if noted { json!({"has_setup_buyer_delivery": maker.chance(0.5)}) } else { json!({}) },
            );
            if maker.chance(0.15) {
                row.insert("relationship_type", json!(maker.one_of(&["seller", "buyer"])));
            }
            self.connections.push(row);
        }
        if is_listed {
            let own = json!({"id": owner.sso_id, "name": owner.name});
            let partner = json!({"id": partner_sso_id, "name": maker.name()});
            let permissions: Vec<&str> = ["request_domain_ownership_confirmation", "view_submission_docs"]
                .into_iter()
                .filter(|_| maker.chance(0.5))
                .collect();
            let (own_side, partner_side) =
                if relationship_type == "seller" { ("buyer", "seller") } else { ("seller", "buyer") };
            self.listed.push(json!({
                "id": external_id,
                "invitation_id": invitation_id,
                own_side: own,
                partner_side: partner,
                "permissions": {own_side: permissions, partner_side: ["not_yours"]},
                "created_by": created_by,
                "created_at": created_at,
                "updated_at": updated_at,
                "unknown_extra": {"a": [1]},
            }));
        }
    }

    fn add_entity(&mut self, maker: &mut Maker, owner: usize, partner: usize) {
        let expires_at =
            maker.one_of(&[json!("2001-01-01T00:00:00.000Z"), json!("2199-01-01T00:00:00.000Z"), Value::Null]);
        let row = Row::from([
            ("account_id", json!(self.accounts[owner].id)),
            ("id", json!(maker.id())),
            ("connected_account_id", json!(self.accounts[partner].id)),
            ("name", maker.name()),
            ("description", maker.one_of(&[json!("words"), Value::Null])),
            ("standard", maker.flag()),
            ("account", maker.flag()),
            ("pending", maker.flag()),
            ("deprecated", maker.flag()),
            ("see", maker.one_of(&[json!("5fd4371e940df5a34a3888b2"), Value::Null])),
            ("field_suffix", maker.one_of(&[json!("acorp"), Value::Null])),
            ("invitation_id", maker.one_of(&[json!("5fd4371e940df5a34a3888b3"), Value::Null])),
            ("invitation_expires_at", expires_at),
            ("flow_ids", maker.one_of(&[json!(["5fd4371e940df5a34a3888b4"]), json!([]), Value::Null])),
            ("logo_url", maker.one_of(&[json!("https://example.com/logo.png"), Value::Null])),
            ("module_ids", maker.one_of(&[json!(["leadconduit-salesforce.outbound.create_contact"]), json!([])])),
            ("source", maker.source()),
            ("recipient", maker.recipient()),
            ("time_zone", maker.one_of(&[json!("America/Los Angeles"), Value::Null])),
            ("trustedform_certified_vendor", maker.flag()),
            ("website", maker.one_of(&[json!("http://example.com"), Value::Null])),
            ("created_at", maker.time()),
            ("updated_at", maker.time()),
        ]);
        self.entities.push(row);
    }

    fn add_custom_entity(&mut self, maker: &mut Maker, owner: usize, partner: usize) {
        let row = Row::from([
            ("id", json!(maker.id())),
            ("account_id", json!(self.accounts[owner].id)),
            ("connected_account_id", json!(self.accounts[partner].id)),
            ("name", maker.name()),
            ("source", maker.source()),
            ("recipient", maker.recipient()),
            ("created_at", maker.time()),
            ("updated_at", maker.time()),
        ]);
        self.custom_entities.push(row);
    }

    /// The statements that write this world, for PostgreSQL and SQLite alike.
    pub fn sql(&self) -> String {
        let now = json!("2024-01-01T00:00:00Z");
        let mut sql = String::new();
        for Account { id, sso_id, name } in &self.accounts {
            let row = Row::from([
                ("id", json!(id)),
                ("sso_id", json!(sso_id)),
                ("name", json!(name)),
                ("created_at", now.clone()),
                ("updated_at", now.clone()),
            ]);
            insert(&mut sql, "accounts", &row);
        }
        for (table, rows) in [
            ("account_connections", &self.connections),
            ("account_entities", &self.entities),
            ("custom_entities", &self.custom_entities),
        ] {
            for row in rows {
                insert(&mut sql, table, row);
            }
        }
        sql
    }

    /// The REST list that the caller must get.
    pub fn expected_list(&self, sso_is_up: bool) -> Value {
        let caller = self.caller();
        let mine = |row: &&Row| row["account_id"] == json!(caller.id);
        let mut entries: Vec<(String, String, Value)> = Vec::new();
        let listed: Vec<Listed> = if sso_is_up {
            self.listed.iter().filter_map(|one| Listed::seen_by(one, &caller.sso_id)).collect()
        } else {
            vec![]
        };
        let mut ties: Vec<(String, String)> = Vec::new();
        for row in self.connections.iter().filter(mine) {
            ties.push((text(&row["connected_account_sso_id"]), text(&row["relationship_type"])));
        }
        let has_row = |id: &str| self.connections.iter().filter(mine).any(|row| row["external_id"] == json!(id));
        for one in listed.iter().filter(|one| !has_row(&one.id)) {
            ties.push((one.partner_sso_id.clone(), one.relationship_type.to_owned()));
        }
        for row in self.connections.iter().filter(mine) {
            let one = listed.iter().find(|one| row["external_id"] == json!(one.id));
            let permissions = one.filter(|one| {
                row["relationship_type"] == json!(one.relationship_type)
                    && row["connected_account_sso_id"] == json!(one.partner_sso_id)
            });
            let partner = self.account_of(&row["connected_account_id"], &text(&row["connected_account_sso_id"]));
            let entry = json!({
                "id": row["id"],
                "status": "completed",
                "relationship_type": row["relationship_type"],
                "invitation_id": row["invitation_id"],
                "created_at": row["created_at"],
                "updated_at": row["updated_at"],
                "created_by": row["created_by"],
                "ui_state": row["ui_state"],
                "permissions": permissions.map_or(json!([]), |one| one.permissions.clone()),
                "connected_account": {
                    "id": partner.map(|partner| &partner.id),
                    "sso_id": row["connected_account_sso_id"],
                    "name": partner.map_or(row["connected_account_name"].clone(), |partner| json!(partner.name)),
                },
                "account_entity": self.entity(partner, &text(&row["connected_account_sso_id"]), &ties),
                "custom_entities": self.customs(partner),
            });
            entries.push((text(&row["created_at"]), text(&row["external_id"]), entry));
        }
        for one in listed.iter().filter(|one| !has_row(&one.id)) {
            let partner = self.account_of(&Value::Null, &one.partner_sso_id);
            let entry = json!({
                "id": one.id,
                "status": "sso_only",
                "relationship_type": one.relationship_type,
                "invitation_id": one.whole["invitation_id"],
                "created_at": one.whole["created_at"],
                "updated_at": one.whole["updated_at"],
                "created_by": one.whole["created_by"],
                "ui_state": {},
                "permissions": one.permissions,
                "connected_account": {
                    "id": partner.map(|partner| &partner.id),
                    "sso_id": one.partner_sso_id,
                    "name": partner.map_or(one.partner_name.clone(), |partner| partner.name.clone()),
                },
                "account_entity": self.entity(partner, &one.partner_sso_id, &ties),
                "custom_entities": self.customs(partner),
            });
            entries.push((text(&one.whole["created_at"]), one.id.clone(), entry));
        }
        entries.sort_by(|one, other| (&one.0, &one.1).cmp(&(&other.0, &other.1)));
        entries.into_iter().map(|(_, _, entry)| entry).collect()
    }

    fn account_of(&self, id: &Value, sso_id: &str) -> Option<&Account> {
        self.accounts
            .iter()
            .find(|account| if id.is_null() { account.sso_id == sso_id } else { json!(account.id) == *id })
    }

    fn cards<'a>(&self, table: &'a [Row], partner: Option<&Account>) -> Vec<&'a Row> {
        let owner = json!(self.caller().id);
        let Some(partner) = partner else { return vec![] };
        table
            .iter()
            .filter(|row| row["account_id"] == owner && row["connected_account_id"] == json!(partner.id))
            .collect()
    }

    fn entity(&self, partner: Option<&Account>, partner_sso_id: &str, ties: &[(String, String)]) -> Value {
        let mut cards = self.cards(&self.entities, partner);
        cards.sort_by_key(|row| text(&row["id"]));
        let Some(card) = cards.iter().find(|row| row["account"] == json!(true)).or(cards.first()) else {
            return Value::Null;
        };
        let types: BTreeSet<&str> =
            ties.iter().filter(|tie| tie.0 == partner_sso_id).map(|tie| tie.1.as_str()).collect();
        let connected = if types.len() == 2 { json!("both") } else { json!(types.first()) };
        let mut entity = serde_json::Map::new();
        for (column, value) in card.iter().filter(|(column, _)| **column != "account_id") {
            entity.insert((*column).to_owned(), value.clone());
        }
        entity.insert("connected".to_owned(), connected);
        let expires_at = &card["invitation_expires_at"];
        let expired = expires_at.as_str().map(|expires_at| expires_at < "2100");
        entity.insert("expired".to_owned(), json!(expired));
        entity.into()
    }

    fn customs(&self, partner: Option<&Account>) -> Value {
        let mut cards = self.cards(&self.custom_entities, partner);
        cards.sort_by_key(|row| (text(&row["created_at"]), text(&row["id"])));
        cards
            .iter()
            .map(|row| json!({"id": row["id"], "name": row["name"], "source": row["source"], "recipient": row["recipient"]}))
            .collect()
    }
}

/// A NetworkConnection from one side.
struct Listed {
    id: String,
    relationship_type: &'static str,
    partner_sso_id: String,
    partner_name: String,
    permissions: Value,
    whole: Value,
}

impl Listed {
    fn seen_by(one: &Value, sso_id: &str) -> Option<Self> {
        let (own_side, partner_side) = if one["buyer"]["id"] == json!(sso_id) {
            ("buyer", "seller")
        } else if one["seller"]["id"] == json!(sso_id) {
            ("seller", "buyer")
        } else {
            return None;
        };
        Some(Self {
            id: text(&one["id"]),
            relationship_type: partner_side,
            partner_sso_id: text(&one[partner_side]["id"]),
            partner_name: text(&one[partner_side]["name"]),
            permissions: one["permissions"][own_side].clone(),
            whole: one.clone(),
        })
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

fn insert(sql: &mut String, table: &str, row: &Row) {
    let columns: Vec<_> = row.keys().copied().collect();
    let values: Vec<_> = row.values().map(literal).collect();
    writeln!(sql, "INSERT INTO {table} ({}) VALUES ({});", columns.join(", "), values.join(", ")).unwrap();
}

fn literal(value: &Value) -> String {
    let quoted = |text: &str| format!("'{}'", text.replace('\'', "''"));
    match value {
        Value::Null => "NULL".to_owned(),
        Value::Bool(true) => "TRUE".to_owned(),
        Value::Bool(false) => "FALSE".to_owned(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => quoted(text),
        nested => quoted(&nested.to_string()),
    }
}

//! Whether an answer is one that the world allows: compared entry by entry with what an independent reckoning of the same world
//! gives, over all states that the world had meanwhile.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use super::past::{History, Repairs, Span};
use crate::support::world::World;

/// One account: what may be seen by it.
pub struct Oracle {
    pub history: History,
    pub repairs: Repairs,
    /// Connections that only repairs give a row. Their partners are nobody else's.
    pub repairable: HashSet<String>,
    lists: Mutex<HashMap<Versions, Arc<Vec<Entry>>>>,
}

/// Of rows and of cards.
type Versions = (usize, usize);

/// An entry of the list, as it is with SSO and without.
pub struct Entry {
    pub external_id: String,
    healthy: Value,
    degraded: Option<Value>,
    is_repairable: bool,
}

/// As many lists as answers under way may need.
const MOST_LISTS: usize = 64;

impl Oracle {
    pub fn new(world: World, repairable: HashSet<String>) -> Self {
        Self { history: History::new(world), repairs: Repairs::default(), repairable, lists: Mutex::default() }
    }

    fn list(&self, versions: Versions) -> Arc<Vec<Entry>> {
        if let Some(list) = self.lists.lock().unwrap().get(&versions) {
            return Arc::clone(list);
        }
        let world = self.history.mixed(versions.0, versions.1);
        let list = Arc::new(self.reckon(&world));
        let mut lists = self.lists.lock().unwrap();
        if lists.len() >= MOST_LISTS {
            lists.clear();
        }
        lists.insert(versions, Arc::clone(&list));
        list
    }

    fn reckon(&self, world: &World) -> Vec<Entry> {
        let Value::Array(healthy) = world.expected_list(true) else { unreachable!() };
        let Value::Array(degraded) = world.expected_list(false) else { unreachable!() };
        let mut degraded: HashMap<String, Value> =
            degraded.into_iter().map(|entry| (text(&entry["id"]), entry)).collect();
        let external_ids: HashMap<String, String> =
            world.connections.iter().map(|row| (text(&row["id"]), text(&row["external_id"]))).collect();
        let entries = healthy.into_iter().map(|healthy| {
            let id = text(&healthy["id"]);
            let is_repairable = self.repairable.contains(&id);
            let degraded = degraded.remove(&id);
            Entry { external_id: external_ids.get(&id).cloned().unwrap_or(id), healthy, degraded, is_repairable }
        });
        entries.collect()
    }

    /// Whether any state of the span lets this pass.
    fn any(&self, span: Span, passes: impl Fn(&[Entry]) -> Result<(), String>) -> Result<(), String> {
        let versions = self.history.seen_in(span);
        let mut why = String::new();
        for rows in &versions {
            for cards in &versions {
                match passes(&self.list((*rows, *cards))) {
                    Ok(()) => return Ok(()),
                    Err(reason) => why = reason,
                }
            }
        }
        Err(format!("{why} (of {} states)", versions.len()))
    }

    /// A list, or the beginning of one.
    pub fn check_list(&self, actual: &[Value], is_degraded: bool, is_whole: bool, span: Span) -> Result<(), String> {
        self.any(span, |entries| {
            let mut rest = actual.iter().peekable();
            for entry in entries {
                match rest.peek() {
                    None if !is_whole => return Ok(()),
                    next => {
                        if self.check_entry(entry, next.copied(), is_degraded, span)? {
                            rest.next();
                        }
                    }
                }
            }
            rest.next().map_or(Ok(()), |more| Err(format!("too much: {more}")))
        })
    }

    /// One connection by its id at SSO, or nothing.
    pub fn check_one(&self, id: &str, actual: Option<&Value>, is_degraded: bool, span: Span) -> Result<(), String> {
        self.any(span, |entries| match entries.iter().find(|entry| entry.external_id == id) {
            Some(entry) => match (self.check_entry(entry, actual, is_degraded, span)?, actual) {
                (false, Some(actual)) => Err(format!("there is no {actual}")),
                _ => Ok(()),
            },
            None => actual.map_or(Ok(()), |actual| Err(format!("there is no {actual}"))),
        })
    }

    /// Whether this is the entry (`true`), or the entry may be missing here (`false`).
    fn check_entry(
        &self,
        entry: &Entry,
        actual: Option<&Value>,
        is_degraded: bool,
        span: Span,
    ) -> Result<bool, String> {
        if entry.is_repairable {
            return self.check_repairable(entry, actual, is_degraded, span);
        }
        let expected = if is_degraded { entry.degraded.as_ref() } else { Some(&entry.healthy) };
        match expected {
            None => Ok(false),
            Some(expected) if actual.is_some_and(|actual| actual == expected) => Ok(true),
            Some(expected) => Err(difference(expected, actual)),
        }
    }

    fn check_repairable(
        &self,
        entry: &Entry,
        actual: Option<&Value>,
        is_degraded: bool,
        span: Span,
    ) -> Result<bool, String> {
        let id = &entry.external_id;
        let mut expected = entry.healthy.clone();
        if is_degraded {
            expected["permissions"] = json!([]);
        }
        // It looks the same with a row, but for these.
        let mut as_repaired = actual.cloned().unwrap_or_default();
        if as_repaired["status"] == "completed" {
            let row = text(&as_repaired["id"]);
            for key in ["id", "status"] {
                as_repaired[key] = expected[key].clone();
            }
            if as_repaired == expected {
                return self.repairs.may_have(id, &row, span).map(|()| true);
            }
        }
        if !self.repairs.may_lack(id, span) {
            return Err(format!("the row of {id} is lost: {actual:?}"));
        }
        match actual {
            // Without SSO, what has no row is not listed.
            _ if is_degraded => Ok(false),
            Some(actual) if *actual == expected => Ok(true),
            _ => Err(difference(&expected, actual)),
        }
    }

    /// The answer by id of REST, or 404.
    pub fn check_single(&self, id: &str, actual: Option<&Value>, span: Span) -> Result<(), String> {
        let as_entry = |actual: &Value, entry: &Entry| {
            let mut actual = actual.clone();
            let map = actual.as_object_mut().unwrap();
            if map.remove("external_id") != Some(json!(entry.external_id)) {
                return Value::Null;
            }
            // What it does not tell.
            map.insert("status".to_owned(), json!("completed"));
            for key in ["permissions", "account_entity", "custom_entities"] {
                map.insert(key.to_owned(), entry.healthy[key].clone());
            }
            actual
        };
        self.any(span, |entries| {
            let entry = entries.iter().find(|entry| entry.external_id == id || entry.healthy["id"] == id);
            let Some(entry) = entry else {
                return actual.map_or(Ok(()), |actual| Err(format!("there is no {actual}")));
            };
            match actual {
                Some(actual) => self.check_entry(entry, Some(&as_entry(actual, entry)), false, span).map(|_| ()),
                None if entry.is_repairable && self.repairs.may_lack(id, span) => Ok(()),
                None if entry.healthy["status"] == "sso_only" && !entry.is_repairable => Ok(()),
                None => Err(format!("{id} is not found")),
            }
        })
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn difference(expected: &Value, actual: Option<&Value>) -> String {
    format!("expected {expected}, got {}", actual.unwrap_or(&Value::Null))
}

//! What was so, and when: the rows of an account as they were changed, its repairs, and the troubles that were meant.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use rand::seq::IteratorRandom;

use crate::support::world::World;

/// From before a request was sent until its answer was there.
#[derive(Debug, Clone, Copy)]
pub struct Span {
    pub sent: Instant,
    pub come: Instant,
}

/// The world as it was from a change on.
struct Version {
    number: usize,
    world: World,
    /// When the change was begun: nobody saw it before.
    begun: Instant,
    /// When it was done: whoever asks later sees nothing older.
    done: Option<Instant>,
}

/// All that an account's world was. Its caller is the account.
pub struct History(Mutex<Vec<Version>>);

/// So long after it was replaced, no answer may still show a version.
const FORGOTTEN: Duration = Duration::from_mins(1);

impl History {
    pub fn new(world: World) -> Self {
        let now = Instant::now();
        Self(Mutex::new(vec![Version { number: 0, world, begun: now, done: Some(now) }]))
    }

    pub fn latest(&self) -> World {
        self.0.lock().unwrap().last().unwrap().world.clone()
    }

    pub fn any_row(&self) -> String {
        let versions = self.0.lock().unwrap();
        let world = &versions.last().unwrap().world;
        let own = world.connections.iter().filter(|row| row["account_id"] == world.caller().id);
        own.choose(&mut rand::rng()).unwrap()["id"].as_str().unwrap().to_owned()
    }

    /// Notes a change that is about to be made.
    pub fn begins(&self, world: World) {
        let mut versions = self.0.lock().unwrap();
        let number = versions.last().unwrap().number + 1;
        let now = Instant::now();
        versions.push(Version { number, world, begun: now, done: None });
        let forgotten = versions.windows(2).take_while(|pair| pair[1].done.is_some_and(|done| done + FORGOTTEN < now));
        let forgotten = forgotten.count();
        versions.drain(..forgotten);
    }

    /// And that it was made.
    pub fn is_done(&self) {
        self.0.lock().unwrap().last_mut().unwrap().done = Some(Instant::now());
    }

    /// The versions that an answer may show, by number.
    pub fn seen_in(&self, span: Span) -> Vec<usize> {
        let versions = self.0.lock().unwrap();
        let replaced = |index: usize| versions.get(index + 1).and_then(|next| next.done);
        let seen = versions.iter().enumerate().filter(|(index, version)| {
            version.begun <= span.come && replaced(*index).is_none_or(|replaced| replaced >= span.sent)
        });
        seen.map(|(_, version)| version.number).collect()
    }

    /// The rows of one version with the cards of another: statements need not share a snapshot.
    pub fn mixed(&self, rows: usize, cards: usize) -> World {
        let versions = self.0.lock().unwrap();
        let find = |number| versions.iter().find(|version| version.number == number).unwrap();
        World { connections: find(rows).world.connections.clone(), ..find(cards).world.clone() }
    }
}

/// What is known of the repair of a connection.
#[derive(Debug, Clone, Default)]
struct Repair {
    /// When somebody first tried.
    begun: Option<Instant>,
    /// When somebody was first told that the row is there.
    known: Option<Instant>,
    /// The row, as the first who saw it did.
    row: Option<String>,
}

/// The repairs of one connection each.
#[derive(Default)]
pub struct Repairs(Mutex<HashMap<String, Repair>>);

impl Repairs {
    fn of<T>(&self, id: &str, tell: impl FnOnce(&mut Repair) -> T) -> T {
        tell(self.0.lock().unwrap().entry(id.to_owned()).or_default())
    }

    pub fn begins(&self, id: &str) {
        self.of(id, |repair| *repair.begun.get_or_insert_with(Instant::now));
    }

    /// Somebody was told that the row is there, and perhaps which one it is.
    pub fn is_known(&self, id: &str, row: Option<&str>) -> Result<(), String> {
        self.of(id, |repair| *repair.known.get_or_insert_with(Instant::now));
        row.map_or(Ok(()), |row| self.is_row(id, row))
    }

    /// Whether an answer may show the connection without a row.
    pub fn may_lack(&self, id: &str, span: Span) -> bool {
        self.of(id, |repair| repair.known.is_none_or(|known| known >= span.sent))
    }

    /// Whether an answer may show it with this row.
    pub fn may_have(&self, id: &str, row: &str, span: Span) -> Result<(), String> {
        if self.of(id, |repair| repair.begun.is_none_or(|begun| begun > span.come)) {
            return Err(format!("nobody has repaired {id}"));
        }
        self.is_row(id, row)
    }

    fn is_row(&self, id: &str, row: &str) -> Result<(), String> {
        let known = self.of(id, |repair| repair.row.get_or_insert_with(|| row.to_owned()).clone());
        if known == row { Ok(()) } else { Err(format!("{id} has the rows {known} and {row}")) }
    }

    /// The connections that somebody was told to have a row, and which one.
    pub fn known(&self) -> Vec<(String, Option<String>)> {
        let repairs = self.0.lock().unwrap();
        let known = repairs.iter().filter(|(_, repair)| repair.known.is_some() || repair.row.is_some());
        known.map(|(id, repair)| (id.clone(), repair.row.clone())).collect()
    }
}

/// The times of one kind of trouble.
#[derive(Default)]
pub struct Troubles(Mutex<Vec<(Instant, Option<Instant>)>>);

impl Troubles {
    pub fn begins(&self) {
        self.0.lock().unwrap().push((Instant::now(), None));
    }

    pub fn ends(&self) {
        self.0.lock().unwrap().last_mut().unwrap().1 = Some(Instant::now());
    }

    pub fn is_on(&self) -> bool {
        self.0.lock().unwrap().last().is_some_and(|(_, ended)| ended.is_none())
    }

    /// Whether there was some meanwhile, or not longer ago than recovering from it may take.
    pub fn touches(&self, span: Span, recovery: Duration) -> bool {
        let troubles = self.0.lock().unwrap();
        troubles.iter().any(|(begun, ended)| *begun <= span.come && ended.is_none_or(|end| end + recovery >= span.sent))
    }

    /// Whether there was some all the time, and so long before.
    pub fn covers(&self, span: Span, before: Duration) -> bool {
        let troubles = self.0.lock().unwrap();
        troubles.iter().any(|(begun, ended)| *begun + before <= span.sent && ended.is_none_or(|end| end >= span.come))
    }
}

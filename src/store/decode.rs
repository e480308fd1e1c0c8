//! From a row's columns to domain values, by position. Whatever another program stored, a list must not break over it:
//! an odd value becomes the closest harmless one, is counted, and is logged without its content.

use sea_orm::sqlx::Row;
use sea_orm::{DbBackend, QueryResult, TryGetable};

use crate::domain::id::ObjectId;
use crate::domain::raw_json::RawJson;
use crate::domain::stored::Stored;
use crate::domain::timestamp::Timestamp;
use crate::telemetry::stored_values::count_unknown;

/// Reads a row's columns one after the other.
pub(super) struct Columns<'a> {
    row: &'a QueryResult,
    backend: DbBackend,
    next: usize,
}

/// A stored value that is not what its column is for.
#[derive(Debug)]
pub(super) struct Odd;

impl<'a> Columns<'a> {
    pub(super) fn new(row: &'a QueryResult, backend: DbBackend) -> Self {
        Self { row, backend, next: 0 }
    }

    /// Passes over a column, and gives its index.
    pub(super) fn pass(&mut self) -> usize {
        self.next += 1;
        self.next - 1
    }

    /// The next column as it is; `None`: it is of another type.
    pub(super) fn get<T: TryGetable>(&mut self, field: &'static str) -> Option<T> {
        let index = self.pass();
        known(field, self.row.try_get_by_index(index))
    }

    /// A text that must be there.
    pub(super) fn text(&mut self, field: &'static str) -> Box<str> {
        self.get::<String>(field).unwrap_or_default().into()
    }

    pub(super) fn maybe_text(&mut self, field: &'static str) -> Option<Box<str>> {
        self.get::<Option<String>>(field).flatten().map(Into::into)
    }

    pub(super) fn maybe_bool(&mut self, field: &'static str) -> Option<bool> {
        self.get::<Option<bool>>(field).flatten()
    }

    /// An id that must be there. `None`: what is stored is no id, and the row is of no use.
    pub(super) fn id<T: From<ObjectId>>(&mut self, field: &'static str) -> Option<T> {
        known(field, ObjectId::parse(&self.get::<String>(field)?)).map(Into::into)
    }

    pub(super) fn maybe_id<T: From<ObjectId>>(&mut self, field: &'static str) -> Option<T> {
        let text = self.get::<Option<String>>(field)??;
        known(field, ObjectId::parse(&text)).map(Into::into)
    }

    /// A time that must be there.
    pub(super) fn time(&mut self, field: &'static str) -> Timestamp {
        self.maybe_time(field).unwrap_or(Timestamp::EPOCH)
    }

    pub(super) fn maybe_time(&mut self, field: &'static str) -> Option<Timestamp> {
        self.readable_time(field).unwrap_or_default()
    }

    /// Like [`Self::maybe_time`], for what may not be taken for no time when it cannot be read.
    pub(super) fn readable_time(&mut self, field: &'static str) -> Result<Option<Timestamp>, Odd> {
        let time = match self.backend {
            DbBackend::Postgres => self.postgres_time(),
            _ => self.text_time(),
        };
        time.inspect_err(|Odd| count_unknown(field, 1))
    }

    fn text_time(&mut self) -> Result<Option<Timestamp>, Odd> {
        let text: Option<String> = self.row.try_get_by_index(self.pass()).map_err(|_| Odd)?;
        text.map(|text| Timestamp::parse(&text)).transpose().map_err(|_| Odd)
    }

    /// A `timestamptz` is microseconds since 2000. They are read as such, since sqlx panics over `infinity` when it makes
    /// a date of it; the infinite ones become the first and the last instant there is.
    fn postgres_time(&mut self) -> Result<Option<Timestamp>, Odd> {
        const YEAR_2000: i64 = 946_684_800_000;
        let row = self.row.try_as_pg_row().ok_or(Odd)?;
        let micros: Option<i64> = row.try_get_unchecked(self.pass()).map_err(|_| Odd)?;
        let millis = micros.map(|micros| micros.div_euclid(1_000).saturating_add(YEAR_2000));
        Ok(millis.map(Timestamp::from_millis))
    }

    /// JSON that was selected as text.
    pub(super) fn maybe_json(&mut self, field: &'static str) -> Option<RawJson> {
        let text = self.get::<Option<String>>(field)??;
        known(field, RawJson::parse(text).ok_or(Odd))
    }

    /// A text that is kept even where it is odd. It is counted here, once for all who show it.
    pub(super) fn stored_text<T: Stored>(&mut self, field: &'static str, read: impl Fn(Box<str>) -> T) -> Option<T> {
        counted(field, self.maybe_text(field).map(read))
    }

    /// Like [`Self::stored_text`], of JSON that was selected as text.
    pub(super) fn stored_json<T: Stored>(&mut self, field: &'static str, read: impl Fn(RawJson) -> T) -> Option<T> {
        counted(field, self.maybe_json(field).map(read))
    }

    /// A word that has a meaning.
    pub(super) fn word<T>(&mut self, field: &'static str, parse: impl Fn(&str) -> Option<T>) -> Option<T> {
        known(field, parse(&self.get::<String>(field)?).ok_or(Odd))
    }
}

/// The value, or the note that a stored one was odd.
pub(super) fn known<T, E>(field: &'static str, parsed: Result<T, E>) -> Option<T> {
    parsed.map_err(|_| count_unknown(field, 1)).ok()
}

fn counted<T: Stored>(field: &'static str, stored: Option<T>) -> Option<T> {
    match stored.as_ref().map_or(0, Stored::unknown) {
        0 => {}
        times => count_unknown(field, times),
    }
    stored
}

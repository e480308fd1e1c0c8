//! From a row's columns to domain values, by position. Whatever another program stored, a list must not break over it:
//! an odd value becomes the closest harmless one, is counted, and is logged without its content.
//!
//! Every text passes [`Columns::stored`], whose bytes need not be UTF-8: U+FFFD replaces those that are not.

use std::borrow::Cow;

use sea_orm::sqlx::{Postgres, Row, Sqlite, Type, ValueRef};
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

/// A stored text.
struct StoredText<'a> {
    text: Cow<'a, str>,
    /// 1 where bytes were replaced, else 0.
    unknown: usize,
}

impl<'a> Columns<'a> {
    pub(super) fn new(row: &'a QueryResult, backend: DbBackend) -> Self {
        Self { row, backend, next: 0 }
    }

    /// Passes over a column, and gives its index.
    pub(super) fn pass(&mut self) -> usize {
        self.next += 1;
        self.next - 1
    }

    /// The next column as it is; `None`: it is of another type. Not for texts, which need not be UTF-8.
    pub(super) fn get<T: TryGetable>(&mut self, field: &'static str) -> Option<T> {
        let index = self.pass();
        known(field, self.row.try_get_by_index(index))
    }

    /// The next column's text; `Ok(None)`: it is NULL.
    fn stored(&mut self) -> Result<Option<StoredText<'a>>, Odd> {
        let bytes = match self.backend {
            DbBackend::Postgres => self.postgres_text(),
            _ => self.sqlite_text(),
        };
        let text = |bytes| match String::from_utf8_lossy(bytes) {
            text @ Cow::Borrowed(_) => StoredText { text, unknown: 0 },
            text @ Cow::Owned(_) => StoredText { text, unknown: 1 },
        };
        bytes.map(|bytes| bytes.map(text))
    }

    fn postgres_text(&mut self) -> Result<Option<&'a [u8]>, Odd> {
        let row = self.row.try_as_pg_row().ok_or(Odd)?;
        let value = row.try_get_raw(self.pass()).map_err(|_| Odd)?;
        if value.is_null() {
            return Ok(None);
        }
        let is_text = <str as Type<Postgres>>::compatible(&value.type_info());
        value.as_bytes().ok().filter(|_| is_text).map(Some).ok_or(Odd)
    }

    fn sqlite_text(&mut self) -> Result<Option<&'a [u8]>, Odd> {
        let row = self.row.try_as_sqlite_row().ok_or(Odd)?;
        let index = self.pass();
        let value = row.try_get_raw(index).map_err(|_| Odd)?;
        if value.is_null() {
            return Ok(None);
        }
        if !<str as Type<Sqlite>>::compatible(&value.type_info()) {
            return Err(Odd);
        }
        row.try_get_unchecked::<&[u8], _>(index).map(Some).map_err(|_| Odd)
    }

    /// A value that must be there: NULL is odd.
    fn required<T>(
        &mut self,
        field: &'static str,
        read: impl FnOnce(&mut Self) -> Result<Option<T>, Odd>,
    ) -> Option<T> {
        known(field, read(self).and_then(|value| value.ok_or(Odd)))
    }

    /// A text that must be there.
    pub(super) fn text(&mut self, field: &'static str) -> Box<str> {
        let Some(StoredText { text, unknown }) = self.required(field, Self::stored) else { return Box::default() };
        count(field, unknown);
        text.into()
    }

    pub(super) fn maybe_text(&mut self, field: &'static str) -> Option<Box<str>> {
        let StoredText { text, unknown } = known(field, self.stored())??;
        count(field, unknown);
        Some(text.into())
    }

    pub(super) fn maybe_bool(&mut self, field: &'static str) -> Option<bool> {
        self.get::<Option<bool>>(field).flatten()
    }

    /// An id that must be there. `None`: what is stored is no id, and the row is of no use.
    pub(super) fn id<T: From<ObjectId>>(&mut self, field: &'static str) -> Option<T> {
        self.word(field, |text| ObjectId::parse(text).ok()).map(Into::into)
    }

    pub(super) fn maybe_id<T: From<ObjectId>>(&mut self, field: &'static str) -> Option<T> {
        self.maybe_word(field, |text| ObjectId::parse(text).ok()).map(Into::into)
    }

    /// A time that must be there.
    pub(super) fn time(&mut self, field: &'static str) -> Timestamp {
        self.required(field, Self::stored_time).unwrap_or(Timestamp::EPOCH)
    }

    pub(super) fn maybe_time(&mut self, field: &'static str) -> Option<Timestamp> {
        self.readable_time(field).unwrap_or_default()
    }

    /// Like [`Self::maybe_time`], for what may not be taken for no time when it cannot be read.
    pub(super) fn readable_time(&mut self, field: &'static str) -> Result<Option<Timestamp>, Odd> {
        self.stored_time().inspect_err(|Odd| count_unknown(field, 1))
    }

    fn stored_time(&mut self) -> Result<Option<Timestamp>, Odd> {
        match self.backend {
            DbBackend::Postgres => self.postgres_time(),
            _ => self.text_time(),
        }
    }

    fn text_time(&mut self) -> Result<Option<Timestamp>, Odd> {
        let stored = self.stored()?;
        stored.map(|stored| Timestamp::parse(&stored.text)).transpose().map_err(|_| Odd)
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

    /// A text that is kept even where it is odd. It is counted here, once for all who show it.
    pub(super) fn stored_text<T: Stored>(&mut self, field: &'static str, read: impl Fn(Box<str>) -> T) -> Option<T> {
        let StoredText { text, unknown } = known(field, self.stored())??;
        let value = read(text.into());
        count(field, value.unknown().max(unknown));
        Some(value)
    }

    /// Like [`Self::stored_text`], of JSON that was selected as text.
    pub(super) fn stored_json<T: Stored>(&mut self, field: &'static str, read: impl Fn(RawJson) -> T) -> Option<T> {
        let stored = known(field, self.stored())??;
        json(field, &stored, read)
    }

    /// Like [`Self::stored_json`], of JSON that must be there.
    pub(super) fn required_json<T: Stored>(&mut self, field: &'static str, read: impl Fn(RawJson) -> T) -> Option<T> {
        let stored = self.required(field, Self::stored)?;
        json(field, &stored, read)
    }

    /// A word that has a meaning, and must be there.
    pub(super) fn word<T>(&mut self, field: &'static str, parse: impl Fn(&str) -> Option<T>) -> Option<T> {
        let stored = self.required(field, Self::stored)?;
        known(field, parse(&stored.text).ok_or(Odd))
    }

    /// A word that has a meaning. `None` also where it is odd.
    pub(super) fn maybe_word<T>(&mut self, field: &'static str, parse: impl Fn(&str) -> Option<T>) -> Option<T> {
        let stored = known(field, self.stored())??;
        known(field, parse(&stored.text).ok_or(Odd))
    }
}

fn json<T: Stored>(field: &'static str, stored: &StoredText<'_>, read: impl Fn(RawJson) -> T) -> Option<T> {
    let value = read(known(field, RawJson::parse(&stored.text).ok_or(Odd))?);
    count(field, value.unknown().max(stored.unknown));
    Some(value)
}

/// The value, or the note that a stored one was odd.
fn known<T, E>(field: &'static str, parsed: Result<T, E>) -> Option<T> {
    parsed.map_err(|_| count_unknown(field, 1)).ok()
}

fn count(field: &'static str, unknown: usize) {
    if unknown > 0 {
        count_unknown(field, unknown);
    }
}

//! From a row's columns to domain values, by position. Whatever another program stored, a list must not break over it:
//! an odd value becomes the closest harmless one, is counted, and is logged without its content.

use sea_orm::prelude::DateTimeUtc;
use sea_orm::{DbBackend, DbErr, QueryResult, TryGetable};

use crate::domain::id::{InvalidId, ObjectId};
use crate::domain::raw_json::RawJson;
use crate::domain::timestamp::Timestamp;
use crate::telemetry::stored_values::count_unknown;

/// Reads a row's columns one after the other.
pub(super) struct Columns<'a> {
    row: &'a QueryResult,
    backend: DbBackend,
    next: usize,
}

type Result<T> = std::result::Result<T, DbErr>;

impl<'a> Columns<'a> {
    pub(super) fn new(row: &'a QueryResult, backend: DbBackend) -> Self {
        Self { row, backend, next: 0 }
    }

    /// The next column as it is.
    pub(super) fn get<T: TryGetable>(&mut self) -> Result<T> {
        let index = self.next;
        self.next += 1;
        self.row.try_get_by_index(index)
    }

    /// Passes over a column.
    pub(super) fn skip(&mut self) {
        self.next += 1;
    }

    pub(super) fn text(&mut self) -> Result<Box<str>> {
        Ok(self.get::<String>()?.into())
    }

    pub(super) fn maybe_text(&mut self) -> Result<Option<Box<str>>> {
        Ok(self.get::<Option<String>>()?.map(Into::into))
    }

    /// An id that must be there. `None`: what is stored is no id, and the row is of no use.
    pub(super) fn id<T: From<ObjectId>>(&mut self, field: &'static str) -> Result<Option<T>> {
        Ok(known(field, ObjectId::parse(&self.get::<String>()?)).map(Into::into))
    }

    pub(super) fn maybe_id<T: From<ObjectId>>(&mut self, field: &'static str) -> Result<Option<T>> {
        let text = self.get::<Option<String>>()?;
        Ok(text.and_then(|text| known::<_, InvalidId>(field, ObjectId::parse(&text))).map(Into::into))
    }

    pub(super) fn time(&mut self, field: &'static str) -> Result<Timestamp> {
        Ok(self.maybe_time(field)?.unwrap_or(Timestamp::EPOCH))
    }

    pub(super) fn maybe_time(&mut self, field: &'static str) -> Result<Option<Timestamp>> {
        if self.backend == DbBackend::Postgres {
            return Ok(self.get::<Option<DateTimeUtc>>()?.map(Into::into));
        }
        let text = self.get::<Option<String>>()?;
        Ok(text.and_then(|text| known(field, Timestamp::parse(&text))))
    }

    /// JSON that was selected as text.
    pub(super) fn maybe_json(&mut self, field: &'static str) -> Result<Option<RawJson>> {
        let text = self.get::<Option<String>>()?;
        Ok(text.and_then(|text| known(field, RawJson::parse(text).ok_or(()))))
    }
}

/// The value, or the note that a stored one was odd.
fn known<T, E>(field: &'static str, parsed: std::result::Result<T, E>) -> Option<T> {
    parsed.map_err(|_| count_unknown(field, 1)).ok()
}

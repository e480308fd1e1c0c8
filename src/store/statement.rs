//! How the two databases want the same statement written.

use std::fmt::Write;

use sea_orm::prelude::DateTimeUtc;
use sea_orm::{DbBackend, QueryTrait, Statement, Value};

use crate::domain::timestamp::Timestamp;

/// A statement of sea-orm's, ready to run. SQLite stores times as RFC 3339 text with milliseconds and `Z`, where sqlx
/// would write an offset: this is the one place where that form is made.
pub(super) fn built(
    query: &impl QueryTrait<QueryStatement: sea_orm::sea_query::QueryStatementWriter>,
    backend: DbBackend,
) -> Statement {
    let mut statement = query.build(backend);
    if backend == DbBackend::Sqlite {
        for value in statement.values.iter_mut().flat_map(|values| &mut values.0) {
            if let Value::ChronoDateTimeUtc(time) = value {
                *value = Value::String(time.map(|time| Timestamp::from(time).to_string()));
            }
        }
    }
    statement
}

/// A time as sea-orm's entities hold it.
pub(super) fn stored(time: Timestamp) -> DateTimeUtc {
    time.into()
}

/// The condition that a column is one of the ids in one parameter, whatever their number: a list of varying length
/// would be a new statement to prepare each time.
pub(super) fn is_any(backend: DbBackend, column: &str, parameter: u8) -> String {
    match backend {
        DbBackend::Postgres => format!("{column} = ANY(string_to_array(${parameter}, ','))"),
        _ => format!("{column} IN (SELECT value FROM json_each(${parameter}))"),
    }
}

/// The value of that parameter. Ids hold nothing that would have to be escaped.
pub(super) fn any_of<T: std::fmt::Display>(backend: DbBackend, ids: &[T]) -> Value {
    let mut text = String::with_capacity(ids.len() * 27 + 2);
    let (open, quote, close) = if backend == DbBackend::Postgres { ("", "", "") } else { ("[", "\"", "]") };
    text.push_str(open);
    for (index, id) in ids.iter().enumerate() {
        let comma = if index == 0 { "" } else { "," };
        // Writing to a String never fails.
        let _ = write!(text, "{comma}{quote}{id}{quote}");
    }
    text.push_str(close);
    text.into()
}

//! How the two databases want the same statement written.
//!
//! A list of ids is one parameter, whatever its length: a text that varied with it would be prepared anew each time.

use std::fmt::{Display, Write};

use sea_orm::prelude::DateTimeUtc;
use sea_orm::{DbBackend, QueryTrait, Statement, Value};

use crate::domain::id::AccountId;
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

/// The condition that a column is one of the ids in one parameter.
pub(super) fn is_any(backend: DbBackend, column: &str, parameter: u8) -> String {
    match backend {
        DbBackend::Postgres => format!("{column} = ANY(string_to_array(${parameter}, ','))"),
        _ => format!("{column} IN (SELECT value FROM json_each(${parameter}))"),
    }
}

/// The value of that parameter. Ids hold nothing that would have to be escaped.
pub(super) fn any_of<T: Display>(backend: DbBackend, ids: impl IntoIterator<Item = T>) -> Value {
    let ids = ids.into_iter();
    let mut text = String::with_capacity(ids.size_hint().0 * 27 + 2);
    let (open, quote, close) = if backend == DbBackend::Postgres { ("", "", "") } else { ("[", "\"", "]") };
    text.push_str(open);
    for (index, id) in ids.enumerate() {
        let comma = if index == 0 { "" } else { "," };
        // Writing to a String never fails.
        let _ = write!(text, "{comma}{quote}{id}{quote}");
    }
    text.push_str(close);
    text.into()
}

/// The condition that a row belongs to an owner and has, in another column, an id of that owner's: `(owner, id)` is one of
/// the pairs in two parameters. Most often all are one owner's, for which there is a text of its own.
pub(super) fn is_any_pair<T>(backend: DbBackend, pairs: &[(AccountId, T)], column: &str, parameter: u8) -> String {
    let next = parameter + 1;
    if one_owner(pairs).is_some() {
        return format!("account_id = ${parameter} AND {}", is_any(backend, column, next));
    }
    let table = match backend {
        DbBackend::Postgres => {
            format!("SELECT * FROM unnest(string_to_array(${parameter}, ','), string_to_array(${next}, ','))")
        }
        _ => {
            format!("SELECT o.value, i.value FROM json_each(${parameter}) o JOIN json_each(${next}) i ON i.key = o.key")
        }
    };
    format!("(account_id, {column}) IN ({table})")
}

/// The values of those two parameters.
pub(super) fn any_pair_of<T: Display>(backend: DbBackend, pairs: &[(AccountId, T)]) -> [Value; 2] {
    let ids = any_of(backend, pairs.iter().map(|(_, id)| id));
    match one_owner(pairs) {
        Some(owner) => [owner.as_str().into(), ids],
        None => [any_of(backend, pairs.iter().map(|(owner, _)| owner)), ids],
    }
}

fn one_owner<T>(pairs: &[(AccountId, T)]) -> Option<AccountId> {
    let (first, _) = pairs.first()?;
    pairs.iter().all(|(owner, _)| owner == first).then_some(*first)
}

/// A time as a parameter of a written statement.
pub(super) fn time(backend: DbBackend, time: Timestamp) -> Value {
    if backend == DbBackend::Postgres { DateTimeUtc::from(time).into() } else { time.to_string().into() }
}

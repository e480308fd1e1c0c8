//! One text of SQL for both databases: the types that they spell differently are filled in here.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

/// Runs statements in which `{id}`, `{time}`, `{bool}`, `{json}` and `{bytes}` stand for column types.
///
/// # Errors
/// The database's.
pub(crate) async fn run(manager: &SchemaManager<'_>, sql: &str) -> Result<(), DbErr> {
    let types = match manager.get_database_backend() {
        DbBackend::Postgres => [
            ("{id}", "text COLLATE \"C\""),
            ("{time}", "timestamptz"),
            ("{bool}", "boolean"),
            ("{json}", "jsonb"),
            ("{bytes}", "bytea"),
        ],
        _ => [("{id}", "text"), ("{time}", "text"), ("{bool}", "boolean"), ("{json}", "text"), ("{bytes}", "blob")],
    };
    let sql = types.iter().fold(sql.to_owned(), |sql, (name, spelling)| sql.replace(name, spelling));
    manager.get_connection().execute_unprepared(&sql).await?;
    Ok(())
}

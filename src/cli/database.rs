//! Opening the database for a command, and refusing one whose schema this program does not know.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::config::DatabaseConfig;
use crate::store::{self, SchemaState, Store, StoreError};
use crate::telemetry::{chain, one_line};

use super::Failure;

/// How long to wait before the next try to reach a database that is perhaps starting.
const PAUSE: Duration = Duration::from_secs(1);

/// Connects, whatever the schema.
pub(super) async fn connect(config: &DatabaseConfig) -> Result<Store, Failure> {
    Store::connect(&config.url, config.max_connections).await.map_err(could_not_connect)
}

/// Connects, whatever the schema. A database that cannot be reached yet is tried for so long; it may be starting too.
pub(super) async fn connect_patiently(config: &DatabaseConfig, patience: Duration) -> Result<Store, Failure> {
    let deadline = Instant::now() + patience;
    loop {
        let failure = match Store::connect(&config.url, config.max_connections).await {
            Ok(store) => return Ok(store),
            Err(error) => error,
        };
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() || !failure.may_be_starting() {
            return Err(could_not_connect(failure));
        }
        tracing::warn!(error = chain(&failure), seconds_left = left.as_secs(), "the database cannot be reached yet");
        sleep(PAUSE.min(left)).await;
    }
}

fn could_not_connect(error: StoreError) -> Failure {
    Failure::store("connect to the database (DATABASE_URL)")(error)
}

/// Connects to a database whose schema is current.
pub(super) async fn open(config: &DatabaseConfig) -> Result<Store, Failure> {
    let store = connect(config).await?;
    let state = schema_state(&store).await?;
    refuse_unless_current(&state, "run `lc-connections migrate`")?;
    Ok(store)
}

pub(super) async fn schema_state(store: &Store) -> Result<SchemaState, Failure> {
    let applied = store.applied_migrations().await.map_err(Failure::store("look at the database's schema"))?;
    let (state, foreign) = (store::schema_state(&applied), store::foreign_migrations(&applied));
    if !foreign.is_empty() && !matches!(state, SchemaState::Foreign(_)) {
        tracing::warn!(
            migrations = list(&foreign),
            "the table seaql_migrations also lists migrations of another program: ignored"
        );
    }
    Ok(state)
}

/// The refusal says what was found, and what to do about it.
pub(super) fn refuse_unless_current(state: &SchemaState, advice: &str) -> Result<(), Failure> {
    match state {
        SchemaState::Current => Ok(()),
        SchemaState::Empty => Err(Failure::Refused(format!("the database (DATABASE_URL) is empty: {advice}"))),
        SchemaState::Pending(names) => {
            let names = list(names);
            Err(Failure::Refused(format!("the database (DATABASE_URL) lacks migrations ({names}): {advice}")))
        }
        SchemaState::Unknown(_) | SchemaState::Foreign(_) => refuse_strange(state),
    }
}

/// Applies what is missing, and tells the names of what was applied.
pub(super) async fn migrate(store: &Store, state: &SchemaState) -> Result<Vec<String>, Failure> {
    refuse_strange(state)?;
    store.migrate().await.map_err(Failure::store("migrate the database"))
}

/// Rejects a database of a newer program, and one of another program: sea-orm refuses a table with rows that it does not
/// know, so that our migrations would stop that program.
fn refuse_strange(state: &SchemaState) -> Result<(), Failure> {
    let own = "a database of its own, or on PostgreSQL a schema (CREATE SCHEMA lc, and ?options=-csearch_path%3Dlc in the URL)";
    match state {
        SchemaState::Current | SchemaState::Empty | SchemaState::Pending(_) => Ok(()),
        SchemaState::Unknown(names) => Err(Failure::Refused(format!(
            "the database (DATABASE_URL) is newer than this program, which does not know its migrations ({}): install the \
             newer program; if they are another program's, which uses the same table seaql_migrations, give that program {own}",
            list(names)
        ))),
        SchemaState::Foreign(names) => Err(Failure::Refused(format!(
            "the database (DATABASE_URL) is another program's, whose migrations are in the table seaql_migrations ({}): give \
             this program {own}",
            list(names)
        ))),
    }
}

/// Maximum number of names in a message.
const MAX_NAMES: usize = 10;

fn list(names: &[String]) -> String {
    let shown: Vec<String> = names.iter().take(MAX_NAMES).map(|name| one_line(name)).collect();
    let more = names.len() - shown.len();
    let more = if more == 0 { String::new() } else { format!(" and {more} more") };
    format!("{}{more}", shown.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schema_that_is_not_current_is_refused_with_what_to_do() {
        let refusal = |state| refuse_unless_current(&state, "run it").map_err(|failure| failure.to_string());
        assert_eq!(refusal(SchemaState::Current), Ok(()));
        assert_eq!(refusal(SchemaState::Empty).unwrap_err(), "the database (DATABASE_URL) is empty: run it");
        assert_eq!(
            refusal(SchemaState::Pending(vec!["m1".to_owned(), "m2".to_owned()])).unwrap_err(),
            "the database (DATABASE_URL) lacks migrations (m1, m2): run it"
        );
        let newer = refusal(SchemaState::Unknown(vec!["m9".to_owned()])).unwrap_err();
        assert!(
            newer.contains("newer than this program") && newer.contains("m9") && !newer.contains("run it"),
            "{newer}"
        );
        let many = (0..12).map(|number| format!("m{number}\n")).collect();
        let foreign = refusal(SchemaState::Foreign(many)).unwrap_err();
        assert!(foreign.contains("(m0 , m1 ,") && foreign.contains("m9  and 2 more)"), "{foreign}");
        assert!(foreign.contains("another program's") && !foreign.contains("install"), "{foreign}");
    }
}

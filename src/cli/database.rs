//! Opening the database for a command, and refusing one whose schema this program does not know.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::config::DatabaseConfig;
use crate::store::{SchemaState, Store, StoreError};
use crate::telemetry::chain;

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
    store.schema_state().await.map_err(Failure::store("look at the database's schema"))
}

/// The refusal says what was found, and what to do about it.
pub(super) fn refuse_unless_current(state: &SchemaState, advice: &str) -> Result<(), Failure> {
    match state {
        SchemaState::Current => Ok(()),
        SchemaState::Empty => Err(Failure::Refused(format!("the database (DATABASE_URL) is empty: {advice}"))),
        SchemaState::Pending(names) => {
            let names = names.join(", ");
            Err(Failure::Refused(format!("the database (DATABASE_URL) lacks migrations ({names}): {advice}")))
        }
        SchemaState::Unknown(_) => refuse_newer(state),
    }
}

/// Applies what is missing, and tells the names of what was applied.
pub(super) async fn migrate(store: &Store, state: &SchemaState) -> Result<Vec<String>, Failure> {
    refuse_newer(state)?;
    store.migrate().await.map_err(Failure::store("migrate the database"))
}

/// A database that this program is too old for. No migration of ours could help.
fn refuse_newer(state: &SchemaState) -> Result<(), Failure> {
    let SchemaState::Unknown(names) = state else { return Ok(()) };
    let names = names.join(", ");
    Err(Failure::Refused(format!(
        "the database (DATABASE_URL) is newer than this program, which does not know its migrations ({names}): install the newer program"
    )))
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
    }
}

//! Reading the trail of repairs: pages of it, newest first, and single entries.

use sea_orm::{QueryResult, Value};

use crate::domain::id::{AccountId, RepairId, SsoConnectionId};
use crate::domain::repair::{
    RepairOutcome, RepairRecord, RepairRefusal, RepairVia, StoredChanges, TrailLength, TrailPosition,
};

use super::decode::Columns;
use super::statement::{any_pair_of, is_any_pair, time};
use super::{Result, Store};

const COLUMNS: &str = "id, account_id, external_id, actor, api_key_id, via, reason, request_id, outcome, error_code, \
                       CAST(changes AS text), created_at";

impl Store {
    /// Entries of tenants' trails by their ids, in one statement and in no order.
    ///
    /// # Errors
    /// The database's.
    pub async fn repair_records(&self, ids: &[(AccountId, RepairId)]) -> Result<Vec<RepairRecord>> {
        let condition = is_any_pair(self.backend(), ids, "id", 1);
        let sql = format!("SELECT {COLUMNS} FROM repair_records WHERE {condition}");
        self.read_records(&sql, any_pair_of(self.backend(), ids)).await
    }

    /// The newest entries of each connection's trail that stand behind a place, at most so many of each, in one statement;
    /// the newest first.
    ///
    /// # Errors
    /// The database's.
    pub async fn trails(
        &self,
        of: &[(AccountId, SsoConnectionId)],
        after: Option<TrailPosition>,
        most: usize,
    ) -> Result<Vec<RepairRecord>> {
        let backend = self.backend();
        let condition = is_any_pair(backend, of, "external_id", 1);
        let behind = if after.is_some() { "AND (created_at, id) < ($4, $5)" } else { "" };
        let sql = format!(
            "SELECT {COLUMNS} FROM (SELECT *, ROW_NUMBER() OVER (\
             PARTITION BY account_id, external_id ORDER BY created_at DESC, id DESC) AS place \
             FROM repair_records WHERE {condition} {behind}) AS trail \
             WHERE place <= $3 ORDER BY created_at DESC, id DESC"
        );
        let most = i64::try_from(most).unwrap_or(i64::MAX).into();
        let place = after.map(|TrailPosition { created_at, id }| [time(backend, created_at), id.as_str().into()]);
        let values = any_pair_of(backend, of).into_iter().chain([most]).chain(place.into_iter().flatten());
        self.read_records(&sql, values).await
    }

    /// How long each connection's trail is, in one statement. One without entries is left out.
    ///
    /// # Errors
    /// The database's.
    pub async fn trail_lengths(
        &self,
        of: &[(AccountId, SsoConnectionId)],
        after: Option<TrailPosition>,
    ) -> Result<Vec<(AccountId, SsoConnectionId, TrailLength)>> {
        let backend = self.backend();
        let condition = is_any_pair(backend, of, "external_id", 1);
        let skipped = if after.is_some() { "CASE WHEN (created_at, id) < ($3, $4) THEN 0 ELSE 1 END" } else { "0" };
        let sql = format!(
            "SELECT account_id, external_id, COUNT(*), CAST(SUM({skipped}) AS BIGINT) FROM repair_records \
             WHERE {condition} GROUP BY account_id, external_id"
        );
        let place = after.map(|TrailPosition { created_at, id }| [time(backend, created_at), id.as_str().into()]);
        let rows = self.read(&sql, any_pair_of(backend, of).into_iter().chain(place.into_iter().flatten())).await?;
        let mut lengths = Vec::with_capacity(rows.len());
        for row in &rows {
            let mut columns = Columns::new(row, backend);
            let (owner, id) = (columns.id("repair_records.account_id"), columns.id("repair_records.external_id"));
            let mut number = || columns.get::<i64>("repair_records").unwrap_or_default();
            let (total, skipped) = (number(), number());
            let length = TrailLength { total, skipped };
            lengths.extend(owner.zip(id).map(|(owner, id)| (owner, id, length)));
        }
        Ok(lengths)
    }

    async fn read_records(&self, sql: &str, values: impl IntoIterator<Item = Value>) -> Result<Vec<RepairRecord>> {
        let rows = self.read(sql, values).await?;
        let mut records = Vec::with_capacity(rows.len());
        for row in &rows {
            records.extend(self.decode_record(row));
        }
        Ok(records)
    }

    /// An entry without an id, or by a door that is not known, is left out.
    fn decode_record(&self, row: &QueryResult) -> Option<RepairRecord> {
        let mut columns = Columns::new(row, self.backend());
        let id = columns.id("repair_records.id");
        let account_id = columns.id("repair_records.account_id");
        let sso_connection_id = columns.id("repair_records.external_id");
        let actor = columns.text("repair_records.actor");
        let api_key_id = columns.maybe_id("repair_records.api_key_id");
        let via = columns.word("repair_records.via", RepairVia::parse);
        let reason = columns.maybe_text("repair_records.reason");
        let request_id = columns.text("repair_records.request_id");
        let outcome = columns.maybe_word("repair_records.outcome", RepairOutcome::parse);
        let error_code = columns.maybe_word("repair_records.error_code", RepairRefusal::parse);
        let result = match (outcome, error_code) {
            (_, Some(refusal)) => Some(Err(refusal)),
            (Some(RepairOutcome::Created), None) => Some(Ok(())),
            (Some(RepairOutcome::WouldCreate) | None, None) => None,
        };
        let changes = columns.required_json("repair_records.changes", |raw| StoredChanges::from_stored(&raw));
        let changes = changes.unwrap_or_default().changes;
        let created_at = columns.time("repair_records.created_at");
        Some(RepairRecord {
            id: id?,
            account_id: account_id?,
            sso_connection_id: sso_connection_id?,
            actor,
            api_key_id,
            via: via?,
            reason,
            request_id,
            result,
            changes,
            created_at,
        })
    }
}

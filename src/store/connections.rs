//! Rows of `account_connections`.

use sea_orm::Value;

use crate::domain::connection::{LocalConnection, RelationshipType};
use crate::domain::id::{AccountId, ObjectId, SsoConnectionId, SsoId};
use crate::domain::stored::StoredObject;

use super::decode::Columns;
use super::statement::{any_pair_of, is_any_pair};
use super::{Result, Store};

/// What is read of each row. The details come last, or not at all.
const LEAN: &str = "id, external_id, invitation_id, relationship_type, connected_account_id, connected_account_sso_id, \
                    connected_account_name, created_at, updated_at";
const DETAILED: &str = "id, external_id, invitation_id, relationship_type, connected_account_id, connected_account_sso_id, \
                        connected_account_name, created_at, updated_at, created_by, CAST(ui_state AS text)";

fn columns(details: bool) -> &'static str {
    if details { DETAILED } else { LEAN }
}

impl Store {
    /// All of an owner's rows, in no order. Without `details`, `created_by` and `ui_state` are not read.
    ///
    /// # Errors
    /// The database's.
    pub async fn connections(&self, owner: AccountId, details: bool) -> Result<Vec<LocalConnection>> {
        let sql = format!("SELECT {} FROM account_connections WHERE account_id = $1", columns(details));
        self.read_connections(&sql, [owner.as_str().into()], details).await
    }

    /// An owner's rows that bear an id as their own, as SSO's or as their invitation's.
    ///
    /// # Errors
    /// The database's.
    pub async fn connections_by_any_id(
        &self,
        owner: AccountId,
        id: ObjectId,
        details: bool,
    ) -> Result<Vec<LocalConnection>> {
        // Three look-ups, each by its index; a row that is found twice is listed once.
        let sql = format!(
            "SELECT {} FROM account_connections WHERE id IN (\
             SELECT id FROM account_connections WHERE account_id = $1 AND id = $2 \
             UNION SELECT id FROM account_connections WHERE account_id = $1 AND external_id = $2 \
             UNION SELECT id FROM account_connections WHERE account_id = $1 AND invitation_id = $2)",
            columns(details)
        );
        self.read_connections(&sql, [owner.as_str().into(), id.as_str().into()], details).await
    }

    /// An owner's row of a connection at SSO.
    ///
    /// # Errors
    /// The database's.
    pub async fn connection_by_sso_id(
        &self,
        owner: AccountId,
        id: SsoConnectionId,
        details: bool,
    ) -> Result<Option<LocalConnection>> {
        let sql =
            format!("SELECT {} FROM account_connections WHERE account_id = $1 AND external_id = $2", columns(details));
        Ok(self.read_connections(&sql, [owner.as_str().into(), id.as_str().into()], details).await?.pop())
    }

    /// Whether an owner has a row of a connection at SSO, be it one that cannot be read.
    ///
    /// # Errors
    /// The database's.
    pub async fn has_connection(&self, owner: AccountId, id: SsoConnectionId) -> Result<bool> {
        let sql = "SELECT id FROM account_connections WHERE account_id = $1 AND external_id = $2";
        Ok(!self.read(sql, [owner.as_str().into(), id.as_str().into()]).await?.is_empty())
    }

    /// Owners' rows of connections at SSO, each with its owner, in one statement and in no order.
    ///
    /// # Errors
    /// The database's.
    pub async fn connections_by_sso_ids(
        &self,
        ids: &[(AccountId, SsoConnectionId)],
        details: bool,
    ) -> Result<Vec<(AccountId, LocalConnection)>> {
        let columns = columns(details);
        let condition = is_any_pair(self.backend(), ids, "external_id", 1);
        let sql = format!("SELECT account_id, {columns} FROM account_connections WHERE {condition}");
        self.read_owned_connections(&sql, any_pair_of(self.backend(), ids), details).await
    }

    /// Owners' rows that name a partner, and those of further connections at SSO, each with its owner. Without details.
    ///
    /// # Errors
    /// The database's.
    pub async fn connections_with_partners(
        &self,
        partners: &[(AccountId, SsoId)],
        also: &[(AccountId, SsoConnectionId)],
    ) -> Result<Vec<(AccountId, LocalConnection)>> {
        let backend = self.backend();
        let sql = format!(
            "SELECT account_id, {LEAN} FROM account_connections WHERE id IN (\
             SELECT id FROM account_connections WHERE {} \
             UNION SELECT id FROM account_connections WHERE {})",
            is_any_pair(backend, partners, "connected_account_sso_id", 1),
            is_any_pair(backend, also, "external_id", 3)
        );
        let values = any_pair_of(backend, partners).into_iter().chain(any_pair_of(backend, also));
        self.read_owned_connections(&sql, values, false).await
    }

    async fn read_owned_connections(
        &self,
        sql: &str,
        values: impl IntoIterator<Item = Value>,
        details: bool,
    ) -> Result<Vec<(AccountId, LocalConnection)>> {
        let rows = self.read(sql, values).await?;
        let mut connections = Vec::with_capacity(rows.len());
        for row in &rows {
            let mut columns = Columns::new(row, self.backend());
            let owner = columns.id("account_connections.account_id");
            connections.extend(owner.zip(decode_connection(columns, details)));
        }
        Ok(connections)
    }

    async fn read_connections(
        &self,
        sql: &str,
        values: impl IntoIterator<Item = Value>,
        details: bool,
    ) -> Result<Vec<LocalConnection>> {
        let rows = self.read(sql, values).await?;
        let mut connections = Vec::with_capacity(rows.len());
        for row in &rows {
            connections.extend(decode_connection(Columns::new(row, self.backend()), details));
        }
        Ok(connections)
    }
}

/// The columns of [`columns`]. A row whose ids are no ids, or whose type is none, is left out.
fn decode_connection(mut columns: Columns<'_>, details: bool) -> Option<LocalConnection> {
    // Every column is read, so that each odd one is counted.
    let id = columns.id("account_connections.id");
    let sso_connection_id = columns.id("account_connections.external_id");
    let invitation_id = columns.maybe_id("account_connections.invitation_id");
    let relationship_type = columns.word("account_connections.relationship_type", RelationshipType::parse);
    let partner_id = columns.maybe_id("account_connections.connected_account_id");
    let partner_sso_id = columns.id("account_connections.connected_account_sso_id");
    let partner_name = columns.text("account_connections.connected_account_name");
    let created_at = columns.time("account_connections.created_at");
    let updated_at = columns.time("account_connections.updated_at");
    let (created_by, ui_state) = if details {
        (
            columns.maybe_text("account_connections.created_by"),
            columns.required_json("account_connections.ui_state", StoredObject::from_stored),
        )
    } else {
        (None, None)
    };
    Some(LocalConnection {
        id: id?,
        sso_connection_id: sso_connection_id?,
        invitation_id,
        relationship_type: relationship_type?,
        partner_id,
        partner_sso_id: partner_sso_id?,
        partner_name,
        created_by,
        ui_state,
        created_at,
        updated_at,
    })
}

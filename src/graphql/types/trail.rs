//! A page of a connection's trail of repairs.

use async_graphql::{Context, Object, SimpleObject};

use crate::api_error::ApiError;
use crate::domain::repair;
use crate::front::authentication::require_superuser;
use crate::graphql::page::{PageInfo, count, decode_trail_cursor, encode_trail_cursor};
use crate::graphql::request_state::RequestState;
use crate::service::get_each::OwnedId;
use crate::service::trail::{Trail, TrailWindow};

use super::repair::RepairRecord;

/// A page of a connection's trail of repairs.
pub struct RepairRecordConnection {
    page: Trail,
    has_previous: bool,
}

/// Reads a page of a connection's trail: the resolver of `repairs`.
///
/// # Errors
/// The caller is no superuser, arguments that are off, the database.
pub async fn trail(
    context: &Context<'_>,
    id: OwnedId,
    first: i32,
    after: Option<&str>,
) -> Result<RepairRecordConnection, ApiError> {
    let state = RequestState::of(context)?;
    require_superuser(&state.caller)?;
    let first = count("first", first, state.app.settings.max_page_size)?;
    let after = after.map(decode_trail_cursor).transpose()?;
    let selected = context.look_ahead();
    let looks_back = after.is_some() && selected.field("pageInfo").field("hasPreviousPage").exists();
    let window = TrailWindow { first, after, counted: looks_back || selected.field("totalCount").exists() };
    let page = state.batches.trail(id, window).await?;
    let has_previous = page.length.skipped > 0;
    Ok(RepairRecordConnection { page, has_previous })
}

/// A page of a connection's trail of repairs.
#[Object]
impl RepairRecordConnection {
    /// The page's entries, each with its cursor.
    async fn edges(&self) -> Vec<RepairRecordEdge> {
        let edge = |record: &repair::RepairRecord| RepairRecordEdge {
            cursor: encode_trail_cursor(record.position()),
            node: RepairRecord(record.clone()),
        };
        self.page.records.iter().map(edge).collect()
    }

    /// The page's entries.
    async fn nodes(&self) -> Vec<RepairRecord> {
        self.page.records.iter().cloned().map(RepairRecord).collect()
    }

    /// The page's place in the whole trail.
    async fn page_info(&self) -> PageInfo {
        let cursor = |record: &repair::RepairRecord| encode_trail_cursor(record.position());
        PageInfo {
            has_next_page: self.page.has_next,
            has_previous_page: self.has_previous,
            start_cursor: self.page.records.first().map(cursor),
            end_cursor: self.page.records.last().map(cursor),
        }
    }

    /// How many entries the trail has, on all pages.
    async fn total_count(&self) -> i32 {
        i32::try_from(self.page.length.total).unwrap_or(i32::MAX)
    }
}

/// An entry on a page of a trail.
#[derive(SimpleObject)]
pub struct RepairRecordEdge {
    /// Its place in the trail.
    cursor: String,
    /// The entry.
    node: RepairRecord,
}

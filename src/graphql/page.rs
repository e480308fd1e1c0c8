//! Relay's paging: cursors, page arguments, `PageInfo`.

use async_graphql::SimpleObject;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use crate::api_error::{ApiError, ErrorCode};
use crate::domain::repair::TrailPosition;
use crate::domain::selection::{Limit, OrderField, Position, PositionKey, Window};
use crate::domain::timestamp::Timestamp;

/// How many items a page has when nobody says.
const DEFAULT_PAGE_SIZE: usize = 50;

/// A page's place in the whole list.
#[derive(Debug, SimpleObject)]
pub struct PageInfo {
    /// Whether anything stands behind this page.
    pub has_next_page: bool,
    /// Whether anything stands before this page.
    pub has_previous_page: bool,
    /// The first edge's cursor. null: the page is empty.
    pub start_cursor: Option<String>,
    /// The last edge's cursor. null: the page is empty.
    pub end_cursor: Option<String>,
}

/// The four paging arguments, as given.
#[derive(Debug, Clone, Default)]
pub struct PageArguments {
    /// The first so many.
    pub first: Option<i32>,
    /// Behind this cursor.
    pub after: Option<String>,
    /// The last so many.
    pub last: Option<i32>,
    /// Before this cursor.
    pub before: Option<String>,
}

impl PageArguments {
    /// The window they ask for, in a list that is ordered by `field`.
    ///
    /// # Errors
    /// Both `first` and `last`, one out of 0 to `largest`, or a cursor that is not of this order.
    pub fn window(self, field: OrderField, largest: usize) -> Result<Window, ApiError> {
        let limit = match (self.first, self.last) {
            (Some(_), Some(_)) => return Err(ApiError::bad_input("give either first or last, not both")),
            (Some(first), None) => Limit::First(count("first", first, largest)?),
            (None, Some(last)) => Limit::Last(count("last", last, largest)?),
            (None, None) => Limit::First(DEFAULT_PAGE_SIZE.min(largest)),
        };
        Ok(Window {
            after: self.after.map(|cursor| decode("after", &cursor, field)).transpose()?,
            before: self.before.map(|cursor| decode("before", &cursor, field)).transpose()?,
            limit,
        })
    }
}

/// A number of items.
///
/// # Errors
/// It is not from 0 to `largest`.
pub fn count(argument: &str, given: i32, largest: usize) -> Result<usize, ApiError> {
    usize::try_from(given)
        .ok()
        .filter(|count| *count <= largest)
        .ok_or_else(|| ApiError::bad_input(format!("{argument} must be from 0 to {largest}, and is {given}")))
}

/// The inside of a cursor: short keys, since each edge has one.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct CursorValues {
    #[serde(rename = "c")]
    created_at: i64,
    #[serde(rename = "i")]
    id: String,
    #[serde(rename = "u", default, skip_serializing_if = "Option::is_none")]
    updated_at: Option<i64>,
    #[serde(rename = "n", default, skip_serializing_if = "Option::is_none")]
    partner_name: Option<String>,
}

/// A position as an opaque text.
#[must_use]
pub fn encode(position: &Position) -> String {
    let (updated_at, partner_name) = match &position.key {
        PositionKey::CreatedAt => (None, None),
        PositionKey::UpdatedAt(at) => (Some(at.as_millis()), None),
        PositionKey::PartnerName(name) => (None, Some(name.clone())),
    };
    let created_at = position.created_at.as_millis();
    let values = CursorValues { created_at, id: position.id.to_string(), updated_at, partner_name };
    // Numbers and texts always make JSON, so the fallback is never taken.
    URL_SAFE_NO_PAD.encode(serde_json::to_vec(&values).unwrap_or_default())
}

fn invalid_cursor(argument: &str) -> ApiError {
    let text = format!("{argument} is not a cursor of this list and order; take one from its edges or pageInfo");
    ApiError::new(ErrorCode::CursorInvalid, text)
}

fn decode(argument: &str, cursor: &str, field: OrderField) -> Result<Position, ApiError> {
    let invalid = || invalid_cursor(argument);
    let bytes = URL_SAFE_NO_PAD.decode(cursor).map_err(|_| invalid())?;
    let values: CursorValues = serde_json::from_slice(&bytes).map_err(|_| invalid())?;
    let key = match (values.updated_at, values.partner_name) {
        (None, None) => PositionKey::CreatedAt,
        (Some(at), None) => PositionKey::UpdatedAt(Timestamp::from_millis(at)),
        (None, Some(name)) => PositionKey::PartnerName(name),
        (Some(_), Some(_)) => return Err(invalid()),
    };
    if key.field() != field {
        return Err(invalid());
    }
    let id = values.id.parse().map_err(|_| invalid())?;
    let position = Position { key, created_at: Timestamp::from_millis(values.created_at), id };
    // Another spelling, or an array in the object's place, which serde's derived reader takes too, is no cursor of ours.
    if encode(&position) == cursor { Ok(position) } else { Err(invalid()) }
}

/// The inside of a cursor of a trail.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct TrailCursorValues {
    #[serde(rename = "c")]
    created_at: i64,
    #[serde(rename = "r")]
    record: String,
}

/// A place in a trail as an opaque text.
#[must_use]
pub fn encode_trail_cursor(TrailPosition { created_at, id }: TrailPosition) -> String {
    let values = TrailCursorValues { created_at: created_at.as_millis(), record: id.to_string() };
    // A number and a text always make JSON, so the fallback is never taken.
    URL_SAFE_NO_PAD.encode(serde_json::to_vec(&values).unwrap_or_default())
}

/// The place that `after` means in a trail.
///
/// # Errors
/// It is no cursor of a trail.
pub fn decode_trail_cursor(after: &str) -> Result<TrailPosition, ApiError> {
    let bytes = URL_SAFE_NO_PAD.decode(after).ok();
    let values = bytes.and_then(|bytes| serde_json::from_slice::<TrailCursorValues>(&bytes).ok());
    let position = values.and_then(|TrailCursorValues { created_at, record }| {
        Some(TrailPosition { created_at: Timestamp::from_millis(created_at), id: record.parse().ok()? })
    });
    position.filter(|position| encode_trail_cursor(*position) == after).ok_or_else(|| invalid_cursor("after"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn key() -> impl Strategy<Value = PositionKey> {
        prop_oneof![
            Just(PositionKey::CreatedAt),
            any::<i32>().prop_map(|at| PositionKey::UpdatedAt(Timestamp::from_millis(at.into()))),
            any::<String>().prop_map(PositionKey::PartnerName),
        ]
    }

    proptest! {
        #[test]
        fn a_cursor_leads_back_to_its_place(key in key(), created_at in any::<i32>(), id in "[0-9a-f]{24}") {
            let created_at = Timestamp::from_millis(created_at.into());
            let position = Position { key, created_at, id: id.parse().unwrap() };
            let decoded = decode("after", &encode(&position), position.key.field()).unwrap();
            prop_assert_eq!(decoded, position);
        }

        #[test]
        fn any_other_text_is_refused_and_named(cursor in "\\PC{0,60}") {
            let error = decode("before", &cursor, OrderField::CreatedAt).unwrap_err();
            prop_assert_eq!(error.code, ErrorCode::CursorInvalid);
            prop_assert!(error.message.starts_with("before "));
        }
    }

    #[test]
    fn a_trails_cursor_leads_back_to_its_place_and_no_other_cursor_does() {
        let id = "5d9a4c421d011c553e000001";
        let place = TrailPosition { created_at: Timestamp::from_millis(7), id: id.parse().unwrap() };
        assert_eq!(decode_trail_cursor(&encode_trail_cursor(place)).unwrap(), place);
        let position = Position { key: PositionKey::CreatedAt, created_at: Timestamp::EPOCH, id: id.parse().unwrap() };
        for other in [encode(&position), "nonsense".to_owned(), String::new()] {
            assert_eq!(decode_trail_cursor(&other).unwrap_err().code, ErrorCode::CursorInvalid);
        }
        assert!(decode("after", &encode_trail_cursor(place), OrderField::CreatedAt).is_err());
    }

    #[test]
    fn a_cursor_is_what_was_given_out_to_the_letter() {
        let id = "5d9a4c421d011c553e000001";
        for inside in [
            format!("[7,\"{id}\"]"),
            format!("{{\"c\": 7,\"i\":\"{id}\"}}"),
            format!("{{\"i\":\"{id}\",\"c\":7}}"),
            format!("{{\"c\":7,\"i\":\"{}\"}}", id.to_uppercase()),
            format!("{{\"c\":{},\"i\":\"{id}\"}}", i64::MAX),
        ] {
            let refused = decode("after", &URL_SAFE_NO_PAD.encode(&inside), OrderField::CreatedAt);
            assert!(refused.is_err(), "{inside}");
            let refused = decode_trail_cursor(&URL_SAFE_NO_PAD.encode(inside.replace("\"i\"", "\"r\"")));
            assert!(refused.is_err(), "{inside}");
        }
        let own = format!("{{\"c\":7,\"i\":\"{id}\"}}");
        assert!(decode("after", &URL_SAFE_NO_PAD.encode(own), OrderField::CreatedAt).is_ok());
    }

    #[test]
    fn a_cursor_of_another_order_is_refused() {
        let id = "5d9a4c421d011c553e000001".parse().unwrap();
        let position = Position { key: PositionKey::CreatedAt, created_at: Timestamp::EPOCH, id };
        assert!(decode("after", &encode(&position), OrderField::PartnerName).is_err());
    }

    #[test]
    fn sizes_out_of_range_and_both_ends_at_once_are_refused() {
        let window =
            |first, last| PageArguments { first, last, ..Default::default() }.window(OrderField::CreatedAt, 100);
        for (first, last) in
            [(Some(-1), None), (Some(101), None), (None, Some(101)), (None, Some(-5)), (Some(1), Some(1))]
        {
            assert_eq!(window(first, last).unwrap_err().code, ErrorCode::BadUserInput, "{first:?} {last:?}");
        }
        assert_eq!(window(Some(0), None).unwrap().limit, Limit::First(0));
        assert_eq!(window(None, Some(100)).unwrap().limit, Limit::Last(100));
        assert_eq!(window(None, None).unwrap().limit, Limit::First(50));
    }
}

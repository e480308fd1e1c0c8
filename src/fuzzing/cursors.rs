//! Cursors: what is accepted belongs to one order, and is written again as the very same text.

use crate::api_error::{ApiError, ErrorCode};
use crate::domain::selection::{OrderField, Position};
use crate::graphql::page::{PageArguments, decode_trail_cursor, encode, encode_trail_cursor};

use super::is_fit_to_tell;

pub(super) fn holds(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let mut orders = 0;
    for field in [OrderField::CreatedAt, OrderField::UpdatedAt, OrderField::PartnerName] {
        match place(text, field) {
            Ok(position) => {
                orders += 1;
                assert_eq!(position.key.field(), field);
                assert_eq!(encode(&position), text);
            }
            Err(refused) => is_refusal(&refused, text),
        }
    }
    match decode_trail_cursor(text) {
        Ok(position) => {
            orders += 1;
            assert_eq!(encode_trail_cursor(position), text);
        }
        Err(refused) => is_refusal(&refused, text),
    }
    assert!(orders <= 1, "a cursor of {orders} orders");
}

fn place(cursor: &str, field: OrderField) -> Result<Position, ApiError> {
    let arguments = PageArguments { after: Some(cursor.to_owned()), ..PageArguments::default() };
    let window = arguments.window(field, 100)?;
    Ok(window.after.expect("a window behind the cursor"))
}

fn is_refusal(refused: &ApiError, cursor: &str) {
    assert_eq!(refused.code, ErrorCode::CursorInvalid);
    is_fit_to_tell(&refused.message);
    // Whatever may be hidden in it, it is not sent back.
    assert!(cursor.len() < 20 || !refused.message.contains(cursor));
}

//! Ids and instants: what is accepted is of the one form, and what it is written as reads the same.

use async_graphql::ID;

use crate::domain::connection::RelationshipType;
use crate::domain::id::{ObjectId, SsoConnectionId};
use crate::domain::timestamp::Timestamp;
use crate::graphql::global_id::GlobalId;

pub(super) fn holds(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };

    let is_id = text.len() == 24 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let id = ObjectId::parse(text);
    assert_eq!(id.is_ok(), is_id);
    if let Ok(id) = id {
        assert_eq!(id.as_str(), text.to_ascii_lowercase());
        assert_eq!(text.parse(), Ok(SsoConnectionId(id)));
        for named in [
            GlobalId::Account(id.into()),
            GlobalId::Partnership(id.into(), id.into()),
            GlobalId::RepairRecord(id.into(), id.into()),
        ] {
            assert_eq!(GlobalId::parse(&ID::from(named)), Some(named));
        }
    }

    if let Some(named) = GlobalId::parse(text) {
        let written = ID::from(named);
        assert_eq!(GlobalId::parse(&written), Some(named));
        // Another spelling can differ in the case of its digits alone.
        assert_eq!(written.len(), text.len());
        assert!(text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)));
    }

    if let Ok(instant) = Timestamp::parse(text) {
        let written = instant.to_string();
        assert_eq!(Timestamp::parse(&written), Ok(instant));
        assert!(written.len() == 24 && written.ends_with('Z'), "{written}");
        assert!(is_rfc_3339(text), "{text:?} was taken for an instant");
    }

    if let Some(kind) = RelationshipType::parse(text) {
        assert_eq!(kind.as_str(), text);
    }
}

/// `2019-08-24T14:15:22[.fraction](Z|±hh:mm)`, in its characters.
fn is_rfc_3339(text: &str) -> bool {
    let is_like = |part: &str, pattern: &str| {
        part.len() == pattern.len()
            && part.bytes().zip(pattern.bytes()).all(|(byte, like)| match like {
                b'0' => byte.is_ascii_digit(),
                b'T' => b"Tt ".contains(&byte),
                b'+' => b"+-".contains(&byte),
                like => byte == like,
            })
    };
    let Some((head, tail)) = text.split_at_checked("2019-08-24T14:15:22".len()) else { return false };
    let zone = match tail.strip_prefix('.') {
        None => tail,
        Some(fraction) => {
            let zone = fraction.trim_start_matches(|one: char| one.is_ascii_digit());
            if zone.len() == fraction.len() {
                return false;
            }
            zone
        }
    };
    is_like(head, "0000-00-00T00:00:00") && (["Z", "z"].contains(&zone) || is_like(zone, "+00:00"))
}

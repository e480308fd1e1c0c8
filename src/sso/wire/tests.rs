//! What is read and what is refused, and that the two sides of a connection mirror each other.

use std::slice;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{NetworkConnection, Page, Party, Permissions};
use crate::domain::connection::RelationshipType;
use crate::domain::id::{InvitationId, ObjectId, SsoId};
use crate::domain::timestamp::Timestamp;
use crate::sso::simulator::parse_data;

fn sample() -> Value {
    json!({
        "id": "5D9A4C421D011C553E9BFF00",
        "invitation_id": "5d9a4c421d011c553e9bff01",
        "buyer": {"id": "5d9a4c421d011c553e9bff0B", "name": "Buyer & Söhne"},
        "seller": {"id": "5d9a4c421d011c553e9bff0c", "name": "Seller"},
        "permissions": {"buyer": ["a", "b"], "seller": []},
        "created_by": "someone",
        "created_at": "2019-08-24T16:15:22.1239+02:00",
        "updated_at": "2019-08-24T14:15:22Z"
    })
}

fn read(value: &Value) -> Result<NetworkConnection, serde_json::Error> {
    serde_json::from_str(&value.to_string())
}

#[test]
fn a_connection_is_normalised_as_it_is_read() {
    let connection = read(&sample()).unwrap();
    assert_eq!(connection.id.as_str(), "5d9a4c421d011c553e9bff00");
    assert_eq!(connection.buyer.id.as_str(), "5d9a4c421d011c553e9bff0b");
    assert_eq!(connection.created_at.to_string(), "2019-08-24T14:15:22.123Z");
    assert_eq!(read(&json!(connection)).unwrap(), connection, "what it is written as reads the same");
}

#[test]
fn unknown_keys_are_ignored() {
    let mut value = sample();
    value["colour"] = json!({"red": [1, 2, null]});
    value["buyer"]["id2"] = json!(7);
    value["permissions"]["others"] = json!(null);
    assert_eq!(read(&value).unwrap(), read(&sample()).unwrap());
}

/// Members that no reader of values could read. The kinds come from <https://github.com/serde-rs/json/issues/495> and
/// <https://github.com/serde-rs/json/issues/478>.
fn odd_members() -> String {
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let keys = r#""\ud800": 1, "\udfff\ud800": "\ud800", "$serde_json::private::RawValue": "[""#;
    format!(r#"{keys}, "zoom": 1e400, "zoom": -{}, "deep": {deep}, "more": {{"\ud800": {deep}}}"#, "9".repeat(5_000))
}

#[test]
fn unknown_keys_are_ignored_whatever_they_are_and_hold() {
    let known = read(&sample()).unwrap();
    let text = sample().to_string();
    for (place, _) in text.match_indices('{') {
        let odd = format!("{}{}, {}", &text[..=place], odd_members(), &text[place + 1..]);
        assert_eq!(super::read::<NetworkConnection>(odd.as_bytes()).unwrap(), known, "{place}");
        let page = format!("{{{}, \"network_connections\": [{odd}], \"next_cursor\": null}}", odd_members());
        let page: Page = super::read(page.as_bytes()).unwrap();
        assert_eq!(page.network_connections, slice::from_ref(&known), "{place}");
        // The contract's rules stand beside them.
        let twice = odd.replacen("\"id\"", "\"\\u0069d\": \"5d9a4c421d011c553e9bff0c\", \"id\"", 1);
        assert!(super::read::<NetworkConnection>(twice.as_bytes()).is_err(), "{place}");
        let missing = odd.replacen("\"created_at\"", "\"created_at\\ud800\"", 1);
        assert!(super::read::<NetworkConnection>(missing.as_bytes()).is_err(), "{place}");
    }
    let file = format!("{{{}, \"network_connections\": [{text}]}}", odd_members());
    assert_eq!(parse_data(&file).unwrap(), [known]);
}

#[test]
fn a_lone_surrogate_in_a_name_costs_only_itself() {
    let text = |known: &str, other: &str| sample().to_string().replacen(known, other, 1);
    let read = |text: &str| super::read::<NetworkConnection>(text.as_bytes());
    // JavaScript makes them when it cuts a text within a pair.
    let cut = read(&text("Buyer & Söhne", "Buyer \\ud83d\\ude00\\ud83d")).unwrap();
    assert_eq!(&*cut.buyer.name, "Buyer 😀\u{fffd}");
    assert_eq!(cut.seller.name, "Seller".into());
    assert_eq!(read(&text("someone", "\\udc00s")).unwrap().created_by.as_deref(), Some("\u{fffd}s"));
    assert_eq!(&*read(&text("\"b\"", "\"\\ud800\"")).unwrap().permissions.buyer[1], "\u{fffd}");
    // Where a text has a meaning it has another one then.
    assert!(read(&text("5d9a4c421d011c553e9bff01", "5d9a4c421d011c553e9bff0\\ud800")).is_err());
    assert!(read(&text("2019-08-24T14:15:22Z", "2019-08-24T14:15:22\\ud800")).is_err());
    let page = r#"{"network_connections": [], "next_cursor": "\ud800"}"#;
    assert!(super::read::<Page>(page.as_bytes()).is_err(), "it cannot be sent back as it came");
}

#[test]
fn bytes_that_are_no_text_are_refused_even_where_nobody_looks() {
    let mut value = sample();
    value["colour"] = json!("red");
    let text = value.to_string();
    assert!(super::read::<NetworkConnection>(text.as_bytes()).is_ok());
    for (known, other) in [("red", &b"\xff"[..]), ("colour", b"\xc3"), ("someone", b"\xed\xa0\x80")] {
        let at = text.find(known).unwrap();
        let bytes = [&text.as_bytes()[..at], other, &text.as_bytes()[at + known.len()..]].concat();
        assert!(super::read::<NetworkConnection>(&bytes).is_err(), "{known}");
    }
}

/// `serde_json` lets them pass where it reads a string's bytes.
#[test]
fn control_characters_in_strings_are_refused_wherever_they_are() {
    let text = sample().to_string();
    assert!(super::read::<NetworkConnection>(text.as_bytes()).is_ok());
    for (part, broken) in [("{", "{\"a\nb\": 1, "), ("{", "{\"a\": \"\u{1}\", "), ("\"name\":\"", "\"name\":\"a\tb")] {
        let text = text.replacen(part, broken, 1);
        assert!(super::read::<NetworkConnection>(text.as_bytes()).is_err(), "{text}");
        let escaped = text.replace('\n', "\\n").replace('\u{1}', "\\u0001").replace('\t', "\\t");
        assert!(super::read::<NetworkConnection>(escaped.as_bytes()).is_ok(), "{escaped}");
    }
}

#[test]
fn every_key_must_be_there_even_if_it_may_be_null() {
    for pointer in ["", "/buyer", "/seller", "/permissions"] {
        let keys: Vec<String> = sample().pointer(pointer).unwrap().as_object().unwrap().keys().cloned().collect();
        for key in keys {
            let mut value = sample();
            value.pointer_mut(pointer).unwrap().as_object_mut().unwrap().remove(&key);
            assert!(read(&value).is_err(), "{pointer}/{key}");
        }
    }
}

#[test]
fn null_is_read_where_it_may_stand_and_nowhere_else() {
    for pointer in ["/invitation_id", "/created_by"] {
        let mut value = sample();
        *value.pointer_mut(pointer).unwrap() = Value::Null;
        assert!(read(&value).is_ok(), "{pointer}");
    }
    for pointer in [
        "/id",
        "/buyer",
        "/buyer/id",
        "/buyer/name",
        "/seller",
        "/seller/id",
        "/seller/name",
        "/permissions",
        "/permissions/buyer",
        "/permissions/buyer/0",
        "/permissions/seller",
        "/created_at",
        "/updated_at",
    ] {
        let mut value = sample();
        *value.pointer_mut(pointer).unwrap() = Value::Null;
        assert!(read(&value).is_err(), "{pointer}");
    }
}

#[test]
fn a_value_of_another_type_or_form_is_refused() {
    for (pointer, bad) in [
        ("/id", json!("5d9a4c421d011c553e9bff0")),
        ("/id", json!("5d9a4c421d011c553e9bff0g")),
        ("/id", json!(7)),
        ("/invitation_id", json!("")),
        ("/invitation_id", json!(false)),
        ("/buyer", json!(["5d9a4c421d011c553e9bff0b", "an array for an object"])),
        ("/buyer", json!("5d9a4c421d011c553e9bff0b")),
        ("/buyer/id", json!("me")),
        ("/buyer/name", json!(7)),
        ("/buyer/name", json!([65, 66])),
        ("/created_by", json!({"name": "a"})),
        ("/permissions", json!([["a"], []])),
        ("/permissions/buyer", json!("a")),
        ("/permissions/buyer", json!({"a": true})),
        ("/permissions/buyer/0", json!(1)),
        ("/permissions/buyer/0", json!([65])),
        ("/created_by", json!(7)),
        ("/created_at", json!("yesterday")),
        ("/created_at", json!("2019-08-24T14:15:22")),
        ("/updated_at", json!(1_566_656_122)),
    ] {
        let mut value = sample();
        *value.pointer_mut(pointer).unwrap() = bad.clone();
        assert!(read(&value).is_err(), "{pointer} = {bad}");
    }
}

#[test]
fn an_array_in_the_place_of_an_object_is_refused() {
    let connection = read(&sample()).unwrap();
    let fields: Vec<Value> = json!(connection).as_object().unwrap().values().cloned().collect();
    assert!(read(&json!(fields)).is_err());
    assert!(serde_json::from_str::<Page>("[[], null]").is_err());
}

#[test]
fn a_key_that_comes_twice_is_refused() {
    let text = sample().to_string();
    let twice = format!("{{\"created_by\": null, {}", &text[1..]);
    assert!(serde_json::from_str::<NetworkConnection>(&twice).is_err());
}

#[test]
fn a_side_with_more_permissions_than_memory_is_for_is_refused() {
    let with = |count: usize| {
        let mut value = sample();
        value["permissions"]["buyer"] = json!(vec!["p"; count]);
        read(&value)
    };
    assert_eq!(with(1_000).unwrap().permissions.buyer.len(), 1_000);
    assert!(with(1_001).is_err());
}

fn ids<T: From<ObjectId> + std::fmt::Debug>() -> impl Strategy<Value = T> {
    (any::<u32>(), any::<[u8; 5]>(), 0..1_u32 << 24)
        .prop_map(|(seconds, process, counter)| ObjectId::from_parts(seconds, process, counter).into())
}

fn names() -> impl Strategy<Value = Box<str>> {
    ".{0,12}".prop_map(String::into_boxed_str)
}

fn times() -> impl Strategy<Value = Timestamp> {
    (0..4_000_000_000_000_i64).prop_map(Timestamp::from_millis)
}

prop_compose! {
    fn connections()(
        id in ids(),
        invitation_id in proptest::option::of(ids::<InvitationId>()),
        parties in (ids::<SsoId>(), names(), ids::<SsoId>(), names()),
        permissions in (proptest::collection::vec(names(), 0..3), proptest::collection::vec(names(), 0..3)),
        created_by in proptest::option::of(names()),
        created_at in times(),
        updated_at in times(),
    ) -> NetworkConnection {
        let (buyer_id, buyer_name, seller_id, seller_name) = parties;
        NetworkConnection {
            id,
            invitation_id,
            buyer: Party { id: buyer_id, name: buyer_name },
            seller: Party { id: seller_id, name: seller_name },
            permissions: Permissions { buyer: permissions.0, seller: permissions.1 },
            created_by,
            created_at,
            updated_at,
        }
    }
}

proptest! {
    #[test]
    fn what_is_written_reads_the_same(connection in connections()) {
        let text = serde_json::to_string(&connection).unwrap();
        prop_assert_eq!(serde_json::from_str::<NetworkConnection>(&text).unwrap(), connection);
    }

    #[test]
    fn buyer_and_seller_see_mirror_images(connection in connections(), stranger in ids::<SsoId>()) {
        let (buyer, seller) = (connection.buyer.id, connection.seller.id);
        prop_assume!(buyer != seller && stranger != buyer && stranger != seller);

        let bought = connection.clone().seen_by(buyer).unwrap();
        prop_assert_eq!(bought.relationship_type, RelationshipType::Seller);
        prop_assert_eq!((bought.partner_sso_id, &bought.partner_name), (seller, &connection.seller.name));
        prop_assert_eq!(&bought.permissions[..], &connection.permissions.buyer[..]);

        let sold = connection.clone().seen_by(seller).unwrap();
        prop_assert_eq!(sold.relationship_type, RelationshipType::Buyer);
        prop_assert_eq!((sold.partner_sso_id, &sold.partner_name), (buyer, &connection.buyer.name));
        prop_assert_eq!(&sold.permissions[..], &connection.permissions.seller[..]);

        for seen in [&bought, &sold] {
            prop_assert_eq!(seen.id, connection.id);
            prop_assert_eq!(seen.invitation_id, connection.invitation_id);
            prop_assert_eq!(&seen.created_by, &connection.created_by);
            prop_assert_eq!((seen.created_at, seen.updated_at), (connection.created_at, connection.updated_at));
        }

        let turned = NetworkConnection {
            buyer: connection.seller.clone(),
            seller: connection.buyer.clone(),
            permissions: Permissions {
                buyer: connection.permissions.seller.clone(),
                seller: connection.permissions.buyer.clone(),
            },
            ..connection.clone()
        };
        let sold_once_turned = turned.seen_by(buyer).unwrap();
        prop_assert_eq!(sold_once_turned.relationship_type, RelationshipType::Buyer);
        prop_assert_eq!(sold_once_turned.permissions, bought.permissions);

        prop_assert_eq!(connection.seen_by(stranger), None);
    }

    #[test]
    fn an_account_on_both_sides_is_read_as_the_buyer(connection in connections()) {
        let both = connection.buyer.id;
        let seller = Party { id: both, ..connection.seller.clone() };
        let seen = NetworkConnection { seller, ..connection.clone() }.seen_by(both).unwrap();
        prop_assert_eq!(seen.relationship_type, RelationshipType::Seller);
        prop_assert_eq!(&seen.permissions[..], &connection.permissions.buyer[..]);
    }
}

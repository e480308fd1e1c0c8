//! The join, the selection and the repair plan against oracles that are written differently: nested loops over maps of
//! facts, no indexes, no sorting by position.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use caseless::default_case_fold_str;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use super::account_entity::EntityConnected;
use super::caller::Account;
use super::connection::{ConnectionStatus, Drift, LocalConnection, RelationshipType};
use super::directory::Directory;
use super::id::{ObjectId, SsoConnectionId};
use super::reconcile::{Merged, Reconciled, pick};
use super::repair::plan;
use super::selection::{Direction, Filter, Limit, Order, OrderField, Window, position, select};
use super::sso_view::{SourceFailure, SsoConnection, SsoSnapshot, SsoView};
use super::stored::StoredObject;
use super::timestamp::Timestamp;

/// Few ids, so that they meet.
fn id(kind: u8, number: u8) -> ObjectId {
    ObjectId::parse(&format!("{kind:02x}{number:022x}")).unwrap()
}

fn relationship_type() -> impl Strategy<Value = RelationshipType> {
    prop_oneof![Just(RelationshipType::Seller), Just(RelationshipType::Buyer)]
}

fn name() -> impl Strategy<Value = Box<str>> {
    prop_oneof!["[aAbBsSÄßẞ]{0,3}", Just("Acme".to_owned())].prop_map(Into::into)
}

fn time() -> impl Strategy<Value = Timestamp> {
    (0_i64..4).prop_map(Timestamp::from_millis)
}

prop_compose! {
    fn local(number: u8)(
        invitation in option::of(0_u8..4),
        relationship_type in relationship_type(),
        partner_id in option::of(0_u8..4),
        partner in 0_u8..4,
        partner_name in name(),
        created_at in time(),
        updated_at in time(),
    ) -> LocalConnection {
        LocalConnection {
            id: id(1, number).into(),
            sso_connection_id: id(2, number).into(),
            invitation_id: invitation.map(|number| id(3, number).into()),
            relationship_type,
            partner_id: partner_id.map(|number| id(4, number).into()),
            partner_sso_id: id(5, partner).into(),
            partner_name,
            created_by: None,
            ui_state: Some(StoredObject::empty().clone()),
            created_at,
            updated_at,
        }
    }
}

prop_compose! {
    fn listed(number: u8)(
        invitation in option::of(0_u8..4),
        relationship_type in relationship_type(),
        partner in 0_u8..4,
        partner_name in name(),
        permissions in vec(prop_oneof![Just("a"), Just("b")], 0..3),
        created_at in time(),
        updated_at in time(),
    ) -> SsoConnection {
        SsoConnection {
            id: id(2, number).into(),
            invitation_id: invitation.map(|number| id(3, number).into()),
            relationship_type,
            partner_sso_id: id(5, partner).into(),
            partner_name,
            permissions: permissions.into_iter().map(Box::from).collect(),
            created_by: None,
            created_at,
            updated_at,
        }
    }
}

/// Each of ten connections: with a row, at SSO, both or neither.
fn halves() -> impl Strategy<Value = (Vec<LocalConnection>, Vec<SsoConnection>)> {
    let pair = |number: u8| (option::of(local(number)), option::of(listed(number)));
    let pairs: Vec<_> = (0..10).map(pair).collect();
    pairs.prop_map(|pairs| {
        let (locals, listed): (Vec<_>, Vec<_>) = pairs.into_iter().unzip();
        (locals.into_iter().flatten().collect(), listed.into_iter().flatten().collect())
    })
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Sso {
    Up,
    Down,
    NotAsked,
}

fn sso() -> impl Strategy<Value = Sso> {
    prop_oneof![3 => Just(Sso::Up), 1 => Just(Sso::Down), 1 => Just(Sso::NotAsked)]
}

fn view(sso: Sso, listed: &[SsoConnection]) -> SsoView {
    match sso {
        Sso::Up => SsoView::Answered(Arc::new(SsoSnapshot::new(Timestamp::EPOCH, listed.to_vec()))),
        Sso::Down => SsoView::Unavailable(SourceFailure::Timeout),
        Sso::NotAsked => SsoView::Skipped,
    }
}

/// What a merged connection must say, worked out by looking things up in the plain lists.
#[derive(Debug, PartialEq)]
struct Facts {
    connection_id: ObjectId,
    status: ConnectionStatus,
    relationship_type: RelationshipType,
    permissions: Option<Vec<String>>,
    drift: Drift,
}

fn expected(
    sso: Sso,
    locals: &[LocalConnection],
    listed: &[SsoConnection],
) -> BTreeMap<(Timestamp, SsoConnectionId), Facts> {
    let listed = if sso == Sso::Up { listed } else { &[] };
    let ids: BTreeSet<_> =
        locals.iter().map(|row| row.sso_connection_id).chain(listed.iter().map(|one| one.id)).collect();
    let mut facts = BTreeMap::new();
    for id in ids {
        let row = locals.iter().find(|row| row.sso_connection_id == id);
        let one = listed.iter().find(|one| one.id == id);
        let same_tie = row.zip(one).is_none_or(|(row, one)| {
            (row.relationship_type, row.partner_sso_id) == (one.relationship_type, one.partner_sso_id)
        });
        let granted = |one: &SsoConnection| one.permissions.iter().map(ToString::to_string).collect::<Vec<_>>();
        let permissions =
            if sso == Sso::Up { Some(one.filter(|_| same_tie).map(granted).unwrap_or_default()) } else { None };
        let drift = match (sso, row, one) {
            (Sso::Up, Some(row), Some(one)) if same_tie && row.invitation_id == one.invitation_id => Drift::InSync,
            (Sso::Up, Some(_), Some(_)) => Drift::FieldMismatch,
            (Sso::Up, Some(_), None) => Drift::MissingInSso,
            (Sso::Up, None, _) => Drift::MissingLocally,
            _ => Drift::Unknown,
        };
        let created_at = row.map_or_else(|| one.unwrap().created_at, |row| row.created_at);
        let said = Facts {
            connection_id: row.map_or(id.0, |row| row.id.0),
            status: if row.is_some() { ConnectionStatus::Completed } else { ConnectionStatus::SsoOnly },
            relationship_type: row.map_or_else(|| one.unwrap().relationship_type, |row| row.relationship_type),
            permissions,
            drift,
        };
        facts.insert((created_at, id), said);
    }
    facts
}

fn said(merged: Merged<'_>) -> Facts {
    Facts {
        connection_id: merged.connection_id(),
        status: merged.status(),
        relationship_type: merged.relationship_type(),
        permissions: merged.permissions().map(|granted| granted.iter().map(ToString::to_string).collect()),
        drift: merged.drift(),
    }
}

fn filter() -> impl Strategy<Value = Filter> {
    let status = prop_oneof![Just(ConnectionStatus::Completed), Just(ConnectionStatus::SsoOnly)];
    let of_both = prop_oneof![Just(Drift::InSync), Just(Drift::FieldMismatch)];
    let drift = prop_oneof![of_both, Just(Drift::MissingInSso), Just(Drift::MissingLocally), Just(Drift::Unknown)];
    (
        option::weighted(0.3, relationship_type()),
        option::weighted(0.3, vec(status, 0..3)),
        option::weighted(0.3, vec(drift, 0..3)),
        option::weighted(0.3, "[aABsSß]{0,2}"),
        option::weighted(0.3, vec(prop_oneof![Just("a".to_owned()), Just("b".to_owned())], 0..3)),
        option::weighted(0.3, time()),
    )
        .prop_map(|(relationship_type, status, drift, search, has_permission, updated_since)| Filter {
            relationship_type,
            status,
            drift,
            search,
            has_permission,
            updated_since,
        })
}

fn lets_through(filter: &Filter, merged: Merged<'_>, name: &str) -> bool {
    let mut verdicts = vec![];
    if let Some(wanted) = filter.relationship_type {
        verdicts.push(wanted == merged.relationship_type());
    }
    if let Some(any) = &filter.status {
        verdicts.push(any.iter().any(|one| *one == merged.status()));
    }
    if let Some(any) = &filter.drift {
        verdicts.push(any.iter().any(|one| *one == merged.drift()));
    }
    if let Some(part) = &filter.search {
        verdicts.push(default_case_fold_str(name).contains(&default_case_fold_str(part)));
    }
    if let Some(all) = &filter.has_permission {
        let granted: Option<BTreeSet<&str>> =
            merged.permissions().map(|granted| granted.iter().map(|one| &**one).collect());
        verdicts.push(
            all.is_empty() || granted.is_some_and(|granted| all.iter().all(|one| granted.contains(one.as_str()))),
        );
    }
    if let Some(since) = filter.updated_since {
        verdicts.push(merged.updated_at() >= since);
    }
    !verdicts.contains(&false)
}

fn order() -> impl Strategy<Value = Order> {
    let field = prop_oneof![Just(OrderField::CreatedAt), Just(OrderField::UpdatedAt), Just(OrderField::PartnerName)];
    let direction = prop_oneof![Just(Direction::Ascending), Just(Direction::Descending)];
    (field, direction).prop_map(|(field, direction)| Order { field, direction })
}

proptest! {
    #[test]
    fn the_join_says_of_each_connection_what_the_oracle_says((locals, listed) in halves(), sso in sso()) {
        let reconciled = Reconciled::new(locals.clone(), view(sso, &listed));
        let expected: Vec<_> = expected(sso, &locals, &listed).into_iter().collect();
        let actual: Vec<_> = reconciled.iter().map(|merged| (merged.list_order(), said(merged))).collect();
        prop_assert_eq!(actual, expected);
    }

    #[test]
    fn connected_is_the_set_of_types_that_a_partner_has((locals, listed) in halves(), sso in sso()) {
        let reconciled = Reconciled::new(locals, view(sso, &listed));
        for (partner, connected) in reconciled.connected() {
            let has = |wanted| reconciled.iter().any(|one| one.partner_sso_id() == partner && one.relationship_type() == wanted);
            let expected = match (has(RelationshipType::Seller), has(RelationshipType::Buyer)) {
                (true, true) => EntityConnected::Both,
                (true, false) => EntityConnected::Seller,
                (false, _) => EntityConnected::Buyer,
            };
            prop_assert_eq!(connected, expected);
        }
        prop_assert!(reconciled.iter().all(|one| reconciled.connected().contains_key(&one.partner_sso_id())));
    }

    #[test]
    fn a_repair_leaves_an_entry_where_it_stands((locals, listed) in halves(), which in any::<prop::sample::Index>()) {
        let before = Reconciled::new(locals.clone(), view(Sso::Up, &listed));
        let missing: Vec<_> = before.iter().filter_map(|one| one.sso().filter(|_| one.local().is_none()).cloned()).collect();
        prop_assume!(!missing.is_empty());
        let listed_one = &missing[which.index(missing.len())];
        let tenant = Account { id: id(9, 1).into(), sso_id: id(9, 2).into(), name: "tenant".into() };
        let row = plan(id(1, 99).into(), &tenant, listed_one, None);
        let mut locals = locals;
        locals.push(LocalConnection {
            id: row.id,
            sso_connection_id: row.sso_connection_id,
            invitation_id: row.invitation_id,
            relationship_type: row.relationship_type,
            partner_id: row.partner_id,
            partner_sso_id: row.partner_sso_id,
            partner_name: row.partner_name.clone(),
            created_by: row.created_by.clone(),
            ui_state: Some(StoredObject::empty().clone()),
            created_at: row.created_at,
            updated_at: row.updated_at,
        });
        let after = Reconciled::new(locals, view(Sso::Up, &listed));
        prop_assert_eq!(before.len(), after.len());
        for (one, other) in before.iter().zip(after.iter()) {
            prop_assert_eq!(one.sso_connection_id(), other.sso_connection_id());
            if one.sso_connection_id() == listed_one.id {
                prop_assert_eq!(other.drift(), Drift::InSync);
                prop_assert_eq!(other.permissions(), one.permissions());
                prop_assert_eq!(other.status(), ConnectionStatus::Completed);
            }
        }
        let columns: Vec<_> = row.changes().iter().map(|change| change.path.clone()).collect();
        prop_assert_eq!(columns.len(), 11);
        prop_assert!(!columns.contains(&"id".into()));
    }

    #[test]
    fn a_page_is_the_slice_that_a_naive_list_has(
        (locals, listed) in halves(), sso in sso(), filter in filter(), order in order(),
        count in option::of(0_usize..6), from_end in any::<bool>(),
        after in option::of(any::<prop::sample::Index>()), before in option::of(any::<prop::sample::Index>()),
    ) {
        let reconciled = Reconciled::new(locals, view(sso, &listed));
        let directory = Directory::default();
        let name = |merged: Merged<'_>| merged.copied_partner_name().to_owned();

        // The oracle: insert one by one into place, then walk.
        let mut all: Vec<usize> = Vec::new();
        for index in 0..reconciled.len() {
            let merged = reconciled.get(index);
            if !lets_through(&filter, merged, &name(merged)) {
                continue;
            }
            let key = |index: usize| {
                let one = reconciled.get(index);
                let first = match order.field {
                    OrderField::CreatedAt => String::new(),
                    OrderField::UpdatedAt => one.updated_at().to_string(),
                    OrderField::PartnerName => name(one).to_lowercase(),
                };
                (first, one.list_order())
            };
            let ascending = order.direction == Direction::Ascending;
            let stands_before = |other: usize| if ascending { key(other) < key(index) } else { key(other) > key(index) };
            let place = all.iter().take_while(|other| stands_before(**other)).count();
            all.insert(place, index);
        }

        // Cursors may be of items that the filter has taken out.
        let everyone: Vec<usize> = (0..reconciled.len()).collect();
        let pick = |index: Option<prop::sample::Index>| index.filter(|_| !everyone.is_empty()).map(|index| index.index(everyone.len()));
        let (after, before) = (pick(after), pick(before));
        let place = |index: usize| position(reconciled.get(index), order.field, &directory);
        let is_behind = |index: usize, other: usize| match order.direction {
            Direction::Ascending => place(index) > place(other),
            Direction::Descending => place(index) < place(other),
        };
        let inside: Vec<usize> = all
            .iter()
            .copied()
            .filter(|index| after.is_none_or(|after| is_behind(*index, after)))
            .filter(|index| before.is_none_or(|before| is_behind(before, *index)))
            .collect();
        let expected: Vec<usize> = match count {
            None => inside,
            Some(count) if from_end => inside.iter().rev().take(count).rev().copied().collect(),
            Some(count) => inside.iter().take(count).copied().collect(),
        };

        let limit = match count {
            None => Limit::All,
            Some(count) if from_end => Limit::Last(count),
            Some(count) => Limit::First(count),
        };
        let window = Window { after: after.map(place), before: before.map(place), limit };
        let page = select(&reconciled, &directory, &filter, order, &window);
        prop_assert_eq!(&page.indexes, &expected);
        prop_assert_eq!(page.total, all.len());
        if let (Some(first), Some(last)) = (expected.first(), expected.last()) {
            prop_assert_eq!(page.has_previous, all.first() != Some(first));
            prop_assert_eq!(page.has_next, all.last() != Some(last));
        }
    }

    #[test]
    fn the_row_that_an_id_means_is_picked_by_row_id_then_sso_id_then_invitation(
        (locals, _) in halves(), kind in 1_u8..4, number in 0_u8..10,
    ) {
        let id = id(kind, number);
        let by_invitation = locals
            .iter()
            .filter(|row| row.invitation_id.map(|one| one.0) == Some(id))
            .min_by_key(|row| (row.created_at, row.sso_connection_id));
        let expected = locals
            .iter()
            .find(|row| row.id.0 == id)
            .or_else(|| locals.iter().find(|row| row.sso_connection_id.0 == id))
            .or(by_invitation)
            .cloned();
        let candidates = locals
            .iter()
            .filter(|row| row.id.0 == id || row.sso_connection_id.0 == id || row.invitation_id.map(|one| one.0) == Some(id))
            .cloned()
            .collect();
        prop_assert_eq!(pick(candidates, id), expected);
    }
}

proptest! {
    #[test]
    fn unknown_permissions_match_no_filter_but_the_empty_one(row in local(1)) {
        let reconciled = Reconciled::new(vec![row], view(Sso::Down, &[]));
        let total = |permissions: &[&str]| {
            let has_permission = Some(permissions.iter().map(ToString::to_string).collect());
            let filter = Filter { has_permission, ..Filter::default() };
            select(&reconciled, &Directory::default(), &filter, Order::default(), &Window::ALL).total
        };
        prop_assert_eq!((total(&[]), total(&["a"])), (1, 0));
    }
}

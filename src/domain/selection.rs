//! Which of the merged connections an answer shows, and in which order: filter, order, page. On the skeleton alone.

use std::borrow::Cow;
use std::cmp::Ordering;

use icu_casemap::{CaseMapper, CaseMapperBorrowed};

use super::connection::{ConnectionStatus, Drift, RelationshipType};
use super::directory::Directory;
use super::id::SsoConnectionId;
use super::reconcile::{Merged, Reconciled};
use super::timestamp::Timestamp;

/// All given members are `ANDed`, and judged on the merged connection, so that they mean the same for local and
/// SSO-only ones.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// The partner's role.
    pub relationship_type: Option<RelationshipType>,
    /// Any of these; an empty list matches nothing.
    pub status: Option<Vec<ConnectionStatus>>,
    /// Any of these; an empty list matches nothing.
    pub drift: Option<Vec<Drift>>,
    /// Part of the partner's or its entity's name, compared by full Unicode case folding.
    pub search: Option<String>,
    /// All of these; unknown permissions match nothing, an empty list matches everything.
    pub has_permission: Option<Vec<String>>,
    /// Changed then or later.
    pub updated_since: Option<Timestamp>,
}

impl Filter {
    /// Whether the partner's and its entity's names are needed to judge.
    #[must_use]
    pub fn needs_names(&self) -> bool {
        self.search.is_some()
    }

    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// By what a list is ordered; equal ones stand in list order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OrderField {
    /// The list order itself.
    #[default]
    CreatedAt,
    /// When it last changed.
    UpdatedAt,
    /// The partner's name, lower-cased.
    PartnerName,
}

/// Which way; descending is the exact reverse of ascending.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Direction {
    /// Least first.
    #[default]
    Ascending,
    /// Greatest first.
    Descending,
}

/// An order of the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Order {
    /// By what.
    pub field: OrderField,
    /// Which way.
    pub direction: Direction,
}

/// A place in an ordered list, told by the order's values, so that it outlives the item that stood there.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// The order's own value.
    pub key: PositionKey,
    /// Then the list order.
    pub created_at: Timestamp,
    /// Then the id at SSO.
    pub id: SsoConnectionId,
}

/// The value that an order looks at first.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum PositionKey {
    /// The list order needs no other.
    CreatedAt,
    /// When it last changed.
    UpdatedAt(Timestamp),
    /// The partner's name, lower-cased.
    PartnerName(String),
}

impl PositionKey {
    /// The order that this key belongs to.
    #[must_use]
    pub fn field(&self) -> OrderField {
        match self {
            Self::CreatedAt => OrderField::CreatedAt,
            Self::UpdatedAt(_) => OrderField::UpdatedAt,
            Self::PartnerName(_) => OrderField::PartnerName,
        }
    }
}

/// Where a connection stands in an order.
#[must_use]
pub fn position(merged: Merged<'_>, field: OrderField, directory: &Directory) -> Position {
    let key = match field {
        OrderField::CreatedAt => PositionKey::CreatedAt,
        OrderField::UpdatedAt => PositionKey::UpdatedAt(merged.updated_at()),
        OrderField::PartnerName => PositionKey::PartnerName(directory.partner(merged).name.to_lowercase()),
    };
    let (created_at, id) = merged.list_order();
    Position { key, created_at, id }
}

/// How many items of a window, and from which end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// All of them.
    All,
    /// The first so many.
    First(usize),
    /// The last so many.
    Last(usize),
}

/// The part of an ordered list that is asked for. The positions must be of the order's own field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Window {
    /// Only what stands behind this place.
    pub after: Option<Position>,
    /// Only what stands before this place.
    pub before: Option<Position>,
    /// How many of those.
    pub limit: Limit,
}

impl Window {
    /// The whole list.
    pub const ALL: Self = Self { after: None, before: None, limit: Limit::All };
}

/// A page of a list: indexes into the [`Reconciled`] that it was cut from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// Which connections, in the order asked for.
    pub indexes: Vec<usize>,
    /// How many connections the filter lets through, on all pages.
    pub total: usize,
    /// Whether anything stands before the page.
    pub has_previous: bool,
    /// Whether anything stands behind the page.
    pub has_next: bool,
}

/// Filters, orders and cuts. The directory must know the partners' names and entities of all connections when the
/// filter or the order looks at names.
#[must_use]
pub fn select(reconciled: &Reconciled, directory: &Directory, filter: &Filter, order: Order, window: &Window) -> Page {
    let matching: Vec<usize> = if filter.is_empty() {
        (0..reconciled.len()).collect()
    } else {
        let criteria = Criteria::new(filter);
        (0..reconciled.len()).filter(|index| criteria.matches(reconciled.get(*index), directory)).collect()
    };
    let place = |index: usize| position(reconciled.get(index), order.field, directory);
    let mut ordered = matching;
    if order.field != OrderField::CreatedAt {
        ordered.sort_by_cached_key(|index| place(*index));
    }
    if order.direction == Direction::Descending {
        ordered.reverse();
    }

    let towards = |ordering: Ordering| match order.direction {
        Direction::Ascending => ordering,
        Direction::Descending => ordering.reverse(),
    };
    let total = ordered.len();
    let start = window
        .after
        .as_ref()
        .map_or(0, |after| ordered.partition_point(|index| towards(place(*index).cmp(after)).is_le()));
    let end = window
        .before
        .as_ref()
        .map_or(total, |before| ordered.partition_point(|index| towards(place(*index).cmp(before)).is_lt()));
    let end = end.max(start);
    let (start, end) = match window.limit {
        Limit::All => (start, end),
        Limit::First(count) => (start, end.min(start.saturating_add(count))),
        Limit::Last(count) => (start.max(end.saturating_sub(count)), end),
    };
    ordered.truncate(end);
    Page { indexes: ordered.split_off(start), total, has_previous: start > 0, has_next: end < total }
}

/// A filter made ready: its search text case-folded once.
struct Criteria<'a> {
    filter: &'a Filter,
    search: Option<Cow<'a, str>>,
}

const CASE_MAPPER: CaseMapperBorrowed<'static> = CaseMapper::new();

/// Full case folding: unlike lower-casing it equates `ß` with `SS`, and `ς` with `Σ` wherever they stand. It depends on
/// no language, so Turkish `I` and `ı` differ.
fn case_folded(text: &str) -> Cow<'_, str> {
    CASE_MAPPER.fold_string(text)
}

impl<'a> Criteria<'a> {
    fn new(filter: &'a Filter) -> Self {
        Self { filter, search: filter.search.as_deref().map(case_folded) }
    }

    fn matches(&self, merged: Merged<'_>, directory: &Directory) -> bool {
        let Filter { relationship_type, status, drift, search: _, has_permission, updated_since } = self.filter;
        relationship_type.is_none_or(|wanted| merged.relationship_type() == wanted)
            && status.as_ref().is_none_or(|wanted| wanted.contains(&merged.status()))
            && drift.as_ref().is_none_or(|wanted| wanted.contains(&merged.drift()))
            && has_permission.as_ref().is_none_or(|wanted| grants_all(merged, wanted))
            && updated_since.is_none_or(|since| merged.updated_at() >= since)
            && self.search.as_ref().is_none_or(|part| is_named(merged, directory, part))
    }
}

fn grants_all(merged: Merged<'_>, wanted: &[String]) -> bool {
    wanted.is_empty()
        || merged
            .permissions()
            .is_some_and(|granted| wanted.iter().all(|permission| granted.iter().any(|one| **one == **permission)))
}

fn is_named(merged: Merged<'_>, directory: &Directory, part: &str) -> bool {
    let partner = directory.partner(merged);
    let entity = partner.id.and_then(|id| directory.entity(id).ok().flatten());
    case_folded(partner.name).contains(part) || entity.is_some_and(|entity| case_folded(entity.name()).contains(part))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Lower-casing leaves `ß` and `SS` apart: <https://github.com/osmandapp/OsmAnd/issues/5447>,
    /// <https://github.com/openstreetmap/iD/issues/3159>.
    #[test]
    fn case_folding_equates_all_spellings_of_a_letter() {
        for (name, part) in [
            ("Straßenbau Köln", "STRASSE"),
            ("STRASSENBAU", "straße"),
            ("GROẞ & Söhne", "groß"),
            ("Ὀδυσσεύς", "ὈΔΥΣΣΕΎΣ"),
            ("ΟΔΥΣΣΕΥΣ ΑΕ", "οδυσσευς αε"),
            ("ﬁnance", "FINANCE"),
            ("300 K", "300 \u{212a}"),
            ("ᏣᎳᎩ", "ꮳꮃꭹ"),
            ("Ԥҩ", "ԥҨ"),
            ("ŉ", "ʼN"),
            ("ᾼ", "αι"),
            ("Ǆ", "ǆ"),
            ("ſ", "S"),
            ("İzmir", "i\u{307}zmir"),
        ] {
            assert!(case_folded(name).contains(&*case_folded(part)), "{part} in {name}");
        }
        for (name, part) in [("Isparta", "ıs"), ("Strase", "straße"), ("e", "é")] {
            assert!(!case_folded(name).contains(&*case_folded(part)), "{part} not in {name}");
        }
    }

    proptest! {
        /// The contract asks for lower-casing: no match by it is lost.
        #[test]
        fn case_folding_finds_whatever_lower_casing_finds(name in "\\PC{0,12}", from in 0_usize..12, length in 0_usize..6) {
            let part: String = name.chars().skip(from).take(length).collect();
            for part in [part.to_lowercase(), part.to_uppercase(), part] {
                if name.to_lowercase().contains(&part.to_lowercase()) {
                    prop_assert!(case_folded(&name).contains(&*case_folded(&part)), "{:?} in {:?}", part, name);
                }
            }
        }
    }
}

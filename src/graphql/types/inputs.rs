//! The schema's input objects, and arguments that are never null.

use std::borrow::Cow;

use async_graphql::registry::Registry;
use async_graphql::{InputObject, InputType, InputValueResult, Value};

use crate::api_error::ApiError;
use crate::domain::selection::{Filter, Order};

use super::enums::{DriftKind, OrderDirection, PartnershipOrderField, PartnershipStatus, RelationshipType};
use super::scalars::{DateTime, ObjectId};

/// All given members are ANDed, and judged on the merged connection, so that they mean the same for local and
/// SSO-only ones.
#[derive(Debug, InputObject, Default)]
pub struct PartnershipFilter {
    /// Only this role of the partner. null: any.
    relationship_type: Option<RelationshipType>,
    /// Any of these. An empty list matches nothing. null: any.
    status: Option<Vec<PartnershipStatus>>,
    /// Any of these. An empty list matches nothing. null: any.
    drift: Option<Vec<DriftKind>>,
    /// Part of the partner's or its entity's name, compared by Unicode case folding: `strasse` finds `Straße`. null: any.
    search: Option<String>,
    /// All of these. Unknown permissions match nothing; an empty list matches everything. null: any.
    has_permission: Option<Vec<String>>,
    /// Changed at this instant or later. null: at any time.
    updated_since: Option<DateTime>,
}

impl From<PartnershipFilter> for Filter {
    fn from(filter: PartnershipFilter) -> Self {
        let PartnershipFilter { relationship_type, status, drift, search, has_permission, updated_since } = filter;
        Self {
            relationship_type: relationship_type.map(Into::into),
            status: status.map(|any| each_once(any.into_iter().map(Into::into))),
            drift: drift.map(|any| each_once(any.into_iter().map(Into::into))),
            search,
            has_permission: has_permission.map(|mut all| {
                all.sort_unstable();
                all.dedup();
                all
            }),
            updated_since: updated_since.map(|DateTime(since)| since),
        }
    }
}

/// Every connection is held against all of them. They are few, however often they are repeated.
fn each_once<T: PartialEq>(values: impl Iterator<Item = T>) -> Vec<T> {
    let mut once = Vec::new();
    for value in values {
        if !once.contains(&value) {
            once.push(value);
        }
    }
    once
}

/// An order of partnerships.
#[derive(Debug, InputObject)]
pub struct PartnershipOrder {
    /// By what.
    field: PartnershipOrderField,
    /// Which way.
    direction: OrderDirection,
}

impl Default for PartnershipOrder {
    fn default() -> Self {
        Self { field: PartnershipOrderField::CreatedAt, direction: OrderDirection::Ascending }
    }
}

impl From<PartnershipOrder> for Order {
    fn from(PartnershipOrder { field, direction }: PartnershipOrder) -> Self {
        Self { field: field.into(), direction: direction.into() }
    }
}

/// What to repair.
#[derive(Debug, InputObject)]
pub struct RepairConnectionInput {
    /// SSO connection id.
    pub connection_id: ObjectId,
    /// Tenant. null: the caller's account.
    pub account_id: Option<ObjectId>,
    /// Say what would be written, write nothing.
    #[graphql(default_with = "NeverNull::new(false)")]
    pub dry_run: NeverNull<bool>,
    /// Kept in the trail; at most 1000 characters. null: none.
    pub reason: Option<String>,
}

/// An argument or input field that has a default and is never null. A nullable variable may stand there all the same, and bring null:
/// then the field has an error. The library would blame the field's parent, so the field says it itself.
#[derive(Debug)]
pub struct NeverNull<T>(Option<T>);

impl<T> NeverNull<T> {
    /// A default.
    pub const fn new(value: T) -> Self {
        Self(Some(value))
    }

    /// The argument's value.
    ///
    /// # Errors
    /// It is null.
    pub fn get(self, name: &str) -> Result<T, ApiError> {
        self.0.ok_or_else(|| ApiError::bad_input(format!("\"{name}\" must not be null: leave it out for its default")))
    }
}

impl<T: InputType> InputType for NeverNull<T> {
    type RawValueType = T::RawValueType;

    fn type_name() -> Cow<'static, str> {
        T::type_name()
    }

    fn qualified_type_name() -> String {
        T::qualified_type_name()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        T::create_type_info(registry)
    }

    fn parse(value: Option<Value>) -> InputValueResult<Self> {
        match value {
            Some(Value::Null) => Ok(Self(None)),
            value => T::parse(value).map(Self::new).map_err(async_graphql::InputValueError::propagate),
        }
    }

    fn to_value(&self) -> Value {
        self.0.as_ref().map_or(Value::Null, T::to_value)
    }

    fn as_raw_value(&self) -> Option<&Self::RawValueType> {
        self.0.as_ref().and_then(T::as_raw_value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::connection::ConnectionStatus;

    #[test]
    fn what_a_filter_repeats_is_looked_for_once() {
        let repeated = PartnershipFilter {
            status: Some([PartnershipStatus::SsoOnly, PartnershipStatus::Completed].repeat(1_000)),
            has_permission: Some(["b", "a"].repeat(1_000).into_iter().map(str::to_owned).collect()),
            ..PartnershipFilter::default()
        };
        let filter = Filter::from(repeated);
        assert_eq!(filter.status.unwrap(), [ConnectionStatus::SsoOnly, ConnectionStatus::Completed]);
        assert_eq!(filter.has_permission.unwrap(), ["a", "b"]);
    }
}

//! What an answer may cost: its fields, each as often as the lists around it may have entries. Lists are counted by what was
//! asked for (`first`, `last`, the number of ids), the others by a guess. Reads what is normalised, so that each field stands
//! for one execution, and variables have their values.

use async_graphql::parser::types::{Field, OperationDefinition, Selection, SelectionSet};
use async_graphql_value::{ConstValue, Value};
use serde_json::{Map, Number};

use super::types::{OutputField, Types};
use super::{Limits, RequestError};

/// How many entries a list is taken to have that nobody chooses the length of: a partner's cards, a plan's changes, the types
/// of a schema.
const USUAL_ENTRIES: u64 = 10;

/// How many entries a page has when nothing is said.
const USUAL_PAGE: u64 = 50;

/// Refuses an operation whose answer may be too large.
pub(super) fn check(
    types: &Types,
    operation: &OperationDefinition,
    variables: &Map<String, serde_json::Value>,
    limits: &Limits,
) -> Result<(), RequestError> {
    let root = types.root(operation.ty).unwrap_or_default();
    let cost = Costs { types, variables, largest_page: limits.page }.of_set(
        root,
        &operation.selection_set.node,
        USUAL_ENTRIES,
    );
    if cost > limits.cost {
        let most = limits.cost;
        return Err(RequestError::limit(format!(
            "the answer may have {cost} fields, lists counted by their `first`; the limit is {most}"
        )));
    }
    Ok(())
}

struct Costs<'a> {
    types: &'a Types,
    variables: &'a Map<String, serde_json::Value>,
    largest_page: u64,
}

impl Costs<'_> {
    /// Of a selection set on one type, whose lists have so many entries.
    fn of_set(&self, parent: &str, set: &SelectionSet, entries: u64) -> u64 {
        let (mut fields, mut widest_object) = (0_u64, 0);
        for item in &set.items {
            match &item.node {
                Selection::Field(field) => fields = fields.saturating_add(self.of_field(parent, &field.node, entries)),
                // An interface's: its value is one of the objects.
                Selection::InlineFragment(fragment) => {
                    let object = fragment.node.type_condition.as_ref().map_or(parent, |on| &on.node.on.node);
                    let inner = self.of_set(object, &fragment.node.selection_set.node, entries);
                    widest_object = widest_object.max(inner);
                }
                Selection::FragmentSpread(_) => {}
            }
        }
        fields.saturating_add(widest_object)
    }

    fn of_field(&self, parent: &str, field: &Field, entries: u64) -> u64 {
        let Some(definition) = self.types.field(parent, &field.name.node) else { return 1 };
        let page = self.page(field, definition);
        let inner = self.of_set(definition.named(), &field.selection_set.node, page.unwrap_or(USUAL_ENTRIES));
        let times = if definition.is_list() { self.length(field, "ids").unwrap_or(entries) } else { 1 };
        inner.saturating_mul(times).saturating_add(1)
    }

    /// How many entries each list of a page has at the most: the field gives one if it takes `first`.
    fn page(&self, field: &Field, definition: &OutputField) -> Option<u64> {
        let first = definition.arguments.get("first")?;
        let asked = ["first", "last"].into_iter().find_map(|name| self.number(field, name));
        let usual = || match first.default.as_ref()? {
            ConstValue::Number(number) => Some(entries_of(number)),
            _ => None,
        };
        let entries = asked.or_else(usual).unwrap_or(USUAL_PAGE);
        Some(entries.min(self.largest_page))
    }

    /// A number that is given.
    fn number(&self, field: &Field, argument: &str) -> Option<u64> {
        match given(field, argument)? {
            Value::Variable(name) => self.variables.get(name.as_str())?.as_number().map(entries_of),
            Value::Number(number) => Some(entries_of(number)),
            _ => None,
        }
    }

    /// How many entries a list has that is given.
    fn length(&self, field: &Field, argument: &str) -> Option<u64> {
        let length = match given(field, argument)? {
            Value::Variable(name) => self.variables.get(name.as_str())?.as_array()?.len(),
            Value::List(items) => items.len(),
            _ => return None,
        };
        Some(u64::try_from(length).unwrap_or(u64::MAX))
    }
}

fn given<'a>(field: &'a Field, argument: &str) -> Option<&'a Value> {
    field.arguments.iter().find(|(name, _)| name.node == argument).map(|(_, value)| &value.node)
}

/// What is below zero is refused later.
fn entries_of(number: &Number) -> u64 {
    number.as_u64().unwrap_or_default()
}

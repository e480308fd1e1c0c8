//! What an answer may cost: its fields, each as often as the lists around it may have entries. Lists are counted by what was
//! asked for (`first`, `last`, the number of ids), the others by a guess. Reads what is normalised, so that each field stands
//! for one execution, and variables have their values.

use async_graphql::parser::types::{Field, OperationDefinition, Selection, SelectionSet};
use async_graphql_value::{ConstValue, Value};
use serde_json::Map;

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
        let times = match (definition.is_list(), self.given(field, "ids")) {
            (false, _) => 1,
            (true, Some(ConstValue::List(ids))) => u64::try_from(ids.len()).unwrap_or(u64::MAX),
            (true, _) => entries,
        };
        inner.saturating_mul(times).saturating_add(1)
    }

    /// How many entries each list of a page has at the most: the field gives one if it takes `first`.
    fn page(&self, field: &Field, definition: &OutputField) -> Option<u64> {
        let first = definition.arguments.get("first")?;
        let asked = ["first", "last"].into_iter().find_map(|name| number(&self.given(field, name)?));
        let entries = asked.or_else(|| number(first.default.as_ref()?)).unwrap_or(USUAL_PAGE);
        Some(entries.min(self.largest_page))
    }

    fn given(&self, field: &Field, argument: &str) -> Option<ConstValue> {
        let (_, value) = field.arguments.iter().find(|(name, _)| name.node == argument)?;
        let variable = |name: async_graphql::Name| {
            let value = self.variables.get(name.as_str()).cloned().unwrap_or_default();
            ConstValue::from_json(value)
        };
        Value::clone(&value.node).into_const_with(variable).ok()
    }
}

/// What is below zero is refused later.
fn number(value: &ConstValue) -> Option<u64> {
    match value {
        ConstValue::Number(number) => Some(number.as_u64().unwrap_or_default()),
        _ => None,
    }
}

//! How much the arguments of all fields come to. A variable's value is copied wherever the variable stands, and it may stand
//! in many places: a thousand times in one list, and that list in a fragment of twenty fields. Reads what is normalised, so
//! that each field stands for one execution.

use std::collections::HashMap;

use async_graphql::parser::types::{OperationDefinition, Selection, SelectionSet};
use async_graphql_value::Value;
use serde_json::{Map, Value as Json};

use super::RequestError;

/// The most that they may come to, in bytes: twice the largest body, which none comes near that is not made for it.
const MOST: usize = 512 * 1024;

/// What a value takes besides its text, roughly.
const OF_EACH: usize = 16;

/// Refuses an operation whose arguments come to more.
pub(super) fn check(operation: &OperationDefinition, variables: &Map<String, Json>) -> Result<(), RequestError> {
    let variables = variables.iter().map(|(name, value)| (name.as_str(), of_json(value))).collect();
    let sizes = Sizes { variables };
    if sizes.of_set(&operation.selection_set.node) > MOST {
        let text = format!(
            "the arguments of all fields come to too much, each variable counted wherever it stands; the limit is {MOST} bytes"
        );
        return Err(RequestError::limit(text));
    }
    Ok(())
}

struct Sizes<'a> {
    variables: HashMap<&'a str, usize>,
}

impl Sizes<'_> {
    fn of_set(&self, set: &SelectionSet) -> usize {
        let of_item = |item: &Selection| match item {
            Selection::Field(field) => {
                let arguments = field.node.arguments.iter().map(|(_, value)| self.of_value(&value.node));
                sum(arguments).saturating_add(self.of_set(&field.node.selection_set.node))
            }
            Selection::InlineFragment(fragment) => self.of_set(&fragment.node.selection_set.node),
            Selection::FragmentSpread(_) => 0,
        };
        sum(set.items.iter().map(|item| of_item(&item.node)))
    }

    fn of_value(&self, value: &Value) -> usize {
        let text = match value {
            Value::Variable(name) => self.variables.get(name.as_str()).copied().unwrap_or_default(),
            Value::String(text) => text.len(),
            Value::Enum(name) => name.len(),
            Value::List(items) => sum(items.iter().map(|item| self.of_value(item))),
            Value::Object(fields) => {
                sum(fields.iter().map(|(name, field)| name.len().saturating_add(self.of_value(field))))
            }
            Value::Null | Value::Number(_) | Value::Boolean(_) | Value::Binary(_) => 0,
        };
        text.saturating_add(OF_EACH)
    }
}

fn of_json(value: &Json) -> usize {
    let text = match value {
        Json::String(text) => text.len(),
        Json::Array(items) => sum(items.iter().map(of_json)),
        Json::Object(fields) => sum(fields.iter().map(|(name, field)| name.len().saturating_add(of_json(field)))),
        Json::Null | Json::Bool(_) | Json::Number(_) => 0,
    };
    text.saturating_add(OF_EACH)
}

fn sum(sizes: impl Iterator<Item = usize>) -> usize {
    sizes.fold(0, usize::saturating_add)
}

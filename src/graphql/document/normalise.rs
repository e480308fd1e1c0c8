//! One operation without fragments, directives and repeated response keys: what the library then executes field by
//! field. It would execute a field once per occurrence, a repeated mutation twice.

use std::collections::HashSet;

use async_graphql::parser::types::{
    Directive, ExecutableDocument, Field, InlineFragment, OperationDefinition, Selection, SelectionSet, TypeCondition,
    VariableDefinition,
};
use async_graphql::{Name, Pos, Positioned};
use async_graphql_value::Value;
use indexmap::IndexMap;
use serde_json::Map;

use super::types::{OutputField, Types};

/// The operation, normalised; of its variables those that are still used. Its document must fit the schema.
pub(super) fn operation(
    types: &Types,
    document: &ExecutableDocument,
    operation: &Positioned<OperationDefinition>,
    variables: &Map<String, serde_json::Value>,
) -> Positioned<OperationDefinition> {
    let OperationDefinition { ty, variable_definitions, directives: _, selection_set } = &operation.node;
    let mut normaliser = Normaliser { types, document, variables, used: HashSet::new() };
    let selections = normaliser.merge(types.root(*ty).unwrap_or_default(), &[selection_set]);
    let used = normaliser.used;
    let is_used = |definition: &&Positioned<VariableDefinition>| used.contains(definition.node.name.node.as_str());
    let definition = OperationDefinition {
        ty: *ty,
        variable_definitions: variable_definitions.iter().filter(is_used).cloned().collect(),
        directives: Vec::new(),
        selection_set: Positioned::new(selections, selection_set.pos),
    };
    Positioned::new(definition, operation.pos)
}

struct Normaliser<'a> {
    types: &'a Types,
    document: &'a ExecutableDocument,
    /// The values of the operation's variables.
    variables: &'a Map<String, serde_json::Value>,
    used: HashSet<String>,
}

impl<'a> Normaliser<'a> {
    /// The union of some selection sets on one type.
    fn merge(&mut self, parent: &'a str, sets: &[&'a Positioned<SelectionSet>]) -> SelectionSet {
        let objects = self.types.objects(parent);
        if objects.is_empty() {
            // A leaf.
            return SelectionSet::default();
        }
        let mut items = if objects == [parent] {
            self.merge_fields(parent, sets)
        } else {
            // An interface: each of its objects gets what applies to it.
            objects.iter().map(|object| on_object(object, self.merge_fields(object, sets), sets[0].pos)).collect()
        };
        if items.is_empty() {
            items.push(nothing(sets[0].pos));
        }
        SelectionSet { items }
    }

    fn merge_fields(&mut self, object: &'a str, sets: &[&'a Positioned<SelectionSet>]) -> Vec<Positioned<Selection>> {
        let mut by_key: IndexMap<&'a str, Vec<&'a Positioned<Field>>> = IndexMap::new();
        for set in sets {
            self.collect(object, &set.node, &mut by_key);
        }
        by_key.into_values().map(|fields| self.merge_field(object, &fields)).collect()
    }

    /// `CollectFields` of the specification.
    fn collect(&self, object: &str, set: &'a SelectionSet, by_key: &mut IndexMap<&'a str, Vec<&'a Positioned<Field>>>) {
        for item in set.items.iter().filter(|item| self.is_included(item.node.directives())) {
            let (condition, inner) = match &item.node {
                Selection::Field(field) => {
                    by_key.entry(field.node.response_key().node.as_str()).or_default().push(field);
                    continue;
                }
                Selection::InlineFragment(fragment) => {
                    (fragment.node.type_condition.as_ref(), &fragment.node.selection_set)
                }
                Selection::FragmentSpread(spread) => {
                    let Some(fragment) = self.document.fragments.get(&spread.node.fragment_name.node) else { continue };
                    (Some(&fragment.node.type_condition), &fragment.node.selection_set)
                }
            };
            if condition.is_none_or(|condition| self.types.is_of(object, &condition.node.on.node)) {
                self.collect(object, &inner.node, by_key);
            }
        }
    }

    fn is_included(&self, directives: &[Positioned<Directive>]) -> bool {
        directives.iter().all(|directive| {
            let condition = match directive.node.get_argument("if").map(|condition| &condition.node) {
                Some(Value::Boolean(condition)) => *condition,
                Some(Value::Variable(name)) => {
                    self.variables.get(name.as_str()).and_then(serde_json::Value::as_bool).unwrap_or_default()
                }
                _ => false,
            };
            (directive.node.name.node == "skip") != condition
        })
    }

    /// One field out of all that have the same response key; they are the same call.
    fn merge_field(&mut self, object: &'a str, fields: &[&'a Positioned<Field>]) -> Positioned<Selection> {
        let first = fields[0];
        let Field { alias, name, arguments, .. } = &first.node;
        let arguments = self.present(arguments);
        let inner = self.types.field(object, &name.node).map(OutputField::named).unwrap_or_default();
        let sets: Vec<_> = fields.iter().map(|field| &field.node.selection_set).collect();
        let selection_set = Positioned::new(self.merge(inner, &sets), first.node.selection_set.pos);
        let field =
            Field { alias: alias.clone(), name: name.clone(), arguments, directives: Vec::new(), selection_set };
        Positioned::new(Selection::Field(Positioned::new(field, first.pos)), first.pos)
    }

    /// The arguments that are there: where a variable has no value, so has the argument, and its default holds.
    fn present(
        &mut self,
        arguments: &[(Positioned<Name>, Positioned<Value>)],
    ) -> Vec<(Positioned<Name>, Positioned<Value>)> {
        let mut present = Vec::with_capacity(arguments.len());
        for (name, value) in arguments {
            if let Some(value) = present_value(&value.node, self.variables).map(|node| Positioned::new(node, value.pos))
            {
                note_variables(&value.node, &mut self.used);
                present.push((name.clone(), value));
            }
        }
        present
    }
}

/// A value without what has none; in a list, null stands in its place.
fn present_value(value: &Value, variables: &Map<String, serde_json::Value>) -> Option<Value> {
    match value {
        Value::Variable(name) => variables.contains_key(name.as_str()).then(|| value.clone()),
        Value::List(items) => {
            let items = items.iter().map(|item| present_value(item, variables).unwrap_or(Value::Null));
            Some(Value::List(items.collect()))
        }
        Value::Object(fields) => {
            let fields =
                fields.iter().filter_map(|(name, field)| Some((name.clone(), present_value(field, variables)?)));
            Some(Value::Object(fields.collect()))
        }
        _ => Some(value.clone()),
    }
}

fn note_variables(value: &Value, used: &mut HashSet<String>) {
    match value {
        Value::Variable(name) => {
            used.insert(name.to_string());
        }
        Value::List(items) => items.iter().for_each(|item| note_variables(item, used)),
        Value::Object(fields) => fields.values().for_each(|field| note_variables(field, used)),
        _ => {}
    }
}

fn on_object(object: &str, items: Vec<Positioned<Selection>>, at: Pos) -> Positioned<Selection> {
    let items = if items.is_empty() { vec![nothing(at)] } else { items };
    let fragment = InlineFragment {
        type_condition: Some(Positioned::new(TypeCondition { on: Positioned::new(Name::new(object), at) }, at)),
        directives: Vec::new(),
        selection_set: Positioned::new(SelectionSet { items }, at),
    };
    Positioned::new(Selection::InlineFragment(Positioned::new(fragment, at)), at)
}

/// Everything was skipped: an object without keys. The library wants a selection all the same.
fn nothing(at: Pos) -> Positioned<Selection> {
    let skip = Directive {
        name: Positioned::new(Name::new("skip"), at),
        arguments: vec![(Positioned::new(Name::new("if"), at), Positioned::new(Value::Boolean(true), at))],
    };
    let field = Field {
        alias: None,
        name: Positioned::new(Name::new("__typename"), at),
        arguments: Vec::new(),
        directives: vec![Positioned::new(skip, at)],
        selection_set: Positioned::new(SelectionSet::default(), at),
    };
    Positioned::new(Selection::Field(Positioned::new(field, at)), at)
}

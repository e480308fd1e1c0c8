//! One operation without fragments, directives and repeated response keys: what the library then executes field by
//! field. It would execute a field once per occurrence, a repeated mutation twice.

use std::collections::HashSet;

use async_graphql::parser::types::{
    BaseType, Directive, ExecutableDocument, Field, InlineFragment, OperationDefinition, Selection, SelectionSet, Type,
    TypeCondition, VariableDefinition,
};
use async_graphql::{Name, Pos, Positioned};
use async_graphql_value::Value;
use indexmap::IndexMap;
use serde_json::Map;

use super::types::{OutputField, Types};
use super::values::fault;
use super::{RequestError, spreads};

type Result<T> = std::result::Result<T, Vec<RequestError>>;

/// Whether the operation fits the schema, whatever its variables will be: what a directive may skip is looked at too.
pub(super) fn check(
    types: &Types,
    document: &ExecutableDocument,
    operation: &Positioned<OperationDefinition>,
) -> Result<()> {
    let definitions = &operation.node.variable_definitions;
    let mut normaliser = Normaliser { types, document, definitions, variables: None, used: HashSet::new() };
    normaliser.merge(root(types, operation)?, &[&operation.node.selection_set]).map(|_| ())
}

fn root<'a>(types: &'a Types, operation: &Positioned<OperationDefinition>) -> Result<Parent<'a>> {
    let ty = operation.node.ty;
    types.root(ty).map(Parent::Known).ok_or_else(|| {
        vec![RequestError::invalid(format!("Schema is not configured to execute {ty} operation."), operation.pos)]
    })
}

/// The operation, normalised; of its variables those that are still used.
pub(super) fn operation(
    types: &Types,
    document: &ExecutableDocument,
    operation: &Positioned<OperationDefinition>,
    variables: &Map<String, serde_json::Value>,
) -> Result<Positioned<OperationDefinition>> {
    let OperationDefinition { ty, variable_definitions, directives: _, selection_set } = &operation.node;
    let definitions = variable_definitions;
    let mut normaliser = Normaliser { types, document, definitions, variables: Some(variables), used: HashSet::new() };
    let selections = normaliser.merge(root(types, operation)?, &[selection_set])?;
    let used = normaliser.used;
    let is_used = |definition: &&Positioned<VariableDefinition>| used.contains(definition.node.name.node.as_str());
    let definition = OperationDefinition {
        ty: *ty,
        variable_definitions: variable_definitions.iter().filter(is_used).cloned().collect(),
        directives: Vec::new(),
        selection_set: Positioned::new(selections, selection_set.pos),
    };
    Ok(Positioned::new(definition, operation.pos))
}

/// The type whose fields are selected.
#[derive(Clone, Copy)]
enum Parent<'a> {
    /// One of the schema.
    Known(&'a str),
    /// One of introspection, whose fields the library knows.
    Introspection,
}

struct Normaliser<'a> {
    types: &'a Types,
    document: &'a ExecutableDocument,
    /// The operation's variables.
    definitions: &'a [Positioned<VariableDefinition>],
    /// Their values; `None`: not known yet, and every directive includes.
    variables: Option<&'a Map<String, serde_json::Value>>,
    used: HashSet<String>,
}

impl<'a> Normaliser<'a> {
    /// The union of some selection sets on one type.
    fn merge(&mut self, parent: Parent<'a>, sets: &[&'a Positioned<SelectionSet>]) -> Result<SelectionSet> {
        if sets.iter().all(|set| set.node.items.is_empty()) {
            // A leaf, or a mistake that validation will name.
            return Ok(SelectionSet::default());
        }
        if let Parent::Known(name) = parent
            && self.is_checking()
        {
            sets.iter().try_for_each(|set| spreads::check(self.types, self.document, name, &set.node))?;
        }
        let objects = match parent {
            Parent::Known(name) => self.types.objects(name),
            Parent::Introspection => Vec::new(),
        };
        let mut items = match parent {
            Parent::Known(name) if objects != [name] => {
                // An interface: each of its objects gets what applies to it.
                let mut items = Vec::new();
                for object in objects {
                    let inner = self.merge_fields(Parent::Known(object), sets)?;
                    items.push(on_object(object, inner, sets[0].pos));
                }
                items
            }
            _ => self.merge_fields(parent, sets)?,
        };
        if items.is_empty() {
            items.push(nothing(sets[0].pos));
        }
        Ok(SelectionSet { items })
    }

    fn merge_fields(
        &mut self,
        parent: Parent<'a>,
        sets: &[&'a Positioned<SelectionSet>],
    ) -> Result<Vec<Positioned<Selection>>> {
        let mut by_key: IndexMap<&'a str, Vec<&'a Positioned<Field>>> = IndexMap::new();
        for set in sets {
            self.collect(parent, &set.node, &mut by_key)?;
        }
        by_key.into_values().map(|fields| self.merge_field(parent, &fields)).collect()
    }

    /// `CollectFields` of the specification.
    fn collect(
        &mut self,
        parent: Parent<'a>,
        set: &'a SelectionSet,
        by_key: &mut IndexMap<&'a str, Vec<&'a Positioned<Field>>>,
    ) -> Result<()> {
        for item in &set.items {
            if !self.is_included(item.node.directives())? {
                continue;
            }
            match &item.node {
                Selection::Field(field) => {
                    by_key.entry(field.node.response_key().node.as_str()).or_default().push(field);
                }
                Selection::InlineFragment(fragment) => {
                    let InlineFragment { type_condition, selection_set, .. } = &fragment.node;
                    let condition = type_condition.as_ref().map(|condition| &condition.node.on);
                    if self.applies(parent, condition)? {
                        self.collect(parent, &selection_set.node, by_key)?;
                    }
                }
                Selection::FragmentSpread(spread) => {
                    // The rules made sure that it exists.
                    let Some(fragment) = self.document.fragments.get(&spread.node.fragment_name.node) else { continue };
                    if self.applies(parent, Some(&fragment.node.type_condition.node.on))? {
                        self.collect(parent, &fragment.node.selection_set.node, by_key)?;
                    }
                }
            }
        }
        Ok(())
    }

    /// Whether a fragment on that type applies to an object of this one.
    fn applies(&self, parent: Parent<'_>, condition: Option<&Positioned<Name>>) -> Result<bool> {
        let (Parent::Known(parent), Some(condition)) = (parent, condition) else { return Ok(true) };
        let objects = self.types.objects(&condition.node);
        if objects.is_empty() {
            let message = match self.types.get(&condition.node) {
                None => format!("Unknown type \"{}\".", condition.node),
                Some(_) => format!("Fragment cannot condition on non composite type \"{}\".", condition.node),
            };
            return Err(vec![RequestError::invalid(message, condition.pos)]);
        }
        Ok(objects.contains(&parent))
    }

    fn is_included(&mut self, directives: &[Positioned<Directive>]) -> Result<bool> {
        for directive in directives {
            let condition = directive.node.get_argument("if");
            let value = match condition.map(|condition| &condition.node) {
                Some(Value::Boolean(value)) => Some(*value),
                Some(Value::Variable(name)) => match self.variables {
                    Some(variables) => variables.get(name.as_str()).and_then(serde_json::Value::as_bool),
                    None => continue,
                },
                _ => None,
            };
            let Some(value) = value else {
                let message =
                    format!("Directive \"@{}\" needs a \"Boolean!\" as its argument \"if\".", directive.node.name.node);
                return Err(vec![RequestError::invalid(message, directive.pos)]);
            };
            if !self.is_checking() && (directive.node.name.node == "skip") == value {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// One field out of all that have the same response key.
    fn merge_field(&mut self, parent: Parent<'a>, fields: &[&'a Positioned<Field>]) -> Result<Positioned<Selection>> {
        let first = fields[0];
        let Field { alias, name, arguments, .. } = &first.node;
        if self.is_checking()
            && let Some(other) = fields.iter().find(|other| !is_same_call(&first.node, &other.node))
        {
            let key = first.node.response_key();
            let message = format!(
                "Fields \"{}\" conflict because they are different fields or have differing arguments; use different aliases.",
                key.node
            );
            let kind = super::RequestErrorKind::ValidationFailed;
            return Err(vec![RequestError { kind, message, locations: vec![first.pos, other.pos] }]);
        }
        let arguments = self.present(arguments);
        let inner = self.type_of(parent, first)?;
        let sets: Vec<_> = fields.iter().map(|field| &field.node.selection_set).collect();
        let selection_set = Positioned::new(self.merge(inner, &sets)?, first.node.selection_set.pos);
        let field =
            Field { alias: alias.clone(), name: name.clone(), arguments, directives: Vec::new(), selection_set };
        Ok(Positioned::new(Selection::Field(Positioned::new(field, first.pos)), first.pos))
    }

    /// Checking comes first and sees a superset of what any request selects, so that requests need not check again.
    fn is_checking(&self) -> bool {
        self.variables.is_none()
    }

    /// The type of what a field gives.
    fn type_of(&self, parent: Parent<'a>, field: &Positioned<Field>) -> Result<Parent<'a>> {
        let Parent::Known(parent) = parent else { return Ok(Parent::Introspection) };
        let name = field.node.name.node.as_str();
        if name.starts_with("__") {
            if !self.types.introspection && name != "__typename" {
                let message = format!("Cannot query field \"{name}\": introspection is turned off on this server.");
                return Err(vec![RequestError::invalid(message, field.pos)]);
            }
            return Ok(Parent::Introspection);
        }
        let Some(definition) = self.types.field(parent, name) else {
            let message = format!("Cannot query field \"{name}\" on type \"{parent}\".");
            return Err(vec![RequestError::invalid(message, field.pos)]);
        };
        if self.is_checking() {
            self.check_arguments(parent, field, definition)?;
            self.check_selection(field, definition)?;
        }
        Ok(Parent::Known(named(&definition.ty)))
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

    fn check_selection(&self, field: &Positioned<Field>, definition: &OutputField) -> Result<()> {
        let name = &field.node.name.node;
        let named = named(&definition.ty);
        let (is_leaf, has_selection) =
            (self.types.objects(named).is_empty(), !field.node.selection_set.node.items.is_empty());
        if is_leaf && has_selection {
            let message = format!(
                "Field \"{name}\" must not have a selection since type \"{}\" has no subfields.",
                definition.ty
            );
            return Err(vec![RequestError::invalid(message, field.pos)]);
        }
        if !is_leaf && !has_selection {
            let message = format!("Field \"{name}\" of type \"{}\" must have a selection of subfields.", definition.ty);
            return Err(vec![RequestError::invalid(message, field.pos)]);
        }
        Ok(())
    }

    fn check_arguments(&self, parent: &str, field: &Positioned<Field>, definition: &OutputField) -> Result<()> {
        let place = format!("{parent}.{}", field.node.name.node);
        for (name, value) in &field.node.arguments {
            let Some(input) = definition.arguments.get(name.node.as_str()) else {
                let message = format!("Unknown argument \"{}\" on field \"{place}\".", name.node);
                return Err(vec![RequestError::invalid(message, name.pos)]);
            };
            if let Some(message) = fault(self.types, self.definitions, &value.node, input) {
                return Err(vec![RequestError::invalid(message, value.pos)]);
            }
        }
        let mut required = definition.arguments.iter().filter(|(_, input)| input.is_required());
        if let Some((name, input)) = required.find(|(name, _)| field.node.get_argument(name).is_none()) {
            let message = format!(
                "Field \"{place}\" argument \"{name}\" of type \"{}\" is required, but it was not provided.",
                input.ty
            );
            return Err(vec![RequestError::invalid(message, field.pos)]);
        }
        Ok(())
    }
}

fn named(ty: &Type) -> &str {
    match &ty.base {
        BaseType::Named(name) => name,
        BaseType::List(inner) => named(inner),
    }
}

/// The same field with the same arguments, in whatever order.
fn is_same_call(one: &Field, other: &Field) -> bool {
    one.name.node == other.name.node
        && one.arguments.len() == other.arguments.len()
        && one
            .arguments
            .iter()
            .all(|(name, value)| other.get_argument(&name.node).is_some_and(|same| same.node == value.node))
}

/// A value without what has none; in a list, null stands in its place.
fn present_value(value: &Value, variables: Option<&Map<String, serde_json::Value>>) -> Option<Value> {
    let Some(variables) = variables else { return Some(value.clone()) };
    match value {
        Value::Variable(name) => variables.contains_key(name.as_str()).then(|| value.clone()),
        Value::List(items) => {
            let items = items.iter().map(|item| present_value(item, Some(variables)).unwrap_or(Value::Null));
            Some(Value::List(items.collect()))
        }
        Value::Object(fields) => {
            let fields =
                fields.iter().filter_map(|(name, field)| Some((name.clone(), present_value(field, Some(variables))?)));
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

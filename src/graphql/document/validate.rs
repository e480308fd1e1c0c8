//! Whether a document fits the schema, whatever its variables will be: its fields, arguments, fragments and variables. What a
//! directive may skip, and the operations that are not chosen, are looked at too.

use std::collections::HashSet;

use async_graphql::parser::types::{
    Directive, ExecutableDocument, Field, OperationDefinition, Selection, SelectionSet, TypeCondition,
    VariableDefinition,
};
use async_graphql::{Name, Positioned};
use async_graphql_value::Value;

use super::types::{OutputField, Types};
use super::{RequestError, values};

type Result = std::result::Result<(), RequestError>;

/// Refuses a document that does not fit. It must be sound in itself and within its limits.
pub(super) fn check(types: &Types, document: &ExecutableDocument) -> Result {
    for (_, operation) in document.operations.iter() {
        let OperationDefinition { ty, variable_definitions: variables, selection_set, .. } = &operation.node;
        variables.iter().try_for_each(|variable| definition(types, &variable.node))?;
        let Some(root) = types.root(*ty) else {
            let message = format!("Schema is not configured to execute {ty} operation.");
            return Err(RequestError::invalid(message, operation.pos));
        };
        Validation { types, document, variables, seen: HashSet::new() }.selections(root, &selection_set.node)?;
    }
    Ok(())
}

/// A variable is of an input type, and its default value fits it.
fn definition(types: &Types, variable: &VariableDefinition) -> Result {
    let VariableDefinition { name, var_type, default_value, .. } = variable;
    let (name, ty) = (&name.node, &var_type.node);
    if !types.is_input(ty) {
        let message = format!("Variable \"${name}\" cannot be of type \"{ty}\", which is no input type.");
        return Err(RequestError::invalid(message, var_type.pos));
    }
    let Some(default) = default_value else { return Ok(()) };
    match values::fault(types, &[], &default.node.clone().into_value(), ty) {
        Some(fault) => {
            let message = format!("Variable \"${name}\" has a default value that does not fit. {fault}");
            Err(RequestError::invalid(message, default.pos))
        }
        None => Ok(()),
    }
}

struct Validation<'a> {
    types: &'a Types,
    document: &'a ExecutableDocument,
    /// The operation's.
    variables: &'a [Positioned<VariableDefinition>],
    /// Fragments that this operation has been through: what is in them is the same at each place.
    seen: HashSet<&'a str>,
}

impl<'a> Validation<'a> {
    fn selections(&mut self, parent: &str, set: &'a SelectionSet) -> Result {
        set.items.iter().try_for_each(|item| {
            self.directives(item.node.directives())?;
            match &item.node {
                Selection::Field(field) => self.field(parent, field),
                Selection::InlineFragment(fragment) => {
                    let inner = &fragment.node.selection_set.node;
                    match &fragment.node.type_condition {
                        None => self.selections(parent, inner),
                        Some(condition) => {
                            self.applies("", parent, condition)?;
                            self.selections(&condition.node.on.node, inner)
                        }
                    }
                }
                Selection::FragmentSpread(spread) => {
                    let name = &spread.node.fragment_name.node;
                    // That it exists has been seen to.
                    let Some(fragment) = self.document.fragments.get(name) else { return Ok(()) };
                    let condition = &fragment.node.type_condition;
                    self.applies(&format!(" \"{name}\""), parent, condition)?;
                    if self.seen.insert(name) {
                        self.selections(&condition.node.on.node, &fragment.node.selection_set.node)?;
                    }
                    Ok(())
                }
            }
        })
    }

    /// A fragment stands where some object could meet it.
    fn applies(&self, which: &str, parent: &str, condition: &Positioned<TypeCondition>) -> Result {
        let on = condition.node.on.node.as_str();
        let message = if self.types.get(on).is_none() {
            format!("Unknown type \"{on}\".")
        } else if self.types.objects(on).is_empty() {
            format!("Fragment{which} cannot condition on non composite type \"{on}\".")
        } else if !self.types.objects(parent).iter().any(|object| self.types.is_of(object, on)) {
            format!(
                "Fragment{which} cannot be spread here as objects of type \"{parent}\" can never be of type \"{on}\"."
            )
        } else {
            return Ok(());
        };
        Err(RequestError::invalid(message, condition.pos))
    }

    /// Their names and arguments have been looked at; here it is whether the condition is one.
    fn directives(&self, directives: &[Positioned<Directive>]) -> Result {
        directives.iter().try_for_each(|directive| {
            let Directive { name, arguments } = &directive.node;
            arguments.iter().try_for_each(|(argument, value)| {
                let fault = values::fault(self.types, self.variables, &value.node, &self.types.condition);
                let told = |fault| format!("Argument \"{}\" of directive \"@{}\": {fault}", argument.node, name.node);
                fault.map_or(Ok(()), |fault| Err(RequestError::invalid(told(fault), value.pos)))
            })
        })
    }

    fn field(&mut self, parent: &str, field: &'a Positioned<Field>) -> Result {
        let name = field.node.name.node.as_str();
        let Some(definition) = self.types.field(parent, name) else {
            let message = if self.types.is_hidden(parent, name) {
                format!("Cannot query field \"{name}\": introspection is turned off on this server.")
            } else {
                let meant = self.types.did_you_mean(name, self.types.field_names(parent));
                format!("Cannot query field \"{name}\" on type \"{parent}\".{meant}")
            };
            return Err(RequestError::invalid(message, field.pos));
        };
        self.arguments(parent, field, definition)?;
        let inner = definition.named();
        let (is_leaf, has_selection) =
            (self.types.objects(inner).is_empty(), !field.node.selection_set.node.items.is_empty());
        let message = match (is_leaf, has_selection) {
            (true, true) => {
                format!("Field \"{name}\" must not have a selection since type \"{}\" has no subfields.", definition.ty)
            }
            (false, false) => {
                format!("Field \"{name}\" of type \"{}\" must have a selection of subfields.", definition.ty)
            }
            _ => return self.selections(inner, &field.node.selection_set.node),
        };
        Err(RequestError::invalid(message, field.pos))
    }

    fn arguments(&self, parent: &str, field: &Positioned<Field>, definition: &OutputField) -> Result {
        let place = format!("{parent}.{}", field.node.name.node);
        for (name, value) in &field.node.arguments {
            self.argument(&place, name, value, definition)?;
        }
        let mut required = definition.arguments.iter().filter(|(_, input)| input.is_required());
        if let Some((name, input)) = required.find(|(name, _)| field.node.get_argument(name).is_none()) {
            let ty = &input.ty;
            let message =
                format!("Field \"{place}\" argument \"{name}\" of type \"{ty}\" is required, but it was not provided.");
            return Err(RequestError::invalid(message, field.pos));
        }
        Ok(())
    }

    fn argument(
        &self,
        place: &str,
        name: &Positioned<Name>,
        value: &Positioned<Value>,
        definition: &OutputField,
    ) -> Result {
        let Some(input) = definition.arguments.get(name.node.as_str()) else {
            let meant = self.types.did_you_mean(&name.node, definition.arguments.keys());
            let message = format!("Unknown argument \"{}\" on field \"{place}\".{meant}", name.node);
            return Err(RequestError::invalid(message, name.pos));
        };
        match values::input_fault(self.types, self.variables, &value.node, input) {
            Some(message) => Err(RequestError::invalid(message, value.pos)),
            None => Ok(()),
        }
    }
}

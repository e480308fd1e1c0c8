//! Fields with one response key make one entry of the answer, so they must be the same call wherever they can meet on one
//! object, and of the same shape even where they cannot (September 2025, 5.3.2).

use async_graphql::parser::types::{BaseType, ExecutableDocument, Field, Selection, SelectionSet, Type};
use async_graphql::{Pos, Positioned};
use indexmap::IndexMap;

use super::RequestError;
use super::types::Types;

type Result = std::result::Result<(), RequestError>;

/// A selection set, and the type that it stands on.
type Placed<'a> = (&'a str, &'a SelectionSet);

/// Refuses a document in which fields conflict. It must fit the schema otherwise.
pub(super) fn check(types: &Types, document: &ExecutableDocument) -> Result {
    let overlaps = Overlaps { types, document };
    document.operations.iter().try_for_each(|(_, operation)| {
        let Some(root) = types.root(operation.node.ty) else { return Ok(()) };
        let set = &operation.node.selection_set.node;
        overlaps.calls(root, &[set])?;
        overlaps.shapes(&[(root, set)])
    })
}

struct Overlaps<'a> {
    types: &'a Types,
    document: &'a ExecutableDocument,
}

impl<'a> Overlaps<'a> {
    /// On each object that a value may be, one response key is one call.
    fn calls(&self, parent: &'a str, sets: &[&'a SelectionSet]) -> Result {
        for object in self.types.objects(parent) {
            let mut by_key = IndexMap::new();
            for set in sets {
                self.collect((object, set), Some(object), &mut by_key);
            }
            for (key, fields) in by_key {
                let (_, first) = fields[0];
                if let Some((_, other)) = fields.iter().find(|(_, other)| !is_same_call(&first.node, &other.node)) {
                    let why = "they are different fields or have differing arguments; use different aliases";
                    return Err(conflict(key, why, [first.pos, other.pos]));
                }
                if let Some(definition) = self.types.field(object, &first.node.name.node) {
                    self.calls(definition.named(), &inner(&fields).collect::<Vec<_>>())?;
                }
            }
        }
        Ok(())
    }

    /// Wherever it stands, one response key has one shape, so that clients can have one type for it.
    fn shapes(&self, sets: &[Placed<'a>]) -> Result {
        let mut by_key = IndexMap::new();
        for placed in sets {
            self.collect(*placed, None, &mut by_key);
        }
        for (key, fields) in by_key {
            let typed = |(parent, field): &(&'a str, &'a Positioned<Field>)| {
                self.types.field(parent, &field.node.name.node).map(|definition| (definition, field.pos))
            };
            let definitions: Vec<_> = fields.iter().filter_map(typed).collect();
            let [(first, first_pos), others @ ..] = &definitions[..] else { continue };
            for (other, other_pos) in others {
                if !self.is_same_shape(&first.ty, &other.ty) {
                    let why = format!("they return conflicting types \"{}\" and \"{}\"", first.ty, other.ty);
                    return Err(conflict(key, &why, [*first_pos, *other_pos]));
                }
            }
            let named = definitions.iter().map(|(definition, _)| definition.named());
            self.shapes(&named.zip(inner(&fields)).collect::<Vec<_>>())?;
        }
        Ok(())
    }

    /// The fields by their response keys, each with the type that it stands on: all of them, or those that an object meets.
    fn collect(
        &self,
        (parent, set): Placed<'a>,
        object: Option<&'a str>,
        by_key: &mut IndexMap<&'a str, Vec<(&'a str, &'a Positioned<Field>)>>,
    ) {
        for item in &set.items {
            let (on, inner) = match &item.node {
                Selection::Field(field) => {
                    by_key.entry(field.node.response_key().node.as_str()).or_default().push((parent, field));
                    continue;
                }
                Selection::InlineFragment(fragment) => {
                    let condition = fragment.node.type_condition.as_ref();
                    (
                        condition.map_or(parent, |condition| condition.node.on.node.as_str()),
                        &fragment.node.selection_set,
                    )
                }
                Selection::FragmentSpread(spread) => {
                    let Some(fragment) = self.document.fragments.get(&spread.node.fragment_name.node) else { continue };
                    (fragment.node.type_condition.node.on.node.as_str(), &fragment.node.selection_set)
                }
            };
            match object {
                None => self.collect((on, &inner.node), None, by_key),
                Some(object) if self.types.is_of(object, on) => {
                    self.collect((object, &inner.node), Some(object), by_key);
                }
                Some(_) => {}
            }
        }
    }

    fn is_same_shape(&self, one: &Type, other: &Type) -> bool {
        one.nullable == other.nullable
            && match (&one.base, &other.base) {
                (BaseType::List(one), BaseType::List(other)) => self.is_same_shape(one, other),
                (BaseType::Named(one), BaseType::Named(other)) => {
                    let has_fields = |name| !self.types.objects(name).is_empty();
                    one == other || (has_fields(one) && has_fields(other))
                }
                _ => false,
            }
    }
}

fn inner<'a>(fields: &[(&'a str, &'a Positioned<Field>)]) -> impl Iterator<Item = &'a SelectionSet> {
    fields.iter().map(|(_, field)| &field.node.selection_set.node)
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

fn conflict(key: &str, why: &str, at: [Pos; 2]) -> RequestError {
    let mut error = RequestError::invalid(format!("Fields \"{key}\" conflict because {why}."), at[0]);
    error.locations = at.to_vec();
    error
}

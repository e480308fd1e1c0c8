//! How large a request may be. Fragments are counted where they are spread, each worked out once, so that the count
//! itself is linear: a thousand bytes of nested spreads can stand for more selections than there are atoms.

use std::collections::HashMap;

use async_graphql::parser::types::{ExecutableDocument, Selection, SelectionSet};

use super::RequestError;

/// The limits of a request's document. Refusals name the limit and its value.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Bytes of the text.
    pub document_bytes: usize,
    /// Tokens of the text.
    pub tokens: usize,
    /// Fields within fields.
    pub depth: u64,
    /// Aliases, fragments expanded.
    pub aliases: u64,
    /// Fields of the root, fragments expanded.
    pub root_fields: u64,
    /// Directives, fragments expanded.
    pub directives: u64,
    /// Fields and fragments, all expanded.
    pub expanded_selections: u64,
    /// Fields of the answer, as far as they can be told before: see `cost`.
    pub cost: u64,
    /// Entries of a page: what asks for more is refused by its field, and costs no more than this.
    pub page: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            document_bytes: 32 * 1024,
            tokens: 2_000,
            depth: 15,
            aliases: 30,
            root_fields: 20,
            directives: 50,
            expanded_selections: 2_000,
            cost: 100_000,
            page: 100,
        }
    }
}

/// How deep introspection may go round in circles, from types to fields to their types. More than that nobody needs to know
/// a schema, and each round multiplies the answer. graphql-js has the same.
const INTROSPECTION_ROUNDS: u64 = 2;

/// The fields of introspection that lead from types to types.
const INTROSPECTION_LISTS: [&str; 4] = ["fields", "interfaces", "possibleTypes", "inputFields"];

/// What a selection set comes to when its fragments are expanded.
#[derive(Debug, Clone, Copy, Default)]
struct Size {
    depth: u64,
    fields: u64,
    aliases: u64,
    directives: u64,
    selections: u64,
    /// Lists of introspection within each other, wherever they are.
    lists: u64,
    /// The same, below `__schema` and `__type`.
    introspection_lists: u64,
}

impl Size {
    fn add(&mut self, other: Self) {
        self.depth = self.depth.max(other.depth);
        self.fields = self.fields.saturating_add(other.fields);
        self.aliases = self.aliases.saturating_add(other.aliases);
        self.directives = self.directives.saturating_add(other.directives);
        self.selections = self.selections.saturating_add(other.selections);
        self.lists = self.lists.max(other.lists);
        self.introspection_lists = self.introspection_lists.max(other.introspection_lists);
    }
}

/// Refuses a document one of whose operations is too large. Its fragments must be free of cycles.
pub(super) fn check(document: &ExecutableDocument, limits: &Limits) -> Result<(), RequestError> {
    let mut known = HashMap::new();
    // Of all operations, since each is looked at whichever is chosen.
    let mut selections = 0_u64;
    for (_, operation) in document.operations.iter() {
        let size = size(document, &operation.node.selection_set.node, &mut known);
        let directives = size.directives.saturating_add(operation.node.directives.len() as u64);
        selections = selections.saturating_add(size.selections);
        let what = "when its fragments are expanded";
        for (actual, most, name) in [
            (selections, limits.expanded_selections, "selections"),
            (size.depth, limits.depth, "levels of fields"),
            (size.fields, limits.root_fields, "root fields"),
            (size.aliases, limits.aliases, "aliases"),
            (directives, limits.directives, "directives"),
            (size.introspection_lists, INTROSPECTION_ROUNDS, "levels of introspection"),
        ] {
            if actual > most {
                return Err(RequestError::limit(format!("the query has {actual} {name} {what}; the limit is {most}")));
            }
        }
    }
    Ok(())
}

fn size<'a>(document: &'a ExecutableDocument, set: &'a SelectionSet, known: &mut HashMap<&'a str, Size>) -> Size {
    let mut sum = Size::default();
    for item in &set.items {
        let own = Size { selections: 1, directives: item.node.directives().len() as u64, ..Size::default() };
        sum.add(own);
        match &item.node {
            Selection::Field(field) => {
                let inner = size(document, &field.node.selection_set.node, known);
                let name = field.node.name.node.as_str();
                let lists = inner.lists + u64::from(INTROSPECTION_LISTS.contains(&name));
                sum.add(Size {
                    depth: inner.depth + 1,
                    fields: 1,
                    aliases: inner.aliases.saturating_add(u64::from(field.node.alias.is_some())),
                    lists,
                    introspection_lists: if ["__schema", "__type"].contains(&name) {
                        lists
                    } else {
                        inner.introspection_lists
                    },
                    ..inner
                });
            }
            Selection::InlineFragment(fragment) => sum.add(size(document, &fragment.node.selection_set.node, known)),
            Selection::FragmentSpread(spread) => {
                let name = spread.node.fragment_name.node.as_str();
                let inner = if let Some(known) = known.get(name) {
                    *known
                } else {
                    let set = document.fragments.get(name).map(|fragment| &fragment.node.selection_set.node);
                    let inner = set.map(|set| size(document, set, known)).unwrap_or_default();
                    known.insert(name, inner);
                    inner
                };
                sum.add(inner);
            }
        }
    }
    sum
}

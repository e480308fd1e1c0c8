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
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            document_bytes: 32 * 1024,
            tokens: 2_000,
            depth: 15,
            aliases: 30,
            root_fields: 20,
            directives: 10,
            expanded_selections: 2_000,
        }
    }
}

/// What a selection set comes to when its fragments are expanded.
#[derive(Debug, Clone, Copy, Default)]
struct Cost {
    depth: u64,
    fields: u64,
    aliases: u64,
    directives: u64,
    selections: u64,
}

impl Cost {
    fn add(&mut self, other: Self) {
        self.depth = self.depth.max(other.depth);
        self.fields = self.fields.saturating_add(other.fields);
        self.aliases = self.aliases.saturating_add(other.aliases);
        self.directives = self.directives.saturating_add(other.directives);
        self.selections = self.selections.saturating_add(other.selections);
    }
}

/// Refuses a document one of whose operations is too large. Its fragments must be free of cycles.
pub(super) fn check(document: &ExecutableDocument, limits: &Limits) -> Result<(), RequestError> {
    let mut known = HashMap::new();
    for (_, operation) in document.operations.iter() {
        let cost = cost(document, &operation.node.selection_set.node, &mut known);
        let directives = cost.directives.saturating_add(operation.node.directives.len() as u64);
        let what = "when its fragments are expanded";
        for (actual, most, name) in [
            (cost.selections, limits.expanded_selections, "selections"),
            (cost.depth, limits.depth, "levels of fields"),
            (cost.fields, limits.root_fields, "root fields"),
            (cost.aliases, limits.aliases, "aliases"),
            (directives, limits.directives, "directives"),
        ] {
            if actual > most {
                return Err(RequestError::limit(format!("the query has {actual} {name} {what}; the limit is {most}")));
            }
        }
    }
    Ok(())
}

fn cost<'a>(document: &'a ExecutableDocument, set: &'a SelectionSet, known: &mut HashMap<&'a str, Cost>) -> Cost {
    let mut sum = Cost::default();
    for item in &set.items {
        let own = Cost { selections: 1, directives: item.node.directives().len() as u64, ..Cost::default() };
        sum.add(own);
        match &item.node {
            Selection::Field(field) => {
                let inner = cost(document, &field.node.selection_set.node, known);
                sum.add(Cost {
                    depth: inner.depth + 1,
                    fields: 1,
                    aliases: inner.aliases.saturating_add(u64::from(field.node.alias.is_some())),
                    ..inner
                });
            }
            Selection::InlineFragment(fragment) => sum.add(cost(document, &fragment.node.selection_set.node, known)),
            Selection::FragmentSpread(spread) => {
                let name = spread.node.fragment_name.node.as_str();
                let inner = if let Some(known) = known.get(name) {
                    *known
                } else {
                    let set = document.fragments.get(name).map(|fragment| &fragment.node.selection_set.node);
                    let inner = set.map(|set| cost(document, set, known)).unwrap_or_default();
                    known.insert(name, inner);
                    inner
                };
                sum.add(inner);
            }
        }
    }
    sum
}

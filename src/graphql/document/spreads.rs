//! Fragments must stand where some object could meet them: what is inside of others is looked at by nobody.

use async_graphql::parser::types::{ExecutableDocument, Selection, SelectionSet};

use super::RequestError;
use super::types::Types;

type Result<T> = std::result::Result<T, Vec<RequestError>>;

/// Refuses fragments that no object of the type that they stand in could ever meet.
pub(super) fn check(types: &Types, document: &ExecutableDocument, parent: &str, set: &SelectionSet) -> Result<()> {
    for item in &set.items {
        let (which, condition, inner) = match &item.node {
            Selection::Field(_) => continue,
            Selection::InlineFragment(fragment) => {
                let condition = fragment.node.type_condition.as_ref().map(|condition| &condition.node.on);
                (String::new(), condition, &fragment.node.selection_set)
            }
            Selection::FragmentSpread(spread) => {
                let name = &spread.node.fragment_name.node;
                let Some(fragment) = document.fragments.get(name) else { continue };
                (format!(" \"{name}\""), Some(&fragment.node.type_condition.node.on), &fragment.node.selection_set)
            }
        };
        let on = condition.map_or(parent, |condition| condition.node.as_str());
        let met = types.objects(on);
        // What is no type to stand on is told elsewhere.
        if !met.is_empty() && !types.objects(parent).iter().any(|object| met.contains(object)) {
            let message = format!(
                "Fragment{which} cannot be spread here as objects of type \"{parent}\" can never be of type \"{on}\"."
            );
            return Err(vec![RequestError::invalid(message, item.pos)]);
        }
        check(types, document, on, &inner.node)?;
    }
    Ok(())
}

//! What must hold of a document by itself, each fragment looked at once: fragments exist, are used and do not contain
//! themselves; variables are defined and used; only known directives stand anywhere.

use std::collections::{BTreeSet, HashMap, HashSet};

use async_graphql::parser::types::{Directive, ExecutableDocument, OperationDefinition, Selection, SelectionSet};
use async_graphql::{Name, Pos, Positioned};
use async_graphql_value::Value;

use super::RequestError;
use super::wording::did_you_mean;

type Result<T> = std::result::Result<T, RequestError>;

/// What a selection set uses, itself and through the fragments that it spreads directly.
#[derive(Default)]
struct Uses<'a> {
    variables: Vec<(&'a str, Pos)>,
    spreads: BTreeSet<&'a str>,
}

/// Refuses an unsound document.
pub(super) fn check(document: &ExecutableDocument) -> Result<()> {
    let mut fragments: HashMap<&str, Uses<'_>> = HashMap::new();
    for (name, fragment) in &document.fragments {
        let mut of_fragment = Uses::default();
        if let Some(directive) = fragment.node.directives.first() {
            let message =
                format!("Directive \"@{}\" may not be used on FRAGMENT_DEFINITION.", directive.node.name.node);
            return Err(RequestError::invalid(message, directive.pos));
        }
        collect(document, &fragment.node.selection_set.node, &mut of_fragment)?;
        fragments.insert(name, of_fragment);
    }
    let mut finished = HashSet::new();
    for (name, fragment) in &document.fragments {
        no_cycle(name, fragment.pos, &fragments, &mut Vec::new(), &mut finished)?;
    }
    let mut spread = HashSet::new();
    for (name, operation) in document.operations.iter() {
        let mut uses = Uses::default();
        collect(document, &operation.node.selection_set.node, &mut uses)?;
        let mut waiting: Vec<&str> = uses.spreads.iter().copied().collect();
        let mut reached = HashSet::new();
        while let Some(fragment) = waiting.pop() {
            if reached.insert(fragment)
                && let Some(inner) = fragments.get(fragment)
            {
                uses.variables.extend(&inner.variables);
                waiting.extend(&inner.spreads);
            }
        }
        spread.extend(reached);
        variables(name, &operation.node, &uses)?;
    }
    match document.fragments.iter().find(|(name, _)| !spread.contains(name.as_str())) {
        Some((name, fragment)) => {
            Err(RequestError::invalid(format!("Fragment \"{name}\" is never used."), fragment.pos))
        }
        None => Ok(()),
    }
}

fn collect<'a>(document: &'a ExecutableDocument, set: &'a SelectionSet, uses: &mut Uses<'a>) -> Result<()> {
    for item in &set.items {
        directives(item.node.directives(), uses)?;
        match &item.node {
            Selection::Field(field) => {
                arguments(&field.node.arguments, uses)?;
                collect(document, &field.node.selection_set.node, uses)?;
            }
            Selection::InlineFragment(fragment) => collect(document, &fragment.node.selection_set.node, uses)?,
            Selection::FragmentSpread(spread) => {
                let name = &spread.node.fragment_name;
                if !document.fragments.contains_key(&name.node) {
                    return Err(RequestError::invalid(format!("Unknown fragment \"{}\".", name.node), name.pos));
                }
                uses.spreads.insert(name.node.as_str());
            }
        }
    }
    Ok(())
}

/// `skip` and `include` are all there is, each once and with its condition.
fn directives<'a>(directives: &'a [Positioned<Directive>], uses: &mut Uses<'a>) -> Result<()> {
    for (index, directive) in directives.iter().enumerate() {
        let name = &directive.node.name;
        if !["skip", "include"].contains(&name.node.as_str()) {
            return Err(RequestError::invalid(format!("Unknown directive \"@{}\".", name.node), directive.pos));
        }
        if directives[..index].iter().any(|other| other.node.name.node == name.node) {
            let message = format!("The directive \"@{}\" can only be used once at this location.", name.node);
            return Err(RequestError::invalid(message, directive.pos));
        }
        if directive.node.get_argument("if").is_none() || directive.node.arguments.len() != 1 {
            let message =
                format!("Directive \"@{}\" takes exactly the argument \"if\" of type \"Boolean!\".", name.node);
            return Err(RequestError::invalid(message, directive.pos));
        }
        arguments(&directive.node.arguments, uses)?;
    }
    Ok(())
}

fn arguments<'a>(arguments: &'a [(Positioned<Name>, Positioned<Value>)], uses: &mut Uses<'a>) -> Result<()> {
    for (index, (name, value)) in arguments.iter().enumerate() {
        if arguments[..index].iter().any(|(other, _)| other.node == name.node) {
            let message = format!("There can be only one argument named \"{}\".", name.node);
            return Err(RequestError::invalid(message, name.pos));
        }
        variables_of(&value.node, value.pos, uses);
    }
    Ok(())
}

fn variables_of<'a>(value: &'a Value, at: Pos, uses: &mut Uses<'a>) {
    match value {
        Value::Variable(name) => uses.variables.push((name.as_str(), at)),
        Value::List(items) => items.iter().for_each(|item| variables_of(item, at, uses)),
        Value::Object(fields) => fields.values().for_each(|field| variables_of(field, at, uses)),
        _ => {}
    }
}

fn no_cycle<'a>(
    name: &'a str,
    at: Pos,
    fragments: &HashMap<&'a str, Uses<'a>>,
    path: &mut Vec<&'a str>,
    finished: &mut HashSet<&'a str>,
) -> Result<()> {
    if path.contains(&name) {
        return Err(RequestError::invalid(format!("Cannot spread fragment \"{name}\" within itself."), at));
    }
    if finished.contains(name) {
        return Ok(());
    }
    path.push(name);
    for inner in fragments.get(name).map(|uses| &uses.spreads).into_iter().flatten() {
        no_cycle(inner, at, fragments, path, finished)?;
    }
    path.pop();
    finished.insert(name);
    Ok(())
}

fn variables(name: Option<&Name>, operation: &OperationDefinition, uses: &Uses<'_>) -> Result<()> {
    let of = name.map(|name| format!(" in operation \"{name}\"")).unwrap_or_default();
    let definitions = &operation.variable_definitions;
    let is_defined = |used: &str| definitions.iter().any(|definition| definition.node.name.node == used);
    // Checked before unused variables, because a misspelt name causes both errors.
    if let Some((unknown, at)) = uses.variables.iter().find(|(used, _)| !is_defined(used)) {
        let meant = did_you_mean(unknown, definitions.iter().map(|one| one.node.name.node.as_str()));
        // Suggestions lack the dollar sign.
        let meant = meant.replacen('"', "\"$", 1);
        return Err(RequestError::invalid(format!("Variable \"${unknown}\" is not defined{of}.{meant}"), *at));
    }
    for (index, definition) in definitions.iter().enumerate() {
        let variable = &definition.node.name;
        if definitions[..index].iter().any(|other| other.node.name.node == variable.node) {
            let message = format!("There can be only one variable named \"${}\".", variable.node);
            return Err(RequestError::invalid(message, variable.pos));
        }
        if !uses.variables.iter().any(|(used, _)| *used == variable.node.as_str()) {
            return Err(RequestError::invalid(
                format!("Variable \"${}\" is never used{of}.", variable.node),
                variable.pos,
            ));
        }
        if let Some(directive) = definition.node.directives.first() {
            let message =
                format!("Directive \"@{}\" may not be used on VARIABLE_DEFINITION.", directive.node.name.node);
            return Err(RequestError::invalid(message, directive.pos));
        }
    }
    if let Some(directive) = operation.directives.first() {
        let message = format!("Directive \"@{}\" may not be used on an operation.", directive.node.name.node);
        return Err(RequestError::invalid(message, directive.pos));
    }
    Ok(())
}

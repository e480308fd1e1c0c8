//! `schema.graphql` is what the program exports, and has what the target asks for.

use std::collections::BTreeMap;
use std::path::Path;

use async_graphql::parser::parse_schema;
use async_graphql::parser::types::{InputValueDefinition, TypeKind, TypeSystemDefinition};

#[test]
fn the_committed_schema_is_the_exported_one() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("schema.graphql");
    let committed = std::fs::read_to_string(path).unwrap();
    let exported = lc_connections::graphql::schema::sdl();
    assert!(
        committed == exported,
        "schema.graphql is stale: write it anew with `cargo run -- schema > schema.graphql`"
    );
}

#[test]
fn everything_in_the_schema_is_described() {
    let exported = lc_connections::graphql::schema::sdl();
    let lines: Vec<&str> = exported.lines().map(str::trim).collect();
    for (number, line) in lines.iter().enumerate() {
        let is_definition =
            ["type ", "input ", "enum ", "interface ", "scalar "].iter().any(|word| line.starts_with(word));
        let first = line.chars().next();
        let is_member = first.is_some_and(char::is_alphabetic)
            && !is_definition
            && exported.lines().nth(number).is_some_and(|line| line.starts_with('\t'))
            && !is_inside_description(&lines[..number]);
        let is_root = matches!(*line, "query: Query" | "mutation: Mutation");
        if (is_definition || is_member) && !is_root {
            assert!(lines[number - 1].ends_with('"'), "line {}: {line} has no description", number + 1);
        }
    }
}

fn is_inside_description(before: &[&str]) -> bool {
    before.iter().filter(|line| **line == "\"\"\"").count() % 2 == 1
}

/// Every name of a schema with what it promises: `Type.field(argument)` and its type, default, or kind.
fn names(sdl: &str) -> BTreeMap<String, String> {
    let mut names = BTreeMap::new();
    let input = |names: &mut BTreeMap<_, _>, path: String, value: &InputValueDefinition| {
        let default = value.default_value.as_ref().map(|default| format!(" = {}", default.node)).unwrap_or_default();
        names.insert(path, format!("{}{default}", value.ty.node));
    };
    for definition in parse_schema(sdl).unwrap().definitions {
        let TypeSystemDefinition::Type(definition) = definition else { continue };
        let name = definition.node.name.node.to_string();
        let (kind, implements, fields) = match &definition.node.kind {
            TypeKind::Scalar => ("scalar", &[][..], &[][..]),
            TypeKind::Object(object) => ("type", &object.implements[..], &object.fields[..]),
            TypeKind::Interface(interface) => ("interface", &interface.implements[..], &interface.fields[..]),
            TypeKind::Union(_) => ("union", &[][..], &[][..]),
            TypeKind::Enum(values) => {
                for value in &values.values {
                    names.insert(format!("{name}.{}", value.node.value.node), String::new());
                }
                ("enum", &[][..], &[][..])
            }
            TypeKind::InputObject(object) => {
                for field in &object.fields {
                    input(&mut names, format!("{name}.{}", field.node.name.node), &field.node);
                }
                ("input", &[][..], &[][..])
            }
        };
        names.insert(name.clone(), kind.to_owned());
        for interface in implements {
            names.insert(format!("{name} implements {}", interface.node), String::new());
        }
        for field in fields {
            let path = format!("{name}.{}", field.node.name.node);
            for argument in &field.node.arguments {
                input(&mut names, format!("{path}({})", argument.node.name.node), &argument.node);
            }
            names.insert(path, field.node.ty.node.to_string());
        }
    }
    names
}

#[test]
fn the_schema_has_every_name_of_the_target_with_its_type() {
    let exported = names(&lc_connections::graphql::schema::sdl());
    let target = names(include_str!("support/target.graphql"));
    assert!(target.len() > 200, "the target was read");
    let missing: Vec<_> = target.iter().filter(|(name, promise)| exported.get(*name) != Some(*promise)).collect();
    let found: Vec<_> = missing.iter().map(|(name, promise)| (name, promise, exported.get(*name))).collect();
    assert!(missing.is_empty(), "{found:#?}");
}

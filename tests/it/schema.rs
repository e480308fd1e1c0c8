//! `schema.graphql` is what the program exports, and has what the target asks for.

use std::path::Path;

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

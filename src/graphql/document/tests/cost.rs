//! What an answer is taken to cost, and what is refused for it.

use super::*;

/// What a request is told to cost, where nothing may cost anything.
fn cost(query: &str, variables: Value) -> u64 {
    let documents = Documents::new(&sdl(), Limits { cost: 0, ..Limits::default() }, true).unwrap();
    let Value::Object(variables) = variables else { panic!("variables are an object") };
    let refused = documents.prepare(query, None, &variables.into()).unwrap_err();
    assert_eq!(refused[0].kind, RequestErrorKind::LimitExceeded, "{query}: {}", refused[0].message);
    let number = refused[0].message.strip_prefix("the answer may have ").unwrap().split(' ').next().unwrap();
    number.parse().unwrap()
}

#[test]
fn each_field_counts_and_those_of_a_page_as_often_as_it_may_have_entries() {
    for (query, expected) in [
        ("{ viewer { isSuperuser } }", 2),
        // The list of nodes, and so many times a field.
        ("{ connections(first: 7) { nodes { id } } }", 2 + 7),
        ("{ connections(last: 7) { nodes { id status } totalCount } }", 3 + 7 * 2),
        ("{ connections { edges { cursor node { id } } } }", 2 + 50 * 3),
        ("{ connections(first: null) { nodes { id } } }", 2 + 50),
        // More than may be asked for: the field refuses it.
        ("{ connections(first: 2147483647) { nodes { id } } }", 2 + 100),
        ("{ connections(first: 0) { nodes { id } } }", 2),
        ("{ connections(first: 7) { nodes { customEntities { name } } } }", 2 + 7 * (1 + 10)),
        ("{ connections(first: 7) { nodes { permissions } } }", 2 + 7),
        ("{ connections(first: 7) { nodes { repairs { nodes { id } } } } }", 2 + 7 * (2 + 10)),
        ("{ connections(first: 7) { nodes { repairs(first: 3) { nodes { id } } } } }", 2 + 7 * (2 + 3)),
        ("{ a: connections(first: 7) { nodes { id } } b: connections(first: 8) { nodes { id } } }", 4 + 15),
        ("{ nodes(ids: [\"a\", \"b\", \"c\"]) { id } }", 1 + 3),
    ] {
        assert_eq!(cost(query, json!({})), expected, "{query}");
    }
}

#[test]
fn what_variables_say_counts() {
    let query = "query ($first: Int = 9, $ids: [ID!] = []) { connections(first: $first) { nodes { id } } nodes(ids: $ids) { id } }";
    assert_eq!(cost(query, json!({})), 3 + 9);
    assert_eq!(cost(query, json!({"first": 20, "ids": ["a", "b"]})), 3 + 20 + 2);
    assert_eq!(cost(query, json!({"first": null})), 3 + 50);
    let query = "query ($yes: Boolean!) { connections(first: 7) { nodes { id status @include(if: $yes) } } }";
    assert_eq!(cost(query, json!({"yes": true})) - cost(query, json!({"yes": false})), 7);
}

#[test]
fn arguments_count_wherever_their_variable_stands() {
    let prepare = |query: &str, variables: Value| {
        let Value::Object(variables) = variables else { panic!("variables are an object") };
        documents()
            .prepare(query, None, &variables.into())
            .map(|_| ())
            .map_err(|errors| (errors[0].kind, errors[0].message.clone()))
    };
    let text = "x".repeat(200_000);
    let list = |times| format!("query ($a: ID!) {{ nodes(ids: [{}]) {{ id }} }}", "$a ".repeat(times));
    let fields = |times| {
        let filter = "query ($a: String!) { viewer { ...F } } fragment F on Viewer { account {";
        let field =
            |number| format!("a{number}: connections(first: 1, filter: {{hasPermission: [$a]}}) {{ totalCount }} ");
        format!("{filter} {} }} }}", (0..times).map(field).collect::<String>())
    };
    for query in [list(2), fields(2)] {
        assert_eq!(prepare(&query, json!({"a": text})), Ok(()), "{query}");
    }
    for query in [list(3), list(900), fields(3)] {
        let (kind, message) = prepare(&query, json!({"a": text})).unwrap_err();
        assert_eq!(kind, RequestErrorKind::LimitExceeded, "{query}");
        assert!(message.ends_with("the limit is 524288 bytes"), "{message}");
    }
    let one = "query ($all: [String!]) { connections(first: 1, filter: {hasPermission: $all}) { totalCount } }";
    assert_eq!(prepare(one, json!({"all": vec!["ab"; 20_000]})), Ok(()));
    assert!(prepare(one, json!({"all": vec!["ab"; 60_000]})).is_err(), "so many take far more than their text");
}

#[test]
fn of_an_interface_the_widest_object_counts() {
    let query = "{ node(id: \"a\") { id ... on Account { name ssoId } ... on Partnership { status } } }";
    assert_eq!(cost(query, json!({})), 1 + 3);
}

#[test]
fn what_repeats_itself_counts_once_and_fragments_where_they_are_spread() {
    let query = "{ connections(first: 7) { nodes { ...F ...F id } } } fragment F on Partnership { id status }";
    assert_eq!(cost(query, json!({})), 2 + 7 * 2);
}

/// Every field of a type, and of what it leads to, so many levels deep.
fn everything(types: &Types, parent: &str, depth: usize) -> String {
    let Some(types::Kind::Composite(fields, _)) = types.get(parent) else { return String::new() };
    let mut names: Vec<_> = fields.keys().collect();
    names.sort_unstable();
    let field = |name: &&String| {
        let inner = types.field(parent, name).unwrap().named();
        match types.objects(inner) {
            [] => (*name).clone(),
            _ if depth == 0 => String::new(),
            _ => format!("{name} {}", everything(types, inner, depth - 1)),
        }
    };
    format!("{{ {} }}", names.iter().map(field).collect::<Vec<_>>().join(" "))
}

#[test]
fn the_largest_page_of_all_there_is_to_know_is_served_and_many_of_them_are_not() {
    let documents = documents();
    let page =
        format!("connections(first: 100) {{ totalCount nodes {} }}", everything(&documents.types, "Partnership", 2));
    let pages = |number: usize| {
        let aliased: Vec<_> = (0..number).map(|number| format!("p{number}: {page}")).collect();
        format!("{{ {} }}", aliased.join(" "))
    };
    assert!(cost(&pages(1), json!({})) > 5_000);
    documents.prepare(&pages(1), None, &RawVariables::default()).unwrap();
    let refused = documents.prepare(&pages(15), None, &RawVariables::default()).unwrap_err();
    assert_eq!(refused[0].kind, RequestErrorKind::LimitExceeded);
    assert!(refused[0].message.ends_with("the limit is 100000"), "{}", refused[0].message);
}

#[test]
fn lists_within_lists_multiply() {
    let query = format!(
        "{{ nodes(ids: {}) {{ ... on Account {{ connections(first: 100) {{ nodes {{ id status drift localId createdAt updatedAt \
         invitationId createdBy permissions relationshipType }} }} }} }} }}",
        json!(vec!["a"; 100])
    );
    let (kind, message) = refusal(&query, json!({})).unwrap();
    assert_eq!(kind, RequestErrorKind::LimitExceeded);
    assert!(message.contains("100201 fields"), "{message}");
}

//! The pipeline as a whole: what it refuses and as what, and that what it lets through means what the client wrote.

use async_graphql::{EmptySubscription, Interface, Object, Request, Schema};
use futures_util::FutureExt;
use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::graphql::schema::sdl;

fn documents() -> Documents {
    Documents::new(&sdl(), Limits::default(), true).unwrap()
}

fn refusal(query: &str, variables: Value) -> Option<(RequestErrorKind, String)> {
    let Value::Object(variables) = variables else { panic!("variables are an object") };
    let refused = documents().prepare(query, None, &variables).err()?;
    Some((refused[0].kind, refused[0].message.clone()))
}

#[test]
fn what_does_not_fit_the_schema_or_itself_is_refused() {
    use RequestErrorKind::{ParseFailed, ValidationFailed};
    for (query, kind, said) in [
        ("", ParseFailed, "Syntax error"),
        ("{", ParseFailed, "Syntax error"),
        ("{ viewer { isSuperuser } } }", ParseFailed, "Syntax error"),
        ("{ nope }", ValidationFailed, "Cannot query field \"nope\" on type \"Query\"."),
        ("{ viewer }", ValidationFailed, "must have a selection of subfields"),
        ("{ viewer { isSuperuser { x } } }", ValidationFailed, "must not have a selection"),
        ("{ connection { id } }", ValidationFailed, "argument \"id\" of type \"ObjectID!\" is required"),
        ("{ connection(id: \"x\") { id } }", ValidationFailed, "Expected value of type \"ObjectID\""),
        ("{ connection(id: null) { id } }", ValidationFailed, "found null"),
        ("{ connections(first: \"1\") { totalCount } }", ValidationFailed, "Expected value of type \"Int\""),
        ("{ connections(first: 3000000000) { totalCount } }", ValidationFailed, "Expected value of type \"Int\""),
        ("{ connections(second: 1) { totalCount } }", ValidationFailed, "Unknown argument \"second\""),
        ("{ connections(first: 1, first: 2) { totalCount } }", ValidationFailed, "only one argument named \"first\""),
        ("{ connections(consistency: \"FAIL_OPEN\") { totalCount } }", ValidationFailed, "non-enum value"),
        (
            "{ connections(consistency: NEVER) { totalCount } }",
            ValidationFailed,
            "does not exist in \"ReadConsistency\" enum",
        ),
        (
            "{ connections(filter: {nope: 1}) { totalCount } }",
            ValidationFailed,
            "is not defined by type \"PartnershipFilter\"",
        ),
        (
            "{ connections(orderBy: {field: CREATED_AT}) { totalCount } }",
            ValidationFailed,
            "of required type \"OrderDirection!\"",
        ),
        ("{ ...F }", ValidationFailed, "Unknown fragment \"F\"."),
        (
            "{ viewer { isSuperuser } } fragment F on Query { viewer { isSuperuser } }",
            ValidationFailed,
            "is never used",
        ),
        ("{ ...F } fragment F on Query { ...F }", ValidationFailed, "within itself"),
        ("{ ...F } fragment F on Query { ...G } fragment G on Query { ...F }", ValidationFailed, "within itself"),
        ("{ ... on Nope { x } }", ValidationFailed, "Unknown type \"Nope\"."),
        ("{ ... on ObjectID { x } }", ValidationFailed, "non composite type"),
        ("{ viewer @nope { isSuperuser } }", ValidationFailed, "Unknown directive \"@nope\"."),
        ("{ __typename @nope }", ValidationFailed, "Unknown directive \"@nope\"."),
        ("{ viewer @skip { isSuperuser } }", ValidationFailed, "exactly the argument \"if\""),
        ("{ viewer @skip(if: \"x\") { isSuperuser } }", ValidationFailed, "needs a \"Boolean!\""),
        ("query ($x: Int) { viewer { isSuperuser } }", ValidationFailed, "is never used"),
        ("{ connections(first: $x) { totalCount } }", ValidationFailed, "is not defined"),
        (
            "query ($x: Int, $x: Int) { connections(first: $x) { totalCount } }",
            ValidationFailed,
            "only one variable named",
        ),
        ("query ($x: Viewer) { connections(first: $x) { totalCount } }", ValidationFailed, "no input type"),
        ("query ($x: Int = \"1\") { connections(first: $x) { totalCount } }", ValidationFailed, "default value"),
        ("{ a: viewer { isSuperuser } a: connections { totalCount } }", ValidationFailed, "conflict"),
        ("{ viewer { x: isSuperuser ...F } } fragment F on Viewer { x: userEmail }", ValidationFailed, "conflict"),
        ("{ connections(first: 1) { totalCount } connections(first: 2) { totalCount } }", ValidationFailed, "conflict"),
        (
            "query A { viewer { isSuperuser } } query B { viewer { isSuperuser } }",
            ValidationFailed,
            "Must provide operation name",
        ),
        ("subscription { x }", ValidationFailed, "not configured"),
        // What is skipped, and what is not chosen, must fit all the same.
        ("{ viewer { isSuperuser nope @skip(if: true) } }", ValidationFailed, "Cannot query field \"nope\""),
        (
            "query ($x: Boolean!) { a: viewer @skip(if: $x) { isSuperuser } a: __typename }",
            ValidationFailed,
            "conflict",
        ),
        ("query A { viewer { isSuperuser } } query B { nope }", ValidationFailed, "Cannot query field \"nope\""),
    ] {
        let (actual, message) = refusal(query, json!({})).unwrap_or_else(|| panic!("{query} was let through"));
        assert_eq!(actual, kind, "{query}: {message}");
        assert!(message.contains(said), "{query}: {message}");
    }
}

#[test]
fn variables_are_coerced_before_anything_executes() {
    let query = "query Q($id: ObjectID!, $first: Int, $filter: PartnershipFilter) { connection(id: $id) { id } \
                 connections(first: $first, filter: $filter) { totalCount } }";
    let id = "5d9a4c421d011c553e000001";
    for (variables, said) in [
        (json!({}), "\"$id\" of required type \"ObjectID!\" was not provided"),
        (json!({"id": null}), "not to be null"),
        (json!({"id": "x"}), "ObjectID cannot represent it"),
        (json!({"id": id, "first": "1"}), "Int cannot represent it"),
        (json!({"id": id, "first": 1.5}), "Int cannot represent it"),
        (json!({"id": id, "first": 3_000_000_000_u32}), "Int cannot represent it"),
        (json!({"id": id, "filter": 1}), "to be an object"),
        (json!({"id": id, "filter": {"nope": 1}}), "is not defined by type"),
        (json!({"id": id, "filter": {"status": ["NOPE"]}}), "at \"filter.status[0]\""),
        (json!({"id": id, "filter": {"updatedSince": "yesterday"}}), "at \"filter.updatedSince\""),
        (json!({"id": id, "filter": {"search": 5}}), "at \"filter.search\""),
    ] {
        let (kind, message) =
            refusal(query, variables.clone()).unwrap_or_else(|| panic!("{variables} was let through"));
        assert_eq!(kind, RequestErrorKind::BadUserInput, "{message}");
        assert!(message.contains(said), "{variables}: {message}");
    }
    let given =
        json!({"id": id.to_uppercase(), "first": 1.0, "filter": {"status": "SSO_ONLY", "search": null}, "more": 1});
    let prepared = documents().prepare(query, Some("Q"), given.as_object().unwrap()).unwrap();
    let coerced = json!({"id": id.to_uppercase(), "first": 1, "filter": {"status": ["SSO_ONLY"], "search": null}});
    assert_eq!(serde_json::to_value(prepared.variables).unwrap(), coerced);
}

#[test]
fn hostile_shapes_are_refused_by_a_limit_that_is_named() {
    let bomb = (0..30).fold("{ ...F0 } fragment F30 on Query { __typename }".to_owned(), |bomb, level| {
        let next = level + 1;
        format!("{bomb} fragment F{level} on Query {{ ...F{next} ...F{next} }}")
    });
    let deep =
        |open: &str, close: &str| format!("{{ connection(id: {}{}) {{ id }} }}", open.repeat(900), close.repeat(900));
    let nested = format!("{}isSuperuser{}", "{ viewer ".repeat(20), " }".repeat(20));
    let directives = "@skip(if: false) ".repeat(1_000);
    for (query, limit) in [
        (bomb, "the limit is 2000"),
        (format!("{{ {} }}", "viewer { isSuperuser } ".repeat(10_000)), "the limit is 32768"),
        (format!("{{ {} }}", "a ".repeat(5_000)), "2000 tokens"),
        (format!("{{ {} }}", "a: viewer { isSuperuser } ".repeat(31)), "31 root fields"),
        (format!("{{ viewer {{ {} }} }}", "a: isSuperuser ".repeat(31)), "the limit is 30"),
        (format!("{{ {} }}", "viewer { isSuperuser } ".repeat(21)), "the limit is 20"),
        (format!("{{ viewer {directives} {{ isSuperuser }} }}"), "2000 tokens"),
        (format!("{{ viewer {{ {} }} }}", "isSuperuser @skip(if: false) ".repeat(11)), "the limit is 10"),
        (deep("[", "]"), "brackets deeper than 64"),
        (deep("{a: ", "}"), "brackets deeper than 64"),
        (nested, "the limit is 15"),
        ("{".repeat(30_000), "brackets deeper than 64"),
        (format!("{{ connection(id: \"{}\") {{ id }} }}", "x".repeat(40_000)), "the limit is 32768"),
    ] {
        let (kind, message) = refusal(&query, json!({})).unwrap_or_else(|| panic!("{query:.60} was let through"));
        assert_eq!(kind, RequestErrorKind::LimitExceeded, "{query:.60}: {message}");
        assert!(message.contains(limit), "{query:.60}: {message}");
    }
}

struct Query;
struct Dog;
struct Cat;

/// Anything with a name.
#[derive(Interface)]
#[graphql(field(name = "name", ty = "String"), field(name = "friend", ty = "Box<Pet>"))]
enum Pet {
    Dog(Dog),
    Cat(Cat),
}

#[Object]
impl Dog {
    async fn name(&self) -> String {
        "Rex".to_owned()
    }

    async fn friend(&self) -> Box<Pet> {
        Box::new(Pet::Cat(Cat))
    }

    async fn barks(&self, #[graphql(default = 1)] times: i32) -> i32 {
        times
    }
}

#[Object]
impl Cat {
    async fn name(&self) -> String {
        "Tom".to_owned()
    }

    async fn friend(&self) -> Box<Pet> {
        Box::new(Pet::Dog(Dog))
    }
}

#[Object]
impl Query {
    async fn dog(&self) -> Dog {
        Dog
    }

    async fn pets(&self) -> Vec<Pet> {
        vec![Pet::Dog(Dog), Pet::Cat(Cat)]
    }
}

fn pet_schema() -> Schema<Query, async_graphql::EmptyMutation, EmptySubscription> {
    Schema::new(Query, async_graphql::EmptyMutation, EmptySubscription)
}

/// Executes without waiting: no resolver here ever does.
fn execute(request: Request) -> async_graphql::Response {
    pet_schema().execute(request).now_or_never().unwrap()
}

fn normalised(query: &str, variables: &Value) -> Result<async_graphql::Response, Vec<RequestError>> {
    let documents =
        Documents::new(&pet_schema().sdl(), Limits { aliases: 1_000, directives: 1_000, ..Limits::default() }, true)
            .unwrap();
    let prepared = documents.prepare(query, None, variables.as_object().unwrap())?;
    let mut request = Request::new(String::new()).variables(prepared.variables);
    request.set_parsed_query(prepared.document);
    Ok(execute(request))
}

/// Selections on a type; every alias stands for one call only, so that nothing conflicts.
fn selections(on: &'static str, depth: u32) -> BoxedStrategy<String> {
    let directive = prop_oneof![6 => Just(""), 1 => Just(" @skip(if: $t)"), 1 => Just(" @include(if: $t)"), 1 => Just(" @skip(if: $f)")];
    let leaf = match on {
        "Dog" => prop_oneof![Just("name"), Just("two: barks(times: 2)"), Just("barks(times: $n)"), Just("__typename")]
            .boxed(),
        "Query" => Just("__typename").boxed(),
        _ => prop_oneof![Just("name"), Just("kind: __typename")].boxed(),
    };
    let one = (leaf, directive.clone()).prop_map(|(leaf, directive)| format!("{leaf}{directive}")).boxed();
    let one = if depth == 0 {
        one
    } else {
        let field = match on {
            "Query" => prop_oneof![
                selections("Dog", depth - 1).prop_map(|inner| format!("dog {{ {inner} }}")),
                selections("Pet", depth - 1).prop_map(|inner| format!("pets {{ {inner} }}")),
            ]
            .boxed(),
            _ => selections("Pet", depth - 1).prop_map(|inner| format!("friend {{ {inner} }}")).boxed(),
        };
        let fragment = match on {
            "Pet" => prop_oneof![
                selections("Dog", depth - 1).prop_map(|inner| format!("... on Dog {{ {inner} }}")),
                selections("Cat", depth - 1).prop_map(|inner| format!("... on Cat {{ {inner} }}")),
                selections("Pet", depth - 1).prop_map(|inner| format!("... {{ {inner} }}")),
            ]
            .boxed(),
            _ => selections(on, depth - 1).prop_map(move |inner| format!("... on {on} {{ {inner} }}")).boxed(),
        };
        let with_directive = |what: BoxedStrategy<String>| (what, directive.clone());
        prop_oneof![
            2 => one,
            2 => field,
            1 => with_directive(fragment).prop_map(|(fragment, directive)| fragment.replacen(" {", &format!("{directive} {{"), 1)),
        ]
        .boxed()
    };
    prop::collection::vec(one, 1..4).prop_map(|all| all.join(" ")).boxed()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn a_normalised_document_answers_what_the_original_answers(inner in selections("Query", 4)) {
        let query = format!(
            "query ($t: Boolean!, $f: Boolean! = false, $n: Int) {{ {inner} a: dog @skip(if: $t) {{ barks(times: $n) }} b: dog @skip(if: $f) {{ name }} }}"
        );
        let variables = json!({"t": true, "n": 3});
        let normalised = match normalised(&query, &variables) {
            Ok(normalised) => normalised,
            // Large ones are refused, and conflicts of `barks` never arise, since it has one spelling.
            Err(refused) => {
                prop_assert_eq!(refused[0].kind, RequestErrorKind::LimitExceeded, "{}: {:?}", query, refused);
                return Ok(());
            }
        };
        let original = execute(Request::new(&query).variables(Variables::from_json(variables)));
        prop_assert!(original.errors.is_empty(), "{}: {:?}", query, original.errors);
        prop_assert!(normalised.errors.is_empty(), "{}: {:?}", query, normalised.errors);
        let json = |response: &async_graphql::Response| response.data.clone().into_json().unwrap();
        prop_assert_eq!(json(&normalised), json(&original), "{}", query);
    }
}

#[test]
fn an_object_of_which_everything_is_skipped_is_empty() {
    let answer = |query: &str| normalised(query, &json!({})).unwrap().data.into_json().unwrap();
    assert_eq!(answer("{ dog { name @skip(if: true) } }"), json!({"dog": {}}));
    assert_eq!(answer("{ dog @skip(if: true) { name } }"), json!({}));
    assert_eq!(answer("{ pets { ... on Dog { name } } }"), json!({"pets": [{"name": "Rex"}, {}]}));
}

#[test]
fn keys_come_in_the_order_of_their_first_appearance() {
    let answer =
        normalised("{ pets { kind: __typename ... on Dog { barks } name ... on Cat { x: name } } }", &json!({}))
            .unwrap();
    let text = serde_json::to_string(&answer.data).unwrap();
    assert_eq!(text, r#"{"pets":[{"kind":"Dog","barks":1,"name":"Rex"},{"kind":"Cat","name":"Tom","x":"Tom"}]}"#);
}

#[test]
fn where_the_schema_may_not_be_asked_for_only_type_names_are_told() {
    let documents = Documents::new(&sdl(), Limits::default(), false).unwrap();
    let prepare = |query: &str| documents.prepare(query, None, &Map::new());
    for query in [
        "{ __schema { types { name } } }",
        "{ a: __type(name: \"Query\") { name } }",
        "{ ...F } fragment F on Query { ... { __schema { queryType { name } } } }",
        "query($no: Boolean = false) { __schema @include(if: $no) { queryType { name } } viewer { isSuperuser } }",
    ] {
        let refused = prepare(query).unwrap_err();
        assert_eq!(refused[0].kind, RequestErrorKind::ValidationFailed);
        assert!(refused[0].message.contains("introspection is turned off"), "{query}: {}", refused[0].message);
    }
    assert!(prepare("{ __typename viewer { __typename isSuperuser } }").is_ok());
}

#[test]
fn a_variable_stands_only_where_its_type_fits() {
    for (query, said) in [
        (
            "query($x: String!) { connection(id: $x) { id } }",
            Some("\"$x\" of type \"String!\" used in position expecting type \"ObjectID!\""),
        ),
        ("query($x: ObjectID) { connection(id: $x) { id } }", Some("of type \"ObjectID\" used in position")),
        ("query($x: ObjectID!) { connection(id: $x) { id } }", None),
        ("query($x: ObjectID = null) { connection(id: $x) { id } }", Some("\"$x\"")),
        ("query($x: ObjectID = \"0123456789abcdef01234567\") { connection(id: $x) { id } }", None),
        ("query($x: Int) { connections(first: $x) { totalCount } }", None),
        ("query($x: Int!) { connections(first: $x) { totalCount } }", None),
        ("query($x: String) { connections(first: $x) { totalCount } }", Some("\"$x\" of type \"String\"")),
        ("query($x: ReadConsistency) { connections(consistency: $x) { totalCount } }", None),
        (
            "query($x: [PartnershipStatus]) { connections(filter: {status: $x}) { totalCount } }",
            Some("[PartnershipStatus]"),
        ),
        ("query($x: [PartnershipStatus!]) { connections(filter: {status: $x}) { totalCount } }", None),
        ("query($x: PartnershipStatus) { connections(filter: {status: [$x]}) { totalCount } }", Some("\"$x\"")),
        ("query($x: PartnershipStatus!) { connections(filter: {status: [$x]}) { totalCount } }", None),
        ("query($x: PartnershipStatus!) { connections(filter: {status: $x}) { totalCount } }", Some("\"$x\"")),
        ("query($x: Boolean) { ...F } fragment F on Query { connections(first: $x) { totalCount } }", Some("\"$x\"")),
        (
            "mutation($x: Boolean) { repairConnection(input: {connectionId: \"0123456789abcdef01234567\", dryRun: $x}) { outcome } }",
            None,
        ),
    ] {
        let refused = documents().prepare(query, None, json!({"x": null}).as_object().unwrap()).err();
        let told = refused.map(|errors| (errors[0].kind, errors[0].message.clone()));
        // Whether null is a value that it may have is another question.
        let told = told.filter(|(kind, _)| *kind == RequestErrorKind::ValidationFailed).map(|(_, message)| message);
        assert_eq!(told.is_some(), said.is_some(), "{query}: {told:?}");
        assert!(told.unwrap_or_default().contains(said.unwrap_or_default()), "{query}");
    }
}

#[test]
fn a_fragment_that_nothing_could_meet_is_refused() {
    let never = "can never be of type";
    for (query, is_refused) in [
        ("{ viewer { ... on Account { id } } }", true),
        ("{ viewer { ...F } } fragment F on Account { id }", true),
        ("{ node(id: \"x\") { ... on Viewer { isSuperuser } } }", true),
        ("{ node(id: \"x\") { ... on Account { ... on Partnership { id } } } }", true),
        ("{ node(id: \"x\") { ... on Account { ... on Partnership { nope } } } }", true),
        ("{ ... on Mutation { __typename } }", true),
        ("{ node(id: \"x\") { ... on Account { name } ... on Partnership { status } } }", false),
        ("{ node(id: \"x\") { ... on Node { ... on Account { ... { ... on Node { id } } } } } }", false),
        ("{ viewer { account { ... on Node { id } } } }", false),
    ] {
        let refused = refusal(query, json!({}));
        assert_eq!(refused.is_some(), is_refused, "{query}: {refused:?}");
        assert!(refused.is_none_or(|(_, message)| message.contains(never)), "{query}");
    }
}

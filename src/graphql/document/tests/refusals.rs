//! What is refused: what does not fit the schema or itself.

use super::*;

/// Each query is refused as invalid, in words that hold these.
fn are_invalid(cases: &[(&str, &str)]) {
    for (query, said) in cases {
        let (kind, message) = refusal(query, json!({})).unwrap_or_else(|| panic!("{query} was let through"));
        assert_eq!(kind, RequestErrorKind::ValidationFailed, "{query}: {message}");
        assert!(message.contains(said), "{query}: {message}");
    }
}

#[test]
fn what_does_not_fit_the_schema_is_refused() {
    are_invalid(&[
        ("{ nope }", "Cannot query field \"nope\" on type \"Query\"."),
        ("{ viewer }", "must have a selection of subfields"),
        ("{ viewer { isSuperuser { x } } }", "must not have a selection"),
        ("{ connection { id } }", "argument \"id\" of type \"ObjectID!\" is required"),
        ("{ connection(id: \"x\") { id } }", "Expected value of type \"ObjectID\""),
        ("{ connection(id: null) { id } }", "found null"),
        ("{ connections(first: \"1\") { totalCount } }", "Expected value of type \"Int\""),
        ("{ connections(first: 3000000000) { totalCount } }", "Expected value of type \"Int\""),
        ("{ connections(second: 1) { totalCount } }", "Unknown argument \"second\""),
        ("{ connections(first: 1, first: 2) { totalCount } }", "only one argument named \"first\""),
        ("{ connections(consistency: \"FAIL_OPEN\") { totalCount } }", "non-enum value"),
        ("{ connections(consistency: NEVER) { totalCount } }", "does not exist in \"ReadConsistency\" enum"),
        ("{ connections(filter: {nope: 1}) { totalCount } }", "is not defined by type \"PartnershipFilter\""),
        ("{ connections(orderBy: {field: CREATED_AT}) { totalCount } }", "of required type \"OrderDirection!\""),
    ]);
}

#[test]
fn what_does_not_fit_itself_is_refused() {
    are_invalid(&[
        ("{ ...F }", "Unknown fragment \"F\"."),
        ("{ viewer { isSuperuser } } fragment F on Query { viewer { isSuperuser } }", "is never used"),
        ("{ ...F } fragment F on Query { ...F }", "within itself"),
        ("{ ...F } fragment F on Query { ...G } fragment G on Query { ...F }", "within itself"),
        ("{ ... on Nope { x } }", "Unknown type \"Nope\"."),
        ("{ ... on ObjectID { x } }", "non composite type"),
        ("{ viewer @nope { isSuperuser } }", "Unknown directive \"@nope\"."),
        ("{ __typename @nope }", "Unknown directive \"@nope\"."),
        ("{ viewer @skip { isSuperuser } }", "exactly the argument \"if\""),
        ("{ viewer @skip(if: \"x\") { isSuperuser } }", "Expected value of type \"Boolean\""),
        ("query ($x: Boolean) { viewer @skip(if: $x) { isSuperuser } }", "expecting type \"Boolean!\""),
        ("{ ...F } fragment F on Query @skip(if: false) { viewer { isSuperuser } }", "FRAGMENT_DEFINITION"),
        ("query @skip(if: false) { viewer { isSuperuser } }", "on an operation"),
        ("{ __typename { x } }", "must not have a selection"),
        ("{ __schema { types { nope } } }", "on type \"__Type\""),
        ("{ viewer { __schema { description } } }", "on type \"Viewer\""),
        ("query ($x: Int!) { __type(name: $x) { name } }", "expecting type \"String!\""),
        ("query ($x: Int) { viewer { isSuperuser } }", "is never used"),
        ("{ connections(first: $x) { totalCount } }", "is not defined"),
        ("query ($x: Int, $x: Int) { connections(first: $x) { totalCount } }", "only one variable named"),
        ("query ($x: Viewer) { connections(first: $x) { totalCount } }", "no input type"),
        ("query ($x: Int = \"1\") { connections(first: $x) { totalCount } }", "default value"),
        ("query ($x: Int = 1.0) { connections(first: $x) { totalCount } }", "default value"),
        ("query ($x: Int! = null) { connections(first: $x) { totalCount } }", "default value"),
        (
            "query ($x: ReadConsistency! = \"LOCAL_ONLY\") { connections(consistency: $x) { totalCount } }",
            "default value",
        ),
        (
            "query P($x: Int = \"1\") { connections(first: $x) { totalCount } } query Q { viewer { isSuperuser } }",
            "default value",
        ),
        (
            "{ connections(filter: {search: \"a\", search: \"b\"}) { totalCount } }",
            "only one input field named \"search\"",
        ),
        (
            "query ($x: PartnershipFilter = {search: \"a\", search: \"a\"}) { connections(filter: $x) { totalCount } }",
            "only one input field named \"search\"",
        ),
        ("{ a: viewer { isSuperuser } a: connections { totalCount } }", "conflict"),
        ("{ viewer { x: isSuperuser ...F } } fragment F on Viewer { x: userEmail }", "conflict"),
        ("{ connections(first: 1) { totalCount } connections(first: 2) { totalCount } }", "conflict"),
        ("query A { viewer { isSuperuser } } query B { viewer { isSuperuser } }", "Must provide operation name"),
        ("subscription { x }", "not configured"),
        ("query A { nope } query A { nope }", "only one operation named \"A\""),
        ("{ nope } query A { nope }", "must be the only defined operation"),
        ("{ nope } { nope }", "must be the only defined operation"),
        ("{ ...F } fragment F on Query { a } fragment F on Query { b }", "only one fragment named \"F\""),
        ("{ viewer { isSuperuser } } type Query { viewer: Int }", "\"type\" definition is not executable"),
        // What is skipped, and what is not chosen, must fit all the same.
        ("{ viewer { isSuperuser nope @skip(if: true) } }", "Cannot query field \"nope\""),
        ("query ($x: Boolean!) { a: viewer @skip(if: $x) { isSuperuser } a: __typename }", "conflict"),
        ("query A { viewer { isSuperuser } } query B { nope }", "Cannot query field \"nope\""),
    ]);
}

#[test]
fn fields_with_one_key_must_have_one_shape_even_where_they_never_meet() {
    let node = |inner: &str| format!("{{ node(id: \"x\") {{ {inner} }} }}");
    for (inner, is_refused) in [
        ("... on Account { x: name } ... on Partnership { x: permissions }", true),
        ("... on Account { x: name } ... on Partnership { x: createdBy }", true),
        ("... on Account { x: name } ... on Partnership { x: connectedAccount { name } }", true),
        ("... on Partnership { x: createdAt } ... on RepairRecord { x: requestId }", true),
        ("... on Partnership { x: status } ... on Partnership { x: drift }", true),
        (
            "... on Partnership { x: connectedAccount { y: id } } ... on Account { x: connections { y: totalCount } }",
            true,
        ),
        (
            "... on Partnership { ...F } ... on Account { x: ssoId } } } fragment F on Partnership { x: drift __typename",
            true,
        ),
        ("... on Account { x: name } ... on RepairRecord { x: actor }", false),
        ("... on Account { x: accountId } ... on Partnership { x: connectionId }", false),
        ("... on Account { x: connections { totalCount } } ... on Partnership { x: connectedAccount { name } }", false),
        ("x: id ... on Account { x: id } ... on Node { x: id }", false),
        ("x: id ... on Account { x: name }", true),
    ] {
        let query = node(inner).replace("__typename } }", "__typename }");
        let refused = refusal(&query, json!({}));
        assert_eq!(refused.is_some(), is_refused, "{query}: {refused:?}");
        assert!(refused.is_none_or(|(_, message)| message.contains("conflict")), "{query}");
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

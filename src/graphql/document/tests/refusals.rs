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
        ("{ veiwer { isSuperuser } }", "on type \"Query\". Did you mean \"viewer\"?"),
        ("{ connections(fisrt: 1) { totalCount } }", "on field \"Query.connections\". Did you mean \"first\"?"),
        (
            "{ connections(filter: {updated_since: \"x\"}) { totalCount } }",
            "Field \"updated_since\" is not defined by type \"PartnershipFilter\". Did you mean \"updatedSince\"?",
        ),
        (
            "{ connections(filter: {status: DONE}) { totalCount } }",
            "Value \"DONE\" does not exist in \"PartnershipStatus\" enum; expected COMPLETED or SSO_ONLY.",
        ),
        (
            "query List($first: Int) { connections(first: $frist) { totalCount } }",
            "Variable \"$frist\" is not defined in operation \"List\". Did you mean \"$first\"?",
        ),
        (
            "{ connections(filter: {updatedSince: \"yesterday\"}) { totalCount } }",
            "Expected value of type \"DateTime\", found \"yesterday\"; a time is an RFC 3339 instant, like 20",
        ),
        ("{ connection(id: 5) { id } }", "found 5; an id is 24 hexadecimal characters."),
        ("{ connections(first: 1.5) { totalCount } }", "found 1.5; expected a whole number from -2147483648 to"),
        ("{ connections(first: 1e400) { totalCount } }", "The number 1e400 is too large."),
        ("{ connections(filter: {search: 5}) { totalCount } }", "found 5; expected a string."),
        ("{ nodes(ids: [true]) { id } }", "found true; expected a string or a whole number."),
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
    let refused = |variables: &str| {
        let refused = documents().prepare(query, None, &given(variables)).err();
        let refused = refused.unwrap_or_else(|| panic!("{variables} was let through"));
        assert_eq!(refused[0].kind, RequestErrorKind::BadUserInput, "{variables}");
        refused[0].message.clone()
    };
    for (variables, said) in [
        ("{}", "\"$id\" of required type \"ObjectID!\" was not provided"),
        (r#"{"id": null}"#, "not to be null"),
        (r#"{"id": "x"}"#, "ObjectID cannot represent this string; an id is 24 hexadecimal characters."),
        (r#"{"id": 5}"#, "ObjectID cannot represent the number 5; an id is"),
        (
            r#"{"id": "\ud800"}"#,
            "ObjectID cannot represent a string with a lone surrogate, which is not a character; an id is",
        ),
    ] {
        let message = refused(variables);
        assert!(message.starts_with("Variable \"$id\" "), "{message}");
        assert!(message.contains(said), "{variables}: {message}");
    }
    let long = "9".repeat(1_000);
    for (other, said) in [
        (r#""first": "1""#, "Int cannot represent a string; expected a whole number from -2147483648 to 2147483647."),
        (r#""first": 1.5"#, "Int cannot represent the number 1.5; expected"),
        (r#""first": 3000000000"#, "Int cannot represent the number 3000000000; expected"),
        (
            r#""first": 1e400"#,
            "Variable \"$first\" got an invalid value; Int cannot represent the number 1e400; expected",
        ),
        (&format!("\"first\": {long}"), "99999999…; expected a whole number from -2147483648 to 2147483647."),
        (r#""first": [1]"#, "Int cannot represent an array; expected"),
        (r#""filter": 1"#, "Expected type \"PartnershipFilter\" to be an object, not the number 1."),
        (r#""filter": {"updated": 1e400}"#, "Field \"updated\" is not defined by type \"PartnershipFilter\"."),
        (r#""filter": {"Search": 1}"#, "\"PartnershipFilter\". Did you mean \"search\"?"),
        (r#""filter": {"\ud800": 1}"#, "is not defined by type \"PartnershipFilter\"."),
        (
            r#""filter": {"status": ["NOPE"]}"#,
            "at \"filter.status[0]\"; Value \"NOPE\" does not exist in \"PartnershipStatus\" enum; expected COMPLETED or SSO_ONLY.",
        ),
        (r#""filter": {"status": ["\ud800"]}"#, "does not exist in \"PartnershipStatus\" enum"),
        (
            r#""filter": {"status": 5}"#,
            "Enum \"PartnershipStatus\" cannot represent the number 5; expected COMPLETED or",
        ),
        (
            r#""filter": {"updatedSince": "yesterday"}"#,
            "at \"filter.updatedSince\"; DateTime cannot represent this string; a time is an RFC 3339 instant, like 20",
        ),
        (r#""filter": {"updatedSince": 1700000000}"#, "DateTime cannot represent the number 1700000000; a time is"),
        (
            r#""filter": {"search": 5}"#,
            "at \"filter.search\"; String cannot represent the number 5; expected a string.",
        ),
        (
            r#""filter": {"search": "a\udc00"}"#,
            "at \"filter.search\"; String cannot represent a string with a lone surrogate",
        ),
        (
            r#""filter": {"hasPermission": [true]}"#,
            "at \"filter.hasPermission[0]\"; String cannot represent a boolean;",
        ),
    ] {
        let message = refused(&format!("{{\"id\": \"{id}\", {other}}}"));
        assert!(message.contains(said), "{other}: {message}");
    }
    // A long name does not cut off the reason.
    let name = "aVariableWithAVeryLongName".repeat(3);
    let named = format!("query (${name}: PartnershipFilter) {{ connections(filter: ${name}) {{ totalCount }} }}");
    let variables = given(&format!("{{\"{name}\": {{\"updatedSince\": \"yesterday\"}}}}"));
    let message = documents().prepare(&named, None, &variables).unwrap_err().remove(0).message;
    assert!(message.chars().count() <= 200 && message.contains(".updatedSince\"; DateTime"), "{message}");
    let secret = "lck_a-key-that-was-pasted";
    for other in [r#""id": "SECRET""#, r#""id": "ID", "filter": {"updatedSince": "SECRET"}"#] {
        let message = refused(&format!("{{{}}}", other.replace("SECRET", secret).replace("ID", id)));
        assert!(!message.contains(secret), "{message}");
    }
    let given =
        json!({"id": id.to_uppercase(), "first": 1.0, "filter": {"status": "SSO_ONLY", "search": null}, "more": 1});
    let prepared = documents().prepare(query, Some("Q"), &given.as_object().unwrap().clone().into()).unwrap();
    let coerced = json!({"id": id.to_uppercase(), "first": 1, "filter": {"status": ["SSO_ONLY"], "search": null}});
    assert_eq!(serde_json::to_value(prepared.variables).unwrap(), coerced);
}

#[test]
fn invalid_values_of_undefined_variables_are_ignored() {
    let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    for odd in ["1e400", r#""\ud800""#, &deep, r#"{"\ud800": 1}"#] {
        let variables = given(&format!("{{\"other\": {odd}, \"first\": 1}}"));
        let query = "query ($first: Int) { connections(first: $first) { totalCount } }";
        assert!(documents().prepare(query, None, &variables).is_ok(), "{odd}");
    }
    let query = "query ($id: ID!) { node(id: $id) { id } }";
    for (written, read) in [
        ("12345678901234567890123", "12345678901234567890123"),
        ("1.0", "1"),
        ("1e3", "1000"),
        ("-0", "0"),
        ("-0.0", "0"),
        ("-1", "-1"),
        ("\"\\u0061\"", "a"),
    ] {
        let prepared = documents().prepare(query, None, &given(&format!("{{\"id\": {written}}}"))).unwrap();
        assert_eq!(serde_json::to_value(prepared.variables).unwrap(), json!({"id": read}));
    }
    for written in ["1.5", "1e-3", "1e400", "true", "[[1]]"] {
        assert!(documents().prepare(query, None, &given(&format!("{{\"id\": {written}}}"))).is_err(), "{written}");
    }
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
        let refused = documents().prepare(query, None, &given(r#"{"x": null}"#)).err();
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
    let prepare = |query: &str| documents.prepare(query, None, &RawVariables::default());
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
    // Suggestions would reveal the schema too.
    for (query, variables) in [
        ("{ veiwer { isSuperuser } }", "{}"),
        ("{ connections(fisrt: 1) { totalCount } }", "{}"),
        ("{ connections(filter: {serach: 1}) { totalCount } }", "{}"),
        ("{ connections(filter: {status: COMPLETE}) { totalCount } }", "{}"),
        ("query ($x: PartnershipFilter) { connections(filter: $x) { totalCount } }", r#"{"x": {"serach": 1}}"#),
        (
            "query ($x: PartnershipStatus!) { connections(filter: {status: [$x]}) { totalCount } }",
            r#"{"x": "COMPLETE"}"#,
        ),
    ] {
        let message = &documents.prepare(query, None, &given(variables)).unwrap_err()[0].message;
        for told in ["viewer", "first", "search", "COMPLETED"] {
            assert!(!message.contains(told), "{query}: {message}");
        }
    }
}

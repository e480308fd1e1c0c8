//! How a text is read, and how much of it.

use super::*;

#[test]
fn text_is_read_as_the_specification_has_it() {
    for query in [
        "\u{feff}query\tQ ( $x : [ PartnershipStatus ! ] = [ COMPLETED ] ) { connections ( filter : { status : $x } ) { totalCount } } # end",
        "{connections(first:-0,last:null){totalCount}}",
        "{ ...#\non#\rQuery{__typename} }",
        "{ connections(filter: {search: \"\"\"\n  a \\\"\"\" b\n\"\"\"}) { totalCount } }",
        "{ connections(filter: {search: \"\\uD83D\\uDE00\\u{1F600}\"}) { totalCount } }",
        "query query { fragment: __typename on: __typename true: __typename }",
        "\"one\" query(\"two\" $x: Int) { ...F connections(first: $x) { totalCount } } \"\"\"three\"\"\" fragment F on Query { __typename }",
        "fragment fragment on Query { __typename } { ...fragment }",
        "query($x: Int = 1 $y: Int,) { connections(first: $x last: $y) { totalCount } }",
    ] {
        assert_eq!(refusal(query, json!({})), None, "{query}");
    }
    for query in [
        "queryQ { __typename }",
        "query Q() { __typename }",
        "{ connections() { totalCount } }",
        "{ }",
        "{ viewer { } }",
        "{ connections(first: 01) { totalCount } }",
        "{ connections(first: 1a) { totalCount } }",
        "{ connections(first: 1.) { totalCount } }",
        "{ connections(first: 1e) { totalCount } }",
        "{ connections(first: .1) { totalCount } }",
        "{ connections(first: -) { totalCount } }",
        "{ connections(first: +1) { totalCount } }",
        "{ connections(first: [) { totalCount } }",
        "{ connections(filter: {search: \"a\nb\"}) { totalCount } }",
        "{ connections(filter: {search: \"a) { totalCount } }",
        "{ connections(filter: {search: \"\"\"a\"\"}) { totalCount } }",
        "{ connections(filter: {search: \"\\x\"}) { totalCount } }",
        "{ connections(filter: {search: \"\\uD83D\"}) { totalCount } }",
        "{ __typename .. on Query { __typename } }",
        "{ __typename; }",
        "{ __typename ? }",
        "{ é }",
        "fragment on on Query { __typename } { ...on }",
        "fragment F Query { __typename } { ...F }",
        "query ($x: Int = $y) { __typename }",
        "query ($x) { __typename }",
        "query ($x: [Int) { __typename }",
        "{ __typename @ }",
        "{ a: b: __typename }",
        "{ __typename } }",
        "# nothing",
        "\"described\" { __typename }",
        "\"\\x\" query Q { __typename }",
        "query Q(\"\\uD83D\" $x: Int) { connections(first: $x) { totalCount } }",
    ] {
        let refused = refusal(query, json!({})).unwrap_or_else(|| panic!("{query} was let through"));
        assert_eq!(refused.0, RequestErrorKind::ParseFailed, "{query}: {}", refused.1);
        assert!(refused.1.starts_with("Syntax error: "), "{query}: {}", refused.1);
    }
}

#[test]
fn an_error_tells_its_place() {
    for (query, line, column) in [
        ("{ nope }", 1, 3),
        ("{\r\n  viewer { # é\r    isSuperuser\n    nope } }", 4, 5),
        ("{ a: connections(filter: {search: \"é\"}) { totalCount } nope }", 1, 56),
        ("{\n  viewer {\n", 3, 1),
    ] {
        let refused = documents().prepare(query, None, &RawVariables::default()).unwrap_err();
        assert_eq!(refused[0].locations, [Pos { line, column }], "{query}: {}", refused[0].message);
    }
}

/// As a page of many optional parts has it.
#[test]
fn a_page_may_have_fifty_directives() {
    let fields = (0..49).fold(String::new(), |fields, _| fields + "isSuperuser @include(if: $detailed) ");
    let query = format!("query ($detailed: Boolean!) {{ viewer @skip(if: false) {{ {fields} }} }}");
    assert_eq!(refusal(&query, json!({"detailed": true})), None);
}

#[test]
fn hostile_shapes_are_refused_by_a_limit_that_is_named() {
    let bomb = (0..30).fold("{ ...F0 } fragment F30 on Query { __typename }".to_owned(), |bomb, level| {
        let next = level + 1;
        format!("{bomb} fragment F{level} on Query {{ ...F{next} ...F{next} }}")
    });
    // Each of them is within the limit, and all are looked at.
    let operations: Vec<String> = (0..180).map(|number| format!("query Q{number} {{ viewer {{ ...F }} }}")).collect();
    let operations = format!(
        "{} fragment F on Viewer {{ {} }} fragment G on Viewer {{ {} }}",
        operations.join(" "),
        "...G ".repeat(100),
        "isSuperuser ".repeat(18)
    );
    let deep =
        |open: &str, close: &str| format!("{{ connection(id: {}{}) {{ id }} }}", open.repeat(900), close.repeat(900));
    let nested = format!("{}isSuperuser{}", "{ viewer ".repeat(20), " }".repeat(20));
    let directives = "@skip(if: false) ".repeat(1_000);
    let circle = |rounds: usize| {
        format!(
            "{{ __type(name: \"Query\") {} {{ name }} {} }}",
            "{ fields { type ".repeat(rounds),
            "} }".repeat(rounds)
        )
    };
    for (query, limit) in [
        (operations, "the limit is 2000"),
        (bomb, "the limit is 2000"),
        (format!("{{ {} }}", "viewer { isSuperuser } ".repeat(10_000)), "the limit is 32768"),
        (format!("{{ {} }}", "a ".repeat(5_000)), "2000 tokens"),
        (format!("{{ {} }}", "a: viewer { isSuperuser } ".repeat(31)), "31 root fields"),
        (format!("{{ viewer {{ {} }} }}", "a: isSuperuser ".repeat(31)), "the limit is 30"),
        (format!("{{ {} }}", "viewer { isSuperuser } ".repeat(21)), "the limit is 20"),
        (format!("{{ viewer {directives} {{ isSuperuser }} }}"), "2000 tokens"),
        (format!("{{ viewer {{ {} }} }}", "isSuperuser @skip(if: false) ".repeat(51)), "the limit is 50"),
        (deep("[", "]"), "brackets deeper than 64"),
        (deep("{a: ", "}"), "brackets deeper than 64"),
        (nested, "the limit is 15"),
        ("{".repeat(30_000), "brackets deeper than 64"),
        (format!("{{ connection(id: \"{}\") {{ id }} }}", "x".repeat(40_000)), "the limit is 32768"),
        (circle(3), "3 levels of introspection"),
    ] {
        let (kind, message) = refusal(&query, json!({})).unwrap_or_else(|| panic!("{query:.60} was let through"));
        assert_eq!(kind, RequestErrorKind::LimitExceeded, "{query:.60}: {message}");
        assert!(message.contains(limit), "{query:.60}: {message}");
    }
}

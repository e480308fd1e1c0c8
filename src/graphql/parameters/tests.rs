//! Accepted requests, and the errors of others. Some cases come from public reports: `charset=utf8`
//! <https://github.com/smithy-lang/smithy-rs/issues/3471>, <https://github.com/creachadair/jrpc2/pull/111>; a byte
//! order mark <https://github.com/n8n-io/n8n/pull/35933>; a lone surrogate in an unread member
//! <https://github.com/crystal-lang/crystal/issues/17390>; `operationName: ""`
//! <https://github.com/absinthe-graphql/absinthe/issues/119>,
//! <https://github.com/graphql-java/graphql-java/pull/4211>; `query: ""` beside a hash
//! <https://github.com/ChilliCream/graphql-platform/pull/7062>.

use axum::http::{HeaderValue, header};

use super::*;

const HASH: &str = "ecf4edb46db40b5132295c0291d62fb65d6759a9eedfa4d5d612dd5ec54a6b38";

fn headers(lines: &[(header::HeaderName, &str)]) -> HeaderMap {
    lines.iter().map(|(name, value)| (name.clone(), HeaderValue::from_str(value).unwrap())).collect()
}

fn post_as(content_type: &str, body: &[u8]) -> Result<Parameters, NotARequest> {
    Parameters::of_post(&headers(&[(header::CONTENT_TYPE, content_type)]), body)
}

fn post(body: &str) -> Result<Parameters, NotARequest> {
    post_as("application/json", body.as_bytes())
}

fn persisted() -> String {
    format!(r#"{{"persistedQuery": {{"version": 1, "sha256Hash": "{HASH}"}}}}"#)
}

fn given(variables: &str) -> RawVariables {
    request_json::object(variables.as_bytes()).unwrap().into_iter().collect()
}

#[test]
fn a_json_body_is_read() {
    let body = r#"{"query": "{ a }", "operationName": "A", "variables": {"x": 1}, "extensions": {}, "more": 1}"#;
    let parameters = post(body).unwrap();
    assert_eq!(parameters.query, "{ a }");
    assert_eq!(parameters.operation_name.as_deref(), Some("A"));
    assert_eq!(parameters.variables, given(r#"{"x": 1}"#));
}

#[test]
fn null_and_empty_parameters_are_the_same_as_absent() {
    let plain = post(r#"{"query": "{ a }"}"#).unwrap();
    for body in [
        r#"{"query": "{ a }", "operationName": null, "variables": null, "extensions": null}"#,
        r#"{"query": "{ a }", "operationName": "", "variables": {}, "extensions": {"persistedQuery": null}}"#,
    ] {
        assert_eq!(post(body).as_ref(), Ok(&plain), "{body}");
    }
    for query in
        ["", "&operationName=", "&variables=&extensions=", "&variables=null&extensions=null", "&variables=%20{}"]
    {
        assert_eq!(Parameters::of_get(&format!("query=%7B+a+%7D{query}")).as_ref(), Ok(&plain), "{query}");
    }
    let by_hash = post(&format!(r#"{{"extensions": {}}}"#, persisted())).unwrap();
    assert_eq!((&*by_hash.query, by_hash.hash.is_some()), ("", true));
    for query in ["null", "\"\""] {
        assert_eq!(post(&format!(r#"{{"query": {query}, "extensions": {}}}"#, persisted())).as_ref(), Ok(&by_hash));
    }
    let encoded: String = url::form_urlencoded::byte_serialize(persisted().as_bytes()).collect();
    for query in ["", "query=&"] {
        assert_eq!(Parameters::of_get(&format!("{query}extensions={encoded}")).as_ref(), Ok(&by_hash));
    }
}

#[test]
fn invalid_values_of_unread_members_are_ignored() {
    let deep = format!("{}{}", "[".repeat(1_000), "]".repeat(1_000));
    for odd in ["1e400", "123456789012345678901234567890", r#""\ud800""#, r#"{"\udc00": 1, "a": 1, "a": 2}"#, &deep] {
        for body in [
            format!(r#"{{"more": {odd}, "query": "{{ a }}"}}"#),
            format!(r#"{{"more": {odd}, "query": "{{ a }}", "more": {odd}}}"#),
            format!(r#"{{"query": "{{ a }}", "extensions": {{"more": {odd}}}}}"#),
            format!(r#"{{"query": "{{ a }}", "variables": {{"more": {odd}}}}}"#),
        ] {
            let parameters = post(&body).unwrap_or_else(|refused| panic!("{refused:?}: {body}"));
            assert_eq!(parameters.query, "{ a }");
        }
        let encoded: String = url::form_urlencoded::byte_serialize(odd.as_bytes()).collect();
        for name in ["variables", "extensions"] {
            let query = format!("query=a&{name}=%7B%22more%22:{encoded}%7D");
            assert!(Parameters::of_get(&query).is_ok(), "{query}");
        }
    }
}

#[test]
fn a_byte_order_mark_is_ignored() {
    assert!(post("\u{feff}{\"query\": \"{ a }\"}").is_ok());
    assert!(Parameters::of_get("query=a&variables=%EF%BB%BF%7B%7D").is_ok());
}

#[test]
fn variants_of_the_json_media_type_are_accepted() {
    for content_type in [
        "application/json",
        "Application/JSON; charset=\"UTF-8\"",
        "application/json;charset=utf8",
        "application/json; Charset = UTF8",
        "application/json;charset=us-ascii",
        "application/json;charset=",
        "application/json;charset",
        "application/json;",
        "application/json ; ; charset=utf-8 ;",
        "application/json; charset=utf-8; charset=utf-8",
        "application/json; odata=verbose; note=\"; charset=latin1\"",
        "application/json; charset=\"utf-8",
    ] {
        assert!(post_as(content_type, br#"{"query": "{ a }"}"#).is_ok(), "{content_type}");
    }
}

#[test]
fn other_media_types_and_charsets_are_unsupported() {
    for content_type in [
        "text/plain",
        "application/json; charset=latin1",
        "application/json; charset=\"utf-16\"",
        "application/json; charset=latin1; charset=utf-8",
        "multipart/form-data; boundary=x",
        "application/graphql",
        "application/vnd.api+json",
        "application/json, application/json",
        "application/json/x",
        "\"application/json\"",
        ";application/json",
        "",
    ] {
        let refused = post_as(content_type, br#"{"query": "{ a }"}"#).unwrap_err();
        assert_eq!(refused.status, StatusCode::UNSUPPORTED_MEDIA_TYPE, "{content_type}");
    }
    let twice = [(header::CONTENT_TYPE, "application/json"), (header::CONTENT_TYPE, "application/json")];
    for headers in [HeaderMap::new(), headers(&twice)] {
        let refused = Parameters::of_post(&headers, b"{}").unwrap_err();
        assert_eq!(refused.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    }
}

#[test]
fn only_real_content_codings_are_unsupported() {
    for (codings, is_refused) in [
        (&[""][..], false),
        (&["identity"], false),
        (&["Identity", "", " , identity ,"], false),
        (&["gzip"], true),
        (&["identity, gzip"], true),
        (&["", "br"], true),
        (&["none"], true),
    ] {
        let mut lines = vec![(header::CONTENT_TYPE, "application/json")];
        lines.extend(codings.iter().map(|coding| (header::CONTENT_ENCODING, *coding)));
        let read = Parameters::of_post(&headers(&lines), br#"{"query": "{ a }"}"#);
        assert_eq!(read.err().map(|refused| refused.status.as_u16()), is_refused.then_some(415), "{codings:?}");
    }
}

#[test]
fn errors_of_bodies_name_the_member_and_the_reason() {
    let persisted = persisted();
    for (body, said) in [
        ("", "the body is not valid JSON: it is empty"),
        ("{", "the body is not valid JSON: it ends too early, at line 1, column 2"),
        (
            "{\"query\": \"a\",\n\"variables\": {x: 1}}",
            "the body is not valid JSON: unexpected \"x\" at line 2, column 15",
        ),
        ("query=a", "the body is not valid JSON: unexpected \"q\" at line 1, column 1"),
        ("null", "the body must be a JSON object with the member query, not null"),
        ("1", "the body must be a JSON object with the member query, not a number"),
        ("\"{ a }\"", "the body must be a JSON object with the member query, not a string"),
        ("[]", "batches are not served"),
        (r#"[{"query": "{ a }"}]"#, "batches are not served"),
        ("{}", "the member query is missing: it holds the GraphQL document"),
        (r#"{"Query": "{ a }"}"#, "the member query is missing"),
        (r#"{"query": null}"#, "the member query is null: it holds the GraphQL document"),
        (r#"{"query": " "}"#, "query is empty: it holds the GraphQL document"),
        (r#"{"query": 1}"#, "the member query must be a string, not a number"),
        (r#"{"query": ["{ a }"]}"#, "the member query must be a string, not an array"),
        (r#"{"query": "{ a(b: \"\ud83d\") }"}"#, "the member query has a lone surrogate"),
        (r#"{"query": "{ a }", "query": "{ a }"}"#, "the member query is given twice"),
        (r#"{"query": "{ a }", "variables": {}, "variab\u006ces": {}}"#, "the member variables is given twice"),
        (r#"{"query": "{ a }", "variables": "x"}"#, "the member variables must be an object, not a string"),
        (r#"{"query": "{ a }", "variables": [1]}"#, "the member variables must be an object, not an array"),
        (r#"{"query": "{ a }", "operationName": 1}"#, "the member operationName must be a string, not a number"),
        (r#"{"query": "{ a }", "operationName": "\ud800"}"#, "the member operationName has a lone surrogate"),
        (r#"{"query": "{ a }", "extensions": true}"#, "the member extensions must be an object, not a boolean"),
        (
            &persisted.replace("1,", "2,").replace("{\"p", "{\"extensions\": {\"p").replace("}}", "}}}"),
            "version must be 1",
        ),
    ] {
        let refused = post(body).expect_err(body);
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{body}");
        assert!(refused.error.message.contains(said), "{body}: {}", refused.error.message);
    }
    let refused = post_as("application/json", b"{\"query\": \"{ a(b: \\\"\xe9\\\") }\"}").unwrap_err();
    assert_eq!(
        refused.error.message,
        "the body is not valid JSON: it is not UTF-8: the byte 0xe9 at line 1, column 21"
    );
}

#[test]
fn a_query_string_is_read() {
    let query = "query=%7B+a+%7D&operationName=A&variables=%7B%22x%22%3A1%7D&extensions=%7B%7D";
    let parameters = Parameters::of_get(query).unwrap();
    assert_eq!((&*parameters.query, parameters.hash), ("{ a }", None));
    assert_eq!(parameters.operation_name.as_deref(), Some("A"));
    assert_eq!(parameters.variables, given(r#"{"x": 1}"#));
}

#[test]
fn errors_of_query_strings_name_the_parameter_and_the_reason() {
    for (query, said) in [
        ("", "the parameter query is missing: it holds the GraphQL document"),
        ("query=", "query is empty"),
        ("query=a&query=b", "the parameter query is given twice"),
        ("query=a&variables=1", "the parameter variables must be an object, not a number"),
        ("query=a&variables=[]", "the parameter variables must be an object, not an array"),
        ("query=a&variables={x}", "the parameter variables is not valid JSON: unexpected \"x\" at line 1, column 2"),
        ("query=a&variables=+", "the parameter variables is not valid JSON: it is empty"),
        ("query=a&extensions=x", "the parameter extensions is not valid JSON: unexpected \"x\""),
        ("extensions={\"persistedQuery\":{}}", "extensions.persistedQuery.version must be the number 1, not null"),
    ] {
        let refused = Parameters::of_get(query).unwrap_err();
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{query}");
        assert!(refused.error.message.contains(said), "{query}: {}", refused.error.message);
    }
}

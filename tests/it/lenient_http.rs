//! Requests of real clients that deviate from the specifications, and the errors of those that cannot be served. From
//! public reports: Java's `Accept` <https://github.com/openjdk/jdk/pull/7181>,
//! <https://github.com/flightstats/hub/issues/130>, <https://github.com/helidon-io/helidon/pull/309>; `charset=utf8`
//! <https://github.com/smithy-lang/smithy-rs/issues/3471>, <https://github.com/creachadair/jrpc2/pull/111>;
//! `Content-Encoding` that is none <https://github.com/stream-utils/inflation/issues/13>; a byte order mark
//! <https://github.com/n8n-io/n8n/pull/35933>; a lone surrogate in an unread member
//! <https://github.com/crystal-lang/crystal/issues/17390>; `operationName: ""`
//! <https://github.com/absinthe-graphql/absinthe/issues/119>,
//! <https://github.com/apollographql/apollo-client/issues/1760>; `query: ""` beside a hash
//! <https://github.com/ChilliCream/graphql-platform/pull/7062>.

use reqwest::header::{HeaderName, HeaderValue};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::support::app::{Answer, TestApp};
use crate::support::databases::{Database, Kind};

const LEGACY: &str = "application/json; charset=utf-8";
const MODERN: &str = "application/graphql-response+json; charset=utf-8";
const QUERY: &str = r#"{"query": "{ viewer { isSuperuser } }"}"#;

/// Sends a POST with these headers and the key.
async fn post(app: &TestApp, path: &str, headers: &[(&str, &[u8])], body: impl Into<reqwest::Body>) -> Answer {
    let mut lines = reqwest::header::HeaderMap::new();
    for (name, value) in headers {
        lines.append(HeaderName::from_bytes(name.as_bytes()).unwrap(), HeaderValue::from_bytes(value).unwrap());
    }
    app.send(app.client.post(format!("{}{path}", app.url)).headers(lines).body(body)).await
}

async fn graphql(app: &TestApp, headers: &[(&str, &[u8])]) -> Answer {
    post(app, "/graphql", &[&[("content-type", &b"application/json"[..])], headers].concat(), QUERY).await
}

fn message(answer: &Answer) -> &str {
    answer.body["errors"][0]["message"].as_str().or(answer.body["error"].as_str()).unwrap_or_default()
}

#[tokio::test]
async fn only_a_clear_accept_of_other_media_types_is_406() {
    let database = Database::fresh(Kind::Sqlite).await;
    let (app, _) = TestApp::in_world(&database, 1).await;
    for (accept, expected) in [
        (&[&b"text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2"[..]][..], Some(LEGACY)),
        (&[b"*"], Some(LEGACY)),
        (&[b""], Some(LEGACY)),
        (&[b" , ;q=1, nonsense"], Some(LEGACY)),
        (&[b"\xff\xfe, caf\xe9/cr\xe8me"], Some(LEGACY)),
        (&[b"application/json;q=high"], Some(LEGACY)),
        (&[b"\xff\xfe", b"application/graphql-response+json"], Some(MODERN)),
        (&[b"nonsense, application/graphql-response+json;v=\"a,b\";q=.9, application/json;q=.8"], Some(MODERN)),
        (&[b"text/html;x=\"oops, application/graphql-response+json"], Some(MODERN)),
        (&[b"application/json;charset=utf8"], Some(LEGACY)),
        (&[b"text/html"], None),
        (&[b"text/html, nonsense"], None),
        (&[b"*/*;q=0"], None),
        (&[b"application/xml, image/*;q=.5"], None),
    ] {
        let lines: Vec<(&str, &[u8])> = accept.iter().map(|line| ("accept", *line)).collect();
        let answer = graphql(&app, &lines).await;
        let told = accept.iter().map(|line| line.escape_ascii().to_string()).collect::<Vec<_>>();
        let content_type = answer.headers["content-type"].to_str().unwrap();
        match expected {
            Some(expected) => assert_eq!((answer.status, content_type), (200, expected), "{told:?}"),
            None => assert_eq!((answer.status, content_type), (406, LEGACY), "{told:?}"),
        }
    }
    let without_accept = app.client.post(format!("{}/graphql", app.url)).header("content-type", "application/json");
    assert_eq!(app.send(without_accept.body(QUERY)).await.status, 200);
}

async fn variants_of_body_headers_are_accepted_by_both_apis(database: Database) {
    let (app, world) = TestApp::in_world_as_superuser(&database, 6).await;
    let repair = json!({"connection_id": world.missing()[0]}).to_string();
    for content_type in [
        &b"application/json;charset=utf8"[..],
        b"application/json; charset=\"UTF-8\"; charset=utf-8",
        b"application/json;",
        b"application/json; caf\xe9=cr\xe8me",
        b"application/json;v=\"1;charset=latin1\"",
    ] {
        for codings in [&[][..], &[&b""[..]], &[b"identity"], &[b"Identity", b" , identity"]] {
            let mut headers = vec![("content-type", content_type)];
            headers.extend(codings.iter().map(|coding| ("content-encoding", *coding)));
            for (path, body) in [("/graphql", QUERY), ("/connections", &*repair)] {
                let answer = post(&app, path, &headers, body.to_owned()).await;
                assert!([200, 201, 409].contains(&answer.status), "{path}, {headers:?}: {}", answer.body);
            }
        }
    }
    // REST reads an ASCII id only. GraphQL could misread a text in another charset.
    for (path, body, status) in [("/connections", &*repair, 409), ("/graphql", QUERY, 415)] {
        let answer =
            post(&app, path, &[("content-type", b"application/json;charset=iso-8859-1")], body.to_owned()).await;
        assert_eq!(answer.status, status, "{path}");
    }
    for headers in [
        &[("content-type", &b"application/vnd.api+json"[..])][..],
        &[("content-type", b"application/json"), ("content-type", b"application/json")],
        &[("content-type", b"application/json"), ("content-encoding", b"gzip")],
        &[("content-type", b"application/json"), ("content-encoding", b"identity, br")],
    ] {
        for (path, body) in [("/graphql", QUERY), ("/connections", &*repair)] {
            assert_eq!(post(&app, path, headers, body.to_owned()).await.status, 415, "{path}, {headers:?}");
        }
    }
    // `Accept-Encoding` is for real codings only.
    let answer =
        post(&app, "/graphql", &[("content-type", b"text/plain"), ("content-encoding", b"identity")], QUERY).await;
    assert_eq!((answer.status, answer.headers.get("accept-encoding")), (415, None));
    assert_eq!(database.count("repair_records").await, 21, "one for each body that was read by REST");
}

crate::on_both_databases!(variants_of_body_headers_are_accepted_by_both_apis);

async fn invalid_values_beside_the_id_of_a_repair_are_ignored(database: Database) {
    let (app, world) = TestApp::in_world_as_superuser(&database, 12).await;
    let deep = format!("{}{}", "[".repeat(50_000), "]".repeat(50_000));
    let json = "application/json";
    let mut statuses = Vec::new();
    for (index, odd) in ["1e400", r#""\ud800""#, r#"{"\udc00": -1E+999}"#, &deep].into_iter().enumerate() {
        let id = &world.missing()[index % world.missing().len()];
        let body = format!("{{\"note\": {odd}, \"connection_id\": \"{id}\", \"\\ud800\": {odd}}}");
        statuses.push(app.post_text("/connections", json, &body).await.status);
    }
    assert!(statuses[0] == 201 && statuses.iter().all(|status| [201, 409].contains(status)), "{statuses:?}");
    let with_mark = format!("\u{feff}{{\"connection_id\": \"{}\"}}", world.missing()[0]);
    assert_eq!(app.post_text("/connections", json, &with_mark).await.status, 409, "a byte order mark");

    for (body, said) in [
        ("", "the body is not valid JSON: it is empty"),
        ("{\"connection_id\": 1,\n  'b': 2}", "the body is not valid JSON: unexpected \"'\" at line 2, column 3"),
        ("{\"connection_id\": \"5d9a", "the body is not valid JSON: it ends too early, at line 1, column 24"),
        ("1e400", "the body must be a JSON object like {\"connection_id\": \"…\"}, not a number"),
        (r#"{"connection_id": 1e400}"#, "invalid connection_id: an id is 24 hexadecimal characters, not a number"),
        (r#"{"connection_id": null}"#, "invalid connection_id: an id is 24 hexadecimal characters, not null"),
        (r#"{"connection_id": "\ud800"}"#, "invalid connection_id: an id is 24 hexadecimal characters"),
        ("{}", "missing connection_id"),
    ] {
        let answer = app.post_text("/connections", json, body).await;
        assert_eq!((answer.status, message(&answer)), (400, said), "{body}");
    }
    let latin_1 = post(&app, "/connections", &[("content-type", b"application/json")], &b"{\"n\": \"\xe9\"}"[..]).await;
    assert_eq!(
        (latin_1.status, message(&latin_1)),
        (400, "the body is not valid JSON: it is not UTF-8: the byte 0xe9 at line 1, column 8")
    );
}

crate::on_both_databases!(invalid_values_beside_the_id_of_a_repair_are_ignored);

#[tokio::test]
async fn graphql_errors_name_the_member_and_unread_members_are_ignored() {
    let database = Database::fresh(Kind::Sqlite).await;
    let (app, _) = TestApp::in_world(&database, 3).await;
    let send = async |body: String| app.post_text("/graphql", "application/json", &body).await;
    let query = "query Q($first: Int) { connections(first: $first) { nodes { status } } }";
    let whole = send(json!({"query": query, "variables": {"first": 2}}).to_string()).await;
    assert_eq!(whole.body["data"]["connections"]["nodes"].as_array().map(Vec::len), Some(2), "{}", whole.body);
    let written = Value::from(query);
    for (name, members) in [
        ("an empty operationName", r#""operationName": "", "variables": {"first": 2}"#),
        ("nulls", r#""operationName": null, "extensions": null, "variables": {"first": 2.0}"#),
        (
            "odd extras",
            r#""id": 1e400, "variables": {"first": 2, "x": 1e400, "\ud800": 1}, "extensions": {"y": "\ud800"}"#,
        ),
    ] {
        let answer = send(format!("{{\"query\": {written}, {members}}}")).await;
        assert_eq!(answer.body, whole.body, "{name}");
    }
    assert_eq!(
        send(format!("\u{feff}{{\"query\": {written}, \"variables\": {{\"first\": 2}}}}")).await.body,
        whole.body
    );

    let hash = format!("{:x}", Sha256::digest(query));
    for (query, version) in [(&*written.to_string(), "1.0"), ("null", "1e0"), ("\"\"", "1"), ("null", "10E-1")] {
        let answer = send(format!(
            "{{\"query\": {query}, \"variables\": {{\"first\": 2}}, \"extensions\": {{\"persistedQuery\": \
             {{\"version\": {version}, \"sha256Hash\": \"{hash}\"}}}}}}"
        ))
        .await;
        assert_eq!(answer.body, whole.body, "{query} {version}");
    }
    for (members, said) in [
        (
            r#""variables": {"first": 1e400}"#,
            "Variable \"$first\" got an invalid value; Int cannot represent the number 1e400",
        ),
        (
            r#""variables": {"first": "\ud800"}"#,
            "Variable \"$first\" got an invalid value; Int cannot represent a string with a lone surrogate",
        ),
        (r#""variables": 5"#, "the member variables must be an object, not a number"),
        (r#""variables": {}, "variables": {}"#, "the member variables is given twice"),
        (r#""extensions": {"persistedQuery": {"version": "1"}}"#, "version must be the number 1, not a string"),
    ] {
        let answer = send(format!("{{\"query\": {written}, {members}}}")).await;
        assert!(message(&answer).contains(said), "{members}: {}", answer.body);
        assert_eq!(answer.body["errors"][0]["extensions"]["code"], "BAD_USER_INPUT", "{members}");
    }
}

#[tokio::test]
async fn graphql_names_the_superuser_key_and_rest_keeps_its_text() {
    let database = Database::fresh(Kind::Sqlite).await;
    let (app, world) = TestApp::in_world(&database, 6).await;
    let id = &world.missing()[0];
    let by_graphql = app.graphql(&format!("{{ account(id: \"{id}\") {{ name }} }}"), &json!({})).await;
    assert_eq!(message(&by_graphql), "not authorized: this needs a superuser's key");
    let by_rest = app.post("/connections", &json!({"connection_id": id})).await;
    assert_eq!((by_rest.status, by_rest.body), (401, json!({"error": "not authorized"})));
}

//! Whatever a client sends, it gets the contract's status and a text that helps, never a 500; and nothing is written.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde_json::{Value, json};

use crate::support::app::{Answer, TestApp};
use crate::support::databases::Database;

const TABLES: [&str; 5] = ["accounts", "account_connections", "account_entities", "custom_entities", "repair_records"];

/// What a REST error must be: the status, and a text that says which part was wrong.
fn assert_refused(answer: &Answer, status: u16, says: &str, what: &str) {
    assert_eq!(answer.status, status, "{what}: {}", answer.body);
    let body = answer.body.as_object().unwrap();
    assert_eq!(body.keys().collect::<Vec<_>>(), ["error"], "{what}");
    let text = body["error"].as_str().unwrap();
    assert!(text.contains(says), "{what}: {text}");
}

async fn what_a_repair_cannot_read_is_refused_and_leaves_nothing(database: Database) {
    let (app, world) = TestApp::in_world_as_superuser(&database, 6).await;
    let before = database.dump(&TABLES).await;
    let deep = format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000));
    let missing = &world.missing()[0];
    for (body, says) in [
        ("", "not valid JSON"),
        ("{", "not valid JSON"),
        ("connection_id=5d9a4c421d011c553e000001", "not valid JSON"),
        (&format!("{{\"connection_id\": \"{missing}\"}} trailing"), "not valid JSON"),
        ("{\"connection_id\": \"\u{0}\"}", "not valid JSON"),
        (&deep, "JSON object like {\"connection_id\": \"…\"}, not an array"),
        ("null", "JSON object"),
        ("[]", "JSON object"),
        (&format!("[\"{missing}\"]"), "JSON object"),
        (&format!("\"{missing}\""), "JSON object"),
        ("{}", "missing connection_id"),
        (&format!("{{\"connectionId\": \"{missing}\"}}"), "missing connection_id"),
        (&format!("{{\"Connection_id\": \"{missing}\"}}"), "missing connection_id"),
        (r#"{"connection_id": null}"#, "invalid connection_id"),
        (r#"{"connection_id": 5}"#, "invalid connection_id"),
        (r#"{"connection_id": ["5d9a4c421d011c553e000001"]}"#, "invalid connection_id"),
        (r#"{"connection_id": {"$oid": "5d9a4c421d011c553e000001"}}"#, "invalid connection_id"),
        (r#"{"connection_id": ""}"#, "invalid connection_id"),
        (r#"{"connection_id": "5d9a4c421d011c553e00000"}"#, "invalid connection_id"),
        (r#"{"connection_id": "5d9a4c421d011c553e0000011"}"#, "invalid connection_id"),
        (r#"{"connection_id": " 5d9a4c421d011c553e00001"}"#, "invalid connection_id"),
        (r#"{"connection_id": "zzzzzzzzzzzzzzzzzzzzzzzz"}"#, "invalid connection_id"),
        (r#"{"connection_id": "' OR 1=1 --             "}"#, "invalid connection_id"),
        (r#"{"connection_id": "ééééééééééééé"}"#, "invalid connection_id"),
        (r#"{"connection_id": "٠١٢٣٤٥٦٧٨٩٠١٢٣٤٥٦٧٨٩٠١٢٣"}"#, "invalid connection_id"),
        (r#"{"connection_id": "5d9a4c421d011c553e00\u0000001"}"#, "invalid connection_id"),
    ] {
        let answer = app.post_text("/connections", "application/json", body).await;
        assert_refused(&answer, 400, says, &body.chars().take(80).collect::<String>());
    }
    let url = format!("{}/connections", app.url);
    let good = json!({"connection_id": missing}).to_string();
    for content_type in ["text/plain", "application/x-www-form-urlencoded", "application/jsonp", "json", "", "*/*"] {
        let answer = app.post_text("/connections", content_type, &good).await;
        assert_refused(&answer, 415, "application/json", content_type);
    }
    assert_refused(&app.send(app.client.post(&url).body(good.clone())).await, 415, "application/json", "no type");
    let invalid_utf8 = app.client.post(&url).header("content-type", "application/json");
    let answer = app.send(invalid_utf8.body(&b"{\"connection_id\": \"\xff\xfe\"}"[..])).await;
    assert_refused(&answer, 400, "not valid JSON", "no UTF-8");
    assert_eq!(database.dump(&TABLES).await, before, "nothing is written, not even a record");

    for content_type in ["application/json; charset=utf-8", "APPLICATION/JSON", "application/json;"] {
        let answer = app.post_text("/connections", content_type, &good).await;
        assert!([201, 409].contains(&answer.status), "{content_type}: {}", answer.body);
    }
}

crate::on_both_databases!(what_a_repair_cannot_read_is_refused_and_leaves_nothing);

async fn what_a_path_or_a_query_cannot_mean_is_refused(database: Database) {
    let (app, _) = TestApp::in_world_as_superuser(&database, 6).await;
    for id in ["x", "5d9a4c421d011c553e00000", "5d9a4c421d011c553e0000011", "%20", "..%2f..", "null", "%ff%fe", "%00"] {
        assert_refused(&app.get(&format!("/connections/{id}")).await, 400, "invalid id", id);
    }
    for (query, says) in [
        ("relationship_type=", "invalid relationship_type"),
        ("relationship_type=SELLER", "invalid relationship_type"),
        ("relationship_type=both", "invalid relationship_type"),
        ("relationship_type=seller,buyer", "invalid relationship_type"),
        ("relationship_type=%ff", "invalid relationship_type"),
        ("relationship_type=seller&relationship_type=buyer", "given twice"),
        ("envelope=1", "invalid envelope"),
    ] {
        assert_refused(&app.get(&format!("/connections?{query}")).await, 400, says, query);
    }
    assert_eq!(app.get("/connections?anything=%ff&=&&&page=-1").await.status, 200, "unknown parameters are ignored");
    for path in ["/connections/", "/connections/x/y", "/Connections", "//connections", "/connections%2f"] {
        let answer = app.get(path).await;
        assert!([404, 400].contains(&answer.status) && answer.body["error"].is_string(), "{path}: {answer:?}");
    }
}

crate::on_both_databases!(what_a_path_or_a_query_cannot_mean_is_refused);

async fn credentials_of_any_other_form_are_none(database: Database) {
    let (app, _) = TestApp::in_world_as_superuser(&database, 6).await;
    let key = app.key.clone().unwrap();
    let encoded = |text: &[u8]| base64::engine::general_purpose::STANDARD.encode(text);
    let basic = encoded(format!(":{key}").as_bytes());
    let long = format!("Bearer {}", "k".repeat(20_000));
    let almost = format!("Bearer {}", &key[..key.len() - 1]);
    let quoted = format!("Bearer \"{key}\"");
    let forms = [
        String::new(),
        "Basic".into(),
        "Basic ".into(),
        "Basic !!!".into(),
        format!("Basic {}", encoded(b"")),
        format!("Basic {}", encoded(b":")),
        format!("Basic {}", encoded(b"no colon")),
        format!("Basic {}", encoded(b"user:\xff\xfe")),
        format!("Basic {}", encoded(key.as_bytes())),
        format!("Basic {}", encoded(format!("{key}:").as_bytes())),
        format!("Basic {basic}{basic}"),
        "Bearer".into(),
        "Bearer ".into(),
        "Bearer  ".into(),
        almost,
        quoted,
        long,
        format!("Digest {key}"),
        format!("Token {key}"),
        key.clone(),
    ];
    for form in forms {
        for path in ["/connections", "/connections/nonsense", "/graphql?query=%7Bviewer%7BisSuperuser%7D%7D"] {
            let request = app.client.get(format!("{}{path}", app.url)).header("authorization", &form);
            let answer = app.without_key().send(request).await;
            assert_eq!(answer.status, 401, "{path}, {}", form.chars().take(60).collect::<String>());
            if path == "/connections" {
                assert_eq!(answer.body, json!({"error": "authentication failed"}));
            }
        }
    }
    let twice = app.client.get(format!("{}/connections", app.url)).bearer_auth(&key).bearer_auth("another");
    assert_eq!(app.without_key().send(twice).await.status, 401, "which of two is meant, nobody can tell");
    for scheme in ["basic", "BASIC"] {
        let request = app.client.get(format!("{}/connections", app.url));
        let answer = app.without_key().send(request.header("authorization", format!("{scheme} {basic}"))).await;
        assert_eq!(answer.status, 200, "{scheme}");
    }
}

crate::on_both_databases!(credentials_of_any_other_form_are_none);

/// The code and the path of an answer's only error.
fn error(answer: &Answer) -> (&str, &Value) {
    let errors = answer.body["errors"].as_array().unwrap_or_else(|| panic!("no errors: {}", answer.body));
    assert_eq!(errors.len(), 1, "{}", answer.body);
    assert!(errors[0]["message"].as_str().is_some_and(|text| text.len() > 10), "{}", answer.body);
    assert!(errors[0]["extensions"]["requestId"].is_string());
    (errors[0]["extensions"]["code"].as_str().unwrap(), &errors[0]["path"])
}

async fn pages_and_cursors_that_mean_nothing_are_refused(database: Database) {
    let (app, _) = TestApp::in_world_as_superuser(&database, 6).await;
    let query = "query List($first: Int, $last: Int, $after: String, $before: String, $order: PartnershipOrder! = \
        {field: CREATED_AT, direction: ASC}) { connections(first: $first, last: $last, after: $after, before: $before, \
        orderBy: $order) { totalCount nodes { id } edges { cursor } pageInfo { hasNextPage hasPreviousPage } } }";
    let cursor = |values: Value| URL_SAFE_NO_PAD.encode(values.to_string());
    let id = "c00000000000000000000001";
    let trail = cursor(json!({"c": 5, "r": id}));
    for variables in [
        json!({"after": ""}),
        json!({"before": "nonsense"}),
        json!({"after": "!!!!"}),
        json!({"after": cursor(json!({}))}),
        json!({"after": cursor(json!(7))}),
        json!({"after": cursor(json!({"c": 5, "i": "no id"}))}),
        json!({"after": cursor(json!({"c": "5", "i": id}))}),
        json!({"after": cursor(json!({"c": 1e300, "i": id}))}),
        json!({"after": cursor(json!({"c": 5, "i": id, "x": 1}))}),
        json!({"after": cursor(json!({"c": i64::MAX, "i": id}))}),
        json!({"after": cursor(json!({"c": 5, "i": id, "u": 7, "n": "x"}))}),
        json!({"after": trail}),
        // Of another order than this one.
        json!({"after": cursor(json!({"c": 5, "i": id, "n": "x"}))}),
        json!({"after": cursor(json!({"c": 5, "i": id})), "order": {"field": "PARTNER_NAME", "direction": "ASC"}}),
        json!({"after": "x".repeat(100_000)}),
    ] {
        let answer = app.graphql(query, &variables).await;
        let shown = variables.to_string().chars().take(90).collect::<String>();
        assert_eq!(
            (error(&answer), &answer.body["data"]),
            (("CURSOR_INVALID", &json!(["connections"])), &Value::Null),
            "{shown}"
        );
    }
    for variables in [
        json!({"first": -1}),
        json!({"first": 101}),
        json!({"last": -1}),
        json!({"last": 101}),
        json!({"first": i32::MAX}),
        json!({"first": i32::MIN}),
        json!({"first": 1, "last": 1}),
        json!({"first": 0, "last": 0}),
    ] {
        let answer = app.graphql(query, &variables).await;
        assert_eq!(
            (error(&answer), &answer.body["data"]),
            (("BAD_USER_INPUT", &json!(["connections"])), &Value::Null),
            "{variables}"
        );
    }
    // What is odd, and means something.
    for (variables, count) in [
        (json!({"first": 0}), 0),
        (json!({"last": 0}), 0),
        (json!({"first": 100}), 6),
        (json!({"first": null, "last": null, "after": null}), 6),
        // The last and the first instant there is.
        (json!({"after": cursor(json!({"c": 253_402_300_799_999_i64, "i": id}))}), 0),
        (json!({"after": cursor(json!({"c": -62_135_596_800_000_i64, "i": id}))}), 6),
    ] {
        let answer = app.graphql(query, &variables).await.body;
        assert_eq!(
            answer["data"]["connections"]["nodes"].as_array().map(Vec::len),
            Some(count),
            "{variables}: {answer}"
        );
        assert_eq!(answer["data"]["connections"]["totalCount"], json!(6));
    }
}

crate::on_both_databases!(pages_and_cursors_that_mean_nothing_are_refused);

async fn variables_that_do_not_fit_are_refused_before_anything_is_asked(database: Database) {
    let (app, world) = TestApp::in_world_as_superuser(&database, 6).await;
    let before = database.dump(&TABLES).await;
    let list = "query List($filter: PartnershipFilter, $order: PartnershipOrder! = {field: CREATED_AT, direction: ASC}, \
        $consistency: ReadConsistency! = FAIL_OPEN, $first: Int) { connections(filter: $filter, orderBy: $order, \
        consistency: $consistency, first: $first) { totalCount } }";
    let one = "query One($id: ObjectID!) { connection(id: $id) { id } }";
    let nodes = "query Nodes($ids: [ID!]!) { nodes(ids: $ids) { id } }";
    let repair = "mutation Repair($input: RepairConnectionInput!) { repairConnection(input: $input) { outcome } }";
    app.graphql("{ viewer { isSuperuser } }", &json!({})).await;
    let (statements, calls) = (app.store.statements(), app.simulator.list_calls() + app.simulator.single_calls());
    for (query, variables) in [
        (list, json!({"filter": 5})),
        (list, json!({"filter": {"relationshipType": "seller"}})),
        (list, json!({"filter": {"relationshipType": 1}})),
        (list, json!({"filter": {"status": ["COMPLETED", "GONE"]}})),
        (list, json!({"filter": {"status": [null]}})),
        (list, json!({"filter": {"drift": {"kind": "IN_SYNC"}}})),
        (list, json!({"filter": {"search": 5}})),
        (list, json!({"filter": {"hasPermission": [5]}})),
        (list, json!({"filter": {"updatedSince": "yesterday"}})),
        (list, json!({"filter": {"updatedSince": 1_700_000_000}})),
        (list, json!({"filter": {"updatedSince": "2024-02-30T00:00:00Z"}})),
        (list, json!({"filter": {"updatedSince": "99999-01-01T00:00:00Z"}})),
        (list, json!({"filter": {"unknown": true}})),
        (list, json!({"order": {"field": "NAME", "direction": "ASC"}})),
        (list, json!({"order": {"field": "CREATED_AT"}})),
        (list, json!({"order": null})),
        (list, json!({"consistency": "EVENTUAL"})),
        (list, json!({"consistency": null})),
        (list, json!({"first": "10"})),
        (list, json!({"first": 1.5})),
        (list, json!({"first": 4_000_000_000_u64})),
        (list, json!({"first": true})),
        (one, json!({})),
        (one, json!({"id": null})),
        (one, json!({"id": "nope"})),
        (one, json!({"id": 5})),
        (one, json!({"id": ["5d9a4c421d011c553e000001"]})),
        (nodes, json!({"ids": null})),
        (nodes, json!({"ids": [null]})),
        (nodes, json!({"ids": [{"id": "x"}]})),
        (nodes, json!({"ids": [1.5]})),
        (repair, json!({"input": {}})),
        (repair, json!({"input": {"connectionId": "nope"}})),
        (repair, json!({"input": {"connectionId": world.missing()[0], "accountId": "nope"}})),
        (repair, json!({"input": {"connectionId": world.missing()[0], "dryRun": "yes"}})),
        (repair, json!({"input": {"connectionId": world.missing()[0], "dryRun": null}})),
        (repair, json!({"input": {"connectionId": world.missing()[0], "reason": {"why": 1}}})),
        (repair, json!({"input": {"connectionId": world.missing()[0], "force": true}})),
    ] {
        let answer = app.graphql(query, &variables).await;
        assert_eq!((error(&answer).0, answer.body.get("data")), ("BAD_USER_INPUT", None), "{variables}");
        let message = answer.body["errors"][0]["message"].as_str().unwrap();
        assert!(message.starts_with("Variable \"$"), "{variables}: {message}");
    }
    for literal in [
        "{ connections(filter: {status: \"COMPLETED\"}) { totalCount } }",
        "{ connections(filter: {updatedSince: \"yesterday\"}) { totalCount } }",
        "{ connections(filter: {statuses: []}) { totalCount } }",
        "{ connections(orderBy: {field: CREATED_AT}) { totalCount } }",
        "{ connections(first: \"1\") { totalCount } }",
        "{ connections(first: 99999999999) { totalCount } }",
        "{ connection(id: \"nope\") { id } }",
        "{ connection { id } }",
        "{ nodes(ids: [null]) { id } }",
        "{ account(id: 5) { name } }",
        "mutation { repairConnection(input: {connectionId: \"nope\"}) { outcome } }",
    ] {
        let answer = app.graphql(literal, &json!({})).await;
        assert!(answer.body.get("data").is_none(), "{literal}: {}", answer.body);
        assert_eq!(error(&answer).0, "GRAPHQL_VALIDATION_FAILED", "{literal}: {}", answer.body);
    }
    assert_eq!(app.store.statements(), statements, "nothing was read");
    assert_eq!(app.simulator.list_calls() + app.simulator.single_calls(), calls);
    let too_long = json!({"input": {"connectionId": world.missing()[0], "reason": "é".repeat(1_001)}});
    let answer = app.graphql(repair, &too_long).await;
    assert_eq!(error(&answer), ("BAD_USER_INPUT", &json!(["repairConnection"])));
    assert_eq!(database.dump(&TABLES).await, before, "nothing was written");
}

crate::on_both_databases!(variables_that_do_not_fit_are_refused_before_anything_is_asked);

async fn nothing_that_a_client_makes_up_is_a_500(database: Database) {
    let (app, world) = TestApp::in_world_as_superuser(&database, 6).await;
    let before = database.dump(&TABLES[..4]).await;
    let mut random = StdRng::seed_from_u64(3);
    let pieces: Vec<String> = [
        "{",
        "}",
        "(",
        ")",
        "[",
        "]",
        ":",
        "!",
        "$",
        "...",
        "@",
        "\"",
        "\\u0000",
        "null",
        "true",
        "-1",
        "1e999",
        "ÿ",
        "query",
        "mutation",
        "fragment F on Query",
        "connections",
        "nodes",
        "node",
        "edges",
        "account",
        "viewer",
        "id",
        "cursor",
        "first: 1",
        "last: 2",
        "after: \"x\"",
        "filter: {search: \"%\"}",
        "repairs",
        "totalCount",
        "__typename",
        "__schema",
        "@skip(if: true)",
        "on Partnership",
    ]
    .into_iter()
    .map(str::to_owned)
    .chain([world.own_row("id"), world.own_row("external_id")])
    .collect();
    for _ in 0..400 {
        let length = random.random_range(1..24);
        let text: Vec<&str> = (0..length).map(|_| pieces[random.random_range(0..pieces.len())].as_str()).collect();
        let text = text.join(" ");
        let answer = app.graphql(&text, &json!({"x": text})).await;
        assert!(answer.status < 500, "{text}: {}", answer.body);
        let codes: Vec<&Value> = answer.body["errors"].as_array().into_iter().flatten().collect();
        assert!(codes.iter().all(|error| error["extensions"]["code"] != json!("INTERNAL")), "{text}: {}", answer.body);
        for path in ["/connections", "/graphql"] {
            let answer = app.post_text(path, "application/json", &text).await;
            assert!((400..500).contains(&answer.status), "{path}, {text}: {}", answer.body);
        }
        let encoded: String = url::form_urlencoded::byte_serialize(text.as_bytes()).collect();
        for path in
            [format!("/connections/{encoded}"), format!("/connections?{encoded}"), format!("/graphql?query={encoded}")]
        {
            let answer = app.get(&path).await;
            assert!(answer.status < 500, "{path}: {}", answer.body);
        }
    }
    assert_eq!(database.dump(&TABLES[..4]).await, before);
}

crate::on_both_databases!(nothing_that_a_client_makes_up_is_a_500);

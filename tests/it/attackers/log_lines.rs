//! Forging the log: whatever a client, SSO or a stored value says, a line of the log stays one line that a terminal shows and
//! a program reads as it was meant, and none grows without bound.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqwest::Method;
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use super::logged::Logged;
use crate::support::binary::{program, run, superuser_key};
use crate::support::databases::{Database, Kind};
use crate::support::plain_client;
use crate::support::raw_http::tell;
use crate::support::raw_sso::{End, RawSso, Script};
use crate::support::world::World;

/// What is in every hostile text, and looks like a line of its own once it stands at the beginning of one.
const FORGED: &str = "2026-01-01T00:00:00.000000Z ERROR FORGED {\"level\":\"ERROR\",\"message\":\"FORGED\"}";

/// Ends a line in every way, commands a terminal in both ways (ESC and C1), and closes quotes and braces.
fn hostile() -> String {
    format!("a\r\n{FORGED}\n\u{1b}[2J\u{1b}[31m\u{9b}31m\u{7}\u{8}\u{0}\u{b}\u{c}\u{85}\u{2028}\"}}\\\n{FORGED}")
}

fn encoded(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

/// Says it wherever a client may.
async fn say_everywhere(server: &Logged, text: &str) {
    let client = plain_client();
    let send = async |request: reqwest::RequestBuilder| drop(request.bearer_auth(&server.key).send().await.unwrap());
    let url = |path: &str| format!("{}{path}", server.url);
    let in_path = encoded(text);
    for path in
        [format!("/{in_path}"), format!("/connections/{in_path}"), format!("/connections?relationship_type={in_path}")]
    {
        send(client.get(url(&path))).await;
    }
    send(client.get(url(&format!("/graphql?query={in_path}&operationName={in_path}&variables={in_path}")))).await;
    let by_post = async |body: Value| {
        send(client.post(url("/graphql")).header("content-type", "application/json").body(body.to_string())).await;
    };
    by_post(json!({"query": text, "operationName": text})).await;
    by_post(json!({"query": "query A { viewer { isSuperuser } }", "operationName": text})).await;
    let list = "query A($text: String) { connections(after: $text, filter: {search: $text}) { totalCount } }";
    by_post(json!({"query": list, "operationName": "A", "variables": {"text": text, text: text}})).await;
    by_post(json!({"query": "query A($id: ObjectID!) { connection(id: $id) { id } }", "variables": {"id": text}}))
        .await;
    by_post(json!({"query": "", "extensions": {"persistedQuery": {"version": 1, "sha256Hash": text}}})).await;
    let mutation = "mutation R($input: RepairConnectionInput!) { repairConnection(input: $input) { outcome } }";
    let input = json!({"connectionId": super::UNKNOWN, "reason": text.chars().take(900).collect::<String>()});
    by_post(json!({"query": mutation, "variables": {"input": input}})).await;
    let long_name = format!("query {} {{ viewer {{ isSuperuser }} }}", "N".repeat(10_000));
    by_post(json!({"query": long_name})).await;
    send(
        client
            .post(url("/connections"))
            .header("content-type", "application/json")
            .body(json!({"connection_id": text}).to_string()),
    )
    .await;
    send(client.post(url("/connections")).header("content-type", "application/json").body(text.to_owned())).await;

    // What a header may hold of it, and what it may not.
    let printable: String = text.chars().filter(|character| !character.is_control()).take(8_000).collect();
    for name in [
        "x-request-id",
        "traceparent",
        "tracestate",
        "forwarded",
        "x-forwarded-for",
        "user-agent",
        "accept",
        "content-type",
        "origin",
        "if-none-match",
    ] {
        send(client.get(url("/connections")).header(name, printable.as_bytes())).await;
    }
    for credentials in [format!("{text}:{text}"), text.to_owned()] {
        let credentials = format!("Basic {}", STANDARD.encode(credentials));
        client.get(url("/connections")).header("authorization", credentials).send().await.unwrap();
    }
    send(client.request(Method::from_bytes(b"FORGED'%0a").unwrap(), url("/connections"))).await;
    for raw in [
        format!("GET /{text} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n"),
        format!("GET / HTTP/1.1\r\nHost: test\r\nConnection: close\r\nX-Request-Id: {text}\r\n\r\n"),
        format!("GET / HTTP/1.1\r\nHost: {text}\r\nConnection: close\r\n\r\n"),
        format!("{text} / HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n"),
        format!("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n{text}{}", "\0".repeat(100)),
    ] {
        tell(&server.url, raw).await;
    }
    let over_http_2 = crate::support::http_2_client();
    send(over_http_2.get(url(&format!("/{in_path}"))).header("x-request-id", printable.as_bytes())).await;
}

/// SSO says it wherever it may.
async fn sso_says_everywhere(server: &Logged, text: &str) {
    let in_json = json!(text).to_string();
    let one_line: String = text.chars().filter(|character| !"\r\n\0".contains(*character)).collect();
    for script in [
        Script::answer("500 Internal Server Error", "", text),
        Script::answer(&format!("500 {one_line}"), "", ""),
        Script::answer("200 OK", "", text),
        Script::answer("200 OK", "content-type: application/json\r\n", &in_json),
        Script::answer(
            "200 OK",
            "content-type: application/json\r\n",
            format!("{{\"network_connections\": [{{\"id\": {in_json}}}]}}"),
        ),
        Script::answer("200 OK", "content-type: application/json\r\n", format!("{{{in_json}: {in_json}}}")),
        Script::answer(
            "200 OK",
            "content-type: application/json\r\n",
            format!("{{\"network_connections\": [], \"next_cursor\": {in_json}}}"),
        ),
        Script::answer("200 OK", &format!("etag: {one_line}\r\ncontent-encoding: {one_line}\r\n"), ""),
        Script::answer("302 Found", &format!("location: {one_line}\r\n"), ""),
        Script::answer("429 Too Many Requests", &format!("retry-after: {one_line}\r\n"), ""),
        Script::bytes(text),
    ] {
        let script = script.end(End::Close);
        server.sso.play(Arc::new(move |_| script.clone()));
        let client = plain_client();
        client.get(format!("{}/connections", server.url)).bearer_auth(&server.key).send().await.unwrap();
        let repair = json!({"connection_id": super::UNKNOWN}).to_string();
        let repair =
            client.post(format!("{}/connections", server.url)).header("content-type", "application/json").body(repair);
        repair.bearer_auth(&server.key).send().await.unwrap();
    }
    server.sso.tell_the_truth();
}

/// Other programs have stored it wherever a row takes it.
async fn store_everywhere(database: &Database, text: &str) {
    let text = text.replace('\0', "").replace('\'', "''");
    for change in [
        "accounts SET name",
        "account_connections SET connected_account_name",
        "account_entities SET source",
        "account_entities SET logo_url",
        "account_entities SET name",
        "custom_entities SET recipient",
        "api_keys SET user_email",
    ] {
        database.execute(&format!("UPDATE {change} = '{text}'")).await;
    }
}

async fn log_of(format: &'static str, level: &'static str) -> String {
    let database = Database::fresh(Kind::Sqlite).await;
    let server = Logged::start(&database, &[("LOG_FORMAT", format), ("RUST_LOG", level)]).await;
    say_everywhere(&server, &hostile()).await;
    say_everywhere(&server, &"x".repeat(7_000)).await;
    sso_says_everywhere(&server, &hostile()).await;
    sso_says_everywhere(&server, &"x".repeat(50_000)).await;
    store_everywhere(&database, &hostile()).await;
    say_everywhere(&server, "stored").await;
    let client = plain_client();
    let everything = json!({"query": "{ viewer { userEmail } connections { nodes { connectedAccount { name } accountEntity { source logoUrl name } customEntities { recipient } } } }"});
    let request = client.post(format!("{}/graphql", server.url)).header("content-type", "application/json");
    let answer = request.body(everything.to_string()).bearer_auth(&server.key).send().await.unwrap();
    assert!(answer.text().await.unwrap().contains("FORGED"), "what is stored is shown to whom it belongs");
    server.end().await
}

/// Each line begins as a line of the log does, and holds no character that ends one or commands a terminal.
fn assert_whole(log: &str, format: &str, most: usize) {
    let mut longest = 0;
    // By line feed alone: whatever else might end a line must not be there.
    for line in log.trim_end_matches('\n').split('\n') {
        let shown: String = line.chars().take(300).collect();
        let bad = line.chars().find(|character| character.is_control() && *character != '\t');
        assert_eq!(bad, None, "{shown:?}");
        if format == "json" {
            let line: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {shown}"));
            assert!(line["timestamp"].is_string() && line["target"].is_string(), "{shown}");
            assert_ne!(line["message"], json!("FORGED"));
        } else {
            let words: Vec<&str> = line.split_whitespace().take(3).collect();
            assert!(words.len() == 3 && words[0].len() == 27 && words[0].ends_with('Z'), "{shown:?}");
            assert!(["TRACE", "DEBUG", "INFO", "WARN", "ERROR"].contains(&words[1]), "{shown:?}");
            assert_ne!(words[2], "FORGED", "{shown:?}");
        }
        longest = longest.max(line.len());
    }
    println!("{format}: {} lines, the longest has {longest} bytes", log.lines().count());
    assert!(longest <= most, "{longest}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_forges_a_line_and_none_has_more_than_a_kilobyte() {
    for format in ["compact", "json"] {
        let log = log_of(format, "info").await;
        assert!(!log.contains("FORGED"), "what others say is in no line at all");
        assert!(log.contains("/graphql") && log.contains("SSO could not be consulted"), "{log}");
        assert!(log.contains("stored values outside their known set"), "{log}");
        assert_whole(&log, format, 1_024);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nor_where_everything_is_logged() {
    for format in ["compact", "json"] {
        let log = log_of(format, "trace").await;
        assert!(log.contains("TRACE"), "it is talkative");
        assert_whole(&log, format, 16_384);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_command_shows_an_operator_what_a_terminal_would_obey() {
    let database = Database::fresh(Kind::Sqlite).await;
    let mut world = World::with_connections(4);
    let missing = world.missing().remove(0);
    for one in world.listed.iter_mut().filter(|one| one["id"] == json!(missing)) {
        for side in ["buyer", "seller"] {
            one[side]["name"] = json!(hostile());
        }
        one["created_by"] = json!(hostile());
    }
    let sso = RawSso::start(world.listed.clone()).await;
    database.execute(&world.sql()).await;
    superuser_key(&database, world.caller()).await;
    store_everywhere(&database, &hostile()).await;
    let account = world.caller().id.clone();
    for (arguments, shows) in [
        (vec!["keys", "list"], "superuser"),
        (vec!["repair", &missing, "--account", &account, "--actor", "me", "--dry-run"], "connected_account_name"),
        (vec!["repair", &missing, "--account", &account, "--actor", "me"], "inserted row"),
    ] {
        let mut command = program(&arguments);
        command.env("DATABASE_URL", database.url.expose_secret()).env("SSO_URL", &sso.url).env("SSO_TOKEN", "token");
        let (code, stdout, stderr) = tokio::task::spawn_blocking(move || run(&mut command)).await.unwrap();
        assert!(code == 0 && stdout.contains(shows) && stdout.contains("FORGED"), "{stdout}{stderr}");
        for line in stdout.split('\n') {
            assert!(!line.contains(char::is_control) && !line.starts_with(FORGED), "{line:?}");
        }
    }
}

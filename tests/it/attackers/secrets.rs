//! Secrets in the log at its most talkative, in answers, and on the terminal: none, but for a new key, once, to whom it is
//! made for.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqwest::Client;
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::UNKNOWN;
use super::logged::Logged;
use crate::support::binary::{free_port, program, run};
use crate::support::databases::Database;
use crate::support::world::World;
use crate::support::{http_2_client, plain_client};

const DATABASE_PASSWORD: &str = "password-of-the-database";
const SSO_TOKEN: &str = "token-of-sso";
/// A mistyped key is nearly a key.
const GUESS: &str = "lck_nearly-a-key";
/// What callers say about others' business.
const LITERAL: &str = "literal-of-a-document";
const VARIABLE: &str = "value-of-a-variable";
const REASON: &str = "reason-of-a-repair";
const EMAILS: [&str; 3] = ["staff@example.com", "someone@example.com", "operator@example.com"];

/// The database's URL, with a password where it takes one; the tests' own server asks for none.
fn url_with_password(database: &Database) -> String {
    database.url.expose_secret().replace("postgres://lc@", &format!("postgres://lc:{DATABASE_PASSWORD}@"))
}

fn secrets_with(keys: &[&str]) -> Vec<String> {
    let fixed = [DATABASE_PASSWORD, SSO_TOKEN, GUESS, LITERAL, VARIABLE, REASON].into_iter().chain(EMAILS);
    let mut secrets: Vec<String> = fixed.map(str::to_owned).collect();
    for key in keys.iter().chain(&[GUESS]) {
        secrets.push((*key).to_owned());
        // As they travel by Basic, and as no alignment of base64 can hide them.
        for before in ["", "u", "us"] {
            let encoded = STANDARD.encode(format!("{before}:{key}"));
            secrets.push(encoded[8..encoded.len() - 8].to_owned());
        }
        secrets.push(hex(&Sha256::digest(key)));
    }
    secrets
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

fn assert_none_in(text: &str, secrets: &[String], what: &str) {
    for secret in secrets {
        let line = text.lines().find(|line| line.to_lowercase().contains(&secret.to_lowercase()));
        assert_eq!(line, None, "{what} holds {secret}");
    }
}

/// Asks for everything, well and badly; gives the answers to those without a good key.
async fn ask_everything(server: &Logged, client: &Client) -> String {
    let url = |path: &str| format!("{}{path}", server.url);
    let with_key = async |request: reqwest::RequestBuilder| {
        for request in
            [request.try_clone().unwrap().bearer_auth(&server.key), request.basic_auth("us", Some(&server.key))]
        {
            request.send().await.unwrap().bytes().await.unwrap();
        }
    };
    let post = |path: &str, body: &Value| {
        client.post(url(path)).header("content-type", "application/json").body(body.to_string())
    };
    let own = server.world.own_row("id");
    for path in [
        "/connections",
        "/connections?relationship_type=x",
        "/connections/no-id",
        &format!("/connections/{own}"),
        &format!("/connections/{UNKNOWN}"),
        "/nowhere",
    ] {
        with_key(client.get(url(path))).await;
    }
    let query = format!(
        "query Q($text: String) {{ viewer {{ userEmail }} connections(filter: {{search: \"{LITERAL}\"}}) {{ totalCount nodes {{ createdBy repairs {{ nodes {{ actor reason }} }} }} }} \
                        other: connections(filter: {{search: $text}}) {{ nodes {{ createdBy }} }} }}"
    );
    let hash = hex(&Sha256::digest(&query));
    let extensions = json!({"persistedQuery": {"version": 1, "sha256Hash": hash}});
    for query in [
        json!(query),
        json!(null),
        json!(format!("{query} oops {LITERAL}")),
        json!(format!("{{ nothing(a: \"{LITERAL}\") }}")),
    ] {
        let mut body = json!({"query": query, "variables": {"text": VARIABLE}});
        if !query.as_str().is_some_and(|query| query.contains("oops") || query.contains("nothing")) {
            body["extensions"] = extensions.clone();
        }
        with_key(post("/graphql", &body)).await;
    }
    with_key(post(
        "/graphql",
        &json!({"query": "query A($id: ObjectID!) { connection(id: $id) { id } }", "variables": {"id": VARIABLE}}),
    ))
    .await;
    let mutation = "mutation R($input: RepairConnectionInput!) { repairConnection(input: $input) { outcome record { actor reason } userErrors { code } } }";
    for id in [server.world.missing().first().map_or(UNKNOWN, String::as_str), UNKNOWN] {
        let input = json!({"connectionId": id, "reason": REASON});
        with_key(post("/graphql", &json!({"query": mutation, "variables": {"input": input}}))).await;
        with_key(post("/connections", &json!({"connection_id": id}))).await;
    }
    with_key(client.post(url("/connections")).body(VARIABLE)).await;

    let mut answers = String::new();
    let guess = |path: &str| client.get(url(path));
    for request in [
        guess("/connections").bearer_auth(GUESS),
        guess("/connections").basic_auth(GUESS, Some(GUESS)),
        guess("/graphql").basic_auth("us", Some(GUESS)),
        guess("/connections").header("authorization", format!("Digest {}", server.key)),
        guess("/connections").header("authorization", format!("Basic {}", server.key)),
        guess("/connections").bearer_auth(&server.key).bearer_auth(&server.key),
        guess("/metrics"),
        guess("/readyz"),
        guess("/livez"),
        guess("/"),
    ] {
        let answer = request.send().await.unwrap();
        let headers = format!("{:?}\n", answer.headers());
        answers.extend([headers, answer.text().await.unwrap()]);
    }
    answers
}

async fn the_server_tells_no_secret_however_talkative_it_is(database: Database) {
    let url = url_with_password(&database);
    let settings = [("DATABASE_URL", url.as_str()), ("SSO_TOKEN", SSO_TOKEN), ("RUST_LOG", "trace")];
    for format in ["json", "compact"] {
        database.empty().await;
        let server = Logged::start(&database, &[&settings[..], &[("LOG_FORMAT", format)]].concat()).await;
        let secrets = secrets_with(&[&server.key]);
        let mut answers = String::new();
        for client in [plain_client(), http_2_client()] {
            answers += &ask_everything(&server, &client).await;
        }
        // A table is gone: internal errors, each with its causes.
        database.execute("ALTER TABLE custom_entities RENAME TO lost_entities").await;
        answers += &ask_everything(&server, &plain_client()).await;
        database.execute("ALTER TABLE lost_entities RENAME TO custom_entities").await;
        assert_none_in(&answers, &secrets, "an answer");
        let log = server.end().await;
        assert!(log.contains("TRACE") && log.contains("custom_entities"), "it is talkative, and tells of what is lost");
        assert_none_in(&log, &secrets, "the log");
    }
}

crate::on_both_databases!(the_server_tells_no_secret_however_talkative_it_is);

async fn commands_tell_a_new_key_once_and_no_other_secret(database: Database) {
    let world = World::with_connections(4);
    database.execute(&world.sql()).await;
    let sso = crate::support::raw_sso::RawSso::start(world.listed.clone()).await;
    let url = url_with_password(&database);
    let account = &world.caller().id;
    let run_quietly = async |arguments: Vec<String>| {
        let (url, sso) = (url.clone(), sso.url.clone());
        let run = move || {
            let mut command = program(&arguments.iter().map(String::as_str).collect::<Vec<_>>());
            command.env("DATABASE_URL", url).env("SSO_URL", sso).env("SSO_TOKEN", SSO_TOKEN).env("RUST_LOG", "trace");
            run(&mut command)
        };
        tokio::task::spawn_blocking(run).await.unwrap()
    };
    let words = |line: &str| line.split(' ').map(str::to_owned).collect::<Vec<_>>();
    let create = words(&format!("keys create --account {account} --user {} --superuser", EMAILS[0]));
    let (code, key, stderr) = run_quietly(create).await;
    let key = key.trim();
    assert!(code == 0 && key.starts_with("lck_") && key.len() == 47, "{code} {stderr}");
    let secrets = secrets_with(&[key]);
    assert_none_in(&stderr, &secrets, "keys create");

    // What is stored: its digest, and no more.
    let digest = if database.backend() == sea_orm::DbBackend::Postgres {
        "encode(key_hash, 'hex')"
    } else {
        "lower(hex(key_hash))"
    };
    assert_eq!(database.texts(&format!("SELECT {digest} FROM api_keys")).await, [hex(&Sha256::digest(key))]);
    let stored = format!("{:?}", database.dump(&super::TABLES).await);
    assert!(!stored.contains(key) && !stored.contains(&key[4..]));

    let missing = world.missing().remove(0);
    let id = database.texts("SELECT id FROM api_keys").await.remove(0);
    for line in [
        format!("repair {missing} --account {account} --actor {} --reason {REASON} --dry-run", EMAILS[2]),
        format!("repair {missing} --account {account} --actor {} --reason {REASON}", EMAILS[2]),
        format!("repair {missing} --account {account} --actor {} --reason {REASON} --json", EMAILS[2]),
        format!("repair {UNKNOWN} --account {account} --actor {}", EMAILS[2]),
        "keys list".to_owned(),
        format!("keys revoke {id}"),
        format!("keys revoke {id}"),
        "migrate".to_owned(),
        format!("accounts add --id {UNKNOWN} --sso-id {UNKNOWN} --name Someone"),
        format!("accounts add --id {UNKNOWN} --sso-id {UNKNOWN} --name Someone"),
    ] {
        let (_, stdout, stderr) = run_quietly(words(&line)).await;
        assert_none_in(&stderr, &secrets, &line);
        // Whom a key or a row is of may be asked for; what opens anything may not.
        let never: Vec<String> = secrets.iter().filter(|secret| !secret.contains('@')).cloned().collect();
        assert_none_in(&stdout, &never, &line);
    }
}

crate::on_both_databases!(commands_tell_a_new_key_once_and_no_other_secret);

/// A PostgreSQL that asks for the password in clear, and does not like it. Gives what it was told.
fn refuse_password(listener: &TcpListener) -> std::io::Result<String> {
    let mut told = String::new();
    loop {
        let (mut stream, _) = listener.accept()?;
        let message = |stream: &mut TcpStream, has_kind: bool| -> std::io::Result<Vec<u8>> {
            let mut head = vec![0; if has_kind { 5 } else { 4 }];
            stream.read_exact(&mut head)?;
            let length = u32::from_be_bytes(head[head.len() - 4..].try_into().unwrap()) as usize;
            let mut body = vec![0; length - 4];
            stream.read_exact(&mut body)?;
            Ok(body)
        };
        // It may ask for TLS first.
        if message(&mut stream, false)?.len() == 4 {
            stream.write_all(b"N")?;
            message(&mut stream, false)?;
        }
        stream.write_all(b"R\0\0\0\x08\0\0\0\x03")?;
        told += &String::from_utf8_lossy(&message(&mut stream, true)?);
        let fields = b"SFATAL\0VFATAL\0C28P01\0Mpassword authentication failed for user \"lc\"\0\0";
        let length = u32::try_from(fields.len() + 4).unwrap().to_be_bytes();
        stream.write_all(&[b"E", &length[..], fields].concat())?;
        if told.contains(DATABASE_PASSWORD) {
            return Ok(told);
        }
    }
}

#[test]
fn a_start_that_is_refused_tells_no_secret() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let wrong_password = format!("postgres://lc:{DATABASE_PASSWORD}@{}/lc", listener.local_addr().unwrap());
    let database = std::thread::spawn(move || refuse_password(&listener));
    let nobody = format!("postgres://lc:{DATABASE_PASSWORD}@127.0.0.1:{}/lc", free_port());
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = taken.local_addr().unwrap().to_string();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("settings.toml");
    std::fs::write(&file, format!("sso_token = {SSO_TOKEN}\ndatabase_url = \"{nobody}\"")).unwrap();
    let file = file.to_str().unwrap();
    let sso_with_user = format!("http://user:{SSO_TOKEN}@127.0.0.1:1/");
    for (name, arguments, settings) in [
        ("a wrong password", vec![], vec![("DATABASE_URL", wrong_password.as_str())]),
        ("nobody there", vec![], vec![("DATABASE_URL", &nobody), ("DATABASE_START_TIMEOUT_MS", "300")]),
        ("a URL that is none", vec![], vec![("DATABASE_URL", DATABASE_PASSWORD)]),
        ("a flag that is none", vec!["--database-url", DATABASE_PASSWORD], vec![]),
        ("an unknown flag", vec!["--sso-tokens", SSO_TOKEN], vec![]),
        ("a token in the wrong place", vec![], vec![("SSO_URL", sso_with_user.as_str())]),
        ("a token that no header takes", vec![], vec![("SSO_TOKEN", "token-of-sso\u{7}")]),
        ("a file that is no TOML", vec!["--config", file], vec![]),
        ("a port that is taken", vec!["--migrate"], vec![("LISTEN", taken.as_str())]),
        ("help", vec!["--help"], vec![]),
    ] {
        let mut command = program(&[&["serve"], &arguments[..]].concat());
        let sqlite = format!("sqlite://{}/{}.db?mode=rwc", folder.path().display(), name.replace(' ', "-"));
        command.env("DATABASE_URL", sqlite).env("SSO_URL", "http://127.0.0.1:1/").env("SSO_TOKEN", SSO_TOKEN);
        command.env("RUST_LOG", "trace").envs(settings);
        let (code, stdout, stderr) = run(&mut command);
        assert_eq!(code == 0, name == "help", "{name}: {stderr}");
        assert_none_in(&format!("{stdout}{stderr}"), &secrets_with(&[]), name);
    }
    assert!(database.join().unwrap().unwrap().contains(DATABASE_PASSWORD), "it was asked for, and sent");
}

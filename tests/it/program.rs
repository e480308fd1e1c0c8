//! The binary itself: what it refuses, how it starts and ends, and that every line the demo prints works.

use std::process::Stdio;

use lc_connections::sso::simulator::{Scenario, Simulator, parse_data};
use secrecy::ExposeSecret;

use crate::support::binary::{Demo, Running, curl, free_port, program, run, serve, wait_until_ready};
use crate::support::databases::Database;
use crate::support::world::World;

#[test]
fn what_cannot_be_used_is_refused_in_one_line_before_the_port_opens() {
    let folder = tempfile::tempdir().unwrap();
    let database = format!("sqlite://{}/lc.db?mode=rwc", folder.path().display());
    let sso = ["--sso-url", "http://127.0.0.1:1/", "--sso-token", "secret-token"];
    let with_sso = |more: &[&'static str]| -> Vec<String> {
        ["serve", "--database-url", &database].iter().chain(&sso).chain(more).map(ToString::to_string).collect()
    };
    let unknown_key = folder.path().join("unknown.toml");
    std::fs::write(&unknown_key, "max_pages = 3\nsso_token = \"secret-token\"").unwrap();
    let unknown_key: &'static str = unknown_key.to_str().unwrap().to_owned().leak();
    let of_database =
        |url: &str| [&["serve", "--database-url", url], &sso[..]].concat().iter().map(ToString::to_string).collect();
    for (arguments, code, said) in [
        (of_database("sqlite://x.db?mode=foo"), 2, "DATABASE_URL"),
        (of_database("sqlite://x.db?zz=1"), 2, "DATABASE_URL"),
        (of_database("postgres://u:secret-token@127.0.0.1/db?sslmode=foo"), 2, "DATABASE_URL"),
        (with_sso(&["--listen", "127.0.0.1:1", "--admin-listen", "127.0.0.1:1"]), 2, "--admin-listen"),
        (vec!["serve".to_owned()], 2, "SSO_URL"),
        (vec!["serve".to_owned(), "--sso-url".to_owned(), "http://127.0.0.1:1/".to_owned()], 2, "SSO_TOKEN is not set"),
        (with_sso(&["--config", unknown_key]), 2, "unknown key `max_pages`"),
        (with_sso(&["--config", concat!(env!("CARGO_MANIFEST_DIR"), "/lc-connections.sample.toml")]), 1, "migrate"),
        (with_sso(&["--listen", "nowhere"]), 2, "--listen"),
        (with_sso(&["--max-page-size", "0"]), 2, "--max-page-size"),
        (with_sso(&["--config", "/does/not/exist.toml"]), 2, "/does/not/exist.toml"),
        (with_sso(&["--cors-origins", "*"]), 2, "--cors-origins"),
        (with_sso(&["--no-such-flag"]), 2, "--no-such-flag"),
        (with_sso(&[]), 1, "lc-connections migrate"),
    ] {
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let (actual, _, stderr) = run(&mut program(&arguments));
        assert_eq!(actual, code, "{arguments:?}: {stderr}");
        let lines: Vec<&str> = stderr.lines().filter(|line| line.starts_with("error: ")).collect();
        assert!(lines.len() == 1 && lines[0].contains(said), "{arguments:?}: {stderr}");
        assert!(!stderr.contains("secret-token"), "{stderr}");
    }
}

#[test]
fn an_account_a_key_a_start_a_signal_and_an_orderly_end() {
    let folder = tempfile::tempdir().unwrap();
    let database = format!("sqlite://{}/lc.db?mode=rwc", folder.path().display());
    let with_database = |arguments: &[&str]| {
        let mut command = program(arguments);
        command.env("DATABASE_URL", &database);
        command
    };
    let id = "5fd4371e940df5a34a3888b2";
    assert_eq!(run(&mut with_database(&["migrate"])).0, 0);
    let add = ["accounts", "add", "--id", id, "--sso-id", "5FD4371E940DF5A34A3888B3", "--name", "Acme Corp"];
    assert_eq!(run(&mut with_database(&add)).0, 0);
    assert_eq!(run(&mut with_database(&add)).0, 1, "the ids are taken");
    let (code, key, _) = run(&mut with_database(&["keys", "create", "--account", id]));
    assert_eq!(code, 0);
    let (_, listed, _) = run(&mut with_database(&["keys", "list"]));
    assert!(listed.contains(id) && !listed.contains(key.trim()));

    let port = free_port();
    let address = format!("127.0.0.1:{port}");
    let mut serve = with_database(&["serve", "--listen", &address, "--log-format", "json"]);
    serve.env("SSO_URL", "http://127.0.0.1:1/").env("SSO_TOKEN", "secret-token").stderr(Stdio::piped());
    let server = Running(serve.spawn().unwrap());
    wait_until_ready(port);
    let key = key.trim();
    let (_, answer) = curl(&format!("curl -s -i -u :{key} http://{address}/connections"));
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("x-connections-degraded: true"), "{answer}");

    let taken = run(with_database(&["serve", "--listen", &address]).env("SSO_URL", "http://x/").env("SSO_TOKEN", "x"));
    assert!(taken.0 == 1 && taken.2.contains(&address), "{taken:?}");

    let (code, log) = server.terminate();
    assert_eq!(code, 0);
    assert!(!log.contains(key) && !log.contains("secret-token"), "{log}");
    let line = log.lines().find(|line| line.contains("\"/connections\"")).unwrap();
    let line: serde_json::Value = serde_json::from_str(line).unwrap();
    assert_eq!(
        (&line["http.status"], &line["account.id"]),
        (&serde_json::json!(200), &serde_json::json!(id)),
        "{line}"
    );
    assert_eq!(
        (&line["statements"], &line["sso.outcome"]),
        (&serde_json::json!(2), &serde_json::json!("connect_failed")),
        "{line}"
    );
}

#[test]
fn every_line_that_the_demo_prints_works_as_printed() {
    let demo = Demo::start();
    let lines = &demo.printed;
    let page = lines.iter().find_map(|line| line.split_whitespace().find(|word| word.contains("/graphiql"))).unwrap();
    assert!(curl(&format!("curl -sf {}", page.trim_end_matches(','))).1.contains("API key"), "{page}");
    let answers: Vec<String> = lines
        .iter()
        .filter(|line| line.starts_with("curl "))
        .map(|line| {
            let (worked, answer) = curl(line);
            assert!(worked, "{line}: {answer}");
            answer
        })
        .collect();
    let expected: [&[&str]; 14] = [
        &["\"status\":\"sso_only\"", "\"name\":\"Woodgrove Partners\""],
        &[
            "\"totalCount\":10",
            "\"degraded\":false",
            "IN_SYNC",
            "MISSING_LOCALLY",
            "MISSING_IN_SSO",
            "FIELD_MISMATCH",
            "\"BOTH\"",
            "\"expired\":true",
            "\"deprecated\":true",
        ],
        &["\"relationship_type\":\"buyer\"", "Northwind Insurance"],
        &["\"scenario\":\"down\""],
        &["HTTP/1.1 200", "x-connections-degraded: true"],
        &["HTTP/1.1 503", "retry-after"],
        &["\"scenario\":\"ok\""],
        &["HTTP/1.1 201", "\"id\":"],
        &["\"name\":\"Woodgrove Partners\""],
        &["WOULD_CREATE", "\"userErrors\":[]"],
        &["\"outcome\":\"CREATED\"", "\"status\":\"COMPLETED\"", "\"drift\":\"IN_SYNC\""],
        &["\"flap\"", "\"revoked\""],
        &["http_requests_total"],
        &["ready"],
    ];
    assert_eq!(answers.len(), 14, "{lines:?}");
    for (answer, parts) in answers.iter().zip(expected) {
        for part in parts {
            assert!(answer.contains(part), "{part} is not in {answer}");
        }
    }
    assert!(answers[0].matches("sso_only").count() == 2 && answers[8].matches("sso_only").count() == 1);
}

/// Every limit at a small value of its own, and a document that goes over this one alone.
#[test]
fn the_demo_obeys_every_graphql_limit() {
    let demo = Demo::start_with(&[
        ("GRAPHQL_MAX_DOCUMENT_BYTES", "201"),
        ("GRAPHQL_MAX_TOKENS", "32"),
        ("GRAPHQL_MAX_DEPTH", "3"),
        ("GRAPHQL_MAX_ALIASES", "1"),
        ("GRAPHQL_MAX_ROOT_FIELDS", "2"),
        ("GRAPHQL_MAX_DIRECTIVES", "1"),
        ("GRAPHQL_MAX_SELECTIONS", "8"),
        ("GRAPHQL_MAX_COST", "57"),
        ("MAX_PAGE_SIZE", "60"),
    ]);
    let query = |document: &str| {
        let (key, port) = (demo.key("Northwind"), demo.port);
        let data = format!("curl -sG -u :{key} localhost:{port}/graphql --data-urlencode 'query={document}'");
        curl(&data).1
    };
    assert!(query("{ viewer { isSuperuser } }").contains("false"));
    for (document, said) in [
        (format!("{{ viewer {{ isSuperuser }} }} # {}", "x".repeat(300)), "the limit is 201"),
        (format!("{{ viewer {{ isSuperuser {} }} }}", "a ".repeat(40)), "more than 32 tokens"),
        (
            "{ viewer { account { connections { totalCount } } } }".to_owned(),
            "levels of fields when its fragments are expanded; the limit is 3",
        ),
        (
            "{ viewer { a: isSuperuser b: isSuperuser } }".to_owned(),
            "aliases when its fragments are expanded; the limit is 1",
        ),
        (
            format!("{{ {} }}", "viewer { isSuperuser } ".repeat(3)),
            "root fields when its fragments are expanded; the limit is 2",
        ),
        (
            format!("{{ viewer {{ {} }} }}", "isSuperuser @skip(if: true) ".repeat(2)),
            "directives when its fragments are expanded; the limit is 1",
        ),
        (
            format!("{{ viewer {{ {} }} }}", "isSuperuser ".repeat(9)),
            "selections when its fragments are expanded; the limit is 8",
        ),
        ("{ connections(first: 60) { nodes { id } } }".to_owned(), "the limit is 57"),
        ("{ connections(first: 61) { totalCount } }".to_owned(), "from 0 to 60"),
    ] {
        let answer = query(&document);
        assert!(answer.contains(said), "{document}: {answer}");
    }
}

/// What `repair --json` says, its exit code, and what it told people.
fn repair(database: &str, sso: &str, arguments: &[&str]) -> (i32, serde_json::Value, String) {
    let mut command = program(&[&["repair", "--json", "--database-url", database], arguments].concat());
    let (code, stdout, stderr) = run(command.env("SSO_URL", sso).env("SSO_TOKEN", "secret-token"));
    assert!(!stderr.contains("secret-token"), "{stderr}");
    (code, serde_json::from_str(&stdout).unwrap_or_default(), stderr)
}

async fn an_operator_repairs_from_the_command_line(database: Database) {
    let world = World::with_connections(8);
    database.execute(&world.sql()).await;
    let sso = Simulator::new(parse_data(&serde_json::json!(world.listed).to_string()).unwrap());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let sso_url = format!("http://{}", listener.local_addr().unwrap());
    sso.spawn(listener);
    let (account, missing) = (world.caller().id.clone(), world.missing()[0].clone());
    let unknown = "0123456789abcdef01234567".to_owned();
    let url = database.url.expose_secret().to_owned();
    let as_ada = |id: &str, account: &str, more: &[&str]| {
        let (url, sso_url) = (url.clone(), sso_url.clone());
        let arguments: Vec<String> = [id, "--account", account, "--actor", "ada@example.com"]
            .iter()
            .chain(more)
            .map(ToString::to_string)
            .collect();
        tokio::task::spawn_blocking(move || {
            repair(&url, &sso_url, &arguments.iter().map(String::as_str).collect::<Vec<_>>())
        })
    };

    let (code, dry, _) = as_ada(&missing, &account, &["--dry-run"]).await.unwrap();
    assert_eq!((code, &dry["outcome"], &dry["id"]), (0, &"WOULD_CREATE".into(), &serde_json::Value::Null), "{dry}");
    assert_eq!(database.count("repair_records").await, 0);
    let upper = missing.to_uppercase();
    let (code, done, _) = as_ada(&upper, &account, &["--reason", "missed message"]).await.unwrap();
    assert_eq!((code, &done["outcome"], &done["changes"]), (0, &"CREATED".into(), &dry["changes"]), "{done}");
    let row =
        format!("account_connections WHERE id = '{}' AND external_id = '{missing}'", done["id"].as_str().unwrap());
    assert_eq!(database.count(&row).await, 1);

    for (id, account, expected, word) in [
        (&missing, &account, 3, "ALREADY_EXISTS"),
        (&unknown, &account, 4, "SSO_CONNECTION_NOT_FOUND"),
        (&world.foreign()[0], &account, 4, "SSO_CONNECTION_NOT_FOUND"),
        (&missing, &unknown, 6, "ACCOUNT_NOT_FOUND"),
    ] {
        let (code, told, stderr) = as_ada(id, account, &[]).await.unwrap();
        assert_eq!((code, &told["error_code"], &told["outcome"]), (expected, &word.into(), &serde_json::Value::Null));
        assert!(stderr.contains("error: "), "{stderr}");
    }
    sso.set_scenario(Scenario::Down);
    let (code, told, _) = as_ada(&unknown, &account, &[]).await.unwrap();
    assert_eq!((code, &told["error_code"]), (5, &"SSO_UNAVAILABLE".into()));

    assert_eq!(database.count("repair_records").await, 6);
    let by_ada = "repair_records WHERE via = 'cli' AND actor = 'ada@example.com' AND api_key_id IS NULL";
    assert_eq!(database.count(by_ada).await, 6);
    let created = format!("{by_ada} AND outcome = 'CREATED' AND reason = 'missed message' AND error_code IS NULL");
    assert_eq!(database.count(&created).await, 1);
    let request_id = done["request_id"].as_str().unwrap();
    assert_eq!(database.count(&format!("repair_records WHERE request_id = '{request_id}'")).await, 1);
    assert_eq!(as_ada(&unknown, "nobody", &[]).await.unwrap().0, 2);
}

crate::on_both_databases!(an_operator_repairs_from_the_command_line);

#[test]
fn the_simulator_begins_with_a_scenario_and_says_what_there_is() {
    let port = free_port();
    let address = format!("127.0.0.1:{port}");
    let mut simulator = program(&["sso-sim", "--listen", &address, "--scenario", "garbage", "--rust-log", "warn"]);
    let _simulator = Running(simulator.stderr(Stdio::null()).spawn().unwrap());
    let list = format!("curl -sf --retry-connrefused --retry 30 http://{address}/network_connections?account_ids=");
    assert_eq!(
        curl(&format!("{list}500000000000000000000001")),
        (true, "<html><body>Welcome! Please log in.</body></html>".to_owned())
    );
    let (code, help, _) = run(&mut program(&["sso-sim", "--help"]));
    assert_eq!(code, 0);
    for scenario in Scenario::ALL {
        assert!(help.contains(&format!("{:<12}{}", scenario.as_str(), scenario.meaning())), "on one line: {help}");
    }
}

#[test]
fn keys_are_made_listed_and_revoked_and_what_they_lack_is_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let database = format!("sqlite://{}/lc.db?mode=rwc", folder.path().display());
    let command = |arguments: &[&str]| run(program(arguments).env("DATABASE_URL", &database));
    let account = "5fd4371e940df5a34a3888b2";
    let add = ["accounts", "add", "--id", account, "--sso-id", "5fd4371e940df5a34a3888b3", "--name", "Acme"];
    assert_eq!((command(&["migrate"]).0, command(&add).0), (0, 0));
    let create = |more: &[&str]| command(&[&["keys", "create", "--account", account], more].concat());
    for (more, code, said) in [
        (&["--superuser"][..], 2, "--user"),
        (&["--user", " "], 2, "--user"),
        (&["--expires", "tomorrow"], 2, "RFC 3339"),
        (&["--expires", "2020-01-01T00:00:00Z"], 2, "is past"),
    ] {
        let (actual, printed, stderr) = create(more);
        assert!(actual == code && printed.is_empty() && stderr.contains(said), "{more:?}: {actual} {stderr}");
    }
    let (code, _, stderr) = command(&["keys", "create", "--account", "0123456789abcdef01234567"]);
    assert!(code == 1 && stderr.contains("accounts add"), "{stderr}");
    let (code, key, _) = create(&["--user", "ops@example.com", "--superuser", "--expires", "2099-01-01T00:00:00Z"]);
    assert!(code == 0 && key.trim().lines().count() == 1);
    let (_, listed, _) = command(&["keys", "list", "--account", account]);
    assert!(listed.contains("ops@example.com") && listed.contains("2099-01-01T00:00:00.000Z"), "{listed}");
    assert!(!listed.contains(key.trim()), "it is shown once");
    let id = listed.split_whitespace().find(|word| word.len() == 24 && *word != account).unwrap();
    assert_eq!(command(&["keys", "revoke", id]).0, 0);
    let (code, _, stderr) = command(&["keys", "revoke", id]);
    assert!(code == 1 && !stderr.is_empty(), "{stderr}");
    assert_eq!(command(&["keys", "revoke", "nonsense"]).0, 2);
}

#[test]
fn serve_migrates_when_told_to_and_keeps_to_its_settings() {
    let folder = tempfile::tempdir().unwrap();
    let database = format!("sqlite://{}/lc.db?mode=rwc", folder.path().display());
    let (port, admin_port) = (free_port(), free_port());
    let (address, admin) = (format!("127.0.0.1:{port}"), format!("127.0.0.1:{admin_port}"));
    let mut serve = program(&["serve", "--migrate", "--listen", &address, "--admin-listen", &admin]);
    serve.env("DATABASE_URL", &database).env("SSO_URL", "http://127.0.0.1:1/").env("SSO_TOKEN", "token");
    serve.env("INTROSPECTION", "off").env("GRAPHIQL", "off").env("DOCS", "off").env("MAX_PAGE_SIZE", "7");
    serve.stderr(Stdio::piped());
    let server = Running(serve.spawn().unwrap());
    wait_until_ready(port);
    let status = |url: &str| curl(&format!("curl -s -o /dev/null -w '%{{http_code}}' {url}")).1;
    assert_eq!(status(&format!("http://{address}/metrics")), "404");
    assert!(curl(&format!("curl -sf http://{admin}/metrics")).1.contains("db_pool_connections"));
    assert_eq!(status(&format!("http://{admin}/connections")), "404");
    for path in ["graphiql", "docs", "openapi.json", "openapi-3.0.json", "schema.graphql"] {
        assert_eq!(status(&format!("http://{address}/{path}")), "404", "{path}");
    }
    assert_eq!(status(&format!("http://{address}/")), "200");

    let with_database = |arguments: &[&str]| run(program(arguments).env("DATABASE_URL", &database));
    let account = "5fd4371e940df5a34a3888b2";
    with_database(&["accounts", "add", "--id", account, "--sso-id", "5fd4371e940df5a34a3888b3", "--name", "Acme"]);
    let key = with_database(&["keys", "create", "--account", account]).1;
    let ask = |query: &str| {
        let line = format!(
            "curl -s http://{address}/graphql -H 'Authorization: Bearer {}' -H 'Content-Type: application/json' -d '{}'",
            key.trim(),
            serde_json::json!({"query": query})
        );
        curl(&line).1
    };
    for query in ["{ __schema { types { name } } }", "{ __type(name: \"Query\") { name } }"] {
        let answer = ask(query);
        assert!(answer.contains("GRAPHQL_VALIDATION_FAILED") && !answer.contains("\"data\""), "{answer}");
    }
    assert!(ask("{ __typename viewer { __typename isSuperuser } }").contains("\"isSuperuser\":false"));
    assert!(ask("{ connections(first: 8) { totalCount } }").contains("from 0 to 7"));
    assert!(ask("{ connections(first: 7) { totalCount } }").contains("\"totalCount\":0"));
    assert_eq!(server.terminate().0, 0);
}

async fn a_repair_whose_client_hung_up_is_recorded_before_the_end(database: Database) {
    let sso = wiremock::MockServer::start().await;
    let slow = wiremock::ResponseTemplate::new(404).set_delay(std::time::Duration::from_millis(700));
    wiremock::Mock::given(wiremock::matchers::method("GET")).respond_with(slow).mount(&sso).await;
    let (server, url, key) = serve(&database, &sso.uri(), &[("SSO_TIMEOUT_MS", "5000")]).await;
    let line = format!(
        "curl -s --max-time 0.3 -u :{key} {url}/connections -H 'Content-Type: application/json' \
         -d '{{\"connection_id\": \"0123456789abcdef01234567\"}}'"
    );
    let (code, log) = tokio::task::spawn_blocking(move || {
        assert!(!curl(&line).0, "it does not wait");
        server.terminate()
    })
    .await
    .unwrap();
    assert_eq!(code, 0, "{log}");
    let records = database.texts("SELECT error_code FROM repair_records").await;
    assert_eq!(records, ["SSO_CONNECTION_NOT_FOUND"], "{log}");
}

crate::on_both_databases!(a_repair_whose_client_hung_up_is_recorded_before_the_end);

//! Credentials in every malformed form: whatever is wrong with them, the answer is the same, so that none tells how near a
//! guess was.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE};
use lc_connections::app::AppSettings;
use lc_connections::domain::timestamp::Timestamp;
use reqwest::header::{AUTHORIZATION, HeaderValue};
use reqwest::{Method, RequestBuilder};
use serde_json::json;

use super::{UNKNOWN, graphql, repair, request, see};
use crate::support::app::{Setup, TestApp, settings};
use crate::support::databases::Database;
use crate::support::raw_http::{short_timeouts, statuses, tell_in_text};
use crate::support::world::World;

/// A server that believes the test about where a request comes from, so that guesses need not wait for each other.
async fn start(database: &Database) -> (TestApp, World) {
    let settings = AppSettings { trusted_proxies: Arc::new(["127.0.0.0/8".parse().unwrap()]), ..settings() };
    let setup = Setup { settings, timeouts: short_timeouts(), ..Setup::default() };
    let app = TestApp::start_with(database, setup).await;
    let world = World::with_connections(4);
    let app = app.enter_as_superuser(database, &world).await;
    (app, world)
}

/// One request for each door.
fn doors(app: &TestApp, id: &str) -> [RequestBuilder; 6] {
    [
        request(app, Method::GET, "/connections"),
        request(app, Method::GET, &format!("/connections/{id}")),
        request(app, Method::GET, "/connections/no-id"),
        repair(app, id),
        graphql(app, "{ viewer { isSuperuser } }", &json!({})),
        request(app, Method::GET, "/graphql?query=no+query"),
    ]
}

fn basic(text: impl AsRef<[u8]>) -> String {
    format!("Basic {}", STANDARD.encode(text))
}

/// Keys that were good once, or would be by and by.
async fn ended_keys(database: &Database, app: &TestApp, world: &World) -> Vec<String> {
    let mut keys = Vec::new();
    let past = Timestamp::from_millis(app.clock.now().as_millis() - 1_000);
    for change in [format!("expires_at = '{past}'"), format!("revoked_at = '{past}'")] {
        let before = database.texts("SELECT id FROM api_keys").await.join("', '");
        keys.push(app.become_superuser(world.caller()).await.key.unwrap());
        database.execute(&format!("UPDATE api_keys SET {change} WHERE id NOT IN ('{before}')")).await;
    }
    keys
}

async fn whatever_is_wrong_with_credentials_the_answer_is_the_same(database: Database) {
    let (app, world) = start(&database).await;
    let key = app.key.clone().unwrap();
    let [expired, revoked] = &ended_keys(&database, &app, &world).await[..] else { panic!("two") };
    let mut flipped = key.clone().into_bytes();
    *flipped.last_mut().unwrap() ^= 1;
    let flipped = String::from_utf8(flipped).unwrap();
    let good = format!(":{key}");
    let forms: Vec<Vec<u8>> = [
        String::new(),
        "Basic".into(),
        "Bearer".into(),
        key.clone(),
        format!("Token {key}"),
        format!("Digest {key}"),
        format!("Basic {key}"),
        format!("Bearer {}", STANDARD.encode(&good)),
        format!("BasicBasic {}", STANDARD.encode(&good)),
        format!("Basic{}", STANDARD.encode(&good)),
        format!("Basic:{}", STANDARD.encode(&good)),
        format!("Basic\t{}", STANDARD.encode(&good)),
        format!("\"Bearer {key}\""),
        "Basic !!!".into(),
        "Basic ====".into(),
        basic(""),
        basic(":"),
        basic("user:"),
        basic("no colon"),
        basic(&key),
        // The key as user name, with the colon where curl puts it.
        basic(format!("{key}:")),
        basic(format!("{good}\n")),
        basic(format!("{good}\0")),
        basic(format!("{good} ")),
        basic(format!(": {key}")),
        basic(format!("::{key}")),
        basic(format!(":{key}:")),
        basic(b":\xff\xfe"),
        basic([good.as_bytes(), b"\xff"].concat()),
        // `~~~?` takes a character that the two alphabets write differently.
        format!("Basic {}", URL_SAFE.encode(format!("~~~?>:{key}"))),
        format!("Basic {}", STANDARD_NO_PAD.encode(format!("no:{key}"))).trim_end_matches('=').to_owned(),
        format!("Basic {}=", STANDARD.encode(&good)),
        format!("Basic {}{}", STANDARD.encode(&good), STANDARD.encode(&good)),
        format!("Basic {}, Basic {}", STANDARD.encode(&good), STANDARD.encode(&good)),
        format!("Bearer {key}, Bearer {key}"),
        format!("Bearer {key},"),
        format!("Bearer \"{key}\""),
        format!("Bearer {key} {key}"),
        format!("Bearer {}", &key[..key.len() - 1]),
        format!("Bearer {}", &key[1..]),
        format!("Bearer {key}A"),
        format!("Bearer {flipped}"),
        basic(format!(":{flipped}")),
        format!("Bearer {}", key.to_lowercase()),
        format!("Bearer {}", key.to_uppercase()),
        format!("Bearer {}", "k".repeat(60_000)),
        basic("k".repeat(40_000)),
        format!("Bearer {expired}"),
        basic(format!(":{revoked}")),
        "Bearer ' OR 1=1 --".into(),
    ]
    .into_iter()
    .map(String::into_bytes)
    .chain([b"Bearer \xff\xfe".to_vec(), [b"Bearer ", key.as_bytes(), b"\xe9"].concat()])
    .collect();

    let id = world.own_row("id");
    let mut nothing = Vec::new();
    for door in doors(&app, &id) {
        nothing.push(see(door).await);
    }
    for (number, seen) in nothing.iter().enumerate() {
        assert_eq!(seen.status, 401, "{seen:?}");
        let (scheme, says) =
            if number < 4 { ("Basic", r#"{"error":"authentication failed"}"#) } else { ("Bearer", "UNAUTHENTICATED") };
        assert_eq!(seen.header("www-authenticate"), Some(format!("{scheme} realm=\"LeadConduit\"").as_str()));
        assert!(seen.body.contains(says), "{seen:?}");
    }
    for (number, form) in forms.iter().enumerate() {
        let value = HeaderValue::from_bytes(form).unwrap();
        let shown = String::from_utf8_lossy(&form[..form.len().min(80)]).into_owned();
        for (door, expected) in doors(&app, &id).into_iter().zip(&nothing) {
            let from = format!("2001:db8:0:{number:x}::1");
            let seen = see(door.header(AUTHORIZATION, &value).header("x-forwarded-for", from)).await;
            assert_eq!(seen, *expected, "{shown}");
        }
    }
    for door in doors(&app, &id) {
        assert_eq!(see(door.bearer_auth(&key).bearer_auth(&key)).await.status, 401, "two, even if they are the same");
    }
    // What no header may hold does not come so far.
    for value in [format!("Bearer {key}\0"), format!("Bearer \0{key}"), format!("Bearer {key}\u{1b}[0m")] {
        let raw = format!("GET /connections HTTP/1.1\r\nHost: test\r\nAuthorization: {value}\r\n\r\n");
        assert_eq!(statuses(&tell_in_text(&app.url, raw).await), [400]);
    }
}

crate::on_both_databases!(whatever_is_wrong_with_credentials_the_answer_is_the_same);

async fn a_good_key_works_in_every_form_that_the_rules_allow(database: Database) {
    let (app, world) = start(&database).await;
    let key = app.key.clone().unwrap();
    let encoded = STANDARD.encode(format!(":{key}"));
    let long_name = STANDARD.encode(format!("{}:{key}", "n".repeat(1_000)));
    let latin_1 = STANDARD.encode([b"us\xe9r\0:", key.as_bytes()].concat());
    for form in [
        format!("Basic {encoded}"),
        format!("basic {encoded}"),
        format!("BASIC {encoded}"),
        format!("Basic   {encoded}"),
        format!("Basic {long_name}"),
        format!("Basic {latin_1}"),
        format!("Bearer {key}"),
        format!("bearer {key}"),
        format!("BeArEr  {key}"),
    ] {
        let mut statuses = Vec::new();
        for door in doors(&app, &world.own_row("id")) {
            statuses.push(see(door.header(AUTHORIZATION, &form)).await.status);
        }
        assert_eq!([&statuses[..3], &statuses[4..5]].concat(), [200, 200, 400, 200], "{form}");
        // White space round a value is not of it.
        let raw = format!("GET /connections HTTP/1.1\r\nHost: test\r\nauthorization: \t {form} \t\r\n\r\n");
        assert!(tell_in_text(&app.url, raw).await.starts_with("HTTP/1.1 200"), "{form}");
    }
}

crate::on_both_databases!(a_good_key_works_in_every_form_that_the_rules_allow);

async fn a_key_never_outlives_its_account(database: Database) {
    let (app, world) = start(&database).await;
    let account = world.accounts.last().unwrap();
    let orphan = app.become_superuser(account).await;
    for table in ["custom_entities", "account_entities", "account_connections"] {
        database.execute(&format!("DELETE FROM {table}")).await;
    }
    let delete = format!("DELETE FROM accounts WHERE id = '{}'", account.id);
    assert!(database.try_execute(&delete).await.is_err(), "not while it has keys");
    database.execute(&format!("DELETE FROM api_keys WHERE account_id = '{}'", account.id)).await;
    database.execute(&delete).await;
    for (door, nothing) in doors(&orphan, UNKNOWN).into_iter().zip(doors(&orphan, UNKNOWN)) {
        assert_eq!(see(door.bearer_auth(orphan.key.as_ref().unwrap())).await, see(nothing).await);
    }
}

crate::on_both_databases!(a_key_never_outlives_its_account);

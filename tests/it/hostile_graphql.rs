//! Requests made to cost much: each is refused before anything is executed, in few words, and whoever else asks meanwhile is
//! served as ever. To the real binary; with `--nocapture` it tells what was measured.

use std::process::Stdio;
use std::time::{Duration, Instant};

use reqwest::Client;
use serde_json::{Value, json};

use crate::support::binary::{Running, serve_world};
use crate::support::databases::{Database, Kind};
use crate::support::plain_client;
use crate::support::world::World;

/// The largest refusal.
const LARGEST: usize = 8 * 1024;

/// A name, the request's body, and what its refusal names.
type Shape = (&'static str, String, &'static str);

fn document(text: &str) -> String {
    json!({"query": text}).to_string()
}

/// Fragments that spread the next one twice, to the power of two.
fn bomb() -> String {
    let fragment = |level| format!("fragment F{level} on Query {{ ...F{0} ...F{0} }} ", level + 1);
    format!("{{ ...F0 }} {}fragment F30 on Query {{ __typename }}", numbered(30, fragment))
}

/// One of those, with a field between any two spreads, which must be merged.
fn merging_bomb() -> String {
    let fragment = |level| format!("fragment F{level} on Account {{ a: name ...F{0} b: name ...F{0} }} ", level + 1);
    format!("{{ viewer {{ account {{ ...F0 }} }} }} {}fragment F24 on Account {{ id }}", numbered(24, fragment))
}

fn nested(open: &str, close: &str, times: usize) -> String {
    format!("{}{}", open.repeat(times), close.repeat(times))
}

fn numbered(most: usize, piece: impl Fn(usize) -> String) -> String {
    (0..most).map(piece).collect::<Vec<_>>().concat()
}

fn shapes() -> Vec<Shape> {
    let viewer = "viewer { isSuperuser } ";
    let page = "connections(first: 100) { nodes { id localId status drift createdAt updatedAt permissions createdBy
        connectedAccount { id ssoId name } accountEntity { id name description website } customEntities { id name source recipient } } } ";
    let pages = numbered(20, |number| format!("p{number}: {page}"));
    let circle = |rounds| nested("{ fields { type ", " } }", rounds).replace("  ", " { name } ");
    let ids = |number: usize| json!(vec!["UGFydG5lcnNoaXA6"; number]);
    vec![
        ("fragment bomb", document(&bomb()), "selections"),
        ("fragment bomb with fields", document(&merging_bomb()), "selections"),
        ("fragments in a circle", document("{ ...A } fragment A on Query { ...B } fragment B on Query { ...A }"), "itself"),
        ("aliases", document(&format!("{{ viewer {{ {} }} }}", "a: isSuperuser ".repeat(300))), "aliases"),
        ("root fields", document(&format!("{{ {} }}", viewer.repeat(300))), "root fields"),
        ("the same field again and again", document(&format!("{{ viewer {{ {} }} }}", "isSuperuser ".repeat(2_500))), "tokens"),
        ("directives", document(&format!("{{ viewer {{ isSuperuser {} }} }}", "@skip(if: false) ".repeat(150))), "directive"),
        ("unknown directives", document(&format!("{{ viewer {} {{ isSuperuser }} }}", "@a ".repeat(900))), "directive"),
        ("depth", document(&format!("{{ viewer {} }}", nested("{ account ", "}", 40))), "levels"),
        ("brackets", document(&"{".repeat(30_000)), "brackets"),
        ("lists within lists", document(&format!("{{ node(id: {}) {{ id }} }}", nested("[", "]", 900))), "brackets"),
        ("20 pages at once", document(&format!("{{ {pages} }}")), "fields"),
        ("pages of pages", document(&format!("{{ nodes(ids: {}) {{ ... on Account {{ {page} }} }} }}", ids(100))), "fields"),
        ("introspection in circles", document(&format!("{{ __schema {{ types {} }} }}", circle(6))), "introspection"),
        ("a large document", document(&format!("{{ {viewer} }} # {}", "x".repeat(200_000))), "bytes"),
        ("many tokens", document(&format!("{{ {} }}", "a ".repeat(10_000))), "tokens"),
        ("many operations", document(&"query { __typename } ".repeat(400)), "operation"),
        ("many variables", document(&format!("query ({}) {{ {viewer} }}", numbered(400, |number| format!("$v{number}: Int ")))), "never used"),
        ("a long name", document(&format!("{{ {} }}", "x".repeat(30_000))), "Cannot query"),
        ("deep variables", format!(r#"{{"query": "query ($a: [ID!]!) {{ nodes(ids: $a) {{ id }} }}", "variables": {{"a": {}}}}}"#, nested("[", "]", 100_000)), "ID cannot represent an array"),
        ("deep variables of many lists", format!(r#"{{"query": "query ($a: {}ID!{}) {{ nodes(ids: $a) {{ id }} }}", "variables": {{"a": {}}}}}"#, "[".repeat(60), "]".repeat(60), nested("[", "]", 100_000)), "expecting type"),
        ("huge variables", json!({"query": "query ($a: [ID!]!) { nodes(ids: $a) { id } }", "variables": {"a": vec![vec!["x"; 60]; 700]}}).to_string(), "invalid value"),
        ("a batch", json!(vec![json!({"query": "{ __typename }"}); 1_000]).to_string(), "batches are not served"),
        ("one variable in one list, often", json!({
            "query": format!("query ($a: ID!) {{ nodes(ids: [{}]) {{ id }} }}", "$a ".repeat(900)), "variables": {"a": "x".repeat(240_000)},
        }).to_string(), "the limit is 524288 bytes"),
        ("one variable in many fields, often", json!({
            "query": format!(
                "query ($a: String!) {{ {} }} fragment F on Account {{ connections(first: 1, filter: {{hasPermission: [{}]}}) {{ totalCount }} }}",
                numbered(20, |number| format!("a{number}: viewer {{ account {{ ...F }} }} ")), "$a ".repeat(800)
            ),
            "variables": {"a": "x".repeat(220_000)},
        }).to_string(), "the limit is 524288 bytes"),
        ("one permission, often", json!({
            "query": format!(
                "query ($p: [String!]) {{ {} }} fragment F on Account {{ connections(first: 1, filter: {{hasPermission: $p}}) {{ totalCount }} }}",
                numbered(20, |number| format!("a{number}: viewer {{ account {{ ...F }} }} "))
            ),
            "variables": {"p": vec!["view"; 25_000]},
        }).to_string(), "the limit is 524288 bytes"),
        ("a large body", json!({"query": "{ __typename }", "extensions": {"x": "x".repeat(300_000)}}).to_string(), "too large"),
        ("a large operation name", json!({"query": "{ __typename }", "operationName": "x".repeat(200_000)}).to_string(), "Unknown operation"),
    ]
}

async fn start(database: &Database) -> (Running, String, String) {
    serve_world(database, &World::with_connections(40), "http://127.0.0.1:9", &[], Stdio::null()).await
}

async fn post(client: &Client, url: &str, key: &str, body: &str) -> (u16, String, Duration) {
    let request = client.post(format!("{url}/graphql")).bearer_auth(key).header("content-type", "application/json");
    let request = request.header("accept", "application/graphql-response+json").body(body.to_owned());
    let started = Instant::now();
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    (status, response.text().await.unwrap(), started.elapsed())
}

#[tokio::test]
async fn each_shape_is_refused_in_few_words_and_before_anything_is_executed() {
    let database = Database::fresh(Kind::Sqlite).await;
    let (_server, url, key) = start(&database).await;
    let client = plain_client();
    let (mut slowest, mut wrong) = (Duration::ZERO, Vec::new());
    for (name, body, says) in shapes() {
        // The first of them finds nothing cached; nobody else's haste matters in the fastest.
        let mut fastest = Duration::MAX;
        for _ in 0..3 {
            let (status, text, took) = post(&client, &url, &key, &body).await;
            fastest = fastest.min(took);
            let answer: Value = serde_json::from_str(&text).unwrap();
            let message = answer["errors"][0]["message"].as_str().unwrap_or_default();
            let is_refused = (400..500).contains(&status) && answer.get("data").is_none() && message.contains(says);
            if !is_refused || text.len() >= LARGEST {
                wrong.push(format!("{name}: {status}, {} bytes: {text:.200}", text.len()));
            }
        }
        println!("{name}: {} bytes, refused after {fastest:?}", body.len());
        slowest = slowest.max(fastest);
    }
    println!("the slowest: {slowest:?}");
    // What costs more than it should takes many seconds.
    assert!(slowest < Duration::from_secs(1), "{slowest:?}");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The middle one, and the one that only a twentieth are slower than.
fn quantiles(mut times: Vec<Duration>) -> (Duration, Duration) {
    times.sort_unstable();
    (times[times.len() / 2], times[times.len() * 19 / 20])
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn neighbours_are_served_while_they_come() {
    let database = Database::fresh(Kind::Sqlite).await;
    let (_server, url, key) = start(&database).await;
    let ask = json!({"query": "{ connections(consistency: LOCAL_ONLY) { nodes { id connectedAccount { name } } } }"});
    let (client, ask) = (plain_client(), ask.to_string());
    let neighbour = async || {
        let mut times = Vec::new();
        for _ in 0..200 {
            let (status, text, took) = post(&client, &url, &key, &ask).await;
            assert_eq!(status, 200, "{text}");
            times.push(took);
        }
        quantiles(times)
    };
    neighbour().await;
    let quiet = neighbour().await;
    let attackers: Vec<_> = (0..8)
        .map(|number| {
            let (url, key) = (url.clone(), key.clone());
            tokio::spawn(async move {
                let (client, shapes) = (plain_client(), shapes());
                for turn in number.. {
                    let (_, body, _) = &shapes[turn % shapes.len()];
                    post(&client, &url, &key, body).await;
                    // An attacker that takes all of the machine's time would leave none to measure by.
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
            })
        })
        .collect();
    let attacked = neighbour().await;
    attackers.iter().for_each(tokio::task::JoinHandle::abort);
    assert!(attacked.0 < 10 * quiet.0 + Duration::from_millis(100), "quiet {quiet:?}, attacked {attacked:?}");
    println!("a neighbour's median and 95th percentile: quiet {quiet:?}, attacked {attacked:?}");
}

//! The documents for the server's users: every line that can be pasted works as it stands, and gives the answer that is
//! shown under it.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::support::binary::Demo;

/// A block of a document that is set apart by three back quotes.
#[derive(Debug)]
struct Block<'a> {
    language: &'a str,
    text: &'a str,
}

fn blocks(document: &str) -> Vec<Block<'_>> {
    let fenced = document.split("\n```").collect::<Vec<_>>();
    assert_eq!(fenced.len() % 2, 1, "each block has an end");
    let blocks = fenced.iter().skip(1).step_by(2);
    blocks.map(|block| block.split_once('\n').unwrap()).map(|(language, text)| Block { language, text }).collect()
}

/// What a reader does before the first line, or with other programs than curl.
const NOT_RUN_HERE: [&str; 5] = ["export ", "cargo run -- demo", "npm ", "npx ", "VITE_KEY="];

/// Whether the text is what is shown, where `…` stands for anything.
fn is_like(shown: &str, text: &str) -> bool {
    let mut parts = shown.split('…');
    let Some(mut rest) = text.strip_prefix(parts.next().unwrap()) else { return false };
    let parts: Vec<&str> = parts.collect();
    let Some((last, middle)) = parts.split_last() else { return rest.is_empty() };
    for part in middle {
        let Some((_, after)) = rest.split_once(part) else { return false };
        rest = after;
    }
    rest.ends_with(last)
}

fn is_like_json(shown: &Value, actual: &Value) -> bool {
    match (shown, actual) {
        (Value::String(shown), _) if shown == "…" => true,
        (Value::String(shown), Value::String(actual)) => is_like(shown, actual),
        (Value::Array(shown), Value::Array(actual)) => {
            shown.len() == actual.len() && shown.iter().zip(actual).all(|(shown, actual)| is_like_json(shown, actual))
        }
        (Value::Object(shown), Value::Object(actual)) => {
            shown.len() == actual.len()
                && shown.iter().all(|(key, shown)| actual.get(key).is_some_and(|actual| is_like_json(shown, actual)))
        }
        _ => shown == actual,
    }
}

/// Whether an answer is what is shown: of its head, the lines that are shown.
fn is_like_http(shown: &str, answer: &str) -> bool {
    let (shown_head, shown_body) = shown.split_once("\n\n").unwrap_or((shown, ""));
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((answer, ""));
    let lines: Vec<&str> = head.lines().collect();
    let status = shown_head.lines().next().is_some_and(|status| status == lines[0]);
    status && shown_head.lines().all(|shown| lines.iter().any(|line| is_like(shown, line))) && is_like(shown_body, body)
}

/// Runs what a document says, in its order, and gives how many answers were as shown.
fn run(document: &str) -> usize {
    let demo = Demo::start();
    let folder = tempfile::tempdir().unwrap();
    let (server, sso) = (format!("localhost:{}", demo.port), format!("localhost:{}", demo.sso_port));
    let (key, superuser) = (demo.key("Northwind"), demo.key("Superuser"));
    let mut answer = None;
    let mut compared = 0;
    for Block { language, text } in blocks(document) {
        match language {
            "sh" if NOT_RUN_HERE.iter().any(|start| text.starts_with(start)) => answer = None,
            "sh" => {
                let lines = text.replace("localhost:8080", &server).replace("localhost:9090", &sso);
                let mut shell = Command::new("bash");
                shell.args(["-euo", "pipefail", "-c", &lines]).current_dir(folder.path());
                shell.envs([("KEY", key), ("SUPERUSER", superuser), ("OLD_KEY", key), ("NEW_KEY", key)]);
                let output = shell.envs([("OLD", &server), ("NEW", &server)]).output().unwrap();
                assert!(output.status.success(), "{lines}\n{}", String::from_utf8_lossy(&output.stderr));
                answer = Some(String::from_utf8(output.stdout).unwrap());
            }
            "json" | "http" | "text" => {
                let answer = answer.take().expect("an answer is shown under the lines that it answers");
                let is_like = match language {
                    "json" => {
                        let actual = serde_json::from_str(&answer).unwrap_or_default();
                        is_like_json(&serde_json::from_str(text).unwrap(), &actual)
                    }
                    "http" => is_like_http(text, &answer),
                    _ => is_like(text, answer.trim_end()),
                };
                assert!(is_like, "shown is\n{text}\nbut it is\n{answer}");
                compared += 1;
            }
            // The clients' tests compile and run those.
            "ts" | "tsx" => {}
            other => panic!("a block of {other:?}"),
        }
    }
    compared
}

fn read(document: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs").join(document)).unwrap()
}

#[test]
fn every_line_of_the_frontend_developers_start_works_and_gives_what_is_shown() {
    assert_eq!(run(&read("frontend.md")), 15);
}

#[test]
fn every_line_for_owners_of_rest_clients_works_and_gives_what_is_shown() {
    assert_eq!(run(&read("rest.md")), 16);
}

#[test]
fn what_is_shown_is_held_against_the_answer() {
    assert!(is_like("a…c", "abc") && is_like("…", "") && is_like("a", "a"));
    assert!(!is_like("a…c", "abd") && !is_like("a", "ab") && !is_like("a…a", "a") && !is_like("…b…d", "adb"));
    let json = |text: &str| serde_json::from_str::<Value>(text).unwrap();
    assert!(is_like_json(&json(r#"{"a": ["…", 1]}"#), &json(r#"{"a": [null, 1]}"#)));
    for (shown, actual) in [(r#"{"a": 1}"#, r#"{"a": 1, "b": 2}"#), ("[1]", "[1, 2]"), ("1", "2"), (r#""a""#, r#""b""#)]
    {
        assert!(!is_like_json(&json(shown), &json(actual)), "{shown} {actual}");
    }
    let answer = "HTTP/1.1 200 OK\r\netag: W/\"1\"\r\ndate: now\r\n\r\nbody";
    assert!(is_like_http("HTTP/1.1 200 OK\netag: …\n\nbody", answer));
    for shown in ["HTTP/1.1 201 Created\n\nbody", "HTTP/1.1 200 OK\nvary: …\n\nbody", "HTTP/1.1 200 OK\n\nother"] {
        assert!(!is_like_http(shown, answer), "{shown}");
    }
}

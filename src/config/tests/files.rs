//! The TOML file and what can be wrong with it: the key or the line is named, and no value is shown.

use super::{Run, with_settings};
use crate::config::{Config, SERVE_COMMAND};

fn refusal_of(bytes: &[u8]) -> String {
    let error = Run::complete().file_of(bytes).refusal();
    let problem = error.strip_prefix("configuration file test.toml: ").unwrap_or(&error).to_owned();
    assert!(!problem.contains("secret") && !problem.contains('\n'), "{problem}");
    problem
}

#[test]
fn unknown_key_is_named() {
    for (text, problem) in [
        ("max_pages = 3", "unknown key `max_pages`: `lc-connections serve --help` lists the settings"),
        ("MAX-PAGE-SIZE = 3", "unknown key `MAX-PAGE-SIZE`: did you mean `max_page_size`?"),
        ("\"max\\npages\" = 3", "unknown key `max\\npages`: `lc-connections serve --help` lists the settings"),
        ("lc_config = \"x\"", "unknown key `lc_config`: `lc-connections serve --help` lists the settings"),
        ("[server]\nlisten = \"127.0.0.1:1\"", "unknown table `server`: settings stand outside of tables"),
        ("server.token = \"secret\"", "unknown table `server`: settings stand outside of tables"),
    ] {
        assert_eq!(refusal_of(text.as_bytes()), problem);
    }
}

#[test]
fn duplicate_key_is_named_with_its_line() {
    for (text, key, line) in [
        ("sso_token = \"secret\"\nsso_token = \"secret\"", "sso_token", 2),
        ("max_page_size = 1\n\n# again\nmax_page_size = 1", "max_page_size", 4),
        ("\"listen\" = \"x\"\r\n'listen' = \"x\"", "listen", 2),
        ("listen = \"x\"\n[listen]\nport = 1", "listen", 2),
        ("[[listen]]\nport = 1\n[listen]\nport = 2", "listen", 3),
        ("[a]\nb = 1\nb = 2", "b", 3),
    ] {
        let expected = format!("the key `{key}` is set twice, the second time in line {line}: keep one");
        assert_eq!(refusal_of(text.as_bytes()), expected, "{text}");
    }
}

#[test]
fn syntax_error_names_the_line_and_the_problem() {
    let problems = [
        ("# a comment\nsso_token = secret", 2, "string values must be quoted"),
        ("sso_token = $SECRET_secret", 1, "string values must be quoted"),
        ("sso_url = https://secret.example/", 1, "string values must be quoted"),
        ("sso_token = \"secret", 1, "invalid basic string, expected `\"`"),
        ("sso_token = \"a\"secret", 1, "unexpected key or value, expected newline, `#`"),
        ("sso_token: \"secret\"", 1, "key with no value, expected `=`"),
        ("\nsso_token", 2, "key with no value, expected `=`"),
        ("sso_token = ", 1, "string values must be quoted"),
        ("trusted_proxies = [\"10.0.0.0/8\"", 1, "unclosed array, expected `]`"),
        ("max_page_size = 99999999999999999999", 1, "a number is too large"),
        ("max_page_size = 1e999", 1, "floating-point number overflowed"),
        ("max_page_size = 007", 1, "unexpected leading zero"),
        ("graphiql = True", 1, "invalid boolean, expected `true`"),
        ("docs = false introspection = false", 1, "unexpected key or value, expected newline, `#`"),
        ("max_page_size = 1\nmax_page_size.x = 2", 2, "cannot extend value of type integer with a dotted key"),
        ("{\"sso_token\": \"secret\"}", 1, ""),
        ("<sso_token>secret</sso_token>", 1, ""),
        ("SSO_TOKEN=secret\nSSO_URL=http://secret/", 1, "string values must be quoted"),
    ];
    for (text, line, problem) in problems {
        let told = refusal_of(text.as_bytes());
        assert!(told.starts_with(&format!("line {line} is not TOML: {problem}")), "{text}: {told}");
        assert!(told.ends_with("; give each setting as key = \"value\""), "{text}: {told}");
    }
}

#[test]
fn wrong_type_names_the_setting_and_the_type() {
    let one = "must be a text, a whole number or a boolean, not";
    let list = "must be a text or an array of texts";
    for (text, problem) in [
        ("max_page_size = [1]", format!("MAX_PAGE_SIZE (file test.toml) {one} an array")),
        ("max_page_size = 1.5", format!("MAX_PAGE_SIZE (file test.toml) {one} a number with a fraction")),
        ("max_page_size = 2026-11-24", format!("MAX_PAGE_SIZE (file test.toml) {one} a date or a time")),
        ("max_page_size = {secret = 1}", format!("MAX_PAGE_SIZE (file test.toml) {one} a table")),
        ("[listen]\nport = 1", format!("LISTEN (file test.toml) {one} a table")),
        ("[[listen]]\nport = 1", format!("LISTEN (file test.toml) {one} an array")),
        ("database_url = [\"secret\"]", format!("DATABASE_URL (file test.toml) {one} an array")),
        ("trusted_proxies = 10", format!("TRUSTED_PROXIES (file test.toml) {list}, not a number")),
        (
            "trusted_proxies = [\"10.0.0.0/8\", 1]",
            format!("TRUSTED_PROXIES (file test.toml) {list}, and an element is no text"),
        ),
        ("[cors_origins]\na = \"b\"", format!("CORS_ORIGINS (file test.toml) {list}, not a table")),
    ] {
        assert_eq!(refusal_of(text.as_bytes()), problem);
    }
}

#[test]
fn byte_order_mark_is_ignored_and_other_encodings_are_rejected() {
    let with_mark = [b"\xef\xbb\xbf".as_slice(), b"max_page_size = 7\r\n"].concat();
    assert_eq!(Run::complete().file_of(&with_mark).read().unwrap().max_page_size, 7);
    assert_eq!(refusal_of(b"# Latin-1:\n# caf\xe9"), "line 2 is not UTF-8 text: save the file as UTF-8");
    assert_eq!(refusal_of(b"sso_token = \"secret\xff\""), "line 1 is not UTF-8 text: save the file as UTF-8");
    for mark in [[0xff, 0xfe], [0xfe, 0xff]] {
        let utf_16: Vec<u8> = mark.into_iter().chain("docs = 1".encode_utf16().flat_map(u16::to_le_bytes)).collect();
        assert_eq!(refusal_of(&utf_16), "is UTF-16 text: save it as UTF-8");
    }
    assert!(refusal_of(b"docs = \"a\0\"").starts_with("line 1 is not TOML: invalid basic string"));
}

#[test]
fn unreadable_file_is_named_with_the_reason() {
    let folder = tempfile::tempdir().unwrap();
    let long = folder.path().join("x".repeat(300));
    for (path, reason) in [
        (folder.path().to_owned(), "Is a directory (os error 21)"),
        (folder.path().join("none.toml"), "No such file or directory (os error 2)"),
        (long, "File name too long (os error 36)"),
    ] {
        let command = with_settings(clap::Command::new("serve"), SERVE_COMMAND);
        let matches = command.try_get_matches_from(["serve", "--config", path.to_str().unwrap()]).unwrap();
        let error = Config::read(&matches, &|_| None).unwrap_err().to_string();
        let expected = format!("configuration file {}: cannot be read (flag --config): {reason}", path.display());
        assert_eq!(error, expected);
    }
}

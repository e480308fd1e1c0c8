//! Lenient reading of headers. The first of `ACCEPTS` is the default of Java's `HttpURLConnection` before Java 19:
//! <https://github.com/openjdk/jdk/pull/7181>, <https://github.com/flightstats/hub/issues/130>,
//! <https://github.com/softwaremill/sttp-model/issues/81>, <https://github.com/helidon-io/helidon/pull/309>.

use axum::http::HeaderValue;
use proptest::prelude::*;

use super::*;

const JSON: &str = "application/json";
const HTML: &str = "text/html";

/// Values of `Accept` with the resulting weights of JSON and of HTML.
const ACCEPTS: &[(&str, u16, u16)] = &[
    ("text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2", 200, 1000),
    ("*", 1000, 1000),
    ("*;q=.3, text/html;q=0", 300, 0),
    ("", 0, 0),
    (" , ,\t,", 0, 0),
    (",, application/json ,", 1000, 0),
    ("Application/JSON", 1000, 0),
    ("application/json;q=0.5", 500, 0),
    ("application/json ; Q = 0.5", 500, 0),
    ("application/json;\tq=\"0.5\"", 500, 0),
    ("application/json;q=.2;q=.9", 200, 0),
    ("application/json;q=1.", 1000, 0),
    ("application/json;q=0.12345", 123, 0),
    ("application/json;q=0.0000001", 1, 0),
    ("application/json;q=0.", 0, 0),
    ("application/json;q=2, text/html;q=0.9", 1000, 900),
    // Parameters before and after the weight, quoted, with separators inside.
    ("application/json;v=\"a,b;q=0\";q=0.5;level=1, text/html", 500, 1000),
    ("application/json; v=\"say \\\"q=0\\\", please\" ;q=0.4", 400, 0),
    ("application/json;;q=0.5;", 500, 0),
    ("application/json;indent", 1000, 0),
    ("application/json;=;q=0.5", 500, 0),
    // The most specific range counts, in any order.
    ("*/*;q=0.1, application/*;q=0.2, application/json;q=0.3", 300, 100),
    ("application/json;q=0.3, application/*;q=0.2, */*;q=0.1", 300, 100),
    ("application/json;version=2;q=0.9, application/json;q=0.3", 300, 0),
    ("application/json;version=2;q=0.9", 900, 0),
    ("application/json;q=0, */*", 0, 1000),
    ("application/json;q=0.2, application/json;q=0.4", 400, 0),
    ("application/json;charset=UTF8", 1000, 0),
    ("application/json;charset=\"utf-8\"", 1000, 0),
    ("application/json;charset=latin1, */*;q=0.1", 100, 100),
    // Malformed members are skipped.
    ("nonsense", 0, 0),
    ("nonsense, application/json", 1000, 0),
    ("application/json, /, */, /*, text/, ;q=1, q=1, *html, */html, te xt/html, text/html/x", 1000, 0),
    ("application/json;q=x, text/html", 0, 1000),
    ("application/json;q=, text/html", 0, 1000),
    ("application/json;q=-1, text/html", 0, 1000),
    ("application/json;q=1e-1, text/html", 0, 1000),
    ("application/json;q=0.5.5, text/html", 0, 1000),
    ("application/json;q=., text/html", 0, 1000),
    // A stray quote hides no other member.
    ("image/png;x=\"abc, application/json;q=0.5, text/html", 500, 1000),
    ("\"text/html, application/json", 1000, 0),
    ("im\"age/png, application/json;v=\"a,b\"", 1000, 0),
    ("image/png;x=\"a\"b, application/json;v=\"c\"", 1000, 0),
    ("image/png;x=\"\\\", application/json", 1000, 0),
];

#[test]
fn accept_is_read_leniently() {
    for (accept, json, html) in ACCEPTS {
        let ranges = MediaRanges::parse(accept);
        assert_eq!((ranges.weight(JSON), ranges.weight(HTML)), (*json, *html), "{accept}");
    }
}

#[test]
fn ties_go_to_the_media_type_that_is_named_first() {
    let best = |accept| MediaRanges::parse(accept).best(&[JSON, HTML]);
    for (accept, expected) in [
        ("*/*", Some(JSON)),
        ("text/html, application/json", Some(HTML)),
        ("application/json, text/html", Some(JSON)),
        ("*/*, text/html", Some(HTML)),
        ("text/html;q=0.5, */*", Some(JSON)),
        ("image/png", None),
        ("*/*;q=0", None),
        ("nonsense", None),
    ] {
        assert_eq!(best(accept), expected, "{accept}");
    }
    assert!(MediaRanges::parse("nonsense, ;q=1").is_empty());
    assert!(!MediaRanges::parse("image/png").is_empty());
    assert!(
        !MediaRanges::parse("application/json;charset=latin1").is_empty(),
        "a well-formed member that matches nothing is not empty"
    );
}

#[test]
fn qvalues_are_thousandths() {
    for (text, weight) in [
        ("0", 0),
        ("0.", 0),
        ("0.000", 0),
        (".0", 0),
        ("00.5", 500),
        ("0.5", 500),
        (".5", 500),
        ("0.125", 125),
        ("0.9999", 999),
        ("0.0004", 1),
        ("1", 1000),
        ("1.", 1000),
        ("1.000", 1000),
        ("1.001", 1000),
        ("2", 1000),
        ("70000000000000000000000", 1000),
    ] {
        assert_eq!(qvalue(text), Some(weight), "{text}");
    }
    for text in ["", ".", "-1", "+1", "0,5", "0.5.5", "much", "1e0", "0x1", " 1", "NaN", "inf", "٠.٥"] {
        assert_eq!(qvalue(text), None, "{text}");
    }
}

#[test]
fn parameters_are_unquoted_and_unescaped() {
    let read = |text, name| Parameterised::parse(text).parameter(name).map(str::to_owned);
    for (text, value) in [
        ("a/b;charset=utf8", Some("utf8")),
        ("a/b; Charset = utf8 ", Some("utf8")),
        ("a/b;charset=\"utf-8\"", Some("utf-8")),
        ("a/b;x=\"a;charset=b\\\"c\";charset=d", Some("d")),
        ("a/b;charset=\"a\\\\b\\c\"", Some("a\\bc")),
        ("a/b;charset=\"utf-8", Some("utf-8")),
        ("a/b;charset=one;charset=two", Some("one")),
        ("a/b;charset=", Some("")),
        ("a/b;charset", None),
        ("a/b;", None),
        (";charset=x", Some("x")),
        ("charset=x", None),
        ("", None),
    ] {
        assert_eq!(read(text, "charset").as_deref(), value, "{text}");
    }
    assert_eq!(Parameterised::parse(" application/json ; x").value, "application/json");
    assert_eq!(Parameterised::parse(";x=1").value, "");
}

#[test]
fn entity_tags_are_split_at_commas_outside_quotes() {
    let tags = |list| entity_tags(list).collect::<Vec<_>>();
    assert_eq!(tags("\"a,b\", W/\"c\",, *"), ["\"a,b\"", "W/\"c\"", "*"]);
    assert_eq!(tags(r#""ends with \", "b""#), [r#""ends with \""#, "\"b\""]);
    assert_eq!(tags("W/\"a, \"b\""), ["W/\"a", "\"b\""]);
}

#[test]
fn several_lines_are_one_list() {
    let mut headers = HeaderMap::new();
    assert_eq!(combined(&headers, &header::ACCEPT), None);
    for line in [&b"text/html"[..], b"", b"\xe9/json", b"application/json"] {
        headers.append(header::ACCEPT, HeaderValue::from_bytes(line).unwrap());
    }
    let accept = combined(&headers, &header::ACCEPT).unwrap();
    assert_eq!(elements(&accept).collect::<Vec<_>>(), ["text/html", "\u{fffd}/json", "application/json"]);
}

/// A malformed member without a comma, which would make it two.
fn malformed() -> impl Strategy<Value = String> {
    "[ -+.-~\t]{0,12}".prop_filter("malformed", |text| MediaRanges::parse(text).is_empty())
}

fn well_formed() -> impl Strategy<Value = String> {
    let range = prop_oneof![Just(JSON), Just(HTML), Just("*/*"), Just("*"), Just("application/*"), Just("image/png")];
    let parameter =
        prop_oneof![Just(String::new()), "; ?q=[01]?\\.[0-9]{1,4}", Just(";x=y".to_owned()), ";charset=(utf-8|latin1)"];
    proptest::collection::vec((range, parameter).prop_map(|(range, parameter)| format!("{range}{parameter}")), 1..4)
        .prop_map(|members| members.join(", "))
}

proptest! {
    #[test]
    fn a_malformed_member_changes_nothing(before in malformed(), members in well_formed(), after in malformed()) {
        // A pair of stray quotes could enclose the members between them.
        let after = after.replace('"', "");
        let alone = MediaRanges::parse(&members);
        let accept = format!("{before}, {members},{after}");
        let among = MediaRanges::parse(&accept);
        for media_type in [JSON, HTML, "image/png"] {
            prop_assert_eq!(alone.weight(media_type), among.weight(media_type), "{}", accept);
        }
        prop_assert_eq!(alone.best(&[JSON, HTML]), among.best(&[JSON, HTML]));
    }

    #[test]
    fn any_quoted_value_is_read_back_unchanged(value in "[ -~\t]{0,30}", more in "[ -~\t]{0,30}") {
        let written = |text: &str| format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""));
        let member = format!("a/b;x={};y={}", written(&value), written(&more));
        let list = format!("{member}, c/d");
        prop_assert_eq!(elements(&list).collect::<Vec<_>>(), [&*member, "c/d"]);
        let read = Parameterised::parse(&member);
        prop_assert_eq!((read.parameter("x"), read.parameter("Y")), (Some(&*value), Some(&*more)));
    }

    #[test]
    fn any_text_is_read(text in "\\PC{0,60}") {
        let ranges = MediaRanges::parse(&text);
        prop_assert!(ranges.weight(JSON) <= MAX_WEIGHT);
        prop_assert!(elements(&text).chain(entity_tags(&text)).all(|part| !part.is_empty() && text.contains(part)));
    }
}

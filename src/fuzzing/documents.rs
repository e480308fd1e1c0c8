//! GraphQL documents: what is fit to execute is a document to the library's parser too, is small, and is fit again just as it
//! is; what is refused is refused shortly; neither takes longer than its size explains.
//!
//! An input is a document, the name of its operation and the JSON of its variables, with NUL between them.

use std::sync::OnceLock;
use std::time::{Duration, Instant};

use axum::body::to_bytes;
use futures_util::FutureExt;
use serde_json::{Map, Value};

use crate::front::request_id::RequestId;
use crate::front::request_json::object;
use crate::graphql::accept::AnswerType;
use crate::graphql::answer::Answer;
use crate::graphql::document::{Documents, Limits, Prepared, RawVariables, RequestError, RequestErrorKind};
use crate::graphql::schema::sdl;

use super::{is_fit_to_tell, print, split_at};

/// What one document may take to be prepared or refused, in an unoptimised build on a busy machine.
const LONGEST: Duration = Duration::from_secs(2);

/// The largest answer to a refused document, in bytes.
const LARGEST_REFUSAL: usize = 8 * 1024;

pub(super) fn holds(input: &[u8]) {
    let (document, rest) = split_at(input, 0);
    let (name, variables) = split_at(rest, 0);
    let (Ok(document), Ok(name)) = (std::str::from_utf8(document), std::str::from_utf8(name)) else { return };
    let name = Some(name).filter(|name| !name.is_empty());
    let variables: RawVariables = object(variables).map(|members| members.into_iter().collect()).unwrap_or_default();

    let started = Instant::now();
    let prepared = served().prepare(document, name, &variables);
    let took = started.elapsed();
    assert!(took < LONGEST, "it took {took:?}");
    let kind = prepared.as_ref().err().map(|errors| errors[0].kind);
    match prepared {
        Ok(prepared) => is_fit(&prepared, name),
        Err(errors) => is_refusal(document, errors),
    }
    // What is too large must not be met without limits.
    if kind != Some(RequestErrorKind::LimitExceeded) {
        let commented = format!("\u{feff},\t# \u{e9} {{\r\n{document}\n# }}");
        let commented = unlimited().prepare(&commented, name, &variables);
        assert_eq!(commented.err().map(|errors| errors[0].kind), kind, "what is ignored changes nothing");
    }
}

/// As it is served.
fn served() -> &'static Documents {
    static SERVED: OnceLock<Documents> = OnceLock::new();
    SERVED.get_or_init(|| with_limits(Limits::default()))
}

/// For operations that are normalised: an interface's fields stand there once for each of its objects.
fn unlimited() -> &'static Documents {
    static UNLIMITED: OnceLock<Documents> = OnceLock::new();
    UNLIMITED.get_or_init(|| {
        with_limits(Limits {
            document_bytes: usize::MAX,
            tokens: usize::MAX,
            aliases: u64::MAX,
            root_fields: u64::MAX,
            directives: u64::MAX,
            expanded_selections: u64::MAX,
            cost: u64::MAX,
            ..Limits::default()
        })
    })
}

fn with_limits(limits: Limits) -> Documents {
    Documents::new(&sdl(), limits, true).expect("the schema that this program exports")
}

fn is_fit(prepared: &Prepared, name: Option<&str>) {
    let (text, fields) = print::operation(&prepared.document);
    assert!(name.is_none() || prepared.operation_name.as_deref() == name);
    // An interface's fields stand there once for each of its objects, of which there are three.
    assert!(fields as u64 <= 3 * Limits::default().expanded_selections, "{fields} fields to execute");
    let library = async_graphql::parser::parse_query(&text);
    assert!(library.is_ok(), "no document to the library: {:?}\n{text}", library.err());
    let variables = values(prepared);
    let again = unlimited().prepare(&text, None, &variables.clone().into());
    let again = again.unwrap_or_else(|refused| panic!("{refused:?}\n{text}"));
    assert_eq!(print::operation(&again.document).0, text, "prepared is prepared");
    for (name, value) in &values(&again) {
        assert_eq!(Some(value), variables.get(name), "coerced is coerced");
    }
}

fn values(prepared: &Prepared) -> Map<String, Value> {
    match serde_json::to_value(&prepared.variables) {
        Ok(Value::Object(values)) => values,
        _ => panic!("variables are an object"),
    }
}

/// What an answer says of it.
fn is_refusal(document: &str, errors: Vec<RequestError>) {
    assert!(!errors.is_empty());
    let lines = document.split(['\n', '\r']).count();
    for place in errors.iter().flat_map(|error| &error.locations) {
        assert!(
            place.line <= lines && place.column <= document.chars().count() + 1,
            "{place:?} is not in the document"
        );
    }
    let answer = Answer { answer_type: AnswerType::GraphqlResponse, request_id: RequestId::random(), conditions: None };
    let body = to_bytes(answer.request_errors(errors).into_body(), usize::MAX).now_or_never();
    let body = body.expect("a body that is there").expect("a whole body");
    assert!(body.len() <= LARGEST_REFUSAL, "a refusal of {} bytes", body.len());
    let body: Value = serde_json::from_slice(&body).expect("JSON");
    assert!(body.get("data").is_none());
    for error in body["errors"].as_array().expect("a list") {
        is_fit_to_tell(error["message"].as_str().expect("a text"));
    }
}

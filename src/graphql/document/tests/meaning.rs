//! That what is let through means what the client wrote.

use async_graphql::{EmptySubscription, Interface, Object, Request, Schema};
use futures_util::FutureExt;
use proptest::prelude::*;

use super::*;

struct Query;
struct Dog;
struct Cat;

/// Anything with a name.
#[derive(Interface)]
#[graphql(field(name = "name", ty = "String"), field(name = "friend", ty = "Box<Pet>"))]
enum Pet {
    Dog(Dog),
    Cat(Cat),
}

#[Object]
impl Dog {
    async fn name(&self) -> String {
        "Rex".to_owned()
    }

    async fn friend(&self) -> Box<Pet> {
        Box::new(Pet::Cat(Cat))
    }

    async fn barks(&self, #[graphql(default = 1)] times: i32) -> i32 {
        times
    }
}

#[Object]
impl Cat {
    async fn name(&self) -> String {
        "Tom".to_owned()
    }

    async fn friend(&self) -> Box<Pet> {
        Box::new(Pet::Dog(Dog))
    }
}

#[Object]
impl Query {
    async fn dog(&self) -> Dog {
        Dog
    }

    async fn pets(&self) -> Vec<Pet> {
        vec![Pet::Dog(Dog), Pet::Cat(Cat)]
    }
}

fn pet_schema() -> Schema<Query, async_graphql::EmptyMutation, EmptySubscription> {
    Schema::new(Query, async_graphql::EmptyMutation, EmptySubscription)
}

/// Executes without waiting: no resolver here ever does.
fn execute(request: Request) -> async_graphql::Response {
    pet_schema().execute(request).now_or_never().unwrap()
}

fn normalised(query: &str, variables: &Value) -> Result<async_graphql::Response, Vec<RequestError>> {
    let documents =
        Documents::new(&pet_schema().sdl(), Limits { aliases: 1_000, directives: 1_000, ..Limits::default() }, true)
            .unwrap();
    let prepared = documents.prepare(query, None, &variables.as_object().unwrap().clone().into())?;
    let mut request = Request::new(String::new()).variables(prepared.variables);
    request.set_parsed_query(prepared.document);
    Ok(execute(request))
}

/// Selections on a type; every alias stands for one call only, so that nothing conflicts.
fn selections(on: &'static str, depth: u32) -> BoxedStrategy<String> {
    let directive = prop_oneof![6 => Just(""), 1 => Just(" @skip(if: $t)"), 1 => Just(" @include(if: $t)"), 1 => Just(" @skip(if: $f)")];
    let leaf = match on {
        "Dog" => prop_oneof![Just("name"), Just("two: barks(times: 2)"), Just("barks(times: $n)"), Just("__typename")]
            .boxed(),
        "Query" => Just("__typename").boxed(),
        _ => prop_oneof![Just("name"), Just("kind: __typename")].boxed(),
    };
    let one = (leaf, directive.clone()).prop_map(|(leaf, directive)| format!("{leaf}{directive}")).boxed();
    let one = if depth == 0 {
        one
    } else {
        let field = match on {
            "Query" => prop_oneof![
                selections("Dog", depth - 1).prop_map(|inner| format!("dog {{ {inner} }}")),
                selections("Pet", depth - 1).prop_map(|inner| format!("pets {{ {inner} }}")),
            ]
            .boxed(),
            _ => selections("Pet", depth - 1).prop_map(|inner| format!("friend {{ {inner} }}")).boxed(),
        };
        let fragment = match on {
            "Pet" => prop_oneof![
                selections("Dog", depth - 1).prop_map(|inner| format!("... on Dog {{ {inner} }}")),
                selections("Cat", depth - 1).prop_map(|inner| format!("... on Cat {{ {inner} }}")),
                selections("Pet", depth - 1).prop_map(|inner| format!("... {{ {inner} }}")),
            ]
            .boxed(),
            _ => selections(on, depth - 1).prop_map(move |inner| format!("... on {on} {{ {inner} }}")).boxed(),
        };
        let with_directive = |what: BoxedStrategy<String>| (what, directive.clone());
        prop_oneof![
            2 => one,
            2 => field,
            1 => with_directive(fragment).prop_map(|(fragment, directive)| fragment.replacen(" {", &format!("{directive} {{"), 1)),
        ]
        .boxed()
    };
    prop::collection::vec(one, 1..4).prop_map(|all| all.join(" ")).boxed()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn a_normalised_document_answers_what_the_original_answers(inner in selections("Query", 4)) {
        let query = format!(
            "query ($t: Boolean!, $f: Boolean! = false, $n: Int) {{ {inner} a: dog @skip(if: $t) {{ barks(times: $n) }} b: dog @skip(if: $f) {{ name }} }}"
        );
        let variables = json!({"t": true, "n": 3});
        let normalised = match normalised(&query, &variables) {
            Ok(normalised) => normalised,
            // Large ones are refused, and conflicts of `barks` never arise, since it has one spelling.
            Err(refused) => {
                prop_assert_eq!(refused[0].kind, RequestErrorKind::LimitExceeded, "{}: {:?}", query, refused);
                return Ok(());
            }
        };
        let original = execute(Request::new(&query).variables(Variables::from_json(variables)));
        prop_assert!(original.errors.is_empty(), "{}: {:?}", query, original.errors);
        prop_assert!(normalised.errors.is_empty(), "{}: {:?}", query, normalised.errors);
        let json = |response: &async_graphql::Response| response.data.clone().into_json().unwrap();
        prop_assert_eq!(json(&normalised), json(&original), "{}", query);
    }
}

#[test]
fn an_object_of_which_everything_is_skipped_is_empty() {
    let answer = |query: &str| normalised(query, &json!({})).unwrap().data.into_json().unwrap();
    assert_eq!(answer("{ dog { name @skip(if: true) } }"), json!({"dog": {}}));
    assert_eq!(answer("{ dog @skip(if: true) { name } }"), json!({}));
    assert_eq!(answer("{ pets { ... on Dog { name } } }"), json!({"pets": [{"name": "Rex"}, {}]}));
}

#[test]
fn keys_come_in_the_order_of_their_first_appearance() {
    let answer =
        normalised("{ pets { kind: __typename ... on Dog { barks } name ... on Cat { x: name } } }", &json!({}))
            .unwrap();
    let text = serde_json::to_string(&answer.data).unwrap();
    assert_eq!(text, r#"{"pets":[{"kind":"Dog","barks":1,"name":"Rex"},{"kind":"Cat","name":"Tom","x":"Tom"}]}"#);
}

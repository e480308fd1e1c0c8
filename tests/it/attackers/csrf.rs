//! Another site's page makes a user's browser call us. Keys travel in `Authorization` alone and there are no cookies; but a
//! browser that once asked its user for a key by Basic's dialog sends it along unasked, so that no request that a page may
//! send without our leave (no preflight) may write anything.

use lc_connections::http::router::RouterOptions;
use reqwest::{Method, RequestBuilder};
use serde_json::json;
use sha2::{Digest, Sha256};

use super::{TABLES, request, see};
use crate::support::app::{Setup, TestApp};
use crate::support::databases::{Database, Kind};
use crate::support::world::World;

const EVIL: &str = "https://evil.example";

/// As a browser sends it for a page of another site.
fn cross_site(app: &TestApp, method: Method, path: &str) -> RequestBuilder {
    let request = request(app, method, path).header("origin", EVIL).header("referer", format!("{EVIL}/"));
    let request = request.header("sec-fetch-site", "cross-site").header("sec-fetch-mode", "no-cors");
    request.basic_auth("", app.key.as_deref())
}

fn mutation(id: &str) -> String {
    format!("mutation {{ repairConnection(input: {{connectionId: \"{id}\"}}) {{ outcome }} }}")
}

fn encoded(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

async fn no_request_that_a_page_may_send_unasked_writes_anything(database: Database) {
    let (app, world) = TestApp::in_world_as_superuser(&database, 6).await;
    let id = &world.missing()[0];
    let mutation = mutation(id);
    let (repair, graphql) = (json!({"connection_id": id}).to_string(), json!({"query": mutation}).to_string());
    let part = |name: &str, text: &str| {
        format!(
            "--x\r\nContent-Disposition: form-data; name=\"{name}\"\r\nContent-Type: application/json\r\n\r\n{text}\r\n"
        )
    };
    let before = database.dump(&TABLES).await;
    let calls = app.simulator.single_calls();

    let content_types = [
        None,
        Some("text/plain"),
        Some("text/plain; charset=UTF-8"),
        Some("text/plain; application/json"),
        Some("text/plain, application/json"),
        Some("text/plain; x=application/json"),
        Some("application/x-www-form-urlencoded"),
        Some("application/x-www-form-urlencoded; application/json"),
        Some("multipart/form-data; boundary=x"),
        Some("multipart/form-data; boundary=\"application/json\""),
        Some("application/jsonx"),
        Some("application/json-patch+json"),
        Some("application/graphql"),
        Some(""),
    ];
    for (path, json, fields) in
        [("/connections", &repair, [("connection_id", id)]), ("/graphql", &graphql, [("query", &mutation)])]
    {
        let [(name, text)] = fields;
        let form = format!("{name}={}", encoded(text));
        // A form's field whose name and value make JSON around the equals sign.
        let json_form = format!("{},\"ignored\":\"=\"}}", json.strip_suffix('}').unwrap());
        let multipart = [part("operations", &graphql), part("map", "{}"), part(name, text), "--x--".into()].concat();
        for content_type in content_types {
            for body in [json, &form, &json_form, &multipart] {
                let mut request = cross_site(&app, Method::POST, path).body(body.clone());
                if let Some(content_type) = content_type {
                    request = request.header("content-type", content_type);
                }
                let seen = see(request).await;
                assert_eq!(seen.status, 415, "{path} {content_type:?}: {seen:?}");
                assert_eq!(seen.header("access-control-allow-origin"), None);
            }
        }
        for (first, second) in [("text/plain", "application/json"), ("application/json", "text/plain")] {
            let twice = cross_site(&app, Method::POST, path).header("content-type", first);
            assert_eq!(see(twice.header("content-type", second).body(json.clone())).await.status, 415, "{path}");
        }
    }

    let hash = Sha256::digest(&mutation).iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"));
    let persisted = encoded(&json!({"persistedQuery": {"version": 1, "sha256Hash": hash}}).to_string());
    let query = encoded(&mutation);
    for (method, path, status) in [
        (Method::GET, format!("/graphql?query={query}"), 405),
        (Method::HEAD, format!("/graphql?query={query}"), 405),
        (Method::GET, format!("/graphql?query={query}&extensions={persisted}"), 405),
        // Known by its hash now, and no better for it.
        (Method::GET, format!("/graphql?extensions={persisted}"), 405),
        (Method::GET, format!("/connections?_method=POST&connection_id={id}"), 200),
        (Method::HEAD, "/connections".into(), 200),
    ] {
        let overridden = cross_site(&app, method.clone(), &path).header("x-http-method-override", "POST");
        assert_eq!(see(overridden).await.status, status, "{method} {path}");
    }
    // What a GET brings as a body is nobody's.
    let with_body = |path| cross_site(&app, Method::GET, path).header("content-type", "application/json");
    assert_eq!(see(with_body("/graphql").body(graphql.clone())).await.status, 400);
    assert_eq!(see(with_body("/connections").body(repair.clone())).await.status, 200);

    assert_eq!(database.dump(&TABLES).await, before);
    assert_eq!(app.simulator.single_calls(), calls, "SSO was not asked for any of them");
    let ours = request(&app, Method::POST, "/connections").header("content-type", "application/json").body(repair);
    assert_eq!(app.send(ours).await.status, 201, "the same repair, as a client of ours sends it");
}

crate::on_both_databases!(no_request_that_a_page_may_send_unasked_writes_anything);

#[tokio::test]
async fn a_page_of_an_unlisted_origin_gets_no_leave_to_send_json() {
    let database = Database::fresh(Kind::Sqlite).await;
    let listed =
        RouterOptions { cors_origins: vec!["https://app.example".parse().unwrap()], ..RouterOptions::default() };
    for (options, refused) in [(RouterOptions::default(), 405), (listed, 200)] {
        let app = TestApp::start_with(&database, Setup { options, ..Setup::default() }).await;
        for path in ["/graphql", "/connections"] {
            for origin in [EVIL, "null", "https://app.example.evil.example", "http://app.example"] {
                let preflight = request(&app, Method::OPTIONS, path).header("origin", origin);
                let preflight = preflight.header("access-control-request-method", "POST");
                let seen = see(preflight.header("access-control-request-headers", "authorization,content-type")).await;
                assert_eq!(seen.status, refused, "{path} {origin}");
                assert_eq!(seen.header("access-control-allow-origin"), None, "{path} {origin}");
                assert_eq!(seen.header("access-control-allow-credentials"), None, "{path} {origin}");
            }
        }
    }
}

#[tokio::test]
async fn a_cookie_or_a_parameter_is_no_credential_and_none_is_ever_set() {
    let database = Database::fresh(Kind::Sqlite).await;
    let world = World::with_connections(3);
    let app = TestApp::start(&database).await.enter_as_superuser(&database, &world).await;
    let key = app.key.clone().unwrap();
    for path in ["/connections", "/graphql?query=%7Bviewer%7BisSuperuser%7D%7D"] {
        let separator = if path.contains('?') { '&' } else { '?' };
        let with_parameters = format!("{path}{separator}access_token={key}&api_key={key}&authorization=Bearer+{key}");
        let cookie = format!("authorization=Bearer {key}; key={key}; session={key}");
        let request = request(&app, Method::GET, &with_parameters).header("cookie", cookie);
        let request = request.header("x-api-key", &key).header("proxy-authorization", format!("Bearer {key}"));
        assert_eq!(see(request).await.status, 401, "{path}");
        let seen = see(app.client.get(format!("{}{path}", app.url)).bearer_auth(&key)).await;
        assert_eq!((seen.status, seen.header("set-cookie")), (200, None), "{path}");
    }
}

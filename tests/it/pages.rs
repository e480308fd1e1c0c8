//! `/graphiql`: a page whose every file comes from this server.

use lc_connections::http::router::RouterOptions;
use reqwest::header::HeaderMap;
use serde_json::{Value, json};

use crate::support::app::{Setup, TestApp};
use crate::support::databases::{Database, Kind};
use crate::support::world::World;

const PAGE: &str = "/graphiql";

async fn app(database: &Database) -> TestApp {
    let options = RouterOptions { graphiql: true, ..RouterOptions::default() };
    TestApp::start_with(database, Setup { options, ..Setup::default() }).await
}

async fn text(app: &TestApp, path: &str) -> (u16, HeaderMap, String) {
    let response = app.client.get(format!("{}{path}", app.url)).send().await.unwrap();
    (response.status().as_u16(), response.headers().clone(), response.text().await.unwrap())
}

/// What stands between quotes behind each `href=` and `src=`, as the browser resolves it from the page.
fn named(html: &str) -> Vec<String> {
    let links = [" href=\"", " src=\""].into_iter().flat_map(|attribute| html.split(attribute).skip(1));
    links.map(|rest| format!("/{}", rest.split('"').next().unwrap())).collect()
}

#[tokio::test]
async fn the_page_and_every_file_it_names_come_with_their_types_and_a_tight_policy() {
    let database = Database::fresh(Kind::Sqlite).await;
    let app = app(&database).await;
    let (_, _, html) = text(&app, PAGE).await;
    let mut paths = named(&html);
    assert_eq!(paths.len(), 8, "{paths:?}");
    paths.push(PAGE.to_owned());
    for path in &paths {
        let (status, headers, body) = text(&app, path).await;
        let expected = match path.rsplit_once('.').map(|(_, extension)| extension) {
            None => "text/html; charset=utf-8",
            Some("js") => "text/javascript; charset=utf-8",
            Some("css") => "text/css; charset=utf-8",
            Some("svg") => "image/svg+xml",
            Some("txt") => "text/plain; charset=utf-8",
            Some(other) => panic!("{other} is a new kind of file"),
        };
        assert_eq!((status, headers["content-type"].to_str().unwrap()), (200, expected), "{path}");
        let policy = headers["content-security-policy"].to_str().unwrap();
        let sources: Vec<&str> = policy.split("; ").flat_map(|directive| directive.split(' ').skip(1)).collect();
        assert!(policy.starts_with("default-src 'none'; "), "{policy}");
        let is_tight = |source: &&str| ["'none'", "'self'"].contains(source) || source.starts_with("'sha256-");
        assert!(sources.iter().all(is_tight), "{policy}");
        assert_eq!(headers["x-content-type-options"], "nosniff");
        assert_eq!(headers["referrer-policy"], "no-referrer");
        assert_eq!(headers["x-frame-options"], "DENY");

        let request = app.client.get(format!("{}{path}", app.url));
        let again = app.send(request.header("if-none-match", &headers["etag"])).await;
        assert_eq!((again.status, &again.headers["etag"]), (304, &headers["etag"]), "{path}");
        let head = app.client.head(format!("{}{path}", app.url)).send().await.unwrap();
        assert_eq!((head.status().as_u16(), &head.headers()["content-type"]), (200, &headers["content-type"]));
        assert_eq!(head.headers()["content-length"], body.len().to_string());
        assert!(head.text().await.unwrap().is_empty());
    }
}

#[tokio::test]
async fn nothing_is_asked_of_another_origin() {
    let database = Database::fresh(Kind::Sqlite).await;
    let app = app(&database).await;
    let (_, _, html) = text(&app, PAGE).await;
    assert!(!html.contains("http:") && !html.contains("https:") && !html.contains("=\"//"), "{html}");
    assert!(!html.contains("<style") && !html.contains(" style="), "a style in the page would need unsafe-inline");
    for script in html.split("<script").skip(1) {
        assert!(script.contains(" src=\"") && script.contains("></script>"), "a script in the page: {script}");
    }
    for path in ["/graphiql/start.js", "/graphiql/page.css", "/graphiql/graphiql.css"] {
        assert!(named(&html).contains(&path.to_owned()), "{path} is not named");
        let (_, _, body) = text(&app, path).await;
        for reach in ["http:", "https:", "url(", "@import", "import(", "\"//"] {
            assert!(!body.contains(reach), "{path} holds {reach}");
        }
    }
}

#[tokio::test]
async fn where_it_is_off_there_is_nothing_at_its_paths() {
    let database = Database::fresh(Kind::Sqlite).await;
    let app = TestApp::start(&database).await;
    let nowhere = app.get("/nowhere").await;
    for path in [PAGE, "/graphiql/", "/graphiql/start.js", "/graphiql/graphiql.js"] {
        let answer = app.get(path).await;
        assert_eq!((answer.status, &answer.body), (404, &nowhere.body), "{path}");
    }
}

#[tokio::test]
async fn the_starter_query_and_what_its_comments_propose_fit_the_schema() {
    let database = Database::fresh(Kind::Sqlite).await;
    let app = app(&database).await;
    let world = World::with_connections(3);
    let caller = app.enter_as_superuser(&database, &world).await;
    let (_, _, script) = text(&app, "/graphiql/start.js").await;
    let starter = script.split("const STARTER = `").nth(1).unwrap().split('`').next().unwrap();
    let answer = caller.graphql(starter, &json!({})).await;
    assert_eq!((answer.status, &answer.body["errors"]), (200, &Value::Null), "{:?}", answer.body);
    assert!(answer.body["data"]["connections"]["nodes"].is_array());

    // What is to be typed is set in further than the words around it.
    let comments: Vec<&str> = starter.lines().skip_while(|line| !line.starts_with("# What to try next")).collect();
    let proposed = |first_word: &str| {
        let lines = comments.iter().map(|line| line.strip_prefix("#    "));
        let lines = lines.skip_while(|line| !line.is_some_and(|line| line.starts_with(first_word)));
        lines.map_while(|line| line).collect::<Vec<_>>().join("\n")
    };
    let filtered = starter.replacen("connections(first: 20)", &proposed("connections("), 1);
    assert!(filtered.contains("status: SSO_ONLY}\n  order"), "{filtered}");
    let answer = caller.graphql(&filtered, &json!({})).await;
    assert_eq!((answer.status, &answer.body["errors"]), (200, &Value::Null), "{:?}", answer.body);

    let answer = caller.graphql(&proposed("mutation"), &json!({})).await;
    assert_eq!((answer.status, &answer.body["errors"]), (200, &Value::Null), "{:?}", answer.body);
    assert!(answer.body["data"]["repairConnection"].is_object());
}

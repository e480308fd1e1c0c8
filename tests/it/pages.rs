//! `/`, `/graphiql` and `/docs`: pages whose every file comes from this server, and what they show.

use lc_connections::http::openapi::{self, Version};
use lc_connections::http::router::RouterOptions;
use reqwest::header::HeaderMap;
use serde_json::{Value, json};

use crate::support::app::{Setup, TestApp, settings};
use crate::support::databases::{Database, Kind};
use crate::support::world::World;

const PAGES: [&str; 3] = ["/", "/graphiql", "/docs"];

async fn app(database: &Database) -> TestApp {
    let options = RouterOptions { graphiql: true, docs: true, metrics: true, ..RouterOptions::default() };
    TestApp::start_with(database, Setup { options, ..Setup::default() }).await
}

async fn text(app: &TestApp, path: &str) -> (u16, HeaderMap, String) {
    let response = app.client.get(format!("{}{path}", app.url)).send().await.unwrap();
    (response.status().as_u16(), response.headers().clone(), response.text().await.unwrap())
}

fn between<'a>(text: &'a str, start: &str, end: char) -> impl Iterator<Item = &'a str> {
    text.split(start).skip(1).map(move |rest| rest.split(end).next().unwrap())
}

/// What a file's name ends with; nothing for a page.
fn extension(path: &str) -> &str {
    path.rsplit_once('.').map_or("", |(_, extension)| extension)
}

/// The page and every file that it needs, as the browser finds them: by the page, its scripts' imports and its style sheets.
async fn files(app: &TestApp, page: &str) -> Vec<String> {
    let (_, _, html) = text(app, page).await;
    let links = between(&html, "<link ", '>').flat_map(|link| between(link, "href=\"", '"'));
    let named = links.chain(between(&html, " src=\"", '"'));
    let mut files: Vec<String> = named.map(|path| format!("/{path}")).collect();
    assert!(!files.is_empty(), "{page} names no file");
    for file in files.clone() {
        let (_, _, body) = text(app, &file).await;
        let folder = file.rsplit_once('/').unwrap().0;
        let imports = between(&body, " from \"./", '"').filter(|_| file.ends_with("/start.js"));
        let pictures = between(&body, "url(", ')').filter(|_| extension(&file) == "css");
        files.extend(imports.chain(pictures).map(|name| format!("{folder}/{name}")));
    }
    files.extend([page.to_owned(), "/favicon.ico".to_owned()]);
    files
}

#[tokio::test]
async fn each_page_and_every_file_it_needs_come_with_their_types_and_a_tight_policy() {
    let database = Database::fresh(Kind::Sqlite).await;
    let app = app(&database).await;
    for page in PAGES {
        for path in files(&app, page).await {
            let (status, headers, body) = text(&app, &path).await;
            let expected = match extension(&path) {
                "" => "text/html; charset=utf-8",
                "js" => "text/javascript; charset=utf-8",
                "css" => "text/css; charset=utf-8",
                "svg" | "ico" => "image/svg+xml",
                "txt" => "text/plain; charset=utf-8",
                other => panic!("{other} is a new kind of file"),
            };
            assert_eq!((status, headers["content-type"].to_str().unwrap()), (200, expected), "{path}");
            assert_is_guarded(&headers);

            let request = app.client.get(format!("{}{path}", app.url));
            let again = app.send(request.header("if-none-match", &headers["etag"])).await;
            assert_eq!((again.status, &again.headers["etag"]), (304, &headers["etag"]), "{path}");
            let head = app.client.head(format!("{}{path}", app.url)).send().await.unwrap();
            assert_eq!((head.status().as_u16(), &head.headers()["content-type"]), (200, &headers["content-type"]));
            assert_eq!(head.headers()["content-length"], body.len().to_string());
            assert!(head.text().await.unwrap().is_empty());
        }
    }
}

fn assert_is_guarded(headers: &HeaderMap) {
    let policy = headers["content-security-policy"].to_str().unwrap();
    let sources: Vec<&str> = policy.split("; ").flat_map(|directive| directive.split(' ').skip(1)).collect();
    assert!(policy.starts_with("default-src 'none'; "), "{policy}");
    let is_tight = |source: &&str| ["'none'", "'self'"].contains(source) || source.starts_with("'sha256-");
    assert!(sources.iter().all(is_tight), "{policy}");
    assert_eq!(headers["x-content-type-options"], "nosniff");
    assert_eq!(headers["referrer-policy"], "no-referrer");
    assert_eq!(headers["x-frame-options"], "DENY");
}

#[tokio::test]
async fn nothing_is_asked_of_another_origin() {
    let database = Database::fresh(Kind::Sqlite).await;
    let app = app(&database).await;
    for page in PAGES {
        let (_, _, html) = text(&app, page).await;
        assert!(!html.contains("http:") && !html.contains("https:") && !html.contains("=\"//"), "{html}");
        assert!(!html.contains("<style") && !html.contains(" style="), "a style in the page would need unsafe-inline");
        for script in html.split("<script").skip(1) {
            assert!(script.contains(" src=\"") && script.contains("></script>"), "a script in the page: {script}");
        }
        for path in files(&app, page).await {
            let is_of_others = ["react.js", "react-dom.js", "graphiql.js", "swagger-ui.js"]
                .iter()
                .any(|name| path.ends_with(&format!("/{name}")));
            if is_of_others || matches!(extension(&path), "txt" | "svg" | "ico") {
                continue;
            }
            let (_, _, body) = text(&app, &path).await;
            for reach in ["http:", "https:", "url(\"", "url(data", "url(/", "@import", "import(", "\"//"] {
                assert!(!body.contains(reach), "{path} holds {reach}");
            }
        }
    }
}

#[tokio::test]
async fn what_is_off_is_nowhere_and_home_does_not_name_it() {
    let database = Database::fresh(Kind::Sqlite).await;
    let settings = lc_connections::app::AppSettings { introspection: false, ..settings() };
    let off = TestApp::start_with(&database, Setup { settings, ..Setup::default() }).await;
    let nowhere = off.get("/nowhere").await;
    let paths = [
        "/graphiql",
        "/graphiql/start.js",
        "/docs",
        "/docs/start.js",
        "/openapi.json",
        "/openapi-3.0.json",
        "/schema.graphql",
    ];
    let (_, _, html) = text(&off, "/").await;
    for path in paths {
        let answer = off.get(path).await;
        assert_eq!((answer.status, &answer.body), (404, &nowhere.body), "{path}");
        assert!(!html.contains(&format!("<code>{path}<")), "{html}");
    }
    assert!(html.contains("<code>/livez<") && !html.contains("<code>/metrics<"), "{html}");

    let on = app(&database).await;
    let (_, _, html) = text(&on, "/").await;
    for path in
        ["/graphiql", "/docs", "/openapi.json", "/openapi-3.0.json", "/schema.graphql", "/livez", "/readyz", "/metrics"]
    {
        assert_eq!(text(&on, path).await.0, 200, "{path}");
        let link = format!("<a href=\"{}\"><code>{path}<", path.trim_start_matches('/'));
        assert!(html.contains(&link), "{link} is not in {html}");
    }
}

#[tokio::test]
async fn home_tells_programs_the_same_in_json() {
    let database = Database::fresh(Kind::Sqlite).await;
    let app = app(&database).await;
    let request = app.client.get(format!("{}/", app.url)).header("accept", "application/json");
    let answer = app.send(request).await;
    assert_eq!((answer.status, &answer.headers["content-type"]), (200, &"application/json".parse().unwrap()));
    assert_eq!(answer.headers["vary"], "Accept");
    assert_is_guarded(&answer.headers);
    assert_eq!(answer.body["name"], "LeadConduit Connections");
    assert_eq!(answer.body["version"], env!("CARGO_PKG_VERSION"));
    let links = answer.body["links"].as_object().unwrap();
    let (_, _, html) = text(&app, "/").await;
    let shown: Vec<&str> = between(&html, "<code>", '<').collect();
    assert_eq!(links.len(), shown.len());
    for path in shown {
        assert!(links.values().any(|link| link == path), "{path} is not in {links:?}");
    }
}

#[tokio::test]
async fn the_descriptions_are_the_exported_ones_and_need_no_key() {
    let database = Database::fresh(Kind::Sqlite).await;
    let app = app(&database).await;
    for (path, content_type, exported) in [
        ("/openapi.json", "application/json", openapi::json(Version::V3_1)),
        ("/openapi-3.0.json", "application/json", openapi::json(Version::V3_0)),
        ("/schema.graphql", "text/plain; charset=utf-8", lc_connections::graphql::schema::sdl()),
    ] {
        let (status, headers, body) = text(&app, path).await;
        assert_eq!((status, headers["content-type"].to_str().unwrap()), (200, content_type));
        assert_is_guarded(&headers);
        assert!(body == exported, "{path}");
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

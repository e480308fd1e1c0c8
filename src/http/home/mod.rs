//! `/`: what is here, for people and for programs, and `/schema.graphql`, which has no page of its own. Only what is on
//! is named.

use axum::Router;
use axum::routing::get;
use http::header::{ACCEPT, VARY};
use http::{HeaderMap, HeaderValue};
use serde_json::{Map, json};

use super::files::{self, File, HTML, JSON, NOTHING, TEXT, embedded};
use crate::front::negotiate::{MediaRanges, combined};
use crate::graphql::schema::sdl;

const POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self'; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const NAME: &str = "LeadConduit Connections";
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// What of the server is on.
#[derive(Debug, Clone, Copy)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
pub(super) struct Contents {
    pub graphiql: bool,
    pub docs: bool,
    /// Whether the GraphQL schema is shown.
    pub schema: bool,
    /// Whether metrics are answered here, and not at an address of their own.
    pub metrics: bool,
}

/// What is at a path, under its name among JSON's links.
struct Entry {
    name: &'static str,
    path: &'static str,
    about: &'static str,
}

/// A heading and what stands under it.
struct Section {
    heading: &'static str,
    /// Whether a browser that follows a link finds something.
    are_links: bool,
    entries: Vec<Entry>,
}

fn section<const N: usize>(
    heading: &'static str,
    are_links: bool,
    entries: [(bool, &'static str, &'static str, &'static str); N],
) -> Section {
    let is_on = entries.into_iter().filter(|(is_on, ..)| *is_on);
    let entries = is_on.map(|(_, name, path, about)| Entry { name, path, about }).collect();
    Section { heading, are_links, entries }
}

impl Contents {
    fn sections(self) -> [Section; 3] {
        let read_and_try = [
            (self.docs, "docs", "/docs", "The REST routes, to read and to try."),
            (self.docs, "openapi", "/openapi.json", "Their description for tools, OpenAPI 3.1."),
            (self.docs, "openapi_3_0", "/openapi-3.0.json", "The same for tools that read OpenAPI 3.0."),
            (
                self.graphiql,
                "graphiql",
                "/graphiql",
                "An editor for GraphQL queries, with completion and documentation.",
            ),
            (self.schema, "schema", "/schema.graphql", "The GraphQL schema, for tools."),
        ];
        let call = [
            (true, "connections", "/connections", "The reconciled list, by REST."),
            (true, "graphql", "/graphql", "The same and more, by GraphQL."),
        ];
        let watch = [
            (true, "livez", "/livez", "Whether the process runs."),
            (true, "readyz", "/readyz", "Whether it should be sent requests."),
            (self.metrics, "metrics", "/metrics", "What it has counted, for Prometheus."),
        ];
        [
            section("Read and try", true, read_and_try),
            section("Call with an API key", false, call),
            section("Watch", true, watch),
        ]
    }

    fn json(self) -> String {
        let entries = self.sections().into_iter().flat_map(|section| section.entries);
        let links: Map<_, _> = entries.map(|entry| (entry.name.to_owned(), json!(entry.path))).collect();
        json!({"name": NAME, "version": VERSION, "links": links}).to_string()
    }

    fn html(self) -> String {
        let sections: String = self.sections().iter().map(Section::html).collect();
        format!(
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{NAME}</title>\n\
             <link rel=\"stylesheet\" href=\"home/page.css\">\n</head>\n<body>\n\
             <header><h1>{NAME}</h1><p>An account's reconciled list of LeadConduit connections, over GraphQL and REST. \
             Version {VERSION}.</p></header>\n<main>\n{sections}</main>\n</body>\n</html>\n"
        )
    }
}

impl Section {
    fn html(&self) -> String {
        if self.entries.is_empty() {
            return String::new();
        }
        let items: String = self.entries.iter().map(|entry| self.item(entry)).collect();
        format!("<section><h2>{}</h2>\n<ul>\n{items}</ul></section>\n", self.heading)
    }

    fn item(&self, Entry { path, about, .. }: &Entry) -> String {
        let text = format!("<code>{path}</code> {about}");
        if self.are_links {
            // Relative, so that the page works behind a proxy that puts something in front of the paths.
            format!("<li><a href=\"{}\">{text}</a></li>\n", path.trim_start_matches('/'))
        } else {
            format!("<li><p>{text}</p></li>\n")
        }
    }
}

/// The page, its files, and the schema where it is shown. Without authentication.
pub(super) fn routes(contents: Contents) -> Router {
    let html = File::new("/", HTML, contents.html());
    let json = File::new("/", JSON, contents.json());
    let home = get(async move |request: HeaderMap| {
        let file = if prefers_json(&request) { &json } else { &html };
        let mut response = file.answer(POLICY, &request);
        response.headers_mut().insert(VARY, HeaderValue::from_static("Accept"));
        response
    });
    let page = [
        embedded!("/home/page.css", STYLE, "page.css"),
        // Browsers ask for it beside whatever is no page with an icon of its own, like /livez.
        embedded!("/favicon.ico", PICTURE, "../assets/icon.svg"),
    ];
    let schema = contents.schema.then(|| File::new("/schema.graphql", TEXT, sdl()));
    Router::new().route("/", home).merge(files::routes(page, POLICY)).merge(files::routes(schema, NOTHING))
}

/// Whether `Accept` weighs JSON above HTML. Who names neither is a person until proven otherwise.
fn prefers_json(request: &HeaderMap) -> bool {
    let accept = combined(request, &ACCEPT).unwrap_or_default();
    let ranges = MediaRanges::parse(&accept);
    ranges.weight("application/json") > ranges.weight("text/html")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prefers_json_by(accept: &'static str) -> bool {
        prefers_json(&HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static(accept))]))
    }

    #[test]
    fn programs_that_say_so_get_json_and_everyone_else_the_page() {
        for accept in [
            "application/json",
            "application/json, */*;q=0.5",
            "text/html;q=0.8, application/json",
            "APPLICATION/JSON; charset=utf-8",
            "application/*",
        ] {
            assert!(prefers_json_by(accept), "{accept}");
        }
        for accept in [
            "",
            "*/*",
            "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
            "application/json;q=0.5, text/html",
            "application/json, text/html",
            "application/json;q=x",
            "text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2",
            "nonsense, text/html;q=.5, application/json;q=.4",
            "text/plain",
        ] {
            assert!(!prefers_json_by(accept), "{accept}");
        }
        assert!(!prefers_json(&HeaderMap::new()));
    }
}

//! `/graphiql`: the GraphiQL IDE as a page whose every file is in the executable, so that it works without any other
//! server. `assets/README.md` says where the files come from.

use axum::Router;
use axum::body::Bytes;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
    X_FRAME_OPTIONS,
};
use http::{HeaderMap, HeaderValue, StatusCode};

use crate::front::validator::Validator;

/// Only files of this server, and no other reach than its `/graphql`. CodeMirror and React set styles through the CSSOM,
/// which needs no `unsafe-inline`. The digest is that of the one style sheet which the library makes at run time: it keeps
/// what is behind an open dialog from scrolling.
const POLICY: &str = "default-src 'none'; script-src 'self'; \
                      style-src 'self' 'sha256-nzTgYzXYDNe6BAHiiI7NNlfK8n/auuOAhh2t92YvuXo='; \
                      img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

struct File {
    path: &'static str,
    content_type: &'static str,
    content: &'static [u8],
}

const HTML: &str = "text/html; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const STYLE: &str = "text/css; charset=utf-8";
const PICTURE: &str = "image/svg+xml";
const TEXT: &str = "text/plain; charset=utf-8";

macro_rules! file {
    ($path:literal, $content_type:ident, $file:literal) => {
        File { path: $path, content_type: $content_type, content: include_bytes!(concat!("assets/", $file)) }
    };
}

static FILES: &[File] = &[
    file!("/graphiql", HTML, "page.html"),
    file!("/graphiql/page.css", STYLE, "page.css"),
    file!("/graphiql/start.js", SCRIPT, "start.js"),
    file!("/graphiql/icon.svg", PICTURE, "icon.svg"),
    file!("/graphiql/react.js", SCRIPT, "vendor/react.js"),
    file!("/graphiql/react-dom.js", SCRIPT, "vendor/react-dom.js"),
    file!("/graphiql/graphiql.js", SCRIPT, "vendor/graphiql.js"),
    file!("/graphiql/graphiql.css", STYLE, "vendor/graphiql.css"),
    file!("/graphiql/LICENCES.txt", TEXT, "vendor/LICENCES.txt"),
];

/// The page and its files, without authentication: the page asks for a key itself.
pub(super) fn routes() -> Router {
    FILES.iter().fold(Router::new(), |router, file| {
        let validator = Validator::of(file.content);
        router.route(file.path, get(async move |request: HeaderMap| answer(file, &validator, &request)))
    })
}

/// May be kept as long as it is asked for again each time, so that a new version shows at once.
fn answer(file: &'static File, validator: &Validator, request: &HeaderMap) -> Response {
    let mut response = if validator.matches(request) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        ([(CONTENT_TYPE, file.content_type)], Bytes::from_static(file.content)).into_response()
    };
    let headers = response.headers_mut();
    headers.insert(ETAG, validator.header());
    for (name, value) in [
        (CACHE_CONTROL, "no-cache"),
        (CONTENT_SECURITY_POLICY, POLICY),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (REFERRER_POLICY, "no-referrer"),
        (X_FRAME_OPTIONS, "DENY"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

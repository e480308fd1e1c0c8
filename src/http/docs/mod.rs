//! `/docs`: the REST reference, a page whose every file is in the executable, `/openapi.json`, which it shows, and
//! `/openapi-3.0.json`, the same for tools.
//! `assets/README.md` says where the files come from.

use axum::Router;

use super::files::{self, File, JSON, NOTHING, embedded};
use super::openapi::{self, Version};

/// Only files of this server, and no other reach than its routes. Swagger UI sets styles through the CSSOM, which needs no
/// `unsafe-inline`.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The page with its files, and what it describes, without authentication: the page asks for a key itself.
pub(super) fn routes() -> Router {
    let page = [
        embedded!("/docs", HTML, "assets/page.html"),
        embedded!("/docs/page.css", STYLE, "assets/page.css"),
        embedded!("/docs/start.js", SCRIPT, "assets/start.js"),
        embedded!("/docs/bar.css", STYLE, "../assets/bar.css"),
        embedded!("/docs/key.js", SCRIPT, "../assets/key.js"),
        embedded!("/docs/icon.svg", PICTURE, "../assets/icon.svg"),
        embedded!("/docs/swagger-ui.js", SCRIPT, "assets/vendor/swagger-ui.js"),
        embedded!("/docs/swagger-ui.css", STYLE, "assets/vendor/swagger-ui.css"),
        embedded!("/docs/picture-1.svg", PICTURE, "assets/vendor/picture-1.svg"),
        embedded!("/docs/picture-2.svg", PICTURE, "assets/vendor/picture-2.svg"),
        embedded!("/docs/picture-3.svg", PICTURE, "assets/vendor/picture-3.svg"),
        embedded!("/docs/picture-4.svg", PICTURE, "assets/vendor/picture-4.svg"),
        embedded!("/docs/picture-5.svg", PICTURE, "assets/vendor/picture-5.svg"),
        embedded!("/docs/picture-6.svg", PICTURE, "assets/vendor/picture-6.svg"),
        embedded!("/docs/picture-7.svg", PICTURE, "assets/vendor/picture-7.svg"),
        embedded!("/docs/picture-8.svg", PICTURE, "assets/vendor/picture-8.svg"),
        embedded!("/docs/picture-9.svg", PICTURE, "assets/vendor/picture-9.svg"),
        embedded!("/docs/picture-10.svg", PICTURE, "assets/vendor/picture-10.svg"),
        embedded!("/docs/LICENCES.txt", TEXT, "assets/vendor/LICENCES.txt"),
    ];
    let descriptions = [
        File::new("/openapi.json", JSON, openapi::json(Version::V3_1)),
        File::new("/openapi-3.0.json", JSON, openapi::json(Version::V3_0)),
    ];
    files::routes(page, POLICY).merge(files::routes(descriptions, NOTHING))
}

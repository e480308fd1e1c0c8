//! `/graphiql`: the GraphiQL IDE as a page whose every file is in the executable, so that it works without any other
//! server. `assets/README.md` says where the files come from.

use axum::Router;

use super::files::{self, embedded};

/// Only files of this server, and no other reach than its `/graphql`. CodeMirror and React set styles through the CSSOM,
/// which needs no `unsafe-inline`. The digest is that of the one style sheet which the library makes at run time: it keeps
/// what is behind an open dialog from scrolling.
const POLICY: &str = "default-src 'none'; script-src 'self'; \
                      style-src 'self' 'sha256-nzTgYzXYDNe6BAHiiI7NNlfK8n/auuOAhh2t92YvuXo='; \
                      img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The page and its files, without authentication: the page asks for a key itself.
pub(super) fn routes() -> Router {
    let page = [
        embedded!("/graphiql", HTML, "assets/page.html"),
        embedded!("/graphiql/page.css", STYLE, "assets/page.css"),
        embedded!("/graphiql/start.js", SCRIPT, "assets/start.js"),
        embedded!("/graphiql/bar.css", STYLE, "../assets/bar.css"),
        embedded!("/graphiql/key.js", SCRIPT, "../assets/key.js"),
        embedded!("/graphiql/icon.svg", PICTURE, "../assets/icon.svg"),
        embedded!("/graphiql/react.js", SCRIPT, "assets/vendor/react.js"),
        embedded!("/graphiql/react-dom.js", SCRIPT, "assets/vendor/react-dom.js"),
        embedded!("/graphiql/graphiql.js", SCRIPT, "assets/vendor/graphiql.js"),
        embedded!("/graphiql/graphiql.css", STYLE, "assets/vendor/graphiql.css"),
        embedded!("/graphiql/LICENCES.txt", TEXT, "assets/vendor/LICENCES.txt"),
    ];
    files::routes(page, POLICY)
}

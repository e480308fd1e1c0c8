//! Files that are in the executable, and how pages made of them are answered: with their type, a validator, and a policy
//! that keeps the browser from reaching anything else.

use axum::Router;
use axum::body::Bytes;
use axum::response::Response;
use axum::routing::get;
use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY};
use http::{HeaderMap, HeaderValue};
use http_server::StaticBody;

use crate::front::validator::Validator;

/// Media types.
pub(super) const HTML: &str = "text/html; charset=utf-8";
pub(super) const JSON: &str = "application/json";
pub(super) const PICTURE: &str = "image/svg+xml";
pub(super) const SCRIPT: &str = "text/javascript; charset=utf-8";
pub(super) const STYLE: &str = "text/css; charset=utf-8";
pub(super) const TEXT: &str = "text/plain; charset=utf-8";

/// A `Content-Security-Policy` for what loads nothing.
pub(super) const NOTHING: &str = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// A file at a path. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct File {
    path: &'static str,
    content_type: &'static str,
    content: Bytes,
    validator: Validator,
}

impl File {
    pub(super) fn new(path: &'static str, content_type: &'static str, content: impl Into<Bytes>) -> Self {
        let content = content.into();
        Self { path, content_type, validator: Validator::of(&content), content }
    }

    /// The file, or that the client has it. It may be kept as long as it is asked for again each time, so that a new
    /// version shows at once.
    pub(super) fn answer(&self, policy: &'static str, request: &HeaderMap) -> Response {
        let content_type = HeaderValue::from_static(self.content_type);
        let mut response = self.validator.clone().answer(content_type, self.content.clone(), request);
        response.extensions_mut().insert(StaticBody);
        let headers = response.headers_mut();
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
        response
    }
}

/// A file of the source tree, by its path from the module that names it.
macro_rules! embedded {
    ($path:literal, $content_type:ident, $file:literal) => {
        $crate::http::files::File::new($path, $crate::http::files::$content_type, &include_bytes!($file)[..])
    };
}
pub(super) use embedded;

/// A route for each, without authentication.
pub(super) fn routes(files: impl IntoIterator<Item = File>, policy: &'static str) -> Router {
    files.into_iter().fold(Router::new(), |router, file| {
        router.route(file.path, get(async move |request: HeaderMap| file.answer(policy, &request)))
    })
}

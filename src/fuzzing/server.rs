//! The whole server: whatever is asked of it, over a database and an SSO that are well, is answered in the contract's form
//! and never with a defect of ours. What is fit to execute is executed here.
//!
//! An input is a request as HTTP/1.1 would have it: `METHOD path`, headers, an empty line, the body. Without `authorization`
//! it is a superuser's.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, HeaderValue, Request, StatusCode, header};
use serde_json::Value;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tower::ServiceExt;

use crate::api_error::ErrorCode;
use crate::cli::{demo, serve};
use crate::clock::Clock;
use crate::config::Config;
use crate::front::request_id::X_REQUEST_ID;
use crate::sso::simulator::{SAMPLE, Simulator, parse_data};
use crate::store::Store;

use super::{headers, is_fit_to_tell, split_at};

/// What one request may take, in an unoptimised build on a busy machine.
const LONGEST: Duration = Duration::from_secs(5);

pub(super) fn holds(input: &[u8]) {
    let (head, body) = match input.windows(2).position(|two| two == b"\n\n") {
        Some(at) => (&input[..at], &input[at + 2..]),
        None => (input, &[][..]),
    };
    let (line, lines) = split_at(head, b'\n');
    let (method, path) = split_at(line, b' ');
    let Ok(mut request) = Request::builder().method(method).uri(path).body(Body::from(body.to_vec())) else { return };
    *request.headers_mut() = headers::headers(lines);
    SERVER.with(|server| server.answers(request));
}

thread_local! {
    /// Removed with its thread.
    static FOLDER: TempDir = tempfile::tempdir().expect("a folder");
    /// Never dropped: a runtime cannot be, where threads end.
    static SERVER: &'static Server = Box::leak(Box::new(FOLDER.with(Server::start)));
}

struct Server {
    runtime: Runtime,
    router: Router,
    superuser: HeaderValue,
    codes: HashSet<&'static str>,
}

impl Server {
    /// Over the demo's world.
    fn start(folder: &TempDir) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let (router, superuser) = runtime.block_on(async {
            // It fails only if a provider is there already.
            let _ = rustls::crypto::ring::default_provider().install_default();
            let database = format!("sqlite://{}/fuzzing.db?mode=rwc", folder.path().display());
            let store = Store::connect(&database.into(), 1).await.expect("a database");
            let clock = Clock::default();
            let keys = demo::fill(&store, &clock).await.expect("the demo's world");
            let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
            let sso = format!("http://{}/", listener.local_addr().expect("an address"));
            Simulator::new(parse_data(SAMPLE).expect("the sample")).spawn(listener);
            let variables = |name: &str| match name {
                "SSO_URL" => Some(sso.clone().into()),
                "SSO_TOKEN" => Some("fuzzing".into()),
                // As long as a request may take here: how it is without SSO is for other tests.
                "SSO_TIMEOUT_MS" => Some("5000".into()),
                _ => None,
            };
            let config = Config::of_variables(&variables).expect("a configuration");
            let app = serve::application(&config, &store, &clock).expect("an application");
            let router = serve::routes(&config, &app, Router::new()).expect("all routes");
            (router, format!("Bearer {}", keys.superuser))
        });
        let defects = [ErrorCode::Internal, ErrorCode::Unavailable, ErrorCode::SsoUnavailable];
        let codes =
            ErrorCode::ALL.iter().filter(|code| !defects.contains(code)).map(|code| code.facts().code).collect();
        Self { runtime, router, superuser: superuser.parse().expect("visible ASCII"), codes }
    }

    fn answers(&self, mut request: Request<Body>) {
        let headers = request.headers_mut();
        headers.entry(header::HOST).or_insert(HeaderValue::from_static("localhost"));
        headers.entry(header::AUTHORIZATION).or_insert_with(|| self.superuser.clone());
        let path = request.uri().path().to_owned();
        let is_readable = !request.headers().contains_key(header::ACCEPT_ENCODING);
        let started = Instant::now();
        let (status, headers, body) = self.runtime.block_on(async {
            let response = self.router.clone().oneshot(request).await.expect("an answer, whatever it is");
            let (parts, body) = response.into_parts();
            (parts.status, parts.headers, to_bytes(body, usize::MAX).await.expect("a whole answer"))
        });
        let took = started.elapsed();
        assert!(took < LONGEST, "it took {took:?}");
        assert!(headers.contains_key(X_REQUEST_ID));
        let body = String::from_utf8_lossy(&body);
        assert!(!status.is_server_error(), "{status} {body}");
        if is_readable && !body.is_empty() && is_json(&headers) {
            let body: Value = serde_json::from_str(&body).expect("JSON, as it says");
            self.is_of_form(&path, status, &body);
        }
    }

    fn is_of_form(&self, path: &str, status: StatusCode, body: &Value) {
        // What no front end saw is answered as by REST.
        let is_routed = status != StatusCode::METHOD_NOT_ALLOWED || body.get("errors").is_some();
        if path == "/graphql" && is_routed {
            assert!(body.get("data").is_some() || body["errors"].is_array());
            for error in body["errors"].as_array().unwrap_or(&Vec::new()) {
                is_fit_to_tell(error["message"].as_str().expect("a text"));
                let code = error["extensions"]["code"].as_str().expect("a code");
                assert!(self.codes.contains(code), "{code}: {body}");
                assert!(error["extensions"]["requestId"].is_string());
            }
        } else if status.is_client_error() {
            assert_eq!(body.as_object().map(serde_json::Map::len), Some(1));
            is_fit_to_tell(body["error"].as_str().expect("a text"));
        }
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    content_type.is_some_and(|content_type| content_type.contains("json"))
}

//! What tests stand on: databases, the running application, random worlds.

pub mod app;
pub mod authority;
pub mod binary;
pub mod careful;
pub mod cluster;
pub mod databases;
pub mod description;
pub mod json_texts;
pub mod projection;
pub mod proxy;
pub mod raw_http;
pub mod raw_sso;
pub mod server;
pub mod slow;
pub mod sso_faults;
pub mod world;

/// A client of our own server, whatever proxy the environment names.
pub fn plain_client() -> reqwest::Client {
    client().http1_only().build().unwrap()
}

/// The same over HTTP/2, which it begins without asking.
pub fn http_2_client() -> reqwest::Client {
    client().http2_prior_knowledge().build().unwrap()
}

/// Of either protocol.
pub fn client() -> reqwest::ClientBuilder {
    // The error says that another test has installed it.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().no_proxy()
}

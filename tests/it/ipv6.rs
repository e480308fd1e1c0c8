//! The real binary where everything has an IPv6 address: it listens there, asks SSO there, and keeps its metrics there.

use std::net::TcpListener;
use std::process::Stdio;

use lc_connections::sso::simulator::{Simulator, parse_data};
use secrecy::ExposeSecret;

use crate::support::binary::{Running, curl, free_port, program, superuser_key};
use crate::support::cluster::Cluster;
use crate::support::world::World;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn server_works_with_ipv6_addresses_alone() {
    let cluster = Cluster::start().await;
    let database = cluster.database().await;
    let world = World::with_connections(4);
    database.execute(&world.sql()).await;
    let key = superuser_key(&database, world.caller()).await;
    let sso = Simulator::new(parse_data(&serde_json::json!(world.listed).to_string()).unwrap());
    let listener = tokio::net::TcpListener::bind("[::1]:0").await.unwrap();
    let sso_url = format!("http://{}/", listener.local_addr().unwrap());
    sso.spawn(listener);
    let (port, admin) = (free_port(), free_port());
    assert!(TcpListener::bind(("::1", port)).is_ok() && TcpListener::bind(("::1", admin)).is_ok());

    let (address, admin) = (format!("[::1]:{port}"), format!("[::1]:{admin}"));
    let mut serve = program(&["serve", "--listen", &address, "--admin-listen", &admin]);
    serve.env("DATABASE_URL", database.url.expose_secret()).env("TRUSTED_PROXIES", "::1/128");
    serve.env("SSO_URL", &sso_url).env("SSO_TOKEN", "token").env("LOG_FORMAT", "json").stderr(Stdio::piped());
    let server = Running(serve.spawn().unwrap());
    let told = tokio::task::spawn_blocking(move || {
        let ready = format!("curl -sf --retry-connrefused --retry 60 --retry-delay 1 'http://{admin}/readyz'");
        assert!(curl(&ready).1.contains("ready"), "it is ready");
        let list = format!("curl -si -H 'X-Forwarded-For: 2001:db8::9' -u :{key} 'http://{address}/connections'");
        let answer = curl(&list).1;
        assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("\"permissions\":["), "{answer}");
        assert!(!answer.to_lowercase().contains("x-connections-degraded"), "{answer}");
        assert!(curl(&format!("curl -sf 'http://{admin}/metrics'")).1.contains("sso_requests_total{outcome=\"ok\"} 1"));
        server.terminate()
    });
    let (code, log) = told.await.unwrap();
    assert_eq!(code, 0, "{log}");
}

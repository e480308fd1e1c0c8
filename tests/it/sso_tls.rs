//! SSO behind TLS, with the real binary: it trusts the system's authorities, and tells in one line why it does not trust.

use std::fs;
use std::process::Stdio;
use std::sync::{Arc, Mutex};

use lc_connections::sso::simulator::{Simulator, parse_data};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use crate::support::authority::{Authority, Identity, VALID};
use crate::support::binary::{free_port, program, run, serve_world};
use crate::support::databases::{Database, Kind};
use crate::support::plain_client;
use crate::support::world::World;

const TOKEN: &str = "sso-token-that-nobody-may-see";
const FOREIGN_NAME: &str = "name-in-the-certificate.example";

/// In front of a server without TLS. Its certificate can be changed.
struct Front {
    port: u16,
    identity: Arc<Mutex<TlsAcceptor>>,
}

impl Front {
    async fn of(behind: String, identity: &Identity) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let current = Arc::new(Mutex::new(TlsAcceptor::from(identity.server())));
        let identity = Arc::clone(&current);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (acceptor, behind) = (current.lock().unwrap().clone(), behind.clone());
                tokio::spawn(async move {
                    if let Ok(mut stream) = acceptor.accept(stream).await {
                        let mut behind = TcpStream::connect(behind).await.unwrap();
                        let _ = tokio::io::copy_bidirectional(&mut stream, &mut behind).await;
                    }
                });
            }
        });
        Self { port, identity }
    }

    fn show(&self, identity: &Identity) {
        *self.identity.lock().unwrap() = TlsAcceptor::from(identity.server());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rejected_certificate_is_logged_in_one_line_and_a_trusted_one_is_used() {
    let database = Database::fresh(Kind::Sqlite).await;
    let world = World::with_connections(4);
    let sso = Simulator::new(parse_data(&serde_json::json!(world.listed).to_string()).unwrap());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let behind = listener.local_addr().unwrap().to_string();
    sso.spawn(listener);
    let (authority, stranger) = (Authority::new("ours"), Authority::new("a stranger"));
    let folder = tempfile::tempdir().unwrap();
    let roots = folder.path().join("roots.pem");
    fs::write(&roots, authority.certificate.pem()).unwrap();
    let front = Front::of(behind, &stranger.identity(&["127.0.0.1"], VALID)).await;
    let log = tempfile::NamedTempFile::new().unwrap();
    let settings = [
        ("SSL_CERT_FILE", roots.to_str().unwrap()),
        ("SSO_MAX_AGE_MS", "0"),
        ("SSO_CIRCUIT_FAILURES", "0"),
        ("SSO_TIMEOUT_MS", "20000"),
        ("SSO_TOKEN", TOKEN),
        ("RUST_LOG", "debug"),
    ];
    let url = format!("https://127.0.0.1:{}", front.port);
    let to_log = Stdio::from(fs::File::create(log.path()).unwrap());
    let (_server, base, key) = serve_world(&database, &world, &url, &settings, to_log).await;
    let http = plain_client();
    let is_degraded = async || {
        let answer = http.get(format!("{base}/connections")).basic_auth("", Some(&key)).send().await.unwrap();
        assert_eq!(answer.status(), 200);
        answer.headers().contains_key("x-connections-degraded")
    };
    let mut seen = 0;
    for (identity, reason) in [
        (stranger.identity(&["127.0.0.1"], VALID), "UnknownIssuer"),
        (authority.identity(&["127.0.0.1"], (2000, 2001)), "certificate expired: verification time "),
        (authority.identity(&[FOREIGN_NAME], VALID), "certificate not valid for name "),
    ] {
        front.show(&identity);
        assert!(is_degraded().await);
        let text = fs::read_to_string(log.path()).unwrap();
        let told: Vec<&str> = text.lines().skip(seen).filter(|line| line.contains("certificate")).collect();
        assert_eq!(told.len(), 1, "{told:?}");
        let line: serde_json::Value = serde_json::from_str(told[0]).unwrap();
        let detail = line["detail"].as_str().unwrap();
        assert!(detail.starts_with(&format!("connect: TLS: invalid peer certificate: {reason}")), "{line}");
        assert_eq!((&line["level"], &line["sso.outcome"]), (&"WARN".into(), &"connect_failed".into()), "{line}");
        seen = text.lines().count();
    }
    front.show(&authority.identity(&["127.0.0.1"], VALID));
    assert!(!is_degraded().await, "a good certificate is good");
    let text = fs::read_to_string(log.path()).unwrap();
    for secret in [TOKEN, FOREIGN_NAME, &url] {
        assert!(!text.contains(secret), "{secret}");
    }
}

#[test]
fn missing_root_certificates_print_the_remedy() {
    let folder = tempfile::tempdir().unwrap();
    let database = format!("sqlite://{}/lc.db?mode=rwc", folder.path().display());
    let mut serve = program(&["serve", "--migrate", "--listen", &format!("127.0.0.1:{}", free_port())]);
    serve.env("DATABASE_URL", database).env("SSO_URL", "https://sso.invalid").env("SSO_TOKEN", TOKEN);
    let (code, _, told) = run(serve.env("SSL_CERT_FILE", folder.path().join("none.pem")));
    let errors: Vec<&str> = told.lines().filter(|line| line.starts_with("error: ")).collect();
    assert!(code == 1 && errors.len() == 1, "{told}");
    assert!(errors[0].contains("no root certificates are found") && errors[0].contains("SSL_CERT_FILE"), "{told}");
    assert!(!told.contains(TOKEN), "{told}");
}

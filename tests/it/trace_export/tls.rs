//! A collector behind TLS: a private certificate authority, and client certificates.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::crypto::ring;
use rustls::pki_types::PrivateKeyDer;
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, ServerConnection, StreamOwned};

use super::{Exporting, with_message};
use crate::support::binary::{program, run};

/// A certificate authority, and the files that a client of its collector needs.
struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    folder: tempfile::TempDir,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new([]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("roots.pem"), issuer.pem()).unwrap();
        let key = KeyPair::generate().unwrap();
        let certificate =
            CertificateParams::new(["client.example".to_owned()]).unwrap().signed_by(&key, &issuer).unwrap();
        std::fs::write(folder.path().join("client.pem"), certificate.pem()).unwrap();
        std::fs::write(folder.path().join("client.key"), key.serialize_pem()).unwrap();
        std::fs::write(folder.path().join("other.key"), KeyPair::generate().unwrap().serialize_pem()).unwrap();
        Self { issuer, folder }
    }

    fn file(&self, name: &str) -> String {
        path(self.folder.path(), name)
    }

    /// The URL of a collector that requires the authority's client certificates, and for each connection whether it
    /// brought an export.
    fn collector(&self) -> (String, Receiver<bool>) {
        let key = KeyPair::generate().unwrap();
        let certificate =
            CertificateParams::new(["127.0.0.1".to_owned()]).unwrap().signed_by(&key, &self.issuer).unwrap();
        let mut roots = RootCertStore::empty();
        roots.add(self.issuer.der().clone()).unwrap();
        let provider = Arc::new(ring::default_provider());
        let clients = WebPkiClientVerifier::builder_with_provider(roots.into(), provider.clone()).build().unwrap();
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_client_cert_verifier(clients)
            .with_single_cert(vec![certificate.der().clone()], PrivateKeyDer::try_from(key.serialize_der()).unwrap())
            .unwrap();
        let (config, listener) = (Arc::new(config), TcpListener::bind("127.0.0.1:0").unwrap());
        let url = format!("https://{}", listener.local_addr().unwrap());
        let (took, taken) = channel();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let connection = ServerConnection::new(config.clone()).unwrap();
                let export = take(StreamOwned::new(connection, stream.unwrap()));
                let _ = took.send(export.is_ok_and(|path| path == "/v1/traces"));
            }
        });
        (url, taken)
    }
}

fn path(folder: &Path, name: &str) -> String {
    folder.join(name).to_str().unwrap().to_owned()
}

/// Reads a request, responds to it, and gives its path.
fn take(stream: impl Read + Write) -> std::io::Result<String> {
    let mut stream = BufReader::new(stream);
    let (mut head, mut length) = (Vec::new(), 0);
    loop {
        let mut line = String::new();
        stream.read_line(&mut line)?;
        if line.trim().is_empty() {
            break;
        }
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        head.push(line);
    }
    stream.read_exact(&mut vec![0; length])?;
    stream.get_mut().write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")?;
    stream.get_mut().flush()?;
    Ok(head.first().and_then(|line| line.split(' ').nth(1)).unwrap_or_default().to_owned())
}

#[tokio::test]
async fn a_private_authority_and_a_client_certificate_are_used() {
    let authority = Authority::new();
    let (url, taken) = authority.collector();
    let server = Exporting::start(&[
        ("OTEL_EXPORTER_OTLP_ENDPOINT", &url),
        ("OTEL_EXPORTER_OTLP_CERTIFICATE", &authority.file("roots.pem")),
        ("OTEL_EXPORTER_OTLP_TRACES_CLIENT_KEY", &authority.file("client.key")),
        ("OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE", &authority.file("client.pem")),
    ])
    .await;
    server.request(&[]).await;
    let log = server.log().await;
    assert!(with_message(&log, "trace export failed").is_empty(), "{log:#?}");
    let taken: Vec<bool> = taken.try_iter().collect();
    assert!(!taken.is_empty() && taken.iter().all(|taken| *taken), "{taken:?}");
}

#[tokio::test]
async fn without_trust_nothing_is_exported_and_the_warning_gives_the_reason() {
    let (authority, other) = (Authority::new(), Authority::new());
    let (url, taken) = authority.collector();
    // In the first case the collector misses this client's certificate; the system says that in different ways.
    for (roots, error) in [(authority.file("roots.pem"), ""), (other.file("roots.pem"), "invalid peer certificate")] {
        let server =
            Exporting::start(&[("OTEL_EXPORTER_OTLP_ENDPOINT", &url), ("OTEL_EXPORTER_OTLP_CERTIFICATE", &roots)])
                .await;
        server.lose("connect_failed", 1).await;
        let log = server.log().await;
        let warnings = with_message(&log, "trace export failed");
        assert!(warnings[0]["error"].as_str().unwrap().contains(error), "{warnings:?}");
    }
    assert!(taken.try_iter().all(|taken| !taken));
}

#[test]
fn unusable_files_end_the_start_with_one_line() {
    let authority = Authority::new();
    let (roots, key, certificate) =
        (authority.file("roots.pem"), authority.file("client.key"), authority.file("client.pem"));
    let (other, missing) = (authority.file("other.key"), authority.file("missing.pem"));
    for (variables, problem) in [
        (vec![("CERTIFICATE", &missing)], "cannot be read: No such file"),
        (vec![("CERTIFICATE", &key)], "holds no certificate in PEM form"),
        (vec![("CLIENT_KEY", &roots), ("CLIENT_CERTIFICATE", &certificate)], "holds no private key in PEM form"),
        (
            vec![("CLIENT_KEY", &other), ("CLIENT_CERTIFICATE", &certificate)],
            "does not fit OTEL_EXPORTER_OTLP_CLIENT_KEY",
        ),
        (vec![("CLIENT_KEY", &key)], "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE is not set"),
        (vec![("CLIENT_CERTIFICATE", &certificate)], "OTEL_EXPORTER_OTLP_CLIENT_KEY is not set"),
    ] {
        for endpoint in ["https://127.0.0.1:9", "http://127.0.0.1:9"] {
            let mut command = program(&["serve"]);
            command.env("SSO_URL", "http://127.0.0.1:9").env("SSO_TOKEN", "token");
            // Beyond the configuration nothing is there.
            command.env("DATABASE_URL", "sqlite:///nowhere/none.db").env("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint);
            command.envs(variables.iter().map(|(name, value)| (format!("OTEL_EXPORTER_OTLP_{name}"), value)));
            let (code, _, stderr) = run(&mut command);
            if endpoint.starts_with("https") {
                assert_eq!((code, stderr.lines().count()), (2, 1), "{stderr}");
                assert!(stderr.contains(problem), "{variables:?}: {stderr}");
            } else {
                let unused =
                    variables.iter().all(|(name, _)| stderr.contains(&format!("{name} (the endpoint is not https)")));
                assert!(code == 1 && unused, "{stderr}");
            }
        }
    }
}

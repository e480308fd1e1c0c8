//! Connections to SSO that fail, over real sockets and real TLS: each is logged once, with the cause by its own words.
//!
//! Reports of programs that log no more than "error sending request": <https://github.com/lichess-org/fishnet/issues/275>,
//! <https://github.com/nbafrank/uvr/issues/227>.

use rustls::RootCertStore;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket};
use tokio_rustls::TlsAcceptor;

use super::authority::{Authority, Identity, VALID};
use super::support::{AMPLE, Log, REQUEST, TOKEN, account, serve_bytes, serve_raw};
use crate::domain::sso_view::SourceFailure::{self, ConnectFailed};
use crate::sso::client::{Client, Listing};
use crate::sso::http_pool::{HttpPool, HttpSettings, tls};

/// In a certificate, it must not get into the log.
const FOREIGN_NAME: &str = "name-in-the-certificate.example";

const EMPTY_LIST: &[u8] =
    b"HTTP/1.1 200 OK\r\ncontent-length: 45\r\n\r\n{\"network_connections\":[],\"next_cursor\":null}";

/// A TLS server's alert to a client that it shares no cipher with.
const ALERT: &[u8] = &[21, 3, 3, 0, 2, 2, 40];

/// Speaks TLS to each connection, as this server, and answers it with these bytes.
async fn serve_tls(identity: &Identity, answer: &'static [u8]) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let acceptor = TlsAcceptor::from(identity.server());
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            // A client that refuses the certificate ends the handshake.
            if let Ok(mut stream) = acceptor.accept(stream).await {
                let mut request = [0; 4096];
                let _ = stream.read(&mut request).await;
                let _ = stream.write_all(answer).await;
                let _ = stream.shutdown().await;
            }
        }
    });
    port
}

fn port_of(url: &str) -> u16 {
    url.rsplit_once(':').unwrap().1.parse().unwrap()
}

/// Asks for a list as a client that trusts this authority.
async fn list(url: &str, authority: &Authority) -> Result<usize, SourceFailure> {
    let url = url.parse().unwrap();
    let mut settings = HttpSettings::new(&"http://sso/".parse().unwrap(), AMPLE).unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(authority.certificate.der().clone()).unwrap();
    settings.tls = Some(tls(roots).unwrap());
    let http = HttpPool::new(settings).unwrap();
    let client = Client::with_pool(&url, &TOKEN.to_owned().into(), AMPLE, None, http).unwrap();
    match client.list(&[account(1)], None, REQUEST).await? {
        Listing::Answered(fetched) => Ok(fetched.connections[0].len()),
        Listing::NotModified => panic!("nothing is known yet"),
    }
}

/// Fails to ask for a list, and gives the `detail` of the one line that says so.
async fn detail_of(url: &str, authority: &Authority) -> String {
    let log = Log::start();
    assert_eq!(list(url, authority).await, Err(ConnectFailed), "{url}");
    let text = log.end();
    for secret in [TOKEN, FOREIGN_NAME, "Bearer"] {
        assert!(!text.contains(secret), "{url}: {text}");
    }
    let warnings: Vec<&str> = text.lines().filter(|line| line.contains(" WARN ") || line.contains(" ERROR ")).collect();
    assert_eq!(warnings.len(), 1, "{url}: {text}");
    assert!(!warnings[0].contains("http://") && !warnings[0].contains("https://"), "{}", warnings[0]);
    let (_, detail) = warnings[0].split_once("detail=\"").unwrap();
    detail.split_once('"').unwrap().0.to_owned()
}

#[tokio::test]
async fn trusted_certificate_is_accepted() {
    let authority = Authority::new("ours");
    let port = serve_tls(&authority.identity(&["127.0.0.1"], VALID), EMPTY_LIST).await;
    assert_eq!(list(&format!("https://127.0.0.1:{port}"), &authority).await, Ok(0));
}

#[tokio::test]
async fn rejected_certificate_is_logged_with_the_reason() {
    let authority = Authority::new("ours");
    let (stranger, impostor) = (Authority::new("a stranger"), Authority::new("ours"));
    for (identity, expected) in [
        (impostor.identity(&["127.0.0.1"], VALID), "BadSignature"),
        (stranger.identity(&["127.0.0.1"], VALID), "UnknownIssuer"),
        (authority.identity(&["127.0.0.1"], (2000, 2001)), "certificate expired: verification time "),
        (authority.identity(&["127.0.0.1"], (2099, 2100)), "certificate not valid yet: verification time "),
        (
            authority.identity(&[FOREIGN_NAME], VALID),
            "certificate not valid for name (it does not list the URL's host)",
        ),
    ] {
        let port = serve_tls(&identity, EMPTY_LIST).await;
        let detail = detail_of(&format!("https://127.0.0.1:{port}"), &authority).await;
        let expected = format!("connect: TLS: invalid peer certificate: {expected}");
        assert!(detail.starts_with(&expected), "{detail} instead of {expected}");
    }
}

#[tokio::test]
async fn protocol_mismatch_is_logged_with_the_reason() {
    let authority = Authority::new("ours");
    for (scheme, port, expected) in [
        (
            "https",
            port_of(&serve_bytes(EMPTY_LIST).await),
            "connect: TLS: received corrupt message of type InvalidContentType; the peer may not speak TLS on this port",
        ),
        ("https", port_of(&serve_bytes(ALERT).await), "connect: TLS: received fatal alert: HandshakeFailure"),
        ("https", port_of(&serve_bytes(b"").await), "connect: unexpected end of file"),
        ("http", port_of(&serve_bytes(ALERT).await), "request: invalid HTTP version parsed"),
        ("http", port_of(&serve_bytes(b"HTTP/1.1 200 OK\r\nname-in-the-certificate.example\r\n").await), "request: "),
    ] {
        let detail = detail_of(&format!("{scheme}://127.0.0.1:{port}"), &authority).await;
        assert!(detail.starts_with(expected), "{detail} instead of {expected}");
    }
    // A server that only speaks TLS.
    let port = serve_tls(&authority.identity(&["127.0.0.1"], VALID), EMPTY_LIST).await;
    let detail = detail_of(&format!("http://127.0.0.1:{port}"), &authority).await;
    assert!(detail.starts_with("request: "), "{detail}");
}

#[tokio::test]
async fn unreachable_host_is_logged_with_the_reason() {
    let authority = Authority::new("ours");
    let refused = TcpSocket::new_v4().unwrap();
    refused.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let refused = refused.local_addr().unwrap();
    for (url, expected) in [
        (format!("http://{refused}"), "connect: Connection refused (os error 111)"),
        // No route, or none that the system allows.
        ("http://255.255.255.255:9".to_owned(), "connect: "),
        ("http://sso.invalid".to_owned(), "name look-up: failed to lookup address information: "),
        ("https://sso.invalid/base".to_owned(), "name look-up: failed to lookup address information: "),
    ] {
        let detail = detail_of(&url, &authority).await;
        assert!(
            detail.starts_with(expected) && detail.len() > "name look-up: ".len(),
            "{detail} instead of {expected}"
        );
    }
}

#[tokio::test]
async fn broken_connection_is_logged_with_the_reason() {
    let authority = Authority::new("ours");
    let resets = serve_raw(|stream| async move {
        // Linger of zero: the connection is reset rather than closed.
        let socket = stream.into_std().unwrap();
        let socket = TcpSocket::from_std_stream(socket);
        socket.set_zero_linger().unwrap();
    })
    .await;
    let detail = detail_of(&resets, &authority).await;
    assert_eq!(detail, "request: Connection reset by peer (os error 104)");
    let cut = serve_bytes(b"HTTP/1.1 200 OK\r\ncontent-length: 44\r\n\r\n{\"network").await;
    let detail = detail_of(&cut, &authority).await;
    assert_eq!(detail, "body: unexpected end of file");
    let nothing = serve_bytes(b"").await;
    let detail = detail_of(&nothing, &authority).await;
    assert_eq!(detail, "request: connection closed before message completed");
}

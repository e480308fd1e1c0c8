//! URLs and addresses as operators write them: IPv6, sockets, characters that mean something else in a URL.
//!
//! A report of the same kind: <https://github.com/transact-rs/sqlx/issues/1739>.

use secrecy::ExposeSecret;

use super::Run;

#[test]
fn ipv6_addresses_are_accepted_in_every_setting() {
    let config = Run::complete()
        .variable("LISTEN", "[::1]:8080")
        .variable("ADMIN_LISTEN", "[2001:db8::7]:9100")
        .variable("SSO_URL", "https://[2001:db8::1]:8443/base")
        .variable("DATABASE_URL", "postgres://u:p@[::1]:5432/db")
        .variable("TRUSTED_PROXIES", "::1, fd00::/8 2001:db8::/32")
        .read()
        .unwrap();
    assert_eq!((config.listen.to_string().as_str(), config.listen.is_ipv6()), ("[::1]:8080", true));
    assert_eq!(config.admin_listen.unwrap().to_string(), "[2001:db8::7]:9100");
    assert_eq!(config.sso.url.as_str(), "https://[2001:db8::1]:8443/base");
    assert_eq!(config.database.url.expose_secret(), "postgres://u:p@[::1]:5432/db");
    assert_eq!(config.trusted_proxies.len(), 3);
    for url in ["postgres://[::1]/db", "postgresql://u@[::ffff:127.0.0.1]:1/db", "postgres:///db?host=fe80::1%25eth0"] {
        assert!(Run::complete().variable("DATABASE_URL", url).read().is_ok(), "{url}");
    }
}

#[test]
fn malformed_address_is_rejected_with_the_reason() {
    for text in ["::1:8080", "[::1]", "::1", "[::1:8080", "[::1%lo]:8080"] {
        let error = Run::complete().variable("LISTEN", text).refusal();
        assert!(error.ends_with("must be an IP address and a port, like 127.0.0.1:8080 or [::1]:8080"), "{error}");
    }
    for (url, reason) in [
        ("http://[fe80::1%25eth0]/", "invalid IPv6 address"),
        ("http://::1:8080/", "empty host"),
        ("http://sso:secret/", "invalid port number"),
        ("http://sso:99999/", "invalid port number"),
        ("http://", "empty host"),
    ] {
        let error = Run::complete().variable("SSO_URL", url).refusal();
        let url = "must be an http or https URL, like https://sso.example.com";
        assert_eq!(error, format!("SSO_URL (environment) {url} ({reason})"));
    }
}

#[test]
fn ipv4_mapped_networks_become_ipv4_networks() {
    for (text, expected) in [
        ("::ffff:10.0.0.0/104", "10.0.0.0/8"),
        ("::ffff:10.1.2.3", "10.1.2.3/32"),
        ("10.0.0.0/8", "10.0.0.0/8"),
        ("::ffff:0:0/64", "::ffff:0.0.0.0/64"),
        ("::1", "::1/128"),
    ] {
        let config = Run::complete().variable("TRUSTED_PROXIES", text).read().unwrap();
        assert_eq!(config.trusted_proxies[0].to_string(), expected, "{text}");
    }
}

#[test]
fn unencoded_password_is_rejected_with_the_encodings() {
    let encoded = "in user and password, write / as %2F, ? as %3F, # as %23, @ as %40, : as %3A, % as %25";
    for url in [
        "postgres://u:secret#1@host/db",
        "postgres://u:12#secret@host/db",
        "postgres://u:secret/1@host/db",
        "postgres://u:12/secret@host/db",
        "postgres://u:secret?@host/db",
        "postgres://u:12?secret@host/db",
        "postgres://u:secret@host:port/db",
        "postgres://u:secret@one:1,two:2/db",
    ] {
        let error = Run::complete().variable("DATABASE_URL", url).refusal();
        assert!(error.ends_with(encoded) && !error.contains("secret"), "{url}: {error}");
    }
    let error = Run::complete().variable("DATABASE_URL", "postgres://u:secret@[fe80::1%25eth0]/db").refusal();
    assert!(
        error.ends_with("an address with a zone is written as postgres:///database?host=fe80::1%25eth0"),
        "{error}"
    );
    for url in [
        "postgres://u:p%23%2F%40%3A%25@host/db",
        "postgres://u@server:p@w@host/db",
        "postgres://%2Fvar%2Frun%2Fpostgresql/db",
        "postgres:///db?host=/var/run/postgresql&user=me@server&password=p",
        "postgres://u:p w@host/db",
    ] {
        assert!(Run::complete().variable("DATABASE_URL", url).read().is_ok(), "{url}");
    }
}

//! Connects to PostgreSQL by every form of URL that operators write (IPv6, sockets, passwords, TLS), and checks the error
//! when that fails.
//!
//! Reports of the same kinds: <https://github.com/transact-rs/sqlx/issues/1739>,
//! <https://github.com/brianc/node-postgres/pull/3698>, <https://github.com/supabase/etl/pull/864>.

use std::fs;
use std::path::Path;

use lc_connections::store::Store;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use secrecy::ExposeSecret;

use crate::support::authority::{Authority, VALID};
use crate::support::binary::{free_port, program, run};
use crate::support::cluster::Cluster;
use crate::support::server::{Client, Server};

/// A password with every character that means something in a URL.
const PASSWORD: &str = "p/w?#@:%&= [x]+";

fn encoded(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

/// Connects and runs `SELECT 1`.
async fn reach(url: &str) -> Result<(), String> {
    let store = Store::connect(&url.to_owned().into(), 1).await.map_err(|error| format!("{url}: {error:?}"))?;
    let answered = store.ping().await.map_err(|error| format!("{url}: {error:?}"));
    store.close().await;
    answered
}

/// The exit code and the error line of `migrate` for this URL.
async fn refusal(url: String, variables: Vec<(&'static str, String)>) -> (i32, String) {
    let failed = tokio::task::spawn_blocking(move || {
        run(program(&["migrate"]).env("DATABASE_URL", &url).envs(variables).env("RUST_LOG", "info"))
    });
    let (code, printed, output) = failed.await.unwrap();
    assert!(printed.is_empty() && !output.contains("secret"), "{printed} {output}");
    let errors: Vec<&str> = output.lines().filter(|line| line.starts_with("error: ")).collect();
    assert_eq!(errors.len(), 1, "{output}");
    (code, errors[0].to_owned())
}

struct Scene {
    cluster: Cluster,
    /// The authority's certificate, and one of another of the same name.
    ca: String,
    other_ca: String,
}

async fn scene() -> Scene {
    let (authority, impostor) = (Authority::new("ours"), Authority::new("another"));
    let cluster = Cluster::start_with_tls(&authority.identity(&["127.0.0.1", "::1"], VALID)).await;
    let write = |name: &str, text: String| {
        let path = cluster.folder().join(name);
        fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let (ca, other_ca) = (write("ca.pem", authority.certificate.pem()), write("other.pem", impostor.certificate.pem()));
    Scene { cluster, ca, other_ca }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_form_of_url_connects() {
    let Scene { cluster, ca, .. } = scene().await;
    let admin =
        sea_orm::Database::connect(format!("postgres://lc@127.0.0.1:{}/postgres", cluster.port())).await.unwrap();
    for user in ["scram", "me@server"] {
        let sql = format!("CREATE ROLE \"{user}\" LOGIN PASSWORD '{PASSWORD}'");
        sea_orm::ConnectionTrait::execute_unprepared(&admin, &sql).await.unwrap();
    }
    let (port, folder) = (cluster.port(), cluster.folder().display().to_string());
    let socket = encoded(&folder);
    for url in [
        format!("postgres://lc@[::1]:{port}/postgres"),
        format!("postgresql://lc@[0:0:0:0:0:0:0:1]:{port}/postgres"),
        format!("postgres://lc@[::ffff:127.0.0.1]:{port}/postgres"),
        format!("postgres://lc@%3A%3A1:{port}/postgres"),
        format!("postgres:///postgres?host=[::1]&port={port}&user=lc"),
        format!("postgres:///postgres?hostaddr=::1&port={port}&user=lc"),
        format!("postgres://lc@localhost:{port}/postgres"),
        format!("postgres://lc@local%68ost:{port}/postgres"),
        format!("postgres://lc@{socket}:{port}/postgres"),
        format!("postgres:///postgres?host={folder}&port={port}&user=lc"),
        format!("postgres://scram:{}@[::1]:{port}/postgres", encoded(PASSWORD)),
        format!("postgres:///postgres?host=::1&port={port}&user=scram&password={}", encoded(PASSWORD)),
        format!("postgres://me%40server@[::1]:{port}/%70ostgres"),
        format!("postgres://me@server@127.0.0.1:{port}/postgres"),
        format!("postgres://lc@[::1]:{port}/postgres?sslmode=require"),
        format!("postgres://lc@[::1]:{port}/postgres?sslmode=verify-full&sslrootcert={ca}"),
        format!("postgres://lc@127.0.0.1:{port}/postgres?sslmode=verify-full&sslrootcert={}", encoded(&ca)),
        format!("postgres://lc@localhost:{port}/postgres?sslmode=verify-ca&ssl-root-cert={ca}"),
        format!("postgres://lc@localhost:{port}/postgres?sslmode=require&sslrootcert={ca}"),
    ] {
        assert_eq!(reach(&url).await, Ok(()));
    }
    let wrong = format!("postgres://scram:{}@[::1]:{port}/postgres", encoded("secret"));
    let (code, output) = refusal(wrong, vec![]).await;
    assert!(code == 1 && output.contains("password authentication failed"), "{output}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connection_failure_prints_the_reason() {
    let Scene { cluster, ca, other_ca } = scene().await;
    let port = cluster.port();
    let without_tls = Cluster::start().await;
    for (url, reason) in [
        (format!("127.0.0.1:{port}/postgres?sslmode=verify-full&sslrootcert={other_ca}"), "UnknownIssuer"),
        (format!("127.0.0.1:{port}/postgres?sslmode=verify-full"), "UnknownIssuer"),
        (format!("localhost:{port}/postgres?sslmode=verify-full&sslrootcert={ca}"), "certificate not valid for name"),
        // As with libpq, an authority that is named is asked.
        (format!("127.0.0.1:{port}/postgres?sslmode=require&sslrootcert={other_ca}"), "UnknownIssuer"),
        (format!("127.0.0.1:{}/postgres?sslmode=require", without_tls.port()), "server does not support TLS"),
        ("db.invalid/postgres".to_owned(), "failed to lookup address information: "),
        (format!("[::1]:{}/postgres", free_port()), "Connection refused"),
        ("[2001:db8::1%25lo]/postgres".to_owned(), "an address with a zone is written as"),
    ] {
        let (_, output) = refusal(format!("postgres://lc:secret@{url}"), vec![]).await;
        assert!(output.contains("DATABASE_URL") && output.contains(reason), "{url}: {output}");
    }
}

fn write(folder: &Path, name: &str, text: &str) -> String {
    let path = folder.join(name);
    fs::write(&path, text).unwrap();
    path.display().to_string()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn unusable_tls_file_is_named_with_the_reason() {
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::new("ours");
    let identity = authority.identity(&["client"], VALID);
    let path = |name: &str| folder.path().join(name).display().to_string();
    let ca = write(folder.path(), "ca.pem", &authority.certificate.pem());
    let key = write(folder.path(), "key.pem", &identity.key.serialize_pem());
    let certificate = write(folder.path(), "certificate.pem", &identity.certificate.pem());
    let empty = write(folder.path(), "empty.pem", "");
    let der = write(folder.path(), "ca.der", "secret\u{1}");
    let cut = write(folder.path(), "cut.pem", &authority.certificate.pem().replace("-----END CERTIFICATE-----", ""));
    let forged =
        write(folder.path(), "forged.pem", "-----BEGIN CERTIFICATE-----\nc2VjcmV0\n-----END CERTIFICATE-----\n");
    let locked = identity.key.serialize_pem().replace("PRIVATE KEY", "ENCRYPTED PRIVATE KEY");
    let locked = write(folder.path(), "locked.pem", &locked);
    let (none, is_folder) = (path("none.pem"), folder.path().display().to_string());
    let missing = "No such file or directory (os error 2)";
    for (parameters, setting, file, reason) in [
        (format!("sslmode=verify-full&sslrootcert={none}"), "sslrootcert", &none, missing),
        (format!("sslrootcert={none}"), "sslrootcert", &none, missing),
        (format!("ssl-ca={}", encoded(&none)), "ssl-ca", &none, missing),
        (format!("sslrootcert={is_folder}"), "sslrootcert", &is_folder, "Is a directory (os error 21)"),
        (format!("sslrootcert={empty}"), "sslrootcert", &empty, "it holds no certificate in PEM format"),
        (format!("sslrootcert={der}"), "sslrootcert", &der, "it holds no certificate in PEM format"),
        (format!("sslrootcert={key}"), "sslrootcert", &key, "it holds no certificate in PEM format"),
        (format!("sslrootcert={cut}"), "sslrootcert", &cut, "a PEM section has no end"),
        (format!("sslrootcert={forged}"), "sslrootcert", &forged, "no authority can be read: "),
        (format!("sslcert={none}&sslkey={key}"), "sslcert", &none, missing),
        (format!("sslcert={certificate}&sslkey={none}"), "sslkey", &none, missing),
        (
            format!("sslcert={certificate}&ssl-key={ca}"),
            "ssl-key",
            &ca,
            "it holds no unencrypted private key in PEM format",
        ),
        (
            format!("sslcert={certificate}&sslkey={locked}"),
            "sslkey",
            &locked,
            "it holds no unencrypted private key in PEM format",
        ),
    ] {
        let url = format!("postgres://lc:secret@127.0.0.1:1/db?{parameters}");
        let (code, output) = refusal(url, vec![]).await;
        let expected = format!(
            "error: cannot connect to the database (DATABASE_URL): its URL cannot be used: Connection Error: error with configuration: \
             {setting}, the file {file:?}: {reason}"
        );
        assert!(code == 2 && output.starts_with(&expected), "{output} instead of {expected}");
    }
    for (parameters, problem) in [
        (format!("sslcert={certificate}"), "sslcert is given without sslkey"),
        (format!("sslkey={key}"), "sslkey is given without sslcert"),
    ] {
        let (code, output) = refusal(format!("postgres://lc:secret@127.0.0.1:1/db?{parameters}"), vec![]).await;
        assert!(code == 2 && output.ends_with(problem), "{output}");
    }
    let variables = vec![("PGSSLROOTCERT", none.clone())];
    let (code, output) = refusal("postgres://lc:secret@127.0.0.1:1/db".to_owned(), variables).await;
    assert!(code == 2 && output.ends_with(&format!("PGSSLROOTCERT, the file {none:?}: {missing}")), "{output}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn unknown_parameter_is_logged_without_its_value() {
    let cluster = Cluster::start().await;
    let url = format!("postgres://lc@127.0.0.1:{}/postgres?passwrod=secret&connect_timeout=5&user=lc", cluster.port());
    let migrated =
        tokio::task::spawn_blocking(move || run(program(&["migrate"]).env("DATABASE_URL", url))).await.unwrap();
    assert_eq!(migrated.0, 0, "{migrated:?}");
    for parameter in ["passwrod", "connect_timeout"] {
        let output: Vec<&str> = migrated.2.lines().filter(|line| line.contains(parameter)).collect();
        assert!(
            output.len() == 1 && output[0].contains("a parameter of DATABASE_URL is unknown, and ignored"),
            "{migrated:?}"
        );
    }
    assert!(!migrated.2.contains("secret"), "{migrated:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lost_database_is_logged_with_the_reason() {
    let mut cluster = Cluster::start().await;
    let database = cluster.database().await;
    let log = tempfile::NamedTempFile::new().unwrap();
    let mut server = Server::new(database.url.expose_secret(), "http://127.0.0.1:1/").logging_to(log.path());
    server.start().await;
    let client = Client::of(&server, "a key of nobody");
    cluster.stop_immediately();
    assert_eq!(client.get("/connections").await.unwrap().status, 503);
    // The reason has its own line, which may be written a little later.
    let start = std::time::Instant::now();
    loop {
        let output = fs::read_to_string(log.path()).unwrap();
        let is_told =
            |line: &str| line.contains("cannot connect to the database") && line.contains("Connection refused");
        if output.lines().any(is_told) {
            return;
        }
        assert!(start.elapsed() < std::time::Duration::from_mins(1), "{output}");
        assert_eq!(client.get("/connections").await.unwrap().status, 503);
    }
}

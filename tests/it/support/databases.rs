//! A fresh database for each test, of either kind.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use lc_connections::store::Store;
use sea_orm::{ConnectOptions, ConnectionTrait, Database as SeaOrm, DatabaseConnection, DbBackend, Statement};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::OnceCell;

/// Which database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Sqlite,
    Postgres,
}

/// A database of the test's own, migrated and empty.
pub struct Database {
    pub url: SecretString,
    /// A second program's connection.
    connection: DatabaseConnection,
    _folder: Option<tempfile::TempDir>,
}

/// All tables, children first.
const TABLES: [&str; 6] =
    ["repair_records", "custom_entities", "account_entities", "account_connections", "api_keys", "accounts"];

/// PostgreSQL's sessions in this database, without the test's own.
pub const OTHER_SESSIONS: &str = "pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()";

const TEMPLATE: &str = "lc_template";

/// The one migrated database that PostgreSQL copies for each test.
static TEMPLATE_IS_READY: OnceCell<()> = OnceCell::const_new();
static NUMBER: AtomicU32 = AtomicU32::new(0);

#[expect(clippy::disallowed_methods, reason = "tests have no configuration but this")]
fn postgres_url() -> String {
    std::env::var("TEST_DATABASE_URL")
        .expect("TEST_DATABASE_URL is not set: run the tests with tests/run, which starts PostgreSQL")
}

fn postgres_url_of(database: &str) -> String {
    let url = postgres_url();
    let (server, _) = url.rsplit_once('/').unwrap();
    format!("{server}/{database}")
}

/// Where the programs are of the PostgreSQL that tests/run has started.
pub async fn postgres_programs() -> PathBuf {
    let statement = Statement::from_string(DbBackend::Postgres, "SELECT setting FROM pg_config WHERE name = 'BINDIR'");
    let row = open(&postgres_url()).await.query_one_raw(statement).await.unwrap().unwrap();
    row.try_get_by_index::<String>(0).unwrap().into()
}

async fn open(url: &str) -> DatabaseConnection {
    let mut options = ConnectOptions::new(url);
    options.max_connections(1).sqlx_logging(false).acquire_timeout(std::time::Duration::from_mins(1));
    SeaOrm::connect(options).await.unwrap()
}

async fn make_template() {
    let server = open(&postgres_url()).await;
    server.execute_unprepared(&format!("DROP DATABASE IF EXISTS {TEMPLATE}")).await.unwrap();
    server.execute_unprepared(&format!("CREATE DATABASE {TEMPLATE}")).await.unwrap();
    let template = open(&postgres_url_of(TEMPLATE)).await;
    migration::migrate(&template).await.unwrap();
    template.close().await.unwrap();
}

impl Database {
    /// Migrated.
    pub async fn fresh(kind: Kind) -> Self {
        match kind {
            Kind::Sqlite => {
                let database = Self::unmigrated(kind).await;
                migration::migrate(&database.connection).await.unwrap();
                database
            }
            Kind::Postgres => {
                TEMPLATE_IS_READY.get_or_init(make_template).await;
                Self::postgres(&format!(" TEMPLATE {TEMPLATE}")).await
            }
        }
    }

    /// Migrated, and able to store bytes that are not UTF-8 in its text columns. SQLite always is.
    pub async fn of_any_bytes(kind: Kind) -> Self {
        let database = match kind {
            Kind::Sqlite => Self::unmigrated(kind).await,
            Kind::Postgres => {
                Self::postgres(" ENCODING 'SQL_ASCII' TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'").await
            }
        };
        migration::migrate(&database.connection).await.unwrap();
        database
    }

    /// Without any table.
    pub async fn unmigrated(kind: Kind) -> Self {
        match kind {
            Kind::Sqlite => {
                let folder = tempfile::tempdir().unwrap();
                let url = format!("sqlite://{}/test.db?mode=rwc", folder.path().display());
                Self { connection: open(&url).await, url: url.into(), _folder: Some(folder) }
            }
            Kind::Postgres => Self::postgres("").await,
        }
    }

    /// Migrated, on a server of the test's own; the program reaches it by this port.
    pub async fn on_server(server: &SecretString, port: u16) -> Self {
        let name = format!("lc_test_{}", NUMBER.fetch_add(1, Ordering::Relaxed));
        let admin = open(server.expose_secret()).await;
        admin.execute_unprepared(&format!("CREATE DATABASE {name}")).await.unwrap();
        admin.close().await.unwrap();
        let (prefix, _) = server.expose_secret().rsplit_once('/').unwrap();
        let (prefix_without_port, _) = prefix.rsplit_once(':').unwrap();
        let connection = open(&format!("{prefix}/{name}")).await;
        migration::migrate(&connection).await.unwrap();
        Self { connection, url: format!("{prefix_without_port}:{port}/{name}").into(), _folder: None }
    }

    async fn postgres(from: &str) -> Self {
        let name = format!("lc_test_{}_{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        let server = open(&postgres_url()).await;
        server.execute_unprepared(&format!("CREATE DATABASE {name}{from}")).await.unwrap();
        server.close().await.unwrap();
        let url = postgres_url_of(&name);
        Self { connection: open(&url).await, url: url.into(), _folder: None }
    }

    /// The program's own way in.
    pub async fn store(&self) -> Store {
        Store::connect(&self.url, 10).await.unwrap()
    }

    pub fn backend(&self) -> DbBackend {
        self.connection.get_database_backend()
    }

    /// Runs statements as another program would.
    pub async fn execute(&self, sql: &str) {
        self.try_execute(sql).await.unwrap();
    }

    pub async fn try_execute(&self, sql: &str) -> Result<(), sea_orm::DbErr> {
        self.connection.execute_unprepared(sql).await.map(|_| ())
    }

    /// Takes all rows out, but for the trail, which cannot be emptied.
    pub async fn empty(&self) {
        for table in &TABLES[1..] {
            self.execute(&format!("DELETE FROM {table}")).await;
        }
    }

    /// Changes a setting of PostgreSQL's for sessions that begin from now on.
    pub async fn set_for_new_sessions(&self, setting: &str) {
        let name: String = self.scalar("SELECT current_database()::text").await;
        self.execute(&format!("ALTER DATABASE {name} SET {setting}")).await;
    }

    /// Ends all sessions but the test's own, as an administrator does.
    pub async fn end_other_sessions(&self) {
        self.execute(&format!("SELECT pg_terminate_backend(pid) FROM {OTHER_SESSIONS}")).await;
    }

    /// How many rows there are in `table [WHERE …]`.
    pub async fn count(&self, table: &str) -> i64 {
        self.scalar(&format!("SELECT COUNT(*) FROM {table}")).await
    }

    pub async fn scalar<T: sea_orm::TryGetable>(&self, sql: &str) -> T {
        let statement = Statement::from_string(self.backend(), sql);
        self.connection.query_one_raw(statement).await.unwrap().unwrap().try_get_by_index(0).unwrap()
    }

    pub async fn texts(&self, sql: &str) -> Vec<String> {
        let statement = Statement::from_string(self.backend(), sql);
        let rows = self.connection.query_all_raw(statement).await.unwrap();
        rows.iter().map(|row| row.try_get_by_index(0).unwrap()).collect()
    }

    /// How the database would go about a query.
    pub async fn plan(&self, sql: &str) -> String {
        if self.backend() == DbBackend::Postgres {
            return self.texts(&format!("EXPLAIN {sql}")).await.join("\n");
        }
        let statement = Statement::from_string(self.backend(), format!("EXPLAIN QUERY PLAN {sql}"));
        let rows = self.connection.query_all_raw(statement).await.unwrap();
        rows.iter().map(|row| row.try_get::<String>("", "detail").unwrap()).collect::<Vec<_>>().join("\n")
    }

    /// Lets nobody else insert connections until it is released.
    pub async fn block_writers(&self) -> Blocker {
        let connection = open(self.url.expose_secret()).await;
        let lock = match self.backend() {
            DbBackend::Postgres => "BEGIN; LOCK TABLE account_connections IN EXCLUSIVE MODE",
            _ => "BEGIN IMMEDIATE",
        };
        connection.execute_unprepared(lock).await.unwrap();
        Blocker(connection)
    }

    /// Every value of some tables, to compare before and after.
    pub async fn dump(&self, tables: &[&str]) -> HashMap<String, Vec<String>> {
        let mut dump = HashMap::new();
        for table in tables {
            let sql = if self.backend() == DbBackend::Postgres {
                format!("SELECT CAST(t AS text) FROM {table} t ORDER BY 1")
            } else {
                let columns = self.texts(&format!("SELECT name FROM pragma_table_info('{table}')")).await;
                let values: Vec<_> = columns.iter().map(|column| format!("quote({column})")).collect();
                format!("SELECT {} FROM {table} ORDER BY 1", values.join(" || ',' || "))
            };
            dump.insert((*table).to_owned(), self.texts(&sql).await);
        }
        dump
    }
}

/// A program that holds a lock.
pub struct Blocker(DatabaseConnection);

impl Blocker {
    pub async fn release(self) {
        self.0.execute_unprepared("ROLLBACK").await.unwrap();
    }
}

/// Makes two tests of one `async fn(Database)`: one on SQLite, one on PostgreSQL.
#[macro_export]
macro_rules! on_both_databases {
    ($name:ident) => {
        $crate::on_both_databases!($name, fresh);
    };
    ($name:ident, $state:ident) => {
        mod $name {
            use $crate::support::databases::{Database, Kind};

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn on_sqlite() {
                super::$name(Database::$state(Kind::Sqlite).await).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn on_postgres() {
                super::$name(Database::$state(Kind::Postgres).await).await;
            }
        }
    };
}

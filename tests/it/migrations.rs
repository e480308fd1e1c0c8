//! The schema's history: applied once, by whoever comes first.

use lc_connections::store::SchemaState;
use secrecy::ExposeSecret;

use crate::support::app::TestApp;
use crate::support::binary::{program, run, serve};
use crate::support::databases::Database;

async fn an_empty_database_becomes_current_and_stays_so(database: Database) {
    let store = database.store().await;
    assert_eq!(store.schema_state().await.unwrap(), SchemaState::Empty);
    let applied = store.migrate().await.unwrap();
    assert_eq!(applied.len(), 6);
    assert_eq!(store.schema_state().await.unwrap(), SchemaState::Current);
    assert_eq!(store.migrate().await.unwrap(), Vec::<String>::new());

    database.execute(&format!("DELETE FROM seaql_migrations WHERE version = '{}'", applied[5])).await;
    assert_eq!(store.schema_state().await.unwrap(), SchemaState::Pending(vec![applied[5].clone()]));
    database
        .execute("INSERT INTO seaql_migrations (version, applied_at) VALUES ('m29991231_000001_from_the_future', 0)")
        .await;
    let unknown = SchemaState::Unknown(vec!["m29991231_000001_from_the_future".to_owned()]);
    assert_eq!(store.schema_state().await.unwrap(), unknown);
}

crate::on_both_databases!(an_empty_database_becomes_current_and_stays_so, unmigrated);

/// Rows of another sea-orm program in the shared table.
const OTHERS: &str = "INSERT INTO seaql_migrations (version, applied_at) VALUES ('m20220101_000001_create_post', 0), \
    ('20240101000000_init', 0)";

/// Reports of sea-orm's own error for such rows: <https://github.com/loco-rs/loco/issues/1087>,
/// <https://github.com/jthinking/tauri-seaorm-template/issues/2>.
async fn foreign_migrations_beside_ours_are_ignored(database: Database) {
    let store = database.store().await;
    let applied = store.migrate().await.unwrap();
    database.execute(OTHERS).await;
    assert_eq!(store.schema_state().await.unwrap(), SchemaState::Current);
    assert_eq!(store.migrate().await.unwrap(), Vec::<String>::new());
    let (server, ..) = serve(&database, "http://127.0.0.1:1/", &[]).await;
    let (code, log) = tokio::task::spawn_blocking(move || server.terminate()).await.unwrap();
    assert_eq!(code, 0, "{log}");
    let told = log.lines().find(|line| line.contains("also lists migrations of another program")).unwrap();
    assert!(told.contains("20240101000000_init, m20220101_000001_create_post"), "{told}");

    // Half of ours, as an older program left it.
    for name in &applied[5..] {
        database.execute("DROP TABLE repair_records").await;
        database.execute(&format!("DELETE FROM seaql_migrations WHERE version = '{name}'")).await;
    }
    if database.backend() == sea_orm::DbBackend::Postgres {
        database.execute("DROP FUNCTION repair_records_are_append_only").await;
    }
    assert_eq!(store.schema_state().await.unwrap(), SchemaState::Pending(applied[5..].to_vec()));
    assert_eq!(store.migrate().await.unwrap(), applied[5..]);
    assert_eq!(database.count("seaql_migrations WHERE applied_at > 1700000000").await, 6);
}

crate::on_both_databases!(foreign_migrations_beside_ours_are_ignored, unmigrated);

/// The error line of a command that fails on this database.
async fn refusal(database: &Database, arguments: &'static [&'static str]) -> String {
    let mut command = program(arguments);
    command
        .env("DATABASE_URL", database.url.expose_secret())
        .env("SSO_URL", "http://127.0.0.1:1")
        .env("SSO_TOKEN", "x");
    let (code, printed, told) = tokio::task::spawn_blocking(move || run(&mut command)).await.unwrap();
    assert!(code == 1 && printed.is_empty(), "{code} {printed} {told}");
    told.lines().find(|line| line.starts_with("error: ")).unwrap().to_owned()
}

async fn foreign_database_is_rejected_and_left_unchanged(database: Database) {
    database
        .execute("CREATE TABLE seaql_migrations (version varchar(255) PRIMARY KEY, applied_at bigint NOT NULL)")
        .await;
    database.execute(OTHERS).await;
    for arguments in [&["migrate"][..], &["serve"], &["serve", "--migrate"], &["keys", "list"]] {
        let told = refusal(&database, arguments).await;
        let found = "is another program's, whose migrations are in the table seaql_migrations (20240101000000_init, \
            m20220101_000001_create_post): give this program a database of its own";
        assert!(told.contains(found) && !told.contains("newer"), "{told}");
    }
    assert_eq!(database.count("seaql_migrations").await, 2, "nothing was added");
    if database.backend() == sea_orm::DbBackend::Postgres {
        // As it was advised.
        database.execute("CREATE SCHEMA lc").await;
        let url = format!("{}?options=-csearch_path%3Dlc", database.url.expose_secret());
        let migrated = tokio::task::spawn_blocking(move || run(program(&["migrate"]).env("DATABASE_URL", url))).await;
        assert_eq!(migrated.unwrap().0, 0);
        let tables = ["public.seaql_migrations", "lc.seaql_migrations"];
        assert_eq!((database.count(tables[0]).await, database.count(tables[1]).await), (2, 6));
    }
}

crate::on_both_databases!(foreign_database_is_rejected_and_left_unchanged, unmigrated);

async fn newer_database_is_rejected_with_advice(database: Database) {
    let newer = "INSERT INTO seaql_migrations (version, applied_at) VALUES ('m29991231_000001_from_the_future', 0)";
    database.execute(newer).await;
    database.execute(OTHERS).await;
    for arguments in [&["migrate"][..], &["serve"], &["serve", "--migrate"]] {
        let told = refusal(&database, arguments).await;
        assert!(told.contains("is newer than this program") && told.contains("install the newer program"), "{told}");
        assert!(told.contains("(m29991231_000001_from_the_future)") && told.contains("another program's"), "{told}");
    }
}

crate::on_both_databases!(newer_database_is_rejected_with_advice);

async fn two_that_migrate_at_once_do_it_once(database: Database) {
    let (one, other) = (database.store().await, database.store().await);
    let (one, other) = tokio::join!(one.migrate(), other.migrate());
    let (one, other) = (one.unwrap(), other.unwrap());
    assert_eq!(one.len() + other.len(), 6, "{one:?} {other:?}");
    assert!(one.is_empty() || other.is_empty());
}

crate::on_both_databases!(two_that_migrate_at_once_do_it_once, unmigrated);

async fn a_migration_that_fails_leaves_nothing_behind(database: Database) {
    let store = database.store().await;
    // In the way of the third.
    database.execute("CREATE TABLE account_connections (id text)").await;
    store.migrate().await.unwrap_err();
    assert_eq!(store.schema_state().await.unwrap(), SchemaState::Empty);
    database.execute("DROP TABLE account_connections").await;
    assert_eq!(store.migrate().await.unwrap().len(), 6);
}

crate::on_both_databases!(a_migration_that_fails_leaves_nothing_behind, unmigrated);

async fn newer_migration_keeps_a_running_server_ready_and_a_lost_one_does_not(database: Database) {
    let app = TestApp::start(&database).await;
    assert_eq!(app.get("/readyz").await.status, 200);
    for (sql, status) in [
        ("INSERT INTO seaql_migrations (version, applied_at) VALUES ('m29991231_000001_from_the_future', 0)", 200),
        (OTHERS, 200),
        ("DELETE FROM seaql_migrations WHERE version > 'm20261125'", 200),
        ("DELETE FROM seaql_migrations WHERE version LIKE '%create_accounts'", 503),
    ] {
        database.execute(sql).await;
        // A look is cached for 100 ms.
        tokio::time::sleep(std::time::Duration::from_millis(150)).await;
        assert_eq!(app.get("/readyz").await.status, status, "{sql}");
    }
}

crate::on_both_databases!(newer_migration_keeps_a_running_server_ready_and_a_lost_one_does_not);

/// The contract's table of tables: `?` marks what may be null.
const TABLES: [(&str, &str); 6] = [
    ("accounts", "id:id sso_id:id name:text created_at:time updated_at:time"),
    (
        "api_keys",
        "id:id account_id:id key_hash:bytes user_email:text? superuser:bool created_at:time expires_at:time? \
         revoked_at:time?",
    ),
    (
        "account_connections",
        "id:id account_id:id external_id:id invitation_id:id? relationship_type:text connected_account_id:id? \
         connected_account_sso_id:id connected_account_name:text created_by:text? ui_state:json created_at:time \
         updated_at:time",
    ),
    (
        "account_entities",
        "account_id:id id:id connected_account_id:id? name:text description:text? standard:bool? account:bool? \
         pending:bool? deprecated:bool? see:id? field_suffix:text? invitation_id:id? invitation_expires_at:time? \
         flow_ids:json? logo_url:text? module_ids:json source:text? recipient:text? time_zone:text? \
         trustedform_certified_vendor:bool? website:text? created_at:time updated_at:time",
    ),
    (
        "custom_entities",
        "id:id account_id:id connected_account_id:id name:text source:text? recipient:text? created_at:time \
         updated_at:time",
    ),
    (
        "repair_records",
        "id:id account_id:id external_id:id actor:text api_key_id:id? via:text reason:text? request_id:text \
         outcome:text? error_code:text? changes:json created_at:time",
    ),
];

async fn the_tables_are_the_contracts(database: Database) {
    let is_postgres = database.backend() == sea_orm::DbBackend::Postgres;
    for (table, columns) in TABLES {
        let expected: Vec<String> = columns
            .split_whitespace()
            .map(|column| {
                let (name, kind) = column.split_once(':').unwrap();
                let nullable = if kind.ends_with('?') { "null" } else { "not null" };
                let kind = match (kind.trim_end_matches('?'), is_postgres) {
                    ("id", true) => "text C",
                    ("time", true) => "timestamp with time zone",
                    ("json", true) => "jsonb",
                    ("bytes", true) => "bytea",
                    ("bytes", false) => "blob",
                    ("bool", _) => "boolean",
                    _ => "text",
                };
                format!("{name} {kind} {nullable}")
            })
            .collect();
        let sql = if is_postgres {
            format!(
                "SELECT column_name || ' ' || data_type || COALESCE(' ' || collation_name, '') || \
                 CASE is_nullable WHEN 'YES' THEN ' null' ELSE ' not null' END \
                 FROM information_schema.columns WHERE table_name = '{table}' ORDER BY ordinal_position"
            )
        } else {
            format!(
                "SELECT name || ' ' || lower(type) || CASE \"notnull\" WHEN 0 THEN ' null' ELSE ' not null' END \
                 FROM pragma_table_info('{table}') ORDER BY cid"
            )
        };
        assert_eq!(database.texts(&sql).await, expected, "{table}");
    }
}

crate::on_both_databases!(the_tables_are_the_contracts);

async fn the_database_itself_refuses_what_cannot_be(database: Database) {
    let time = "2024-06-21T10:00:00.000Z";
    let [owner, partner, stranger] = [1, 2, 9].map(|number| format!("a{number:023}"));
    let account =
        |id: &str, sso: u8| format!("INSERT INTO accounts VALUES ('{id}', '5{sso:023}', 'x', '{time}', '{time}')");
    database.execute(&account(&owner, 1)).await;
    database.execute(&account(&partner, 2)).await;
    let connection = |id: u8, owner: &str, external: u8, kind: &str, partner: &str| {
        format!(
            "INSERT INTO account_connections VALUES ('b{id:023}', '{owner}', 'c{external:023}', NULL, '{kind}', '{partner}', \
             '500000000000000000000002', 'x', NULL, '{{}}', '{time}', '{time}')"
        )
    };
    let key = |id: u8, owner: &str, hash: u8, email: &str, superuser: &str| {
        let hash = if database.backend() == sea_orm::DbBackend::Postgres {
            format!("'\\x{hash:064x}'")
        } else {
            format!("x'{hash:064x}'")
        };
        format!(
            "INSERT INTO api_keys VALUES ('d{id:023}', '{owner}', {hash}, {email}, {superuser}, '{time}', NULL, NULL)"
        )
    };
    let entity = |owner: &str, id: u8, partner: &str| {
        format!(
            "INSERT INTO account_entities (account_id, id, connected_account_id, name, module_ids, created_at, updated_at) \
             VALUES ('{owner}', 'e{id:023}', '{partner}', 'x', '[]', '{time}', '{time}')"
        )
    };
    let custom_entity = |owner: &str, partner: &str| {
        format!(
            "INSERT INTO custom_entities VALUES ('f00000000000000000000001', '{owner}', '{partner}', 'x', NULL, NULL, '{time}', '{time}')"
        )
    };
    for sql in [
        connection(1, &owner, 1, "seller", &partner),
        // Each side has its row, and one may have two ties to a partner.
        connection(2, &partner, 1, "buyer", &owner),
        connection(3, &owner, 2, "buyer", &partner),
        key(1, &owner, 1, "'a@b.example'", "TRUE"),
        // Its id is unique within its owner.
        entity(&owner, 1, &partner),
        entity(&partner, 1, &owner),
        custom_entity(&owner, &partner),
    ] {
        database.execute(&sql).await;
    }
    for (sql, why) in [
        (account(&stranger, 2), "an SSO id is one account's"),
        (connection(4, &owner, 1, "seller", &partner), "one row per account and connection"),
        (connection(4, &owner, 5, "friend", &partner), "no such type"),
        (connection(4, &stranger, 5, "seller", &partner), "no such owner"),
        (connection(4, &owner, 5, "seller", &stranger), "no such partner"),
        (key(2, &owner, 1, "NULL", "FALSE"), "a key is one key"),
        (key(2, &owner, 2, "NULL", "TRUE"), "a superuser is somebody"),
        (key(2, &stranger, 2, "NULL", "FALSE"), "no such account"),
        (entity(&owner, 1, &partner), "one entity per owner and id"),
        (entity(&owner, 2, &stranger), "no such partner"),
        (custom_entity(&owner, &stranger), "no such partner, and its id is taken"),
    ] {
        assert!(database.try_execute(&sql).await.is_err(), "{why}: {sql}");
    }
    // The trail outlives what it speaks of.
    let record = format!(
        "INSERT INTO repair_records VALUES ('f00000000000000000000001', '{stranger}', 'c00000000000000000000001', 'me', NULL, \
         'cli', NULL, 'r', NULL, 'ACCOUNT_NOT_FOUND', '[]', '{time}')"
    );
    database.execute(&record).await;
}

crate::on_both_databases!(the_database_itself_refuses_what_cannot_be);

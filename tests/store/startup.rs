//! Several processes that start on one database.

use jeton::config::Sources;
use jeton::server::{Assembly, assemble};
use sqlx::{Connection as _, Executor as _, PgConnection};

use crate::support::{TestDatabase, TestServer};

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: cargo xtask test"]
async fn a_migration_waits_for_another_longer_than_any_statement_may_take() {
    let server = TestServer::start(TestDatabase::postgres().await).await;
    let mut other = PgConnection::connect(&server.database.url()).await.unwrap();
    other.execute("BEGIN").await.unwrap();
    other.execute("LOCK TABLE _sqlx_migrations").await.unwrap();
    // Statements of requests are given 5 s, and 4 s for a lock.
    let migrate = server.service().store.migrate();
    let (migrated, released) = tokio::join!(migrate, async {
        other.execute("SELECT pg_sleep(6)").await.unwrap();
        other.execute("COMMIT").await
    });
    released.unwrap();
    migrated.unwrap();
    server.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: cargo xtask test"]
async fn a_process_that_trusts_its_memory_and_another_do_not_serve_from_one_database() {
    for (running, other) in [("true", "true"), ("true", "false"), ("false", "true")] {
        let options = vec![("validation.single_node", running.to_owned())];
        let server = TestServer::start_with(TestDatabase::postgres().await, options).await;
        let refused = start_error(&server.database.url(), other).await.expect("it does not start");
        assert!(refused.contains("validation.single_node"), "{refused}");
        server.access_token(&server.client(&[]).await).await;
        server.finish().await;
    }
}

/// Why a process with this setting does not start.
async fn start_error(url: &str, single_node: &str) -> Option<String> {
    let data_dir = tempfile::tempdir().unwrap();
    let file = data_dir.path().join("empty.toml");
    std::fs::write(&file, "").unwrap();
    let overrides = [
        ("data_dir", data_dir.path().to_str().unwrap()),
        ("database.url", url),
        ("validation.single_node", single_node),
    ];
    let overrides = overrides.map(|(key, value)| (key.to_owned(), value.to_owned())).into();
    let config = jeton::config::load(&Sources { file: Some(file), environment: Vec::new(), overrides }).unwrap().config;
    assemble(&config, Assembly::default()).await.err().map(|error| error.to_string())
}

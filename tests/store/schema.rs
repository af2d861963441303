//! Versions side by side: a schema that a newer one has brought further, and where that ends.

use std::path::Path;
use std::process::Output;

use reqwest::header::CONTENT_TYPE;
use tempfile::TempDir;

use super::execute;
use crate::support::TestDatabase;
use crate::support::process::{Jeton, command};

/// What a newer version's migration that only adds would leave: more columns, another table, and its row in the list.
pub async fn migrate_as_a_newer_version(database: &TestDatabase) {
    execute(database, "ALTER TABLE grant_ ADD COLUMN from_the_future TEXT").await;
    execute(database, "ALTER TABLE token ADD COLUMN from_the_future BIGINT NOT NULL DEFAULT 7").await;
    execute(database, "CREATE TABLE future (id BIGINT PRIMARY KEY)").await;
    let row = if database.is_postgres() {
        r"INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) VALUES (9001, 'future', TRUE, '\x00', 1)"
    } else {
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) VALUES (9001, 'future', TRUE, x'00', 1)"
    };
    execute(database, row).await;
}

/// What a later one would, which takes away what those that lack the first rely on.
pub async fn raise_the_floor(database: &TestDatabase) {
    execute(database, "INSERT INTO schema_floor (migration) VALUES (9001)").await;
}

struct Site {
    directory: TempDir,
    database: TestDatabase,
}

impl Site {
    fn start(&self) -> Jeton {
        Jeton::start(self.directory.path(), &[("DATABASE_URL", &self.database.url())])
    }

    fn jeton(&self, arguments: &[&str]) -> Output {
        let directory: &Path = self.directory.path();
        let mut command = command();
        command.current_dir(directory).env("JETON__DATA_DIR", directory).env("DATABASE_URL", self.database.url());
        command.env("JETON__HTTP__LISTEN", "127.0.0.1:0").env("JETON__MANAGEMENT__LISTEN", "127.0.0.1:0");
        command.args(arguments).output().unwrap()
    }

    fn refused(&self, arguments: &[&str]) -> String {
        let output = self.jeton(arguments);
        assert_eq!(output.status.code(), Some(1));
        String::from_utf8(output.stderr).unwrap()
    }
}

/// Mints a token with the key of the first administrator, uses it and ends it.
async fn serves(jeton: &Jeton) {
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let url = format!("{}/oauth20/access-token", jeton.public);
    let minted = http.get(&url).header("api-key", jeton.admin_key()).send().await.unwrap();
    assert_eq!(minted.headers()[CONTENT_TYPE], "application/json");
    let minted: serde_json::Value = serde_json::from_str(&minted.text().await.unwrap()).unwrap();
    let token = minted["access_token"].as_str().unwrap_or_else(|| panic!("{minted}"));
    let verify = async || {
        let request = http.get(format!("{}/oauth20/verify", jeton.public)).bearer_auth(token);
        request.send().await.unwrap().status().as_u16()
    };
    assert_eq!(verify().await, 200);
    assert_eq!(http.delete(&url).bearer_auth(token).send().await.unwrap().status(), 200);
    assert_eq!(verify().await, 401);
}

fn stop(mut jeton: Jeton) {
    jeton.signal("-TERM");
    assert!(jeton.ended_cleanly());
}

async fn a_newer_schema_is_served_from_until_it_takes_away_what_is_needed(database: TestDatabase) {
    let site = Site { directory: tempfile::tempdir().unwrap(), database };
    stop(site.start());
    migrate_as_a_newer_version(&site.database).await;
    let jeton = site.start();
    serves(&jeton).await;
    stop(jeton);

    raise_the_floor(&site.database).await;
    for arguments in [&["serve"][..], &["serve", "--set", "database.migrate=false"], &["migrate"]] {
        let error = site.refused(arguments);
        assert!(error.contains("does not know migration 9001"), "{arguments:?}: {error}");
    }
    site.database.remove().await;
}

async fn a_schema_that_lacks_a_migration_is_not_served_from(database: TestDatabase) {
    let site = Site { directory: tempfile::tempdir().unwrap(), database };
    let unmigrated = ["serve", "--set", "database.migrate=false"];
    assert!(site.refused(&unmigrated).contains("jeton migrate"), "nothing is there yet");
    assert!(site.jeton(&["migrate"]).status.success());
    execute(&site.database, "DELETE FROM _sqlx_migrations WHERE version = 9").await;
    let error = site.refused(&unmigrated);
    assert!(error.contains("lacks migration 9;"), "{error}");
    site.database.remove().await;
}

on_both! {
    a_newer_schema_is_served_from_until_it_takes_away_what_is_needed
    a_schema_that_lacks_a_migration_is_not_served_from
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: cargo xtask test"]
async fn a_process_whose_schema_goes_beyond_it_ends_by_itself() {
    let site = Site { directory: tempfile::tempdir().unwrap(), database: TestDatabase::postgres().await };
    let mut jeton = site.start();
    migrate_as_a_newer_version(&site.database).await;
    serves(&jeton).await;
    raise_the_floor(&site.database).await;
    assert!(!jeton.ended_cleanly(), "it says that it failed");
    assert!(jeton.log().contains("does not know migration 9001"), "{}", jeton.log());
    site.database.remove().await;
}

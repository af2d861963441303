//! A database that was restored from a backup: nothing that was revoked since is good again.

use std::path::PathBuf;
use std::process::{Command, Output};

use reqwest::RequestBuilder;
use reqwest::redirect::Policy;
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};
use tempfile::TempDir;

use super::audit_details;
use crate::support::TestDatabase;
use crate::support::process::{self, Jeton};

/// A service whose database is backed up and restored.
struct Site {
    database: TestDatabase,
    directory: TempDir,
    http: reqwest::Client,
}

struct Client {
    id: String,
    secret: String,
}

impl Site {
    fn new(database: TestDatabase) -> Self {
        let http = reqwest::Client::builder().no_proxy().redirect(Policy::none()).build().unwrap();
        Self { database, directory: tempfile::tempdir().unwrap(), http }
    }

    fn start(&self) -> Jeton {
        Jeton::start(self.directory.path(), &[("DATABASE_URL", &self.database.url())])
    }

    /// A command with the configuration of the service.
    fn jeton(&self, arguments: &[&str]) -> Output {
        let mut command = process::command();
        command.current_dir(self.directory.path()).env("JETON__DATA_DIR", self.directory.path());
        command.env("JETON__HTTP__LISTEN", "127.0.0.1:0").env("JETON__MANAGEMENT__LISTEN", "127.0.0.1:0");
        command.env("DATABASE_URL", self.database.url()).args(arguments).output().unwrap()
    }

    fn restored(&self, arguments: &[&str]) -> Value {
        let output = self.jeton(&[&["store", "restored", "-o", "json"], arguments].concat());
        assert!(output.status.success(), "{}", error_of(&output));
        serde_json::from_slice(&output.stdout).unwrap()
    }

    fn copy(&self) -> PathBuf {
        self.directory.path().join("backup")
    }

    fn back_up(&self) {
        let (url, copy) = (self.database.url(), self.copy());
        if self.database.is_postgres() {
            succeed(postgres("pg_dump").args(["--format=custom", "--dbname", &url, "--file"]).arg(copy));
        } else {
            let output = self.jeton(&["store", "backup", copy.to_str().unwrap()]);
            assert!(output.status.success(), "{}", error_of(&output));
        }
    }

    async fn restore(&self) {
        let (url, copy) = (self.database.url(), self.copy());
        if let TestDatabase::Postgres { name, admin_url, .. } = &self.database {
            let mut admin = PgConnection::connect(admin_url).await.unwrap();
            admin.execute(AssertSqlSafe(format!("DROP DATABASE {name} WITH (FORCE)"))).await.unwrap();
            admin.execute(AssertSqlSafe(format!("CREATE DATABASE {name}"))).await.unwrap();
            succeed(postgres("pg_restore").args(["--single-transaction", "--dbname", &url]).arg(copy));
        } else {
            let file = url.strip_prefix("sqlite:").unwrap();
            for end in ["-wal", "-shm"] {
                let _there_is_none = std::fs::remove_file(format!("{file}{end}"));
            }
            std::fs::copy(copy, file).unwrap();
        }
    }

    async fn send(&self, request: RequestBuilder) -> (u16, Value) {
        let answer = request.send().await.unwrap();
        let status = answer.status().as_u16();
        (status, serde_json::from_str(&answer.text().await.unwrap()).unwrap_or_default())
    }

    async fn client(&self, jeton: &Jeton) -> Client {
        let body = json!({ "name": "test", "grant_types": ["client_credentials"], "scopes": ["a"] }).to_string();
        let request = self.http.post(format!("{}/admin/v1/clients", jeton.public)).bearer_auth(jeton.admin_key());
        let (_, made) = self.send(request.header("content-type", "application/json").body(body)).await;
        let text = |name: &str| made[name].as_str().unwrap_or_else(|| panic!("{made}")).to_owned();
        Client { id: text("client_id"), secret: text("client_secret") }
    }

    async fn form(&self, jeton: &Jeton, client: &Client, path: &str, form: String) -> (u16, Value) {
        let request = self.http.post(format!("{}{path}", jeton.public)).basic_auth(&client.id, Some(&client.secret));
        self.send(request.header("content-type", "application/x-www-form-urlencoded").body(form)).await
    }

    async fn issue(&self, jeton: &Jeton, client: &Client) -> String {
        let (status, body) = self.form(jeton, client, "/oauth20/token", "grant_type=client_credentials".into()).await;
        assert_eq!(status, 200, "{body}");
        body["access_token"].as_str().unwrap().to_owned()
    }

    async fn revoke(&self, jeton: &Jeton, client: &Client, token: &str) {
        assert_eq!(self.form(jeton, client, "/oauth20/revoke", format!("token={token}")).await.0, 200);
    }

    /// The link moves its code into a cookie, and leads to the page.
    async fn open_link(&self, jeton: &Jeton, link: &str) -> u16 {
        let page = format!("{}/console/setup", jeton.public);
        let query = &link[link.find('?').unwrap()..];
        let opened = self.http.get(format!("{page}{query}")).send().await.unwrap();
        let cookie = opened.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
        self.http.get(page).header("cookie", cookie).send().await.unwrap().status().as_u16()
    }

    async fn verify(&self, jeton: &Jeton, token: &str) -> u16 {
        self.send(self.http.get(format!("{}/oauth20/verify", jeton.public)).bearer_auth(token)).await.0
    }
}

fn error_of(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn postgres(program: &str) -> Command {
    let bin = std::env::var("JETON_TEST_PG_BIN").expect("JETON_TEST_PG_BIN is set by cargo xtask test");
    Command::new(PathBuf::from(bin).join(program))
}

fn succeed(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", error_of(&output));
}

fn stop(mut jeton: Jeton) {
    jeton.signal("-TERM");
    assert!(jeton.ended_cleanly());
}

/// A node that has a token from before the backup that was revoked after it, and one that was not; the backup is in place.
async fn restored(site: &Site) -> (Client, [String; 2]) {
    let jeton = site.start();
    let client = site.client(&jeton).await;
    let (revoked, kept) = (site.issue(&jeton, &client).await, site.issue(&jeton, &client).await);
    site.back_up();
    let later = site.issue(&jeton, &client).await;
    site.revoke(&jeton, &client, &revoked).await;
    assert_eq!((site.verify(&jeton, &revoked).await, site.verify(&jeton, &later).await), (401, 200));
    stop(jeton);
    site.restore().await;
    (client, [revoked, kept])
}

async fn a_restored_database_is_refused_until_its_tokens_are_dead(database: TestDatabase) {
    let site = Site::new(database);
    let (client, [revoked, kept]) = restored(&site).await;

    let refused = site.jeton(&["serve"]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(error_of(&refused).contains("jeton store restored"), "{}", error_of(&refused));

    let tried = site.restored(&["--dry-run"]);
    assert_eq!((&tried["dry_run"], &tried["workspaces"]), (&json!(true), &json!(1)));
    assert_eq!(site.jeton(&["serve"]).status.code(), Some(1), "a dry run changes nothing");
    assert_eq!(site.jeton(&["store", "restored"]).status.code(), Some(2), "asks, and nobody is there to answer");

    let done = site.restored(&["--yes", "--backup-taken-at", "2026-11-21T12:00:00Z"]);
    assert!(done["revision"].as_i64() >= Some(1 << 40), "{done}");
    let jeton = site.start();
    for token in [&revoked, &kept, &jeton.admin_key()] {
        assert_eq!(site.verify(&jeton, token).await, 401);
    }
    let new = site.issue(&jeton, &client).await;
    assert_eq!(site.verify(&jeton, &new).await, 200);
    site.revoke(&jeton, &client, &new).await;
    assert_eq!(site.verify(&jeton, &new).await, 401);
    assert_eq!(site.open_link(&jeton, done["operator_password_link"].as_str().unwrap()).await, 200);
    stop(jeton);
    let [detail] = &audit_details(&site.database, "store.restore").await[..] else { panic!("one row") };
    let detail: Value = serde_json::from_str(detail).unwrap();
    assert_eq!(detail["backup_taken_at"], "2026-11-21T12:00:00Z");
    assert_eq!(detail["tokens_kept"], false);
    site.database.remove().await;
}

async fn tokens_are_kept_for_those_who_ask_for_it(database: TestDatabase) {
    let site = Site::new(database);
    let (client, [revoked, kept]) = restored(&site).await;
    site.restored(&["--yes", "--keep-tokens"]);
    let jeton = site.start();
    assert_eq!(site.verify(&jeton, &kept).await, 200);
    site.revoke(&jeton, &client, &revoked).await;
    assert_eq!(site.verify(&jeton, &revoked).await, 401);
    stop(jeton);
    site.database.remove().await;
}

on_both! {
    a_restored_database_is_refused_until_its_tokens_are_dead
    tokens_are_kept_for_those_who_ask_for_it
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_is_never_overwritten_and_nobody_else_can_read_it() {
    use std::os::unix::fs::PermissionsExt as _;

    let site = Site::new(TestDatabase::sqlite());
    let jeton = site.start();
    site.back_up();
    assert_eq!(std::fs::metadata(site.copy()).unwrap().permissions().mode() & 0o777, 0o600);
    let again = site.jeton(&["store", "backup", site.copy().to_str().unwrap()]);
    assert_eq!(again.status.code(), Some(1));
    let beside = site.jeton(&["store", "restored", "--yes"]);
    assert!(error_of(&beside).contains("in use"), "{}", error_of(&beside));
    stop(jeton);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: cargo xtask test"]
async fn a_node_that_sees_its_database_go_back_ends_and_does_not_start_again() {
    let site = Site::new(TestDatabase::postgres().await);
    let mut jeton = site.start();
    let client = site.client(&jeton).await;
    let token = site.issue(&jeton, &client).await;
    site.back_up();
    site.revoke(&jeton, &client, &token).await;
    let beside = site.jeton(&["store", "restored", "--yes"]);
    assert!(error_of(&beside).contains("stop all nodes"), "{}", error_of(&beside));

    site.restore().await;
    assert!(!jeton.ended_cleanly(), "it ends by itself, and says that it failed");
    assert!(jeton.log().contains("has gone back"), "{}", jeton.log());
    assert_eq!(site.jeton(&["serve"]).status.code(), Some(1));
    site.restored(&["--yes"]);
    let jeton = site.start();
    assert_eq!(site.verify(&jeton, &token).await, 401);
    stop(jeton);
    site.database.remove().await;
}

/// Another node has already gone on from the restored state.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: cargo xtask test"]
async fn a_node_without_a_record_can_not_know_and_one_that_is_ahead_goes_on() {
    let site = Site::new(TestDatabase::postgres().await);
    stop(site.start());
    let mut database = PgConnection::connect(&site.database.url()).await.unwrap();
    database.execute("UPDATE revocation_head SET seq = seq + 100").await.unwrap();
    stop(site.start());
    database.execute("UPDATE revocation_head SET seq = seq - 1").await.unwrap();
    assert_eq!(site.jeton(&["serve"]).status.code(), Some(1), "the record was written at the end, if not before");
    std::fs::remove_file(site.directory.path().join("revision")).unwrap();
    stop(site.start());
    site.database.remove().await;
}

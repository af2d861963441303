//! Schemathesis against the real binary: it reads the document and sends what it says, what it does not, and chains of both.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use reqwest::header::CONTENT_TYPE;
use serde_json::{Value, json};
use tokio::process::Command;
use tokio::time::timeout;

use crate::support::TestDatabase;
use crate::support::process::Jeton;

/// Far longer than it takes: only a run that hangs is stopped by it.
const TIMEOUT: Duration = Duration::from_secs(600);

#[tokio::test]
#[ignore = "needs Schemathesis: cargo xtask test"]
async fn schemathesis_finds_nothing_on_sqlite() {
    run(&Jeton::fresh(&TestDatabase::sqlite())).await;
}

#[tokio::test]
#[ignore = "needs PostgreSQL and schemathesis: cargo xtask test"]
async fn schemathesis_finds_nothing_on_postgres() {
    let database = TestDatabase::postgres().await;
    run(&Jeton::fresh(&database)).await;
    database.remove().await;
}

async fn run(jeton: &Jeton) {
    let python = std::env::var("JETON_TEST_PYTHON").expect("JETON_TEST_PYTHON is set by cargo xtask test");
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/openapi/schemathesis");
    let scratch = tempfile::tempdir().unwrap();
    let client = register(jeton).await;
    let document = format!("{}/openapi.json", jeton.public);
    let mut command = Command::new(Path::new(&python).with_file_name("schemathesis"));
    command.arg("--config-file").arg(directory.join("schemathesis.toml"));
    command.args(["run", &document, "--url", &jeton.public, "--no-color", "--continue-on-failure"]);
    command.args(["--seed", "1"]);
    // Those are served by the management listener.
    command.args(["--exclude-tag", "Operations"]);
    command.env("SCHEMATHESIS_HOOKS", "hooks").env("PYTHONPATH", &directory).env("PYTHONDONTWRITEBYTECODE", "1");
    command.env("JETON_URL", &jeton.public).env("JETON_TOKEN", jeton.admin_key());
    command.env("JETON_CLIENT_ID", client["client_id"].as_str().unwrap());
    command.env("JETON_CLIENT_SECRET", client["client_secret"].as_str().unwrap());
    command.current_dir(scratch.path()).kill_on_drop(true).stdout(Stdio::piped()).stderr(Stdio::piped());
    let process = command.spawn().unwrap_or_else(|error| panic!("{command:?} can't be run: {error}"));
    let output = timeout(TIMEOUT, process.wait_with_output()).await.expect("schemathesis hangs").unwrap();
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{}\n{out}\n{err}", output.status);
    // A run that could call nothing finds nothing either.
    let covered = regex::Regex::new("API Links: +([0-9]+) covered").unwrap();
    let links: u32 = covered.captures(&out).map_or(0, |found| found[1].parse().unwrap());
    assert!(links > 0, "{out}");
}

async fn register(jeton: &Jeton) -> Value {
    let body = json!({
        "name": "schemathesis", "grant_types": ["client_credentials", "refresh_token"], "scopes": ["orders:read"], "introspect": true,
    });
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let request = client.post(format!("{}/admin/v1/clients", jeton.public)).header("api-key", jeton.admin_key());
    let answer = request.header(CONTENT_TYPE, "application/json").body(body.to_string()).send().await.unwrap();
    serde_json::from_str(&answer.text().await.unwrap()).unwrap()
}

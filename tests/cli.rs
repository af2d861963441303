//! The command line of the real binary.

use std::path::Path;
use std::process::Output;

use serde_json::Value;

use crate::support::process::{self, Jeton};

struct Cli {
    server: Jeton,
    key: String,
    _directory: tempfile::TempDir,
}

impl Cli {
    fn start() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let server = Jeton::start(directory.path(), &[]);
        Self { key: server.admin_key(), server, _directory: directory }
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let mut command = process::command();
        command.env("JETON_URL", &self.server.public).env("JETON_TOKEN", &self.key).args(arguments);
        command.output().unwrap()
    }

    fn json(&self, arguments: &[&str]) -> Value {
        let output = self.run(&[arguments, &["-o", "json"]].concat());
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    }

    fn code(&self, arguments: &[&str]) -> i32 {
        self.run(arguments).status.code().unwrap()
    }
}

fn plain(arguments: &[&str], directory: &Path) -> Output {
    process::command().current_dir(directory).args(arguments).output().unwrap()
}

#[test]
fn clients_and_tokens_live_through_the_command_line() {
    let cli = Cli::start();
    let made = cli.json(&["client", "create", "Orders", "--scope", "a", "--introspect"]);
    assert!(made["client_secret"].as_str().unwrap().starts_with("jtn_s_"));
    let id = made["client_id"].as_str().unwrap();
    assert_eq!(cli.json(&["client", "show", id])["name"], "Orders");
    assert_eq!(cli.json(&["client", "list"]).as_array().unwrap().len(), 2);
    assert_eq!(cli.code(&["client", "delete", id]), 2, "asks, and nobody is there to answer");
    assert_eq!(cli.code(&["client", "delete", id, "--yes"]), 0);
    assert_eq!(cli.code(&["client", "delete", id, "--yes"]), 3);
    let token = cli.json(&["token", "create", "--policy", "access", "--lifetime", "6h"]);
    assert!(token["access_token"].as_str().unwrap().starts_with("jtn_a_"));
    let id = token["token"].as_str().unwrap();
    assert_eq!(cli.json(&["token", "show", id])["status"], "active");
    assert_eq!(cli.json(&["token", "revoke", id, "--yes", "--reason", "done"])["status"], "revoked");
    cli.json(&["token", "create", "--policy", "access"]);
    assert_eq!(cli.json(&["token", "revoke-all", "--yes"])["revoked"], 1);
    let table = String::from_utf8(cli.run(&["token", "list"]).stdout).unwrap();
    assert!(table.contains("revoked") && table.contains("POLICY"), "{table}");
    let csv = String::from_utf8(cli.run(&["token", "list", "-o", "csv"]).stdout).unwrap();
    assert_eq!(csv.lines().count(), 4);
    let lines = String::from_utf8(cli.run(&["token", "list", "-o", "ndjson"]).stdout).unwrap();
    assert!(lines.lines().all(|line| serde_json::from_str::<Value>(line).is_ok()));
}

#[test]
fn exit_codes_say_what_went_wrong() {
    let cli = Cli::start();
    assert_eq!(cli.code(&["token", "show", "grt_0000000000000000000000"]), 3);
    assert_eq!(cli.code(&["token", "create", "--policy", "access", "--lifetime", "7h"]), 2);
    assert_eq!(cli.code(&["client", "delete", "default-api-tokens", "--yes"]), 5);
    assert_eq!(cli.code(&["nonsense"]), 2);
    let with = |name: &str, value: &str| {
        let mut command = process::command();
        command.env("JETON_URL", &cli.server.public).env("JETON_TOKEN", &cli.key).env(name, value);
        command.args(["token", "list"]).output().unwrap()
    };
    let refused = with("JETON_TOKEN", "wrong");
    assert_eq!(refused.status.code(), Some(4));
    assert!(refused.stdout.is_empty());
    assert_eq!(with("JETON_URL", "http://127.0.0.1:1").status.code(), Some(69));
    let nobody = process::command().env("JETON_URL", &cli.server.public).args(["token", "list"]).output().unwrap();
    assert_eq!(nobody.status.code(), Some(4));
}

#[test]
fn the_configuration_commands_tell_write_and_refuse() {
    let directory = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str]| plain(arguments, directory.path());
    assert!(run(&["config", "init"]).status.success());
    let written = std::fs::read_to_string(directory.path().join("config/jeton.toml")).unwrap();
    assert_eq!(written, String::from_utf8(run(&["config", "init", "--stdout"]).stdout).unwrap());
    assert_eq!(run(&["config", "init"]).status.code(), Some(5), "never overwritten");
    assert!(String::from_utf8(run(&["config", "check"]).stdout).unwrap().contains("config/jeton.toml"));
    let shown = String::from_utf8(run(&["config", "print", "--show-origin"]).stdout).unwrap();
    assert!(shown.contains("http.listen = \"127.0.0.1:8080\"  # file"), "{shown}");
    let schema: Value = serde_json::from_slice(&run(&["config", "schema"]).stdout).unwrap();
    assert!(schema["properties"]["http"].is_object());
    std::fs::write(directory.path().join("config/jeton.toml"), "[htpp]\n").unwrap();
    let refused = run(&["config", "check"]);
    assert_eq!(refused.status.code(), Some(78));
    assert!(String::from_utf8(refused.stderr).unwrap().contains("did you mean http?"));
}

#[test]
fn migrate_makes_the_schema_and_can_be_repeated() {
    let directory = tempfile::tempdir().unwrap();
    for _ in 0..2 {
        assert!(plain(&["migrate"], directory.path()).status.success());
    }
    assert!(directory.path().join("data/jeton.db").is_file());
}

#[test]
fn health_completions_and_manual_are_there() {
    let cli = Cli::start();
    let address = cli.server.management.strip_prefix("http://").unwrap();
    let healthy = process::command().env("JETON__MANAGEMENT__LISTEN", address).arg("health").output().unwrap();
    assert_eq!(healthy.status.code(), Some(0));
    let sick = process::command().env("JETON__MANAGEMENT__LISTEN", "127.0.0.1:1").arg("health").output().unwrap();
    assert_eq!(sick.status.code(), Some(69));
    for shell in ["bash", "zsh", "fish"] {
        assert!(!cli.run(&["completions", shell]).stdout.is_empty());
    }
    assert!(String::from_utf8(cli.run(&["man"]).stdout).unwrap().contains(".TH jeton"));
    assert!(String::from_utf8(cli.run(&["--help"]).stdout).unwrap().contains("serve"));
}

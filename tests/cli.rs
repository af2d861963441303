//! The command line of the real binary.

use std::path::Path;
use std::process::Output;

use jeton::domain::clock::{Clock, Timestamp};
use serde_json::{Value, json};

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
fn many_tokens_are_ended_in_one_step_and_the_revocation_is_shown() {
    let cli = Cli::start();
    let make = |name: &str| {
        let made = cli.json(&["token", "create", "--policy", "key", "--name", name]);
        made["token"].as_str().unwrap().to_owned()
    };
    let (one, two, three) = (make("one"), make("two"), make("ci-three"));
    assert_eq!(cli.code(&["token", "bulk", "revoke", "--yes"]), 2, "which tokens?");
    assert_eq!(cli.code(&["token", "bulk", "revoke", &one]), 2, "asks, and nobody is there to answer");
    let tried = cli.json(&["token", "bulk", "disable", &one, &two, "--dry-run"]);
    assert_eq!((&tried["dry_run"], &tried["changed"]), (&json!(true), &json!(2)));
    assert_eq!(cli.json(&["token", "show", &one])["status"], "active");
    assert_eq!(cli.code(&["token", "bulk", "disable", &one, &two, "--yes", "--expect-count", "3"]), 5);
    let done = cli.json(&["token", "bulk", "disable", &one, &two, "--yes", "--expect-count", "2"]);
    assert_eq!(done["changed"], 2);
    assert_eq!(cli.json(&["token", "show", &two])["status"], "disabled");
    let filtered = cli.json(&[
        "token",
        "bulk",
        "revoke",
        "-q",
        "ci-",
        "-f",
        "status=active",
        "--admin",
        "--yes",
        "--reason",
        "old",
    ]);
    assert_eq!(filtered["changed"], 1);
    assert_eq!(cli.json(&["token", "show", &three])["revoke_reason"], "old");
    assert_eq!(cli.json(&["token", "bulk", "delete", "--all", "-f", "origin=api", "--dry-run"])["matched"], 3);
    let revision = filtered["revocation"]["revision"].to_string();
    assert_eq!(cli.json(&["revocation", "show", &revision])["applied_by"], 1);
    assert_eq!(cli.code(&["revocation", "show", "999999"]), 3);
}

#[test]
fn users_apis_and_plans_live_through_the_command_line() {
    let cli = Cli::start();
    let user = cli.json(&["user", "create", "ada", "--email", "ada@acme.example"]);
    let id = user["id"].as_str().unwrap();
    assert_eq!(cli.json(&["user", "list", "--role", "member"]).as_array().unwrap().len(), 1);
    assert_eq!(cli.json(&["user", "list", "-q", "nobody"]).as_array().unwrap().len(), 0);
    let edited = cli.json(&["user", "edit", id, "--tokens-allowed", "false", "--email", ""]);
    assert_eq!(
        (&edited["tokens_allowed"], &edited["email"], &edited["version"]),
        (&json!(false), &json!(null), &json!(2))
    );
    assert_eq!(cli.json(&["user", "delete", id, "--dry-run"])["dry_run"], true);
    assert_eq!(cli.json(&["user", "show", id])["username"], "ada", "a dry run changes nothing");
    assert_eq!(cli.code(&["user", "delete", id, "--no-input"]), 2);
    assert_eq!(cli.code(&["user", "delete", id, "--yes"]), 0);
    assert_eq!(cli.code(&["user", "show", id]), 3);
    let api = cli.json(&["api", "create", "orders", "--audience", "https://orders.example", "--scope", "orders:read"]);
    let id = api["id"].as_str().unwrap();
    assert_eq!(cli.code(&["api", "create", "orders", "--audience", "https://orders.example"]), 5);
    assert_eq!(cli.json(&["api", "edit", id, "--scope", ""])["scopes"], json!([]));
    assert_eq!(cli.json(&["api", "show", id])["version"], 2);
    let plan = cli.json(&["plan", "create", "small", "--requests", "10", "--period", "1m", "--api", "orders"]);
    let plan = plan["id"].as_str().unwrap();
    assert_eq!(cli.json(&["plan", "edit", plan, "--requests", "20"])["requests"], 20);
    assert_eq!(cli.json(&["plan", "list"])[0]["apis"], json!(["orders"]));
    assert_eq!(cli.code(&["plan", "delete", plan, "--yes"]), 0);
    assert_eq!(cli.json(&["api", "delete", id, "--dry-run"])["dry_run"], true);
    assert_eq!(cli.code(&["api", "delete", id, "--yes"]), 0);
}

#[test]
fn a_client_is_edited_and_its_secret_rotates() {
    let cli = Cli::start();
    let made = cli.json(&["client", "create", "Orders", "--scope", "a"]);
    let id = made["client_id"].as_str().unwrap();
    assert_eq!(cli.json(&["client", "edit", id, "--name", "Shop", "--scope", "b"])["scopes"], json!(["b"]));
    let rotated = cli.json(&["client", "rotate-secret", id, "--overlap", "1h"]);
    assert_ne!(rotated["client_secret"], made["client_secret"]);
    assert!(rotated["previous_secret_expires_at"].is_string());
    assert_eq!(cli.json(&["client", "list", "-q", "Shop"]).as_array().unwrap().len(), 1);
    assert_eq!(cli.code(&["client", "list", "--filter", "colour=red"]), 2, "an unknown filter is refused");
    assert_eq!(cli.json(&["client", "delete", id, "--dry-run"])["dry_run"], true);
}

#[test]
fn tokens_are_edited_rotated_disabled_and_deleted() {
    let cli = Cli::start();
    let made = cli.json(&["token", "create", "--policy", "key", "--name", "robot", "--extra", "team=web"]);
    let id = made["token"].as_str().unwrap();
    let edited = cli.json(&["token", "edit", id, "--extra", "team=ops"]);
    assert_eq!(edited["token"]["extra_fields"], json!({ "team": "ops" }));
    let rotated = cli.json(&["token", "rotate", id]);
    assert!(rotated["api_key"].as_str().unwrap().starts_with("jtn_k_"));
    assert_ne!(rotated["api_key"], made["api_key"]);
    assert_eq!(cli.json(&["token", "disable", id, "--dry-run"])["dry_run"], true);
    assert_eq!(cli.json(&["token", "show", id])["status"], "active", "a dry run changes nothing");
    assert_eq!(cli.json(&["token", "disable", id, "--yes"])["status"], "disabled");
    assert_eq!(cli.json(&["token", "list", "--status", "disabled", "--admin"]).as_array().unwrap().len(), 1);
    assert_eq!(cli.code(&["token", "delete", id, "--yes"]), 0);
    assert_eq!(cli.code(&["token", "show", id]), 3);
    assert_eq!(cli.code(&["token", "revoke-all", "--yes", "--expect-count", "7"]), 5);
    assert_eq!(cli.json(&["token", "revoke-all", "--dry-run"])["dry_run"], true);
}

#[test]
fn workspaces_policies_and_the_audit_log_are_read_through_the_command_line() {
    let cli = Cli::start();
    let made = cli.json(&["workspace", "create", "acme", "--admin-email", "root@acme.example"]);
    assert!(made["api_key"].as_str().unwrap().starts_with("jtn_k_"));
    let id = made["workspace"]["id"].as_str().unwrap();
    assert_eq!(cli.json(&["workspace", "edit", id, "--admin-override", "true"])["admin_override"], true);
    assert_eq!(cli.json(&["workspace", "list", "-q", "acme"]).as_array().unwrap().len(), 1);
    assert_eq!(cli.json(&["workspace", "delete", id, "--dry-run"])["dry_run"], true);
    assert_eq!(cli.json(&["workspace", "show", id])["name"], "acme", "a dry run changes nothing");
    assert!(cli.json(&["policy", "list"]).as_array().unwrap().iter().any(|policy| policy["name"] == "access"));
    assert_eq!(cli.json(&["policy", "show", "api"])["name"], "api");
    let acts = cli.json(&["audit", "list", "--action", "workspace.create"]);
    assert_eq!(acts.as_array().unwrap().len(), 2, "that of the first start, and acme");
    let lines = String::from_utf8(cli.run(&["audit", "export"]).stdout).unwrap();
    assert!(lines.lines().count() >= 2 && lines.lines().all(|line| serde_json::from_str::<Value>(line).is_ok()));
    let csv = String::from_utf8(cli.run(&["audit", "export", "-o", "csv"]).stdout).unwrap();
    assert!(csv.starts_with("id,created_at,action,actor,"), "{csv}");
}

#[test]
fn events_are_followed_and_webhooks_managed_through_the_command_line() {
    let cli = Cli::start();
    let made = cli.json(&[
        "webhook",
        "create",
        "https://hooks.invalid/jeton",
        "--type",
        "token.leaked",
        "--description",
        "chat",
    ]);
    assert!(made["secret"].as_str().unwrap().starts_with("whsec_"));
    let id = made["id"].as_str().unwrap();
    assert_eq!(cli.code(&["webhook", "create", "http://127.0.0.1/"]), 2);
    assert_eq!(cli.json(&["webhook", "list"]).as_array().unwrap().len(), 1);
    assert_eq!(cli.json(&["webhook", "show", id])["delivery"]["condition"], "well");
    let moved = "https://hooks.invalid/other";
    let edited = cli.json(&["webhook", "edit", id, "--enabled", "false", "--type", "", "--receiver", moved]);
    assert_eq!(edited["url"], moved);
    assert_eq!(
        (&edited["enabled"], &edited["types"], &edited["description"]),
        (&json!(false), &json!([]), &json!("chat"))
    );
    assert_ne!(cli.json(&["webhook", "rotate-secret", id, "--overlap", "1h"])["secret"], made["secret"]);
    let test = cli.run(&["webhook", "test", id, "-o", "json"]);
    assert_eq!(test.status.code(), Some(1), "nobody is there");
    assert_eq!(serde_json::from_slice::<Value>(&test.stdout).unwrap()["delivered"], false);
    assert_eq!(cli.code(&["webhook", "delete", id]), 2, "asks, and nobody is there to answer");
    assert_eq!(cli.json(&["webhook", "delete", id, "--dry-run"])["dry_run"], true);
    assert_eq!(cli.code(&["webhook", "delete", id, "--yes"]), 0);
    assert_eq!(cli.code(&["webhook", "show", id]), 3);
    let listed = cli.json(&["event", "list", "--type", "webhook.created", "--type", "webhook.deleted"]);
    assert_eq!(listed.as_array().unwrap().iter().map(|event| &event["subject"]).collect::<Vec<_>>(), [id, id]);
    let after = ["event", "export", "--after", listed[0]["id"].as_str().unwrap()];
    let lines = String::from_utf8(cli.run(&after).stdout).unwrap();
    let types: Vec<Value> =
        lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["type"].clone()).collect();
    assert_eq!(types, ["webhook.edited", "webhook.deleted"]);
    assert_eq!(cli.code(&["event", "export", "--after", "evt_0000000000000000000000"]), 1, "it is gone");
    assert_eq!(cli.code(&["event", "list", "--type", "token"]), 2);
}

#[test]
fn a_file_of_legacy_tokens_is_imported_and_looked_after() {
    let cli = Cli::start();
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("tokens.ndjson");
    let hash = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
    std::fs::write(&file, format!("{{\"hash\":\"{hash}\",\"user\":\"admin\"}}\n")).unwrap();
    let file = file.to_str().unwrap();
    let now = Clock::default().now().ms();
    let [deadline, later] = [30, 60].map(|days| Timestamp::from_ms(now + days * 86_400_000).to_string());
    let summary = cli.json(&["token", "import", file, "--source", "old", "--deadline", &deadline]);
    assert_eq!(summary["imported"], 1, "{summary}");
    let id = summary["import"].as_str().unwrap();
    let again = cli.json(&["token", "import", file, "--into", id]);
    assert_eq!((&again["imported"], &again["skipped"]), (&json!(0), &json!(1)));
    assert_eq!(cli.json(&["legacy", "list"]).as_array().unwrap().len(), 1);
    assert_eq!(cli.json(&["legacy", "show", id])["source"], "old");
    assert_eq!(cli.json(&["legacy", "report", id]), json!([]));
    assert_eq!(cli.code(&["legacy", "extend", id, &later]), 0);
    assert_eq!(cli.code(&["legacy", "delete", id, "--dry-run"]), 0);
    assert_eq!(cli.code(&["legacy", "delete", id]), 2);
    assert_eq!(cli.code(&["legacy", "delete", id, "--yes"]), 0);
    assert_eq!(cli.code(&["token", "import", "/nonexistent", "--into", id]), 2);
}

#[test]
fn every_command_has_a_manual_page_and_the_document_is_printed() {
    let directory = tempfile::tempdir().unwrap();
    let pages = directory.path().join("man");
    assert!(plain(&["man", "--dir", pages.to_str().unwrap()], directory.path()).status.success());
    for page in ["jeton.1", "jeton-token-rotate.1", "jeton-user-edit.1", "jeton-audit-export.1", "jeton-explain.1"] {
        assert!(std::fs::read_to_string(pages.join(page)).unwrap().contains(".TH"), "{page}");
    }
    let document: Value = serde_json::from_slice(&plain(&["openapi"], directory.path()).stdout).unwrap();
    assert_eq!(document["openapi"], "3.1.0");
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

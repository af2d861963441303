//! What a service takes in with this crate.

use std::process::Command;

const MOST_DEPENDENCIES: usize = 8;

/// The packages of the default tree, without their versions; the first is this one.
fn tree(depth: &[&str]) -> Vec<String> {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["tree", "--package", "jeton-guard", "--edges", "normal", "--prefix", "none", "--offline"]).args(depth);
    let output = cargo.output().expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).expect("package names");
    text.lines().filter_map(|line| line.split(' ').next()).map(str::to_owned).collect()
}

#[test]
fn there_are_few_required_dependencies() {
    let direct = tree(&["--depth", "1"]);
    assert_eq!(direct.first().map(String::as_str), Some("jeton-guard"));
    assert!((2..=1 + MOST_DEPENDENCIES).contains(&direct.len()), "{direct:?}");
}

#[test]
fn there_is_no_web_framework_runtime_database_or_http_client() {
    let all = tree(&[]);
    for unwanted in ["axum", "axum-core", "hyper", "reqwest", "sqlx", "tokio", "tower"] {
        assert!(!all.iter().any(|package| package == unwanted), "{unwanted} in {all:?}");
    }
}

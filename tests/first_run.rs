//! The first start of the real binary: what it writes, what it prints, and that the printed commands work as pasted.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use crate::support::TestDatabase;
use crate::support::process;

/// Starts the binary with nothing but ports of its own and returns it with the lines it prints.
fn start(directory: &std::path::Path, environment: &[(&str, String)]) -> (std::process::Child, Vec<String>) {
    // The issuer stands in the printed commands, so that the port must be known before.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut child = process::command()
        .current_dir(directory)
        .env("PORT", port.to_string())
        .env("JETON__MANAGEMENT__LISTEN", "127.0.0.1:0")
        .envs(environment.iter().map(|(name, value)| (*name, value)))
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let stdout = BufReader::new(child.stdout.take().unwrap());
    let mut lines = Vec::new();
    for line in stdout.lines() {
        lines.push(line.unwrap());
        if lines.last().unwrap().contains("-X DELETE") {
            break;
        }
    }
    (child, lines)
}

fn shell(directory: &std::path::Path, script: &str) -> String {
    let output = Command::new("sh").current_dir(directory).args(["-c", script]).output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

fn the_three_commands_work(environment: &[(&str, String)]) {
    let directory = tempfile::tempdir().unwrap();
    let (mut child, lines) = start(directory.path(), environment);
    let commands: Vec<&String> = lines.iter().filter(|line| line.contains("curl")).collect();
    assert_eq!(commands.len(), 3);
    let script = |times: usize| {
        let mut script = commands[0].clone();
        for command in &commands[1..] {
            script.push_str(&format!("\n{command}").repeat(times));
        }
        script
    };
    let output = shell(directory.path(), &script(1));
    assert_eq!(output.matches("HTTP/1.1 200 OK").count(), 2, "{output}");
    // Once more with the same token: dead.
    let output = shell(directory.path(), &format!("{}\n{}", script(1), commands[1]));
    assert_eq!(output.matches("HTTP/1.1 200 OK").count(), 2, "{output}");
    assert!(output.contains("HTTP/1.1 401") && output.contains("error=\"invalid_token\""), "{output}");
    child.kill().unwrap();
    child.wait().unwrap();
    let key = std::fs::read_to_string(directory.path().join("data/admin.key")).unwrap();
    assert!(!lines.iter().any(|line| line.contains(key.trim())), "the key is printed");
}

#[test]
fn the_printed_commands_work_as_pasted_on_sqlite() {
    the_three_commands_work(&[]);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: cargo xtask test"]
async fn the_printed_commands_work_as_pasted_on_postgres() {
    let database = TestDatabase::postgres().await;
    let environment = [("DATABASE_URL", database.url())];
    tokio::task::spawn_blocking(move || the_three_commands_work(&environment)).await.unwrap();
    database.remove().await;
}

/// Runs the binary until it ends by itself, and returns what it said.
fn refused(directory: &std::path::Path, environment: &[(&str, &str)]) -> String {
    let mut command = process::command();
    command.env("JETON__DATA_DIR", directory).env("JETON__HTTP__LISTEN", "127.0.0.1:0");
    let output =
        command.env("JETON__MANAGEMENT__LISTEN", "127.0.0.1:0").envs(environment.iter().copied()).output().unwrap();
    assert!(!output.status.success());
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn another_master_key_than_the_stores_is_refused_instead_of_refusing_every_token() {
    let directory = tempfile::tempdir().unwrap();
    process::Jeton::start(directory.path(), &[]).kill();
    let other = "00".repeat(32);
    assert!(refused(directory.path(), &[("JETON__KEYS__MASTER", &other)]).contains("another master key"));
    std::fs::rename(directory.path().join("master.key"), directory.path().join("elsewhere")).unwrap();
    assert!(refused(directory.path(), &[]).contains("there is none in"));
    assert!(!directory.path().join("master.key").exists(), "a wrong key must not be made");
}

#[test]
fn the_first_key_survives_an_interruption_before_it_has_its_name() {
    let directory = tempfile::tempdir().unwrap();
    process::Jeton::start(directory.path(), &[]).kill();
    let (key, pending) = (directory.path().join("admin.key"), directory.path().join("admin.key.new"));
    let text = std::fs::read_to_string(&key).unwrap();
    std::fs::rename(&key, &pending).unwrap();
    process::Jeton::start(directory.path(), &[]).kill();
    assert_eq!(std::fs::read_to_string(&key).unwrap(), text);
    std::fs::write(&pending, "left over from a start that stored nothing").unwrap();
    process::Jeton::start(directory.path(), &[]).kill();
    assert!(!pending.exists());
    assert_eq!(std::fs::read_to_string(&key).unwrap(), text);
}

#[test]
fn a_second_name_of_the_database_file_is_no_second_lock() {
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let first = process::Jeton::start(one.path(), &[]);
    std::os::unix::fs::symlink(one.path().join("jeton.db"), two.path().join("jeton.db")).unwrap();
    assert!(refused(two.path(), &[]).contains("in use by another process"));
    drop(first);
}

#[test]
fn a_second_process_on_the_same_directory_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let _first = process::Jeton::start(directory.path(), &[]);
    let second = process::command()
        .env("JETON__DATA_DIR", directory.path())
        .env("JETON__HTTP__LISTEN", "127.0.0.1:0")
        .env("JETON__MANAGEMENT__LISTEN", "127.0.0.1:0")
        .output()
        .unwrap();
    assert!(!second.status.success());
    let words = String::from_utf8(second.stderr).unwrap();
    assert!(words.contains("in use by another process"), "{words}");
}

#[test]
fn sigterm_and_sigint_end_the_process_cleanly() {
    for signal in ["-TERM", "-INT"] {
        let directory = tempfile::tempdir().unwrap();
        let mut server = process::Jeton::start(directory.path(), &[]);
        server.signal(signal);
        assert!(server.ended_cleanly(), "{signal}");
    }
}

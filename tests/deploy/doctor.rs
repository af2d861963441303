//! `jeton doctor`, as an operator runs it.

use std::collections::BTreeSet;
use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Output;

use serde_json::Value;

use crate::support::TestDatabase;
use crate::support::certificates::Authority;
use crate::support::deaf::Deaf;
use crate::support::pooler::Pooler;
use crate::support::process::{self, Jeton};

/// What doctor has found, with its exit code.
struct Report {
    code: i32,
    json: Value,
}

impl Report {
    fn of(directory: &Path, environment: &[(&str, &str)]) -> Self {
        let output = run(directory, environment, &["doctor", "--format", "json"]);
        let json = serde_json::from_slice(&output.stdout);
        let json = json.unwrap_or_else(|error| panic!("{error}: {output:?}"));
        let report = Self { code: output.status.code().unwrap(), json };
        assert_eq!(report.code == 0, report.json["errors"] == 0, "{:#}", report.json);
        report
    }

    fn checks(&self) -> impl Iterator<Item = &Value> {
        self.json["checks"].as_array().unwrap().iter()
    }

    /// The one finding of this check that has this verdict.
    #[track_caller]
    fn finding(&self, check: &str, verdict: &str) -> &str {
        let mut found = self.checks().filter(|found| found["check"] == check && found["verdict"] == verdict);
        let Some(found) = found.next() else { panic!("no {verdict} of {check}: {:#}", self.json) };
        assert_eq!(found["advice"].is_string(), verdict != "ok", "what to do is said, and only then: {found}");
        found["found"].as_str().unwrap()
    }

    fn errors(&self) -> BTreeSet<&str> {
        let errors = self.checks().filter(|found| found["verdict"] == "error");
        errors.map(|found| found["check"].as_str().unwrap()).collect()
    }
}

fn run(directory: &Path, environment: &[(&str, &str)], arguments: &[&str]) -> Output {
    let mut doctor = process::command();
    doctor.current_dir(directory).env("JETON__DATA_DIR", directory);
    doctor.env("JETON__HTTP__LISTEN", "127.0.0.1:0").env("JETON__MANAGEMENT__LISTEN", "127.0.0.1:0");
    doctor.envs(environment.iter().copied()).args(arguments).output().unwrap()
}

/// Each file with what is in it; the log of a process that runs is not looked at.
fn files(directory: &Path) -> BTreeSet<(String, Vec<u8>)> {
    let entries = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_file());
    let name = |path: &Path| path.file_name().unwrap().to_str().unwrap().to_owned();
    let files = entries.filter(|path| !["log", "jeton.db-shm"].contains(&name(path).as_str()));
    files.map(|path| (name(&path), fs::read(&path).unwrap())).collect()
}

fn address(url: &str) -> &str {
    url.strip_prefix("http://").unwrap()
}

#[test]
fn before_the_first_start_all_is_well_and_nothing_is_made() {
    let directory = tempfile::tempdir().unwrap();
    let report = Report::of(directory.path(), &[]);
    assert_eq!((report.code, report.errors()), (0, BTreeSet::new()), "{:#}", report.json);
    assert!(report.finding("database", "ok").contains("first start"));
    report.finding("public URL", "warning");
    assert_eq!(files(directory.path()), BTreeSet::new());
}

#[test]
fn a_service_that_runs_is_seen_and_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    let mut jeton = Jeton::start(directory.path(), &[]);
    let running =
        [("JETON__HTTP__LISTEN", address(&jeton.public)), ("JETON__MANAGEMENT__LISTEN", address(&jeton.management))];
    let report = Report::of(directory.path(), &running);
    assert_eq!(report.code, 0, "{:#}", report.json);
    assert!(report.finding("management listener", "ok").contains("is ready"));
    assert!(report.finding("public listener", "ok").contains(&jeton.public));
    assert!(report.finding("lock", "ok").contains(&jeton.process_id().to_string()));
    report.finding("master key", "ok");
    jeton.signal("-TERM");
    assert!(jeton.ended_cleanly());

    let before = files(directory.path());
    // As many as any machine allows.
    let report = Report::of(directory.path(), &[("JETON__HTTP__MAX_CONNECTIONS", "100")]);
    assert_eq!(report.code, 0, "{:#}", report.json);
    assert_eq!(report.finding("lock", "ok"), "free");
    for check in ["journal mode", "integrity", "schema", "revision", "disk", "file descriptors", "key file"] {
        report.finding(check, "ok");
    }
    assert_eq!(files(directory.path()), before);

    let text = run(directory.path(), &[], &["doctor"]);
    let text = String::from_utf8(text.stdout).unwrap();
    assert!(text.lines().count() == report.checks().count() && text.lines().all(|line| line.starts_with(['o', 'w'])));
}

#[test]
fn what_keeps_it_from_starting_is_an_error() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    let mut jeton = Jeton::start(path, &[]);
    jeton.signal("-TERM");
    assert!(jeton.ended_cleanly());

    assert_eq!(Report::of(path, &[("JETON__HTTP__MAX_CONECTIONS", "1")]).errors(), ["configuration"].into());
    assert_eq!(Report::of(path, &[("JETON__KEYS__MASTER", &"ab".repeat(32))]).errors(), ["master key"].into());
    assert_eq!(Report::of(path, &[("DATABASE_URL", "postgres://jeton@127.0.0.1:1/x")]).errors(), ["database"].into());

    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = socket.local_addr().unwrap().to_string();
    std::thread::spawn(move || while socket.accept().is_ok() {});
    let taken = [("JETON__HTTP__LISTEN", taken.as_str()), ("JETON__MANAGEMENT__LISTEN", "192.0.2.1:1")];
    assert_eq!(Report::of(path, &taken).errors(), ["public listener", "management listener"].into());

    let ended = Authority::new().issue(path, "ended", -1);
    let (certificate, key) = (ended.certificate.to_str().unwrap(), ended.key.to_str().unwrap());
    let tls = |key| [("JETON__HTTP__TLS__CERTIFICATE", certificate), ("JETON__HTTP__TLS__KEY", key)];
    assert_eq!(Report::of(path, &tls(key)).errors(), ["TLS of the public listener"].into());
    assert_eq!(Report::of(path, &tls(certificate)).errors(), ["TLS of the public listener"].into());

    fs::set_permissions(path.join("master.key"), fs::Permissions::from_mode(0o644)).unwrap();
    assert_eq!(Report::of(path, &[]).errors(), ["key file"].into());
    fs::set_permissions(path.join("master.key"), fs::Permissions::from_mode(0o600)).unwrap();

    fs::rename(path.join("master.key"), path.join("elsewhere")).unwrap();
    assert_eq!(Report::of(path, &[]).errors(), ["master key"].into());
    fs::rename(path.join("elsewhere"), path.join("master.key")).unwrap();

    fs::write(path.join("revision"), "999999\n").unwrap();
    let restored = Report::of(path, &[]);
    assert_eq!(restored.errors(), ["revision"].into());
    assert!(restored.finding("revision", "error").contains("jeton store restored"));
    fs::remove_file(path.join("revision")).unwrap();

    let mut database = fs::read(path.join("jeton.db")).unwrap();
    let middle = database.len() / 2;
    database[middle..].fill(0xff);
    fs::write(path.join("jeton.db"), database).unwrap();
    let damaged = Report::of(path, &[]);
    assert!(damaged.errors().contains("integrity") || damaged.errors().contains("database"), "{:#}", damaged.json);
}

#[test]
fn a_secret_is_never_said() {
    let directory = tempfile::tempdir().unwrap();
    let url = "postgres://me:s3cretpassword@127.0.0.1:1/x";
    let key = "c0ffee".repeat(10);
    for arguments in [&["doctor"][..], &["doctor", "-o", "json"]] {
        let output = run(directory.path(), &[("DATABASE_URL", url), ("JETON__KEYS__MASTER", &key)], arguments);
        let said = format!("{output:?}");
        assert!(!said.contains("s3cretpassword") && !said.contains("c0ffee"), "{said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: cargo xtask test"]
async fn other_nodes_of_a_server_are_seen_and_must_agree() {
    let database = TestDatabase::postgres().await;
    let (url, key) = (database.url(), "ab".repeat(32));
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let at = [("DATABASE_URL", url.as_str()), ("JETON__KEYS__MASTER", key.as_str())];
    // The server of the tests is fast and forgets: that is told.
    let told: BTreeSet<&str> = ["durability"].into();
    let before = Report::of(two.path(), &at);
    assert_eq!(before.errors(), told, "{:#}", before.json);
    assert!(before.finding("schema", "ok").contains("next start"));
    let by_hand = Report::of(two.path(), &[&at[..], &[("JETON__DATABASE__MIGRATE", "false")]].concat());
    assert!(by_hand.finding("schema", "error").contains("database.migrate is false"));

    let first = Jeton::start(one.path(), &[&at[..], &[("JETON__VALIDATION__NODE_NAME", "one")]].concat());
    let report = Report::of(two.path(), &at);
    assert_eq!(report.errors(), told, "{:#}", report.json);
    let others = report.finding("other nodes", "ok");
    assert!(others.starts_with("1 renew") && others.contains(": one"), "{others}");
    for check in ["sessions", "notifications", "clock", "connections", "schema", "master key", "revision"] {
        report.finding(check, "ok");
    }

    let longer = Report::of(two.path(), &[&at[..], &[("JETON__VALIDATION__LEASE", "5s")]].concat());
    assert!(longer.finding("other nodes", "error").contains("lease_ms=5000"));
    let alone = Report::of(two.path(), &[&at[..], &[("JETON__VALIDATION__SINGLE_NODE", "true")]].concat());
    assert!(alone.finding("other nodes", "error").contains("single_node"));
    let ha = Report::of(two.path(), &[&at[..], &[("JETON__DATABASE__HA", "true")]].concat());
    assert!(ha.finding("session", "error").contains("synchronous_standby_names"));

    // It hangs: its row stays, and nobody renews it.
    first.signal("-STOP");
    let hangs = Report::of(two.path(), &at);
    assert!(hangs.finding("other nodes", "warning").ends_with(": one"));
    first.signal("-CONT");
    drop(first);
    database.remove().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: cargo xtask test"]
async fn what_swallows_notifications_is_noticed() {
    let database = TestDatabase::postgres().await;
    let deaf = Deaf::before(&database.url()).await;
    let directory = tempfile::tempdir().unwrap();
    let url = deaf.url();
    let report = Report::of(directory.path(), &[("DATABASE_URL", &url)]);
    assert!(report.finding("notifications", "error").contains("LISTEN"));
    let without = [("DATABASE_URL", url.as_str()), ("JETON__VALIDATION__DOORBELL", "false")];
    assert!(!Report::of(directory.path(), &without).errors().contains("notifications"));
    drop(deaf);

    // One without sessions is asked for nothing that would stay in them.
    let pooler = Pooler::before(&database.url()).await;
    let report = Report::of(directory.path(), &[("DATABASE_URL", &pooler.url())]);
    assert_eq!(report.errors(), ["sessions"].into());
    drop(pooler);
    database.remove().await;
}

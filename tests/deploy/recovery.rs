//! `deploy/runbook/backup` and `restore`: to the last moment nothing is forgotten; to an earlier one nothing that was revoked
//! since is good again.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Arc;

use super::load::{Load, Tolerance};
use super::site::Site;
use super::{deployed, succeed};
use crate::support::cluster::Cluster;
use crate::support::database::TestDatabase;

const NODES: u16 = 2;

struct Archived {
    cluster: Cluster,
    site: Site,
    backups: tempfile::TempDir,
}

impl Archived {
    fn start() -> Arc<Self> {
        let cluster = Cluster::start_with(
            "archive_mode = on\narchive_command = 'mkdir -p DIRECTORY/archive && test ! -f DIRECTORY/archive/%f && cp %p DIRECTORY/archive/part && mv DIRECTORY/archive/part DIRECTORY/archive/%f'",
        );
        let site = Site::start(&TestDatabase::Own(cluster.url()).url(), NODES, &[("PROMETHEUS", "")]);
        Arc::new(Self { cluster, site, backups: tempfile::tempdir().unwrap() })
    }

    fn script(&self, name: &str) -> Command {
        let mut command = Command::new(deployed(name));
        command.env("PG_BIN", std::env::var("JETON_TEST_PG_BIN").unwrap());
        if let Ok(user) = std::env::var("JETON_TEST_PG_USER") {
            command.env("PG_USER", user);
        }
        command.env("PG_OPTIONS", self.cluster.options());
        command
    }

    fn back_up(&self) -> PathBuf {
        let made = succeed(self.script("runbook/backup").arg(self.backups.path()).arg(self.cluster.url()));
        PathBuf::from(String::from_utf8(made.stdout).unwrap().trim())
    }

    /// Into the place of the old server, which is gone.
    fn restore(&self, backup: &Path, options: &[&str]) -> Output {
        let mut restore = self.script("runbook/restore");
        restore.args(options).arg(backup).arg(self.cluster.path("archive")).arg(self.cluster.path("data"));
        restore.arg("--").arg(deployed("local/node")).args(["cli", "node1"]).env("DIRECTORY", self.site.path(""));
        restore.output().unwrap()
    }

    /// The server has crashed, and its directory lies elsewhere.
    fn lose(&self) -> PathBuf {
        self.cluster.stop();
        let lost = self.cluster.path("lost");
        std::fs::rename(self.cluster.path("data"), &lost).unwrap();
        lost.join("pg_wal")
    }

    fn each_node(&self, what: &str) {
        for node in 1..=NODES {
            self.site.node(&[what, &format!("node{node}")]);
        }
    }
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL and nginx: cargo xtask test"]
async fn recovered_to_the_last_moment_nothing_is_forgotten() {
    let archived = tokio::task::spawn_blocking(Archived::start).await.unwrap();
    let mut load = Load::start(&archived.site, Tolerance::Outage).await;
    let revoked = load.client().issue().await;
    load.goes_on().await;
    let backup = load
        .during({
            let archived = Arc::clone(&archived);
            move || archived.back_up()
        })
        .await;
    let later = load.client().issue().await;
    load.client().revoke(&revoked).await;

    // Clients go on to ask, and what they were told last stays true.
    let took = load
        .during({
            let archived = Arc::clone(&archived);
            move || {
                let wal = archived.lose();
                let begun = tokio::time::Instant::now();
                archived.each_node("halt");
                let restored = archived.restore(&backup, &["--wal", wal.to_str().unwrap()]);
                assert!(restored.status.success(), "{}", said(&restored));
                archived.each_node("start");
                begun.elapsed()
            }
        })
        .await;
    assert_eq!(load.client().verify(&later).await, 200, "what was issued after the backup is there");
    assert_eq!(load.client().verify(&revoked).await, 401, "what was revoked after the backup is revoked");
    println!("recovered to the last moment in {took:?}: {:?}", load.end().await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL and nginx: cargo xtask test"]
async fn recovered_to_an_earlier_moment_every_token_from_before_is_dead() {
    let archived = tokio::task::spawn_blocking(Archived::start).await.unwrap();
    let mut load = Load::start(&archived.site, Tolerance::Nothing).await;
    let backup = load
        .during({
            let archived = Arc::clone(&archived);
            move || archived.back_up()
        })
        .await;
    let (revoked, kept) = (load.client().issue().await, load.client().issue().await);
    load.goes_on().await;
    let moment = archived.cluster.moment().await;
    load.goes_on().await;
    load.client().revoke(&revoked).await;
    let client = load.client_after_the_load().await;

    let (again, output) = tokio::task::spawn_blocking({
        let archived = Arc::clone(&archived);
        move || {
            let wal = archived.lose();
            archived.each_node("halt");
            let options = ["--wal", wal.to_str().unwrap(), "--until", &moment];
            let restored = archived.restore(&backup, &options);
            assert!(restored.status.success(), "{}", said(&restored));
            // What is done already is no obstacle to who is not sure.
            let again = archived.restore(&backup, &options);
            archived.each_node("start");
            (again, restored)
        }
    })
    .await
    .unwrap();
    assert!(said(&output).contains("every token from before is dead"), "{}", said(&output));
    assert!(again.status.success() && said(&again).contains("recovered already"), "{}", said(&again));
    for token in [revoked, kept] {
        assert_eq!(client.verify(&token).await, 401);
    }
    let new = client.issue().await;
    assert_eq!(client.verify(&new).await, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL and nginx: cargo xtask test"]
async fn a_damaged_backup_or_a_place_that_is_taken_is_refused() {
    let archived = tokio::task::spawn_blocking(Archived::start).await.unwrap();
    let backup = archived.back_up();
    let taken = archived.restore(&backup, &[]);
    assert!(!taken.status.success() && said(&taken).contains("is there already"), "{}", said(&taken));
    archived.lose();
    std::fs::write(backup.join("PG_VERSION"), "99\n").unwrap();
    let damaged = archived.restore(&backup, &[]);
    assert!(!damaged.status.success() && said(&damaged).contains("is damaged"), "{}", said(&damaged));
    assert!(!archived.cluster.path("data").exists());
}

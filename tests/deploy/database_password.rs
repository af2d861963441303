//! `deploy/runbook/rotate-database-password`: nodes get another password for PostgreSQL, and no client notices.

use std::process::{Command, Output};
use std::sync::Arc;

use sqlx::{Connection as _, Executor as _, PgConnection};

use super::deployed;
use super::load::{Load, Tolerance};
use super::site::Site;
use crate::support::cluster::Cluster;

const NODES: u16 = 2;

struct Rotation {
    cluster: Cluster,
    site: Site,
}

impl Rotation {
    /// A service whose role has a password, which PostgreSQL asks for.
    async fn start() -> Arc<Self> {
        let cluster = Cluster::start();
        let mut admin = PgConnection::connect(&cluster.url()).await.unwrap();
        admin.execute("CREATE ROLE service LOGIN PASSWORD 'first'").await.unwrap();
        admin.execute("CREATE DATABASE service OWNER service").await.unwrap();
        cluster.allow("host all jeton 127.0.0.1/32 trust\nhost all all 127.0.0.1/32 scram-sha-256\n");
        let url = format!("postgres://service:first@127.0.0.1:{}/service", cluster.port());
        let site = Site::start(&url, NODES, &[("PROMETHEUS", "")]);
        Arc::new(Self { cluster, site })
    }

    fn file(&self) -> std::path::PathBuf {
        self.site.path("database.url")
    }

    fn url(&self) -> String {
        std::fs::read_to_string(self.file()).unwrap().trim().to_owned()
    }

    /// With `command` as what restarts the nodes.
    fn rotate(&self, command: &Command) -> Output {
        let mut rotate = self.site.command("runbook/rotate-database-password");
        rotate.arg(self.file()).arg(self.cluster.url()).arg("--").arg(command.get_program()).args(command.get_args());
        rotate.output().unwrap()
    }

    fn roll(&self) -> Output {
        self.rotate(&self.site.roll(NODES, &[]))
    }
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

async fn can_log_in(url: &str) -> bool {
    PgConnection::connect(url).await.is_ok()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL and nginx: cargo xtask test"]
async fn nodes_get_another_password_and_no_client_notices() {
    let rotation = Rotation::start().await;
    let mut load = Load::start(&rotation.site, Tolerance::Nothing).await;
    load.goes_on().await;
    let mut before = rotation.url();
    for role in ["service_a", "service_b", "service_a"] {
        let rotated = load
            .during({
                let rotation = Arc::clone(&rotation);
                move || rotation.roll()
            })
            .await;
        assert!(rotated.status.success(), "{}", said(&rotated));
        let url = rotation.url();
        assert!(url.contains(&format!("//{role}:")), "it is the turn of {role}");
        let password = url.split([':', '@']).nth(2).unwrap();
        assert!(!said(&rotated).contains(password), "a password is told");
        assert!(can_log_in(&url).await && !can_log_in(&before).await, "{role} takes the place of the one before");
        before = url;
    }
    let seen = load.end().await;
    println!("three rotations: {seen:?}");
    assert_eq!(seen.unanswered, 0);
    let log = std::fs::read_to_string(rotation.cluster.path("log")).unwrap();
    assert!(!log.contains(before.split([':', '@']).nth(2).unwrap()), "the server has logged a password");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL and nginx: cargo xtask test"]
async fn a_rotation_that_is_interrupted_locks_nobody_out_and_is_gone_on_with() {
    let rotation = Rotation::start().await;
    let mut load = Load::start(&rotation.site, Tolerance::Nothing).await;
    let first = rotation.url();
    let failed = load
        .during({
            let rotation = Arc::clone(&rotation);
            move || rotation.rotate(&Command::new("false"))
        })
        .await;
    assert!(!failed.status.success() && said(&failed).contains("can both log in"), "{}", said(&failed));
    let second = rotation.url();
    assert!(can_log_in(&first).await && can_log_in(&second).await);

    // Whoever restarts nothing leaves nodes connected as before.
    let idle = load
        .during({
            let rotation = Arc::clone(&rotation);
            move || rotation.rotate(&Command::new("true"))
        })
        .await;
    assert!(!idle.status.success() && said(&idle).contains("has the old URL"), "{}", said(&idle));
    assert_eq!(rotation.url(), second, "the password that is on its way stays");
    assert!(can_log_in(&first).await);

    let done = load
        .during({
            let rotation = Arc::clone(&rotation);
            move || rotation.roll()
        })
        .await;
    assert!(done.status.success(), "{}", said(&done));
    assert!(can_log_in(&second).await && !can_log_in(&first).await);
    assert_eq!(rotation.url(), second);
    assert_eq!(load.end().await.unanswered, 0);

    let own = Command::new(deployed("runbook/rotate-database-password"))
        .arg(rotation.file())
        .arg(second)
        .args(["--", "true"])
        .output()
        .unwrap();
    assert!(said(&own).contains("lock itself out"), "{}", said(&own));
}

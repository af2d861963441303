//! `deploy/runbook/failover`: a synchronous standby takes the place of a primary that is gone, and no client is told anything false.

use std::net::SocketAddr;
use std::process::{Command, Output};
use std::sync::Arc;

use sqlx::{Connection as _, Executor as _, PgConnection};

use super::deployed;
use super::load::{Load, Tolerance};
use super::site::Site;
use crate::support::cluster::Cluster;
use crate::support::proxy::Proxy;

const NODES: u16 = 2;

struct Replicated {
    primary: Cluster,
    standbys: [Cluster; 2],
    /// Holds the port of the server that nodes are led to.
    leads_to: tempfile::NamedTempFile,
    proxy: Proxy,
}

impl Replicated {
    async fn start() -> Self {
        let primary = Cluster::start();
        let standbys = ["s1", "s2"].map(|name| primary.standby(name));
        let mut admin = PgConnection::connect(&primary.url()).await.unwrap();
        for server in standbys.iter().chain([&primary]) {
            // A standby has it for the time when it is the primary.
            let mut server = PgConnection::connect(&server.url()).await.unwrap();
            server.execute("ALTER SYSTEM SET synchronous_standby_names = 'ANY 1 (s1, s2)'").await.unwrap();
            server.execute("SELECT pg_reload_conf()").await.unwrap();
        }
        admin.execute("CREATE TABLE replicated (); DROP TABLE replicated").await.unwrap();
        let leads_to = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(leads_to.path(), primary.port().to_string()).unwrap();
        let path = leads_to.path().to_owned();
        let proxy = Proxy::leading_to(move || {
            let port = std::fs::read_to_string(&path).unwrap().trim().parse().unwrap();
            SocketAddr::from(([127, 0, 0, 1], port))
        })
        .await;
        Self { primary, standbys, leads_to, proxy }
    }

    fn url(&self) -> String {
        format!("postgres://jeton@{}/postgres", self.proxy.address)
    }

    /// With a command that stops the old primary.
    fn failover(&self, stop: &str) -> Output {
        let [standby, other] = &self.standbys;
        let mut failover = Command::new(deployed("runbook/failover"));
        failover.args(["--stop", stop]).args([self.primary.url(), standby.url(), other.url()]);
        // At once: the proxy may read it at any moment.
        let path = self.leads_to.path().display();
        let lead = format!("echo {} >{path}.new && mv {path}.new {path}", standby.port());
        failover.args(["--", "sh", "-c", &lead]).output().unwrap()
    }
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL and nginx: cargo xtask test"]
async fn a_standby_takes_the_place_of_a_primary_that_has_crashed_and_nothing_false_is_told() {
    let servers = Arc::new(Replicated::start().await);
    let url = servers.url();
    let settings = [("PROMETHEUS", ""), ("JETON__DATABASE__HA", "true")];
    let site = tokio::task::spawn_blocking(move || Site::start(&url, NODES, &settings)).await.unwrap();
    let mut load = Load::start(&site, Tolerance::Outage).await;
    let (kept, ended) = (load.client().issue().await, load.client().issue().await);
    load.client().revoke(&ended).await;
    load.goes_on().await;

    let took = load
        .during({
            let servers = Arc::clone(&servers);
            move || {
                servers.primary.stop();
                let begun = tokio::time::Instant::now();
                let output = servers.failover("true");
                assert!(output.status.success(), "{}", said(&output));
                begun.elapsed()
            }
        })
        .await;
    assert_eq!(load.client().verify(&kept).await, 200, "what was acknowledged is still there");
    assert_eq!(load.client().verify(&ended).await, 401, "what was revoked is not good again");
    let again = servers.failover("true");
    assert!(again.status.success() && said(&again).contains("the primary already"), "{}", said(&again));
    load.goes_on().await;
    println!("failover took {took:?}: {:?}", load.end().await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: cargo xtask test"]
async fn nothing_is_promoted_beside_a_primary_that_answers_or_behind_another_standby() {
    let servers = Replicated::start().await;
    let refused = servers.failover("true");
    assert!(
        !refused.status.success() && said(&refused).contains("still answers; nothing was promoted"),
        "{}",
        said(&refused)
    );

    // The other standby goes on to receive what this one does not.
    let [standby, _] = &servers.standbys;
    let mut lagging = PgConnection::connect(&standby.url()).await.unwrap();
    lagging.execute("ALTER SYSTEM SET primary_conninfo = 'host=127.0.0.1 port=1'").await.unwrap();
    lagging.execute("SELECT pg_reload_conf()").await.unwrap();
    let mut primary = PgConnection::connect(&servers.primary.url()).await.unwrap();
    while sqlx::query("SELECT FROM pg_stat_replication WHERE application_name = 's1'")
        .fetch_optional(&mut primary)
        .await
        .unwrap()
        .is_some()
    {
        tokio::task::yield_now().await;
    }
    let refused = servers.failover("true");
    assert!(!refused.status.success() && said(&refused).contains("no synchronous standby"), "{}", said(&refused));
    primary.execute("CREATE TABLE acknowledged ()").await.unwrap();
    servers.primary.stop();
    let refused = servers.failover("true");
    assert!(!refused.status.success() && said(&refused).contains("promote it instead"), "{}", said(&refused));
    let recovering: bool = sqlx::query_scalar("SELECT pg_is_in_recovery()").fetch_one(&mut lagging).await.unwrap();
    assert!(recovering, "it was left as it is");
}

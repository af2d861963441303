//! `deploy/runbook/roll` and `deploy/local/node`: nodes are replaced, added and taken away, and no client notices.

use std::process::Output;
use std::sync::Arc;

use super::load::{Load, Tolerance};
use super::site::Site;
use super::succeed;
use crate::store::schema::{migrate_as_a_newer_version, raise_the_floor};
use crate::support::TestDatabase;

const NODES: u16 = 2;

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

async fn site(database: &TestDatabase) -> Arc<Site> {
    let url = database.url();
    tokio::task::spawn_blocking(move || Arc::new(Site::start(&url, NODES, &[("PROMETHEUS", "")]))).await.unwrap()
}

fn stop(site: Arc<Site>) {
    let mut site = Arc::into_inner(site).expect("nobody uses it any more");
    assert!(site.stop(), "the script ends well");
}

/// The newer version's migration is there while both nodes still serve; then each is replaced, by one that knows no
/// more than the others: it is the way to the newer version and back again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL and nginx: cargo xtask test"]
async fn versions_serve_side_by_side_and_are_rolled_back_without_a_request_that_fails() {
    let database = TestDatabase::postgres().await;
    let site = site(&database).await;
    let mut load = Load::start(&site, Tolerance::Nothing).await;
    let from_before = load.client().issue().await;
    load.goes_on().await;

    migrate_as_a_newer_version(&database).await;
    load.goes_on().await;
    let rolled = load
        .during({
            let site = Arc::clone(&site);
            move || succeed(&mut site.roll(NODES, &[]))
        })
        .await;
    assert!(said(&rolled).contains("done: node1 node2"), "{}", said(&rolled));

    let version = env!("CARGO_PKG_VERSION");
    let again = load
        .during({
            let site = Arc::clone(&site);
            move || succeed(&mut site.roll(NODES, &["--expect", version]))
        })
        .await;
    assert_eq!(said(&again).matches("already").count(), usize::from(NODES), "{}", said(&again));

    assert_eq!(load.client().verify(&from_before).await, 200);
    load.client().revoke(&from_before).await;
    let seen = load.end().await;
    println!("rolled {NODES} nodes: {seen:?}");
    assert_eq!(seen.unanswered, 0);
    stop(site);
    database.remove().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL and nginx: cargo xtask test"]
async fn a_version_that_does_not_start_stops_the_roll_and_no_client_notices() {
    let database = TestDatabase::postgres().await;
    let site = site(&database).await;
    let mut load = Load::start(&site, Tolerance::Nothing).await;
    load.goes_on().await;
    let broken = site.path("broken");
    std::fs::write(&broken, "#!/bin/sh\necho 'this version does not start' >&2\nexit 1\n").unwrap();
    succeed(std::process::Command::new("chmod").arg("0755").arg(&broken));

    let failed = load
        .during({
            let site = Arc::clone(&site);
            move || site.roll(NODES, &[]).env("JETON", broken).output().unwrap()
        })
        .await;
    assert!(!failed.status.success());
    assert!(said(&failed).contains("node1 could not be replaced"), "{}", said(&failed));
    assert!(site.node(&["list"]).contains("node2 runs gets requests"));

    // The old version is put back by the same means; a node that is down already is no obstacle.
    load.during({
        let site = Arc::clone(&site);
        move || succeed(&mut site.roll(NODES, &["--expect", env!("CARGO_PKG_VERSION")]))
    })
    .await;
    assert!(site.node(&["list"]).contains("node1 runs gets requests"));
    assert_eq!(load.end().await.unanswered, 0);
    stop(site);
    database.remove().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL and nginx: cargo xtask test"]
async fn nodes_come_and_go_behind_nginx_without_a_request_that_fails() {
    let database = TestDatabase::postgres().await;
    let site = site(&database).await;
    let mut load = Load::start(&site, Tolerance::Nothing).await;
    load.goes_on().await;
    for step in [
        ["start", "node3"],
        ["start", "node3"],
        ["stop", "node1"],
        ["stop", "node1"],
        ["start", "node1"],
        ["stop", "node3"],
    ] {
        load.during({
            let site = Arc::clone(&site);
            move || site.node(&step)
        })
        .await;
    }
    let list = site.node(&["list"]);
    assert_eq!(list, "node1 runs gets requests\nnode2 runs gets requests\nnode3 stopped gets none\n");
    let seen = load.end().await;
    println!("six changes of the nodes: {seen:?}");
    assert_eq!(seen.unanswered, 0);

    site.node(&["stop", "node1"]);
    let last = site.command("local/node").args(["stop", "node2"]).output().unwrap();
    assert!(!last.status.success() && said(&last).contains("the last one"), "{}", said(&last));
    stop(site);
    database.remove().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL and nginx: cargo xtask test"]
async fn a_roll_begins_only_where_all_others_are_ready() {
    let database = TestDatabase::postgres().await;
    let site = site(&database).await;
    site.node(&["stop", "node2"]);
    let refused = site.roll(NODES, &[]).env("PATIENCE", "1").output().unwrap();
    assert!(!refused.status.success() && said(&refused).contains("node2 is not ready; node1"), "{}", said(&refused));
    assert!(site.node(&["list"]).contains("node1 runs gets requests"), "it was left as it is");
    // A schema that goes beyond this version keeps it from starting, and is told in the log.
    migrate_as_a_newer_version(&database).await;
    raise_the_floor(&database).await;
    let refused = site.command("local/node").args(["start", "node2"]).output().unwrap();
    assert!(!refused.status.success(), "{}", said(&refused));
    assert!(std::fs::read_to_string(site.path("node2.log")).unwrap().contains("does not know migration 9001"));
    stop(site);
    database.remove().await;
}

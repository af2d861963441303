//! Who may be a node of the cluster, and how it comes and goes.

use std::time::Duration;

use super::insert_ghost;
use crate::store::count;
use crate::support::{TestDatabase, TestServer};

const NODES: &str = "SELECT COUNT(*) FROM node";

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: cargo xtask test"]
async fn a_node_joins_when_it_starts_and_leaves_when_it_stops() {
    let one = TestServer::start(TestDatabase::postgres().await).await;
    let other = one.beside(Vec::new()).await;
    assert_eq!(count(&one.database, NODES).await, 2);
    other.finish().await;
    assert_eq!(count(&one.database, NODES).await, 1);
    one.finish().await;
}

/// What the start says where it is refused. Time passes meanwhile, so that a dead node could be told from a living one.
async fn refusal(one: &TestServer, key: &'static str, value: &str) -> String {
    let refused = one.try_beside(vec![(key, value.to_owned())]).await;
    format!("{:#}", refused.err().expect("the start is refused"))
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: cargo xtask test"]
async fn a_node_with_another_lease_or_key_refuses_to_join() {
    let one = TestServer::start(TestDatabase::postgres().await).await;
    let refused = refusal(&one, "validation.lease", "5s").await;
    assert!(refused.contains("lease_ms=3000") && refused.contains("lease_ms=5000"), "{refused}");
    let previous = std::fs::read_to_string(one.data_dir().join("master.key")).unwrap();
    let other_key = "ab".repeat(32);
    let options = vec![("keys.master", other_key), ("keys.previous", previous.trim().to_owned())];
    let refused = format!("{:#}", one.try_beside(options).await.err().expect("the start is refused"));
    assert!(refused.contains("each accepts the key"), "{refused}");
    assert_eq!(count(&one.database, NODES).await, 1);
    one.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: cargo xtask test"]
async fn a_dead_node_keeps_nobody_out_for_longer_than_its_lease() {
    let one = TestServer::start(TestDatabase::postgres().await).await;
    insert_ghost(&one, "lease_ms=9000 keys=x", 9000).await;
    let time = async {
        loop {
            one.management("/health/live").await;
            one.clock.advance(Duration::from_millis(100));
        }
    };
    // The node that is there reaps it, by its own clock.
    let other = async {
        loop {
            if count(&one.database, NODES).await == 1 {
                return one.beside(Vec::new()).await;
            }
        }
    };
    let other = tokio::select! {
        other = other => other,
        () = time => unreachable!("time does not end"),
    };
    other.finish().await;
    one.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: cargo xtask test"]
async fn with_failover_a_database_without_synchronous_standbys_is_refused() {
    let one = TestServer::start(TestDatabase::postgres().await).await;
    let refused = refusal(&one, "database.ha", "true").await;
    assert!(refused.contains("synchronous_standby_names"), "{refused}");
    one.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: cargo xtask test"]
async fn a_node_that_was_taken_for_dead_joins_again_and_serves() {
    let one = TestServer::start(TestDatabase::postgres().await).await;
    let client = one.client(&["a"]).await;
    let token = one.access_token(&client).await;
    super::warm(&one, &token).await;
    crate::store::execute(&one.database, "DELETE FROM node").await;
    while count(&one.database, NODES).await == 0 {
        one.verify(&token).await.expect(200);
    }
    super::warm(&one, &token).await;
    let metrics = one.management("/metrics").await.body;
    assert!(metrics.contains("jeton_cache_restarts_total 2"), "{metrics}");
    one.finish().await;
}

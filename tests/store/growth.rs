//! Group commit, partitions and purging.

use std::time::Duration;

use serde_json::json;

use super::{audit_rows, count};
use crate::support::TestServer;

on_both_databases! {
    async fn parallel_issues_share_transactions_and_all_are_kept(server: &TestServer) {
        let client = server.client(&[]).await;
        // What a batch begins with.
        let write = if server.database.is_postgres() { "issue.write" } else { "grant.insert" };
        let before = server.service().store.counters().of(write);
        let form = [("grant_type", "client_credentials")];
        let calls = (0..200).map(|_| server.post_form("/oauth20/token", Some(&client), &form));
        let answers = futures_util::future::join_all(calls).await;
        assert!(answers.iter().all(|answer| answer.status == 200));
        let batches = server.service().store.counters().of(write) - before;
        assert!((1..200).contains(&batches), "{batches} batches for 200 tokens");
        assert_eq!(count(&server.database, "SELECT COUNT(*) FROM token WHERE kind = 'a'").await, 200);
        assert_eq!(audit_rows(&server.database, "token.issue").await.len(), 200);
        for answer in &answers {
            server.verify(&answer.text("access_token")).await.expect(200);
        }
    }

    async fn what_ended_long_ago_is_purged_and_the_rest_stays(server: &TestServer) {
        let client = server.client(&[]).await;
        for _ in 0..3 {
            server.access_token(&client).await;
        }
        let (access, refresh, client_id) = server.pair().await;
        server.service().tidy().await.unwrap();
        assert_eq!(count(&server.database, "SELECT COUNT(*) FROM token").await, 6, "nothing has ended yet");
        server.advance(29 * 86_400);
        server.service().tidy().await.unwrap();
        server.verify(&access).await.expect_invalid_token();
        server.refresh(&client_id, &refresh).await.expect(200);
        assert_eq!(count(&server.database, "SELECT COUNT(*) FROM grant_").await, 5, "ended grants stay in the list");
        server.advance(62 * 86_400);
        server.service().tidy().await.unwrap();
        assert_eq!(count(&server.database, "SELECT COUNT(*) FROM grant_").await, 1, "the administrator's key has no end");
        assert_eq!(count(&server.database, "SELECT COUNT(*) FROM refresh_family").await, 0);
        assert_eq!(count(&server.database, "SELECT COUNT(*) FROM token").await, 1);
        server.verify(&server.admin_key).await.expect(200);
        server.access_token(&client).await;
    }

    async fn partitions_reach_a_month_beyond_the_longest_lifetime(server: &TestServer) {
        if !server.database.is_postgres() {
            return;
        }
        let partitions = "SELECT COUNT(*) FROM pg_inherits WHERE inhparent = 'token'::regclass";
        let before = count(&server.database, partitions).await;
        assert_eq!(before, 15, "this month, twelve more, one to spare, and the one without an end");
        server.advance(400 * 86_400);
        server.service().tidy().await.unwrap();
        let longest = json!({ "policy": "api", "name": "x", "lifetime": "365d" });
        server.own_token(&longest).await;
        assert_eq!(count(&server.database, partitions).await, before, "thirteen months came, thirteen went");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_purge_in_bounded_batches_does_not_stop_issuing() {
    let server = TestServer::start(crate::support::TestDatabase::sqlite()).await;
    let client = server.client(&[]).await;
    for _ in 0..5 {
        let form = [("grant_type", "client_credentials")];
        let calls = (0..500).map(|_| server.post_form("/oauth20/token", Some(&client), &form));
        assert!(futures_util::future::join_all(calls).await.iter().all(|answer| answer.status == 200));
    }
    server.clock.advance(Duration::from_secs(60 * 86_400));
    let tidy = {
        let service = server.service().clone();
        tokio::spawn(async move { service.tidy().await })
    };
    for _ in 0..20 {
        server.access_token(&client).await;
    }
    assert!(tidy.await.unwrap().unwrap() >= 5_000);
    server.finish().await;
}

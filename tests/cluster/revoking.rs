//! Revocations that are made on one node and asked about on another.

use std::time::Duration;

use serde_json::json;

use super::{insert_ghost, warm};
use crate::support::{TestDatabase, TestServer};

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: cargo xtask test"]
async fn a_revocation_is_in_force_on_every_node_when_it_returns() {
    let one = TestServer::start(TestDatabase::postgres().await).await;
    let other = one.beside(Vec::new()).await;
    let client = one.client(&["a"]).await;
    for _ in 0..20 {
        let token = one.access_token(&client).await;
        warm(&other, &token).await;
        let revoked = one.delete("/oauth20/access-token", &token).await.expect(200);
        other.verify(&token).await.expect_invalid_token();
        one.verify(&token).await.expect_invalid_token();
        let receipt = &revoked.json()["revocation"];
        assert_eq!((receipt["applied_by"].as_u64(), receipt["of"].as_u64()), (Some(2), Some(2)), "{receipt}");
        assert_eq!(revoked.header("x-jeton-revision"), receipt["revision"].to_string());
    }
    other.finish().await;
    one.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: cargo xtask test"]
async fn without_a_doorbell_the_log_is_polled() {
    let silent = || vec![("validation.doorbell", "false".to_owned())];
    let one = TestServer::start_with(TestDatabase::postgres().await, silent()).await;
    let other = one.beside(silent()).await;
    let client = one.client(&["a"]).await;
    let token = one.access_token(&client).await;
    warm(&other, &token).await;
    let receipt = one.delete("/oauth20/access-token", &token).await.expect(200).json()["revocation"].clone();
    other.verify(&token).await.expect_invalid_token();
    assert_eq!(receipt["applied_by"], 2);
    assert_eq!(one.service().store.counters().of("revision.advance"), 0);
    other.finish().await;
    one.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: cargo xtask test"]
async fn mass_revocations_and_deleted_clients_reach_every_node() {
    let one = TestServer::start(TestDatabase::postgres().await).await;
    let other = one.beside(Vec::new()).await;
    let client = one.client(&["a"]).await;
    let own = one.own_token(&json!({ "policy": "access" })).await.text("access_token");
    let token = one.access_token(&client).await;
    warm(&other, &own).await;
    warm(&other, &token).await;
    assert!(other.is_active(&client, &token).await);
    one.post_json("/api/v1/tokens/revoke-all", &one.admin_key, &json!({})).await.expect(200);
    other.verify(&own).await.expect_invalid_token();
    other.verify(&token).await.expect(200);
    one.delete(&format!("/admin/v1/clients/{}", client.id), &one.admin_key).await.expect(200);
    other.verify(&token).await.expect_invalid_token();
    other.introspect(&client, &token).await.expect_oauth_error(401, "invalid_client");
    other.finish().await;
    one.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: cargo xtask test"]
async fn in_strict_mode_each_validation_is_confirmed_and_revocations_are_seen() {
    let one = TestServer::start(TestDatabase::postgres().await).await;
    let strict = one.beside(vec![("validation.mode", "strict".to_owned())]).await;
    let client = one.client(&["a"]).await;
    for _ in 0..5 {
        let token = one.access_token(&client).await;
        warm(&strict, &token).await;
        let before = strict.service().store.counters().of("revision.head");
        strict.verify(&token).await.expect(200);
        assert!(strict.service().store.counters().of("revision.head") > before);
        one.delete("/oauth20/access-token", &token).await.expect(200);
        strict.verify(&token).await.expect_invalid_token();
    }
    strict.finish().await;
    one.finish().await;
}

/// Runs `call` while time passes on the server's clock. How much had passed when it returned.
async fn while_time_passes<T>(server: &TestServer, call: impl Future<Output = T>) -> (T, Duration) {
    let (start, step) = (server.clock.boottime(), Duration::from_millis(100));
    let passing = async {
        loop {
            // A round trip each time, so that the server gets to see the time.
            server.management("/health/live").await;
            server.clock.advance(step);
        }
    };
    tokio::select! {
        value = call => (value, server.clock.boottime().since(start)),
        () = passing => unreachable!("time does not end"),
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: cargo xtask test"]
async fn a_dead_node_is_waited_for_until_its_lease_is_over_also_by_a_retry() {
    let server = TestServer::start(TestDatabase::postgres().await).await;
    let client = server.client(&["a"]).await;
    let token = server.access_token(&client).await;
    insert_ghost(&server, "lease_ms=3000 keys=x", 3_600_000).await;
    let lease = Duration::from_millis(3030);
    let form = [("token", token.as_str())];
    let revoke = server.post_form("/oauth20/revoke", Some(&client), &form);
    let (revoked, waited) = while_time_passes(&server, revoke).await;
    let revision = revoked.expect(200).header("x-jeton-revision").to_owned();
    assert!(waited >= lease, "{waited:?}");

    let status = server.get(&format!("/admin/v1/revocations/{revision}"), &server.admin_key).await.expect(200).json();
    assert_eq!((&status["applied_by"], &status["of"]), (&json!(1), &json!(2)), "{status}");
    assert_eq!(status["waiting_for"][0]["name"], "ghost");
    let metrics = server.management("/metrics").await.body;
    assert!(metrics.contains("jeton_revocation_waits_total{cause=\"lease\"} 1"), "{metrics}");

    let (again, waited) = while_time_passes(&server, server.post_form("/oauth20/revoke", Some(&client), &form)).await;
    again.expect(200);
    assert!(waited >= lease, "a retry returned after {waited:?}");
    server.finish().await;
}

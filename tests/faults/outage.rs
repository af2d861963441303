//! The database gone: 503 with `Retry-After` everywhere, never a refusal and never a false success.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::json;

use crate::support::cluster::Cluster;
use crate::support::server::TestClient;
use crate::support::{Answer, TestDatabase, TestServer};

/// Credentials that were made while the database answered.
struct Credentials {
    client: TestClient,
    token: String,
    refresh: String,
    client_id: String,
}

async fn credentials(server: &TestServer) -> Credentials {
    let client = server.client(&["a"]).await;
    let token = server.access_token(&client).await;
    let (_, refresh, client_id) = server.pair().await;
    Credentials { client, token, refresh, client_id }
}

/// One call of every endpoint that needs the database, each with good credentials.
async fn every_endpoint(server: &TestServer, with: &Credentials) -> Vec<(&'static str, Answer)> {
    let Credentials { client, token, refresh, client_id } = with;
    let form = [("grant_type", "client_credentials")];
    let mut answers = vec![
        ("token", server.post_form("/oauth20/token", Some(client), &form).await),
        ("refresh", server.refresh(client_id, refresh).await),
        ("introspect", server.introspect(client, token).await),
        ("revoke", server.post_form("/oauth20/revoke", Some(client), &[("token", token)]).await),
        ("verify", server.verify(token).await),
        ("verify below", server.get("/oauth20/verify/x", token).await),
        (
            "clients create",
            server.post_json("/admin/v1/clients", &server.admin_key, &json!({ "name": "x", "grant_types": [] })).await,
        ),
        ("tokens create", server.post_json("/api/v1/tokens", &server.admin_key, &json!({ "policy": "access" })).await),
        ("revoke all", server.post_json("/api/v1/tokens/revoke-all", &server.admin_key, &json!({})).await),
        (
            "one revoke",
            server.post_json("/api/v1/tokens/grt_0000000000000000000000/revoke", &server.admin_key, &json!({})).await,
        ),
    ];
    for path in [
        "/api/v1/tokens",
        "/api/v1/tokens/grt_0000000000000000000000",
        "/admin/v1/clients",
        "/admin/v1/clients/x",
        "/admin/v1/events",
    ] {
        answers.push((path, server.get(path, &server.admin_key).await));
    }
    for (path, token) in [("/oauth20/access-token", token), ("/oauth20/access-tokens", &server.admin_key)] {
        answers.push((path, server.get(path, token).await));
        answers.push((path, server.send(server.request(Method::DELETE, path).bearer_auth(token)).await));
    }
    answers.push(("client delete", server.delete("/admin/v1/clients/x", &server.admin_key).await));
    answers
}

fn assert_unavailable(answers: &[(&'static str, Answer)]) {
    for (endpoint, answer) in answers {
        assert_eq!(answer.status, 503, "{endpoint}: {}", answer.body);
        let retry_after: u32 = answer.header("retry-after").parse().unwrap_or(0);
        assert!(retry_after >= 1, "{endpoint} without Retry-After");
    }
}

on_both_databases! {
    async fn with_the_database_closed_every_endpoint_is_unavailable(server: &TestServer) {
        let fresh = credentials(server).await;
        // What a process has in memory it serves without the database; here everything must be asked for.
        server.forget();
        server.service().store.close().await;
        assert_unavailable(&every_endpoint(server, &fresh).await);
        assert_eq!(server.management("/health/ready").await.status, 503);
        assert_eq!(server.management("/health/live").await.status, 200);
    }
}

const WORKERS: usize = 4;
const ROUNDS: usize = 2;

/// Under load all the time; only what was asked while the database was certainly down must be a 503, but at no moment
/// may an answer be a refusal or a false success.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: cargo xtask test"]
async fn a_database_that_stops_under_load_is_never_a_refusal_and_recovery_needs_nobody() {
    let cluster = Cluster::start();
    let server = Arc::new(TestServer::start(TestDatabase::Own(cluster.url())).await);
    let with = Arc::new(credentials(&server).await);
    let (stop, asked) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let workers = (0..WORKERS).map(|_| {
        let (server, with, stop, asked) =
            (Arc::clone(&server), Arc::clone(&with), Arc::clone(&stop), Arc::clone(&asked));
        tokio::spawn(async move {
            while !stop.load(Ordering::Relaxed) {
                let form = [("grant_type", "client_credentials")];
                let issued = server.post_form("/oauth20/token", Some(&with.client), &form).await;
                let seen = [
                    server.verify(&with.token).await,
                    server.introspect(&with.client, &with.token).await,
                    server.get("/oauth20/access-token", &with.token).await,
                    server.get("/api/v1/tokens", &server.admin_key).await,
                ];
                for answer in seen.iter().chain([&issued]) {
                    assert!(matches!(answer.status, 200 | 503), "{}: {}", answer.status, answer.body);
                    assert!(!answer.body.contains("\"active\":false"), "an outage looks like a bad token");
                    assert!(answer.status == 200 || !answer.header("retry-after").is_empty());
                }
                if issued.status == 200 {
                    let token = issued.text("access_token");
                    let revoked = server.post_form("/oauth20/revoke", Some(&with.client), &[("token", &token)]).await;
                    assert!(matches!(revoked.status, 200 | 503));
                    let after = server.verify(&token).await;
                    assert!(revoked.status != 200 || after.status != 200, "a false revocation");
                }
                asked.fetch_add(1, Ordering::Relaxed);
            }
        })
    });
    let workers: Vec<_> = workers.collect();
    for _ in 0..ROUNDS {
        let before = asked.load(Ordering::Relaxed);
        while asked.load(Ordering::Relaxed) < before + 2 * WORKERS {
            tokio::task::yield_now().await;
        }
        cluster.stop();
        // What is in memory is served while the lease is running.
        server.advance(4);
        assert_unavailable(&every_endpoint(&server, &with).await);
        cluster.resume();
        while server.verify(&with.token).await.status != 200 {
            tokio::task::yield_now().await;
        }
        server.access_token(&with.client).await;
    }
    stop.store(true, Ordering::Relaxed);
    for worker in join_all(workers).await {
        worker.unwrap();
    }
    server.refresh(&with.client_id, &with.refresh).await.expect(200);
}

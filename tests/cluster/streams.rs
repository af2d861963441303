//! What followers of different nodes are told.

use reqwest::Method;

use crate::support::cluster::Cluster;
use crate::support::events::Events;
use crate::support::{TestClient, TestDatabase, TestServer};

fn follow(server: &TestServer, client: &TestClient, query: &str) -> reqwest::RequestBuilder {
    let path = format!("/oauth20/revocations{query}");
    server.request(Method::GET, &path).basic_auth(&client.id, Some(&client.secret))
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: cargo xtask test"]
async fn what_is_told_is_in_force_on_the_node_that_tells_it() {
    let one = TestServer::start(TestDatabase::postgres().await).await;
    let other = one.beside(Vec::new()).await;
    let strict = one.beside(vec![("validation.mode", "strict".to_owned())]).await;
    let client = one.client(&["a"]).await;
    let mut streams = Vec::new();
    for node in [&one, &other, &strict] {
        let mut events = Events::of(follow(node, &client, "")).await;
        streams.push((node, events.next_named("heartbeat").await.data["history"].clone(), events));
    }
    assert!(streams.iter().all(|(_, history, _)| *history == streams[0].1), "one history on all nodes");
    for _ in 0..10 {
        let token = one.access_token(&client).await;
        super::warm(&other, &token).await;
        // Not awaited: what is told is in force, also before the revocation has returned.
        let revoking = one.delete("/oauth20/access-token", &token);
        let telling = async {
            for (node, _, events) in &mut streams {
                events.next_named("revocation").await;
                node.verify(&token).await.expect_invalid_token();
            }
        };
        tokio::join!(revoking, telling).0.expect(200);
    }
    drop(streams);
    strict.finish().await;
    other.finish().await;
    one.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: cargo xtask test"]
async fn a_follower_goes_on_at_another_node() {
    let one = TestServer::start(TestDatabase::postgres().await).await;
    let other = one.beside(Vec::new()).await;
    let client = one.client(&["a"]).await;
    let mut events = Events::of(follow(&one, &client, "")).await;
    let position = events.next_named("heartbeat").await.id.unwrap();
    drop(events);
    let token = one.access_token(&client).await;
    let revoked = one.delete("/oauth20/access-token", &token).await.expect(200);
    let mut events = Events::of(follow(&other, &client, &format!("?since={position}"))).await;
    let event = events.next().await.unwrap();
    assert_eq!((event.name.as_str(), event.id.as_deref()), ("revocation", Some(revoked.header("x-jeton-revision"))));
    drop(events);
    other.finish().await;
    one.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: cargo xtask test"]
async fn a_node_whose_lease_is_over_says_so_and_vouches_for_nothing() {
    let cluster = Cluster::start();
    let server = TestServer::start(TestDatabase::Own(cluster.url())).await;
    let client = server.client(&["a"]).await;
    let mut events = Events::of(follow(&server, &client, "")).await;
    events.next_named("heartbeat").await;
    cluster.stop();
    server.advance(4);
    // One that was begun before may still come.
    events.next_named("behind").await;
    while let Some(event) = events.next().await {
        assert_eq!(event.name, "behind");
    }
    server.send(follow(&server, &client, "")).await.expect_oauth_error(503, "temporarily_unavailable");
    cluster.resume();
    loop {
        let answer = follow(&server, &client, "?follow=false").send().await.unwrap();
        if answer.status() == 200 {
            break;
        }
    }
}

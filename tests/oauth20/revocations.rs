//! `GET /oauth20/revocations`

use std::collections::BTreeSet;

use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use crate::support::events::Events;
use crate::support::{TestClient, TestServer};

/// Asks as this client.
fn request(server: &TestServer, client: &TestClient, query: &str) -> RequestBuilder {
    let path = format!("/oauth20/revocations{query}");
    server.request(Method::GET, &path).basic_auth(&client.id, Some(&client.secret))
}

async fn follow(server: &TestServer, client: &TestClient, query: &str) -> Events {
    Events::of(request(server, client, query)).await
}

/// What introspection tells those who follow.
async fn told(server: &TestServer, client: &TestClient, token: &str) -> Value {
    let form = [("token", token), ("follow", "revocations")];
    let told = server.post_form("/oauth20/introspect", Some(client), &form).await.expect(200).json();
    assert_eq!(told["active"], true);
    told
}

fn keys(told: &Value) -> BTreeSet<String> {
    let keys: BTreeSet<String> = serde_json::from_value(told["revocation_keys"].clone()).unwrap();
    assert!(keys.len() >= 2 && keys.iter().all(|key| key.len() == 22), "{told}");
    keys
}

/// Reads until an event concerns a token with these keys. What it said.
async fn concerning(events: &mut Events, keys: &BTreeSet<String>) -> Value {
    loop {
        let event = events.next_named("revocation").await;
        if keys.contains(event.data["key"].as_str().unwrap()) {
            return event.data;
        }
    }
}

on_both_databases! {
    async fn a_revocation_is_told_by_a_key_that_introspection_has_named(server: &TestServer) {
        let client = server.client(&["a"]).await;
        let mut events = follow(server, &client, "").await;
        let first = events.next().await.unwrap();
        assert_eq!(first.name, "heartbeat");
        let token = server.access_token(&client).await;
        let before = told(server, &client, &token).await;
        assert_eq!(before["history"], first.data["history"]);
        let revoked = server.delete("/oauth20/access-token", &token).await.expect(200);
        let event = events.next_named("revocation").await;
        assert!(keys(&before).contains(event.data["key"].as_str().unwrap()), "{event:?}");
        let revision = revoked.header("x-jeton-revision");
        assert_eq!((event.data["kind"].as_str(), event.id.as_deref()), (Some("grant"), Some(revision)));
        assert_eq!(event.data["revision"].to_string(), revision);
        let beat = events.next_named("heartbeat").await;
        assert_eq!(beat.id.as_deref(), Some(revision));
        assert_eq!(beat.data["revision"].to_string(), revision);
    }

    async fn every_act_that_ends_or_changes_a_token_is_told_by_one_of_its_keys(server: &TestServer) {
        let client = server.client(&["a"]).await;
        let other = server.client(&["b"]).await;
        let user = server.user("alice", "member").await;
        let of_user = server.post_json("/api/v1/tokens", &user.key, &json!({ "policy": "access" })).await.text("access_token");
        let own = server.own_token(&json!({ "policy": "access" })).await;
        let named = server.own_token(&json!({ "policy": "key", "name": "k" })).await;
        let named_path = format!("/api/v1/tokens/{}", named.json()["token"]["id"].as_str().unwrap());
        let session = server.get("/oauth20/access-token", &named.text("api_key")).await.expect(200).text("access_token");
        let imported = "an-older-token";
        let import = server.legacy_token(imported).await;
        let of_other = server.access_token(&other).await;
        let all = server.access_token(&client).await;
        let mut events = follow(server, &client, "").await;
        let watched = async |token: &str| keys(&told(server, &client, token).await);

        let concerned = watched(&session).await;
        server.patch_json(&named_path, &server.admin_key, "*", &json!({ "extra_fields": { "a": "b" } })).await.expect(200);
        assert_eq!(concerning(&mut events, &concerned).await["kind"], "changed");
        server.post_json(&format!("{named_path}/revoke"), &server.admin_key, &json!({})).await.expect(200);
        assert_eq!(concerning(&mut events, &concerned).await["kind"], "grant");

        let concerned = watched(&own.text("access_token")).await;
        server.post_json("/api/v1/tokens/revoke-all", &server.admin_key, &json!({ "policy": "access" })).await.expect(200);
        let cut = concerning(&mut events, &concerned).await;
        assert_eq!((cut["kind"].as_str(), cut["policy"].as_str()), (Some("cutoff"), Some("access")));

        let concerned = watched(imported).await;
        server.delete(&format!("/admin/v1/legacy-imports/{import}"), &server.admin_key).await.expect(200);
        assert_eq!(concerning(&mut events, &concerned).await["kind"], "cutoff");

        let concerned = watched(&of_user).await;
        server.delete(&user.path, &server.admin_key).await.expect(200);
        assert_eq!(concerning(&mut events, &concerned).await["kind"], "cutoff");

        let concerned = watched(&of_other).await;
        server.delete(&format!("/admin/v1/clients/{}", other.id), &server.admin_key).await.expect(200);
        assert_eq!(concerning(&mut events, &concerned).await["kind"], "cutoff");

        let concerned = watched(&all).await;
        server.post_json("/admin/v1/apis", &server.admin_key, &json!({ "name": "orders", "audience": "https://orders.test" })).await.expect(201);
        assert_eq!(concerning(&mut events, &concerned).await["kind"], "catalog");
    }

    async fn a_workspace_is_told_its_own_revocations_only(server: &TestServer) {
        let acme = server.workspace("acme").await;
        let body = json!({ "name": "acme", "grant_types": ["client_credentials"], "introspect": true });
        let made = server.post_json("/admin/v1/clients", &acme.key, &body).await.expect(201);
        let theirs = TestClient { id: made.text("client_id"), secret: made.text("client_secret") };
        let ours = server.client(&["a"]).await;
        let (mut seen, mut hidden) = (follow(server, &theirs, "").await, follow(server, &ours, "").await);
        let (their, our) = (server.access_token(&theirs).await, server.access_token(&ours).await);
        let their_keys = keys(&told(server, &theirs, &their).await);
        let our_keys = keys(&told(server, &ours, &our).await);
        server.delete("/oauth20/access-token", &their).await.expect(200);
        server.delete("/oauth20/access-token", &our).await.expect(200);
        concerning(&mut seen, &their_keys).await;
        let first = hidden.next_named("revocation").await;
        assert!(our_keys.contains(first.data["key"].as_str().unwrap()), "{first:?}");
        // What ends the workspace is told to it, and ends what its clients may do.
        server.delete(&acme.path, &server.admin_key).await.expect(200);
        let mut cut = false;
        while let Some(event) = seen.next().await {
            cut |= event.data["kind"] == "cutoff" && their_keys.contains(event.data["key"].as_str().unwrap());
        }
        assert!(cut);
    }

    async fn a_follower_goes_on_where_it_was(server: &TestServer) {
        let client = server.client(&["a"]).await;
        let mut revisions = Vec::new();
        for _ in 0..3 {
            let token = server.access_token(&client).await;
            let revoked = server.delete("/oauth20/access-token", &token).await.expect(200);
            revisions.push(revoked.header("x-jeton-revision").to_owned());
        }
        let ids = async |request: RequestBuilder| {
            let (mut events, mut ids) = (Events::of(request).await, Vec::new());
            while let Some(event) = events.next().await {
                ids.extend(event.id.filter(|_| event.name == "revocation"));
            }
            ids
        };
        let query = format!("?since={}&follow=false", revisions[0]);
        assert_eq!(ids(request(server, &client, &query)).await, revisions[1..]);
        assert_eq!(ids(request(server, &client, &query).header("last-event-id", &revisions[1])).await, revisions[2..]);
        assert_eq!(ids(request(server, &client, "?follow=false")).await, Vec::<String>::new());
    }

    async fn a_follower_that_knows_what_is_not_there_starts_afresh(server: &TestServer) {
        let client = server.client(&["a"]).await;
        let mut events = follow(server, &client, "?since=999999999&follow=false").await;
        assert_eq!(events.next().await.unwrap().name, "reset");
        assert_eq!(events.next().await.unwrap().name, "heartbeat");
        events.ended().await;
    }

    async fn a_follower_that_was_away_too_long_starts_afresh(server: &TestServer) {
        let client = server.client(&["a"]).await;
        for _ in 0..2 {
            let token = server.access_token(&client).await;
            server.delete("/oauth20/access-token", &token).await.expect(200);
        }
        server.advance(601);
        // The nodes say what they have applied with each renewal: the log is kept as long as one has not.
        loop {
            server.service().tidy().await.unwrap();
            let mut events = follow(server, &client, "?since=1&follow=false").await;
            if events.next().await.unwrap().name == "reset" {
                break;
            }
        }
    }

    async fn only_who_may_introspect_every_token_may_follow(server: &TestServer) {
        let plain = server.client_with(json!({ "name": "plain", "grant_types": ["client_credentials"] })).await;
        server.send(request(server, &plain, "")).await.expect_oauth_error(403, "unauthorized_client");
        let wrong = TestClient { secret: "wrong".to_owned(), ..plain };
        server.send(request(server, &wrong, "")).await.expect_oauth_error(401, "invalid_client");
        server.send(server.request(Method::GET, "/oauth20/revocations")).await.expect_oauth_error(401, "invalid_client");
        let asks = server.client(&["introspect", "other"]).await;
        let bearer = server.access_token(&asks).await;
        let get = |bearer: &str| server.request(Method::GET, "/oauth20/revocations").bearer_auth(bearer);
        let mut events = Events::of(get(&bearer)).await;
        events.next_named("heartbeat").await;
        let form = [("grant_type", "client_credentials"), ("scope", "other")];
        let weak = server.post_form("/oauth20/token", Some(&asks), &form).await.expect(200).text("access_token");
        server.send(get(&weak)).await.expect_oauth_error(403, "insufficient_scope");
        server.send(get("jtn_a_x")).await.expect_invalid_token();
        // And only as long as they may.
        server.delete("/oauth20/access-token", &bearer).await.expect(200);
        events.ended().await;
    }

    async fn the_stream_of_a_client_that_may_no_longer_ask_ends(server: &TestServer) {
        let (demoted, deleted) = (server.client(&["a"]).await, server.client(&["a"]).await);
        let (mut one, mut other) = (follow(server, &demoted, "").await, follow(server, &deleted, "").await);
        let path = |client: &TestClient| format!("/admin/v1/clients/{}", client.id);
        server.patch_json(&path(&demoted), &server.admin_key, "*", &json!({ "introspect": false })).await.expect(200);
        server.delete(&path(&deleted), &server.admin_key).await.expect(200);
        one.ended().await;
        other.ended().await;
    }

    async fn bad_input_is_refused(server: &TestServer) {
        let client = server.client(&["a"]).await;
        for bad in ["?since=-1", "?since=x", "?since=1.5", "?since=99999999999999999999", "?since=1&since=2", "?follow=x", "?other=1", "?%00=1"] {
            server.send(request(server, &client, bad)).await.expect_oauth_error(400, "invalid_request");
        }
        for bad in ["x", "-1", "1,2"] {
            server.send(request(server, &client, "").header("last-event-id", bad)).await.expect_oauth_error(400, "invalid_request");
        }
        let twice = request(server, &client, "").header("last-event-id", "1").header("last-event-id", "1");
        server.send(twice).await.expect_oauth_error(400, "invalid_request");
        let mut events = Events::of(request(server, &client, "?since=&follow=false").header("last-event-id", "")).await;
        assert_eq!(events.next().await.unwrap().name, "heartbeat");
        let form = [("token", "x"), ("follow", "everything")];
        server.post_form("/oauth20/introspect", Some(&client), &form).await.expect_oauth_error(400, "invalid_request");
    }

    async fn followers_are_counted_and_leave(server: &TestServer) {
        let client = server.client(&["a"]).await;
        let clients = async || {
            let metrics = server.management("/metrics").await.body;
            let line = metrics.lines().find(|line| line.starts_with("jeton_stream_clients ")).unwrap().to_owned();
            line.rsplit(' ').next().unwrap().parse::<u32>().unwrap()
        };
        let events = (follow(server, &client, "").await, follow(server, &client, "").await);
        assert_eq!(clients().await, 2);
        drop(events);
        while clients().await > 0 {}
    }
}

on_both_databases! {
    with vec![("validation.max_streams", "3".to_owned())];
    async fn beyond_the_places_that_there_are_the_answer_is_503(server: &TestServer) {
        let client = server.client(&["a"]).await;
        let places = (follow(server, &client, "").await, follow(server, &client, "").await);
        let refused = server.send(request(server, &client, "")).await.expect_oauth_error(503, "temporarily_unavailable");
        assert!(!refused.header("retry-after").is_empty());
        drop(places);
        while server.send(request(server, &client, "?follow=false")).await.status == 503 {}
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_shutdown_ends_the_streams() {
    let server = TestServer::start(crate::support::TestDatabase::sqlite()).await;
    let client = server.client(&["a"]).await;
    let mut events = follow(&server, &client, "").await;
    events.next_named("heartbeat").await;
    tokio::join!(server.finish(), events.ended());
}

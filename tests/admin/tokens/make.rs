//! Making tokens for others, repeating a create, and new secrets.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::Answer;

fn id(made: &Answer) -> String {
    made.json()["token"]["id"].as_str().expect("a token").to_owned()
}

on_both_databases! {
    async fn an_administrator_makes_managed_tokens_for_users_and_clients(server: &TestServer) {
        let (alice, client) = (server.user("alice", "member").await, server.client(&[]).await);
        for (owner, kind) in [(&alice.id, "user"), (&client.id, "client")] {
            let body = json!({ "policy": "managed", "owner": owner, "lifetime": "90d", "extra_fields": { "team": "x" } });
            let made = server.post_json("/admin/v1/tokens", &server.admin_key, &body).await.expect(201);
            assert_eq!(made.json()["token"]["owner"]["type"], kind);
            assert_eq!(made.json()["token"]["owner"]["id"], **owner);
            assert_eq!(made.json()["token"]["origin"], "admin");
            assert_eq!(made.header("location"), format!("/admin/v1/tokens/{}", id(&made)));
            let verified = server.verify(&made.text("access_token")).await.expect(200);
            assert_eq!(verified.header("x-auth-subject"), *owner);
        }
        let managed = json!({ "policy": "managed" });
        server.post_json("/api/v1/tokens", &alice.key, &managed).await.expect_field_error("/policy");
        server.post_json("/admin/v1/tokens", &alice.key, &managed).await.expect(403);
    }

    async fn a_token_acts_for_its_owner_so_it_is_not_made_for_a_higher_role(server: &TestServer) {
        let (admin, operator) = (server.user("adam", "admin").await, server.get("/api/v1/me", &server.admin_key).await);
        let operator = operator.expect(200).json()["user"]["id"].as_str().unwrap().to_owned();
        for owner in [operator.as_str(), "usr_0000000000000000000000", "nobody", ""] {
            let body = json!({ "policy": "managed", "owner": owner });
            server.post_json("/admin/v1/tokens", &admin.key, &body).await.expect_field_error("/owner");
        }
        let own = json!({ "policy": "access", "owner": admin.id });
        server.post_json("/api/v1/tokens", &admin.key, &own).await.expect_field_error("/owner");
    }

    async fn a_repeated_create_gets_the_same_secrets_and_makes_nothing_new(server: &TestServer) {
        for (body, secrets) in [
            (json!({ "policy": "access", "name": "a" }), &["access_token"][..]),
            (json!({ "policy": "key", "name": "b" }), &["api_key"]),
            (json!({ "policy": "api", "name": "c", "lifetime": "30d" }), &["access_token", "refresh_token"]),
        ] {
            let key = format!("key-{}", body["name"].as_str().unwrap());
            let send = async |body: &Value, with: &str| {
                let request = server.request(Method::POST, "/api/v1/tokens").bearer_auth(with).header("idempotency-key", &key);
                server.send(request.header("content-type", "application/json").body(body.to_string())).await
            };
            let first = send(&body, &server.admin_key).await.expect(201);
            assert_eq!(first.header("idempotency-replayed"), "");
            server.advance(5);
            let calls = (0..8).map(|_| send(&body, &server.admin_key));
            for again in futures_util::future::join_all(calls).await {
                assert_eq!(again.clone().expect(201).header("idempotency-replayed"), "true");
                assert_eq!(again.body, first.body);
            }
            for secret in secrets {
                assert!(first.text(secret).starts_with("jtn_"));
            }
            let reused = send(&json!({ "policy": "access", "name": "other" }), &server.admin_key).await.expect(422);
            assert_eq!(reused.json()["code"], "idempotency_key_reused");
            let other = server.user(&format!("user-{}", body["name"].as_str().unwrap()), "member").await;
            assert_ne!(send(&body, &other.key).await.expect(201).json()["token"]["id"], first.json()["token"]["id"]);
            server.advance(86_400);
            assert_ne!(send(&body, &server.admin_key).await.expect(201).json()["token"]["id"], first.json()["token"]["id"]);
        }
    }

    async fn an_idempotency_key_that_is_none_is_refused(server: &TestServer) {
        for bad in ["", "a b", &"x".repeat(256)] {
            let request = server.request(Method::POST, "/api/v1/tokens").bearer_auth(&server.admin_key);
            let request = request.header("idempotency-key", bad).header("content-type", "application/json");
            server.send(request.body("{\"policy\":\"access\"}")).await.expect_field_error("Idempotency-Key");
        }
    }

    async fn a_new_secret_takes_the_place_of_the_old_one_at_the_chosen_time(server: &TestServer) {
        for policy in ["key", "access"] {
            let secret = if policy == "key" { "api_key" } else { "access_token" };
            let made = server.own_token(&json!({ "policy": policy, "name": "x" })).await;
            let (path, old) = (format!("/api/v1/tokens/{}/rotate", id(&made)), made.text(secret));
            server.verify(&old).await.expect(200);
            let rotated = server.post_json(&path, &server.admin_key, &json!({ "overlap": "10m" })).await.expect(200);
            assert_eq!((id(&rotated), &rotated.json()["token"]["version"]), (id(&made), &json!(2)));
            let new = rotated.text(secret);
            server.advance(599);
            server.verify(&old).await.expect(200);
            server.verify(&new).await.expect(200);
            server.advance(1);
            server.verify(&old).await.expect_invalid_token();
            server.verify(&new).await.expect(200);
            let at_once = server.post_json(&path, &server.admin_key, &json!({})).await.expect(200);
            server.verify(&new).await.expect_invalid_token();
            server.verify(&at_once.text(secret)).await.expect(200);
        }
        let made = server.own_token(&json!({ "policy": "access" })).await;
        let path = format!("/api/v1/tokens/{}/rotate", id(&made));
        server.post_json(&path, &server.admin_key, &json!({ "overlap": "31d" })).await.expect_field_error("/overlap");
        let session = server.get("/oauth20/access-token", &server.admin_key).await.expect(200);
        let session = session.json()["session"]["session_id"].as_str().unwrap().to_owned();
        server.post_json(&format!("/api/v1/tokens/{session}/rotate"), &server.admin_key, &json!({})).await.expect(409);
    }

    async fn a_rotated_key_takes_the_sessions_of_the_old_secret_with_it(server: &TestServer) {
        let made = server.own_token(&json!({ "policy": "key", "name": "leaked" })).await;
        let minted = server.get("/oauth20/access-token", &made.text("api_key")).await.expect(200).text("access_token");
        server.verify(&minted).await.expect(200);
        let path = format!("/api/v1/tokens/{}/rotate", id(&made));
        let new = server.post_json(&path, &server.admin_key, &json!({})).await.expect(200).text("api_key");
        server.verify(&minted).await.expect_invalid_token();
        let again = server.get("/oauth20/access-token", &new).await.expect(200).text("access_token");
        server.verify(&again).await.expect(200);
    }

    async fn a_rotated_pair_has_one_refresh_token_and_the_old_one_kills_nothing(server: &TestServer) {
        let made = server.own_token(&json!({ "policy": "api", "name": "pair", "lifetime": "30d" })).await;
        let client_id = made.text("client_id");
        let refreshed = server.refresh(&client_id, &made.text("refresh_token")).await.expect(200);
        let path = format!("/api/v1/tokens/{}/rotate", id(&made));
        let rotated = server.post_json(&path, &server.admin_key, &json!({ "overlap": "5m" })).await.expect(200);
        server.verify(&refreshed.text("access_token")).await.expect(200);
        for old in [refreshed.text("refresh_token"), made.text("refresh_token")] {
            server.refresh(&client_id, &old).await.expect_oauth_error(400, "invalid_grant");
        }
        let end = rotated.json()["token"]["expires_at"].clone();
        assert_eq!(end, made.json()["token"]["expires_at"]);
        let next = server.refresh(&client_id, &rotated.text("refresh_token")).await.expect(200);
        server.verify(&next.text("access_token")).await.expect(200);
        server.advance(300);
        server.verify(&refreshed.text("access_token")).await.expect_invalid_token();
        server.verify(&next.text("access_token")).await.expect(200);
    }
}

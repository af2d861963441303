//! `POST /oauth20/introspect`

use reqwest::Method;
use serde_json::json;

const INACTIVE: &str = r#"{"active":false}"#;

on_both_databases! {
    async fn an_active_token_is_described_as_rfc_7662_and_the_contract_say(server: &TestServer) {
        let client = server.client(&["orders:read"]).await;
        let token = server.access_token(&client).await;
        server.advance(60);
        let answer = server.introspect(&client, &token).await.expect(200);
        assert_eq!(answer.header("cache-control"), "no-store");
        let body = answer.json();
        let now = 1_795_262_400;
        for (name, expected) in [
            ("active", json!(true)), ("scope", json!("orders:read")), ("client_id", json!(client.id)),
            ("token_type", json!("Bearer")), ("exp", json!(now + 3600)), ("iat", json!(now)), ("nbf", json!(now)),
            ("sub", json!(client.id)), ("iss", json!("https://auth.test")), ("workspace", json!("default")),
            ("policy", json!("session")), ("name", json!(null)), ("apis", json!([])), ("plans", json!([])),
            ("extra_fields", json!({})), ("expires_in", json!(3540)), ("cache_max_age", json!(0)),
        ] {
            assert_eq!(body[name], expected, "{name}");
        }
        assert!(body["jti"].as_str().is_some_and(|id| token.contains(id)));
        assert!(body["revision"].is_i64());
        assert!(body.get("username").is_none(), "a client's own token has no user");
    }

    async fn a_users_token_names_the_user(server: &TestServer) {
        let client = server.client(&[]).await;
        let (access, _, client_id) = server.pair().await;
        let body = server.introspect(&client, &access).await.expect(200).json();
        assert_eq!(body["username"], "admin");
        assert!(body["sub"].as_str().unwrap().starts_with("usr_"));
        assert_eq!(body["client_id"], client_id.as_str());
        let key = server.introspect(&client, &server.admin_key).await.expect(200).json();
        assert_eq!(key["active"], true);
        assert!(key.get("exp").is_none() && key.get("expires_in").is_none());
    }

    async fn whatever_is_not_active_is_exactly_inactive(server: &TestServer) {
        let client = server.client(&[]).await;
        let revoked = server.access_token(&client).await;
        server.post_form("/oauth20/revoke", Some(&client), &[("token", &revoked)]).await.expect(200);
        let expired = server.access_token(&client).await;
        server.advance(3600);
        let mut forged = server.access_token(&client).await;
        let last = forged.pop().unwrap();
        forged.push(if last == '0' { '1' } else { '0' });
        for token in [revoked.as_str(), &expired, &forged, "x", "jtn_a_", &client.secret, &"a".repeat(5000)] {
            assert_eq!(server.introspect(&client, token).await.expect(200).body, INACTIVE, "{token}");
        }
    }

    async fn a_client_that_may_not_introspect_sees_its_own_tokens_only(server: &TestServer) {
        let plain = server.client_with(json!({ "name": "plain", "grant_types": ["client_credentials"] })).await;
        let other = server.client(&[]).await;
        let (own, foreign) = (server.access_token(&plain).await, server.access_token(&other).await);
        assert!(server.is_active(&plain, &own).await);
        assert_eq!(server.introspect(&plain, &foreign).await.expect(200).body, INACTIVE);
        assert!(server.is_active(&other, &own).await);
    }

    async fn a_refresh_token_is_shown_to_nobody_as_a_bearer_token(server: &TestServer) {
        let client = server.client(&[]).await;
        let (_, refresh, _) = server.pair().await;
        assert_eq!(server.introspect(&client, &refresh).await.expect(200).body, INACTIVE);
    }

    async fn the_caller_is_authenticated_before_the_token_is_looked_at(server: &TestServer) {
        let client = server.client(&[]).await;
        let token = server.access_token(&client).await;
        let nobody = async |form: &[(&str, &str)]| server.post_form("/oauth20/introspect", None, form).await;
        nobody(&[("token", &token)]).await.expect_oauth_error(401, "invalid_client");
        nobody(&[]).await.expect_oauth_error(401, "invalid_client");
        let public = [("token", token.as_str()), ("client_id", "default-api-tokens")];
        nobody(&public).await.expect_oauth_error(401, "invalid_client");
        server.post_form("/oauth20/introspect", Some(&client), &[]).await.expect_oauth_error(400, "invalid_request");
        let form = [("token", token.as_str()), ("token_type_hint", "refresh_token")];
        assert_eq!(server.post_form("/oauth20/introspect", Some(&client), &form).await.expect(200).json()["active"], true);
        let twice = [("token", token.as_str()), ("token", token.as_str())];
        server.post_form("/oauth20/introspect", Some(&client), &twice).await.expect_oauth_error(400, "invalid_request");
    }

    async fn a_bearer_with_the_scope_introspect_may_ask(server: &TestServer) {
        let client = server.client(&["introspect", "other"]).await;
        let ask = async |bearer: &str, token: &str| {
            let request = server.request(Method::POST, "/oauth20/introspect").bearer_auth(bearer);
            server.send(request.header("content-type", "application/x-www-form-urlencoded").body(format!("token={token}"))).await
        };
        let bearer = server.access_token(&client).await;
        assert_eq!(ask(&bearer, &bearer).await.expect(200).json()["active"], true);
        let form = [("grant_type", "client_credentials"), ("scope", "other")];
        let weak = server.post_form("/oauth20/token", Some(&client), &form).await.expect(200).text("access_token");
        let refused = ask(&weak, &bearer).await.expect_oauth_error(403, "insufficient_scope");
        assert!(refused.header("www-authenticate").contains("scope=\"introspect\""));
        ask("jtn_a_x", &bearer).await.expect_invalid_token();
    }

    async fn an_administrator_who_is_none_any_more_may_not_ask(server: &TestServer) {
        let second = server.user("second", "admin").await;
        let body = json!({ "policy": "key", "name": "asks", "scopes": ["introspect"] });
        let key = server.post_json("/api/v1/tokens", &second.key, &body).await.expect(201).text("api_key");
        let ask = async || {
            let request = server.request(Method::POST, "/oauth20/introspect").bearer_auth(&key);
            server.send(request.header("content-type", "application/x-www-form-urlencoded").body(format!("token={key}"))).await
        };
        assert_eq!(ask().await.expect(200).json()["active"], true);
        server.patch_json(&second.path, &server.admin_key, "*", &json!({ "role": "member" })).await.expect(200);
        let refused = ask().await.expect_oauth_error(403, "insufficient_scope");
        assert!(!refused.body.contains("active"));
        server.verify(&key).await.expect(200);
        server.patch_json(&second.path, &server.admin_key, "*", &json!({ "role": "admin" })).await.expect(200);
        ask().await.expect(200);
        // One that an administrator has made for a member: what counts is whose it is.
        let member = server.user("member", "member").await;
        let body = json!({ "policy": "key", "name": "given", "scopes": ["introspect"], "owner": member.id });
        let given = server.post_json("/admin/v1/tokens", &server.admin_key, &body).await.expect(201).text("api_key");
        let request = server.request(Method::POST, "/oauth20/introspect").bearer_auth(&given);
        server.send(request.header("content-type", "application/x-www-form-urlencoded").body(format!("token={key}"))).await.expect(403);
    }

    async fn a_use_is_written_down_and_shown(server: &TestServer) {
        let made = server.own_token(&json!({ "policy": "access", "lifetime": "1h" })).await;
        let path = format!("/api/v1/tokens/{}", made.json()["token"]["id"].as_str().unwrap());
        assert_eq!(server.get(&path, &server.admin_key).await.expect(200).json()["last_used_at"], json!(null));
        server.advance(5);
        server.verify(&made.text("access_token")).await.expect(200);
        server.service().flush_uses().await.unwrap();
        assert_eq!(server.get(&path, &server.admin_key).await.expect(200).json()["last_used_at"], "2026-11-21T12:00:05Z");
    }
}

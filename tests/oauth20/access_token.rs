//! `GET` and `DELETE /oauth20/access-token`

use reqwest::Method;
use serde_json::json;

on_both_databases! {
    async fn an_access_token_shows_its_own_session_and_itself(server: &TestServer) {
        let client = server.client(&["orders:read"]).await;
        let token = server.access_token(&client).await;
        let request = server.request(Method::GET, "/oauth20/access-token").header("authorization", format!("bearer {token}"));
        let answer = server.send(request).await.expect(200);
        assert_eq!(answer.header("cache-control"), "no-store");
        let body = answer.json();
        assert_eq!(body["access_token"], token.as_str());
        assert_eq!(body["token_type"], "Bearer");
        assert_eq!(body["expires_in"], 3600);
        assert_eq!(body["scope"], "orders:read");
        let session = &body["session"];
        assert_eq!(session["client_id"], client.id.as_str());
        assert_eq!(session["user_id"], json!(null));
        assert_eq!(session["workspace"], "default");
        assert_eq!(session["authenticated"], true);
        assert_eq!(session["status"], "active");
        assert_eq!(session["policy"], "session");
        assert_eq!(session["client_ip_address"], "127.0.0.1");
        assert_eq!(session["created_at"], "2026-11-21T12:00:00Z");
        assert_eq!(session["expires_at"], "2026-11-21T13:00:00Z");
        assert_eq!(session["expires_in"], 3600);
        for name in ["external_reference_id", "session_tag", "locale", "domain", "name", "apis", "plans", "extra_fields"] {
            assert!(session.as_object().unwrap().contains_key(name), "{name}");
        }
    }

    async fn the_plural_is_an_alias(server: &TestServer) {
        let token = server.access_token(&server.client(&[]).await).await;
        let (one, many) = (server.get("/oauth20/access-token", &token).await, server.get("/oauth20/access-tokens", &token).await);
        assert_eq!(one.expect(200).body, many.expect(200).body);
        server.delete("/oauth20/access-tokens", &token).await.expect(200);
        server.get("/oauth20/access-token", &token).await.expect_invalid_token();
    }

    async fn a_key_gets_the_same_access_token_until_it_is_near_its_end(server: &TestServer) {
        let mint = async || server.get("/oauth20/access-token", &server.admin_key).await.expect(200);
        let first = mint().await;
        assert!(first.text("access_token").starts_with("jtn_a_"));
        assert_eq!(first.body, mint().await.body);
        server.advance(3600 - 301);
        assert_eq!(mint().await.text("access_token"), first.text("access_token"));
        server.advance(1);
        let second = mint().await;
        assert_ne!(second.text("access_token"), first.text("access_token"));
        assert_ne!(second.json()["session"]["session_id"], first.json()["session"]["session_id"]);
        server.verify(&first.text("access_token")).await.expect(200);
        server.verify(&second.text("access_token")).await.expect(200);
    }

    async fn calls_of_one_key_at_once_get_one_session(server: &TestServer) {
        let calls = (0..20).map(|_| server.get("/oauth20/access-token", &server.admin_key));
        let answers = futures_util::future::join_all(calls).await;
        let first = answers[0].clone().expect(200).text("access_token");
        assert!(answers.iter().all(|answer| answer.status == 200 && answer.text("access_token") == first));
    }

    async fn deleting_ends_the_session_everywhere(server: &TestServer) {
        let client = server.client(&["introspect"]).await;
        let token = server.access_token(&client).await;
        server.verify(&token).await.expect(200);
        let ended = server.delete("/oauth20/access-token", &token).await.expect(200);
        let body = ended.json();
        assert_eq!(body["session"]["status"], "revoked");
        assert_eq!(body["session"]["expires_in"], 0);
        assert!(body.get("access_token").is_none());
        assert_eq!(body["revocation"]["of"], body["revocation"]["applied_by"]);
        assert_eq!(ended.header("x-jeton-revision"), body["revocation"]["revision"].to_string());
        server.get("/oauth20/access-token", &token).await.expect_invalid_token();
        server.delete("/oauth20/access-token", &token).await.expect_invalid_token();
        server.verify(&token).await.expect_invalid_token();
        server.get("/api/v1/tokens", &token).await.expect_invalid_token();
        server.get("/admin/v1/clients", &token).await.expect_invalid_token();
        let other = server.client(&[]).await;
        assert_eq!(server.introspect(&other, &token).await.expect(200).body, r#"{"active":false}"#);
        let request = server.request(Method::POST, "/oauth20/introspect").bearer_auth(&token);
        let request = request.header("content-type", "application/x-www-form-urlencoded").body("token=x");
        server.send(request).await.expect_invalid_token();
    }

    async fn deleting_with_a_key_revokes_the_key_and_what_it_minted(server: &TestServer) {
        let key = server.own_token(&json!({ "policy": "key", "name": "robot" })).await.text("api_key");
        let minted = server.get("/oauth20/access-token", &key).await.expect(200).text("access_token");
        server.verify(&minted).await.expect(200);
        server.delete("/oauth20/access-token", &key).await.expect(200);
        server.verify(&key).await.expect_invalid_token();
        server.verify(&minted).await.expect_invalid_token();
    }

    async fn a_key_that_ended_its_session_opens_a_new_one(server: &TestServer) {
        let first = server.get("/oauth20/access-token", &server.admin_key).await.expect(200).text("access_token");
        server.delete("/oauth20/access-token", &first).await.expect(200);
        let second = server.get("/oauth20/access-token", &server.admin_key).await.expect(200).text("access_token");
        assert_ne!(first, second);
        server.verify(&second).await.expect(200);
        server.verify(&first).await.expect_invalid_token();
    }

    async fn revoking_all_keys_reaches_the_sessions_that_they_opened(server: &TestServer) {
        let key = server.own_token(&json!({ "policy": "key", "name": "robot" })).await.text("api_key");
        let minted = server.get("/oauth20/access-token", &key).await.expect(200).text("access_token");
        server.verify(&minted).await.expect(200);
        server.post_json("/api/v1/tokens/revoke-all", &key, &json!({ "policy": "key" })).await.expect(200);
        server.verify(&key).await.expect_invalid_token();
        server.verify(&minted).await.expect_invalid_token();
        server.post_json("/api/v1/tokens", &minted, &json!({ "policy": "key", "name": "x" })).await.expect_invalid_token();
    }

    async fn a_key_outlives_the_end_of_its_session_and_opens_a_new_one(server: &TestServer) {
        let first = server.get("/oauth20/access-token", &server.admin_key).await.expect(200).text("access_token");
        server.delete("/oauth20/access-token", &first).await.expect(200);
        server.verify(&first).await.expect_invalid_token();
        let second = server.get("/oauth20/access-token", &server.admin_key).await.expect(200).text("access_token");
        assert_ne!(first, second);
        server.verify(&second).await.expect(200);
    }

    async fn a_key_works_in_each_of_the_headers(server: &TestServer) {
        for name in ["api-key", "X-API-Key", "API-KEY"] {
            let request = server.request(Method::GET, "/oauth20/access-token").header(name, &server.admin_key);
            server.send(request).await.expect(200);
        }
    }

    async fn a_refresh_token_is_no_credential(server: &TestServer) {
        let (_, refresh, _) = server.pair().await;
        server.get("/oauth20/access-token", &refresh).await.expect_invalid_token();
        server.verify(&refresh).await.expect_invalid_token();
    }

    async fn an_expired_token_is_refused_and_says_so(server: &TestServer) {
        let token = server.access_token(&server.client(&[]).await).await;
        server.advance(3599);
        server.verify(&token).await.expect(200);
        server.advance(1);
        let refused = server.verify(&token).await.expect_invalid_token();
        assert!(refused.text("error_description").contains("expired"), "{}", refused.body);
    }
}

//! Positions in the revocation log: on answers, and in requests.

use reqwest::Method;

use crate::support::{Answer, TestServer};

async fn verify_at(server: &TestServer, token: &str, revision: &str) -> Answer {
    let request = server.request(Method::GET, "/oauth20/verify").bearer_auth(token);
    server.send(request.header("x-jeton-min-revision", revision)).await
}

on_both_databases! {
    async fn a_validation_is_served_at_the_revision_that_is_asked_for_or_newer(server: &TestServer) {
        let client = server.client(&["a"]).await;
        let token = server.access_token(&client).await;
        let other = server.access_token(&client).await;
        let revoked = server.post_form("/oauth20/revoke", Some(&client), &[("token", &other)]).await.expect(200);
        let revision: i64 = revoked.header("x-jeton-revision").parse().unwrap();
        verify_at(server, &token, &revision.to_string()).await.expect(200);
        let behind = verify_at(server, &token, &(revision + 1000).to_string()).await.expect(503);
        assert!(!behind.header("retry-after").is_empty());
        let form = [("token", token.as_str())];
        let ask = |revision: i64| {
            let request = server.request(Method::POST, "/oauth20/introspect").basic_auth(&client.id, Some(&client.secret));
            let body: String = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
            let request = request.header("content-type", "application/x-www-form-urlencoded").body(body);
            server.send(request.header("x-jeton-min-revision", revision.to_string()))
        };
        let seen = ask(revision).await.expect(200).json();
        assert!(seen["active"] == true && seen["revision"].as_i64() >= Some(revision), "{seen}");
        ask(revision + 1000).await.expect(503);
    }

    async fn endpoints_behind_a_token_are_served_at_the_revision_that_is_asked_for_or_newer(server: &TestServer) {
        let client = server.client(&["a"]).await;
        let other = server.access_token(&client).await;
        let revoked = server.delete("/oauth20/access-token", &other).await.expect(200);
        let revision: i64 = revoked.header("x-jeton-revision").parse().unwrap();
        for path in ["/oauth20/access-token", "/api/v1/me", "/admin/v1/clients"] {
            let at = async |revision: &str| {
                let request = server.request(Method::GET, path).bearer_auth(&server.admin_key);
                server.send(request.header("x-jeton-min-revision", revision)).await
            };
            at(&revision.to_string()).await.expect(200);
            let behind = at(&(revision + 1000).to_string()).await.expect(503);
            assert!(!behind.header("retry-after").is_empty(), "{path}");
            for bad in ["", "-1", "x"] {
                let refused = at(bad).await.expect(400);
                let code = if path.starts_with("/oauth20") { "error" } else { "code" };
                assert_eq!(refused.json()[code], "invalid_request", "{path}");
            }
        }
        let dead = server.request(Method::GET, "/api/v1/me").bearer_auth(&other).header("x-jeton-min-revision", "1");
        server.send(dead).await.expect(401);
    }

    async fn a_revision_that_is_none_is_refused(server: &TestServer) {
        for bad in ["", "-1", "x", "1.5", "99999999999999999999"] {
            verify_at(server, &server.admin_key, bad).await.expect_oauth_error(400, "invalid_request");
        }
    }

    async fn what_issues_tells_the_revision(server: &TestServer) {
        let client = server.client(&["a"]).await;
        let issued = server.post_form("/oauth20/token", Some(&client), &[("grant_type", "client_credentials")]).await;
        let before: i64 = issued.expect(200).header("x-jeton-revision").parse().unwrap();
        server.delete("/oauth20/access-token", &server.access_token(&client).await).await.expect(200);
        let made = server.own_token(&serde_json::json!({ "policy": "access" })).await;
        assert!(made.header("x-jeton-revision").parse::<i64>().unwrap() > before);
    }

    async fn what_deletes_tells_the_revision(server: &TestServer) {
        let (client, user, acme) = (server.client(&["a"]).await, server.user("alice", "member").await, server.workspace("acme").await);
        let import = format!("/admin/v1/legacy-imports/{}", server.import("sha256", serde_json::json!({})).await);
        for path in [format!("/admin/v1/clients/{}", client.id), user.path, acme.path, import] {
            let tried = server.delete(&format!("{path}?dry_run=true"), &server.admin_key).await.expect(200);
            assert_eq!(tried.header("x-jeton-revision"), "", "{path}");
            let deleted = server.delete(&path, &server.admin_key).await.expect(200);
            let told = deleted.json()["revocation"]["revision"].to_string();
            assert_eq!(deleted.header("x-jeton-revision"), told, "{path}");
        }
    }

    async fn the_state_of_a_revocation_can_be_asked_for(server: &TestServer) {
        let client = server.client(&["a"]).await;
        let token = server.access_token(&client).await;
        let revoked = server.delete("/oauth20/access-token", &token).await.expect(200);
        let revision = revoked.header("x-jeton-revision").to_owned();
        let path = format!("/admin/v1/revocations/{revision}");
        let status = server.get(&path, &server.admin_key).await.expect(200).json();
        assert_eq!((status["applied_by"].as_u64(), status["of"].as_u64()), (Some(1), Some(1)), "{status}");
        assert_eq!(status["waiting_for"].as_array().map(Vec::len), Some(0));
        for missing in ["0", "999999", "-1", "x"] {
            server.get(&format!("/admin/v1/revocations/{missing}"), &server.admin_key).await.expect(404);
        }
    }
}

on_both_databases! {
    with vec![("policies.api.refresh_on_any_endpoint", "true".to_owned())];
    async fn a_refresh_on_any_endpoint_uses_nothing_up_before_the_revision_is_reached(server: &TestServer) {
        let (access, refresh, _) = server.pair().await;
        server.advance(3601);
        let asked = async |path: &str, revision: &str| {
            let request = server.request(Method::GET, path).bearer_auth(&access).header("x-refresh-token", &refresh);
            server.send(request.header("x-jeton-min-revision", revision)).await
        };
        for path in ["/api/v1/token", "/oauth20/verify"] {
            let behind = asked(path, "999999").await.expect(503);
            assert_eq!(behind.header("x-access-token"), "", "{path}");
            asked(path, "x").await.expect_oauth_error(400, "invalid_request");
        }
        assert!(!asked("/oauth20/verify", "0").await.expect(200).header("x-access-token").is_empty());
    }
}

//! `POST /oauth20/revoke`

use std::time::Duration;

on_both_databases! {
    async fn a_revoked_access_token_is_dead_and_the_answer_is_empty(server: &TestServer) {
        let client = server.client(&[]).await;
        let token = server.access_token(&client).await;
        assert!(server.is_active(&client, &token).await);
        let answer = server.post_form("/oauth20/revoke", Some(&client), &[("token", &token)]).await.expect(200);
        assert_eq!(answer.body, "");
        assert!(!answer.header("x-jeton-revision").is_empty());
        assert!(!server.is_active(&client, &token).await);
        server.verify(&token).await.expect_invalid_token();
    }

    async fn unknown_expired_and_revoked_tokens_are_no_error(server: &TestServer) {
        let client = server.client(&[]).await;
        let token = server.access_token(&client).await;
        let revoke = async |token: &str| server.post_form("/oauth20/revoke", Some(&client), &[("token", token)]).await;
        assert_eq!(revoke("no such token").await.expect(200).body, "");
        revoke(&token).await.expect(200);
        revoke(&token).await.expect(200);
        let other = server.access_token(&client).await;
        server.advance(3600);
        revoke(&other).await.expect(200);
    }

    async fn an_expired_access_token_still_names_the_session_to_end(server: &TestServer) {
        let (access, refresh, client_id) = server.pair().await;
        server.advance(3600);
        let form = [("client_id", client_id.as_str()), ("token", access.as_str())];
        server.post_form("/oauth20/revoke", None, &form).await.expect(200);
        server.refresh(&client_id, &refresh).await.expect_oauth_error(400, "invalid_grant");
    }

    async fn what_is_over_by_the_clock_of_one_node_is_revoked_for_those_behind_it(server: &TestServer) {
        let client = server.client(&[]).await;
        let token = server.access_token(&client).await;
        let right = server.clock.now();
        server.clock.set_wall(right.plus(Duration::from_secs(3600)));
        let answer = server.post_form("/oauth20/revoke", Some(&client), &[("token", &token)]).await.expect(200);
        assert!(!answer.header("x-jeton-revision").is_empty());
        server.clock.set_wall(right);
        server.verify(&token).await.expect_invalid_token();
        assert!(!server.is_active(&client, &token).await);
    }

    async fn the_hint_never_changes_the_outcome(server: &TestServer) {
        let client = server.client(&[]).await;
        for hint in ["access_token", "refresh_token", "nonsense", ""] {
            let token = server.access_token(&client).await;
            let form = [("token", token.as_str()), ("token_type_hint", hint)];
            server.post_form("/oauth20/revoke", Some(&client), &form).await.expect(200);
            server.verify(&token).await.expect_invalid_token();
        }
    }

    async fn revoking_either_of_a_pair_ends_both(server: &TestServer) {
        for which in [0, 1] {
            let (access, refresh, client_id) = server.pair().await;
            let named = [access.as_str(), refresh.as_str()][which];
            let form = [("client_id", client_id.as_str()), ("token", named)];
            server.post_form("/oauth20/revoke", None, &form).await.expect(200);
            server.verify(&access).await.expect_invalid_token();
            server.refresh(&client_id, &refresh).await.expect_oauth_error(400, "invalid_grant");
        }
    }

    async fn another_clients_token_is_an_error_and_stays_alive(server: &TestServer) {
        let (owner, other) = (server.client(&[]).await, server.client(&[]).await);
        let token = server.access_token(&owner).await;
        let form = [("token", token.as_str())];
        server.post_form("/oauth20/revoke", Some(&other), &form).await.expect_oauth_error(400, "invalid_grant");
        server.verify(&token).await.expect(200);
        let key = server.admin_key.clone();
        let form = [("token", key.as_str())];
        server.post_form("/oauth20/revoke", Some(&other), &form).await.expect_oauth_error(400, "invalid_grant");
        server.verify(&key).await.expect(200);
    }

    async fn who_revokes_must_authenticate_and_name_a_token(server: &TestServer) {
        let client = server.client(&[]).await;
        let token = server.access_token(&client).await;
        server.post_form("/oauth20/revoke", None, &[("token", &token)]).await.expect_oauth_error(401, "invalid_client");
        server.post_form("/oauth20/revoke", Some(&client), &[]).await.expect_oauth_error(400, "invalid_request");
        server.post_form("/oauth20/revoke", Some(&client), &[("token", "")]).await.expect_oauth_error(400, "invalid_request");
        let path = format!("/oauth20/revoke?token={token}");
        server.post_form(&path, Some(&client), &[]).await.expect_oauth_error(400, "invalid_request");
        server.verify(&token).await.expect(200);
    }

    async fn every_revocation_has_one_audit_row(server: &TestServer) {
        let client = server.client(&[]).await;
        let token = server.access_token(&client).await;
        let request = server.request(reqwest::Method::POST, "/oauth20/revoke").header("x-request-id", "find-me");
        let request = request.basic_auth(&client.id, Some(&client.secret));
        let form = "application/x-www-form-urlencoded";
        let request = request.header("content-type", form).body(format!("token={token}"));
        assert_eq!(server.send(request).await.expect(200).header("x-request-id"), "find-me");
        let rows = crate::store::audit_rows(&server.database, "token.revoke").await;
        assert_eq!(rows.len(), 1);
        assert_eq!(rows[0], ("find-me".to_owned(), format!("client:{}", client.id)));
    }
}

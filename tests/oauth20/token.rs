//! `POST /oauth20/token`

use reqwest::Method;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::support::TestServer;
use crate::support::server::TestClient;

on_both_databases! {
    async fn client_credentials_give_an_access_token_and_no_refresh_token(server: &TestServer) {
        let client = server.client(&["orders:read", "orders:write"]).await;
        let form = [("grant_type", "client_credentials"), ("scope", "orders:read")];
        let answer = server.post_form("/oauth20/token", Some(&client), &form).await.expect(200);
        assert_eq!(answer.header("cache-control"), "no-store");
        assert_eq!(answer.header("pragma"), "no-cache");
        assert_eq!(answer.header("content-type"), "application/json");
        let body = answer.json();
        assert_eq!((&body["token_type"], &body["expires_in"], &body["scope"]), (&json!("Bearer"), &json!(3600), &json!("orders:read")));
        assert!(body.get("refresh_token").is_none());
        server.verify(&answer.text("access_token")).await.expect(200);
    }

    async fn a_scope_that_is_left_out_or_empty_is_everything_that_is_registered(server: &TestServer) {
        let client = server.client(&["b", "a"]).await;
        for scope in [None, Some("")] {
            let mut form = vec![("grant_type", "client_credentials")];
            form.extend(scope.map(|scope| ("scope", scope)));
            let answer = server.post_form("/oauth20/token", Some(&client), &form).await.expect(200);
            assert_eq!(answer.text("scope"), "a b");
        }
    }

    async fn a_scope_beyond_the_registered_ones_is_refused(server: &TestServer) {
        let client = server.client(&["a"]).await;
        for scope in ["a b", "A", "\u{e9}", "a\"b"] {
            let form = [("grant_type", "client_credentials"), ("scope", scope)];
            server.post_form("/oauth20/token", Some(&client), &form).await.expect_oauth_error(400, "invalid_scope");
        }
    }

    async fn bad_requests_get_the_errors_of_rfc_6749(server: &TestServer) {
        let client = server.client(&[]).await;
        let token = async |form: &[(&str, &str)]| server.post_form("/oauth20/token", Some(&client), form).await;
        token(&[]).await.expect_oauth_error(400, "invalid_request");
        token(&[("grant_type", "")]).await.expect_oauth_error(400, "invalid_request");
        token(&[("grant_type", "password")]).await.expect_oauth_error(400, "unsupported_grant_type");
        token(&[("grant_type", "refresh_token")]).await.expect_oauth_error(400, "invalid_request");
        token(&[("grant_type", "refresh_token"), ("refresh_token", "x")]).await.expect_oauth_error(400, "invalid_grant");
        let twice = [("grant_type", "client_credentials"), ("grant_type", "client_credentials")];
        token(&twice).await.expect_oauth_error(400, "invalid_request");
        let resource = [("grant_type", "client_credentials"), ("resource", "https://api.test"), ("resource", "https://b.test")];
        token(&resource).await.expect_oauth_error(400, "invalid_target");
        token(&[("grant_type", "client_credentials"), ("unknown", "ignored")]).await.expect(200);
    }

    async fn a_client_uses_only_the_grant_types_it_is_registered_for(server: &TestServer) {
        let client = server.client_with(json!({ "name": "x", "grant_types": ["refresh_token"] })).await;
        let form = [("grant_type", "client_credentials")];
        server.post_form("/oauth20/token", Some(&client), &form).await.expect_oauth_error(400, "unauthorized_client");
    }

    async fn a_wrong_or_missing_client_is_one_and_the_same_invalid_client(server: &TestServer) {
        let client = server.client(&[]).await;
        let other = server.client(&[]).await;
        let form = [("grant_type", "client_credentials")];
        let unknown = TestClient { id: "nobody".to_owned(), ..client.clone() };
        let crossed = TestClient { secret: other.secret, ..client.clone() };
        let mut bodies = Vec::new();
        for wrong in [unknown, crossed, TestClient { secret: "guess".to_owned(), ..client.clone() }] {
            let answer = server.post_form("/oauth20/token", Some(&wrong), &form).await.expect_oauth_error(401, "invalid_client");
            assert!(answer.header("www-authenticate").starts_with("Basic realm="));
            bodies.push(answer.text("error_description"));
        }
        assert!(bodies.windows(2).all(|pair| pair[0] == pair[1]));
        server.post_form("/oauth20/token", None, &form).await.expect_oauth_error(401, "invalid_client");
        let named = [("grant_type", "client_credentials"), ("client_id", client.id.as_str())];
        server.post_form("/oauth20/token", None, &named).await.expect_oauth_error(401, "invalid_client");
    }

    async fn the_secret_may_stand_in_the_body_but_not_in_two_places(server: &TestServer) {
        let client = server.client(&[]).await;
        let form = [("grant_type", "client_credentials"), ("client_id", &client.id), ("client_secret", &client.secret)];
        server.post_form("/oauth20/token", None, &form).await.expect(200);
        server.post_form("/oauth20/token", Some(&client), &form).await.expect_oauth_error(400, "invalid_request");
        let same = [("grant_type", "client_credentials"), ("client_id", client.id.as_str())];
        server.post_form("/oauth20/token", Some(&client), &same).await.expect(200);
        let differs = [("grant_type", "client_credentials"), ("client_id", "other")];
        server.post_form("/oauth20/token", Some(&client), &differs).await.expect_oauth_error(400, "invalid_request");
        let path = format!("/oauth20/token?client_id=x&client_secret={}", client.secret);
        server.post_form(&path, None, &same).await.expect_oauth_error(400, "invalid_request");
    }

    async fn ids_and_secrets_that_need_form_encoding_work_in_both_ways(server: &TestServer) {
        let (id, secret) = ("my app:1/+%&=?", "s3cret with spaces, %25, +plus & co: 0123456789");
        let client = server.client_with(json!({ "name": "x", "grant_types": ["client_credentials"], "client_id": id, "client_secret": secret })).await;
        assert_eq!((client.id.as_str(), client.secret.as_str()), (id, secret));
        let form = [("grant_type", "client_credentials")];
        server.post_form("/oauth20/token", Some(&client), &form).await.expect(200);
        let form = [("grant_type", "client_credentials"), ("client_id", id), ("client_secret", secret)];
        server.post_form("/oauth20/token", None, &form).await.expect(200);
    }

    async fn only_forms_of_bounded_size_are_read(server: &TestServer) {
        let client = server.client(&[]).await;
        let post = |kind: &'static str, body: String| {
            let request = server.request(Method::POST, "/oauth20/token").basic_auth(&client.id, Some(&client.secret));
            server.send(request.header("content-type", kind).body(body))
        };
        post("application/json", "{}".to_owned()).await.expect_oauth_error(400, "invalid_request");
        post("text/plain", String::new()).await.expect_oauth_error(400, "invalid_request");
        let charset = "application/x-www-form-urlencoded; charset=UTF-8";
        post(charset, "grant_type=client_credentials".to_owned()).await.expect(200);
        for method in [Method::GET, Method::PUT, Method::DELETE] {
            let answer = server.send(server.request(method, "/oauth20/token")).await.expect(405);
            assert_eq!(answer.header("allow"), "POST");
        }
    }

    /// Nothing of the body is sent: who still writes when the answer comes may not get to read it.
    async fn a_form_that_announces_too_much_is_refused_unread(server: &TestServer) {
        let mut stream = tokio::net::TcpStream::connect(server.url.strip_prefix("http://").unwrap()).await.unwrap();
        let head = "POST /oauth20/token HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\
            content-type: application/x-www-form-urlencoded\r\ncontent-length: 70000\r\n\r\n";
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
        assert!(answer.contains("\"error\":\"invalid_request\""), "{answer}");
    }

    async fn a_refresh_gives_a_new_pair_and_never_moves_the_end(server: &TestServer) {
        let (access, refresh, client_id) = server.pair().await;
        server.advance(1000);
        let answer = server.refresh(&client_id, &refresh).await.expect(200);
        let body = answer.json();
        assert_eq!(body["expires_in"], 3600);
        assert_eq!(body["refresh_token_expires_in"], 30 * 86_400 - 1000);
        assert_eq!(body["scope"], "read write");
        assert_ne!(answer.text("access_token"), access);
        assert_ne!(answer.text("refresh_token"), refresh);
        server.verify(&answer.text("access_token")).await.expect(200);
        server.verify(&access).await.expect(200);
        let again = server.refresh(&client_id, &answer.text("refresh_token")).await.expect(200);
        assert_ne!(again.text("refresh_token"), answer.text("refresh_token"));
    }

    async fn fifty_parallel_refreshes_make_one_generation_and_fifty_equal_answers(server: &TestServer) {
        let (_, refresh, client_id) = server.pair().await;
        let before = rotations(server).await;
        let calls = (0..50).map(|_| server.refresh(&client_id, &refresh));
        let answers = futures_util::future::join_all(calls).await;
        let first = answers[0].clone().expect(200).body;
        assert!(answers.iter().all(|answer| answer.status == 200 && answer.body == first));
        assert_eq!(rotations(server).await - before, 1, "one rotation is written");
        let pair: serde_json::Value = serde_json::from_str(&first).unwrap();
        server.verify(pair["access_token"].as_str().unwrap()).await.expect(200);
        server.refresh(&client_id, pair["refresh_token"].as_str().unwrap()).await.expect(200);
    }

    async fn a_repeat_inside_the_window_is_byte_identical_and_after_it_a_replay(server: &TestServer) {
        let (access, refresh, client_id) = server.pair().await;
        let first = server.refresh(&client_id, &refresh).await.expect(200);
        server.advance(29);
        assert_eq!(server.refresh(&client_id, &refresh).await.expect(200).body, first.body);
        server.advance(1);
        server.refresh(&client_id, &refresh).await.expect_oauth_error(400, "invalid_grant");
        server.verify(&access).await.expect_invalid_token();
        server.verify(&first.text("access_token")).await.expect_invalid_token();
        server.refresh(&client_id, &first.text("refresh_token")).await.expect_oauth_error(400, "invalid_grant");
    }

    async fn the_first_use_of_the_successor_ends_the_window(server: &TestServer) {
        let (access, refresh, client_id) = server.pair().await;
        // A use of the same grant a moment before must not hide the first use of the successor.
        server.verify(&access).await.expect(200);
        server.service().flush_uses().await.unwrap();
        let first = server.refresh(&client_id, &refresh).await.expect(200);
        server.verify(&first.text("access_token")).await.expect(200);
        server.refresh(&client_id, &refresh).await.expect_oauth_error(400, "invalid_grant");
        server.verify(&first.text("access_token")).await.expect_invalid_token();
    }

    async fn an_introspection_of_the_successor_is_its_first_use(server: &TestServer) {
        let client = server.client(&[]).await;
        let (_, refresh, client_id) = server.pair().await;
        let first = server.refresh(&client_id, &refresh).await.expect(200);
        assert!(server.is_active(&client, &first.text("access_token")).await);
        server.refresh(&client_id, &refresh).await.expect_oauth_error(400, "invalid_grant");
    }

    async fn a_replay_of_an_older_generation_revokes_the_family(server: &TestServer) {
        let (_, first, client_id) = server.pair().await;
        let second = server.refresh(&client_id, &first).await.expect(200);
        let third = server.refresh(&client_id, &second.text("refresh_token")).await.expect(200);
        server.verify(&third.text("access_token")).await.expect(200);
        server.refresh(&client_id, &first).await.expect_oauth_error(400, "invalid_grant");
        for token in [second.text("access_token"), third.text("access_token")] {
            server.verify(&token).await.expect_invalid_token();
        }
        server.refresh(&client_id, &third.text("refresh_token")).await.expect_oauth_error(400, "invalid_grant");
    }

    async fn a_refresh_narrows_the_access_token_and_keeps_the_grant(server: &TestServer) {
        let (_, refresh, client_id) = server.pair().await;
        let with = async |token: &str, scope: &str| {
            let form = [("grant_type", "refresh_token"), ("client_id", &client_id), ("refresh_token", token), ("scope", scope)];
            server.post_form("/oauth20/token", None, &form).await
        };
        with(&refresh, "read admin").await.expect_oauth_error(400, "invalid_scope");
        let narrow = with(&refresh, "read").await.expect(200);
        assert_eq!(narrow.text("scope"), "read");
        assert_eq!(server.verify(&narrow.text("access_token")).await.expect(200).header("x-auth-scope"), "read");
        let full = server.refresh(&client_id, &narrow.text("refresh_token")).await.expect(200);
        assert_eq!(full.text("scope"), "read write");
    }

    async fn a_refresh_token_of_another_client_is_refused_and_stays_good(server: &TestServer) {
        let (_, refresh, client_id) = server.pair().await;
        let thief = server.client(&[]).await;
        let form = [("grant_type", "refresh_token"), ("refresh_token", refresh.as_str())];
        server.post_form("/oauth20/token", Some(&thief), &form).await.expect_oauth_error(400, "invalid_grant");
        server.refresh(&client_id, &refresh).await.expect(200);
    }

    async fn a_refresh_token_ends_with_its_grant(server: &TestServer) {
        let (access, refresh, client_id) = server.pair().await;
        server.refresh(&client_id, &access).await.expect_oauth_error(400, "invalid_grant");
        server.advance(30 * 86_400);
        let refused = server.refresh(&client_id, &refresh).await.expect_oauth_error(400, "invalid_grant");
        assert!(refused.text("error_description").contains("expired"));
    }
}

/// Rotations in the audit, which are written with the tokens.
async fn rotations(server: &TestServer) -> usize {
    let listed = server.get("/admin/v1/audit?action=token.refresh&limit=100", &server.admin_key).await.expect(200);
    listed.json()["data"].as_array().unwrap().len()
}

async fn a_repeat_after_a_restart_is_byte_identical(server: TestServer) {
    let (_, refresh, client_id) = server.pair().await;
    let first = server.refresh(&client_id, &refresh).await.expect(200);
    let server = server.restart().await;
    assert_eq!(server.refresh(&client_id, &refresh).await.expect(200).body, first.body);
    server.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_is_repeatable_after_a_restart_on_sqlite() {
    a_repeat_after_a_restart_is_byte_identical(TestServer::start(crate::support::TestDatabase::sqlite()).await).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: cargo xtask test"]
async fn a_refresh_is_repeatable_after_a_restart_on_postgres() {
    let database = crate::support::TestDatabase::postgres().await;
    a_repeat_after_a_restart_is_byte_identical(TestServer::start(database).await).await;
}

//! `X-Refresh-Token` on the endpoints that take a bearer token (S4.3).

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::json;

use crate::support::{Answer, TestServer};

/// One second after the access token of a pair has ended.
const EXPIRED: u64 = 3601;

async fn ask(server: &TestServer, method: Method, path: &str, access: &str, refresh: &str) -> Answer {
    server.send(server.request(method, path).bearer_auth(access).header("x-refresh-token", refresh)).await
}

/// Access and refresh token out of the headers.
fn new_pair(answer: &Answer) -> (String, String) {
    (answer.header("x-access-token").to_owned(), answer.header("x-refresh-token").to_owned())
}

fn on() -> Vec<(&'static str, String)> {
    vec![("policies.api.refresh_on_any_endpoint", "true".to_owned())]
}

on_both_databases! {
    async fn by_default_the_header_is_ignored(server: &TestServer) {
        let (access, refresh, client_id) = server.pair().await;
        server.advance(EXPIRED);
        for path in ["/oauth20/access-token", "/oauth20/verify", "/api/v1/tokens"] {
            let answer = ask(server, Method::GET, path, &access, &refresh).await.expect_invalid_token();
            assert!(answer.header("www-authenticate").contains("expired"), "{path}");
            assert!(answer.headers.get("x-access-token").is_none());
        }
        server.refresh(&client_id, &refresh).await.expect(200);
    }
}

on_both_databases! {
    with on();

    async fn every_bearer_endpoint_is_served_and_hands_the_new_pair_out(server: &TestServer) {
        for (method, path, status) in [
            (Method::GET, "/oauth20/access-token", 200),
            (Method::GET, "/oauth20/verify/orders?scope=read", 200),
            (Method::POST, "/oauth20/verify?scope=admin", 403),
            (Method::GET, "/api/v1/tokens", 403),
            (Method::GET, "/admin/v1/clients", 403),
        ] {
            let (access, refresh, client_id) = server.pair().await;
            server.advance(EXPIRED);
            let answer = ask(server, method, path, &access, &refresh).await.expect(status);
            assert_eq!(answer.header("cache-control"), "no-store", "{path}");
            assert_eq!(answer.header("x-expires-in"), "3600", "{path}");
            assert_eq!(answer.header("x-refresh-token-expires-in"), (30 * 86_400 - 3601).to_string(), "{path}");
            let (new_access, new_refresh) = new_pair(&answer);
            let session = server.get("/oauth20/access-token", &new_access).await.expect(200);
            assert_eq!(session.text("scope"), "read write", "{path}");
            server.refresh(&client_id, &new_refresh).await.expect(200);
        }
    }

    async fn what_is_shown_is_the_new_access_token(server: &TestServer) {
        let (access, refresh, _) = server.pair().await;
        server.advance(EXPIRED);
        let by_key = server.request(Method::GET, "/oauth20/access-token").header("api-key", &access);
        let answer = server.send(by_key.header("x-refresh-token", &refresh)).await.expect(200);
        assert_eq!(answer.text("access_token"), answer.header("x-access-token"));
        assert_eq!(answer.json()["expires_in"], 3600);
    }

    async fn deleting_with_an_expired_token_ends_the_session(server: &TestServer) {
        let (access, refresh, client_id) = server.pair().await;
        server.advance(EXPIRED);
        let answer = ask(server, Method::DELETE, "/oauth20/access-token", &access, &refresh).await.expect(200);
        assert_eq!(answer.json()["session"]["status"], "revoked");
        let (new_access, new_refresh) = new_pair(&answer);
        server.verify(&new_access).await.expect_invalid_token();
        server.refresh(&client_id, &new_refresh).await.expect_oauth_error(400, "invalid_grant");
    }

    async fn a_token_that_is_still_good_is_not_refreshed(server: &TestServer) {
        let (access, refresh, client_id) = server.pair().await;
        let answer = ask(server, Method::GET, "/oauth20/verify", &access, &refresh).await.expect(200);
        assert!(answer.headers.get("x-access-token").is_none());
        server.refresh(&client_id, &refresh).await.expect(200);
    }

    async fn fifty_parallel_calls_make_one_generation(server: &TestServer) {
        let (access, refresh, client_id) = server.pair().await;
        server.advance(EXPIRED);
        let calls = (0..50).map(|call| {
            let path = ["/oauth20/access-token", "/oauth20/verify"][call % 2];
            ask(server, Method::GET, path, &access, &refresh)
        });
        let pairs: Vec<_> = join_all(calls).await.into_iter().map(|answer| new_pair(&answer.expect(200))).collect();
        assert!(pairs.iter().all(|pair| *pair == pairs[0]));
        assert_eq!(crate::store::count(&server.database, "SELECT MAX(generation) FROM refresh_family").await, 1);
        // The answer may still be lost: a repeat at the token endpoint gets the same pair.
        let again = server.refresh(&client_id, &refresh).await.expect(200);
        assert_eq!((again.text("access_token"), again.text("refresh_token")), pairs[0]);
    }

    async fn a_replay_ends_the_grant(server: &TestServer) {
        let (access, refresh, client_id) = server.pair().await;
        server.advance(EXPIRED);
        let (new_access, new_refresh) = new_pair(&ask(server, Method::GET, "/oauth20/verify", &access, &refresh).await.expect(200));
        server.verify(&new_access).await.expect(200);
        let replayed = ask(server, Method::GET, "/oauth20/verify", &access, &refresh).await.expect_invalid_token();
        assert!(replayed.headers.get("x-access-token").is_none());
        server.verify(&new_access).await.expect_invalid_token();
        server.refresh(&client_id, &new_refresh).await.expect_oauth_error(400, "invalid_grant");
        assert_eq!(crate::store::audit_rows(&server.database, "token.replay").await.len(), 1);
    }

    async fn what_does_not_belong_together_is_refused_and_nothing_is_used_up(server: &TestServer) {
        let (access, refresh, client_id) = server.pair().await;
        let (other_access, other_refresh, _) = server.pair().await;
        server.advance(EXPIRED);
        for (access, refresh) in [
            (&other_access, &refresh), (&access, &other_refresh), (&access, &access), (&refresh, &refresh),
            (&access, &"garbage".to_owned()), (&access, &String::new()),
        ] {
            let answer = ask(server, Method::GET, "/oauth20/verify", access, refresh).await.expect_invalid_token();
            assert!(answer.headers.get("x-access-token").is_none());
        }
        let twice = server.request(Method::GET, "/oauth20/verify").bearer_auth(&access);
        let twice = twice.header("x-refresh-token", &refresh).header("x-refresh-token", &other_refresh);
        server.send(twice).await.expect_invalid_token();
        let alone = server.request(Method::GET, "/oauth20/verify").header("x-refresh-token", &refresh);
        server.send(alone).await.expect(401);
        server.refresh(&client_id, &refresh).await.expect(200);
    }

    async fn a_narrowed_token_is_refreshed_as_narrow_as_it_was(server: &TestServer) {
        let (_, refresh, client_id) = server.pair().await;
        let form = [
            ("grant_type", "refresh_token"), ("client_id", client_id.as_str()), ("refresh_token", refresh.as_str()), ("scope", "read"),
        ];
        let narrow = server.post_form("/oauth20/token", None, &form).await.expect(200);
        let (access, refresh) = (narrow.text("access_token"), narrow.text("refresh_token"));
        server.advance(EXPIRED);
        ask(server, Method::GET, "/oauth20/verify?scope=write", &access, &refresh).await.expect_oauth_error(403, "insufficient_scope");
    }

    async fn a_disabled_or_revoked_grant_is_not_served(server: &TestServer) {
        let (access, refresh, client_id) = server.pair().await;
        let form = [("client_id", client_id.as_str()), ("token", refresh.as_str())];
        server.post_form("/oauth20/revoke", None, &form).await.expect(200);
        server.advance(EXPIRED);
        ask(server, Method::GET, "/oauth20/verify", &access, &refresh).await.expect_invalid_token();
    }

    async fn an_outage_is_no_refusal(server: &TestServer) {
        let (access, refresh, _) = server.pair().await;
        server.advance(EXPIRED);
        server.service().store.close().await;
        for path in ["/oauth20/access-token", "/oauth20/verify", "/api/v1/tokens"] {
            let answer = ask(server, Method::GET, path, &access, &refresh).await.expect(503);
            assert!(!answer.header("retry-after").is_empty(), "{path}");
        }
        let own = json!({ "policy": "api", "name": "x" });
        server.post_json("/api/v1/tokens", &server.admin_key, &own).await.expect(503);
    }
}

//! `GET /admin/v1/explain`

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::server::TestClient;
use crate::support::{Answer, TestServer};

async fn explain(server: &TestServer, query: &str) -> Answer {
    server.get(&format!("/admin/v1/explain?{query}"), &server.admin_key).await
}

/// Why the request behind this answer was refused.
async fn rule(server: &TestServer, refused: &Answer) -> Value {
    let explained = explain(server, &format!("request_id={}", refused.header("x-request-id"))).await.expect(200).json();
    assert_eq!(explained["refusals"].as_array().unwrap().len(), 1, "{explained}");
    explained["refusals"][0]["rule"].clone()
}

/// The public id of a token string.
fn jti(token: &str) -> &str {
    &token["jtn_a_".len()..][..22]
}

fn events(explained: &Value) -> Vec<&str> {
    explained["timeline"].as_array().unwrap().iter().map(|moment| moment["event"].as_str().unwrap()).collect()
}

on_both_databases! {
    async fn each_rule_is_told_by_the_request_that_it_has_refused(server: &TestServer) {
        let client = server.client(&["a"]).await;
        let token = server.access_token(&client).await;
        let (_, refresh, _) = server.pair().await;
        let mut forged = token.clone();
        forged.replace_range(30..31, if &token[30..31] == "0" { "1" } else { "0" });
        let get = async |path: &str, token: &str| server.get(path, token).await;
        for (refused, expected) in [
            (server.send(server.request(Method::GET, "/oauth20/verify/x")).await.expect(401), "missing"),
            (get("/oauth20/verify", "a,b").await.expect(400), "malformed"),
            (get("/oauth20/access-token", &forged).await.expect(401), "tag"),
            (get("/oauth20/verify", &refresh).await.expect(401), "kind"),
            (get("/oauth20/verify?scope=b", &token).await.expect(403), "scope"),
            (get("/oauth20/verify?api=b", &token).await.expect(403), "not_covered"),
            (get("/oauth20/verify?workspace=b", &token).await.expect(401), "other_workspace"),
            (get("/api/v1/tokens", &token).await.expect(403), "not_allowed"),
        ] {
            assert_eq!(rule(server, &refused).await, expected);
        }
        server.delete("/oauth20/access-token", &token).await.expect(200);
        assert_eq!(rule(server, &get("/oauth20/verify", &token).await.expect(401)).await, "revoked");
        server.advance(3601);
        assert_eq!(rule(server, &get("/oauth20/verify", &token).await.expect(401)).await, "expired");
    }

    async fn cut_offs_name_whose_tokens_were_revoked_and_by_whom(server: &TestServer) {
        let own = server.own_token(&json!({ "policy": "access" })).await.text("access_token");
        server.verify(&own).await.expect(200);
        let client = server.client(&[]).await;
        let clients = server.access_token(&client).await;
        server.post_json("/api/v1/tokens/revoke-all", &server.admin_key, &json!({})).await.expect(200);
        server.delete(&format!("/admin/v1/clients/{}", client.id), &server.admin_key).await.expect(200);
        for (token, expected, reach) in [(&own, "cut_off_owner", "owner"), (&clients, "cut_off_client", "client")] {
            let refused = server.verify(token).await.expect(401);
            assert_eq!(rule(server, &refused).await, expected);
            let explained = explain(server, &format!("token_id={}", jti(token))).await.expect(200).json();
            assert_eq!((&explained["accepted_now"], &explained["rule_now"]), (&json!(false), &json!(expected)));
            let cut = explained["timeline"].as_array().unwrap().iter().find(|moment| moment["event"] == "cut_off").unwrap();
            assert_eq!(cut["detail"]["all_of"], reach);
            assert!(cut["by"].as_str().unwrap().starts_with("user:usr_"), "{cut}");
            assert_eq!(explained["refusals"][0]["request_id"], refused.header("x-request-id"));
        }
    }

    async fn a_used_up_plan_is_told_by_its_rule(server: &TestServer) {
        crate::admin::plans::make(server, "tiny", 1, &[]).await;
        let body = json!({ "policy": "access", "plans": ["tiny"] });
        let token = server.post_json("/admin/v1/tokens", &server.admin_key, &body).await.expect(201).text("access_token");
        server.verify(&token).await.expect(200);
        let refused = server.verify(&token).await.expect(429);
        assert_eq!(rule(server, &refused).await, "plan_limit");
        let explained = explain(server, &format!("token_id={}", jti(&token))).await.expect(200).json();
        assert_eq!((&explained["accepted_now"], explained["refusals"][0]["rule"].as_str()), (&json!(true), Some("plan_limit")));
    }

    async fn a_token_that_introspection_told_to_be_inactive_is_explained(server: &TestServer) {
        let client = server.client(&["a"]).await;
        let own_only = server.client_with(json!({ "name": "own only", "grant_types": ["client_credentials"] })).await;
        let acme = server.workspace("acme").await;
        let elsewhere = json!({ "name": "elsewhere", "grant_types": ["client_credentials"], "introspect": true });
        let elsewhere = server.post_json("/admin/v1/clients", &acme.key, &elsewhere).await.expect(201);
        let elsewhere = TestClient { id: elsewhere.text("client_id"), secret: elsewhere.text("client_secret") };
        let inactive = async |asker: &TestClient, token: &str| {
            let told = server.introspect(asker, token).await.expect(200);
            assert_eq!(told.body, "{\"active\":false}");
            told
        };
        let token = server.access_token(&client).await;
        assert_eq!(rule(server, &inactive(&own_only, &token).await).await, "not_allowed");
        assert_eq!(rule(server, &inactive(&elsewhere, &token).await).await, "other_workspace");
        server.delete("/oauth20/access-token", &token).await.expect(200);
        let told = inactive(&client, &token).await;
        assert_eq!(rule(server, &told).await, "revoked");
        let explained = explain(server, &format!("token_id={}", jti(&token))).await.expect(200).json();
        let endpoints = explained["refusals"].as_array().unwrap().iter().map(|refusal| refusal["endpoint"].as_str().unwrap());
        assert_eq!(endpoints.collect::<Vec<_>>(), ["POST /oauth20/introspect"; 3]);
        server.get(&format!("/admin/v1/explain?request_id={}", told.header("x-request-id")), &acme.key).await.expect(404);
        // Nothing is kept of what was not made here, whoever asks about it.
        let mut forged = token.clone();
        forged.replace_range(30..31, if &token[30..31] == "0" { "1" } else { "0" });
        for unknown in [forged.as_str(), "nothing", "a.b.c"] {
            let told = inactive(&client, unknown).await;
            explain(server, &format!("request_id={}", told.header("x-request-id"))).await.expect(404);
        }
    }

    async fn the_session_of_a_dead_key_says_so(server: &TestServer) {
        let key = server.own_token(&json!({ "policy": "key", "name": "k" })).await;
        let token = server.get("/oauth20/access-token", &key.text("api_key")).await.expect(200).text("access_token");
        let id = key.json()["token"]["id"].as_str().unwrap().to_owned();
        server.post_json(&format!("/api/v1/tokens/{id}/revoke"), &server.admin_key, &json!({})).await.expect(200);
        assert_eq!(rule(server, &server.verify(&token).await.expect(401)).await, "parent_dead");
    }

    async fn the_timeline_goes_from_the_issue_to_the_refusal(server: &TestServer) {
        let (access, refresh, client_id) = server.pair().await;
        server.advance(10);
        let refreshed = server.refresh(&client_id, &refresh).await.expect(200);
        let token = refreshed.text("access_token");
        server.verify(&token).await.expect(200);
        server.service().flush_uses().await.unwrap();
        server.advance(10);
        let revoked = server.delete("/oauth20/access-token", &token).await.expect(200);
        let id = revoked.json()["session"]["session_id"].as_str().unwrap().to_owned();
        server.advance(10);
        let refused = server.verify(&token).await.expect(401);
        let explained = explain(server, &format!("token_id={}", jti(&token))).await.expect(200).json();
        let expected = ["issued", "token.create", "token_issued", "token.refresh", "used", "token.revoke", "refused"];
        let mut seen = events(&explained);
        seen.sort_unstable();
        let mut sorted = expected.to_vec();
        sorted.sort_unstable();
        assert_eq!(seen, sorted, "{explained}");
        assert_eq!(explained["timeline"].as_array().unwrap().last().unwrap()["request_id"], refused.header("x-request-id"));
        let request = |event: &str| {
            let moment = explained["timeline"].as_array().unwrap().iter().find(|moment| moment["event"] == event);
            moment.unwrap()["request_id"].as_str().unwrap().to_owned()
        };
        assert_eq!(request("token.revoke"), revoked.header("x-request-id"));
        assert_eq!(request("token.refresh"), refreshed.header("x-request-id"));
        // The refusal of another token of the grant shows with the grant, not with this token.
        server.verify(&access).await.expect(401);
        let of_grant = explain(server, &format!("token_id={id}")).await.expect(200).json();
        assert_eq!((of_grant["refusals"].as_array().unwrap().len(), &of_grant["rule_now"]), (2, &json!("revoked")));
        let of_token = explain(server, &format!("token_id={}", jti(&token))).await.expect(200).json();
        assert_eq!(of_token["refusals"].as_array().unwrap().len(), 1);
    }

    async fn a_session_that_a_user_took_over_says_what_became_of_the_old_token(server: &TestServer) {
        let anonymous = "urn:jeton:params:oauth:grant-type:anonymous";
        let exchange = "urn:ietf:params:oauth:grant-type:token-exchange";
        let client = server.client_with(json!({ "name": "x", "grant_types": [anonymous, exchange] })).await;
        let old = server.post_form("/oauth20/token", Some(&client), &[("grant_type", anonymous)]).await.expect(200);
        let (old, access) = (old.text("access_token"), "urn:ietf:params:oauth:token-type:access_token");
        let form = [
            ("grant_type", exchange), ("subject_token", server.admin_key.as_str()), ("subject_token_type", access),
            ("actor_token", old.as_str()), ("actor_token_type", access),
        ];
        server.post_form("/oauth20/token", Some(&client), &form).await.expect(200);
        assert_eq!(rule(server, &server.verify(&old).await.expect(401)).await, "replaced");
        let explained = explain(server, &format!("token_id={}", jti(&old))).await.expect(200).json();
        assert!(events(&explained).contains(&"session.raise"), "{explained}");
    }

    async fn who_may_not_ask_and_what_is_not_known_learn_nothing(server: &TestServer) {
        let refused = server.verify("garbage").await.expect(401);
        let path = format!("/admin/v1/explain?request_id={}", refused.header("x-request-id"));
        let token = server.access_token(&server.client(&[]).await).await;
        server.get(&path, &token).await.expect(403);
        server.send(server.request(Method::GET, &path)).await.expect(401);
        for unknown in ["request_id=never", &format!("token_id={}", "0".repeat(22)), "token_id=grt_0000000000000000000000"] {
            assert_eq!(explain(server, unknown).await.expect(404).json()["code"], "not_found", "{unknown}");
        }
        let accepted = server.verify(&token).await.expect(200);
        explain(server, &format!("request_id={}", accepted.header("x-request-id"))).await.expect(404);
        for bad in ["", "token_id=x", "request_id=a&request_id=b", "request_id=a&token_id=grt_0000000000000000000000", "page=1"] {
            explain(server, bad).await.expect(400);
        }
        // Somebody may paste a token: it is refused, and stands nowhere afterwards.
        explain(server, &format!("token_id={token}")).await.expect_field_error("?token_id");
        crate::store::demote(&server.database, "member").await;
        server.get(&path, &server.admin_key).await.expect(403);
    }

    async fn another_workspaces_refusals_and_tokens_do_not_exist(server: &TestServer) {
        let token = server.access_token(&server.client(&["a"]).await).await;
        let refused = server.get("/oauth20/verify?scope=b", &token).await.expect(403);
        let (by_request, by_token) = (format!("request_id={}", refused.header("x-request-id")), format!("token_id={}", jti(&token)));
        explain(server, &by_request).await.expect(200);
        explain(server, &by_token).await.expect(200);
        crate::store::move_users(&server.database).await;
        server.forget();
        explain(server, &by_request).await.expect(404);
        explain(server, &by_token).await.expect(404);
    }

    async fn refusals_are_forgotten_after_their_time(server: &TestServer) {
        let refused = server.verify("garbage").await.expect(401);
        let query = format!("request_id={}", refused.header("x-request-id"));
        explain(server, &query).await.expect(200);
        server.advance(7 * 86_400 - 60);
        server.service().tidy().await.unwrap();
        explain(server, &query).await.expect(200);
        server.advance(120);
        server.service().tidy().await.unwrap();
        explain(server, &query).await.expect(404);
    }

    async fn a_flood_of_forged_tokens_is_counted_and_a_few_of_it_are_written(server: &TestServer) {
        for _ in 0..200 {
            server.verify("garbage").await.expect(401);
        }
        server.service().flush_refusals().await.unwrap();
        let rows = crate::store::count(&server.database, "SELECT COUNT(*) FROM refusal").await;
        let sum = crate::store::count(&server.database, "SELECT CAST(SUM(occurrences) AS BIGINT) FROM refusal").await;
        assert_eq!(sum, 200);
        assert!(rows <= 200, "{rows}");
    }
}

//! `/api/v1/tokens…`

use reqwest::Method;
use serde_json::json;

on_both_databases! {
    async fn a_short_lived_token_is_made_shown_once_and_works_everywhere(server: &TestServer) {
        let body = json!({ "policy": "access", "lifetime": 1800, "name": "script", "scopes": ["read"], "extra_fields": { "team": "x" } });
        let made = server.own_token(&body).await;
        assert_eq!(made.header("cache-control"), "no-store");
        let token = made.json()["token"].clone();
        assert_eq!(made.header("location"), format!("/api/v1/tokens/{}", token["id"].as_str().unwrap()));
        assert_eq!(made.json()["expires_in"], 1800);
        for (name, expected) in [
            ("name", json!("script")), ("policy", json!("access")), ("status", json!("active")), ("origin", json!("api")),
            ("client_id", json!(null)), ("workspace", json!("default")), ("scopes", json!(["read"])), ("apis", json!([])),
            ("plans", json!([])), ("extra_fields", json!({ "team": "x" })), ("created_at", json!("2026-11-21T12:00:00Z")),
            ("expires_at", json!("2026-11-21T12:30:00Z")), ("last_used_at", json!(null)), ("revoked_at", json!(null)),
            ("revoked_by", json!(null)), ("revoke_reason", json!(null)), ("version", json!(1)),
        ] {
            assert_eq!(token[name], expected, "{name}");
        }
        assert_eq!((&token["owner"]["type"], &token["owner"]["name"]), (&json!("user"), &json!("admin")));
        let secret = made.text("access_token");
        let listed = server.get("/api/v1/tokens", &server.admin_key).await.expect(200);
        assert!(!listed.body.contains(&secret));
        server.verify(&secret).await.expect(200);
        server.send(server.request(Method::GET, "/oauth20/access-token").header("x-api-key", &secret)).await.expect(200);
    }

    async fn lifetimes_are_bounded_at_both_ends_and_never_clamped(server: &TestServer) {
        let make = async |policy: &str, lifetime: serde_json::Value| {
            let body = json!({ "policy": policy, "name": "x", "lifetime": lifetime });
            server.post_json("/api/v1/tokens", &server.admin_key, &body).await
        };
        for (policy, good) in [("access", [json!(1800), json!("6h")]), ("api", [json!("1d"), json!(365 * 86_400)])] {
            for lifetime in good {
                make(policy, lifetime).await.expect(201);
            }
        }
        for (policy, bad) in [("access", [1799, 21_601]), ("api", [0, 366 * 86_400])] {
            for lifetime in bad {
                let refused = make(policy, json!(lifetime)).await.expect_field_error("/lifetime");
                let bounds = if policy == "access" { "from 30m to 6h" } else { "from 1d to 365d" };
                assert!(refused.body.contains(bounds), "{}", refused.body);
            }
        }
        for nonsense in [json!(-1), json!(1.5), json!(9_223_372_036_854_775_808_u64), json!("soon"), json!(true), json!([1]), json!("")] {
            make("access", nonsense).await.expect_field_error("/lifetime");
        }
        make("key", json!("1d")).await.expect_field_error("/lifetime");
    }

    async fn a_key_has_a_name_and_no_end(server: &TestServer) {
        server.post_json("/api/v1/tokens", &server.admin_key, &json!({ "policy": "key" })).await.expect_field_error("/name");
        let made = server.own_token(&json!({ "policy": "key", "name": "robot" })).await;
        assert_eq!(made.json()["expires_in"], json!(null));
        assert_eq!(made.json()["token"]["expires_at"], json!(null));
        server.advance(20 * 365 * 86_400);
        server.verify(&made.text("api_key")).await.expect(200);
    }

    async fn a_pair_comes_with_all_that_is_needed_to_refresh_it(server: &TestServer) {
        let made = server.own_token(&json!({ "policy": "api", "name": "ci", "lifetime": "30d" })).await;
        assert_eq!(made.json()["expires_in"], 3600);
        assert_eq!(made.json()["refresh_token_expires_in"], 30 * 86_400);
        assert_eq!(made.text("token_endpoint"), "https://auth.test/oauth20/token");
        server.refresh(&made.text("client_id"), &made.text("refresh_token")).await.expect(200);
    }

    async fn unknown_and_wrong_fields_are_named(server: &TestServer) {
        let make = async |body: serde_json::Value| server.post_json("/api/v1/tokens", &server.admin_key, &body).await;
        make(json!({ "policy": "nope" })).await.expect_field_error("/policy");
        make(json!({ "policy": "session" })).await.expect_field_error("/policy");
        make(json!({ "policy": 7 })).await.expect_field_error("/policy");
        make(json!({ "policy": "access", "lifetme": 1 })).await.expect_field_error("/lifetme");
        make(json!({ "policy": "access", "scopes": ["a b"] })).await.expect_field_error("/scopes");
        make(json!({ "policy": "access", "scopes": "a" })).await.expect_field_error("/scopes");
        make(json!({ "policy": "access", "name": "a\u{0}b" })).await.expect_field_error("/name");
        make(json!({ "policy": "access", "name": "x".repeat(201) })).await.expect_field_error("/name");
        make(json!({ "policy": "access", "extra_fields": { "x": "y".repeat(5000) } })).await.expect_field_error("/extra_fields");
        make(json!({ "policy": "access", "extra_fields": [] })).await.expect_field_error("/extra_fields");
        let both = make(json!({ "policy": "access", "lifetime": 1, "scopes": [""] })).await.expect(400);
        assert_eq!(both.json()["errors"].as_array().unwrap().len(), 2);
        let post = |body: &'static str| server.request(Method::POST, "/api/v1/tokens").bearer_auth(&server.admin_key).body(body);
        server.send(post("{}")).await.expect(415);
        server.send(post("{").header("content-type", "application/json")).await.expect(400);
        server.send(post("{\"policy\":\"access\"} x").header("content-type", "application/json")).await.expect(400);
    }

    async fn revoking_one_short_lived_token_revokes_them_all_and_no_key(server: &TestServer) {
        let make = async || server.own_token(&json!({ "policy": "access" })).await;
        let (one, two) = (make().await, make().await);
        let key = server.own_token(&json!({ "policy": "key", "name": "k" })).await.text("api_key");
        server.verify(&two.text("access_token")).await.expect(200);
        let path = format!("/api/v1/tokens/{}/revoke", one.json()["token"]["id"].as_str().unwrap());
        let revoked = server.post_json(&path, &server.admin_key, &json!({ "reason": "lost" })).await.expect(200);
        assert_eq!(revoked.json()["token"]["status"], "revoked");
        assert_eq!(revoked.json()["token"]["revoke_reason"], "lost");
        for token in [&one, &two] {
            server.verify(&token.text("access_token")).await.expect_invalid_token();
        }
        server.verify(&key).await.expect(200);
        server.verify(&make().await.text("access_token")).await.expect(200);
    }

    async fn repeating_a_revocation_reaches_nothing_that_was_made_since(server: &TestServer) {
        let first = server.own_token(&json!({ "policy": "access" })).await;
        let path = format!("/api/v1/tokens/{}/revoke", first.json()["token"]["id"].as_str().unwrap());
        server.post_json(&path, &server.admin_key, &json!({})).await.expect(200);
        let second = server.own_token(&json!({ "policy": "access" })).await.text("access_token");
        server.verify(&second).await.expect(200);
        server.post_json("/api/v1/tokens/revoke-all", &server.admin_key, &json!({ "policy": "api" })).await.expect(200);
        server.post_json(&path, &server.admin_key, &json!({})).await.expect(200);
        server.verify(&second).await.expect(200);
    }

    async fn a_token_with_scopes_does_not_take_over_its_owners_account(server: &TestServer) {
        let make = async |with: &str, body: serde_json::Value| server.post_json("/api/v1/tokens", with, &body).await;
        let weak = make(&server.admin_key, json!({ "policy": "access", "scopes": ["orders:read"] })).await.expect(201);
        let weak = weak.text("access_token");
        make(&weak, json!({ "policy": "key", "name": "forever" })).await.expect(403);
        server.get("/admin/v1/clients", &weak).await.expect(403);
        let scopes = json!({ "policy": "access", "scopes": ["jeton:manage", "orders:read"] });
        let manager = make(&server.admin_key, scopes).await.expect(201).text("access_token");
        make(&manager, json!({ "policy": "access" })).await.expect_field_error("/scopes");
        make(&manager, json!({ "policy": "access", "scopes": ["orders:write"] })).await.expect_field_error("/scopes");
        make(&manager, json!({ "policy": "access", "scopes": ["orders:read"] })).await.expect(201);
        crate::store::demote(&server.database, "member").await;
        let ask = json!({ "policy": "access", "scopes": ["introspect"] });
        make(&server.admin_key, ask).await.expect_field_error("/scopes");
    }

    async fn nothing_outlives_the_token_that_it_is_made_with(server: &TestServer) {
        let make = async |with: &str, body: serde_json::Value| server.post_json("/api/v1/tokens", with, &body).await;
        let stolen = make(&server.admin_key, json!({ "policy": "access", "lifetime": "2h" })).await.expect(201);
        let stolen = stolen.text("access_token");
        make(&stolen, json!({ "policy": "key", "name": "for good" })).await.expect_field_error("/policy");
        make(&stolen, json!({ "policy": "api", "name": "for long", "lifetime": "1d" })).await.expect_field_error("/lifetime");
        server.advance(3600);
        make(&stolen, json!({ "policy": "access", "lifetime": "2h" })).await.expect_field_error("/lifetime");
        make(&stolen, json!({ "policy": "access", "lifetime": "1h" })).await.expect(201);
        let minted = server.get("/oauth20/access-token", &server.admin_key).await.expect(200).text("access_token");
        make(&minted, json!({ "policy": "key", "name": "for good" })).await.expect_field_error("/policy");
        // Nor is there a new secret of a token that is there already.
        let key = make(&server.admin_key, json!({ "policy": "key", "name": "mine" })).await.expect(201).json();
        let rotate = format!("/api/v1/tokens/{}/rotate", key["token"]["id"].as_str().unwrap());
        server.post_json(&rotate, &stolen, &json!({})).await.expect(403);
        server.post_json(&rotate, &server.admin_key, &json!({})).await.expect(200);
    }

    async fn what_is_not_understood_is_refused_before_anything_is_done(server: &TestServer) {
        let token = server.own_token(&json!({ "policy": "access" })).await;
        let all = |path: &str, body: &'static str| {
            server.request(Method::POST, path).bearer_auth(&server.admin_key).body(body)
        };
        let typed = |request: reqwest::RequestBuilder| request.header("content-type", "application/json");
        server.send(typed(all("/api/v1/tokens/revoke-all?dry=true", "{}"))).await.expect_field_error("?dry");
        server.send(all("/api/v1/tokens/revoke-all", "{\"policy\":\"api\"}")).await.expect(415);
        server.send(typed(all("/api/v1/tokens/revoke-all", "[]"))).await.expect(400);
        server.send(typed(all("/api/v1/tokens", "[\"access\",null,null,[],{}]"))).await.expect(400);
        server.send(typed(all("/api/v1/tokens", "{}"))).await.expect_field_error("/policy");
        let path = format!("/api/v1/tokens/{}/revoke", token.json()["token"]["id"].as_str().unwrap());
        for reason in ["a\u{0}b", "a\r\nb", &"x".repeat(501), " "] {
            let refused = server.post_json(&path, &server.admin_key, &json!({ "reason": reason })).await;
            refused.expect_field_error("/reason");
        }
        let unreadable = server.get("/api/v1/tokens/%ff", &server.admin_key).await.expect(404);
        assert_eq!(unreadable.header("content-type"), "application/problem+json");
        server.verify(&token.text("access_token")).await.expect(200);
    }

    async fn revoke_all_says_the_exact_words_and_counts(server: &TestServer) {
        let tokens = [server.own_token(&json!({ "policy": "access" })).await, server.own_token(&json!({ "policy": "access" })).await];
        server.verify(&tokens[0].text("access_token")).await.expect(200);
        let all = async || server.send(server.request(Method::POST, "/api/v1/tokens/revoke-all").bearer_auth(&server.admin_key)).await;
        let answer = all().await.expect(200);
        assert_eq!(answer.text("message"), "All Access Tokens have been revoked.");
        assert_eq!(answer.json()["revoked"], 2);
        assert_eq!(all().await.expect(200).json()["revoked"], 0);
        for token in &tokens {
            server.verify(&token.text("access_token")).await.expect_invalid_token();
        }
        let listed = server.get("/api/v1/tokens", &server.admin_key).await.expect(200);
        let revoked = listed.json()["data"].as_array().unwrap().iter().filter(|token| token["status"] == "revoked").count();
        assert_eq!(revoked, 2);
        server.verify(&server.admin_key).await.expect(200);
        server.post_json("/api/v1/tokens/revoke-all", &server.admin_key, &json!({ "policy": "nope" })).await.expect_field_error("/policy");
    }

    async fn a_token_is_told_about_itself(server: &TestServer) {
        let made = server.own_token(&json!({ "policy": "access", "scopes": ["read"] })).await;
        let told = server.get("/api/v1/token", &made.text("access_token")).await.expect(200).json();
        assert_eq!((&told["kind"], &told["scope"], &told["expires_in"]), (&json!("access"), &json!("read"), &json!(3600)));
        assert_eq!(told["token"]["id"], made.json()["token"]["id"]);
        assert_eq!(server.get("/api/v1/token", &server.admin_key).await.expect(200).json()["ends_at"], json!(null));
        let client = server.client(&[]).await;
        let token = server.access_token(&client).await;
        let told = server.get("/api/v1/token", &token).await.expect(200).json();
        assert_eq!(told["token"]["owner"], json!({ "type": "client", "id": client.id, "name": "test" }));
        server.get("/api/v1/token", "nonsense").await.expect_invalid_token();
    }

    async fn a_list_pages_through_everything_once(server: &TestServer) {
        for _ in 0..7 {
            server.own_token(&json!({ "policy": "access" })).await;
        }
        let (mut seen, mut path) = (Vec::new(), "/api/v1/tokens?limit=3".to_owned());
        loop {
            let page = server.get(&path, &server.admin_key).await.expect(200);
            seen.extend(page.json()["data"].as_array().unwrap().iter().map(|token| token["id"].as_str().unwrap().to_owned()));
            let Some(cursor) = page.json()["next_cursor"].as_str().map(str::to_owned) else {
                assert_eq!(page.header("link"), "");
                break;
            };
            path = format!("/api/v1/tokens?limit=3&cursor={cursor}");
            assert_eq!(page.header("link"), format!("<{path}>; rel=\"next\""));
        }
        assert_eq!(seen.len(), 8, "seven and the administrator's key");
        seen.sort();
        seen.dedup();
        assert_eq!(seen.len(), 8);
        for bad in ["limit=0", "limit=201", "cursor=zzz", "colour=red"] {
            server.get(&format!("/api/v1/tokens?{bad}"), &server.admin_key).await.expect(400);
        }
    }

    async fn what_is_not_there_is_a_404(server: &TestServer) {
        for id in ["grt_0000000000000000000000", "nonsense", "usr_0000000000000000000000"] {
            server.get(&format!("/api/v1/tokens/{id}"), &server.admin_key).await.expect(404);
            server.post_json(&format!("/api/v1/tokens/{id}/revoke"), &server.admin_key, &json!({})).await.expect(404);
        }
    }

    async fn a_clients_own_token_and_one_given_to_a_client_manage_nothing(server: &TestServer) {
        let token = server.access_token(&server.client(&["admin"]).await).await;
        for path in ["/api/v1/tokens", "/admin/v1/clients"] {
            let refused = server.get(path, &token).await.expect(403);
            assert_eq!(refused.header("content-type"), "application/problem+json");
            assert_eq!(refused.json()["request_id"], refused.header("x-request-id"));
        }
        let minted = server.get("/oauth20/access-token", &server.admin_key).await.expect(200).text("access_token");
        server.get("/api/v1/tokens", &minted).await.expect(200);
    }
}

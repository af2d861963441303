//! APIs and plans where tokens are validated: S2.3 and the vocabulary of the product.

use serde_json::{Value, json};

use crate::admin::{apis, plans};
use crate::support::{Answer, TestServer};

/// A token of policy `access` with the scopes `read` and `admin`, these APIs and these plans: its secret.
async fn token(server: &TestServer, apis: &[&str], plans: &[&str]) -> String {
    let body = json!({ "policy": "access", "scopes": ["read", "admin"], "apis": apis });
    let made = server.own_token(&body).await;
    let id = made.json()["token"]["id"].as_str().unwrap().to_owned();
    crate::store::set_plans(&server.database, &id, plans).await;
    made.text("access_token")
}

async fn verify(server: &TestServer, token: &str, query: &str) -> Answer {
    server.get(&format!("/oauth20/verify?{query}"), token).await
}

/// Used up: what a caller must be told.
#[track_caller]
fn expect_limited(answer: Answer, retry_after: &str, policy: &str, state: &str) {
    let answer = answer.expect_oauth_error(429, "rate_limited");
    assert_eq!(answer.header("retry-after"), retry_after);
    assert_eq!((answer.header("ratelimit-policy"), answer.header("ratelimit")), (policy, state));
    assert!(answer.headers.get("www-authenticate").is_none(), "no other credential would help");
}

on_both_databases! {
    async fn a_token_covers_the_apis_that_it_names_until_they_are_deleted(server: &TestServer) {
        let orders = apis::make(server, "orders").await.text("id");
        apis::make(server, "bills").await;
        let token = token(server, &["orders"], &[]).await;
        verify(server, &token, "api=orders").await.expect(200);
        let refused = verify(server, &token, "api=bills").await.expect_oauth_error(403, "insufficient_scope");
        assert!(!refused.header("www-authenticate").contains("scope="), "another scope would not help");
        verify(server, &token, "api=orders&api=bills").await.expect_oauth_error(403, "insufficient_scope");
        verify(server, &token, "api=nowhere").await.expect_oauth_error(403, "insufficient_scope");
        server.delete(&format!("/admin/v1/apis/{orders}"), &server.admin_key).await.expect(200);
        verify(server, &token, "api=orders").await.expect_oauth_error(403, "insufficient_scope");
        verify(server, &token, "").await.expect(200);
    }

    async fn a_scope_counts_for_an_api_that_defines_it_and_an_edit_is_seen_at_once(server: &TestServer) {
        let orders = apis::make(server, "orders").await.text("id");
        let token = token(server, &["orders"], &[]).await;
        verify(server, &token, "api=orders&scope=read").await.expect(200);
        verify(server, &token, "scope=admin").await.expect(200);
        verify(server, &token, "api=orders&scope=admin").await.expect_oauth_error(403, "insufficient_scope");
        let lacking = verify(server, &token, "api=orders&scope=write").await.expect_oauth_error(403, "insufficient_scope");
        assert!(lacking.header("www-authenticate").contains("scope=\"write\""));
        let path = format!("/admin/v1/apis/{orders}");
        server.patch_json(&path, &server.admin_key, "*", &json!({ "scopes": ["admin"] })).await.expect(200);
        verify(server, &token, "api=orders&scope=admin").await.expect(200);
        verify(server, &token, "api=orders&scope=read").await.expect_oauth_error(403, "insufficient_scope");
        server.patch_json(&path, &server.admin_key, "*", &json!({ "scopes": [] })).await.expect(200);
        verify(server, &token, "api=orders&scope=read&scope=admin").await.expect(200);
    }

    async fn a_plan_limits_its_tokens_each_for_itself_and_says_so(server: &TestServer) {
        plans::make(server, "two", 2, &[]).await;
        let (token, other) = (token(server, &[], &["two"]).await, token(server, &[], &["two"]).await);
        let first = verify(server, &token, "").await.expect(200);
        assert_eq!(first.header("ratelimit-policy"), "\"two\";q=2;w=60");
        assert_eq!(first.header("ratelimit"), "\"two\";r=1;t=30");
        verify(server, &token, "scope=write").await.expect(403);
        assert_eq!(verify(server, &token, "").await.expect(200).header("ratelimit"), "\"two\";r=0;t=60");
        expect_limited(verify(server, &token, "").await, "30", "\"two\";q=2;w=60", "\"two\";r=0;t=60");
        verify(server, &other, "").await.expect(200);
        server.advance(29);
        expect_limited(verify(server, &token, "").await, "1", "\"two\";q=2;w=60", "\"two\";r=0;t=60");
        server.advance(1);
        verify(server, &token, "").await.expect(200);
        let free = verify(server, &server.admin_key, "").await.expect(200);
        assert!(free.headers.get("ratelimit").is_none() && free.headers.get("ratelimit-policy").is_none());
    }

    async fn every_validation_that_counts_counts_and_the_end_of_a_session_never_does(server: &TestServer) {
        plans::make(server, "three", 3, &[]).await;
        let (token, asker) = (token(server, &[], &["three"]).await, server.client(&[]).await);
        let shown = server.get("/oauth20/access-token", &token).await.expect(200);
        assert_eq!(shown.header("ratelimit"), "\"three\";r=2;t=20");
        let told = server.introspect(&asker, &token).await.expect(200);
        assert_eq!((told.header("ratelimit"), told.json().get("retry_after")), ("\"three\";r=1;t=40", None));
        verify(server, &token, "").await.expect(200);
        let state = ("20", "\"three\";q=3;w=60", "\"three\";r=0;t=60");
        expect_limited(server.get("/oauth20/access-token", &token).await, state.0, state.1, state.2);
        expect_limited(verify(server, &token, "").await, state.0, state.1, state.2);
        let told = server.introspect(&asker, &token).await.expect(200);
        assert_eq!((&told.json()["active"], &told.json()["retry_after"]), (&json!(true), &json!(20)));
        assert_eq!(told.header("ratelimit"), state.2);
        server.delete("/oauth20/access-token", &token).await.expect(200);
    }

    async fn a_client_that_asks_about_its_own_token_uses_nothing_up(server: &TestServer) {
        plans::make(server, "one", 1, &[]).await;
        let client = server.client_with(json!({ "name": "x", "grant_types": ["client_credentials"] })).await;
        let token = server.access_token(&client).await;
        crate::store::set_plans_of_all(&server.database, &["one"]).await;
        for _ in 0..3 {
            assert!(server.introspect(&client, &token).await.expect(200).json().get("retry_after").is_none());
        }
        verify(server, &token, "").await.expect(200);
        verify(server, &token, "").await.expect(429);
    }

    async fn a_plan_of_some_apis_limits_validations_that_name_them_only(server: &TestServer) {
        apis::make(server, "orders").await;
        apis::make(server, "bills").await;
        plans::make(server, "orders-one", 1, &["orders"]).await;
        plans::make(server, "two", 2, &[]).await;
        let narrow = token(server, &["orders", "bills"], &["orders-one"]).await;
        for _ in 0..3 {
            assert!(verify(server, &narrow, "").await.expect(200).headers.get("ratelimit").is_none());
        }
        verify(server, &narrow, "api=bills").await.expect_oauth_error(403, "insufficient_scope");
        verify(server, &narrow, "api=orders").await.expect(200);
        verify(server, &narrow, "api=orders").await.expect(429);
        let both = token(server, &["orders", "bills"], &["orders-one", "two"]).await;
        let counted = verify(server, &both, "api=orders").await.expect(200);
        assert_eq!(counted.header("ratelimit"), "\"orders-one\";r=0;t=60, \"two\";r=1;t=30");
        verify(server, &both, "api=orders").await.expect(429);
        verify(server, &both, "api=bills").await.expect(200);
        verify(server, &both, "api=bills").await.expect(429);
    }

    async fn edits_of_a_plan_take_effect_on_the_next_validation(server: &TestServer) {
        apis::make(server, "orders").await;
        let path = format!("/admin/v1/plans/{}", plans::make(server, "one", 1, &[]).await.text("id"));
        let token = token(server, &["orders"], &["one"]).await;
        verify(server, &token, "api=orders").await.expect(200);
        verify(server, &token, "").await.expect(429);
        server.patch_json(&path, &server.admin_key, "*", &json!({ "requests": 2 })).await.expect(200);
        assert_eq!(verify(server, &token, "").await.expect(200).header("ratelimit-policy"), "\"one\";q=2;w=60");
        server.delete(&path, &server.admin_key).await.expect(200);
        for _ in 0..3 {
            assert!(verify(server, &token, "").await.expect(200).headers.get("ratelimit").is_none());
        }
        verify(server, &token, "api=orders").await.expect_oauth_error(403, "insufficient_scope");
    }

    async fn a_session_that_a_key_has_opened_is_counted_with_its_key(server: &TestServer) {
        plans::make(server, "three", 3, &[]).await;
        let made = server.own_token(&json!({ "policy": "key", "name": "n" })).await;
        crate::store::set_plans(&server.database, made.json()["token"]["id"].as_str().unwrap(), &["three"]).await;
        let key = made.text("api_key");
        let session = server.get("/oauth20/access-token", &key).await.expect(200).text("access_token");
        assert_eq!(verify(server, &session, "").await.expect(200).header("ratelimit"), "\"three\";r=1;t=40");
        verify(server, &key, "").await.expect(200);
        verify(server, &session, "").await.expect(429);
        verify(server, &key, "").await.expect(429);
    }

    async fn introspection_tells_what_is_covered_now(server: &TestServer) {
        let orders = apis::make(server, "orders").await.text("id");
        apis::make(server, "bills").await;
        plans::make(server, "gold", 100, &[]).await;
        let (token, asker) = (token(server, &["orders", "bills"], &["gold"]).await, server.client(&[]).await);
        let told = server.introspect(&asker, &token).await.expect(200).json();
        assert_eq!(told["aud"], json!(["https://orders.test", "https://bills.test"]));
        assert_eq!((&told["apis"], &told["plans"]), (&json!(["orders", "bills"]), &json!(["gold"])));
        server.delete(&format!("/admin/v1/apis/{orders}"), &server.admin_key).await.expect(200);
        let told = server.introspect(&asker, &token).await.expect(200).json();
        assert_eq!((&told["aud"], &told["apis"]), (&json!(["https://bills.test"]), &json!(["bills"])));
        let free = server.introspect(&asker, &server.admin_key).await.expect(200).json();
        assert_eq!((free.get("aud"), &free["apis"], &free["plans"]), (None, &json!([]), &json!([])));
    }

    async fn a_client_asks_for_a_resource_by_its_audience(server: &TestServer) {
        apis::make(server, "orders").await;
        apis::make(server, "bills").await;
        let client = server.client(&["read", "write", "admin"]).await;
        let ask = async |more: &[(&str, &str)]| {
            let form: Vec<_> = [("grant_type", "client_credentials")].iter().chain(more).copied().collect();
            server.post_form("/oauth20/token", Some(&client), &form).await
        };
        let (orders, bills) = (("resource", "https://orders.test"), ("resource", "https://bills.test"));
        let one = ask(&[orders]).await.expect(200);
        assert_eq!(one.text("scope"), "read write", "as far as it means something to the resource");
        verify(server, &one.text("access_token"), "api=orders&scope=read").await.expect(200);
        verify(server, &one.text("access_token"), "api=bills").await.expect(403);
        let both = ask(&[orders, bills, ("scope", "read")]).await.expect(200);
        assert_eq!(both.text("scope"), "read");
        let told = server.introspect(&client, &both.text("access_token")).await.expect(200).json();
        assert_eq!(told["aud"], json!(["https://bills.test", "https://orders.test"]));
        ask(&[orders, ("scope", "admin")]).await.expect_oauth_error(400, "invalid_scope");
        for unknown in ["https://nowhere.test", "https://orders.test/", "orders", "https://orders.test#f"] {
            ask(&[orders, ("resource", unknown)]).await.expect_oauth_error(400, "invalid_target");
        }
        let none = ask(&[]).await.expect(200).text("access_token");
        verify(server, &none, "api=orders").await.expect(403);
    }

    async fn a_refresh_keeps_the_resources_of_the_grant(server: &TestServer) {
        apis::make(server, "orders").await;
        let pair = server.own_token(&json!({ "policy": "api", "name": "p", "lifetime": "30d", "apis": ["orders"] })).await;
        let (refresh, client) = (pair.text("refresh_token"), pair.text("client_id"));
        let form = [("grant_type", "refresh_token"), ("client_id", &client), ("refresh_token", &refresh)];
        let with: Vec<_> = form.iter().chain(&[("resource", "https://orders.test")]).copied().collect();
        server.post_form("/oauth20/token", None, &with).await.expect_oauth_error(400, "invalid_target");
        let renewed = server.post_form("/oauth20/token", None, &form).await.expect(200).text("access_token");
        verify(server, &renewed, "api=orders").await.expect(200);
    }

    async fn a_token_without_apis_and_plans_looks_nothing_up(server: &TestServer) {
        apis::make(server, "orders").await;
        let (plain, named) = (token(server, &[], &[]).await, token(server, &["orders"], &[]).await);
        let reads = || server.service().store.counters().of("api.all");
        let before = reads();
        for _ in 0..5 {
            verify(server, &plain, "scope=read").await.expect(200);
        }
        assert_eq!(reads(), before);
        for _ in 0..5 {
            verify(server, &named, "api=orders").await.expect(200);
        }
        // Where there is a lease, the first one may come only now.
        let most = if server.service().member.is_none() { 1 } else { 5 };
        assert!(reads() - before <= most, "{} reads", reads() - before);
    }

    async fn names_of_another_workspace_mean_nothing(server: &TestServer) {
        apis::make(server, "orders").await;
        let path = format!("/admin/v1/apis/{}", apis::make(server, "theirs").await.text("id"));
        crate::store::move_api(&server.database, "theirs").await;
        server.forget();
        server.get(&path, &server.admin_key).await.expect(404);
        server.patch_json(&path, &server.admin_key, "*", &json!({ "scopes": [] })).await.expect(404);
        server.delete(&path, &server.admin_key).await.expect(404);
        let body = json!({ "policy": "access", "apis": ["theirs"] });
        server.post_json("/api/v1/tokens", &server.admin_key, &body).await.expect_field_error("/apis/0");
        let plan = json!({ "name": "p", "requests": 1, "period": 1, "apis": ["theirs"] });
        server.post_json("/admin/v1/plans", &server.admin_key, &plan).await.expect_field_error("/apis/0");
        let listed = server.get("/admin/v1/apis", &server.admin_key).await.expect(200).json();
        assert!(listed["data"].as_array().unwrap().iter().all(|api: &Value| api["name"] != "theirs"));
        let client = server.client(&[]).await;
        let form = [("grant_type", "client_credentials"), ("resource", "https://theirs.test")];
        server.post_form("/oauth20/token", Some(&client), &form).await.expect_oauth_error(400, "invalid_target");
    }
}

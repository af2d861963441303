//! Disabling, deleting and revoking, one token or many, for real and as a dry run.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Answer, TestDatabase, TestServer};

fn id(made: &Answer) -> String {
    made.json()["token"]["id"].as_str().expect("a token").to_owned()
}

async fn status(server: &TestServer, id: &str) -> Value {
    server.get(&format!("/admin/v1/tokens/{id}"), &server.admin_key).await.expect(200).json()["status"].clone()
}

on_both_databases! {
    async fn a_disabled_token_is_listed_and_its_tokens_are_dead_at_once(server: &TestServer) {
        let made = server.own_token(&json!({ "policy": "api", "name": "x", "lifetime": "1d" })).await;
        server.verify(&made.text("access_token")).await.expect(200);
        let path = format!("/api/v1/tokens/{}/disable", id(&made));
        let disabled = server.post_json(&path, &server.admin_key, &json!({ "reason": "unused" })).await.expect(200);
        assert_eq!(disabled.json()["token"]["status"], "disabled");
        assert!(disabled.json()["revocation"]["revision"].as_i64().unwrap() > 0);
        let refused = server.verify(&made.text("access_token")).await.expect_invalid_token();
        assert!(refused.header("www-authenticate").contains("disabled"), "{}", refused.header("www-authenticate"));
        let refresh = server.refresh(&made.text("client_id"), &made.text("refresh_token")).await;
        refresh.expect_oauth_error(400, "invalid_grant");
        server.post_json(&path, &server.admin_key, &json!({})).await.expect(200);
        assert_eq!(status(server, &id(&made)).await, "disabled");
    }

    async fn a_deleted_token_is_dead_and_gone_from_the_list_and_kept_for_the_audit(server: &TestServer) {
        let made = server.own_token(&json!({ "policy": "key", "name": "x" })).await;
        server.verify(&made.text("api_key")).await.expect(200);
        let path = format!("/api/v1/tokens/{}", id(&made));
        let rehearsed = server.delete(&format!("{path}?dry_run=true"), &server.admin_key).await.expect(200);
        assert_eq!((&rehearsed.json()["changed"], &rehearsed.json()["dry_run"]), (&json!(1), &json!(true)));
        server.verify(&made.text("api_key")).await.expect(200);
        server.delete(&path, &server.admin_key).await.expect(200);
        server.verify(&made.text("api_key")).await.expect_invalid_token();
        server.get(&path, &server.admin_key).await.expect(404);
        server.delete(&path, &server.admin_key).await.expect(404);
        assert!(!server.get("/api/v1/tokens", &server.admin_key).await.expect(200).body.contains(&id(&made)));
        assert_eq!(crate::store::audit_rows(&server.database, "token.delete").await.len(), 1);
    }

    async fn revoking_an_oauth_token_tells_the_call_that_does_it(server: &TestServer) {
        let client = server.client(&[]).await;
        let token = server.access_token(&client).await;
        let session = server.get("/oauth20/access-token", &token).await.expect(200);
        let session = session.json()["session"]["session_id"].as_str().unwrap().to_owned();
        for (method, path) in [
            (Method::POST, format!("/admin/v1/tokens/{session}/revoke")),
            (Method::POST, format!("/admin/v1/tokens/{session}/disable")),
            (Method::DELETE, format!("/admin/v1/tokens/{session}")),
        ] {
            let refused = server.send(server.request(method, &path).bearer_auth(&server.admin_key)).await.expect(409);
            let detail = refused.text("detail");
            assert!(detail.contains("DELETE https://auth.test/oauth20/access-token"), "{detail}");
            assert!(detail.contains("POST https://auth.test/oauth20/revoke") && detail.contains(&client.id), "{detail}");
        }
        let bulk = json!({ "action": "revoke", "ids": [session] });
        let refused = server.post_json("/admin/v1/tokens/bulk", &server.admin_key, &bulk).await.expect(200);
        assert_eq!((&refused.json()["changed"], &refused.json()["refused"][0]["id"]), (&json!(0), &json!(session)));
        let all = json!({ "owner": client.id, "policy": "session" });
        server.post_json("/admin/v1/tokens/revoke-all", &server.admin_key, &all).await.expect(409);
        server.verify(&token).await.expect(200);
        crate::store::execute(&server.database, "UPDATE workspace SET admin_override = TRUE").await;
        server.post_json(&format!("/admin/v1/tokens/{session}/revoke"), &server.admin_key, &json!({})).await.expect(200);
        server.verify(&token).await.expect_invalid_token();
    }

    async fn a_dry_run_tells_exactly_what_the_call_then_changes(server: &TestServer) {
        let (alice, bob) = (server.user("alice", "member").await, server.user("bob", "member").await);
        let mut keys = Vec::new();
        for (owner, count) in [(&alice, 3), (&bob, 2)] {
            for number in 0..count {
                let body = json!({ "policy": "managed", "name": format!("bulk {number}"), "owner": owner.id });
                keys.push(server.post_json("/admin/v1/tokens", &server.admin_key, &body).await.expect(201));
            }
        }
        server.verify(&keys[0].text("access_token")).await.expect(200);
        server.service().flush_uses().await.unwrap();
        let used = keys.pop().unwrap();
        server.post_json(&format!("/admin/v1/tokens/{}/revoke", id(&used)), &server.admin_key, &json!({})).await.expect(200);
        for (action, status_after) in [("disable", "disabled"), ("revoke", "revoked")] {
            let request = |dry_run: bool, expect: u64| json!({
                "action": action, "filter": { "policy": ["managed"], "q": "BULK" }, "dry_run": dry_run, "expect_count": expect,
            });
            let bulk = async |body: Value| server.post_json("/admin/v1/tokens/bulk", &server.admin_key, &body).await;
            let rehearsed = bulk(request(true, 4)).await.expect(200).json();
            assert_eq!((&rehearsed["matched"], &rehearsed["changed"], &rehearsed["used_last_7_days"]), (&json!(5), &json!(4), &json!(1)));
            assert_eq!(rehearsed["owners"][0]["owner"]["name"], "alice");
            assert_eq!((&rehearsed["owners"][0]["tokens"], &rehearsed["owner_count"]), (&json!(3), &json!(2)));
            for made in &keys {
                assert_ne!(status(server, &id(made)).await, status_after);
            }
            let refused = bulk(request(false, 5)).await.expect(409);
            assert!(refused.text("detail").contains("4 tokens"), "{}", refused.body);
            let done = bulk(request(false, 4)).await.expect(200).json();
            for field in ["matched", "changed", "used_last_7_days", "owners", "owner_count"] {
                assert_eq!(done[field], rehearsed[field], "{field}");
            }
            for made in &keys {
                assert_eq!(status(server, &id(made)).await, status_after);
                server.verify(&made.text("access_token")).await.expect_invalid_token();
            }
            assert_eq!(bulk(request(true, 0)).await.expect(200).json()["changed"], 0);
        }
        let rows = crate::store::audit_rows(&server.database, "token.disable").await;
        assert_eq!(rows.len(), 4, "one for each");
    }

    async fn revoking_a_short_lived_token_counts_all_that_go_with_it(server: &TestServer) {
        let alice = server.user("alice", "member").await;
        let mut made = Vec::new();
        for _ in 0..3 {
            made.push(server.post_json("/api/v1/tokens", &alice.key, &json!({ "policy": "access" })).await.expect(201));
        }
        let other = server.own_token(&json!({ "policy": "access" })).await.text("access_token");
        let path = format!("/admin/v1/tokens/{}/revoke", id(&made[0]));
        let rehearsed = server.post_json(&format!("{path}?dry_run=true"), &server.admin_key, &json!({})).await.expect(200);
        assert_eq!((&rehearsed.json()["matched"], &rehearsed.json()["changed"]), (&json!(1), &json!(3)));
        let bulk = json!({ "action": "revoke", "ids": [id(&made[1])] });
        let done = server.post_json("/admin/v1/tokens/bulk", &server.admin_key, &bulk).await.expect(200);
        assert_eq!((&done.json()["matched"], &done.json()["changed"]), (&json!(1), &json!(3)));
        for token in &made {
            server.verify(&token.text("access_token")).await.expect_invalid_token();
        }
        server.verify(&other).await.expect(200);
        server.verify(&alice.key).await.expect(200);
    }

    async fn all_tokens_of_an_owner_go_at_once(server: &TestServer) {
        let alice = server.user("alice", "member").await;
        let token = server.post_json("/api/v1/tokens", &alice.key, &json!({ "policy": "access" })).await.expect(201);
        let token = token.text("access_token");
        let all = async |body: Value| server.post_json("/admin/v1/tokens/revoke-all", &server.admin_key, &body).await;
        let rehearsed = all(json!({ "owner": alice.id, "dry_run": true })).await.expect(200);
        assert_eq!((&rehearsed.json()["changed"], &rehearsed.json()["revocation"]), (&json!(2), &Value::Null));
        all(json!({ "owner": alice.id, "expect_count": 1 })).await.expect(409);
        server.verify(&token).await.expect(200);
        let done = all(json!({ "owner": alice.id, "expect_count": 2, "reason": "left" })).await.expect(200);
        assert_eq!((done.text("message").as_str(), &done.json()["revoked"]), ("All Access Tokens have been revoked.", &json!(2)));
        for secret in [&token, &alice.key] {
            server.verify(secret).await.expect_invalid_token();
        }
        server.verify(&server.admin_key).await.expect(200);
        all(json!({ "owner": "usr_0000000000000000000000" })).await.expect_field_error("/owner");
        all(json!({ "owner": alice.id, "policy": "nope" })).await.expect_field_error("/policy");
    }

    async fn what_a_bulk_act_names_badly_is_told(server: &TestServer) {
        let bulk = async |body: Value| server.post_json("/admin/v1/tokens/bulk", &server.admin_key, &body).await;
        bulk(json!({ "action": "disable" })).await.expect_field_error("/ids");
        bulk(json!({ "action": "disable", "ids": [], "filter": {} })).await.expect_field_error("/filter");
        bulk(json!({ "action": "disable", "ids": ["x"] })).await.expect_field_error("/ids/0");
        bulk(json!({ "action": "disable", "filter": { "status": ["alive"] } })).await.expect_field_error("/filter/status");
        bulk(json!({ "action": "disable", "filter": { "colour": "red" } })).await.expect(400);
        bulk(json!({ "action": "burn", "ids": [] })).await.expect(400);
        let unknown = "grt_0000000000000000000000";
        let answer = bulk(json!({ "action": "disable", "ids": [unknown, unknown] })).await.expect(200);
        assert_eq!((&answer.json()["matched"], &answer.json()["not_found"][0]), (&json!(0), &json!(unknown)));
    }

    async fn a_member_reaches_only_their_own(server: &TestServer) {
        let alice = server.user("alice", "member").await;
        let made = server.own_token(&json!({ "policy": "key", "name": "x" })).await;
        let path = format!("/api/v1/tokens/{}", id(&made));
        server.get(&path, &alice.key).await.expect(404);
        server.delete(&path, &alice.key).await.expect(404);
        for act in ["revoke", "disable", "rotate"] {
            server.post_json(&format!("{path}/{act}"), &alice.key, &json!({})).await.expect(404);
        }
        let bulk = json!({ "action": "revoke", "ids": [id(&made)] });
        let answer = server.post_json("/api/v1/tokens/bulk", &alice.key, &bulk).await.expect(200);
        assert_eq!(answer.json()["not_found"][0], id(&made));
        let everything = json!({ "action": "delete", "filter": {} });
        server.post_json("/api/v1/tokens/bulk", &alice.key, &everything).await.expect(200);
        server.verify(&made.text("api_key")).await.expect(200);
        server.verify(&alice.key).await.expect_invalid_token();
    }
}

async fn refresh_only(database: TestDatabase) {
    let server = TestServer::start_with(database, vec![("policies.api.on_disable", "refresh_only".to_owned())]).await;
    for (method, act) in [(Method::POST, "/disable"), (Method::DELETE, "")] {
        let made = server.own_token(&json!({ "policy": "api", "name": "x", "lifetime": "1d" })).await;
        server.verify(&made.text("access_token")).await.expect(200);
        let path = format!("/api/v1/tokens/{}{act}", id(&made));
        server.send(server.request(method, &path).bearer_auth(&server.admin_key)).await.expect(200);
        server.verify(&made.text("access_token")).await.expect(200);
        let refresh = server.refresh(&made.text("client_id"), &made.text("refresh_token")).await;
        refresh.expect_oauth_error(400, "invalid_grant");
        server.advance(3_600);
        server.verify(&made.text("access_token")).await.expect_invalid_token();
    }
    server.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refresh_only_lets_access_tokens_live_to_their_end_on_sqlite() {
    refresh_only(TestDatabase::sqlite()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: cargo xtask test"]
async fn refresh_only_lets_access_tokens_live_to_their_end_on_postgres() {
    refresh_only(TestDatabase::postgres().await).await;
}

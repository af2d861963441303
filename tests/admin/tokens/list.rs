//! Lists: filters, pages, and whole lists as CSV and NDJSON.

use reqwest::Method;
use serde_json::json;

use crate::store::execute;
use crate::support::{Answer, TestServer};

async fn names(server: &TestServer, query: &str) -> Vec<String> {
    let page = server.get(&format!("/admin/v1/tokens?{query}"), &server.admin_key).await.expect(200).json();
    let mut names: Vec<String> =
        page["data"].as_array().unwrap().iter().map(|token| token["name"].as_str().unwrap_or("-").to_owned()).collect();
    names.sort();
    names
}

async fn make(server: &TestServer, body: serde_json::Value) -> Answer {
    server.post_json("/admin/v1/tokens", &server.admin_key, &body).await.expect(201)
}

on_both_databases! {
    async fn each_filter_finds_what_it_names(server: &TestServer) {
        let (alice, client) = (server.user("alice", "member").await, server.client(&[]).await);
        server.post_json("/admin/v1/apis", &server.admin_key, &json!({ "name": "orders", "audience": "https://orders.test", "scopes": [] })).await.expect(201);
        let one = make(server, json!({ "policy": "managed", "name": "t-one", "owner": alice.id, "lifetime": "1d", "apis": ["orders"] })).await;
        server.advance(60);
        let two = make(server, json!({ "policy": "managed", "name": "t-two 100%", "owner": client.id, "lifetime": "10d" })).await;
        make(server, json!({ "policy": "access", "name": "t-three", "owner": alice.id })).await;
        let id = |made: &Answer| made.json()["token"]["id"].as_str().unwrap().to_owned();
        server.post_json(&format!("/admin/v1/tokens/{}/disable", id(&two)), &server.admin_key, &json!({})).await.expect(200);
        server.verify(&one.text("access_token")).await.expect(200);
        server.service().flush_uses().await.unwrap();
        for (query, expected) in [
            (format!("code={}", id(&one)), vec!["t-one"]),
            (format!("code={}&policy=access", id(&one)), vec![]),
            ("policy=managed".to_owned(), vec!["t-one", "t-two 100%"]),
            ("policy=managed&policy=access".to_owned(), vec!["t-one", "t-three", "t-two 100%"]),
            ("policy=managed&status=disabled".to_owned(), vec!["t-two 100%"]),
            ("q=T-&status=active&status=disabled".to_owned(), vec!["t-one", "t-three", "t-two 100%"]),
            (format!("owner={}&q=t-", alice.id), vec!["t-one", "t-three"]),
            (format!("owner={}&owner={}&q=t-", alice.id, client.id), vec!["t-one", "t-three", "t-two 100%"]),
            (format!("client={}", client.id), vec!["t-two 100%"]),
            ("api=orders".to_owned(), vec!["t-one"]),
            ("api=order".to_owned(), vec![]),
            ("api=orders&api=other".to_owned(), vec!["t-one"]),
            ("plan=gold".to_owned(), vec![]),
            ("q=100%25".to_owned(), vec!["t-two 100%"]),
            ("q=t_o".to_owned(), vec![]),
            ("created_after=2026-11-21T12:01:00Z&policy=managed".to_owned(), vec!["t-two 100%"]),
            ("created_before=2026-11-21T12:01:00Z&policy=managed".to_owned(), vec!["t-one"]),
            ("expires_after=2026-11-25T00:00:00Z".to_owned(), vec!["t-two 100%"]),
            ("expires_before=2026-11-22T13:00:00Z&policy=managed".to_owned(), vec!["t-one"]),
            ("last_used_after=2026-11-21T00:00:00Z&q=t-".to_owned(), vec!["t-one"]),
            ("origin=admin&policy=access".to_owned(), vec!["t-three"]),
        ] {
            assert_eq!(names(server, &query).await, expected, "{query}");
        }
        server.advance(2 * 86_400);
        assert_eq!(names(server, "status=expired").await, ["t-one", "t-three"]);
        let all = json!({ "owner": alice.id, "policy": "managed" });
        server.post_json("/admin/v1/tokens/revoke-all", &server.admin_key, &all).await.expect(200);
        assert_eq!(names(server, "status=revoked").await, ["t-one"]);
        for (query, pointer) in [
            ("status=alive", "?status"), ("code=x", "?code"), ("owner=%20", "?owner"), ("origin=x", "?origin"),
            ("created_after=now", "?created_after"), ("colour=red", "?colour"), ("q=a&q=b", "?q"),
        ] {
            server.get(&format!("/admin/v1/tokens?{query}"), &server.admin_key).await.expect_field_error(pointer);
        }
    }

    async fn a_whole_list_comes_as_csv_or_as_lines_of_json(server: &TestServer) {
        for name in ["=cmd()", "a \"quoted\", one", "plain"] {
            make(server, json!({ "policy": "managed", "name": name, "extra_fields": { "n": 1 } })).await;
            server.advance(1);
        }
        let get = async |accept: &str| {
            let request = server.request(Method::GET, "/admin/v1/tokens?policy=managed").bearer_auth(&server.admin_key);
            server.send(request.header("accept", accept)).await.expect(200)
        };
        let csv = get("text/csv").await;
        assert_eq!(csv.header("content-type"), "text/csv; charset=utf-8; header=present");
        assert_eq!(csv.header("cache-control"), "no-store");
        let lines: Vec<&str> = csv.body.lines().collect();
        assert_eq!(lines.len(), 4);
        assert!(lines[0].starts_with("id,name,policy,status,owner_type"));
        assert!(csv.body.contains(",'=cmd(),") && csv.body.contains("\"a \"\"quoted\"\", one\""), "{}", csv.body);
        let lines = get("application/x-ndjson").await;
        let names: Vec<serde_json::Value> =
            lines.body.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["name"].clone()).collect();
        assert_eq!(names, ["plain", "a \"quoted\", one", "=cmd()"]);
        assert_eq!(get("application/json").await.json()["data"].as_array().unwrap().len(), 3);
    }

    async fn a_filter_that_fits_one_of_many_is_answered_window_by_window(server: &TestServer) {
        let alice = server.user("alice", "member").await;
        let owned = |name: &str| json!({ "policy": "managed", "name": name, "owner": alice.id, "lifetime": "1d" });
        make(server, owned("needle")).await;
        make(server, owned("hay")).await;
        // Each copy is a millisecond younger than the one before.
        execute(&server.database, if server.database.is_postgres() {
            "INSERT INTO grant_ (id, workspace_id, policy, policy_version, origin, name, user_id, state, scopes, created_at, \
             expires_at, version, revision) SELECT substring(g.id FROM 1 FOR 6) || decode(lpad(to_hex(n), 20, '0'), 'hex'), \
             workspace_id, policy, policy_version, origin, name, user_id, state, scopes, created_at + n, expires_at, version, \
             revision FROM grant_ g, generate_series(1, 20500) n WHERE name = 'hay'"
        } else {
            "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 20500) \
             INSERT INTO grant_ (id, workspace_id, policy, policy_version, origin, name, user_id, state, scopes, created_at, \
             expires_at, version, revision) SELECT unhex(substr(hex(g.id), 1, 12) || printf('%020x', n)), workspace_id, policy, \
             policy_version, origin, name, user_id, state, scopes, created_at + n, expires_at, version, revision \
             FROM grant_ g, n WHERE name = 'hay'"
        }).await;
        for owner in [String::new(), format!("&owner={}", alice.id)] {
            let page = async |rest: &str| {
                let path = format!("/admin/v1/tokens?q=needle{owner}{rest}");
                server.get(&path, &server.admin_key).await.expect(200).json()
            };
            let first = page("").await;
            assert_eq!(first["data"], json!([]), "the needle is behind the first window");
            let second = page(&format!("&cursor={}", first["next_cursor"].as_str().unwrap())).await;
            assert_eq!(second["data"][0]["name"], "needle");
            assert_eq!(second["next_cursor"], json!(null));
        }
        let all = json!({ "owner": alice.id, "policy": "managed" });
        for _ in 0..2 {
            let revoked = server.post_json("/admin/v1/tokens/revoke-all", &server.admin_key, &all).await.expect(200).json();
            assert_eq!(revoked["revoked"], json!(null), "too many to count: {revoked}");
        }
        let dry_run = json!({ "owner": alice.id, "policy": "managed", "dry_run": true });
        let dry = server.post_json("/admin/v1/tokens/revoke-all", &server.admin_key, &dry_run).await.expect(200).json();
        assert_eq!(dry["changed"], 0);
    }
}

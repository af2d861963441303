//! `/admin/v1/audit`

use reqwest::Method;
use serde_json::{Value, json};

fn rows(answer: &crate::support::Answer) -> Vec<Value> {
    answer.json()["data"].as_array().unwrap().clone()
}

on_both_databases! {
    async fn every_act_is_listed_with_who_what_and_what_changed(server: &TestServer) {
        let alice = server.user("alice", "member").await;
        server.advance(60);
        let edit = server.request(Method::PATCH, &alice.path).bearer_auth(&server.admin_key).header("if-match", "\"1\"");
        let edit = edit.header("content-type", "application/json").header("x-request-id", "edit-1").body(r#"{"role":"admin"}"#);
        server.send(edit).await.expect(200);
        let me = server.get("/api/v1/me", &server.admin_key).await.json()["user"]["id"].as_str().unwrap().to_owned();
        let listed = server.get("/admin/v1/audit?action=user.update", &server.admin_key).await.expect(200);
        let row = rows(&listed)[0].clone();
        for (name, value) in [
            ("action", json!("user.update")), ("actor", json!(format!("user:{me}"))), ("target", json!(alice.id)),
            ("request_id", json!("edit-1")), ("created_at", json!("2026-11-21T12:01:00Z")),
            ("detail", json!({ "changed": { "role": { "from": "member", "to": "admin" } } })),
        ] {
            assert_eq!(row[name], value, "{name}");
        }
        assert!(row["id"].as_str().unwrap().starts_with("evt_"));
    }

    async fn lists_are_filtered_and_paged_without_gaps(server: &TestServer) {
        for name in ["a", "b", "c"] {
            server.user(name, "member").await;
            server.advance(10);
        }
        let ask = async |query: &str| server.get(&format!("/admin/v1/audit{query}"), &server.admin_key).await.expect(200);
        let all = rows(&ask("?limit=200").await);
        assert!(all.windows(2).all(|pair| pair[0]["created_at"].as_str() >= pair[1]["created_at"].as_str()), "newest first");
        let made = rows(&ask("?action=user.create").await);
        assert_eq!(made.len(), 3);
        assert_eq!(rows(&ask("?action=user.create&action=workspace.create").await).len(), 4);
        let target = made[0]["target"].as_str().unwrap();
        assert_eq!(rows(&ask(&format!("?target={target}")).await), [made[0].clone()]);
        assert_eq!(rows(&ask("?actor=system&action=workspace.create").await).len(), 1);
        let actor = made[0]["actor"].as_str().unwrap();
        assert_eq!(rows(&ask(&format!("?actor={actor}&actor=system&limit=200")).await).len(), all.len());
        assert_eq!(rows(&ask(&format!("?request_id={}", made[1]["request_id"].as_str().unwrap())).await), [made[1].clone()]);
        assert_eq!(rows(&ask("?action=user.create&created_after=2026-11-21T12:00:00Z").await).len(), 2);
        assert_eq!(rows(&ask("?action=user.create&created_before=2026-11-21T12:00:10Z").await).len(), 1);
        assert_eq!(rows(&ask("?action=user").await).len(), 0, "a part of an action is none");
        let mut paged = Vec::new();
        let mut path = "/admin/v1/audit?limit=2".to_owned();
        loop {
            let page = server.get(&path, &server.admin_key).await.expect(200);
            paged.extend(rows(&page));
            match page.header("link").split(['<', '>']).nth(1) {
                Some(next) => path = next.to_owned(),
                None => break,
            }
        }
        assert_eq!(paged, all);
        for (query, pointer) in [("?created_after=now", "?created_after"), ("?actions=x", "?actions"), ("?created_before=1&created_before=2", "?created_before")] {
            server.get(&format!("/admin/v1/audit{query}"), &server.admin_key).await.expect_field_error(pointer);
        }
    }

    async fn the_whole_list_is_exported_as_ndjson_and_csv(server: &TestServer) {
        server.post_json("/admin/v1/users", &server.admin_key, &json!({ "username": "=cmd", "email": "a@b", "role": "member" })).await.expect(201);
        for _ in 0..210 {
            server.own_token(&json!({ "policy": "access" })).await;
        }
        let export = async |accept: &str, query: &str| {
            let request = server.request(Method::GET, &format!("/admin/v1/audit{query}")).bearer_auth(&server.admin_key);
            server.send(request.header("accept", accept)).await.expect(200)
        };
        let all = export("application/x-ndjson", "").await;
        assert_eq!(all.header("content-type"), "application/x-ndjson");
        let lines: Vec<Value> = all.body.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert!(lines.len() > 210, "more than one page of the store: {}", lines.len());
        assert_eq!(lines.iter().map(|line| line["id"].as_str().unwrap()).collect::<std::collections::HashSet<_>>().len(), lines.len());
        let csv = export("text/csv", "?action=user.create").await;
        assert!(csv.header("content-type").starts_with("text/csv"));
        assert_eq!(csv.body.lines().next(), Some("id,created_at,action,actor,target,request_id,detail"));
        assert_eq!(csv.body.lines().count(), 2);
        assert_eq!(export("text/csv", "").await.body.lines().count(), lines.len() + 1);
        let refused = server.request(Method::GET, "/admin/v1/audit?x=1").bearer_auth(&server.admin_key).header("accept", "text/csv");
        server.send(refused).await.expect_field_error("?x");
    }

    async fn another_workspaces_acts_are_not_shown(server: &TestServer) {
        let acme = server.workspace("acme").await;
        let alice = server.user("alice", "member").await;
        let seen = server.get("/admin/v1/audit?limit=200", &acme.key).await.expect(200);
        assert!(!seen.body.contains(&alice.id));
        assert_eq!(rows(&seen).iter().map(|row| row["action"].as_str().unwrap()).collect::<Vec<_>>(), ["workspace.create"]);
        assert_eq!(rows(&server.get(&format!("/admin/v1/audit?target={}", alice.id), &acme.key).await), Vec::<Value>::new());
        server.get("/admin/v1/audit", &alice.key).await.expect(403);
    }

    async fn rows_that_are_old_enough_go(server: &TestServer) {
        server.user("alice", "member").await;
        server.advance(399 * 86_400);
        server.service().tidy().await.unwrap();
        assert_eq!(rows(&server.get("/admin/v1/audit?action=user.create", &server.admin_key).await).len(), 1);
        server.advance(2 * 86_400);
        server.user("bob", "member").await;
        server.service().tidy().await.unwrap();
        assert_eq!(rows(&server.get("/admin/v1/audit?action=user.create", &server.admin_key).await).len(), 1);
    }
}

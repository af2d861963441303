//! `/admin/v1/events`

use std::collections::HashSet;

use jeton::domain::ids::{AuditId, WorkspaceId};
use reqwest::Method;
use serde_json::{Value, json};
use sqlx::{Connection as _, Executor as _, PgConnection};

use crate::support::{Answer, TestDatabase, TestServer};

fn rows(answer: &Answer) -> Vec<Value> {
    answer.json()["data"].as_array().unwrap().clone()
}

fn types(events: &[Value]) -> Vec<&str> {
    events.iter().map(|event| event["type"].as_str().unwrap()).collect()
}

async fn ask(server: &TestServer, query: &str) -> Answer {
    server.get(&format!("/admin/v1/events{query}"), &server.admin_key).await
}

/// Everything after a cursor, by pages of this size; the last cursor.
async fn follow(server: &TestServer, cursor: &str, limit: usize) -> (Vec<Value>, String) {
    let (mut all, mut cursor) = (Vec::new(), cursor.to_owned());
    loop {
        let page = ask(server, &format!("?limit={limit}&cursor={cursor}")).await.expect(200);
        all.extend(rows(&page));
        cursor = page.json()["next_cursor"].as_str().unwrap_or_default().to_owned();
        if page.json()["more"] == json!(false) {
            return (all, cursor);
        }
        assert_eq!(rows(&page).len(), limit);
        assert!(page.header("link").contains(&format!("limit={limit}&cursor={cursor}>; rel=\"next\"")));
    }
}

async fn one_key(server: &TestServer) -> String {
    let made = server.own_token(&json!({ "policy": "key", "name": "k" })).await;
    made.json()["token"]["id"].as_str().unwrap().to_owned()
}

on_both_databases! {
    async fn the_life_of_a_token_is_told_in_its_order(server: &TestServer) {
        let (_, start) = follow(server, "", 200).await;
        let made = server.post_json("/admin/v1/tokens", &server.admin_key, &json!({ "policy": "managed", "name": "m", "lifetime": "30d" })).await.expect(201);
        let id = made.json()["token"]["id"].as_str().unwrap().to_owned();
        let path = format!("/admin/v1/tokens/{id}");
        server.advance(1);
        server.patch_json(&path, &server.admin_key, made.header("etag"), &json!({ "extra_fields": { "a": 1 } })).await.expect(200);
        let rotate = server.request(Method::POST, &format!("{path}/rotate")).bearer_auth(&server.admin_key).header("x-request-id", "rotate-1");
        server.send(rotate.header("content-type", "application/json").body("{}")).await.expect(200);
        server.post_json(&format!("{path}/disable"), &server.admin_key, &json!({})).await.expect(200);
        server.post_json(&format!("{path}/revoke"), &server.admin_key, &json!({ "reason": "lost" })).await.expect(200);
        server.delete(&path, &server.admin_key).await.expect(200);
        let (events, _) = follow(server, &start, 2).await;
        assert_eq!(types(&events), ["token.created", "token.edited", "token.rotated", "token.disabled", "token.revoked", "token.deleted"]);
        let me = server.get("/api/v1/me", &server.admin_key).await.json()["user"]["id"].as_str().unwrap().to_owned();
        for event in &events {
            assert_eq!((&event["subject"], &event["workspace"], &event["actor"]), (&json!(id), &json!("default"), &json!(format!("user:{me}"))));
        }
        assert_eq!((&events[0]["time"], &events[0]["data"]), (&json!("2026-11-21T12:00:00Z"), &json!({ "policy": "managed", "name": "m" })));
        assert_eq!((&events[1]["time"], &events[2]["request_id"]), (&json!("2026-11-21T12:00:01Z"), &json!("rotate-1")));
        assert_eq!(events[4]["data"], json!({ "reason": "lost" }));
        // Each is the line of the audit with its id.
        let audit = server.get(&format!("/admin/v1/audit?target={id}&limit=200"), &server.admin_key).await.expect(200);
        let mut in_audit: Vec<String> = rows(&audit).iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect();
        in_audit.reverse();
        let ids: HashSet<String> = events.iter().map(|event| event["id"].as_str().unwrap().to_owned()).collect();
        assert_eq!(ids, in_audit.into_iter().collect());
    }

    async fn what_ends_many_tokens_is_one_event_and_what_oauth_issues_is_none(server: &TestServer) {
        let client = server.client(&["read"]).await;
        let alice = server.user("alice", "member").await;
        let (_, start) = follow(server, "", 200).await;
        let token = server.access_token(&client).await;
        server.post_form("/oauth20/revoke", Some(&client), &[("token", &token)]).await.expect(200);
        let all = json!({ "owner": alice.id, "policy": "key" });
        server.post_json("/admin/v1/tokens/revoke-all", &server.admin_key, &all).await.expect(200);
        server.delete(&format!("/admin/v1/clients/{}", client.id), &server.admin_key).await.expect(200);
        server.delete(&alice.path, &server.admin_key).await.expect(200);
        let (events, _) = follow(server, &start, 200).await;
        assert_eq!(types(&events), ["token.revoked", "token.all_revoked", "client.deleted", "user.deleted"]);
        assert_eq!(events[0]["actor"], json!(format!("client:{}", client.id)));
        assert_eq!((&events[1]["subject"], &events[1]["data"]), (&json!(alice.id), &json!({ "policies": ["key"] })));
        assert_eq!((&events[2]["subject"], &events[3]["subject"]), (&json!(client.id), &json!(alice.id)));
        let counters = server.service().store.counters();
        let writes = counters.of("issue.write_events");
        server.own_token(&json!({ "policy": "key", "name": "k" })).await;
        assert_eq!(counters.of("issue.write_events") - writes, u64::from(server.database.is_postgres()));
    }

    async fn pages_have_no_gap_and_no_event_twice_and_the_end_has_a_cursor_too(server: &TestServer) {
        for _ in 0..5 {
            one_key(server).await;
        }
        let (all, end) = follow(server, "", 200).await;
        assert!(all.len() >= 5);
        for limit in [1, 2, all.len()] {
            assert_eq!(follow(server, "", limit).await, (all.clone(), end.clone()), "{limit}");
        }
        let none = ask(server, &format!("?cursor={end}")).await.expect(200);
        assert_eq!(none.json(), json!({ "data": [], "next_cursor": end, "more": false }));
        assert_eq!(none.header("link"), "");
        let one = one_key(server).await;
        let (new, _) = follow(server, &end, 200).await;
        assert_eq!(new.iter().map(|event| event["subject"].as_str().unwrap()).collect::<Vec<_>>(), [one]);
    }

    async fn a_filter_moves_its_cursor_over_what_it_leaves_out(server: &TestServer) {
        let user = server.user("alice", "member").await;
        for _ in 0..3 {
            one_key(server).await;
        }
        let page = ask(server, "?type=user.created&type=user.deleted&limit=1").await.expect(200);
        let subjects: Vec<Value> = rows(&page).iter().map(|event| event["subject"].clone()).collect();
        assert_eq!(subjects, [json!(user.id)]);
        let rest = ask(server, &format!("?type=user.created&cursor={}", page.text("next_cursor"))).await.expect(200);
        assert_eq!((rows(&rest), &rest.json()["more"]), (Vec::new(), &json!(false)));
        let (_, end) = follow(server, "", 200).await;
        assert_eq!(rest.text("next_cursor"), end, "what was left out is not looked at again");
    }

    async fn everything_up_to_now_is_streamed_and_the_last_line_is_the_cursor(server: &TestServer) {
        for _ in 0..3 {
            one_key(server).await;
        }
        let whole = async |accept: &str, query: &str| {
            let request = server.request(Method::GET, &format!("/admin/v1/events{query}")).bearer_auth(&server.admin_key);
            server.send(request.header("accept", accept)).await.expect(200)
        };
        let lines = whole("application/x-ndjson", "?type=token.created").await;
        assert_eq!(lines.header("content-type"), "application/x-ndjson");
        let lines: Vec<Value> = lines.body.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(rows(&ask(server, "?type=token.created").await), lines);
        let last = lines.last().unwrap()["id"].as_str().unwrap();
        assert_eq!(whole("application/x-ndjson", &format!("?cursor={last}")).await.body, "");
        let new = one_key(server).await;
        assert!(whole("application/x-ndjson", &format!("?cursor={last}")).await.body.contains(&new));
        let csv = whole("text/csv", "?type=token.created").await;
        assert_eq!(csv.body.lines().next(), Some("id,type,time,workspace,actor,subject,request_id,data"));
        assert_eq!(csv.body.lines().count(), lines.len() + 2);
    }

    async fn a_cursor_whose_event_is_not_kept_is_gone(server: &TestServer) {
        let acme = server.workspace("acme").await;
        one_key(server).await;
        let (_, end) = follow(server, "", 200).await;
        let foreign = server.get(&format!("/admin/v1/events?cursor={end}"), &acme.key).await.expect(410);
        assert_eq!(foreign.json()["code"], "gone");
        // An act that is no event, and one of a database that has gone back since.
        let client = server.client(&[]).await;
        server.access_token(&client).await;
        let quiet = server.get("/admin/v1/audit?action=token.issue", &server.admin_key).await;
        ask(server, &format!("?cursor={}", rows(&quiet)[0]["id"].as_str().unwrap())).await.expect(410);
        ask(server, "?cursor=evt_0000000000000000000000").await.expect(410);
        server.advance(401 * 86_400);
        one_key(server).await;
        server.service().tidy().await.unwrap();
        ask(server, &format!("?cursor={end}")).await.expect(410);
        let (kept, _) = follow(server, "", 200).await;
        assert_eq!(types(&kept), ["token.created"]);
        for (query, pointer) in [
            ("?cursor=x", "?cursor"), ("?cursor=grt_0000000000000000000000", "?cursor"), ("?limit=0", "?limit"), ("?limit=201", "?limit"),
            ("?type=token.create", "?type"), ("?type=token.issue", "?type"), ("?limit=1&limit=2", "?limit"), ("?after=x", "?after"),
        ] {
            ask(server, query).await.expect_field_error(pointer);
        }
        assert_eq!(rows(&ask(server, "?cursor=&limit=&type=").await.expect(200)), kept);
    }

    async fn who_reads_while_many_write_misses_nothing(server: &TestServer) {
        let (_, mut cursor) = follow(server, "", 200).await;
        let made = async {
            let calls = (0..8).map(|_| async {
                let mut made = Vec::new();
                for _ in 0..15 {
                    made.push(one_key(server).await);
                }
                made
            });
            futures_util::future::join_all(calls).await.concat()
        };
        let read = async {
            let mut seen = Vec::new();
            while seen.len() < 120 {
                let (new, next) = follow(server, &cursor, 7).await;
                seen.extend(new);
                cursor = next;
            }
            seen
        };
        let (made, seen) = futures_util::future::join(made, read).await;
        let seen: Vec<&str> = seen.iter().map(|event| event["subject"].as_str().unwrap()).collect();
        assert_eq!(seen.len(), made.len(), "none twice");
        assert_eq!(seen.into_iter().collect::<HashSet<_>>(), made.iter().map(String::as_str).collect());
    }
}

/// Writes an act and its event as a batch does, and leaves the transaction open.
async fn write_slowly(conn: &mut PgConnection, workspace: WorkspaceId, id: AuditId) {
    conn.execute("BEGIN").await.unwrap();
    let (id, workspace) = (id.as_bytes().to_vec(), workspace.as_bytes().to_vec());
    let act = "INSERT INTO audit_event (id, at, workspace_id, action, actor, target) VALUES ($1, 0, $2, 'token.revoke', 'system', 'slow')";
    conn.execute(sqlx::query(act).bind(&id).bind(&workspace)).await.unwrap();
    let event = "INSERT INTO event (id, workspace_id, action) VALUES ($1, $2, 'token.revoke')";
    conn.execute(sqlx::query(event).bind(&id).bind(&workspace)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: cargo xtask test"]
async fn an_act_that_commits_late_comes_after_what_was_read_already() {
    let server = TestServer::start(TestDatabase::postgres().await).await;
    let me = server.get("/admin/v1/workspace", &server.admin_key).await.expect(200);
    let mut slow = PgConnection::connect(&server.database.url()).await.unwrap();
    let id: AuditId = "evt_0Rkq1fAqCa70q2ZtYb5m3C".parse().unwrap();
    write_slowly(&mut slow, me.text("id").parse().unwrap(), id).await;
    // Written later, committed earlier.
    let early = one_key(&server).await;
    let (events, cursor) = follow(&server, "", 200).await;
    assert_eq!(events.last().unwrap()["subject"], json!(early));
    slow.execute("COMMIT").await.unwrap();
    let (late, _) = follow(&server, &cursor, 200).await;
    assert_eq!(late.iter().map(|event| &event["id"]).collect::<Vec<_>>(), [&json!(id.to_string())]);
    server.finish().await;
}

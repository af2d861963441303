//! `POST /leaks`: what is handed in is revoked, and the answer tells nothing of it.

use std::path::Path;
use std::time::Duration;

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::store::{audit_details, audit_rows, count};
use crate::support::{Answer, TestServer};

const SOURCE: &str = "https://git.example/acme/app/blob/1f2e3d/config.env#L7";

async fn report(server: &TestServer, tokens: &[&str]) -> Answer {
    post(server, json!({ "tokens": tokens, "source": SOURCE })).await
}

async fn post(server: &TestServer, body: Value) -> Answer {
    let request = server.request(Method::POST, "/leaks").header("content-type", "application/json");
    server.send(request.body(body.to_string())).await
}

on_both_databases! {
    async fn a_live_token_is_revoked_when_the_answer_comes_and_the_audit_says_why(server: &TestServer) {
        let made = server.own_token(&json!({ "policy": "key", "name": "robot" })).await;
        let (key, id) = (made.text("api_key"), made.json()["token"]["id"].as_str().unwrap().to_owned());
        let minted = server.get("/oauth20/access-token", &key).await.expect(200).text("access_token");
        server.verify(&minted).await.expect(200);
        let answer = report(server, &[&key]).await.expect(202);
        assert_eq!(answer.json(), json!({ "received": 1 }));
        server.verify(&key).await.expect_invalid_token();
        server.verify(&minted).await.expect_invalid_token();
        let token = server.get(&format!("/admin/v1/tokens/{id}"), &server.admin_key).await.expect(200).json();
        assert_eq!(token["status"], "revoked");
        assert_eq!((&token["revoke_reason"], &token["revoked_by"]), (&json!("leaked"), &json!("system")));
        let rows = audit_rows(&server.database, "token.leak").await;
        assert_eq!((rows.len(), rows[0].1.as_str()), (1, "system"));
        let detail: Value = serde_json::from_str(&audit_details(&server.database, "token.leak").await[0]).unwrap();
        assert_eq!((&detail["source"], &detail["kind"]), (&json!(SOURCE), &json!("key")));
        assert_eq!(detail["reported_from"], "127.0.0.1");
    }

    async fn what_goes_with_a_token_is_what_its_policy_says(server: &TestServer) {
        let short = server.own_token(&json!({ "policy": "access" })).await.text("access_token");
        let other = server.own_token(&json!({ "policy": "access" })).await.text("access_token");
        let (access, refresh, client_id) = server.pair().await;
        let (spared, _, _) = server.pair().await;
        report(server, &[&short, &refresh, "jtn_a_nonsense", "x"]).await.expect(202);
        for dead in [&short, &other, &access] {
            server.verify(dead).await.expect_invalid_token();
        }
        server.refresh(&client_id, &refresh).await.expect_oauth_error(400, "invalid_grant");
        server.verify(&spared).await.expect(200);
        server.verify(&server.admin_key).await.expect(200);
        assert_eq!(audit_rows(&server.database, "token.leak").await.len(), 2);
    }

    async fn an_imported_token_is_revoked_too(server: &TestServer) {
        server.legacy_token("old-secret-of-the-older-system").await;
        server.verify("old-secret-of-the-older-system").await.expect(200);
        report(server, &["old-secret-of-the-older-system"]).await.expect(202);
        server.verify("old-secret-of-the-older-system").await.expect_invalid_token();
    }

    async fn the_answer_and_its_time_are_the_same_for_any_string(server: &TestServer) {
        let dead = server.own_token(&json!({ "policy": "access" })).await.text("access_token");
        server.delete("/oauth20/access-token", &dead).await.expect(200);
        let live = server.own_token(&json!({ "policy": "key", "name": "live" })).await.text("api_key");
        let forged = format!("jtn_a_{}", "7".repeat(77));
        let (_, secret) = { let client = server.client(&[]).await; (client.id, client.secret) };
        let many: Vec<&str> = std::iter::repeat_n(live.as_str(), 50).chain(std::iter::repeat_n("x", 49)).collect();
        let reports: [&[&str]; 6] = [&[&dead], &[&forged], &[&secret], &["x"], &[&live], &many];
        let answers = join_all(reports.map(|tokens| async move {
            let asked = Instant::now();
            (report(server, tokens).await.expect(202), asked.elapsed(), tokens.len())
        }));
        for (answer, took, received) in answers.await {
            assert!(took >= Duration::from_secs(1), "answered after {took:?}");
            assert_eq!(answer.json(), json!({ "received": received }));
            let mut names: Vec<&str> = answer.headers.keys().map(reqwest::header::HeaderName::as_str).collect();
            names.sort_unstable();
            assert_eq!(names, ["cache-control", "content-length", "content-type", "date", "pragma", "x-request-id"]);
        }
        // Of 51 reports of the same token one has revoked it.
        assert_eq!(audit_rows(&server.database, "token.leak").await.len(), 1);
    }

    async fn an_address_is_slowed_down_and_heard_again_later(server: &TestServer) {
        let all = join_all((0..21).map(|_| report(server, &["x"]))).await;
        let refused: Vec<&Answer> = all.iter().filter(|answer| answer.status != 202).collect();
        assert_eq!(refused.len(), 1);
        assert_eq!((refused[0].status, refused[0].header("retry-after")), (429, "4"));
        server.advance(3);
        report(server, &["x"]).await.expect(202);
        report(server, &["x"]).await.expect(429);
    }

    async fn bad_reports_are_refused_by_the_field(server: &TestServer) {
        let long = "x".repeat(513);
        let cases = [
            (json!({}), "/tokens"),
            (json!({ "tokens": [] }), "/tokens"),
            (json!({ "tokens": vec!["x"; 101] }), "/tokens"),
            (json!({ "tokens": ["x", ""] }), "/tokens/1"),
            (json!({ "tokens": [long] }), "/tokens/0"),
            (json!({ "tokens": ["a b"] }), "/tokens/0"),
            (json!({ "tokens": ["\u{0}"] }), "/tokens/0"),
            (json!({ "tokens": "x" }), "/tokens"),
            (json!({ "tokens": [7] }), "/tokens/0"),
            (json!({ "tokens": ["x"], "source": "a\u{202e}b" }), "/source"),
            (json!({ "tokens": ["x"], "source": "" }), "/source"),
            (json!({ "tokens": ["x"], "url": "https://x.example" }), "/url"),
        ];
        for (body, pointer) in cases {
            let answer = post(server, body.clone()).await.expect(400);
            assert_eq!(answer.json()["errors"][0]["pointer"], pointer, "{body}: {}", answer.body);
        }
        server.send(server.request(Method::POST, "/leaks").body("tokens=x")).await.expect(415);
        server.send(server.request(Method::GET, "/leaks")).await.expect(405);
        let query = server.request(Method::POST, "/leaks?tokens=x").header("content-type", "application/json");
        server.send(query.body(r#"{"tokens":["x"]}"#)).await.expect(400);
        assert_eq!(count(&server.database, "SELECT COUNT(*) FROM audit_event WHERE action = 'token.leak'").await, 0);
    }

    async fn an_outage_is_told_to_every_reporter(server: &TestServer) {
        server.service().store.close().await;
        let live = server.admin_key.clone();
        for token in [live.as_str(), "x"] {
            let answer = report(server, &[token]).await.expect(503);
            assert!(!answer.header("retry-after").is_empty());
        }
    }

    async fn the_published_pattern_finds_every_kind_of_token_in_a_text(server: &TestServer) {
        let page = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/leaks.md")).unwrap();
        let published = page.split("```").nth(1).unwrap().trim();
        assert_eq!(published, server.service().codec.pattern());
        let pattern = regex::Regex::new(&format!("^{published}$")).unwrap();
        let anywhere = regex::Regex::new(published).unwrap();
        let (access, refresh, _) = server.pair().await;
        let secret = server.client(&[]).await.secret;
        for (token, letter) in [(&access, 'a'), (&refresh, 'r'), (&server.admin_key, 'k'), (&secret, 's')] {
            assert!(pattern.is_match(token) && token[4..].starts_with(letter));
            assert_eq!(token.len(), 83);
            let text = format!("export TOKEN=\"{token}\"; # do not share");
            assert_eq!(anywhere.find(&text).unwrap().as_str(), token);
        }
    }
}

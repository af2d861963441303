//! `/admin/v1/legacy-imports…`: made, listed, reported on, revoked, purged.

use serde_json::json;

use crate::support::legacy::{DEADLINE, sha256_hex};

on_both_databases! {
    async fn an_import_is_made_listed_and_shown(server: &TestServer) {
        let body = json!({
            "source": "old gateway", "scheme": "hmac-sha256", "hmac_key_base64": "b2xkIGtleQ==", "deadline": DEADLINE,
            "hashed": "secret", "separator": "_", "scopes": ["read"], "link": "https://example.com/move",
            "unmapped_owner": { "type": "user", "id": "admin" },
        });
        let made = server.post_json("/admin/v1/legacy-imports", &server.admin_key, &body).await.expect(201);
        let id = made.text("id");
        assert_eq!(made.header("location"), format!("/admin/v1/legacy-imports/{id}"));
        assert!(!made.body.contains("b2xkIGtleQ"), "the key of the older system is told");
        for (field, value) in [("source", "old gateway"), ("scheme", "hmac-sha256"), ("hashed", "secret"), ("separator", "_"), ("status", "open"), ("policy", "legacy"), ("workspace", "default"), ("deadline", DEADLINE)] {
            assert_eq!(made.json()[field], value, "{field}");
        }
        assert_eq!(made.json()["refuses_unmapped"], false);
        assert_eq!(server.import_view(&id).await, made.json());
        let listed = server.get("/admin/v1/legacy-imports?limit=1", &server.admin_key).await.expect(200);
        assert_eq!(listed.json()["data"][0], made.json());
        server.post_json("/admin/v1/legacy-imports", &server.admin_key, &body).await.expect(409);
        assert_eq!(crate::store::audit_rows(&server.database, "legacy_import.create").await.len(), 1);
    }

    async fn what_can_t_be_an_import_is_refused_field_by_field(server: &TestServer) {
        let good = json!({ "source": "old", "scheme": "plain", "deadline": DEADLINE });
        let cases = [
            ("/source", json!({ "source": " " })),
            ("/scheme", json!({ "scheme": "md5" })),
            ("/hmac_key", json!({ "scheme": "hmac-sha256" })),
            ("/hmac_key", json!({ "hmac_key": "unwanted" })),
            ("/hmac_key_base64", json!({ "scheme": "hmac-sha256", "hmac_key_base64": "!" })),
            ("/hmac_key_base64", json!({ "scheme": "hmac-sha256", "hmac_key_base64": "aaaa", "hmac_key": "a" })),
            ("/deadline", json!({ "deadline": "2026-11-21T12:00:00Z" })),
            ("/deadline", json!({ "deadline": "2030-11-21T12:00:00Z" })),
            ("/deadline", json!({ "deadline": "soon" })),
            ("/deadline", json!({ "deadline": -1 })),
            ("/deprecated_at", json!({ "deprecated_at": "2027-11-21T12:00:00Z" })),
            ("/separator", json!({ "separator": ".." })),
            ("/separator", json!({ "separator": "|" })),
            ("/hashed", json!({ "hashed": "both" })),
            ("/link", json!({ "link": "javascript:alert(1)" })),
            ("/link", json!({ "link": "https://x/>; rel=\"next" })),
            ("/scopes", json!({ "scopes": ["a b"] })),
            ("/policy", json!({ "policy": "access" })),
            ("/unmapped_owner/id", json!({ "unmapped_owner": { "type": "user", "id": "nobody" } })),
            ("/unmapped_owner/id", json!({ "unmapped_owner": { "type": "client", "id": "admin" } })),
            ("/token", json!({ "token": "x" })),
        ];
        for (pointer, change) in cases {
            let mut body = good.clone();
            body.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
            server.post_json("/admin/v1/legacy-imports", &server.admin_key, &body).await.expect_field_error(pointer);
        }
        assert_eq!(crate::store::count(&server.database, "SELECT COUNT(*) FROM legacy_import").await, 0);
    }

    async fn an_unknown_import_is_not_found(server: &TestServer) {
        for id in ["imp_0000000000000000000000", "imp_", "x", "grt_0000000000000000000000"] {
            let path = format!("/admin/v1/legacy-imports/{id}");
            server.get(&path, &server.admin_key).await.expect(404);
            server.get(&format!("{path}/in-use"), &server.admin_key).await.expect(404);
            server.delete(&path, &server.admin_key).await.expect(404);
            server.post_json(&format!("{path}/extend"), &server.admin_key, &json!({ "deadline": DEADLINE })).await.expect(404);
            server.upload(id, "", &[]).await.expect(404);
        }
    }

    async fn the_list_is_read_in_pages_and_takes_no_other_parameter(server: &TestServer) {
        let mut made = Vec::new();
        for scheme in ["plain", "sha256", "sha512"] {
            made.insert(0, server.import(scheme, json!({})).await);
            server.advance(1);
        }
        let list = async |query: &str| server.get(&format!("/admin/v1/legacy-imports{query}"), &server.admin_key).await;
        let mut found = Vec::new();
        let mut cursor = String::new();
        loop {
            let page = list(&format!("?limit=2&cursor={cursor}")).await.expect(200).json();
            found.extend(page["data"].as_array().unwrap().iter().map(|import| import["id"].as_str().unwrap().to_owned()));
            match page["next_cursor"].as_str() {
                Some(next) => cursor = next.to_owned(),
                None => break,
            }
        }
        assert_eq!(found, made);
        list("?source=old").await.expect_field_error("?source");
        list("?limit=0").await.expect_field_error("?limit");
        list("?cursor=x").await.expect_field_error("?cursor");
    }

    async fn the_report_tells_what_is_still_in_use_and_by_whom(server: &TestServer) {
        let import = server.import("plain", json!({})).await;
        let rows = [
            json!({ "token": "used-token-1", "user": "admin", "name": "cron" }),
            json!({ "token": "used-token-2", "user": "admin" }),
            json!({ "token": "idle-token-1", "user": "admin", "last_used_at": "2026-11-01T00:00:00Z" }),
            json!({ "token": "idle-token-2", "user": "admin" }),
        ];
        server.upload(&import, "", &rows).await.expect(200);
        server.advance(60);
        server.verify("used-token-1").await.expect(200);
        server.verify("used-token-2").await.expect(200);
        server.service().flush_uses().await.unwrap();
        let report = async |query: &str| {
            server.get(&format!("/admin/v1/legacy-imports/{import}/in-use{query}"), &server.admin_key).await
        };
        let all = report("").await.expect(200).json();
        assert_eq!(all["data"].as_array().unwrap().len(), 2);
        assert_eq!(all["data"][0]["owner"]["name"], "admin");
        assert_eq!(all["data"][0]["last_used_at"], "2026-11-21T12:01:00Z");
        let first = report("?limit=1").await.expect(200).json();
        let cursor = first["next_cursor"].as_str().unwrap();
        let second = report(&format!("?limit=1&cursor={cursor}")).await.expect(200).json();
        assert_eq!((&first["data"][0], &second["data"][0]), (&all["data"][0], &all["data"][1]));
        assert!(second["next_cursor"].is_null());
        let since = report("?used_after=2026-10-01T00:00:00Z").await.expect(200).json();
        assert_eq!(since["data"].as_array().unwrap().len(), 3);
        report("?used_since=now").await.expect_field_error("?used_since");
        report("?used_after=now").await.expect_field_error("?used_after");
        report("?limit=201").await.expect_field_error("?limit");
        report("?cursor=x").await.expect_field_error("?cursor");
        let csv = server.request(reqwest::Method::GET, &format!("/admin/v1/legacy-imports/{import}/in-use"));
        let csv = server.send(csv.bearer_auth(&server.admin_key).header("accept", "text/csv")).await.expect(200);
        assert_eq!(csv.header("content-type"), "text/csv; charset=utf-8");
        let lines: Vec<&str> = csv.body.lines().collect();
        assert_eq!(lines.len(), 3, "{}", csv.body);
        assert!(lines[0].starts_with("id,name,owner_type,owner_id,owner_name,"));
        assert!(csv.body.contains(",cron,user,usr_"));
    }

    async fn revoking_an_import_reaches_what_its_dry_run_told_and_nothing_else(server: &TestServer) {
        let import = server.import("plain", json!({})).await;
        let other = server.import("sha256", json!({})).await;
        let rows = ["token-one-1", "token-two-2", "token-three"].map(|token| json!({ "token": token, "user": "admin" }));
        server.upload(&import, "", &rows).await.expect(200);
        server.upload(&other, "", &[json!({ "hash": sha256_hex("token-four-4"), "user": "admin" })]).await.expect(200);
        for token in ["token-one-1", "token-four-4"] {
            server.verify(token).await.expect(200);
        }
        server.service().flush_uses().await.unwrap();
        let path = format!("/admin/v1/legacy-imports/{import}");
        let dry = server.delete(&format!("{path}?dry_run=true"), &server.admin_key).await.expect(200).json();
        assert_eq!((&dry["matched"], &dry["used_last_7_days"], &dry["owners"]), (&json!(3), &json!(1), &json!(1)));
        server.verify("token-one-1").await.expect(200);
        let real = server.delete(&path, &server.admin_key).await.expect(200).json();
        assert_eq!(real["matched"], dry["matched"]);
        assert_eq!(real["import"]["status"], "revoked");
        for token in ["token-one-1", "token-two-2", "token-three"] {
            let refused = server.verify(token).await.expect_invalid_token();
            assert!(refused.body.contains("revoked"), "{}", refused.body);
        }
        server.verify("token-four-4").await.expect(200);
        server.upload(&import, "", &rows).await.expect(409);
        server.post_json(&format!("{path}/extend"), &server.admin_key, &json!({ "deadline": "2026-12-21T12:00:00Z" })).await.expect(409);
        assert_eq!(server.delete(&path, &server.admin_key).await.expect(200).json()["matched"], 0);
        assert_eq!(crate::store::audit_rows(&server.database, "legacy_import.revoke").await.len(), 1);
        server.delete(&format!("{path}?dry_run=maybe"), &server.admin_key).await.expect_field_error("?dry_run");
    }

    async fn rows_of_an_ended_import_are_purged_and_the_import_stays(server: &TestServer) {
        let import = server.legacy_token("token-to-purge").await;
        server.advance(10 * 24 * 3600 + 29 * 24 * 3600);
        server.service().tidy().await.unwrap();
        assert_eq!(crate::store::count(&server.database, "SELECT COUNT(*) FROM legacy_token").await, 1);
        assert_eq!(server.import_view(&import).await["status"], "ended");
        server.advance(2 * 24 * 3600);
        server.service().tidy().await.unwrap();
        assert_eq!(crate::store::count(&server.database, "SELECT COUNT(*) FROM legacy_token").await, 0);
        assert_eq!(crate::store::count(&server.database, "SELECT COUNT(*) FROM grant_ WHERE origin = 'import'").await, 0);
        assert_eq!(server.import_view(&import).await["status"], "purged");
        server.verify("token-to-purge").await.expect_invalid_token();
    }
}

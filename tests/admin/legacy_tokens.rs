//! Imported tokens in use: each scheme, everywhere that a token is taken, until the deadline.

use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256, Sha512};

use crate::support::legacy::{hex, sha256_hex};

const TOKEN: &str = "app7.c2VjcmV0LXNlY3JldC1zZWNyZXQ";
const OWNED: &str = r#"{ "unmapped_owner": { "type": "user", "id": "admin" }, "scopes": ["read"] }"#;

fn owned() -> Value {
    serde_json::from_str(OWNED).unwrap()
}

fn with(mut one: Value, other: &Value) -> Value {
    one.as_object_mut().unwrap().extend(other.as_object().unwrap().clone());
    one
}

/// Imports `TOKEN` under a scheme, and uses it, before and after the row is upgraded.
async fn works(server: &crate::support::TestServer, scheme: &str, more: Value, row: Value) {
    let client = server.client(&[]).await;
    let import = server.import(scheme, with(owned(), &more)).await;
    server.verify(TOKEN).await.expect_invalid_token();
    let sent = server.upload(&import, "", &[row]).await.expect(200);
    assert_eq!(sent.json()["imported"], 1, "{}", sent.body);
    for round in 0..3 {
        server.verify(TOKEN).await.expect(200);
        assert!(server.is_active(&client, TOKEN).await, "{scheme}, round {round}");
        server.verify(&format!("{TOKEN}x")).await.expect_invalid_token();
        server.verify("app8.c2VjcmV0LXNlY3JldC1zZWNyZXQ").await.expect_invalid_token();
        // As it came, upgraded, and upgraded again, which changes nothing.
        server.service().flush_upgrades().await.unwrap();
        server.forget();
        server.service().settle_unknown_outcomes().await.unwrap();
    }
    let upgraded = i64::from(scheme != "plain");
    assert_eq!(server.import_view(&import).await["upgraded"], upgraded);
    assert_eq!(crate::store::audit_rows(&server.database, "legacy.upgrade").await.len() as i64, upgraded);
    assert_eq!(
        crate::store::count(&server.database, "SELECT COUNT(*) FROM legacy_token WHERE hash IS NOT NULL").await,
        0
    );
    let dump = server.database.dump().await;
    assert!(!dump.windows(TOKEN.len()).any(|window| window == TOKEN.as_bytes()), "the token is stored");
}

fn hmac(key: &[u8], text: &str) -> String {
    hex(&Hmac::<Sha256>::new_from_slice(key).unwrap().chain_update(text).finalize().into_bytes())
}

on_both_databases! {
    async fn a_plain_token_works(server: &TestServer) {
        works(server, "plain", json!({}), json!({ "token": TOKEN })).await;
    }

    async fn a_sha256_token_works_and_is_upgraded_at_its_first_use(server: &TestServer) {
        works(server, "sha256", json!({}), json!({ "hash": sha256_hex(TOKEN) })).await;
    }

    async fn a_sha512_token_works_and_is_upgraded_at_its_first_use(server: &TestServer) {
        works(server, "sha512", json!({}), json!({ "hash": hex(&Sha512::digest(TOKEN)) })).await;
    }

    async fn an_hmac_token_works_and_is_upgraded_at_its_first_use(server: &TestServer) {
        let row = json!({ "hash": hmac(b"the old key", TOKEN) });
        works(server, "hmac-sha256", json!({ "hmac_key": "the old key" }), row).await;
        let dump = server.database.dump().await;
        assert!(!dump.windows(11).any(|window| window == b"the old key"), "the old system's key is stored in clear");
    }

    async fn a_token_whose_secret_alone_was_hashed_works(server: &TestServer) {
        let secret = TOKEN.split_once('.').unwrap().1;
        let row = json!({ "hash": sha256_hex(secret), "hint": "app7" });
        works(server, "sha256", json!({ "hashed": "secret" }), row).await;
    }

    async fn a_bcrypt_token_works_and_is_upgraded_at_its_first_use(server: &TestServer) {
        let row = json!({ "hash": bcrypt::hash(TOKEN, 4).unwrap(), "hint": "app7" });
        works(server, "bcrypt", json!({}), row).await;
    }

    async fn a_bcrypt_hash_of_the_secret_alone_works(server: &TestServer) {
        let secret = TOKEN.split_once('.').unwrap().1;
        let row = json!({ "hash": bcrypt::hash(secret, 4).unwrap(), "hint": "app7" });
        works(server, "bcrypt", json!({ "hashed": "secret" }), row).await;
    }

    async fn each_use_says_that_it_is_deprecated_and_when_it_ends(server: &TestServer) {
        let more = json!({ "deprecated_at": "2026-06-30T23:59:59Z", "link": "https://example.com/move" });
        let import = server.import("plain", with(owned(), &more)).await;
        let row = json!({ "token": TOKEN, "name": "old script", "scopes": "read jeton:manage introspect", "user": "admin" });
        server.upload(&import, "", &[row]).await.expect(200);
        let client = server.client(&[]).await;
        let uses = [
            server.verify(TOKEN).await.expect(200),
            server.get("/oauth20/access-token", TOKEN).await.expect(200),
            server.get("/api/v1/tokens", TOKEN).await.expect(200),
            server.send(server.request(reqwest::Method::GET, "/oauth20/verify").header("api-key", TOKEN)).await.expect(200),
            server.introspect(&client, TOKEN).await.expect(200),
        ];
        for answer in &uses {
            // RFC 9745 §2, RFC 8594 §3, RFC 9745 §3.
            assert_eq!(answer.header("deprecation"), "@1782863999");
            assert_eq!(answer.header("sunset"), "Tue, 01 Dec 2026 12:00:00 GMT");
            assert_eq!(answer.header("link"), "<https://example.com/move>; rel=\"deprecation\"");
        }
        let session = uses[1].json();
        assert_eq!(session["access_token"], TOKEN);
        assert_eq!(session["expires_in"], 10 * 24 * 3600);
        assert_eq!((session["session"]["policy"].as_str(), session["session"]["name"].as_str()), (Some("legacy"), Some("old script")));
        let introspected = uses[4].json();
        assert_eq!(introspected["exp"], 1_796_126_400);
        assert_eq!(introspected["scope"], "introspect jeton:manage read");
        assert_eq!(introspected["username"], "admin");
        assert_eq!(introspected["jti"].as_str().map(str::len), Some(22));
        let ours = server.verify(&server.admin_key).await.expect(200);
        assert!(ours.headers.get("sunset").is_none() && ours.headers.get("deprecation").is_none());
    }

    async fn at_the_deadline_it_is_expired_to_the_millisecond(server: &TestServer) {
        server.legacy_token(TOKEN).await;
        server.advance(10 * 24 * 3600 - 1);
        server.verify(TOKEN).await.expect(200);
        server.clock.advance(std::time::Duration::from_millis(999));
        server.verify(TOKEN).await.expect(200);
        server.clock.advance(std::time::Duration::from_millis(1));
        let cached = server.verify(TOKEN).await.expect_invalid_token();
        assert!(cached.body.contains("expired"), "{}", cached.body);
        server.forget();
        server.service().settle_unknown_outcomes().await.unwrap();
        let read = server.verify(TOKEN).await.expect_invalid_token();
        assert!(read.body.contains("expired"), "{}", read.body);
        server.verify(&format!("{TOKEN}x")).await.expect_invalid_token();
    }

    async fn an_end_of_its_own_comes_before_the_deadline(server: &TestServer) {
        let import = server.import("plain", owned()).await;
        server.upload(&import, "", &[json!({ "token": TOKEN, "expires_at": "2026-11-22T12:00:00Z" })]).await.expect(200);
        assert_eq!(server.verify(TOKEN).await.expect(200).header("sunset"), "Sun, 22 Nov 2026 12:00:00 GMT");
        server.advance(24 * 3600);
        server.verify(TOKEN).await.expect_invalid_token();
    }

    async fn an_extension_is_in_force_at_once(server: &TestServer) {
        let import = server.legacy_token(TOKEN).await;
        server.verify(TOKEN).await.expect(200);
        let path = format!("/admin/v1/legacy-imports/{import}/extend");
        let extend = async |deadline: &str| server.post_json(&path, &server.admin_key, &json!({ "deadline": deadline })).await;
        let extended = extend("2026-12-11T12:00:00Z").await.expect(200);
        assert_eq!(extended.json()["import"]["deadline"], "2026-12-11T12:00:00Z");
        assert!(extended.json()["revocation"]["revision"].as_i64().unwrap() > 0);
        assert_eq!(server.verify(TOKEN).await.expect(200).header("sunset"), "Fri, 11 Dec 2026 12:00:00 GMT");
        assert_eq!(crate::store::audit_rows(&server.database, "legacy_import.extend").await.len(), 1);
        server.advance(20 * 24 * 3600);
        server.verify(TOKEN).await.expect_invalid_token();
        // Also after it has ended.
        extend("2026-12-21T12:00:00Z").await.expect(200);
        server.verify(TOKEN).await.expect(200);
        for bad in ["2026-12-20T12:00:00Z", "2028-12-20T12:00:00Z", "2026-01-01T00:00:00Z"] {
            extend(bad).await.expect_field_error("/deadline");
        }
    }

    async fn it_is_listed_shown_and_revoked_like_other_tokens(server: &TestServer) {
        let import = server.legacy_token(TOKEN).await;
        server.verify(TOKEN).await.expect(200);
        let listed = server.get("/api/v1/tokens", &server.admin_key).await.expect(200).json();
        let found: Vec<&Value> = listed["data"].as_array().unwrap().iter().filter(|token| token["origin"] == "import").collect();
        assert_eq!(found.len(), 1);
        assert_eq!(found[0]["expires_at"], crate::support::legacy::DEADLINE);
        assert_eq!((found[0]["policy"].as_str(), found[0]["status"].as_str()), (Some("legacy"), Some("active")));
        let path = format!("/api/v1/tokens/{}/revoke", found[0]["id"].as_str().unwrap());
        server.post_json(&path, &server.admin_key, &json!({})).await.expect(200);
        server.verify(TOKEN).await.expect_invalid_token();
        // Importing it once more does not bring it back.
        let again = server.upload(&import, "", &[json!({ "token": TOKEN })]).await.expect(200);
        assert_eq!(again.json()["skipped"], 1);
        server.verify(TOKEN).await.expect_invalid_token();
    }

    async fn its_bearer_ends_it_and_its_client_revokes_it(server: &TestServer) {
        let import = server.import("plain", owned()).await;
        let (client, other) = (server.client(&[]).await, server.client(&[]).await);
        let rows = [json!({ "token": "first-token", "user": "admin" }), json!({ "token": "second-token", "client": client.id })];
        server.upload(&import, "", &rows).await.expect(200);
        let ended = server.delete("/oauth20/access-token", "first-token").await.expect(200);
        assert_eq!(ended.json()["session"]["status"], "revoked");
        assert!(!ended.header("sunset").is_empty());
        server.verify("first-token").await.expect_invalid_token();
        let revoke = async |client| server.post_form("/oauth20/revoke", Some(client), &[("token", "second-token")]).await;
        revoke(&other).await.expect_oauth_error(400, "invalid_grant");
        server.verify("second-token").await.expect(200);
        revoke(&client).await.expect(200);
        server.verify("second-token").await.expect_invalid_token();
        server.post_form("/oauth20/revoke", Some(&client), &[("token", "no-such-token")]).await.expect(200);
    }

    async fn it_manages_only_where_that_was_asked_for(server: &TestServer) {
        let import = server.import("plain", json!({})).await;
        let rows = [
            json!({ "token": "without-scopes", "user": "admin" }),
            json!({ "token": "for-a-resource", "user": "admin", "scopes": ["read"] }),
            json!({ "token": "to-manage-with", "user": "admin", "scopes": ["jeton:manage"] }),
        ];
        server.upload(&import, "", &rows).await.expect(200);
        server.verify("without-scopes").await.expect(200);
        server.get("/api/v1/tokens", "without-scopes").await.expect(403);
        server.get("/api/v1/tokens", "for-a-resource").await.expect(403);
        server.get("/api/v1/tokens", "to-manage-with").await.expect(200);
    }

    async fn in_another_workspace_it_is_refused(server: &TestServer) {
        server.legacy_token(TOKEN).await;
        server.get("/oauth20/verify?workspace=default", TOKEN).await.expect(200);
        server.get("/oauth20/verify?workspace=other", TOKEN).await.expect_invalid_token();
    }

    async fn foreign_strings_cost_no_query_where_nobody_imports(server: &TestServer) {
        if server.database.is_postgres() {
            // Without a cache each validation reads the store anyway.
            return;
        }
        server.verify("not-a-token-of-ours").await.expect_invalid_token();
        let before = server.service().store.counters().of("legacy_lookup.recipes");
        for number in 0..50 {
            server.verify(&format!("not-a-token-of-ours-{number}")).await.expect_invalid_token();
        }
        let counters = server.service().store.counters();
        assert_eq!((counters.of("legacy_lookup.recipes"), counters.of("legacy_lookup.find")), (before, 0));
        server.legacy_token(TOKEN).await;
        server.verify(TOKEN).await.expect(200);
        let first_use = server.service().store.counters().of("legacy_lookup.find");
        assert_eq!(first_use, 1);
        server.verify(TOKEN).await.expect(200);
        assert_eq!(server.service().store.counters().of("legacy_lookup.find"), first_use, "it is cached");
    }

    async fn no_foreign_string_can_be_made_a_token_otherwise(server: &TestServer) {
        let body = json!({ "policy": "legacy", "name": "x", "lifetime": "1d" });
        server.post_json("/api/v1/tokens", &server.admin_key, &body).await.expect_field_error("/policy");
    }
}

//! `/admin/v1/users…`

use reqwest::Method;
use serde_json::{Value, json};

use crate::store;

on_both_databases! {
    async fn a_user_is_made_listed_shown_and_edited(server: &TestServer) {
        let body = json!({ "username": "alice", "email": "alice@example.test", "role": "member", "password": "correct horse battery" });
        let made = server.post_json("/admin/v1/users", &server.admin_key, &body).await.expect(201);
        let path = format!("/admin/v1/users/{}", made.text("id"));
        assert_eq!((made.header("location"), made.header("etag")), (path.as_str(), "\"1\""));
        for (name, value) in [
            ("username", json!("alice")), ("email", json!("alice@example.test")), ("role", json!("member")),
            ("tokens_allowed", json!(true)), ("has_password", json!(true)), ("workspace", json!("default")),
            ("created_at", json!("2026-11-21T12:00:00Z")), ("version", json!(1)),
        ] {
            assert_eq!(made.json()[name], value, "{name}");
        }
        let shown = server.get(&path, &server.admin_key).await.expect(200);
        assert_eq!((shown.json(), shown.header("etag")), (made.json(), "\"1\""));
        assert!(server.get("/admin/v1/users", &server.admin_key).await.expect(200).body.contains(&made.text("id")));
        let edit = json!({ "email": null, "role": "admin", "tokens_allowed": false, "password": null });
        let edited = server.patch_json(&path, &server.admin_key, "\"1\"", &edit).await.expect(200);
        assert_eq!(edited.header("etag"), "\"2\"");
        for (name, value) in [
            ("email", json!(null)), ("role", json!("admin")), ("tokens_allowed", json!(false)), ("has_password", json!(false)),
        ] {
            assert_eq!(edited.json()[name], value, "{name}");
        }
        assert_eq!(server.get(&path, &server.admin_key).await.json(), edited.json());
        let detail = store::audit_details(&server.database, "user.update").await;
        assert_eq!(serde_json::from_str::<Value>(&detail[0]).unwrap(), json!({ "changed": {
            "email": { "from": "alice@example.test", "to": null }, "role": { "from": "member", "to": "admin" },
            "tokens_allowed": { "from": true, "to": false }, "password": "removed",
        } }));
    }

    async fn a_password_is_stored_as_an_argon2id_hash_and_nowhere_else(server: &TestServer) {
        let password = "correct horse battery";
        let body = json!({ "username": "alice", "email": "a@b", "role": "member", "password": password });
        let made = server.post_json("/admin/v1/users", &server.admin_key, &body).await.expect(201);
        let stored = store::text(&server.database, "SELECT password_hash FROM user_account WHERE username = 'alice'").await;
        assert!(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{stored}");
        let edit = json!({ "password": "another horse battery" });
        let path = format!("/admin/v1/users/{}", made.text("id"));
        server.patch_json(&path, &server.admin_key, "\"1\"", &edit).await.expect(200);
        let changed = store::text(&server.database, "SELECT password_hash FROM user_account WHERE username = 'alice'").await;
        assert_ne!(stored, changed);
        let details = [store::audit_details(&server.database, "user.create").await, store::audit_details(&server.database, "user.update").await];
        for detail in details.iter().flatten() {
            assert!(!detail.contains("horse") && !detail.contains("argon2"), "{detail}");
        }
    }

    async fn a_create_with_a_key_can_be_repeated(server: &TestServer) {
        let body = json!({ "username": "alice", "email": "a@b", "role": "member", "password": "correct horse battery" });
        let make = async |key: &str, body: &Value| server.post_once("/admin/v1/users", &server.admin_key, key, body).await;
        let (one, two) = tokio::join!(make("k", &body), make("k", &body));
        assert_eq!((one.status, two.status), (201, 201), "{} {}", one.body, two.body);
        assert_eq!(one.json(), two.json());
        let again = make("k", &body).await.expect(201);
        assert_eq!((again.json(), again.header("idempotency-replayed")), (one.json(), "true"));
        assert_eq!(store::audit_rows(&server.database, "user.create").await.len(), 1);
        let other = make("k", &json!({ "username": "bob", "email": "a@b", "role": "member" })).await.expect(422);
        assert_eq!(other.json()["code"], "idempotency_key_reused");
        make("another", &body).await.expect(409);
        make("", &body).await.expect(400);
    }

    async fn an_edit_names_the_version_that_it_was_made_on(server: &TestServer) {
        let alice = server.user("alice", "member").await;
        let edit = |body: &'static str| {
            server.request(Method::PATCH, &alice.path).bearer_auth(&server.admin_key).header("content-type", "application/merge-patch+json").body(body)
        };
        let required = server.send(edit(r#"{"email":"x@y"}"#)).await.expect(428);
        assert_eq!(required.json()["code"], "precondition_required");
        server.send(edit(r#"{"email":"x@y"}"#).header("if-match", "\"1\"")).await.expect(200);
        let stale = server.send(edit(r#"{"email":"late@y"}"#).header("if-match", "\"1\"")).await.expect(412);
        assert_eq!(stale.json()["code"], "precondition_failed");
        let now = server.get(&alice.path, &server.admin_key).await.expect(200);
        assert_eq!((now.text("email"), now.header("etag")), ("x@y".to_owned(), "\"2\""));
        server.send(edit("{}").header("if-match", "\"2\"")).await.expect(200);
        assert_eq!(server.get(&alice.path, &server.admin_key).await.header("etag"), "\"2\"", "nothing was changed");
    }

    async fn deleting_a_user_kills_what_they_hold_before_it_returns(server: &TestServer) {
        let alice = server.user("alice", "member").await;
        let make = async |body: Value| server.post_json("/api/v1/tokens", &alice.key, &body).await.expect(201);
        let (short, pair) = (make(json!({ "policy": "access" })).await, make(json!({ "policy": "api", "name": "pair" })).await);
        server.verify(&short.text("access_token")).await.expect(200);
        server.service().flush_uses().await.unwrap();
        let dry = server.delete(&format!("{}?dry_run=true", alice.path), &server.admin_key).await.expect(200);
        assert_eq!((&dry.json()["dry_run"], dry.json().get("revocation")), (&json!(true), None));
        let reach = &dry.json()["reach"];
        assert_eq!((&reach["tokens"], &reach["used_last_7_days"], &reach["counted_all"]), (&json!(3), &json!(2), &json!(true)));
        let used: Vec<&str> = reach["recently_used"].as_array().unwrap().iter().map(|used| used["id"].as_str().unwrap()).collect();
        assert!(used.contains(&short.json()["token"]["id"].as_str().unwrap()), "{used:?}");
        server.verify(&short.text("access_token")).await.expect(200);
        let deleted = server.delete(&alice.path, &server.admin_key).await.expect(200);
        assert_eq!(deleted.json()["reach"], *reach);
        assert!(deleted.json()["revocation"]["revision"].as_i64().unwrap() > 0);
        for token in [&alice.key, &short.text("access_token"), &pair.text("access_token")] {
            server.verify(token).await.expect_invalid_token();
        }
        server.refresh(&pair.text("client_id"), &pair.text("refresh_token")).await.expect_oauth_error(400, "invalid_grant");
        server.get(&alice.path, &server.admin_key).await.expect(404);
        server.delete(&alice.path, &server.admin_key).await.expect(404);
        assert!(!server.get("/admin/v1/users", &server.admin_key).await.expect(200).body.contains(&alice.id));
        let again = json!({ "username": "alice", "email": "a@b", "role": "member" });
        server.post_json("/admin/v1/users", &server.admin_key, &again).await.expect(409);
        let rows = store::audit_rows(&server.database, "user.delete").await;
        assert_eq!(rows.len(), 1);
    }

    async fn tokens_that_were_used_long_ago_are_told_apart(server: &TestServer) {
        let alice = server.user("alice", "member").await;
        server.verify(&alice.key).await.expect(200);
        server.service().flush_uses().await.unwrap();
        server.advance(8 * 86_400);
        let dry = server.delete(&format!("{}?dry_run=true", alice.path), &server.admin_key).await.expect(200);
        assert_eq!((&dry.json()["reach"]["tokens"], &dry.json()["reach"]["used_last_7_days"]), (&json!(1), &json!(0)));
    }

    async fn nobody_takes_away_the_last_of_a_role(server: &TestServer) {
        let me = server.get("/api/v1/me", &server.admin_key).await.expect(200);
        let own = format!("/admin/v1/users/{}", me.json()["user"]["id"].as_str().unwrap());
        let admin = server.user("second", "admin").await;
        for lower in ["admin", "member"] {
            let refused = server.patch_json(&own, &server.admin_key, "\"1\"", &json!({ "role": lower })).await.expect(409);
            assert!(refused.body.contains("operator"), "{}", refused.body);
        }
        server.delete(&own, &server.admin_key).await.expect(409);
        server.delete(&format!("{own}?dry_run=true"), &server.admin_key).await.expect(409);
        let other = server.user("third", "operator").await;
        server.delete(&own, &other.key).await.expect(200);
        server.patch_json(&admin.path, &other.key, "\"1\"", &json!({ "role": "member" })).await.expect(200);
        server.delete(&other.path, &other.key).await.expect(409);
    }

    async fn two_operators_cannot_remove_one_another(server: &TestServer) {
        let me = server.get("/api/v1/me", &server.admin_key).await.expect(200);
        let own = format!("/admin/v1/users/{}", me.json()["user"]["id"].as_str().unwrap());
        let other = server.user("other", "operator").await;
        let (one, two) = tokio::join!(server.delete(&own, &other.key), server.delete(&other.path, &server.admin_key));
        let gone = [one.status, two.status].into_iter().filter(|status| *status == 200).count();
        assert_eq!(gone, 1, "{} {}", one.body, two.body);
    }

    async fn nobody_gives_more_than_they_have_or_touches_who_has_more(server: &TestServer) {
        let admin = server.user("admin2", "admin").await;
        let operator = server.user("operator2", "operator").await;
        let make = |role: &str| json!({ "username": format!("new-{role}"), "email": "a@b", "role": role });
        server.post_json("/admin/v1/users", &admin.key, &make("operator")).await.expect(403);
        server.post_json("/admin/v1/users", &admin.key, &make("admin")).await.expect(201);
        server.patch_json(&admin.path, &admin.key, "\"1\"", &json!({ "role": "operator" })).await.expect(403);
        for edit in [json!({ "role": "member" }), json!({ "password": "mine from now on" }), json!({ "email": "x@y" })] {
            server.patch_json(&operator.path, &admin.key, "\"1\"", &edit).await.expect(403);
        }
        server.delete(&operator.path, &admin.key).await.expect(403);
        server.get("/api/v1/me", &operator.key).await.expect(200);
    }

    async fn a_role_counts_from_the_next_request_on(server: &TestServer) {
        let alice = server.user("alice", "member").await;
        server.get("/admin/v1/users", &alice.key).await.expect(403);
        server.patch_json(&alice.path, &server.admin_key, "\"1\"", &json!({ "role": "admin" })).await.expect(200);
        server.get("/admin/v1/users", &alice.key).await.expect(200);
        server.patch_json(&alice.path, &server.admin_key, "\"2\"", &json!({ "role": "member" })).await.expect(200);
        server.get("/admin/v1/users", &alice.key).await.expect(403);
    }

    async fn a_user_who_may_make_no_tokens_keeps_those_they_have(server: &TestServer) {
        let alice = server.user("alice", "member").await;
        server.patch_json(&alice.path, &server.admin_key, "\"1\"", &json!({ "tokens_allowed": false })).await.expect(200);
        let refused = server.post_json("/api/v1/tokens", &alice.key, &json!({ "policy": "access" })).await.expect(403);
        assert_eq!(refused.json()["code"], "forbidden");
        server.verify(&alice.key).await.expect(200);
        server.get("/api/v1/tokens", &alice.key).await.expect(200);
        server.patch_json(&alice.path, &server.admin_key, "\"2\"", &json!({ "tokens_allowed": true })).await.expect(200);
        server.post_json("/api/v1/tokens", &alice.key, &json!({ "policy": "access" })).await.expect(201);
    }

    async fn lists_are_filtered_and_paged(server: &TestServer) {
        for (name, role) in [("ann", "member"), ("bob", "admin"), ("per_cent", "member"), ("cent", "member")] {
            server.user(name, role).await;
        }
        let names = async |query: &str| {
            let listed = server.get(&format!("/admin/v1/users{query}"), &server.admin_key).await.expect(200);
            let names = listed.json()["data"].as_array().unwrap().iter().map(|user| user["username"].as_str().unwrap().to_owned()).collect::<std::collections::BTreeSet<_>>();
            (names.into_iter().collect::<Vec<_>>().join(" "), listed)
        };
        assert_eq!(names("").await.0, "admin ann bob cent per_cent");
        assert_eq!(names("?role=admin&role=operator").await.0, "admin bob");
        assert_eq!(names("?q=ANN").await.0, "ann");
        assert_eq!(names("?q=r_c").await.0, "per_cent");
        assert_eq!(names("?q=bob%40example").await.0, "bob");
        assert_eq!(names("?q=%25&role=&tokens_allowed=").await.0, "");
        assert_eq!(names("?tokens_allowed=false").await.0, "");
        let (first, page) = names("?role=member&limit=2").await;
        let next = page.header("link").split(['<', '>']).nth(1).unwrap().to_owned();
        assert!(next.contains("role=member") && next.contains("limit=2"), "{next}");
        let (rest, last) = names(next.strip_prefix("/admin/v1/users").unwrap()).await;
        assert_eq!(format!("{first} {rest}").split(' ').count(), 3);
        assert_eq!(last.json()["next_cursor"], json!(null));
        for (query, pointer) in [("?role=boss", "?role"), ("?rolle=admin", "?rolle"), ("?tokens_allowed=1", "?tokens_allowed"), ("?q=a&q=b", "?q"), ("?q=%00", "?q")] {
            server.get(&format!("/admin/v1/users{query}"), &server.admin_key).await.expect_field_error(pointer);
        }
    }

    async fn bad_fields_are_all_named(server: &TestServer) {
        let make = async |change: Value| {
            let mut body = json!({ "username": "x", "email": "x@y", "role": "member" });
            body.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
            server.post_json("/admin/v1/users", &server.admin_key, &body).await
        };
        make(json!({ "username": " " })).await.expect_field_error("/username");
        make(json!({ "username": "a\u{202e}b" })).await.expect_field_error("/username");
        make(json!({ "email": "nobody" })).await.expect_field_error("/email");
        make(json!({ "role": "boss" })).await.expect_field_error("/role");
        make(json!({ "password": "short" })).await.expect_field_error("/password");
        make(json!({ "is_admin": true })).await.expect_field_error("/is_admin");
        let two = make(json!({ "email": "", "role": "" })).await.expect(400);
        assert_eq!(two.json()["errors"].as_array().unwrap().len(), 2);
        make(json!({})).await.expect(201);
        make(json!({})).await.expect(409);
        let alice = server.user("alice", "member").await;
        for (field, value) in [("username", json!("bob")), ("role", json!(null)), ("tokens_allowed", json!("no")), ("email", json!(""))] {
            let edit = json!({ field: value });
            server.patch_json(&alice.path, &server.admin_key, "\"1\"", &edit).await.expect_field_error(&format!("/{field}"));
        }
        server.delete(&format!("{}?dry_run=maybe", alice.path), &server.admin_key).await.expect_field_error("?dry_run");
        server.delete(&format!("{}?dryrun=true", alice.path), &server.admin_key).await.expect_field_error("?dryrun");
        server.get("/admin/v1/users/usr_0000000000000000000000", &server.admin_key).await.expect(404);
        server.get("/admin/v1/users/x", &server.admin_key).await.expect(404);
    }

    async fn me_tells_whom_the_token_acts_for(server: &TestServer) {
        let alice = server.user("alice", "member").await;
        let me = server.get("/api/v1/me", &alice.key).await.expect(200).json();
        assert_eq!((&me["user"]["id"], &me["user"]["role"], &me["user"]["workspace"]), (&json!(alice.id), &json!("member"), &json!("default")));
        assert_eq!(me["scopes"], json!([]));
        let scoped = json!({ "policy": "access", "scopes": ["jeton:manage", "read"] });
        let scoped = server.post_json("/api/v1/tokens", &alice.key, &scoped).await.expect(201).text("access_token");
        assert_eq!(server.get("/api/v1/me", &scoped).await.expect(200).json()["scopes"], json!(["jeton:manage", "read"]));
        let client = server.client(&["read"]).await;
        server.get("/api/v1/me", &server.access_token(&client).await).await.expect(403);
    }
}

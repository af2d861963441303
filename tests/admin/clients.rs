//! `/admin/v1/clients…`

use serde_json::json;

on_both_databases! {
    async fn a_client_is_made_listed_shown_and_its_secret_shown_once(server: &TestServer) {
        let body = json!({
            "name": "Orders", "grant_types": ["client_credentials", "refresh_token"], "scopes": ["orders:read"],
            "redirect_uris": ["https://orders.test/cb", "http://127.0.0.1/cb", "com.example.app:/cb"],
            "token_endpoint_auth_method": "client_secret_post", "introspect": true,
        });
        let made = server.post_json("/admin/v1/clients", &server.admin_key, &body).await.expect(201);
        assert_eq!(made.header("cache-control"), "no-store");
        let (id, secret) = (made.text("client_id"), made.text("client_secret"));
        assert!(secret.starts_with("jtn_s_"));
        assert_eq!(made.header("location"), format!("/admin/v1/clients/{id}"));
        let shown = server.get(&format!("/admin/v1/clients/{id}"), &server.admin_key).await.expect(200);
        for (name, value) in body.as_object().unwrap() {
            assert_eq!(&shown.json()[name], value, "{name}");
        }
        let listed = server.get("/admin/v1/clients", &server.admin_key).await.expect(200);
        assert!(listed.body.contains(&id));
        assert!(!listed.body.contains(&secret) && !shown.body.contains(&secret));
    }

    async fn deleting_a_client_kills_its_tokens_and_its_secret(server: &TestServer) {
        let (client, witness) = (server.client(&["introspect"]).await, server.client(&[]).await);
        let tokens = [server.access_token(&client).await, server.access_token(&client).await];
        assert!(server.is_active(&client, &tokens[0]).await);
        let path = format!("/admin/v1/clients/{}", client.id);
        let deleted = server.delete(&path, &server.admin_key).await.expect(200);
        assert!(deleted.json()["revocation"]["revision"].as_i64().unwrap() > 0);
        for token in &tokens {
            server.verify(token).await.expect_invalid_token();
            assert!(!server.is_active(&witness, token).await);
        }
        let form = [("grant_type", "client_credentials")];
        server.post_form("/oauth20/token", Some(&client), &form).await.expect_oauth_error(401, "invalid_client");
        server.introspect(&client, &tokens[0]).await.expect_oauth_error(401, "invalid_client");
        server.get(&path, &server.admin_key).await.expect(404);
        server.delete(&path, &server.admin_key).await.expect(404);
        let again = json!({ "name": "x", "grant_types": [], "client_id": client.id });
        let refused = server.post_json("/admin/v1/clients", &server.admin_key, &again).await.expect(409);
        assert_eq!(refused.json()["code"], "conflict");
    }

    async fn a_dry_run_tells_what_a_deletion_reaches_and_changes_nothing(server: &TestServer) {
        let client = server.client(&[]).await;
        let tokens = [server.access_token(&client).await, server.access_token(&client).await];
        server.verify(&tokens[0]).await.expect(200);
        server.service().flush_uses().await.unwrap();
        let path = format!("/admin/v1/clients/{}", client.id);
        let dry = server.delete(&format!("{path}?dry_run=true"), &server.admin_key).await.expect(200).json();
        assert_eq!((&dry["reach"]["tokens"], &dry["reach"]["used_last_7_days"]), (&json!(2), &json!(1)));
        assert_eq!(dry.get("revocation"), None);
        server.verify(&tokens[1]).await.expect(200);
        let deleted = server.delete(&path, &server.admin_key).await.expect(200).json();
        assert_eq!(deleted["reach"]["tokens"], dry["reach"]["tokens"]);
    }

    async fn an_edit_counts_from_the_next_request_of_the_client_on(server: &TestServer) {
        let client = server.client(&["read", "write"]).await;
        let path = format!("/admin/v1/clients/{}", client.id);
        let token = server.access_token(&client).await;
        let issue = async |scope: &'static str| server.post_form("/oauth20/token", Some(&client), &[("grant_type", "client_credentials"), ("scope", scope)]).await;
        issue("write").await.expect(200);
        let edit = json!({ "name": "Narrow", "scopes": ["read"], "introspect": false, "redirect_uris": ["https://a.test/cb"] });
        let edited = server.patch_json(&path, &server.admin_key, "\"1\"", &edit).await.expect(200);
        assert_eq!((edited.header("etag"), &edited.json()["scopes"], edited.text("name").as_str()), ("\"2\"", &json!(["read"]), "Narrow"));
        assert_eq!(server.get(&path, &server.admin_key).await.json(), edited.json());
        issue("write").await.expect_oauth_error(400, "invalid_scope");
        issue("read").await.expect(200);
        assert!(server.is_active(&client, &token).await, "what was issued before stays");
        let other = server.client(&[]).await;
        assert!(!server.is_active(&client, &server.access_token(&other).await).await, "introspect was taken away");
        // Acts of one millisecond stand in no order.
        server.advance(1);
        server.patch_json(&path, &server.admin_key, "\"2\"", &json!({ "grant_types": [] })).await.expect(200);
        issue("read").await.expect_oauth_error(400, "unauthorized_client");
        let detail = crate::store::audit_details(&server.database, "client.update").await;
        assert_eq!(detail.len(), 2);
        let detail: serde_json::Value = serde_json::from_str(&detail[0]).unwrap();
        assert_eq!(detail["changed"]["scopes"], json!({ "from": ["read", "write"], "to": ["read"] }));
    }

    async fn an_edit_names_its_version_and_what_it_may_change(server: &TestServer) {
        let client = server.client(&[]).await;
        let path = format!("/admin/v1/clients/{}", client.id);
        let patch = async |etag: &str, body: serde_json::Value| server.patch_json(&path, &server.admin_key, etag, &body).await;
        let bare = server.request(reqwest::Method::PATCH, &path).bearer_auth(&server.admin_key);
        server.send(bare.header("content-type", "application/json").body("{}")).await.expect(428);
        patch("\"1\"", json!({ "name": "two" })).await.expect(200);
        patch("\"1\"", json!({ "name": "late" })).await.expect(412);
        for (field, value) in [
            ("name", json!(null)), ("scopes", json!(["a b"])), ("grant_types", json!("x")), ("introspect", json!("yes")),
            ("client_id", json!("other")), ("token_endpoint_auth_method", json!("none")), ("client_secret", json!("x")),
        ] {
            patch("\"2\"", json!({ field: value })).await.expect_field_error(&format!("/{field}"));
        }
        patch("\"2\"", json!({ "redirect_uris": ["http://a.test/"] })).await.expect_field_error("/redirect_uris/0");
        let public = server.client_with(json!({ "name": "p", "grant_types": [], "token_endpoint_auth_method": "none" })).await;
        let public = format!("/admin/v1/clients/{}", public.id);
        server.patch_json(&public, &server.admin_key, "\"1\"", &json!({ "introspect": true })).await.expect_field_error("/introspect");
        let own = "/admin/v1/clients/default-api-tokens";
        server.patch_json(own, &server.admin_key, "\"1\"", &json!({ "grant_types": [] })).await.expect(409);
    }

    async fn both_secrets_work_while_they_overlap_and_then_the_new_one_only(server: &TestServer) {
        let old = server.client(&["read"]).await;
        let path = format!("/admin/v1/clients/{}/rotate-secret", old.id);
        let rotate = async |overlap: serde_json::Value| {
            let made = server.post_json(&path, &server.admin_key, &json!({ "overlap": overlap })).await.expect(200);
            (crate::support::server::TestClient { id: old.id.clone(), secret: made.text("client_secret") }, made)
        };
        server.access_token(&old).await;
        let (new, made) = rotate(json!("1h")).await;
        assert_eq!(made.header("cache-control"), "no-store");
        assert_eq!(made.text("previous_secret_expires_at"), "2026-11-21T13:00:00Z");
        let shown = server.get(&format!("/admin/v1/clients/{}", old.id), &server.admin_key).await.expect(200);
        assert_eq!((shown.json().get("client_secret"), shown.text("previous_secret_expires_at").as_str()), (None, "2026-11-21T13:00:00Z"));
        for client in [&old, &new, &old] {
            server.access_token(client).await;
        }
        let form = [("grant_type", "client_credentials")];
        let refused = async |client| server.post_form("/oauth20/token", Some(client), &form).await.expect_oauth_error(401, "invalid_client");
        server.advance(3600);
        refused(&old).await;
        server.access_token(&new).await;
        let (newest, made) = rotate(json!(0)).await;
        assert_eq!(made.json()["previous_secret_expires_at"], json!(null));
        refused(&new).await;
        server.access_token(&newest).await;
        let details = crate::store::audit_details(&server.database, "client.rotate_secret").await;
        assert_eq!(details.len(), 2);
    }

    async fn a_create_with_a_key_can_be_repeated_with_the_same_secret(server: &TestServer) {
        let body = json!({ "name": "Once", "grant_types": ["client_credentials"], "scopes": ["read"] });
        let make = async |key: &str, body: &serde_json::Value| server.post_once("/admin/v1/clients", &server.admin_key, key, body).await;
        let (one, two) = tokio::join!(make("k", &body), make("k", &body));
        assert_eq!((one.status, two.status), (201, 201), "{} {}", one.body, two.body);
        assert_eq!(one.json(), two.json());
        let client = crate::support::server::TestClient { id: one.text("client_id"), secret: one.text("client_secret") };
        server.access_token(&client).await;
        let again = make("k", &body).await.expect(201);
        assert_eq!((again.body.as_str(), again.header("idempotency-replayed")), (one.body.as_str(), "true"));
        assert_eq!(server.get("/admin/v1/clients?q=Once", &server.admin_key).await.json()["data"].as_array().unwrap().len(), 1);
        make("k", &json!({ "name": "Twice", "grant_types": [] })).await.expect(422);
        assert_ne!(make("other", &body).await.expect(201).text("client_id"), client.id);
        let rotate = format!("/admin/v1/clients/{}/rotate-secret", client.id);
        server.post_json(&rotate, &server.admin_key, &json!({ "overlap": 0 })).await.expect(200);
        assert_eq!(make("k", &body).await.expect(201).json().get("client_secret"), None, "it is no secret any more");
    }

    async fn a_third_secret_ends_the_first(server: &TestServer) {
        let first = server.client(&["read"]).await;
        let path = format!("/admin/v1/clients/{}/rotate-secret", first.id);
        let bare = server.send(server.request(reqwest::Method::POST, &path).bearer_auth(&server.admin_key)).await.expect(200);
        assert_eq!(bare.text("previous_secret_expires_at"), "2026-11-22T12:00:00Z", "a day where none is named");
        server.access_token(&first).await;
        server.post_json(&path, &server.admin_key, &json!({})).await.expect(200);
        let form = [("grant_type", "client_credentials")];
        server.post_form("/oauth20/token", Some(&first), &form).await.expect_oauth_error(401, "invalid_client");
        for bad in [json!("31d"), json!("soon"), json!(-1), json!(null), json!(1.5)] {
            server.post_json(&path, &server.admin_key, &json!({ "overlap": bad })).await.expect_field_error("/overlap");
        }
        server.post_json(&path, &server.admin_key, &json!({ "secret": "mine" })).await.expect_field_error("/secret");
        let public = server.client_with(json!({ "name": "p", "grant_types": [], "token_endpoint_auth_method": "none" })).await;
        server.post_json(&format!("/admin/v1/clients/{}/rotate-secret", public.id), &server.admin_key, &json!({})).await.expect(409);
    }

    async fn clients_are_found_by_text_and_by_introspect(server: &TestServer) {
        server.client_with(json!({ "name": "Orders API", "grant_types": [], "introspect": true })).await;
        server.client_with(json!({ "name": "Shop", "grant_types": [], "client_id": "orders-shop" })).await;
        let names = async |query: &str| {
            let listed = server.get(&format!("/admin/v1/clients?{query}"), &server.admin_key).await.expect(200);
            listed.json()["data"].as_array().unwrap().iter().map(|client| client["name"].as_str().unwrap().to_owned()).collect::<std::collections::BTreeSet<_>>()
        };
        assert_eq!(names("q=ORDERS").await.into_iter().collect::<Vec<_>>(), ["Orders API", "Shop"]);
        assert_eq!(names("q=orders&introspect=true").await.into_iter().collect::<Vec<_>>(), ["Orders API"]);
        assert_eq!(names("introspect=false&q=shop").await.into_iter().collect::<Vec<_>>(), ["Shop"]);
        assert!(names("q=%25_").await.is_empty());
        server.get("/admin/v1/clients?introspect=maybe", &server.admin_key).await.expect_field_error("?introspect");
    }

    async fn the_client_that_pairs_are_refreshed_with_stays(server: &TestServer) {
        server.delete("/admin/v1/clients/default-api-tokens", &server.admin_key).await.expect(409);
    }

    async fn ids_with_special_characters_can_be_addressed(server: &TestServer) {
        let id = "a/b c%2F?&=+#";
        let client = server.client_with(json!({ "name": "x", "grant_types": [], "client_id": id })).await;
        assert_eq!(client.id, id);
        let path = "/admin/v1/clients/a%2Fb%20c%252F%3F%26%3D%2B%23";
        assert_eq!(server.get(path, &server.admin_key).await.expect(200).text("client_id"), id);
        server.delete(path, &server.admin_key).await.expect(200);
    }

    async fn bad_fields_are_all_named(server: &TestServer) {
        let make = async |change: serde_json::Value| {
            let mut body = json!({ "name": "x", "grant_types": [] });
            body.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
            server.post_json("/admin/v1/clients", &server.admin_key, &body).await
        };
        make(json!({ "name": " " })).await.expect_field_error("/name");
        make(json!({ "grant_types": ["password"] })).await.expect_field_error("/grant_types/0");
        make(json!({ "scopes": ["a", "b c"] })).await.expect_field_error("/scopes");
        make(json!({ "token_endpoint_auth_method": "tls" })).await.expect_field_error("/token_endpoint_auth_method");
        make(json!({ "client_id": "usr_0000000000000000000000" })).await.expect_field_error("/client_id");
        make(json!({ "client_id": "caf\u{e9}" })).await.expect_field_error("/client_id");
        make(json!({ "client_secret": "too short" })).await.expect_field_error("/client_secret");
        make(json!({ "unknown": 1 })).await.expect_field_error("/unknown");
        let public = |change: serde_json::Value| {
            let mut body = json!({ "token_endpoint_auth_method": "none" });
            body.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
            make(body)
        };
        public(json!({ "grant_types": ["client_credentials"] })).await.expect_field_error("/grant_types");
        public(json!({ "introspect": true })).await.expect_field_error("/introspect");
        assert!(public(json!({})).await.expect(201).json().get("client_secret").is_none());
        for uri in ["x", "http://evil.test/", "https://a.test/#f", "javascript:alert(1)", "app:/x", "//a.test"] {
            make(json!({ "redirect_uris": [uri] })).await.expect_field_error("/redirect_uris/0");
        }
        let two = make(json!({ "name": "", "grant_types": ["x"] })).await.expect(400);
        assert_eq!(two.json()["errors"].as_array().unwrap().len(), 2);
    }
}

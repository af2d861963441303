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

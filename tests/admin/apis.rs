//! `/admin/v1/apis…`: APIs, of the vocabulary of the product.

use serde_json::{Value, json};

use crate::support::Answer;

/// Registers an API of this name with the scopes `read` and `write`.
pub async fn make(server: &crate::support::TestServer, name: &str) -> Answer {
    let body = json!({ "name": name, "audience": format!("https://{name}.test"), "scopes": ["read", "write"] });
    server.post_json("/admin/v1/apis", &server.admin_key, &body).await.expect(201)
}

on_both_databases! {
    async fn an_api_is_made_listed_shown_edited_and_deleted(server: &TestServer) {
        let made = make(server, "orders").await;
        let path = format!("/admin/v1/apis/{}", made.text("id"));
        assert_eq!((made.header("location"), made.header("etag")), (path.as_str(), "\"1\""));
        let shown = server.get(&path, &server.admin_key).await.expect(200);
        assert_eq!((shown.json(), shown.header("etag")), (made.json(), "\"1\""));
        assert_eq!(shown.json()["workspace"], "default");
        let listed = server.get("/admin/v1/apis", &server.admin_key).await.expect(200);
        assert_eq!(listed.json()["data"], json!([made.json()]));

        let edit = json!({ "audience": "urn:example:orders", "scopes": ["read"] });
        let edited = server.patch_json(&path, &server.admin_key, "\"1\"", &edit).await.expect(200);
        assert_eq!((edited.text("audience").as_str(), edited.header("etag")), ("urn:example:orders", "\"2\""));
        assert_eq!(server.get(&path, &server.admin_key).await.json(), edited.json());
        assert_eq!(edited.json()["scopes"], json!(["read"]));

        let deleted = server.delete(&path, &server.admin_key).await.expect(200);
        assert_eq!((&deleted.json()["dry_run"], &deleted.json()["reach"]["tokens"]), (&json!(false), &json!(0)));
        assert!(deleted.json()["revocation"]["revision"].as_i64().unwrap() > 0);
        server.get(&path, &server.admin_key).await.expect(404);
        server.delete(&path, &server.admin_key).await.expect(404);
        server.patch_json(&path, &server.admin_key, "*", &edit).await.expect(404);
        assert_eq!(server.get("/admin/v1/apis", &server.admin_key).await.json()["data"], json!([]));
        for action in ["api.create", "api.update", "api.delete"] {
            assert_eq!(crate::store::audit_rows(&server.database, action).await.len(), 1, "{action}");
        }
    }

    async fn an_edit_of_an_old_version_is_refused_and_loses_nothing(server: &TestServer) {
        let path = format!("/admin/v1/apis/{}", make(server, "orders").await.text("id"));
        let edit = |scope: &str| json!({ "scopes": [scope] });
        server.patch_json(&path, &server.admin_key, "\"1\"", &edit("first")).await.expect(200);
        server.patch_json(&path, &server.admin_key, "\"1\"", &edit("second")).await.expect(412);
        assert_eq!(server.get(&path, &server.admin_key).await.json()["scopes"], json!(["first"]));
        let without = server.request(reqwest::Method::PATCH, &path).bearer_auth(&server.admin_key);
        server.send(without.header("content-type", "application/json").body("{}")).await.expect(428);
    }

    async fn the_name_of_a_deleted_api_is_never_given_out_again(server: &TestServer) {
        let made = make(server, "orders").await;
        let again = json!({ "name": "orders", "audience": "https://other.test" });
        let refused = server.post_json("/admin/v1/apis", &server.admin_key, &again).await.expect(409);
        assert_eq!(refused.json()["code"], "conflict");
        server.delete(&format!("/admin/v1/apis/{}", made.text("id")), &server.admin_key).await.expect(200);
        server.post_json("/admin/v1/apis", &server.admin_key, &again).await.expect(409);
    }

    async fn a_dry_run_tells_how_many_live_tokens_name_the_api_and_changes_nothing(server: &TestServer) {
        let path = format!("/admin/v1/apis/{}", make(server, "orders").await.text("id"));
        make(server, "orders2").await;
        let token = |apis: Value| json!({ "policy": "key", "name": "n", "apis": apis });
        let named = server.own_token(&token(json!(["orders"]))).await;
        server.own_token(&token(json!(["orders2"]))).await;
        server.own_token(&token(json!([]))).await;
        let ask = async || server.delete(&format!("{path}?dry_run=true"), &server.admin_key).await.expect(200).json();
        let told = ask().await;
        assert_eq!((&told["dry_run"], &told["reach"]["tokens"]), (&json!(true), &json!(1)));
        assert!(told.get("revocation").is_none());
        server.get(&path, &server.admin_key).await.expect(200);
        let id = named.json()["token"]["id"].as_str().unwrap().to_owned();
        server.post_json(&format!("/api/v1/tokens/{id}/revoke"), &server.admin_key, &json!({})).await.expect(200);
        assert_eq!(ask().await["reach"]["tokens"], 0);
        server.delete(&format!("{path}?dry_run=maybe"), &server.admin_key).await.expect_field_error("?dry_run");
        server.delete(&format!("{path}?dryrun=true"), &server.admin_key).await.expect_field_error("?dryrun");
        server.get(&path, &server.admin_key).await.expect(200);
    }

    async fn bad_fields_of_an_api_are_all_named(server: &TestServer) {
        let make = async |change: Value| {
            let mut body = json!({ "name": "a", "audience": "https://a.test" });
            body.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
            server.post_json("/admin/v1/apis", &server.admin_key, &body).await
        };
        for name in ["", "A", "a b", "caf\u{e9}", &"x".repeat(65)] {
            make(json!({ "name": name })).await.expect_field_error("/name");
        }
        for audience in ["", "orders", "https://a.test/#f", "https://a.test/ b"] {
            make(json!({ "audience": audience })).await.expect_field_error("/audience");
        }
        make(json!({ "scopes": ["a b"] })).await.expect_field_error("/scopes");
        make(json!({ "unknown": 1 })).await.expect_field_error("/unknown");
        let all = make(json!({ "name": "", "audience": "", "scopes": [""] })).await.expect(400);
        assert_eq!(all.json()["errors"].as_array().unwrap().len(), 3);
        let path = format!("/admin/v1/apis/{}", make(json!({})).await.expect(201).text("id"));
        for (edit, pointer) in [
            (json!({ "name": "b" }), "/name"),
            (json!({ "scopes": null }), "/scopes"),
            (json!({ "audience": "x" }), "/audience"),
        ] {
            server.patch_json(&path, &server.admin_key, "\"1\"", &edit).await.expect_field_error(pointer);
        }
        server.get("/admin/v1/apis/x", &server.admin_key).await.expect(404);
    }

    async fn a_token_names_apis_that_exist_and_members_choose_no_plans(server: &TestServer) {
        make(server, "orders").await;
        let create = async |change: Value| {
            let mut body = json!({ "policy": "access" });
            body.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
            server.post_json("/api/v1/tokens", &server.admin_key, &body).await
        };
        let made = create(json!({ "apis": ["orders", "orders"], "plans": [] })).await.expect(201);
        assert_eq!(made.json()["token"]["apis"], json!(["orders"]));
        create(json!({ "apis": ["orders", "bills"] })).await.expect_field_error("/apis/1");
        create(json!({ "apis": vec!["orders"; 65] })).await.expect_field_error("/apis");
        create(json!({ "apis": "orders" })).await.expect_field_error("/apis");
        create(json!({ "plans": ["gold"] })).await.expect_field_error("/plans");
    }
}

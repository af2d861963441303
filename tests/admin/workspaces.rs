//! `/admin/v1/workspaces…`, `/admin/v1/workspace`, and the walls between workspaces.

use reqwest::Method;
use serde_json::{Value, json};

use crate::store;

on_both_databases! {
    async fn a_workspace_comes_with_an_administrator_and_their_key(server: &TestServer) {
        let body = json!({ "name": "acme", "admin": { "username": "root", "email": "root@acme.test", "password": "correct horse battery" } });
        let made = server.post_json("/admin/v1/workspaces", &server.admin_key, &body).await.expect(201);
        let path = format!("/admin/v1/workspaces/{}", made.json()["workspace"]["id"].as_str().unwrap());
        assert_eq!((made.header("location"), made.header("etag"), made.header("cache-control")), (path.as_str(), "\"1\"", "no-store"));
        let key = made.text("api_key");
        let me = server.get("/api/v1/me", &key).await.expect(200).json();
        assert_eq!((&me["user"]["username"], &me["user"]["role"], &me["user"]["workspace"]), (&json!("root"), &json!("admin"), &json!("acme")));
        let pair = server.post_json("/api/v1/tokens", &key, &json!({ "policy": "api", "name": "pair" })).await.expect(201);
        assert_eq!(pair.text("client_id"), made.text("client_id"));
        server.refresh(&made.text("client_id"), &pair.text("refresh_token")).await.expect(200);
        let shown = server.get(&path, &server.admin_key).await.expect(200);
        assert_eq!(shown.json(), made.json()["workspace"]);
        let listed = server.get("/admin/v1/workspaces", &server.admin_key).await.expect(200);
        assert_eq!(listed.json()["data"].as_array().unwrap().len(), 2);
        let found = server.get("/admin/v1/workspaces?q=acm", &server.admin_key).await.expect(200);
        assert_eq!(found.json()["data"], json!([shown.json()]));
        let actors: Vec<String> = store::audit_rows(&server.database, "workspace.create").await.into_iter().map(|(_, actor)| actor).collect();
        assert!(actors.contains(&"operator".to_owned()), "the new workspace sees no id of another one: {actors:?}");
    }

    async fn a_creation_is_repeated_with_its_key_and_makes_nothing_new(server: &TestServer) {
        let body = json!({ "name": "acme", "admin": { "username": "root", "email": "root@acme.test", "password": "correct horse battery" } });
        let make = async |body: &Value| server.post_once("/admin/v1/workspaces", &server.admin_key, "one", body).await;
        let (first, second) = tokio::join!(make(&body), make(&body));
        let (first, second) = (first.expect(201), second.expect(201));
        assert_eq!(first.json(), second.json());
        let replayed = [&first, &second].map(|answer| answer.header("idempotency-replayed") == "true");
        assert!(replayed[0] != replayed[1], "one of two is the repeat");
        server.advance(3600);
        let third = make(&body).await.expect(201);
        assert_eq!((third.json(), third.header("idempotency-replayed")), (first.json(), "true"));
        server.get("/api/v1/me", &third.text("api_key")).await.expect(200);
        assert_eq!(server.get("/admin/v1/workspaces", &server.admin_key).await.json()["data"].as_array().unwrap().len(), 2);
        assert_eq!(store::audit_rows(&server.database, "workspace.create").await.len(), 3, "of the first run, and two of this one");
        make(&json!({ "name": "other" })).await.expect(422);
        server.post_once("/admin/v1/workspaces", &server.admin_key, "two", &body).await.expect(409);
        server.delete(third.header("location"), &server.admin_key).await.expect(200);
        make(&body).await.expect(409);
    }

    async fn only_an_operator_reaches_other_workspaces(server: &TestServer) {
        let acme = server.workspace("acme").await;
        let path = format!("/admin/v1/workspaces/{}", acme.id);
        for key in [&acme.key, &server.user("second", "admin").await.key] {
            server.post_json("/admin/v1/workspaces", key, &json!({ "name": "mine" })).await.expect(403);
            server.get("/admin/v1/workspaces", key).await.expect(403);
            server.get(&path, key).await.expect(403);
            server.patch_json(&path, key, "\"1\"", &json!({ "admin_override": true })).await.expect(403);
            server.delete(&path, key).await.expect(403);
        }
    }

    async fn an_administrator_edits_the_settings_of_their_own(server: &TestServer) {
        let acme = server.workspace("acme").await;
        let own = "/admin/v1/workspace";
        assert_eq!(server.get(own, &acme.key).await.expect(200).json()["name"], "acme");
        let edited = server.patch_json(own, &acme.key, "\"1\"", &json!({ "admin_override": true })).await.expect(200);
        assert_eq!((edited.header("etag"), &edited.json()["admin_override"]), ("\"2\"", &json!(true)));
        server.patch_json(own, &acme.key, "\"1\"", &json!({ "admin_override": false })).await.expect(412);
        server.send(server.request(Method::PATCH, own).bearer_auth(&acme.key).header("content-type", "application/json").body("{}")).await.expect(428);
        server.patch_json(own, &acme.key, "\"2\"", &json!({ "name": "other" })).await.expect_field_error("/name");
        server.patch_json(own, &acme.key, "\"2\"", &json!({ "admin_override": null })).await.expect_field_error("/admin_override");
        assert_eq!(server.get(own, &server.admin_key).await.expect(200).json()["admin_override"], json!(false), "the other one stays as it is");
        let path = format!("/admin/v1/workspaces/{}", acme.id);
        server.patch_json(&path, &server.admin_key, "\"2\"", &json!({ "admin_override": false })).await.expect(200);
    }

    async fn deleting_a_workspace_kills_everything_in_it_and_nothing_else(server: &TestServer) {
        let acme = server.workspace("acme").await;
        let body = json!({ "name": "c", "grant_types": ["client_credentials"], "introspect": true });
        let made = server.post_json("/admin/v1/clients", &acme.key, &body).await.expect(201);
        let client = crate::support::server::TestClient { id: made.text("client_id"), secret: made.text("client_secret") };
        let token = server.access_token(&client).await;
        server.verify(&token).await.expect(200);
        let path = format!("/admin/v1/workspaces/{}", acme.id);
        let dry = server.delete(&format!("{path}?dry_run=true"), &server.admin_key).await.expect(200).json();
        assert_eq!((&dry["reach"]["tokens"], dry.get("revocation")), (&json!(2), None));
        server.verify(&token).await.expect(200);
        let deleted = server.delete(&path, &server.admin_key).await.expect(200).json();
        assert_eq!(deleted["reach"]["tokens"], json!(2));
        assert!(deleted["revocation"]["revision"].as_i64().unwrap() > 0);
        server.verify(&token).await.expect_invalid_token();
        server.get("/api/v1/me", &acme.key).await.expect_invalid_token();
        server.post_form("/oauth20/token", Some(&client), &[("grant_type", "client_credentials")]).await.expect_oauth_error(401, "invalid_client");
        server.introspect(&client, &token).await.expect_oauth_error(401, "invalid_client");
        server.get(&path, &server.admin_key).await.expect(404);
        server.delete(&path, &server.admin_key).await.expect(404);
        server.post_json("/admin/v1/workspaces", &server.admin_key, &json!({ "name": "acme" })).await.expect(409);
        server.verify(&server.admin_key).await.expect(200);
    }

    async fn an_operator_keeps_the_workspace_they_belong_to(server: &TestServer) {
        let own = server.get("/admin/v1/workspace", &server.admin_key).await.expect(200);
        server.delete(&format!("/admin/v1/workspaces/{}", own.text("id")), &server.admin_key).await.expect(409);
        server.delete(&format!("/admin/v1/workspaces/{}?dry_run=true", own.text("id")), &server.admin_key).await.expect(409);
    }

    async fn nothing_of_another_workspace_is_there_for_its_administrators(server: &TestServer) {
        let acme = server.workspace("acme").await;
        let alice = server.user("alice", "member").await;
        let client = server.client(&["read"]).await;
        let token = server.own_token(&json!({ "policy": "key", "name": "k" })).await.json()["token"]["id"].as_str().unwrap().to_owned();
        let foreign = [
            (alice.path.clone(), "/admin/v1/users/usr_0000000000000000000000".to_owned(), "PATCH,DELETE"),
            (format!("/admin/v1/clients/{}", client.id), "/admin/v1/clients/nothing".to_owned(), "PATCH,DELETE"),
            (format!("/admin/v1/clients/{}/rotate-secret", client.id), "/admin/v1/clients/nothing/rotate-secret".to_owned(), "POST"),
            (format!("/api/v1/tokens/{token}"), "/api/v1/tokens/grt_0000000000000000000000".to_owned(), ""),
            (format!("/api/v1/tokens/{token}/revoke"), "/api/v1/tokens/grt_0000000000000000000000/revoke".to_owned(), "POST"),
        ];
        for (foreign, unknown, methods) in foreign {
            let methods = methods.split(',').chain(["GET"]).filter(|method| !method.is_empty());
            for method in methods.filter(|method| *method != "GET" || !foreign.ends_with("secret") && !foreign.ends_with("revoke")) {
                let ask = async |path: &str| {
                    let request = server.request(method.parse().unwrap(), path).bearer_auth(&acme.key).header("if-match", "*");
                    let request = if matches!(method, "PATCH" | "POST") { request.header("content-type", "application/json").body("{}") } else { request };
                    server.send(request.header("x-request-id", "same")).await.expect(404)
                };
                assert_eq!(ask(&foreign).await.body, ask(&unknown).await.body, "{method} {foreign}");
            }
        }
        for list in ["/admin/v1/users", "/admin/v1/clients", "/api/v1/tokens"] {
            let listed = server.get(list, &acme.key).await.expect(200).body;
            for id in [&alice.id, &client.id, &token] {
                assert!(!listed.contains(id.as_str()), "{list} shows {id}");
            }
        }
        server.get("/api/v1/me", &alice.key).await.expect(200);
        server.access_token(&client).await;
    }

    async fn names_are_the_own_of_each_workspace(server: &TestServer) {
        let acme = server.workspace("acme").await;
        server.user("alice", "member").await;
        let body = json!({ "username": "alice", "email": "a@b", "role": "member" });
        server.post_json("/admin/v1/users", &acme.key, &body).await.expect(201);
    }

    async fn bad_fields_are_all_named(server: &TestServer) {
        let make = async |body: Value| server.post_json("/admin/v1/workspaces", &server.admin_key, &body).await;
        for name in ["", "Acme", "a b", "-a", &"x".repeat(64)] {
            make(json!({ "name": name })).await.expect_field_error("/name");
        }
        make(json!({})).await.expect_field_error("/name");
        make(json!({ "name": "a", "plan": 1 })).await.expect_field_error("/plan");
        make(json!({ "name": "a", "admin": null })).await.expect_field_error("/admin");
        make(json!({ "name": "a", "admin": {} })).await.expect_field_error("/admin/username");
        make(json!({ "name": "a", "admin": { "username": "x", "role": "operator" } })).await.expect_field_error("/admin/role");
        let three = make(json!({ "name": "A", "admin": { "username": "", "email": "x", "password": "short" } })).await.expect(400);
        assert_eq!(three.json()["errors"].as_array().unwrap().len(), 4);
        make(json!({ "name": "default" })).await.expect(409);
        server.get("/admin/v1/workspaces/x", &server.admin_key).await.expect(404);
        server.get("/admin/v1/workspaces?name=x", &server.admin_key).await.expect_field_error("?name");
    }
}

//! Editing: what may be edited, by whom, and what happens when two do.

use serde_json::{Value, json};

use crate::support::Answer;

fn path(made: &Answer) -> String {
    format!("/admin/v1/tokens/{}", made.json()["token"]["id"].as_str().expect("a token"))
}

on_both_databases! {
    async fn the_second_of_two_editors_is_told_and_nothing_is_lost(server: &TestServer) {
        let body = json!({ "policy": "managed", "extra_fields": { "team": "a", "cost": 1 } });
        let made = server.post_json("/admin/v1/tokens", &server.admin_key, &body).await.expect(201);
        let (path, etag) = (path(&made), made.header("etag").to_owned());
        let first = json!({ "extra_fields": { "team": "b", "cost": null, "new": [1] } });
        let edited = server.patch_json(&path, &server.admin_key, &etag, &first).await.expect(200);
        assert_eq!(edited.json()["token"]["extra_fields"], json!({ "team": "b", "new": [1] }));
        let second = server.patch_json(&path, &server.admin_key, &etag, &json!({ "extra_fields": { "team": "c" } })).await;
        assert_eq!(second.expect(412).json()["code"], "precondition_failed");
        let shown = server.get(&path, &server.admin_key).await.expect(200);
        assert_eq!((&shown.json()["extra_fields"]["team"], shown.header("etag")), (&json!("b"), edited.header("etag")));
        let blind = server.request(reqwest::Method::PATCH, &path).bearer_auth(&server.admin_key);
        server.send(blind.header("content-type", "application/json").body("{}")).await.expect(428);
        let detail = crate::store::audit_details(&server.database, "token.update").await;
        let detail: Value = serde_json::from_str(&detail[0]).unwrap();
        assert_eq!(detail["changed"]["extra_fields"]["from"], json!({ "team": "a", "cost": 1 }));
    }

    async fn an_edit_is_in_force_on_the_next_validation(server: &TestServer) {
        let (client, alice) = (server.client(&["x"]).await, server.user("alice", "member").await);
        let made = server.post_json("/admin/v1/tokens", &server.admin_key, &json!({ "policy": "managed" })).await.expect(201);
        let token = made.text("access_token");
        server.introspect(&client, &token).await.expect(200);
        let edit = json!({ "owner": alice.id, "extra_fields": { "team": "b" } });
        server.patch_json(&path(&made), &server.admin_key, made.header("etag"), &edit).await.expect(200);
        let after = server.introspect(&client, &token).await.expect(200).json();
        assert_eq!((&after["sub"], &after["extra_fields"]), (&json!(alice.id), &json!({ "team": "b" })));
        let edit = json!({ "owner": client.id });
        server.patch_json(&path(&made), &server.admin_key, "*", &edit).await.expect(200);
        assert_eq!(server.introspect(&client, &token).await.expect(200).json()["sub"], json!(client.id));
        let all = json!({ "owner": alice.id });
        server.post_json("/admin/v1/tokens/revoke-all", &server.admin_key, &all).await.expect(200);
        server.verify(&token).await.expect(200);
        let all = json!({ "owner": client.id });
        server.post_json("/admin/v1/tokens/revoke-all", &server.admin_key, &all).await.expect(200);
        server.verify(&token).await.expect_invalid_token();
    }

    async fn a_token_given_to_an_owner_does_not_die_by_what_they_revoked_before(server: &TestServer) {
        let alice = server.user("alice", "member").await;
        let made = server.post_json("/admin/v1/tokens", &server.admin_key, &json!({ "policy": "managed" })).await.expect(201);
        server.post_json("/admin/v1/tokens/revoke-all", &server.admin_key, &json!({ "owner": alice.id })).await.expect(200);
        server.patch_json(&path(&made), &server.admin_key, "*", &json!({ "owner": alice.id })).await.expect(200);
        server.verify(&made.text("access_token")).await.expect(200);
    }

    async fn every_other_field_is_refused_by_name_and_only_active_tokens_are_edited(server: &TestServer) {
        let made = server.post_json("/admin/v1/tokens", &server.admin_key, &json!({ "policy": "managed" })).await.expect(201);
        let edit = async |body: Value| server.patch_json(&path(&made), &server.admin_key, "*", &body).await;
        for field in ["name", "policy", "status", "scopes", "expires_at", "created_at", "id", "workspace", "client_id", "origin", "version"] {
            let refused = edit(json!({ field: "x" })).await.expect_field_error(&format!("/{field}"));
            assert!(refused.body.contains(field));
        }
        edit(json!({ "owner": null })).await.expect_field_error("/owner");
        edit(json!({ "owner": "nobody" })).await.expect_field_error("/owner");
        edit(json!({ "apis": ["nope"] })).await.expect_field_error("/apis/0");
        edit(json!({ "plans": ["nope"] })).await.expect_field_error("/plans/0");
        edit(json!({ "extra_fields": { "x": "y".repeat(5000) } })).await.expect_field_error("/extra_fields");
        server.post_json(&format!("{}/disable", path(&made)), &server.admin_key, &json!({})).await.expect(200);
        edit(json!({ "extra_fields": {} })).await.expect(409);
    }

    async fn a_member_edits_extra_fields_of_their_own_and_not_the_owner(server: &TestServer) {
        let alice = server.user("alice", "member").await;
        let made = server.post_json("/api/v1/tokens", &alice.key, &json!({ "policy": "access" })).await.expect(201);
        let own = path(&made).replace("/admin/", "/api/");
        server.patch_json(&own, &alice.key, "*", &json!({ "extra_fields": { "a": 1 } })).await.expect(200);
        server.patch_json(&own, &alice.key, "*", &json!({ "owner": alice.id })).await.expect_field_error("/owner");
        server.patch_json(&own, &alice.key, "*", &json!({ "plans": [] })).await.expect_field_error("/plans");
        server.patch_json(&path(&made), &alice.key, "*", &json!({})).await.expect(403);
        server.patch_json(&own, &server.admin_key, "*", &json!({})).await.expect(404);
    }
}

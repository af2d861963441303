//! Two real workspaces: nothing that names a thing of one is of any use in the other. That paths with such ids are 404 for every
//! operation is asserted by `tests/openapi/authorization.rs`; here are the filters, the bodies, and what is told without being asked.

use reqwest::Method;
use serde_json::{Value, json};

use super::{apis, plans};
use crate::support::server::{TestClient, TestUser};
use crate::support::{Answer, TestServer};

/// What there is in the workspace `default`, and its neighbour.
struct World {
    /// The neighbour's administrator.
    acme: TestUser,
    alice: TestUser,
    client: TestClient,
    api: String,
    plan: String,
    import: String,
    /// A key of alice's, with the API and the plan.
    token: String,
    secret: String,
}

impl World {
    async fn new(server: &TestServer) -> Self {
        let (acme, alice) = (server.workspace("acme").await, server.user("alice", "member").await);
        let client = server.client(&["read"]).await;
        let api = apis::make(server, "orders").await.text("id");
        let plan = plans::make(server, "gold", 100, &["orders"]).await.text("id");
        let body =
            json!({ "policy": "key", "name": "secretive", "owner": alice.id, "apis": ["orders"], "plans": ["gold"] });
        let made = server.post_json("/admin/v1/tokens", &server.admin_key, &body).await.expect(201);
        let token = made.json()["token"]["id"].as_str().unwrap().to_owned();
        let import = server.import("sha256", json!({})).await;
        Self { acme, alice, client, api, plan, import, token, secret: made.text("api_key") }
    }

    fn ids(&self) -> [&str; 6] {
        [&self.alice.id, &self.client.id, &self.api, &self.plan, &self.import, &self.token]
    }

    /// A token in the neighbour's workspace, and the ETag to edit it by.
    async fn neighbours_token(&self, server: &TestServer) -> (String, String) {
        let body = json!({ "policy": "key", "name": "theirs" });
        let made = server.post_json("/admin/v1/tokens", &self.acme.key, &body).await.expect(201);
        (made.json()["token"]["id"].as_str().unwrap().to_owned(), made.header("etag").to_owned())
    }

    async fn ask(&self, server: &TestServer, path: &str) -> Answer {
        server.get(path, &self.acme.key).await
    }

    /// Everything of the workspace `default` is as it was.
    async fn assert_whole(&self, server: &TestServer) {
        server.verify(&self.secret).await.expect(200);
        server.get("/api/v1/me", &self.alice.key).await.expect(200);
        server.access_token(&self.client).await;
        let shown = server.get(&format!("/admin/v1/tokens/{}", self.token), &server.admin_key).await.expect(200).json();
        assert_eq!(
            (&shown["owner"]["id"], &shown["apis"], &shown["plans"]),
            (&json!(self.alice.id), &json!(["orders"]), &json!(["gold"]))
        );
    }
}

/// All that a list shows, as a page or as a whole.
async fn listed(server: &TestServer, key: &str, path: &str) -> Vec<String> {
    let mut bodies = Vec::new();
    for accept in ["application/json", "text/csv", "application/x-ndjson"] {
        let request = server.request(Method::GET, path).bearer_auth(key).header("accept", accept);
        bodies.push(server.send(request).await.expect(200).body);
    }
    bodies
}

on_both_databases! {
    async fn no_list_shows_what_is_another_workspaces(server: &TestServer) {
        let world = World::new(server).await;
        for list in ["users", "clients", "apis", "plans", "legacy-imports", "tokens", "audit", "events"] {
            let own = listed(server, &server.admin_key, &format!("/admin/v1/{list}")).await.concat();
            assert!(world.ids().iter().any(|id| own.contains(id)), "{list} shows its own");
            for shown in listed(server, &world.acme.key, &format!("/admin/v1/{list}")).await {
                for id in world.ids() {
                    assert!(!shown.contains(id), "{list} shows {id}");
                }
            }
        }
    }

    async fn a_filter_by_what_is_another_workspaces_finds_nothing(server: &TestServer) {
        let world = World::new(server).await;
        world.neighbours_token(server).await;
        let tokens = [
            format!("owner={}", world.alice.id), format!("owner={}", world.client.id), format!("client={}", world.client.id),
            format!("code={}", world.token), "api=orders".to_owned(), "plan=gold".to_owned(), "q=secretive".to_owned(), "q=alice".to_owned(),
        ];
        let tokens = tokens.iter().map(|query| format!("tokens?{query}"));
        let users = ["users?q=alice".to_owned(), format!("clients?q={}", world.client.id)];
        let audit = world.ids().map(|id| format!("audit?target={id}"));
        let actor = [format!("audit?actor=user:{}", world.alice.id), format!("audit?actor=client:{}", world.client.id)];
        for path in tokens.chain(users).chain(audit).chain(actor) {
            let found = world.ask(server, &format!("/admin/v1/{path}")).await.expect(200).json();
            assert_eq!(found["data"], json!([]), "{path}");
        }
        // The filters work.
        let own = server.get(&format!("/admin/v1/tokens?owner={}&api=orders&plan=gold", world.alice.id), &server.admin_key).await;
        assert_eq!(own.expect(200).json()["data"].as_array().unwrap().len(), 1);
    }

    async fn a_token_is_not_given_to_nor_put_on_what_is_another_workspaces(server: &TestServer) {
        let world = World::new(server).await;
        let (token, etag) = world.neighbours_token(server).await;
        let path = format!("/admin/v1/tokens/{token}");
        for (change, pointer) in [
            (json!({ "owner": world.alice.id }), "/owner"),
            (json!({ "owner": world.client.id }), "/owner"),
            (json!({ "apis": ["orders"] }), "/apis/0"),
            (json!({ "plans": ["gold"] }), "/plans/0"),
        ] {
            server.patch_json(&path, &world.acme.key, &etag, &change).await.expect_field_error(pointer);
            let mut create = json!({ "policy": "key", "name": "k" });
            create.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
            server.post_json("/admin/v1/tokens", &world.acme.key, &create).await.expect_field_error(pointer);
        }
        let create = json!({ "policy": "key", "name": "k", "apis": ["orders"] });
        server.post_json("/api/v1/tokens", &world.acme.key, &create).await.expect_field_error("/apis/0");
        assert_eq!(server.get(&path, &world.acme.key).await.expect(200).header("etag"), etag, "nothing was changed");
        world.assert_whole(server).await;
    }

    async fn a_plan_covers_no_api_of_another_workspace(server: &TestServer) {
        let world = World::new(server).await;
        let body = json!({ "name": "mine", "requests": 1, "period": "1m", "apis": ["orders"] });
        server.post_json("/admin/v1/plans", &world.acme.key, &body).await.expect_field_error("/apis/0");
        let mine = server.post_json("/admin/v1/plans", &world.acme.key, &json!({ "name": "mine", "requests": 1, "period": "1m" })).await.expect(201);
        let path = format!("/admin/v1/plans/{}", mine.text("id"));
        server.patch_json(&path, &world.acme.key, mine.header("etag"), &json!({ "apis": ["orders"] })).await.expect_field_error("/apis/0");
    }

    async fn a_client_gets_no_token_for_an_api_of_another_workspace(server: &TestServer) {
        let world = World::new(server).await;
        let body = json!({ "name": "c", "grant_types": ["client_credentials"], "scopes": ["read"] });
        let made = server.post_json("/admin/v1/clients", &world.acme.key, &body).await.expect(201);
        let theirs = TestClient { id: made.text("client_id"), secret: made.text("client_secret") };
        let form = [("grant_type", "client_credentials"), ("resource", "https://orders.test")];
        server.post_form("/oauth20/token", Some(&world.client), &form).await.expect(200);
        let refused = server.post_form("/oauth20/token", Some(&theirs), &form).await.expect_oauth_error(400, "invalid_target");
        let unknown = [("grant_type", "client_credentials"), ("resource", "https://nothing.test")];
        let unknown = server.post_form("/oauth20/token", Some(&theirs), &unknown).await.expect_oauth_error(400, "invalid_target");
        assert_eq!(refused.text("error_description"), unknown.text("error_description"));
        let token = server.access_token(&theirs).await;
        assert!(!server.is_active(&world.client, &token).await, "a token is nothing to another workspace's clients");
        server.get("/oauth20/verify?workspace=default", &token).await.expect_invalid_token();
    }

    async fn bulk_acts_and_their_counts_reach_no_other_workspace(server: &TestServer) {
        let world = World::new(server).await;
        let (token, _) = world.neighbours_token(server).await;
        let bulk = async |body: Value| server.post_json("/admin/v1/tokens/bulk", &world.acme.key, &body).await;
        let both = json!([world.token, token]);
        for action in ["disable", "delete", "revoke"] {
            let tried = bulk(json!({ "action": action, "ids": both, "dry_run": true })).await.expect(200).json();
            assert_eq!((&tried["matched"], &tried["changed"], &tried["not_found"]), (&json!(1), &json!(1), &json!([world.token])));
            assert!(!tried.to_string().contains(&world.alice.id));
            bulk(json!({ "action": action, "ids": both, "expect_count": 2 })).await.expect(409);
            for filter in [json!({ "owner": [world.alice.id] }), json!({ "code": world.token }), json!({ "api": ["orders"] }), json!({ "client": [world.client.id] })] {
                let matched = bulk(json!({ "action": action, "filter": filter, "expect_count": 0 })).await.expect(200).json();
                assert_eq!((&matched["matched"], &matched["changed"]), (&json!(0), &json!(0)), "{filter}");
            }
        }
        let done = bulk(json!({ "action": "revoke", "ids": both, "expect_count": 1 })).await.expect(200).json();
        assert_eq!(done["not_found"], json!([world.token]));
        // An empty filter is every token of the caller's workspace.
        bulk(json!({ "action": "revoke", "filter": { "origin": ["api", "admin"], "q": "e" } })).await.expect(200);
        for owner in [&world.alice.id, &world.client.id] {
            server.post_json("/admin/v1/tokens/revoke-all", &world.acme.key, &json!({ "owner": owner })).await.expect_field_error("/owner");
        }
        world.assert_whole(server).await;
    }

    async fn an_import_names_no_owner_of_another_workspace(server: &TestServer) {
        let world = World::new(server).await;
        let body = |owner: Option<Value>| {
            let mut body = json!({ "source": "old", "scheme": "plain", "deadline": crate::support::legacy::DEADLINE });
            if let Some(owner) = owner {
                body["unmapped_owner"] = owner;
            }
            body
        };
        for owner in [json!({ "type": "user", "id": world.alice.id }), json!({ "type": "user", "id": "alice" }), json!({ "type": "client", "id": world.client.id })] {
            server.post_json("/admin/v1/legacy-imports", &world.acme.key, &body(Some(owner))).await.expect_field_error("/unmapped_owner/id");
        }
        // The name of a source is each workspace's own.
        let made = server.post_json("/admin/v1/legacy-imports", &world.acme.key, &json!({ "source": "old sha256", "scheme": "plain", "deadline": crate::support::legacy::DEADLINE })).await.expect(201);
        let rows = [("alice", "user"), (world.alice.id.as_str(), "user"), (world.client.id.as_str(), "client")];
        let rows: String = rows.iter().enumerate().map(|(n, (id, kind))| format!("{}\n", json!({ "token": format!("a-token-of-the-older-system-{n}"), *kind: id }))).collect();
        let path = format!("/admin/v1/legacy-imports/{}/rows", made.text("id"));
        let sent = server.send(server.request(Method::POST, &path).bearer_auth(&world.acme.key).header("content-type", "application/x-ndjson").body(rows)).await;
        assert_eq!(sent.expect(200).json()["imported"], json!(0));
        world.assert_whole(server).await;
    }

    async fn what_is_explained_and_told_of_a_revocation_is_ones_own(server: &TestServer) {
        let world = World::new(server).await;
        let refused = server.get("/oauth20/verify?scope=nothing", &world.secret).await.expect(403);
        let revoked = server.post_json("/api/v1/tokens/revoke-all", &server.admin_key, &json!({})).await.expect(200);
        let explain = async |query: &str| {
            let request = server.request(Method::GET, &format!("/admin/v1/explain?{query}")).bearer_auth(&world.acme.key);
            server.send(request.header("x-request-id", "same")).await.expect(404).body
        };
        let jti = &world.secret["jtn_k_".len()..][..22];
        for (foreign, unknown) in [
            (format!("request_id={}", refused.header("x-request-id")), "request_id=nothing"),
            (format!("token_id={}", world.token), "token_id=grt_0000000000000000000000"),
            (format!("token_id={jti}"), "token_id=0000000000000000000000"),
        ] {
            assert_eq!(explain(&foreign).await, explain(unknown).await);
            server.get(&format!("/admin/v1/explain?{foreign}"), &server.admin_key).await.expect(200);
        }
        // The log is one for all; a position in it says nothing of whose it is.
        let revision = revoked.header("x-jeton-revision");
        let told = world.ask(server, &format!("/admin/v1/revocations/{revision}")).await.expect(200).json();
        let members: Vec<&String> = told.as_object().unwrap().keys().collect();
        assert_eq!(members, ["revision", "applied_by", "of", "waiting_for", "nodes"]);
        for node in told["nodes"].as_array().unwrap() {
            let members: Vec<&String> = node.as_object().unwrap().keys().collect();
            assert_eq!(members, ["id", "name", "applied_revision"]);
        }
    }

    async fn a_repeated_create_is_known_to_its_maker_alone(server: &TestServer) {
        let acme = server.workspace("acme").await;
        let body = json!({ "name": "c", "grant_types": ["client_credentials"] });
        let first = server.post_once("/admin/v1/clients", &server.admin_key, "one-key", &body).await.expect(201);
        let second = server.post_once("/admin/v1/clients", &acme.key, "one-key", &body).await.expect(201);
        assert_ne!(first.text("client_id"), second.text("client_id"));
        assert_eq!(second.header("idempotency-replayed"), "");
    }
}

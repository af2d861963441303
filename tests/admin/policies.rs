//! `/admin/v1/policies…`

use reqwest::Method;
use serde_json::json;

use crate::support::{TestDatabase, TestServer};

on_both_databases! {
    async fn policies_are_listed_with_their_bounds_in_seconds_and_as_text(server: &TestServer) {
        let listed = server.get("/admin/v1/policies", &server.admin_key).await.expect(200).json();
        let policies = listed["data"].as_array().unwrap();
        let names: Vec<&str> = policies.iter().map(|policy| policy["name"].as_str().unwrap()).collect();
        assert_eq!(names, ["access", "api", "key", "legacy", "managed", "session"]);
        let of = |name: &str| policies.iter().find(|policy| policy["name"] == name).unwrap();
        assert_eq!(of("access")["min_lifetime"], json!({ "seconds": 1800, "text": "30m" }));
        assert_eq!(of("access")["max_lifetime"], json!({ "seconds": 21_600, "text": "6h" }));
        assert_eq!(of("access")["access_lifetime"], json!({ "seconds": null, "text": "grant" }));
        assert_eq!(of("key")["max_lifetime"], json!({ "seconds": null, "text": "never" }));
        assert_eq!((&of("key")["mints"], &of("access")["mints"]), (&json!("session"), &json!(null)));
        assert_eq!((&of("access")["revoke"], &of("access")["creation"]), (&json!("owner"), &json!(["self", "admin"])));
        let alice = server.user("alice", "member").await;
        assert_eq!(server.get("/api/v1/policies", &alice.key).await.expect(200).json(), listed);
        server.get("/admin/v1/policies", &alice.key).await.expect(403);
    }

    async fn a_policy_is_shown_with_the_rules_that_it_has_had(server: &TestServer) {
        let shown = server.get("/admin/v1/policies/api", &server.admin_key).await.expect(200).json();
        let snapshots = shown["snapshots"].as_array().unwrap();
        assert_eq!((snapshots.len(), &snapshots[0]["current"], &snapshots[0]["version"]), (1, &json!(true), &shown["version"]));
        assert_eq!(snapshots[0]["first_used_at"], "2026-11-21T12:00:00Z");
        server.get("/admin/v1/policies/nothing", &server.admin_key).await.expect(404);
        server.get("/admin/v1/policies?limit=1", &server.admin_key).await.expect_field_error("?limit");
    }
}

/// A shorter access token for the policy `api`, as an operator would configure it later.
const SHORTER: (&str, &str) = ("policies.api.access_lifetime", "30m");

async fn new_rules_reach_what_lives_only_where_they_are_applied(server: TestServer) {
    let (_, refresh, client_id) = server.pair().await;
    let (_, other, _) = server.pair().await;
    server.own_token(&json!({ "policy": "access" })).await;
    let path = "/admin/v1/policies/api/apply";
    let apply = async |server: &TestServer, query: &str| {
        server
            .send(server.request(Method::POST, &format!("{path}{query}")).bearer_auth(&server.admin_key))
            .await
            .expect(200)
            .json()
    };
    let nothing = apply(&server, "").await;
    assert_eq!((&nothing["grants"], nothing.get("revocation")), (&json!(0), None), "all are under the rules in force");

    let server = server.restart_with(vec![(SHORTER.0, SHORTER.1.to_owned())]).await;
    let first = server.refresh(&client_id, &refresh).await.expect(200);
    assert_eq!(first.json()["expires_in"], 3600, "rules as issued");
    let shown = server.get("/admin/v1/policies/api", &server.admin_key).await.expect(200).json();
    assert_eq!(shown["snapshots"].as_array().unwrap().len(), 2);
    let dry = apply(&server, "?dry_run=true").await;
    assert_eq!((&dry["grants"], &dry["dry_run"], &dry["version"]), (&json!(2), &json!(true), &shown["version"]));
    assert_eq!(server.refresh(&client_id, &first.text("refresh_token")).await.expect(200).json()["expires_in"], 3600);
    let applied = apply(&server, "").await;
    assert_eq!(applied["grants"], json!(2));
    assert!(applied["revocation"]["revision"].as_i64().unwrap() > 0);
    assert_eq!(server.refresh(&client_id, &other).await.expect(200).json()["expires_in"], 1800, "rules in force");
    assert_eq!(apply(&server, "").await["grants"], json!(0));
    let detail = crate::store::audit_details(&server.database, "policy.apply").await;
    assert_eq!(detail.len(), 1);
    assert_eq!(serde_json::from_str::<serde_json::Value>(&detail[0]).unwrap()["grants"], 2);
    server.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn new_rules_are_applied_on_sqlite() {
    new_rules_reach_what_lives_only_where_they_are_applied(TestServer::start(TestDatabase::sqlite()).await).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: cargo xtask test"]
async fn new_rules_are_applied_on_postgres() {
    let server = TestServer::start(TestDatabase::postgres().await).await;
    new_rules_reach_what_lives_only_where_they_are_applied(server).await;
}

//! `/console/admin`: how much goes on, in pictures and in numbers.

use serde_json::json;

use super::browser::{Browser, PASSWORD};
use crate::store::count;

on_both_databases! {
    async fn what_was_issued_validated_and_refused_is_counted_by_day(server: &TestServer) {
        let browser = Browser::operator(server).await;
        let token = server.own_token(&json!({ "policy": "access", "lifetime": "1h" })).await.text("access_token");
        server.own_token(&json!({ "policy": "api", "name": "x", "lifetime": "30d" })).await;
        for _ in 0..20 {
            server.verify(&token).await.expect(200);
        }
        server.verify("nonsense").await.expect(401);
        server.service().flush_refusals().await.unwrap();
        let page = browser.get("/console/admin").await.expect(200).body;
        assert!(page.contains("role=\"img\"") && page.contains("<title>21 Nov: "), "pictures with a text for each bar");
        assert!(page.contains("The string was not made by this service"));
        let sum = async |what: &'static str| count(&server.database, what).await;
        let issued = sum("SELECT CAST(SUM(count) AS BIGINT) FROM figure WHERE what = 'issued'").await;
        let validated = sum("SELECT CAST(SUM(count) AS BIGINT) FROM figure WHERE what = 'validated'").await;
        assert!(issued >= 2 && validated >= 22, "{issued} issued, {validated} validated");
        assert!(page.contains(&format!("<dd>{issued}</dd>")) && page.contains(&format!("<dd>{validated}</dd>")));
        assert_eq!(sum("SELECT CAST(SUM(count) AS BIGINT) FROM figure WHERE what LIKE 'refused.%'").await, 1);
        server.advance(32 * 86_400);
        server.service().tidy().await.unwrap();
        assert_eq!(sum("SELECT COUNT(*) FROM figure").await, 0, "sums of long ago are forgotten");
    }

    async fn live_tokens_are_counted_by_policy_and_dead_ones_are_not(server: &TestServer) {
        let browser = Browser::operator(server).await;
        for _ in 0..3 {
            server.own_token(&json!({ "policy": "access", "lifetime": "1h" })).await;
        }
        let dead = server.own_token(&json!({ "policy": "api", "name": "x", "lifetime": "30d" })).await;
        let id = dead.json()["token"]["id"].as_str().unwrap().to_owned();
        let share = |page: &str, policy: &str| page.split(&format!("policy={policy}\">{policy}</a> <span>")).nth(1).map(|rest| rest.split('<').next().unwrap().to_owned());
        let page = browser.get("/console/admin").await.expect(200).body;
        assert_eq!((share(&page, "access").as_deref(), share(&page, "api").as_deref()), (Some("3"), Some("1")));
        server.post_json(&format!("/api/v1/tokens/{id}/revoke"), &server.admin_key, &json!({})).await.expect(200);
        server.post_json("/api/v1/tokens/revoke-all", &server.admin_key, &json!({ "policy": "access" })).await.expect(200);
        let page = browser.get("/console/admin").await.expect(200).body;
        assert_eq!((share(&page, "access"), share(&page, "api")), (None, None), "revoked one by one, or by a cut-off");
        assert!(share(&page, "key").is_some());
    }

    async fn an_administrator_sees_the_figures_of_their_workspace_only(server: &TestServer) {
        let _operator = Browser::operator(server).await;
        server.own_token(&json!({ "policy": "access", "lifetime": "1h" })).await;
        server.verify("nonsense").await.expect(401);
        server.service().flush_refusals().await.unwrap();
        server.workspace("other").await;
        let body = json!({ "username": "eve", "role": "admin", "password": PASSWORD });
        let key = server.workspace("third").await.key;
        server.post_json("/admin/v1/users", &key, &body).await.expect(201);
        let eve = Browser::new(server);
        let form = [("username", "eve"), ("password", PASSWORD), ("workspace", "third")];
        eve.post("/console/sign-in", &form).await.expect(303);
        let page = eve.get("/console/admin").await.expect(200).body;
        assert!(page.contains("Nothing was refused.") && !page.contains("policy=access"));
    }
}

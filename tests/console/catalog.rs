//! `/console/admin/apis…` and `/console/admin/plans…`

use super::browser::Browser;
use super::tokens::field_of;
use crate::support::TestServer;
use serde_json::json;

const NEW_API: &str = "/console/admin/new/api";
const NEW_PLAN: &str = "/console/admin/new/plan";

async fn make_api(browser: &Browser<'_>, name: &str) {
    let audience = format!("https://{name}.test");
    let fields = [("name", name), ("audience", audience.as_str()), ("scopes", "read write")];
    browser.post(NEW_API, &fields).await.expect(303);
}

/// The path of the form that edits the row of this name.
fn edit_path(list: &str, name: &str) -> String {
    let before = list.split(&format!("\">{name}</a>")).next().unwrap();
    before.rsplit("href=\"").next().unwrap().to_owned()
}

async fn a_token_for(server: &TestServer, api: &str, plan: &str) -> String {
    let made = server.own_token(&json!({ "policy": "api", "name": "x", "lifetime": "30d", "apis": [api] })).await;
    let id = made.json()["token"]["id"].as_str().unwrap().to_owned();
    let edit = json!({ "plans": [plan] });
    server.patch_json(&format!("/admin/v1/tokens/{id}"), &server.admin_key, "*", &edit).await.expect(200);
    made.text("access_token")
}

on_both_databases! {
    async fn an_api_is_made_edited_and_deleted(server: &TestServer) {
        let browser = Browser::operator(server).await;
        assert!(browser.get("/console/admin/apis").await.expect(200).body.contains("This workspace has no APIs."));
        browser.get(NEW_API).await.expect(200);
        let refused = browser.post(NEW_API, &[("name", "Not so"), ("audience", "nowhere"), ("scopes", "a\"b")]).await.expect(422).body;
        for field in ["name", "audience", "scopes"] {
            assert!(refused.contains(&format!("id=\"{field}-error\"")), "{field}");
        }
        make_api(&browser, "orders").await;
        let taken = browser.post(NEW_API, &[("name", "orders"), ("audience", "https://x.test")]).await.expect(422).body;
        assert!(taken.contains("This name is or was in use here.") && taken.contains("value=\"https://x.test\""), "what was typed stays");
        let list = browser.get("/console/admin/apis?done=api-made").await.expect(200).body;
        assert!(list.contains("The API is made.") && list.contains("https://orders.test") && list.contains("read write"));
        let edit = edit_path(&list, "orders");
        let version = field_of(&browser.get(&edit).await.expect(200).body, "version");
        browser.post(&edit, &[("version", &version), ("audience", "https://a.test")]).await.expect(303);
        let merge = browser.post(&edit, &[("version", &version), ("audience", "https://b.test")]).await.expect(409).body;
        assert!(merge.contains("<code>https://a.test</code>") && merge.contains("value=\"https://b.test\""));
        let delete = edit.replace("/edit", "/delete");
        browser.get(&delete).await.expect(200);
        browser.post(&delete, &[("expected", "0")]).await.expect(303);
        browser.get(&edit).await.expect(404);
        browser.get("/console/admin/apis/api_x/edit").await.expect(404);
    }

    async fn a_plan_is_made_edited_and_deleted_with_its_consequence_shown(server: &TestServer) {
        let browser = Browser::operator(server).await;
        make_api(&browser, "orders").await;
        assert!(browser.get(NEW_PLAN).await.expect(200).body.contains("name=\"apis\" value=\"orders\""));
        let refused = browser.post(NEW_PLAN, &[("name", "s"), ("requests", "many"), ("period", "soon")]).await.expect(422).body;
        assert!(refused.contains("id=\"requests-error\"") && refused.contains("id=\"period-error\""));
        let refused = browser.post(NEW_PLAN, &[("name", "s"), ("requests", "0"), ("period", "32d"), ("apis", "nothing")]).await.expect(422).body;
        for field in ["requests", "period", "apis"] {
            assert!(refused.contains(&format!("id=\"{field}-error\"")), "{field}");
        }
        let fields = [("name", "small"), ("requests", "100"), ("period", "1m"), ("apis", "orders")];
        browser.post(NEW_PLAN, &fields).await.expect(303);
        let list = browser.get("/console/admin/plans").await.expect(200).body;
        assert!(list.contains("100 in 1 minute") && list.contains("orders"));
        let edit = edit_path(&list, "small");
        let version = field_of(&browser.get(&edit).await.expect(200).body, "version");
        browser.post(&edit, &[("version", &version), ("requests", "200"), ("period", "1h")]).await.expect(303);
        let merge = browser.post(&edit, &[("version", &version), ("requests", "300"), ("period", "1h"), ("apis", "orders")]).await.expect(409).body;
        assert!(merge.contains("<code>200</code>") && merge.contains("id=\"apis-stored\"") && !merge.contains("id=\"period-stored\""));
        let token = a_token_for(server, "orders", "small").await;
        let delete = edit.replace("/edit", "/delete");
        let asked = browser.get(&delete).await.expect(200).body;
        assert!(asked.contains("Delete the plan small?") && asked.contains("<dd>1</dd>"));
        server.verify(&token).await.expect(200);
        browser.post(&delete, &[("expected", "1")]).await.expect(303);
        assert!(browser.get("/console/admin/plans").await.body.contains("This workspace has no plans."));
    }
}

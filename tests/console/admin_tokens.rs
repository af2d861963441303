//! `/console/admin/tokens…`: everybody's tokens, looked at, edited and revoked.

use serde_json::json;

use super::browser::Browser;
use super::tokens::generate;
use crate::support::TestServer;

async fn managed(server: &TestServer, extra: serde_json::Value) -> (String, String) {
    let pair =
        server.own_token(&json!({ "policy": "api", "name": "crm", "lifetime": "30d", "extra_fields": extra })).await;
    (pair.json()["token"]["id"].as_str().unwrap().to_owned(), pair.text("access_token"))
}

on_both_databases! {
    async fn the_list_has_the_columns_and_its_filters_stand_in_the_address(server: &TestServer) {
        let browser = Browser::operator(server).await;
        generate(&browser, "needle", "30").await;
        generate(&browser, "other", "30").await;
        let page = browser.get("/console/admin/tokens").await.expect(200).body;
        for column in ["Code", "Owner", "Linked app", "Status", "Created", "Last used", "Expires"] {
            assert!(page.contains(&format!(">{column}</th>")), "{column}");
        }
        let found = browser.get("/console/admin/tokens?q=needle&status=active&policy=api").await.expect(200).body;
        assert!(found.contains(">needle<") && !found.contains(">other<"));
        assert!(found.contains("value=\"needle\"") && found.contains("<option value=\"active\" selected>"));
        let none = browser.get("/console/admin/tokens?status=revoked").await.expect(200).body;
        assert!(none.contains("Nothing matches"));
        let later = browser.get("/console/admin/tokens?created-after=2030-01-01").await.expect(200).body;
        assert!(later.contains("Nothing matches"));
    }

    async fn overview_edit_and_revoke_as_an_administrator_does_them(server: &TestServer) {
        let browser = Browser::operator(server).await;
        let (id, token) = managed(server, json!({ "team": "blue" })).await;
        let path = format!("/console/admin/tokens/{id}");
        let overview = browser.get(&path).await.expect(200).body;
        assert!(overview.contains("Basic info") && overview.contains("APIs and Plans") && overview.contains("blue"));
        browser.get(&format!("{path}/associations")).await.expect(200);
        let form = browser.get(&format!("{path}/edit")).await.expect(200).body;
        let part = |name: &str| form.split(&format!("name=\"{name}\" value=\"")).nth(1).unwrap().split('"').next().unwrap().to_owned();
        let (version, owner) = (part("version"), part("owner"));
        let fields = [("version", version.as_str()), ("owner", &owner), ("extra-name", "team"), ("extra-value", "red")];
        browser.post(&format!("{path}/edit"), &fields).await.expect(303);
        assert!(browser.get(&path).await.body.contains("red"));
        let late = [("version", version.as_str()), ("owner", &owner), ("extra-name", "team"), ("extra-value", "green")];
        let merge = browser.post(&format!("{path}/edit"), &late).await.expect(409);
        assert!(merge.body.contains("Somebody else has changed") && merge.body.contains("value=\"green\"") && merge.body.contains("red"));
        let asked = browser.post("/console/admin/tokens/confirm", &[("one", &format!("revoke {id}"))]).await.expect(200);
        assert!(asked.body.contains("Requests with a revoked token get HTTP 401.") && asked.body.contains("Confirm"));
        server.verify(&token).await.expect(200);
        let apply = [("action", "revoke"), ("expected", "1"), ("id", id.as_str()), ("reason", "left the team")];
        browser.post("/console/admin/tokens/apply", &apply).await.expect(303);
        server.verify(&token).await.expect_invalid_token();
        let overview = browser.get(&path).await.body;
        assert!(overview.contains("badge revoked") && overview.contains("left the team"));
        assert!(!overview.contains("/edit\""), "only an active token is edited");
    }

    async fn a_token_of_an_oauth_flow_says_how_it_is_revoked(server: &TestServer) {
        let browser = Browser::operator(server).await;
        let client = server.client(&["read"]).await;
        let token = server.access_token(&client).await;
        let session = server.get("/oauth20/access-token", &token).await.expect(200).json();
        let id = session["session"]["session_id"].as_str().unwrap().to_owned();
        let overview = browser.get(&format!("/console/admin/tokens/{id}")).await.expect(200).body;
        assert!(overview.contains("curl -X DELETE https://auth.test/oauth20/access-token"));
        let asked = browser.post("/console/admin/tokens/confirm", &[("one", &format!("revoke {id}"))]).await.expect(200).body;
        assert!(asked.contains("Not included") && asked.contains("Nothing would change"));
        server.verify(&token).await.expect(200);
    }

    async fn the_list_is_exported_as_a_file_with_the_same_filters(server: &TestServer) {
        let browser = Browser::operator(server).await;
        generate(&browser, "needle", "30").await;
        generate(&browser, "=other", "30").await;
        let page = browser.get("/console/admin/tokens?q=needle").await.expect(200).body;
        for (kind, media_type) in [("csv", "text/csv"), ("ndjson", "application/x-ndjson")] {
            let link = format!("/console/admin/export/tokens?q=needle&as={kind}");
            assert!(page.contains(&link.replace('&', "&#38;")), "{link}");
            let file = browser.get(&link).await.expect(200);
            assert!(file.header("content-type").starts_with(media_type) && file.header("content-disposition").contains("attachment"));
            assert!(file.body.contains("needle") && !file.body.contains("other") && !file.body.contains("jtn_"));
        }
        browser.get("/console/admin/export/tokens").await.expect(404);
    }
}

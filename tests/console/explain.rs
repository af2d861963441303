//! `/console/admin/explain`: by the id of a request or of a token, never by the token itself.

use serde_json::json;

use super::browser::Browser;

on_both_databases! {
    async fn a_refused_request_and_its_token_are_explained(server: &TestServer) {
        let browser = Browser::operator(server).await;
        let made = server.own_token(&json!({ "policy": "api", "name": "crm <b>", "lifetime": "30d" })).await;
        let (id, token) = (made.json()["token"]["id"].as_str().unwrap().to_owned(), made.text("access_token"));
        let link = format!("/console/admin/explain?token_id={id}");
        assert!(browser.get(&link).await.expect(200).body.contains("It is accepted now."));
        server.post_json(&format!("/api/v1/tokens/{id}/revoke"), &server.admin_key, &json!({})).await.expect(200);
        let refused = server.verify(&token).await.expect(401);
        let request = refused.header("x-request-id").to_owned();
        let answer = browser.post("/console/admin/explain", &[("q", &request)]).await.expect(200).body;
        for part in ["It is refused now.", "The token was revoked.", "crm &#60;b&#62;", "GET /oauth20/verify", "token.revoke", &request] {
            assert!(answer.contains(part), "{part}");
        }
        assert!(!answer.contains(&token));
        let mut browser = browser;
        browser.language = "fr";
        assert!(browser.get(&link).await.expect(200).body.contains("Le jeton était révoqué."));
    }

    async fn what_is_unknown_is_said_and_a_token_is_not_taken_or_shown(server: &TestServer) {
        let browser = Browser::operator(server).await;
        let token = server.own_token(&json!({ "policy": "access", "lifetime": "1h" })).await.text("access_token");
        let refused = browser.post("/console/admin/explain", &[("q", &token)]).await.expect(422).body;
        assert!(refused.contains("That is a token, not its id.") && !refused.contains(&token));
        for unknown in ["nothing", "grt_0000000000000000000000", "<script>alert(1)</script>"] {
            let answer = browser.post("/console/admin/explain", &[("q", unknown)]).await.expect(404).body;
            assert!(answer.contains("has this id") && !answer.contains("<script>alert"));
        }
        assert!(browser.get("/console/admin/explain").await.expect(200).body.contains("method=\"post\" action=\"/console/admin/explain\""));
    }
}

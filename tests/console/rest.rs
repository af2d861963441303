//! `/api/v1/…` with the session of the console in place of a token.

use reqwest::Method;

use super::browser::Browser;

on_both_databases! {
    async fn a_session_serves_ones_own_tokens_but_not_to_another_site_and_not_as_an_administrator(server: &TestServer) {
        let browser = Browser::operator(server).await;
        browser.get("/api/v1/tokens").await.expect(200);
        let create = |site: &'static str| {
            let request = browser.request(Method::POST, "/api/v1/tokens").header("sec-fetch-site", site);
            request.header("content-type", "application/json").body(r#"{"policy":"access"}"#)
        };
        server.send(create("same-origin")).await.expect(201);
        for site in ["cross-site", "same-site"] {
            let refused = server.send(create(site)).await.expect(403);
            assert_eq!(refused.header("content-type"), "application/problem+json");
            // Who shows a token means it: no cookie decides, and none has to be protected.
            server.send(create(site).bearer_auth(&server.admin_key)).await.expect(201);
        }
        browser.get("/admin/v1/users").await.expect(401);
        browser.get("/oauth20/verify").await.expect(401);
        let session = browser.session();
        browser.post("/console/sign-out", &[]).await.expect(303);
        browser.set_session(&session);
        browser.get("/api/v1/tokens").await.expect(401);
    }
}

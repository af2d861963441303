//! `/console/security`: short-lived access tokens and API keys.

use super::browser::Browser;
use super::tokens::form_of;
use crate::support::{Answer, logs};

async fn generate(browser: &Browser<'_>, lifetime: &str, unit: &str) -> Answer {
    let page = browser.get("/console/security").await.expect(200).body;
    let form = form_of(&page, "/console/security/access-token");
    browser.post("/console/security/access-token", &[("form", &form), ("lifetime", lifetime), ("unit", unit)]).await
}

async fn generate_key(browser: &Browser<'_>, name: &str) -> Answer {
    let page = browser.get("/console/security").await.expect(200).body;
    let form = form_of(&page, "/console/security/keys");
    browser.post("/console/security/keys", &[("form", &form), ("name", name)]).await
}

on_both_databases! {
    async fn an_access_token_lives_from_thirty_minutes_to_six_hours(server: &TestServer) {
        let browser = Browser::operator(server).await;
        assert!(browser.get("/console/security").await.body.contains("From 30 minutes to 6 hours."));
        for (lifetime, unit) in [("30", "minutes"), ("6", "hours"), ("360", "minutes")] {
            let made = generate(&browser, lifetime, unit).await.expect(201);
            let secrets = logs::secrets_in(&made.body);
            assert_eq!(secrets.len(), 1);
            server.verify(&secrets[0]).await.expect(200);
        }
        for (lifetime, unit) in [("29", "minutes"), ("7", "hours"), ("361", "minutes"), ("", "hours"), ("1.5", "hours"), ("4294967295", "hours")] {
            let refused = generate(&browser, lifetime, unit).await.expect(422);
            assert!(refused.body.contains("between 30 minutes and 6 hours") || refused.body.contains("whole number"), "{lifetime} {unit}");
        }
    }

    async fn revoking_all_asks_first_says_so_and_spares_the_keys(server: &TestServer) {
        let browser = Browser::operator(server).await;
        let mut tokens = Vec::new();
        for _ in 0..2 {
            tokens.extend(logs::secrets_in(&generate(&browser, "1", "hours").await.expect(201).body));
        }
        let key = logs::secrets_in(&generate_key(&browser, "robot").await.expect(201).body).remove(0);
        let asked = browser.get("/console/security/revoke-all").await.expect(200).body;
        assert!(asked.contains("<dd>2</dd>") && asked.contains("HTTP 401") && asked.contains("Your API keys are not touched."));
        server.verify(&tokens[0]).await.expect(200);
        for form in [vec![], vec![("expected", "1")], vec![("expected", "x")], vec![("expected", "3")]] {
            let again = browser.post("/console/security/revoke-all", &form).await.expect(422).body;
            assert!(again.contains("The number has changed since it was shown.") && again.contains("name=\"expected\" value=\"2\""), "{form:?}");
        }
        server.verify(&tokens[0]).await.expect(200);
        let done = browser.post("/console/security/revoke-all", &[("expected", "2")]).await.expect(303);
        let page = browser.get(done.header("location")).await.expect(200).body;
        assert!(page.contains("All Access Tokens have been revoked."));
        for token in &tokens {
            server.verify(token).await.expect_invalid_token();
        }
        server.get("/api/v1/tokens", &key).await.expect(200);
        assert!(page.contains("robot"));
    }

    async fn a_key_needs_a_name_and_is_revoked_by_itself(server: &TestServer) {
        let browser = Browser::operator(server).await;
        let refused = generate_key(&browser, " ").await.expect(422);
        assert!(refused.body.contains("name"));
        let key = logs::secrets_in(&generate_key(&browser, "robot").await.expect(201).body).remove(0);
        let page = browser.get("/console/security").await.body;
        let code = page.split("revoke grt_").find(|rest| rest.contains("Revoke robot")).map(|rest| format!("grt_{}", &rest[..22])).unwrap();
        let asked = browser.post("/console/tokens/confirm", &[("one", &format!("revoke {code}"))]).await.expect(200);
        assert!(asked.body.contains("Revoke 1 token?") && asked.body.contains("HTTP 401"));
        browser.post("/console/tokens/apply", &[("action", "revoke"), ("expected", "1"), ("id", &code)]).await.expect(303);
        server.get("/api/v1/tokens", &key).await.expect_invalid_token();
        assert!(browser.get(&format!("/console/tokens/{code}")).await.expect(200).body.contains("badge revoked"));
    }
}

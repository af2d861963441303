//! `/console/admin/legacy…`: until when old tokens work, who uses them, more time, and an end.

use serde_json::json;

use super::browser::Browser;
use crate::support::legacy::DEADLINE;

const HOSTILE: &str = "<script>alert(1)</script>";

on_both_databases! {
    async fn an_import_shows_its_deadline_and_who_still_uses_it(server: &TestServer) {
        let browser = Browser::operator(server).await;
        assert!(browser.get("/console/admin/legacy").await.expect(200).body.contains("Nothing was imported"));
        let import = server.import("plain", json!({ "source": HOSTILE, "unmapped_owner": { "type": "user", "id": "admin" } })).await;
        let rows = [json!({ "token": "old-token-one", "name": HOSTILE }), json!({ "token": "old-token-two" })];
        server.upload(&import, "", &rows).await.expect(200);
        let list = browser.get("/console/admin/legacy").await.expect(200).body;
        assert!(list.contains("&#60;script&#62;alert(1)") && list.contains("2026-12-01"));
        let path = format!("/console/admin/legacy/{import}");
        assert!(browser.get(&path).await.expect(200).body.contains("Nobody has used one in that time"));
        server.verify("old-token-one").await.expect(200);
        server.service().flush_uses().await.unwrap();
        let page = browser.get(&path).await.expect(200).body;
        assert!(page.contains("<td class=\"name\">admin</td>") && !page.contains("<script>alert"));
        assert!(!page.contains("old-token-one") && !list.contains("old-token-one"));
        browser.get("/console/admin/legacy/imp_x").await.expect(404);
    }

    async fn the_deadline_is_moved_and_all_of_it_revoked_after_a_question(server: &TestServer) {
        let browser = Browser::operator(server).await;
        let path = format!("/console/admin/legacy/{}", server.legacy_token("old-token-one").await);
        for (typed, says) in [("", "date and a time"), ("2026-11-25T00:00", "before the present one"), ("2036-01-01T00:00", "at the latest")] {
            let refused = browser.post(&format!("{path}/extend"), &[("deadline", typed)]).await.expect(422).body;
            assert!(refused.contains(says), "{typed}: {says}");
        }
        browser.post(&format!("{path}/extend"), &[("deadline", "2027-03-01T09:30")]).await.expect(303);
        let page = browser.get(&format!("{path}?done=import-extended")).await.expect(200).body;
        assert!(page.contains("2027-03-01T09:30:00Z") && !page.contains(DEADLINE) && page.contains("The deadline is moved."));
        let asked = browser.get(&format!("{path}/revoke")).await.expect(200).body;
        assert!(asked.contains("<dd>1</dd>") && asked.contains("HTTP 401"));
        server.verify("old-token-one").await.expect(200);
        server.service().flush_uses().await.unwrap();
        let asked = browser.get(&format!("{path}/revoke")).await.expect(200).body;
        assert!(asked.contains("<dt>Owners</dt><dd>1</dd>") && asked.contains("data-label=\"Owner\">admin</td>"), "whose, and which were used last");
        browser.post(&format!("{path}/revoke"), &[("expected", "0")]).await.expect(422);
        server.verify("old-token-one").await.expect(200);
        browser.post(&format!("{path}/revoke"), &[("expected", "1")]).await.expect(303);
        server.verify("old-token-one").await.expect_invalid_token();
        let page = browser.get(&path).await.expect(200).body;
        assert!(page.contains("badge revoked") && !page.contains("/extend\""));
        browser.post(&format!("{path}/extend"), &[("deadline", "2027-04-01T00:00")]).await.expect(409);
    }

    async fn the_number_of_many_is_typed_and_has_to_be_the_present_one(server: &TestServer) {
        let browser = Browser::operator(server).await;
        let import = server.import("plain", json!({ "unmapped_owner": { "type": "user", "id": "admin" } })).await;
        let rows: Vec<_> = (0..6).map(|row| json!({ "token": format!("old-token-{row}") })).collect();
        server.upload(&import, "", &rows).await.expect(200);
        let revoke = format!("/console/admin/legacy/{import}/revoke");
        assert!(browser.get(&revoke).await.expect(200).body.contains("Type 6 to confirm"));
        for form in [vec![("expected", "6")], vec![("expected", "6"), ("typed", "5")], vec![("expected", "5"), ("typed", "5")]] {
            browser.post(&revoke, &form).await.expect(422);
        }
        server.verify("old-token-3").await.expect(200);
        browser.post(&revoke, &[("expected", "6"), ("typed", " 6 ")]).await.expect(303);
        server.verify("old-token-3").await.expect_invalid_token();
    }
}

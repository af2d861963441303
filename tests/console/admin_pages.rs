//! `/console/admin/audit` and `/console/admin/policies`

use super::browser::Browser;
use super::tokens::generate;

on_both_databases! {
    async fn the_audit_is_filtered_by_its_address(server: &TestServer) {
        let browser = Browser::operator(server).await;
        generate(&browser, "one", "30").await;
        let all = browser.get("/console/admin/audit").await.expect(200).body;
        for action in ["token.create", "session.open", "user.password"] {
            assert!(all.contains(&format!(">{action}</a>")), "{action}");
        }
        let some = browser.get("/console/admin/audit?action=token.create").await.expect(200).body;
        assert!(some.contains(">token.create</a>") && !some.contains(">session.open</a>"));
        assert!(browser.get("/console/admin/audit?after=2030-01-01").await.expect(200).body.contains("Nothing happened"));
    }

    async fn policies_are_listed_with_their_rules(server: &TestServer) {
        let page = Browser::operator(server).await.get("/console/admin/policies").await.expect(200).body;
        for text in ["<strong>access</strong>", "30 minutes – 6 hours", "No end", "All of the owner", "Over HTTP only"] {
            assert!(page.contains(text), "{text}");
        }
    }
}

//! `/console/admin/users`: somebody is invited, sets a password, and makes tokens as long as they may.

use super::browser::{Browser, PASSWORD};
use super::tokens::{form_of, generate};

on_both_databases! {
    async fn an_invited_member_sets_a_password_and_sees_their_own_pages_only(server: &TestServer) {
        let operator = Browser::operator(server).await;
        let form = form_of(&operator.get("/console/admin/users").await.expect(200).body, "/console/admin/users");
        let fields = [("form", form.as_str()), ("username", "ada<b>"), ("email", "ada@test.example"), ("role", "member")];
        let made = operator.post("/console/admin/users", &fields).await.expect(201);
        operator.post("/console/admin/users", &fields).await.expect(409);
        let link = made.body.split("https://auth.test").nth(1).unwrap().split('<').next().unwrap().to_owned();
        let ada = Browser::new(server);
        ada.get(&link).await.expect(303);
        ada.post("/console/setup", &[("new-password", PASSWORD), ("new-password-again", PASSWORD)]).await.expect(303);
        generate(&ada, "mine", "30").await;
        ada.get("/console/admin/users").await.expect(403);
        ada.get("/console/admin/tokens").await.expect(403);
        let page = operator.get("/console/admin/users?q=ada").await.expect(200).body;
        // The menu names who is signed in.
        assert!(page.contains("ada&#60;b&#62;") && page.matches("<strong>admin</strong>").count() == 2);
        let path = page.split("action=\"").find(|part| part.starts_with("/console/admin/users/usr_")).unwrap().split('"').next().unwrap().to_owned();
        let version = page.split("name=\"version\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
        operator.post(&path, &[("version", &version), ("tokens", "forbidden")]).await.expect(303);
        assert!(ada.get("/console/security").await.expect(200).body.contains("switched off making tokens"));
        assert!(!ada.get("/console/tokens").await.expect(200).body.contains("/console/tokens/new"));
        operator.post(&path, &[("version", &version), ("tokens", "allowed")]).await.expect(409);
    }
}

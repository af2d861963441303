//! `/console/admin/users`: somebody is invited, sets a password, and makes tokens as long as they may.

use super::browser::{Browser, PASSWORD};
use serde_json::json;

use super::tokens::{field_of, form_of, generate};
use crate::store::count;

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

    async fn role_and_email_are_edited_and_a_user_is_deleted_with_what_they_hold(server: &TestServer) {
        let operator = Browser::operator(server).await;
        let ada = server.user("ada", "member").await;
        let path = ada.path.replace("/admin/v1", "/console/admin");
        let edit = format!("{path}/edit");
        let form = operator.get(&edit).await.expect(200).body;
        assert!(form.contains("value=\"ada@example.test\""));
        let version = field_of(&form, "version");
        operator.post(&edit, &[("version", &version), ("email", "not one"), ("role", "king")]).await.expect(422);
        operator.post(&edit, &[("version", &version), ("email", ""), ("role", "admin")]).await.expect(303);
        let merge = operator.post(&edit, &[("version", &version), ("email", "late@x.test"), ("role", "member")]).await.expect(409).body;
        assert!(merge.contains("id=\"email-stored\"") && merge.contains("<code>Administrator</code>"));
        server.get("/admin/v1/users", &ada.key).await.expect(200);
        let delete = format!("{path}/delete");
        let asked = operator.get(&delete).await.expect(200).body;
        assert!(asked.contains("Delete the user ada?") && asked.contains("<dd>1</dd>"));
        operator.post(&delete, &[("expected", "1")]).await.expect(303);
        server.get("/admin/v1/users", &ada.key).await.expect_invalid_token();
        operator.get(&edit).await.expect(404);
    }

    async fn nobody_takes_away_the_last_operator_or_edits_somebody_above(server: &TestServer) {
        let operator = Browser::operator(server).await;
        let list = operator.get("/console/admin/users").await.expect(200).body;
        let id = list.split("/console/admin/users/usr_").nth(1).unwrap().split('/').next().unwrap().to_owned();
        let path = format!("/console/admin/users/usr_{id}");
        operator.get(&format!("{path}/delete")).await.expect(409);
        let version = field_of(&operator.get(&format!("{path}/edit")).await.body, "version");
        operator.post(&format!("{path}/edit"), &[("version", &version), ("role", "member")]).await.expect(409);
        let body = json!({ "username": "eve", "role": "admin", "password": PASSWORD });
        server.post_json("/admin/v1/users", &server.admin_key, &body).await.expect(201);
        let eve = Browser::new(server);
        eve.sign_in("eve", PASSWORD).await.expect(303);
        eve.post(&format!("{path}/edit"), &[("version", &version), ("email", "e@x.test"), ("role", "operator")]).await.expect(403);
        eve.post(&format!("{path}/delete"), &[("expected", "1")]).await.expect(403);
    }

    async fn a_password_that_an_administrator_sets_ends_that_users_sessions(server: &TestServer) {
        let (ada, operator) = (Browser::new(server), Browser::operator(server).await);
        let body = json!({ "username": "ada", "role": "member", "password": PASSWORD });
        let made = server.post_json("/admin/v1/users", &server.admin_key, &body).await.expect(201);
        ada.sign_in("ada", PASSWORD).await.expect(303);
        ada.get("/console/account").await.expect(200);
        let path = format!("/admin/v1/users/{}", made.text("id"));
        let patched = server.patch_json(&path, &server.admin_key, "*", &json!({ "tokens_allowed": false })).await.expect(200);
        ada.get("/console/account").await.expect(200);
        let etag = patched.header("etag").to_owned();
        server.patch_json(&path, &server.admin_key, &etag, &json!({ "password": "another horse battery" })).await.expect(200);
        ada.get("/console/account").await.expect(303);
        operator.get("/console/account").await.expect(200);
        ada.sign_in("ada", "another horse battery").await.expect(303);
        server.patch_json(&path, &server.admin_key, "*", &json!({ "password": null })).await.expect(200);
        ada.get("/console/account").await.expect(303);
    }

    async fn sessions_that_have_ended_are_purged(server: &TestServer) {
        let browser = Browser::operator(server).await;
        server.service().tidy().await.unwrap();
        browser.get("/console/account").await.expect(200);
        server.advance(12 * 3_600 + 1);
        server.service().tidy().await.unwrap();
        assert_eq!(count(&server.database, "SELECT COUNT(*) FROM console_session").await, 0);
    }
}

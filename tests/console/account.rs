//! `/console/account`

use super::browser::{Browser, PASSWORD};

const NEW: &str = "a quite different one";

on_both_databases! {
    async fn changing_the_password_ends_every_other_session(server: &TestServer) {
        let (here, there) = (Browser::operator(server).await, Browser::new(server));
        there.sign_in("admin", PASSWORD).await.expect(303);
        let form = |old| [("old-password", old), ("new-password", NEW), ("new-password-again", NEW)];
        let refused = here.post("/console/account/password", &form("not the old one")).await.expect(422);
        assert!(refused.body.contains("The password until now is not right."));
        there.get("/console/account").await.expect(200);
        here.post("/console/account/password", &form(PASSWORD)).await.expect(303);
        here.get("/console/account").await.expect(200);
        there.get("/console/account").await.expect(303);
        there.sign_in("admin", PASSWORD).await.expect(422);
        there.sign_in("admin", NEW).await.expect(303);
    }

    async fn sessions_are_listed_and_ended_one_by_one_or_all_but_this(server: &TestServer) {
        let (here, there, away) = (Browser::operator(server).await, Browser::new(server), Browser::new(server));
        there.sign_in("admin", PASSWORD).await.expect(303);
        away.sign_in("admin", PASSWORD).await.expect(303);
        let page = here.get("/console/account").await.expect(200).body;
        assert_eq!(page.matches("Chrome · Linux").count(), 3);
        assert_eq!(page.matches("This one").count(), 1);
        let ids: Vec<&str> = page.split("value=\"ses_").skip(1).map(|rest| &rest[..22]).collect();
        assert_eq!(ids.len(), 2);
        here.post("/console/account/sessions", &[("which", &format!("ses_{}", ids[0]))]).await.expect(303);
        let left = [there.get("/console/account").await.status, away.get("/console/account").await.status];
        assert_eq!(left.iter().filter(|status| **status == 200).count(), 1);
        here.post("/console/account/sessions", &[("which", &format!("ses_{}", ids[0]))]).await.expect(404);
        here.post("/console/account/sessions", &[("which", "others")]).await.expect(303);
        for ended in [&there, &away] {
            ended.get("/console/account").await.expect(303);
        }
        here.get("/console/account").await.expect(200);
        here.post("/console/account/sessions", &[("which", "x")]).await.expect(400);
    }
}

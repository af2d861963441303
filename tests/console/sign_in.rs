//! `/console/sign-in`, `/console/sign-out`, `/console/setup`

use futures_util::future::join_all;

use super::browser::{Browser, PASSWORD};
use crate::store;

on_both_databases! {
    async fn the_first_link_sets_the_operators_password_once(server: &TestServer) {
        let service = server.service();
        let link = service.first_password_link().await.unwrap().unwrap();
        let (one, two) = (Browser::new(server), Browser::new(server));
        for browser in [&one, &two] {
            browser.get(&format!("/console/setup?code={}", link.expose_secret())).await.expect(303);
            let page = browser.get("/console/setup").await.expect(200);
            assert!(page.body.contains("admin") && !page.body.contains(link.expose_secret().as_str()));
        }
        let form = [("new-password", PASSWORD), ("new-password-again", PASSWORD)];
        let set = one.post("/console/setup", &form).await.expect(303);
        assert!(!set.header("location").contains(PASSWORD));
        one.get("/console/account").await.expect(200);
        two.post("/console/setup", &form).await.expect(410);
        assert!(service.first_password_link().await.unwrap().is_none(), "somebody can sign in now");
    }

    async fn a_link_ends_after_fifteen_minutes_and_a_made_up_one_never_begins(server: &TestServer) {
        let link = server.service().first_password_link().await.unwrap().unwrap();
        let browser = Browser::new(server);
        browser.get(&format!("/console/setup?code={}", link.expose_secret())).await.expect(303);
        browser.get("/console/setup").await.expect(200);
        server.advance(15 * 60);
        browser.get("/console/setup").await.expect(410);
        let form = [("new-password", PASSWORD), ("new-password-again", PASSWORD)];
        browser.post("/console/setup", &form).await.expect(410);
        let stranger = Browser::new(server);
        for code in ["x", "", "a;%20Domain=evil.test", "A".repeat(43).as_str()] {
            stranger.get(&format!("/console/setup?code={code}")).await.expect(303);
            stranger.get("/console/setup").await.expect(410);
        }
    }

    async fn a_bad_password_is_refused_before_anything_is_used_up(server: &TestServer) {
        let browser = Browser::new(server);
        let refused = browser.set_up("short").await.expect(422);
        assert!(refused.body.contains("at least 10 characters"), "{}", refused.body);
        let form = [("new-password", PASSWORD), ("new-password-again", "correct horse batterz")];
        assert!(browser.post("/console/setup", &form).await.expect(422).body.contains("not the same"));
        let form = [("new-password", PASSWORD), ("new-password-again", PASSWORD)];
        browser.post("/console/setup", &form).await.expect(303);
    }

    async fn signing_in_leads_to_the_page_that_was_asked_for_and_every_time_to_a_new_session(server: &TestServer) {
        let operator = Browser::operator(server).await;
        let browser = Browser::new(server);
        let sent = browser.get("/console/account?x=1").await.expect(303);
        assert_eq!(sent.header("location"), "/console/sign-in?next=%2Fconsole%2Faccount%3Fx%3D1");
        let form = [("username", "admin"), ("password", PASSWORD), ("next", "/console/account?x=1")];
        let planted = operator.session();
        browser.set_session(&planted);
        let signed_in = browser.post("/console/sign-in", &form).await.expect(303);
        assert_eq!(signed_in.header("location"), "/console/account?x=1");
        assert_ne!(browser.session(), planted, "a session that was there before signing in must not be the one after");
        for elsewhere in ["https://evil.test", "//evil.test", "/console//evil.test", "/api/v1/tokens"] {
            let form = [("username", "admin"), ("password", PASSWORD), ("next", elsewhere)];
            assert_eq!(browser.post("/console/sign-in", &form).await.expect(303).header("location"), "/console");
        }
    }

    async fn a_wrong_password_and_an_unknown_name_look_the_same(server: &TestServer) {
        Browser::operator(server).await;
        let browser = Browser::new(server);
        let wrong = browser.sign_in("admin", "correct horse batterz").await.expect(422);
        let unknown = browser.sign_in("nobody", PASSWORD).await.expect(422);
        assert_eq!(wrong.body.replace("admin", "nobody"), unknown.body);
        assert!(browser.cookie("__Host-jeton_session").is_none());
        let elsewhere = [("username", "admin"), ("password", PASSWORD), ("workspace", "other")];
        browser.post("/console/sign-in", &elsewhere).await.expect(422);
        let here = [("username", "admin"), ("password", PASSWORD), ("workspace", "default")];
        browser.post("/console/sign-in", &here).await.expect(303);
    }

    async fn guessing_is_slowed_down_and_time_lets_the_owner_in(server: &TestServer) {
        Browser::operator(server).await;
        let browser = Browser::new(server);
        let attempts = join_all((0..30).map(|_| browser.sign_in("admin", "guess"))).await;
        let heard = attempts.iter().filter(|answer| answer.status == 422).count();
        assert_eq!(heard, 8, "the others are not even looked at");
        let throttled = attempts.iter().find(|answer| answer.status == 429).unwrap();
        let wait: u64 = throttled.header("retry-after").parse().unwrap();
        assert!((1..=31).contains(&wait));
        browser.sign_in("admin", PASSWORD).await.expect(429);
        server.advance(wait);
        browser.sign_in("admin", PASSWORD).await.expect(303);
        browser.sign_in("admin", "one slip is nothing").await.expect(422);
        browser.sign_in("admin", PASSWORD).await.expect(303);
    }

    async fn a_session_ends_when_it_is_idle_and_at_its_end_at_the_latest(server: &TestServer) {
        let browser = Browser::operator(server).await;
        server.advance(3599);
        browser.get("/console/account").await.expect(200);
        server.advance(3601);
        browser.get("/console/account").await.expect(303);
        browser.sign_in("admin", PASSWORD).await.expect(303);
        for _ in 0..23 {
            server.advance(1800);
            browser.get("/console/account").await.expect(200);
        }
        server.advance(1801);
        browser.get("/console/account").await.expect(303);
        let form = browser.post("/console/account/sessions", &[("which", "others")]).await.expect(401);
        assert!(form.body.contains("Nothing was changed"), "{}", form.body);
    }

    async fn signing_out_ends_the_session_and_not_only_its_cookie(server: &TestServer) {
        let browser = Browser::operator(server).await;
        let session = browser.session();
        let out = browser.post("/console/sign-out", &[]).await.expect(303);
        assert_eq!(out.header("clear-site-data"), "\"cache\", \"storage\"");
        assert!(browser.cookie("__Host-jeton_session").is_none());
        browser.set_session(&session);
        browser.get("/console/account").await.expect(303);
        assert_eq!(store::audit_rows(&server.database, "session.end").await.len(), 1);
    }

    async fn neither_passwords_nor_cookies_nor_links_are_stored_or_logged(server: &TestServer) {
        let start = crate::support::logs::position();
        let link = server.service().first_password_link().await.unwrap().unwrap();
        let browser = Browser::operator(server).await;
        browser.get(&format!("/console/setup?code={}", link.expose_secret())).await.expect(303);
        browser.sign_in("admin", "a wrong password 7315").await.expect(422);
        let mut places = server.database.dump().await;
        places.extend(crate::support::logs::captured_since(start));
        let places = String::from_utf8_lossy(&places);
        for secret in [PASSWORD, "a wrong password 7315", &browser.session(), link.expose_secret()] {
            assert!(!places.contains(secret));
        }
    }
}

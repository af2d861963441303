//! What all pages have in common: headers, languages, themes, errors, and whose forms are taken.

use jeton::http::routes::{self, Access};
use reqwest::Method;

use super::browser::{Browser, PASSWORD};

on_both_databases! {
    async fn every_page_is_locked_down_and_never_stored(server: &TestServer) {
        let browser = Browser::operator(server).await;
        for route in routes::pages() {
            if route.method == Some(Method::POST) {
                continue;
            }
            let path = route.path.replace("{file}", "x").replace("{*path}", "x/y").replace("{id}", "grt_0000000000000000000000");
            let answer = browser.get(&path).await;
            let policy = answer.header("content-security-policy").to_owned();
            for part in ["default-src 'none'", "script-src 'self'", "style-src 'self'", "form-action 'self'", "frame-ancestors 'none'"] {
                assert!(policy.contains(part), "{path}: {policy}");
            }
            assert!(!policy.contains("unsafe"));
            assert_eq!(answer.header("cache-control"), "no-store", "{path}");
            assert_eq!(answer.header("x-content-type-options"), "nosniff");
            assert_eq!(answer.header("x-frame-options"), "DENY");
            assert_eq!(answer.header("referrer-policy"), "same-origin");
            let body = answer.body.to_lowercase();
            for inline in ["<script>", " style=", "<style", "javascript:", " onclick=", "http://", "https://"] {
                let allowed = inline == "https://" && body.contains("https://auth.test");
                assert!(allowed || !body.contains(inline), "{path} has {inline}");
            }
            assert!(answer.body.len() < 100_000, "{path} weighs {}", answer.body.len());
        }
    }

    async fn the_files_that_pages_name_are_kept_for_ever(server: &TestServer) {
        let browser = Browser::new(server);
        let page = browser.get("/console/sign-in").await.expect(200).body;
        let files: Vec<&str> =
            page.split('"').filter(|part| part.starts_with("/console/assets/")).collect();
        assert!(files.len() >= 3);
        for file in files {
            let answer = browser.get(file).await.expect(200);
            assert_eq!(answer.header("cache-control"), "public, max-age=31536000, immutable");
            assert!(!answer.body.is_empty());
        }
        browser.get("/console/assets/console-0.css").await.expect(404);
    }

    async fn a_form_from_another_site_is_refused(server: &TestServer) {
        let browser = Browser::operator(server).await;
        let session = browser.session();
        for site in ["cross-site", "same-site"] {
            for route in routes::pages().into_iter().filter(|route| matches!(route.access, Access::Visitor | Access::Session | Access::AdminSession)) {
                if route.method != Some(Method::POST) {
                    continue;
                }
                let path = route.path.replace("{id}", "x");
                let refused = browser.post_from(site, &path, &[("username", "admin"), ("password", PASSWORD)]).await;
                assert_eq!(refused.status, 403, "{path}");
                assert!(refused.body.contains("This form came from somewhere else"));
            }
        }
        assert_eq!(browser.session(), session);
        let form = browser.request(Method::POST, "/console/sign-out").header("content-type", "application/x-www-form-urlencoded");
        server.send(form.header("origin", "https://evil.test")).await.expect(403);
        let form = browser.request(Method::POST, "/console/preferences").header("content-type", "application/x-www-form-urlencoded");
        server.send(form.header("origin", "https://auth.test")).await.expect(303);
        browser.get("/console/account").await.expect(200);
    }

    async fn pages_speak_the_readers_language_or_the_chosen_one(server: &TestServer) {
        let mut browser = Browser::new(server);
        browser.language = "fr-CA, en;q=0.5";
        let page = browser.get("/console/sign-in").await.expect(200).body;
        assert!(page.contains("<html lang=\"fr\"") && page.contains("Se connecter à Jeton"), "{page}");
        let changed = browser.post("/console/preferences", &[("language", "en"), ("back", "/console/sign-in?x=1")]).await;
        assert_eq!(changed.expect(303).header("location"), "/console/sign-in?x=1");
        assert!(browser.get("/console/sign-in").await.body.contains("Sign in to Jeton"));
        browser.post("/console/preferences", &[("theme", "dark"), ("back", "https://evil.test")]).await.expect(303);
        let page = browser.get("/console/sign-in").await.body;
        assert!(page.contains("data-theme=\"dark\"") && page.contains("lang=\"en\""));
        browser.post("/console/preferences", &[("theme", "\"><script>"), ("language", "xx")]).await.expect(303);
        assert!(browser.get("/console/sign-in").await.body.contains("data-theme=\"dark\""));
    }

    async fn errors_are_pages_too(server: &TestServer) {
        let browser = Browser::operator(server).await;
        let missing = browser.get("/console/no/such/page").await.expect(404);
        assert!(missing.body.contains("There is nothing here"));
        let broken = browser.request(Method::POST, "/console/account/password").header("content-type", "text/plain").body("x");
        server.send(broken).await.expect(400);
        crate::store::demote(&server.database, "member").await;
        for route in routes::pages().into_iter().filter(|route| route.access == Access::AdminSession) {
            if route.method == Some(Method::GET) {
                let path = route.path.replace("{id}", "x");
                assert!(browser.get(&path).await.expect(403).body.contains("This is not for your account"), "{path}");
            }
        }
        server.service().store.close().await;
        let down = browser.get("/console/account").await.expect(503);
        assert!(down.body.contains("Not possible at the moment"));
        assert!(!down.header("retry-after").is_empty());
        let down = browser.sign_in("admin", PASSWORD).await.expect(503);
        assert!(!down.body.contains("don’t fit together"), "an outage looks like a wrong password");
    }
}

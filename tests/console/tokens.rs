//! `/console/tokens…`: a pair is made and shown once, listed, disabled and deleted.

use super::browser::{Browser, PASSWORD};
use crate::support::{TestServer, logs};

/// The number of the form on a page.
pub fn form_of(page: &str, action: &str) -> String {
    let form = page.split(&format!("action=\"{action}\"")).nth(1).expect("the form is there");
    form.split("name=\"form\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned()
}

/// The value of a field that is not shown.
pub fn field_of(page: &str, name: &str) -> String {
    page.split(&format!("name=\"{name}\" value=\""))
        .nth(1)
        .expect("the field is there")
        .split('"')
        .next()
        .unwrap()
        .to_owned()
}

/// Makes a pair by the form and returns its secrets and the page.
pub async fn generate(browser: &Browser<'_>, name: &str, days: &str) -> (Vec<String>, String) {
    let page = browser.get("/console/tokens/new").await.expect(200).body;
    let form = form_of(&page, "/console/tokens/new");
    let made =
        browser.post("/console/tokens/new", &[("form", &form), ("name", name), ("days", days)]).await.expect(201);
    assert_eq!(made.header("cache-control"), "no-store");
    (logs::secrets_in(&made.body), made.body)
}

/// The code of the token of this name in a list.
pub fn code_of(page: &str, name: &str) -> String {
    let before = page.split(&format!("\">{name}</a>")).next().unwrap();
    before.rsplit("/console/tokens/").next().expect("a token of this name").to_owned()
}

async fn is_valid(server: &TestServer, token: &str) -> bool {
    server.verify(token).await.status == 200
}

on_both_databases! {
    async fn a_pair_is_shown_once_with_what_refreshing_needs(server: &TestServer) {
        let browser = Browser::operator(server).await;
        let (secrets, page) = generate(&browser, "nightly <b>import</b>", "30").await;
        assert_eq!(secrets.len(), 2);
        assert!(page.contains("nightly &#60;b&#62;import&#60;/b&#62;"));
        assert!(page.contains("default-api-tokens") && page.contains("https://auth.test/oauth20/token"));
        assert!(page.contains("1 hour") && page.contains("30 days"), "both lifetimes");
        assert!(is_valid(server, &secrets[0]).await);
        server.refresh("default-api-tokens", &secrets[1]).await.expect(200);
        for path in ["/console/tokens", "/console/security", &format!("/console/tokens/{}", code_of(&browser.get("/console/tokens").await.body, "nightly &#60;b&#62;import&#60;/b&#62;"))] {
            let shown = browser.get(path).await.expect(200).body;
            assert!(shown.contains("nightly") || path.contains("security"));
            assert!(logs::secrets_in(&shown).is_empty(), "{path} shows a secret again");
        }
    }

    async fn the_same_form_makes_one_token_however_often_it_is_sent(server: &TestServer) {
        let browser = Browser::operator(server).await;
        let page = browser.get("/console/tokens/new").await.body;
        let form = form_of(&page, "/console/tokens/new");
        let fields = [("form", form.as_str()), ("name", "once"), ("days", "7")];
        browser.post("/console/tokens/new", &fields).await.expect(201);
        let again = browser.post("/console/tokens/new", &fields).await.expect(409);
        assert!(logs::secrets_in(&again.body).is_empty() && again.body.contains("This form was sent before"));
        assert_eq!(browser.get("/console/tokens").await.body.matches(">once<").count(), 1);
        for made_up in ["", "x", &"A".repeat(44)] {
            browser.post("/console/tokens/new", &[("form", made_up), ("name", "x"), ("days", "7")]).await.expect(400);
        }
    }

    async fn a_lifetime_outside_the_bounds_is_told_with_both_bounds_and_nothing_is_made(server: &TestServer) {
        let browser = Browser::operator(server).await;
        for days in ["0", "366", "-1", "x", "4294967295"] {
            let page = browser.get("/console/tokens/new").await.body;
            let form = form_of(&page, "/console/tokens/new");
            let refused = browser.post("/console/tokens/new", &[("form", &form), ("name", "kept"), ("days", days)]).await.expect(422);
            assert!(refused.body.contains("1 day and 365 days") || refused.body.contains("whole number"), "{days}");
            assert!(refused.body.contains("value=\"kept\""), "what was typed is still there");
        }
        assert!(!browser.get("/console/tokens").await.body.contains(">kept<"));
    }

    async fn a_token_that_ends_within_a_week_is_marked(server: &TestServer) {
        let browser = Browser::operator(server).await;
        let start = server.clock.now();
        generate(&browser, "month", "30").await;
        generate(&browser, "week", "7").await;
        let code = code_of(&browser.get("/console/tokens").await.body, "month");
        let pages = ["/console/tokens".to_owned(), format!("/console/tokens/{code}"), "/console/admin/tokens".to_owned()];
        for path in &pages {
            assert!(!browser.get(path).await.body.contains("badge soon"), "{path}");
        }
        server.clock.set_wall(start.plus(std::time::Duration::from_secs(25 * 86_400)));
        browser.sign_in("admin", PASSWORD).await.expect(303);
        for path in &pages {
            let page = browser.get(path).await.expect(200).body;
            assert_eq!(page.matches("badge soon").count(), 1, "{path}: only the one that was made for longer");
            assert!(page.contains(">ends in 5 days<"), "{path}");
        }
    }

    async fn disabling_and_deleting_show_their_consequence_first(server: &TestServer) {
        let browser = Browser::operator(server).await;
        let (secrets, _) = generate(&browser, "one", "30").await;
        let code = code_of(&browser.get("/console/tokens").await.body, "one");
        let asked = browser.post("/console/tokens/confirm", &[("one", &format!("disable {code}"))]).await.expect(200);
        assert!(asked.body.contains("Disable 1 token?") && asked.body.contains("Used in the last 7 days"));
        assert!(is_valid(server, &secrets[0]).await, "asking changes nothing");
        let done = browser.post("/console/tokens/apply", &[("action", "disable"), ("expected", "1"), ("id", &code)]).await.expect(303);
        assert_eq!(done.header("location"), "/console/tokens?done=token-disabled");
        assert!(!is_valid(server, &secrets[0]).await);
        assert!(browser.get("/console/tokens").await.body.contains("badge disabled"));
        browser.post("/console/tokens/apply", &[("action", "delete"), ("expected", "1"), ("id", &code)]).await.expect(303);
        assert!(!browser.get("/console/tokens").await.body.contains(">one<"));
        browser.get(&format!("/console/tokens/{code}")).await.expect(404);
        browser.post("/console/tokens/apply", &[("action", "explode"), ("expected", "1"), ("id", &code)]).await.expect(400);
    }

    async fn many_at_once_need_their_number_typed_and_only_that_number(server: &TestServer) {
        let browser = Browser::operator(server).await;
        let mut secrets = Vec::new();
        for name in ["a", "b", "c", "d", "e", "f"] {
            secrets.push(generate(&browser, name, "30").await.0.remove(0));
        }
        let page = browser.get("/console/tokens").await.body;
        let codes = ["a", "b", "c", "d", "e", "f"].map(|name| code_of(&page, name));
        let mut form: Vec<(&str, &str)> = codes.iter().map(|code| ("id", code.as_str())).collect();
        form.push(("action", "delete"));
        let asked = browser.post("/console/tokens/confirm", &form).await.expect(200);
        assert!(asked.body.contains("Type 6 to confirm"));
        form.push(("expected", "6"));
        let wrong = browser.post("/console/tokens/apply", &[form.as_slice(), &[("typed", "5")]].concat()).await.expect(200);
        assert!(wrong.body.contains("That is not the number."));
        assert!(is_valid(server, &secrets[0]).await);
        browser.post("/console/tokens/apply", &[form.as_slice(), &[("typed", "6")]].concat()).await.expect(303);
        for secret in &secrets {
            assert!(!is_valid(server, secret).await);
        }
    }

    async fn hostile_names_and_filters_stay_inert(server: &TestServer) {
        let browser = Browser::operator(server).await;
        let corpus = [
            "<script>alert(1)</script>", "\"><img src=x onerror=alert(1)>", "'; alert(1); '", "{{7*7}}", "</textarea><script>x</script>",
            "javascript:alert(1)", "&lt;b&gt;", "<svg/onload=alert(1)>",
        ];
        for name in corpus {
            generate(&browser, name, "7").await;
            let query: String = form_urlencoded::Serializer::new(String::new()).append_pair("q", name).append_pair("status", name).finish();
            for path in ["/console/tokens".to_owned(), format!("/console/tokens?q={query}"), format!("/console/admin/tokens?{query}&owner={query}")] {
                let page = browser.get(&path).await.expect(200).body;
                for live in ["<script>alert", "<img src=x", "<svg/onload", "</textarea><script", "onerror=alert(1)>"] {
                    assert!(!page.contains(live), "{path} has {live}");
                }
            }
        }
    }
}

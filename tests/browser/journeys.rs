//! What people do in the console, with and without JavaScript.

use jeton::domain::clock::Clock;

use super::driver::{Browser, DESKTOP, Window};
use super::{PASSWORD, server, set_up};
use crate::console::provider::{Provider, Ways};
use crate::support::{TestClient, TestDatabase, TestServer, logs};

const PLAIN: Window = Window { script: false, ..DESKTOP };

/// Makes a pair, and looks at the page that shows it once.
async fn a_pair_is_made_copied_and_never_shown_again(server: &TestServer, window: Window) {
    let browser = Browser::start(window).await;
    set_up(server, &browser).await;
    browser.press("a[href='/console/tokens/new']").await;
    browser.fill("name", "nightly import").await;
    browser.fill("days", "30").await;
    browser.press("form[action='/console/tokens/new'] button").await;
    let (access, refresh) = (browser.value_of("#bearer").await, browser.value_of("#refresh").await);
    assert_eq!(logs::secrets_in(&format!("{access} {refresh}")).len(), 2);
    assert!(!browser.address().await.contains("jtn_"));
    server.verify(&access).await.expect(200);
    for part in
        ["shown this once", "30 days", "1 hour", "default-api-tokens", "/oauth20/token", "grant_type=refresh_token"]
    {
        browser.sees(part).await;
    }
    if window.script {
        browser.press(".secret button").await;
        // The answer of the clipboard comes when it comes.
        while browser.text_of(".secret [role=status]").await.is_empty() {
            tokio::task::yield_now().await;
        }
        assert_eq!(browser.text_of(".secret [role=status]").await, "Copied");
        assert_eq!(
            browser.run("document.querySelector('#refresh').focus(); return getSelection().toString()").await,
            refresh.as_str()
        );
    }
    browser.press("a[href='/console/tokens'].primary").await;
    browser.back().await;
    let source = browser.source().await;
    assert!(!source.contains(&access) && !source.contains(&refresh), "the back button shows the secret again");
    browser.open(&format!("{}/console/tokens?q=nightly", server.url)).await;
    browser.sees("nightly import").await;
    assert_eq!(browser.text().await.matches("nightly import").count(), 1, "and makes no second token");

    browser.press("details.dots summary").await;
    browser.press("details.dots button[value^='disable']").await;
    browser.sees("Disable 1 token?").await;
    browser.sees("Used in the last 7 days").await;
    browser.press("form[action='/console/tokens/apply'] button.danger").await;
    browser.sees("Disabled").await;
    server.verify(&access).await.expect_invalid_token();
    browser.open(&format!("{}/console/tokens?q=nightly", server.url)).await;
    browser.press("tbody input[type=checkbox]").await;
    browser.press(".toolbar button[value=delete]").await;
    browser.press("form[action='/console/tokens/apply'] button.danger").await;
    browser.sees("Deleted.").await;
    assert!(!browser.text().await.contains("nightly import"));
}

/// Short-lived access tokens: made, and all revoked after a question.
async fn access_tokens_are_generated_and_all_revoked(server: &TestServer, window: Window) {
    let browser = Browser::start(window).await;
    set_up(server, &browser).await;
    browser.open(&format!("{}/console/security", server.url)).await;
    browser.sees("From 30 minutes to 6 hours.").await;
    browser.fill("lifetime", "7").await;
    browser.press("form[action='/console/security/access-token'] button").await;
    browser.sees("between 30 minutes and 6 hours").await;
    browser.fill("name", "robot").await;
    browser.press("form[action='/console/security/keys'] button").await;
    browser.sees("Good until you revoke it").await;
    let key = browser.value_of("#bearer").await;
    browser.press(".actions a.primary").await;
    browser.fill("lifetime", "2").await;
    browser.press("form[action='/console/security/access-token'] button").await;
    let token = browser.value_of("#bearer").await;
    server.verify(&token).await.expect(200);
    browser.reload().await;
    assert!(!browser.source().await.contains(&token), "reloading shows the secret again");
    browser.open(&format!("{}/console/security", server.url)).await;
    browser.press("a[href='/console/security/revoke-all']").await;
    browser.sees("HTTP 401").await;
    browser.sees("Your API keys are not touched.").await;
    server.verify(&token).await.expect(200);
    browser.press("form[action='/console/security/revoke-all'] button").await;
    browser.sees("All Access Tokens have been revoked.").await;
    server.verify(&token).await.expect_invalid_token();
    server.verify(&key).await.expect(200);
}

/// An administrator finds a token, looks at both tabs, edits and revokes it.
async fn an_administrator_edits_and_revokes(server: &TestServer, window: Window) {
    let body = serde_json::json!({ "policy": "api", "name": "crm", "lifetime": "30d" });
    let token = server.own_token(&body).await.text("access_token");
    let browser = Browser::start(window).await;
    set_up(server, &browser).await;
    browser.open(&format!("{}/console/admin/tokens", server.url)).await;
    browser.fill("q", "crm").await;
    browser.press("form[role=search] button").await;
    browser.is_at("q=crm").await;
    browser.press("td.name a").await;
    browser.press(".tabs a:nth-child(2)").await;
    browser.sees_in(".tabs [aria-current=page]", "APIs and Plans").await;
    browser.press(".head a[href$='/edit']").await;
    browser.fill("extra-name", "team").await;
    browser.fill("extra-value", "blue").await;
    browser.press("form.card button.primary").await;
    browser.sees("blue").await;
    browser.press(".head button.danger").await;
    browser.sees("Requests with a revoked token get HTTP 401.").await;
    server.verify(&token).await.expect(200);
    browser.press("form[action$='/apply'] button.danger").await;
    browser.sees("Revoked").await;
    server.verify(&token).await.expect_invalid_token();
}

/// A managed token is found by each filter, and everything of it that may be edited is.
async fn a_managed_token_is_filtered_and_edited_in_all_its_parts(server: &TestServer, window: Window) {
    let key = &server.admin_key;
    let api = serde_json::json!({ "name": "orders", "audience": "https://orders.example", "scopes": [] });
    server.post_json("/admin/v1/apis", key, &api).await.expect(201);
    let plan = serde_json::json!({ "name": "small", "requests": 100, "period": "1m", "apis": ["orders"] });
    server.post_json("/admin/v1/plans", key, &plan).await.expect(201);
    let ada = server.user("ada", "member").await;
    let body = serde_json::json!({ "policy": "managed", "name": "crm", "lifetime": "30d" });
    let made = server.post_json("/admin/v1/tokens", key, &body).await.expect(201).json();
    let code = made["token"]["id"].as_str().unwrap().to_owned();
    server.own_token(&serde_json::json!({ "policy": "access", "lifetime": "1h" })).await;
    let browser = Browser::start(window).await;
    set_up(server, &browser).await;
    browser.open(&format!("{}/console/admin/tokens", server.url)).await;
    for column in ["Code", "Owner", "Linked app", "Status", "Created", "Last used", "Expires"] {
        browser.sees_in("thead", column).await;
    }
    browser.press(".more summary").await;
    browser.fill("code", &code).await;
    browser.press("option[value=active]").await;
    browser.press("form[role=search] button").await;
    browser.is_at(&format!("code={code}")).await;
    browser.press("td.name a").await;
    browser.sees_in("h1", "crm").await;
    browser.press(".head a[href$='/edit']").await;
    browser.fill("owner", &ada.id).await;
    browser.fill("extra-name", "team").await;
    browser.fill("extra-value", "blue").await;
    browser.press("[name=api][value=orders]").await;
    browser.press("[name=plan][value=small]").await;
    browser.press("form.card button.primary").await;
    browser.sees("In force from the next request on.").await;
    browser.sees_in("dl.facts", "ada").await;
    browser.press(".tabs a:nth-child(2)").await;
    browser.sees_in("main", "orders").await;
    browser.sees_in("main", "small").await;
    for (filters, found) in [
        (format!("owner={}", ada.id), true),
        ("api=orders".to_owned(), true),
        ("created-after=2026-01-01&created-before=2036-01-01".to_owned(), true),
        ("status=expired".to_owned(), false),
        ("expires-before=2026-01-02".to_owned(), false),
        ("api=billing".to_owned(), false),
    ] {
        browser.open(&format!("{}/console/admin/tokens?policy=managed&{filters}", server.url)).await;
        browser.sees(if found { "crm" } else { "Nothing matches" }).await;
    }
}

/// What an OAuth flow has made is not revoked on its page, which tells the call that does it.
async fn an_oauth_token_tells_the_call_that_revokes_it(server: &TestServer, window: Window) {
    let client = server.client(&[]).await;
    let token = server.access_token(&client).await;
    let browser = Browser::start(window).await;
    set_up(server, &browser).await;
    browser.open(&format!("{}/console/admin/tokens?policy=session", server.url)).await;
    browser.press("td.name a").await;
    browser.sees("An OAuth flow has made this token").await;
    browser.sees_in("pre", &format!("curl -X DELETE {}/oauth20/access-token", server.url)).await;
    assert!(!browser.source().await.contains("value=\"revoke "), "no button that could not do it");
    browser.open(&format!("{}/console/admin/tokens?policy=session", server.url)).await;
    browser.press("tbody input[type=checkbox]").await;
    browser.press(".toolbar button[value=revoke]").await;
    browser.sees("Nothing would change.").await;
    browser.sees("/oauth20/access-token").await;
    server.verify(&token).await.expect(200);
    server.delete("/oauth20/access-token", &token).await.expect(200);
    browser.open(&format!("{}/console/admin/tokens?policy=session", server.url)).await;
    browser.sees_in("tbody", "Revoked").await;
}

/// A client is made, its secret kept, a second secret made beside it, and all of it deleted.
async fn a_client_gets_two_secrets_and_is_deleted(server: &TestServer, window: Window) {
    let browser = Browser::start(window).await;
    set_up(server, &browser).await;
    browser.open(&format!("{}/console/admin/clients", server.url)).await;
    browser.press(".head a.primary").await;
    browser.fill("name", "Orders").await;
    browser.fill("scopes", "orders:read \"").await;
    browser.press("form.card button").await;
    browser.sees("Something can’t be accepted.").await;
    browser.fill("scopes", "orders:read").await;
    browser.press("form.card button").await;
    browser.sees("Your new client").await;
    let first = browser.value_of("#secret").await;
    assert_eq!(logs::secrets_in(&first).len(), 1);
    assert!(!browser.address().await.contains("jtn_"));
    browser.press(".actions a.primary").await;
    browser.sees_in("h1", "Orders").await;
    let id = browser.text_of(".facts code").await;
    browser.back().await;
    assert!(!browser.source().await.contains(&first), "the back button shows the secret again");
    browser.open(&format!("{}/console/admin/clients/{id}/rotate", server.url)).await;
    browser.press("form.card button").await;
    browser.sees("The new secret").await;
    let second = browser.value_of("#secret").await;
    let form = [("grant_type", "client_credentials")];
    let mut tokens = Vec::new();
    for secret in [first, second] {
        let client = TestClient { id: id.clone(), secret };
        tokens.push(server.post_form("/oauth20/token", Some(&client), &form).await.expect(200).text("access_token"));
    }
    browser.press(".actions a.primary").await;
    browser.sees("Two secrets are accepted.").await;
    browser.press(".head a.warn").await;
    browser.sees("Delete the client Orders?").await;
    assert_eq!(browser.text_of(".tally dd").await, "2");
    server.verify(&tokens[0]).await.expect(200);
    browser.press("button.danger").await;
    browser.sees("The client is deleted").await;
    for token in &tokens {
        server.verify(token).await.expect_invalid_token();
    }
}

/// An API and a plan for it are made; the plan is edited by two at once, and deleted.
async fn an_api_and_a_plan_are_made_and_merged(server: &TestServer, window: Window) {
    let browser = Browser::start(window).await;
    set_up(server, &browser).await;
    browser.open(&format!("{}/console/admin/apis", server.url)).await;
    browser.sees("This workspace has no APIs.").await;
    browser.press(".head a.primary").await;
    browser.fill("name", "orders").await;
    browser.fill("audience", "https://orders.example").await;
    browser.press("form.card button").await;
    browser.sees("The API is made.").await;
    browser.open(&format!("{}/console/admin/new/plan", server.url)).await;
    browser.fill("name", "small").await;
    browser.press("input[value=orders]").await;
    browser.press("form.card button").await;
    browser.sees("100 in 1 minute").await;
    browser.press("td.name a").await;
    browser.sees("Edit small").await;
    let plans = server.get("/admin/v1/plans", &server.admin_key).await.json();
    let path = format!("/admin/v1/plans/{}", plans["data"][0]["id"].as_str().unwrap());
    server.patch_json(&path, &server.admin_key, "*", &serde_json::json!({ "requests": 7 })).await.expect(200);
    browser.fill("requests", "500").await;
    browser.press("form.card button").await;
    browser.sees("Somebody else has changed this").await;
    assert_eq!(browser.text_of("#requests-stored code").await, "7");
    assert_eq!(browser.value_of("#requests").await, "500");
    browser.press("form.card button").await;
    browser.sees("500 in 1 minute").await;
    browser.press("details.dots summary").await;
    browser.press(".dots .sheet a.warn").await;
    browser.sees("Delete the plan small?").await;
    browser.press("button.danger").await;
    browser.sees("The plan is deleted.").await;
}

/// An administrator sees who uses old tokens, gives them more time, asks why one was refused, and ends them.
async fn old_tokens_are_watched_extended_explained_and_ended(server: &TestServer, window: Window) {
    server.legacy_token("old-token-one").await;
    server.verify("old-token-one").await.expect(200);
    server.service().flush_uses().await.unwrap();
    let browser = Browser::start(window).await;
    set_up(server, &browser).await;
    browser.open(&format!("{}/console/admin/legacy", server.url)).await;
    browser.press("td.name a").await;
    browser.sees_in("tbody td.name", "admin").await;
    // The keys of a field of date and time depend on the language of the browser.
    browser.press("section.card button").await;
    browser.sees("The deadline is moved.").await;
    browser.press(".head a.warn").await;
    browser.sees("HTTP 401").await;
    browser.press("button.danger").await;
    browser.sees("Every token of it is revoked.").await;
    let refused = server.verify("old-token-one").await.expect(401);
    browser.open(&format!("{}/console/admin/explain", server.url)).await;
    browser.fill("q", refused.header("x-request-id")).await;
    browser.press("form.card button").await;
    browser.sees("Refused requests").await;
    browser.sees("GET /oauth20/verify").await;
    assert!(!browser.address().await.contains(refused.header("x-request-id")));
}

/// A user is made and signs in by the link; an administrator changes their role and deletes them, with their tokens.
async fn a_user_is_made_edited_and_deleted(server: &TestServer, window: Window) {
    let browser = Browser::start(window).await;
    set_up(server, &browser).await;
    browser.open(&format!("{}/console/admin/users", server.url)).await;
    browser.fill("username", "ada").await;
    browser.fill("email", "ada@example.test").await;
    browser.press("form[action='/console/admin/users'].card button").await;
    let link = browser.value_of("#link").await;
    let hers = Browser::start(window).await;
    hers.open(&link).await;
    assert!(!hers.address().await.contains("code="), "the code is in no address that stays");
    hers.fill("new-password", PASSWORD).await;
    hers.fill("new-password-again", PASSWORD).await;
    hers.press("form[action='/console/setup'] button").await;
    hers.is_at("done=welcome").await;
    hers.press("a[href='/console/tokens/new']").await;
    hers.fill("name", "hers").await;
    hers.press("form[action='/console/tokens/new'] button").await;
    let token = hers.value_of("#bearer").await;
    server.verify(&token).await.expect(200);

    let row_menu = async |entry: &str| {
        browser.open(&format!("{}/console/admin/users?q=ada", server.url)).await;
        browser.press(".dots summary").await;
        browser.press(entry).await;
    };
    row_menu(".dots .sheet a[href$='/edit']").await;
    browser.press("option[value=admin]").await;
    browser.press("form.card button").await;
    browser.sees("Administrator").await;
    hers.open(&format!("{}/console/admin", server.url)).await;
    hers.sees("Live tokens by policy").await;
    browser.open(&format!("{}/console/admin/users?q=ada", server.url)).await;
    browser.press("button[value=forbidden]").await;
    browser.sees("Making tokens is forbidden.").await;
    hers.open(&format!("{}/console/security", server.url)).await;
    hers.sees("switched off making tokens").await;
    row_menu(".dots .sheet a[href$='/delete']").await;
    browser.sees("Delete the user ada?").await;
    assert_eq!(browser.text_of(".tally dd").await, "1");
    server.verify(&token).await.expect(200);
    browser.press("button.danger").await;
    browser.sees("The user is deleted").await;
    server.verify(&token).await.expect_invalid_token();
    hers.open(&format!("{}/console/tokens", server.url)).await;
    hers.is_at("/console/sign-in").await;
}

/// The figures of the workspace, the list behind one of them, and that list as a file.
async fn the_overview_leads_to_a_list_that_is_exported(server: &TestServer, window: Window) {
    for name in ["crm", "erp"] {
        let body = serde_json::json!({ "policy": "api", "name": name, "lifetime": "30d" });
        let token = server.own_token(&body).await.text("access_token");
        server.verify(&token).await.expect(200);
    }
    server.verify("nonsense").await.expect(401);
    server.service().flush_refusals().await.unwrap();
    let browser = Browser::start(window).await;
    set_up(server, &browser).await;
    browser.open(&format!("{}/console/admin", server.url)).await;
    browser.sees("The string was not made by this service").await;
    browser.has("svg[role=img] rect").await;
    browser.press(".figure details summary").await;
    browser.has(".figure details[open] td.num").await;
    browser.press(".bars a[href$='policy=api']").await;
    browser.sees_in("tbody", "crm").await;
    browser.sees_in("tbody", "erp").await;
    browser.fill("q", "crm").await;
    browser.press("form[role=search] button").await;
    browser.is_at("q=crm").await;
    assert!(!browser.text_of("tbody").await.contains("erp"));
    // What the link gives to this session: a page can't say what a download holds.
    let link = browser.attribute_of("a[href*='as=csv']", "href").await;
    let cookie = browser.cookie("jeton_session").await;
    let file = server.request(reqwest::Method::GET, &link).header("cookie", format!("jeton_session={cookie}"));
    let file = server.send(file).await.expect(200);
    assert!(file.body.contains("crm") && !file.body.contains("erp") && !file.body.contains("jtn_"), "{}", file.body);
}

/// Nothing but Tab, Enter and text.
async fn signing_in_needs_only_the_keyboard(server: &TestServer, window: Window) {
    let browser = Browser::start(window).await;
    set_up(server, &browser).await;
    browser.press(".rail form[action='/console/sign-out'] button").await;
    browser.sees("You are signed out.").await;
    browser.keys("admin\u{e004}").await;
    browser.keys(&format!("{PASSWORD}\u{e007}")).await;
    browser.sees("My tokens").await;
}

/// Somebody signs in by a real provider, is told when they cancel there, and out again.
async fn somebody_signs_in_by_a_provider(database: TestDatabase, window: Window) {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let url = format!("http://127.0.0.1:{port}");
    let people = serde_json::json!({ "sub-ada": { "email": "ada@example.test", "email_verified": true } });
    let provider = Provider::start(&url, Ways::default(), &people);
    let mut options = provider.options();
    options.extend([
        ("http.listen", format!("127.0.0.1:{port}")),
        ("public_url", url.clone()),
        ("console.oidc.match_by", "email".to_owned()),
    ]);
    let clock = Clock::manual(Clock::default().now());
    let server = TestServer::start_at(database, clock, options).await;
    server.user("ada", "member").await;
    let browser = Browser::start(window).await;
    browser.open(&format!("{url}/console/account")).await;
    browser.press("a[href^='/console/sign-in/oidc']").await;
    browser.sees("Who are you?").await;
    browser.press("button[value=cancel]").await;
    browser.sees("You were not signed in").await;
    browser.press("a[href='/console/sign-in']").await;
    browser.press("a[href^='/console/sign-in/oidc']").await;
    browser.fill("login", "sub-ada").await;
    browser.press("button[value=in]").await;
    browser.sees("My tokens").await;
    assert!(!browser.address().await.contains("code="), "the code is in no address that stays");
    browser.open(&format!("{url}/console/account")).await;
    browser.sees("You can sign in with Acme since").await;
    browser.press(".rail form[action='/console/sign-out'] button").await;
    browser.sees("You are signed out.").await;
    // The provider still knows who it is: one click, and no question.
    browser.press("a[href^='/console/sign-in/oidc']").await;
    browser.sees("My tokens").await;
    server.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs Chromium: cargo xtask test"]
async fn a_page_says_before_that_access_tokens_live_on() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let options = vec![
        ("http.listen", format!("127.0.0.1:{port}")),
        ("public_url", format!("http://127.0.0.1:{port}")),
        ("policies.api.on_disable", "refresh_only".to_owned()),
    ];
    let server = TestServer::start_with(TestDatabase::sqlite(), options).await;
    let made = server.own_token(&serde_json::json!({ "policy": "api", "name": "nightly", "lifetime": "30d" })).await;
    let (access, refresh) = (made.text("access_token"), made.text("refresh_token"));
    let browser = Browser::start(PLAIN).await;
    set_up(&server, &browser).await;
    browser.open(&format!("{}/console/tokens?q=nightly", server.url)).await;
    browser.press(".dots summary").await;
    browser.press(".dots[open] button[value^=disable]").await;
    browser.sees("Access tokens that were handed out go on to their own end, for up to 1 hour.").await;
    browser.press("form[action='/console/tokens/apply'] button.danger").await;
    browser.sees("Disabled.").await;
    server.verify(&access).await.expect(200);
    server.refresh("default-api-tokens", &refresh).await.expect(400);
    server.finish().await;
}

mod single_sign_on {
    use super::*;

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    #[ignore = "needs Chromium and node-oidc-provider: cargo xtask test"]
    async fn on_sqlite() {
        somebody_signs_in_by_a_provider(TestDatabase::sqlite(), DESKTOP).await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    #[ignore = "needs PostgreSQL, Chromium and node-oidc-provider: cargo xtask test"]
    async fn on_postgres() {
        somebody_signs_in_by_a_provider(TestDatabase::postgres().await, DESKTOP).await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    #[ignore = "needs Chromium and node-oidc-provider: cargo xtask test"]
    async fn without_javascript() {
        somebody_signs_in_by_a_provider(TestDatabase::sqlite(), PLAIN).await;
    }
}

macro_rules! journeys {
    ($($name:ident)*) => {$(
        mod $name {
            use super::*;

            async fn on(database: TestDatabase, window: Window) {
                let server = server(database).await;
                super::$name(&server, window).await;
                server.finish().await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            #[ignore = "needs Chromium: cargo xtask test"]
            async fn on_sqlite() {
                on(TestDatabase::sqlite(), DESKTOP).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            #[ignore = "needs PostgreSQL and Chromium: cargo xtask test"]
            async fn on_postgres() {
                on(TestDatabase::postgres().await, DESKTOP).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            #[ignore = "needs Chromium: cargo xtask test"]
            async fn without_javascript() {
                on(TestDatabase::sqlite(), PLAIN).await;
            }
        }
    )*};
}

journeys! {
    a_pair_is_made_copied_and_never_shown_again
    access_tokens_are_generated_and_all_revoked
    an_administrator_edits_and_revokes
    signing_in_needs_only_the_keyboard
    a_client_gets_two_secrets_and_is_deleted
    an_api_and_a_plan_are_made_and_merged
    old_tokens_are_watched_extended_explained_and_ended
    a_user_is_made_edited_and_deleted
    a_managed_token_is_filtered_and_edited_in_all_its_parts
    an_oauth_token_tells_the_call_that_revokes_it
    the_overview_leads_to_a_list_that_is_exported
}

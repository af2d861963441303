//! The way through every page of the console, in each state that looks different. Pictures are taken on it, and axe goes along.

use jeton::domain::clock::Clock;
use serde_json::json;

use super::driver::{Browser, Window};
use super::{PASSWORD, first_link};
use crate::support::legacy::sha256_hex;
use crate::support::{TestDatabase, TestServer};

/// Who looks at each page.
pub trait Look {
    async fn look(&mut self, browser: &Browser, page: &str);
}

/// Pages that an address leads to, in a workspace where nothing was done yet.
const EMPTY: [(&str, &str); 8] = [
    ("empty-tokens", "/console/tokens"),
    ("empty-security", "/console/security"),
    ("empty-overview", "/console/admin"),
    ("empty-clients", "/console/admin/clients?q=nobody"),
    ("empty-apis", "/console/admin/apis"),
    ("empty-plans", "/console/admin/plans"),
    ("empty-legacy", "/console/admin/legacy"),
    ("empty-users", "/console/admin/users?q=nobody"),
];

/// Pages that an address leads to.
const PAGES: [(&str, &str); 28] = [
    ("admin", "/console/admin"),
    ("clients", "/console/admin/clients"),
    ("client", "/console/admin/clients/orders-service"),
    ("client-own", "/console/admin/clients/default-api-tokens"),
    ("client-new", "/console/admin/new/client"),
    ("client-edit", "/console/admin/clients/orders-service/edit"),
    ("client-rotate", "/console/admin/clients/orders-service/rotate"),
    ("client-delete", "/console/admin/clients/orders-service/delete"),
    ("apis", "/console/admin/apis"),
    ("api-new", "/console/admin/new/api"),
    ("plans", "/console/admin/plans"),
    ("plan-new", "/console/admin/new/plan"),
    ("legacy", "/console/admin/legacy"),
    ("explain", "/console/admin/explain"),
    ("explained-request", "/console/admin/explain?request_id=pictured"),
    ("explained-nothing", "/console/admin/explain?request_id=nobody-knows-it"),
    ("users", "/console/admin/users"),
    ("policies", "/console/admin/policies"),
    ("audit", "/console/admin/audit"),
    ("audit-nothing", "/console/admin/audit?after=2036-01-01"),
    ("tokens", "/console/tokens"),
    ("tokens-nothing", "/console/tokens?q=nobody"),
    ("token-new", "/console/tokens/new"),
    ("security", "/console/security"),
    ("revoke-all", "/console/security/revoke-all"),
    ("all-tokens", "/console/admin/tokens"),
    ("all-tokens-filtered", "/console/admin/tokens?status=revoked&created-after=2026-01-01"),
    ("not-found", "/console/no-such-page"),
];

/// Pages that are reached from another one: a name, where to begin, what to press, and what only the page itself has.
const REACHED: [(&str, &str, &str, &str); 14] = [
    ("legacy-import", "/console/admin/legacy", "td.name a", "form[action$='/extend']"),
    ("legacy-revoke", "/console/admin/legacy/IMPORT", ".head a.warn", "form[action$='/revoke']"),
    ("user-edit", "/console/admin/users?q=ada", ".dots .sheet a[href$='/edit']", "form[action$='/edit']"),
    ("user-delete", "/console/admin/users?q=ada", ".dots .sheet a[href$='/delete']", "form[action$='/delete']"),
    ("user-delete-self", "/console/admin/users?q=admin", ".dots .sheet a[href$='/delete']", ".calm"),
    ("api-edit", "/console/admin/apis", "td.name a", "form[action$='/edit']"),
    ("api-delete", "/console/admin/apis", ".dots .sheet a[href$='/delete']", "form[action$='/delete']"),
    ("plan-edit", "/console/admin/plans", "td.name a", "form[action$='/edit']"),
    ("plan-delete", "/console/admin/plans", ".dots .sheet a[href$='/delete']", "form[action$='/delete']"),
    ("token", "/console/tokens?q=nightly", "td.name a", ".tabs"),
    ("confirm-own", "/console/tokens?q=nightly", ".dots button[value^=disable]", "form[action$='/apply']"),
    ("overview", "/console/admin/tokens?q=nightly", "td.name a", ".tabs"),
    ("overview-oauth", "/console/admin/tokens?policy=session", "td.name a", ".tabs"),
    ("confirm", "/console/admin/tokens?q=nightly", ".dots button[value^=revoke]", "form[action$='/apply']"),
];

/// Goes to every page. What is looked at has to come to rest first, so each step names something that only the next page has.
pub async fn every_page(window: Window, look: &mut impl Look) {
    let server = start().await;
    let browser = Browser::start(window).await;
    let way = Way { server: &server, browser: &browser };
    way.visitors(look).await;
    way.look_at(look, &EMPTY).await;
    let import = fill(&server).await;
    way.look_at(look, &PAGES).await;
    if window.size.0 < 500 {
        browser.press(".drawer > summary").await;
        look.look(&browser, "drawer").await;
    }
    for (page, from, press, mark) in REACHED {
        way.open(&from.replace("IMPORT", &import)).await;
        if press.starts_with(".dots") {
            browser.press(".dots summary").await;
            if page == "confirm-own" {
                look.look(&browser, "menu").await;
            }
        }
        browser.press(press).await;
        browser.has(mark).await;
        look.look(&browser, page).await;
    }
    way.secrets(look).await;
    way.forms_that_come_back(look).await;
    way.many(look).await;
    way.refusals(look).await;
    server.finish().await;
}

/// A server with everything on that pages show: a provider to sign in by (which does not answer), and the rule that lets
/// access tokens live on.
async fn start() -> TestServer {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let options = vec![
        ("http.listen", format!("127.0.0.1:{port}")),
        ("public_url", format!("http://127.0.0.1:{port}")),
        ("console.oidc.issuer", "http://127.0.0.1:9".to_owned()),
        ("console.oidc.client_id", "jeton".to_owned()),
        ("console.oidc.label", "Acme".to_owned()),
        ("policies.api.on_disable", "refresh_only".to_owned()),
    ];
    // Of this day: browsers say how long ago something was.
    TestServer::start_at(TestDatabase::sqlite(), Clock::manual(Clock::default().now()), options).await
}

/// Gives pages something to show. Returns the id of an import.
async fn fill(server: &TestServer) -> String {
    for (policy, name, lifetime) in [
        ("api", Some("nightly import"), Some("90d")),
        (
            "api",
            Some(
                "a name that is so long that it has to be broken somewhere in the middle of_an_unbreakable_identifier_of_a_robot",
            ),
            Some("365d"),
        ),
        ("access", None, Some("6h")),
        ("access", None, Some("1h")),
        ("key", Some("build server"), None),
    ] {
        let body = json!({ "policy": policy, "name": name, "lifetime": lifetime, "extra_fields": { "team": "blue" } });
        server.own_token(&body).await;
    }
    let body = json!({
        "client_id": "orders-service", "name": "Orders", "grant_types": ["client_credentials", "refresh_token"],
        "scopes": ["orders:read", "orders:write"], "introspect": true, "redirect_uris": ["https://orders.example/back"],
    });
    let client = server.client_with(body).await;
    for _ in 0..7 {
        let token = server.access_token(&client).await;
        server.verify(&token).await.expect(200);
    }
    let rotate = "/admin/v1/clients/orders-service/rotate-secret";
    server.post_json(rotate, &server.admin_key, &json!({})).await.expect(200);
    for (name, scopes) in [("orders", json!(["orders:read", "orders:write"])), ("billing", json!([]))] {
        let api = json!({ "name": name, "audience": format!("https://{name}.example"), "scopes": scopes });
        server.post_json("/admin/v1/apis", &server.admin_key, &api).await.expect(201);
    }
    for (name, requests, period, apis) in
        [("small", 100, "1m", json!(["orders"])), ("large", 1_000_000, "30d", json!([]))]
    {
        let plan = json!({ "name": name, "requests": requests, "period": period, "apis": apis });
        server.post_json("/admin/v1/plans", &server.admin_key, &plan).await.expect(201);
    }
    server.user("ada", "member").await;
    let import = server.import("sha256", json!({ "unmapped_owner": { "type": "user", "id": "ada" } })).await;
    let rows: Vec<_> = ["old-token-one", "old-token-two", "old-token-three"]
        .map(|text| json!({ "hash": sha256_hex(text), "name": text }))
        .into();
    server.upload(&import, "", &rows).await.expect(200);
    server.verify("old-token-one").await.expect(200);
    server.service().flush_uses().await.unwrap();
    let old = server.own_token(&json!({ "policy": "api", "name": "left the company", "lifetime": "30d" })).await;
    let id = old.json()["token"]["id"].as_str().unwrap().to_owned();
    server.post_json(&format!("/api/v1/tokens/{id}/revoke"), &server.admin_key, &json!({})).await.expect(200);
    let refused = server.request(reqwest::Method::GET, "/oauth20/verify").bearer_auth(old.text("access_token"));
    server.send(refused.header("x-request-id", "pictured")).await.expect(401);
    server.verify("nonsense").await.expect(401);
    server.service().flush_refusals().await.unwrap();
    import
}

struct Way<'w> {
    server: &'w TestServer,
    browser: &'w Browser,
}

impl Way<'_> {
    async fn open(&self, path: &str) {
        self.browser.open(&format!("{}{path}", self.server.url)).await;
    }

    async fn look_at(&self, look: &mut impl Look, pages: &[(&str, &str)]) {
        for (page, path) in pages {
            self.open(path).await;
            look.look(self.browser, page).await;
        }
    }

    /// Sends the form of a page. Some are refused by the browser already if they are asked by a press.
    async fn send(&self, form: &str) {
        self.browser.run(&format!("document.querySelector(\"{form}\").submit()")).await;
    }

    /// What is seen by those who are not signed in; at its end, somebody is.
    async fn visitors(&self, look: &mut impl Look) {
        let (browser, link) = (self.browser, first_link(self.server).await);
        self.look_at(look, &[("sign-in", "/console/sign-in")]).await;
        browser.fill("username", "admin").await;
        browser.fill("password", "a guess").await;
        browser.press("form.card button").await;
        browser.has(".notice.bad").await;
        look.look(browser, "sign-in-refused").await;
        let failures = [
            ("oidc-unreachable", "/console/sign-in/oidc"),
            ("oidc-not-begun", "/console/sign-in/oidc/callback?state=x&code=y"),
            ("setup-gone", "/console/setup?code=of-yesterday"),
        ];
        self.look_at(look, &failures).await;
        self.open(&link).await;
        look.look(browser, "setup").await;
        browser.fill("new-password", PASSWORD).await;
        browser.fill("new-password-again", "another one, by mistake").await;
        browser.press("form.card button").await;
        browser.has(".notice.bad").await;
        look.look(browser, "setup-differs").await;
        browser.fill("new-password", PASSWORD).await;
        browser.fill("new-password-again", PASSWORD).await;
        browser.press("form.card button").await;
        browser.is_at("done=welcome").await;
        look.look(browser, "welcome").await;
    }

    /// Whatever is shown once, and what stands there afterwards.
    async fn secrets(&self, look: &mut impl Look) {
        let browser = self.browser;
        for (page, path, form, name) in [
            ("secret-pair", "/console/tokens/new", "form[action='/console/tokens/new']", Some("shown once")),
            ("secret-access", "/console/security", "form[action$='/access-token']", None),
            ("secret-key", "/console/security", "form[action$='/keys']", Some("shown once")),
            ("secret-client", "/console/admin/new/client", "form.card", Some("shown once")),
            ("secret-rotated", "/console/admin/clients/orders-service/rotate", "form.card", None),
        ] {
            self.open(path).await;
            if let Some(name) = name {
                browser.fill("name", name).await;
            }
            browser.press(&format!("{form} button")).await;
            browser.has("[data-secret]").await;
            look.look(browser, page).await;
        }
        browser.reload().await;
        browser.has(".calm").await;
        look.look(browser, "sent-before").await;
        self.open("/console/admin/users").await;
        browser.fill("username", "grace").await;
        browser.press("form[action='/console/admin/users'].card button").await;
        browser.has("#link").await;
        look.look(browser, "user-link").await;
    }

    /// Forms with something wrong, and forms about something that was changed meanwhile.
    async fn forms_that_come_back(&self, look: &mut impl Look) {
        let (browser, server) = (self.browser, self.server);
        for (page, path, name, text) in [
            ("client-refused", "/console/admin/new/client", "scopes", "\""),
            ("api-refused", "/console/admin/new/api", "audience", "not an address"),
            ("plan-refused", "/console/admin/new/plan", "period", "soon"),
        ] {
            self.open(path).await;
            browser.fill("name", "of").await;
            browser.fill(name, text).await;
            browser.press("form.card button").await;
            browser.has(&format!("#{name}-error")).await;
            look.look(browser, page).await;
        }
        self.open("/console/admin/users").await;
        browser.fill("username", "ada").await;
        browser.press("form[action='/console/admin/users'].card button").await;
        browser.has(".notice.bad").await;
        look.look(browser, "user-refused").await;
        self.open("/console/tokens/new").await;
        browser.fill("name", "too long").await;
        browser.fill("days", "5000").await;
        self.send("form.card").await;
        browser.has(".notice.bad").await;
        look.look(browser, "token-refused").await;
        self.open("/console/account").await;
        for name in ["old-password", "new-password", "new-password-again"] {
            browser.fill(name, "none of them is right").await;
        }
        browser.press("form[action='/console/account/password'] button").await;
        browser.has(".notice.bad").await;
        look.look(browser, "account-refused").await;
        for (page, list) in [("token-associations", "/console/tokens"), ("associations", "/console/admin/tokens")] {
            self.open(&format!("{list}?q=nightly")).await;
            browser.press("td.name a").await;
            browser.press(".tabs a:nth-child(2)").await;
            browser.has(".tabs a:nth-child(2)[aria-current=page]").await;
            look.look(browser, page).await;
        }
        browser.press(".head a[href$='/edit']").await;
        browser.has("form[action$='/edit']").await;
        look.look(browser, "edit").await;
        let found = server.get("/admin/v1/tokens?q=nightly", &server.admin_key).await.expect(200).json();
        let path = format!("/admin/v1/tokens/{}", found["data"][0]["id"].as_str().unwrap());
        let patch = json!({ "extra_fields": { "team": "green" }, "apis": ["orders"] });
        server.patch_json(&path, &server.admin_key, "*", &patch).await.expect(200);
        browser.press("form[action$='/edit'] button.primary").await;
        browser.has(".notice.warn[role=alert]").await;
        look.look(browser, "merge").await;
        self.open("/console/admin/clients/orders-service/edit").await;
        browser.fill("name", "Orders of today").await;
        let path = "/admin/v1/clients/orders-service";
        server.patch_json(path, &server.admin_key, "*", &json!({ "name": "Orders of old" })).await.expect(200);
        browser.press("form[action$='/edit'] button.primary").await;
        browser.has("#name-stored").await;
        look.look(browser, "client-merge").await;
    }

    /// Many at once: the number is typed.
    async fn many(&self, look: &mut impl Look) {
        let browser = self.browser;
        self.open("/console/admin/tokens").await;
        browser.press("[data-all]").await;
        look.look(browser, "all-chosen").await;
        browser.press(".toolbar button[value=delete]").await;
        browser.has("[name=typed]").await;
        look.look(browser, "confirm-many").await;
        browser.fill("typed", "1").await;
        self.send("form[action$='/apply']").await;
        browser.has(".notice.bad[role=alert]").await;
        look.look(browser, "confirm-mistyped").await;
    }

    /// What stands in the place of a page. In the end there is no database any more.
    async fn refusals(&self, look: &mut impl Look) {
        let (browser, server) = (self.browser, self.server);
        self.open("/console/tokens/new").await;
        browser.fill("name", "x").await;
        browser.run("document.querySelector('form.card [name=form]').remove()").await;
        self.send("form.card").await;
        browser.has(".calm").await;
        look.look(browser, "form-expired").await;
        self.open("/console/account").await;
        look.look(browser, "account").await;
        browser.forget_cookies().await;
        self.send("form[action='/console/account/password']").await;
        browser.has(".calm").await;
        look.look(browser, "session-ended").await;
        super::sign_in(server, browser).await;
        crate::store::demote(&server.database, "member").await;
        crate::store::execute(&server.database, "UPDATE user_account SET tokens_allowed = 0").await;
        let member =
            [("forbidden", "/console/admin"), ("member", "/console/tokens"), ("member-security", "/console/security")];
        self.look_at(look, &member).await;
        server.service().store.close().await;
        self.look_at(look, &[("unavailable", "/console/tokens")]).await;
    }
}

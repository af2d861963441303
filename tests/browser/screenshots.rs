//! Pictures of every page: light, dark, on a phone, in French. Written to `target/screenshots`, to be looked at.

use std::path::Path;

use serde_json::json;

use super::driver::{Browser, DESKTOP, Window};
use super::{PASSWORD, server, set_up};
use crate::support::legacy::sha256_hex;
use crate::support::{TestDatabase, TestServer};

/// A name for the file, and the path.
pub const PAGES: [(&str, &str); 26] = [
    ("admin", "/console/admin"),
    ("clients", "/console/admin/clients"),
    ("client", "/console/admin/clients/orders-service"),
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
    ("explained", "/console/admin/explain?request_id=pictured"),
    ("users", "/console/admin/users"),
    ("policies", "/console/admin/policies"),
    ("audit", "/console/admin/audit"),
    ("tokens", "/console/tokens"),
    ("token-new", "/console/tokens/new"),
    ("security", "/console/security"),
    ("revoke-all", "/console/security/revoke-all"),
    ("account", "/console/account"),
    ("all-tokens", "/console/admin/tokens"),
    ("all-tokens-filtered", "/console/admin/tokens?status=revoked&created-after=2026-01-01"),
    ("not-found", "/console/no-such-page"),
    ("start", "/console"),
];

pub async fn fill(server: &TestServer) {
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
        server.access_token(&client).await;
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
}

/// Pages that are reached from another one: a name, where to begin, and what to press.
pub const REACHED: [(&str, &str, &str); 5] = [
    ("legacy-import", "/console/admin/legacy", "td.name a"),
    ("user-edit", "/console/admin/users?q=ada", ".dots .sheet a[href$='/edit']"),
    ("user-delete", "/console/admin/users?q=ada", ".dots .sheet a[href$='/delete']"),
    ("api-edit", "/console/admin/apis", "td.name a"),
    ("plan-delete", "/console/admin/plans", ".dots .sheet a[href$='/delete']"),
];

/// Goes to one of [`REACHED`].
pub async fn reach(server: &TestServer, browser: &Browser, from: &str, press: &str) {
    browser.open(&format!("{}{from}", server.url)).await;
    if press.contains(".dots") {
        browser.press(".dots summary").await;
    }
    browser.press(press).await;
    browser.text_of("main .crumbs").await;
}

async fn photograph(browser: &Browser, folder: &Path, name: &str) {
    std::fs::write(folder.join(format!("{name}.png")), browser.picture().await).unwrap();
}

async fn all_pages(server: &TestServer, window: Window, look: &str, first: bool) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/screenshots");
    std::fs::create_dir_all(&folder).unwrap();
    let name = |page: &str| format!("{page}-{look}");
    let browser = Browser::start(window).await;
    browser.open(&format!("{}/console/sign-in", server.url)).await;
    photograph(&browser, &folder, &name("sign-in")).await;
    if first {
        set_up(server, &browser).await;
        photograph(&browser, &folder, &name("empty")).await;
        fill(server).await;
    } else {
        browser.fill("username", "admin").await;
        browser.fill("password", PASSWORD).await;
        browser.press("form.card button").await;
        browser.is_at("/console/tokens").await;
    }
    for (page, path) in PAGES {
        browser.open(&format!("{}{path}", server.url)).await;
        photograph(&browser, &folder, &name(page)).await;
    }
    for (page, from, press) in REACHED {
        reach(server, &browser, from, press).await;
        photograph(&browser, &folder, &name(page)).await;
    }
    browser.open(&format!("{}/console/admin/new/client", server.url)).await;
    browser.fill("name", "shown once").await;
    browser.press("form.card button").await;
    browser.value_of("#secret").await;
    photograph(&browser, &folder, &name("client-secret")).await;
    browser.open(&format!("{}/console/tokens/new", server.url)).await;
    browser.fill("name", "shown once").await;
    browser.press("form[action='/console/tokens/new'] button").await;
    photograph(&browser, &folder, &name("secret")).await;
    browser.open(&format!("{}/console/admin/tokens?q=nightly", server.url)).await;
    browser.press("td.name a").await;
    photograph(&browser, &folder, &name("overview")).await;
    browser.press(".head a[href$='/edit']").await;
    photograph(&browser, &folder, &name("edit")).await;
    browser.back().await;
    browser.press(".head button.danger").await;
    photograph(&browser, &folder, &name("confirm")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs Chromium: cargo xtask test"]
async fn every_page_is_photographed() {
    let server = server(TestDatabase::sqlite()).await;
    all_pages(&server, DESKTOP, "light", true).await;
    all_pages(&server, Window { dark: true, ..DESKTOP }, "dark", false).await;
    all_pages(&server, Window { size: (360, 740), ..DESKTOP }, "phone", false).await;
    all_pages(&server, Window { language: "fr", ..DESKTOP }, "french", false).await;
    server.finish().await;
}

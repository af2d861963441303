//! What differs from browser to browser: time zones, windows, the ways to the clipboard; and names as people have them.

use jeton::domain::clock::{Clock, Timestamp};
use serde_json::json;

use super::driver::{Browser, DESKTOP, PHONE, REMOTE, Window};
use super::{server, set_up};
use crate::support::{TestDatabase, TestServer, logs};

/// Names of every kind that are taken; the longest ones that are.
fn names() -> [String; 5] {
    [
        "a".repeat(200),
        format!("{} مفتاح الاستيراد الليلي {}", "\u{5e9}".repeat(80), "x".repeat(60)),
        "\u{1f469}\u{1f3fd}\u{1f680}".repeat(40),
        "\u{65e5}\u{672c}\u{8a9e}".repeat(60),
        "Zo\u{eb} d\u{2019}O\u{308}\u{323} \u{fdfd} \u{12031}".to_owned(),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs Chromium: cargo xtask test"]
async fn no_name_breaks_a_page() {
    let server = server(TestDatabase::sqlite()).await;
    let mut pages: Vec<String> =
        ["tokens", "admin", "admin/tokens", "admin/clients", "admin/users", "admin/legacy", "admin/audit", "security"]
            .map(|page| format!("/console/{page}"))
            .into();
    for (index, name) in names().iter().enumerate() {
        let body = json!({ "policy": "api", "name": name, "lifetime": "30d", "extra_fields": { name.clone(): name } });
        let id = server.own_token(&body).await.json()["token"]["id"].as_str().unwrap().to_owned();
        pages.extend(["", "/edit"].map(|page| format!("/console/admin/tokens/{id}{page}")));
        server.own_token(&json!({ "policy": "key", "name": name })).await;
        let client = server.client_with(json!({ "name": name, "grant_types": ["client_credentials"] })).await;
        pages.extend(
            ["", "/edit", "/rotate", "/delete"].map(|page| format!("/console/admin/clients/{}{page}", client.id)),
        );
        let user = json!({ "username": name, "role": "member" });
        let user = server.post_json("/admin/v1/users", &server.admin_key, &user).await.expect(201).text("id");
        pages.extend(["edit", "delete"].map(|page| format!("/console/admin/users/{user}/{page}")));
        let owner = json!({ "source": name, "unmapped_owner": { "type": "user", "id": user } });
        let import = server.import("plain", owner).await;
        let row = json!({ "token": format!("old-token-{index}"), "name": name });
        server.upload(&import, "", &[row]).await.expect(200);
        server.verify(&format!("old-token-{index}")).await.expect(200);
        pages.extend(["", "/revoke"].map(|page| format!("/console/admin/legacy/{import}{page}")));
    }
    server.service().flush_uses().await.unwrap();
    let mut first = true;
    for window in [DESKTOP, PHONE] {
        let browser = Browser::start(window).await;
        if std::mem::take(&mut first) {
            set_up(&server, &browser).await;
        } else {
            super::sign_in(&server, &browser).await;
        }
        for page in &pages {
            browser.open(&format!("{}{page}", server.url)).await;
            let wide = browser.run("return [document.documentElement.scrollWidth, innerWidth]").await;
            assert!(wide[0].as_u64() <= wide[1].as_u64(), "{page} is {} wide in a window of {}", wide[0], wide[1]);
        }
    }
    server.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs Chromium: cargo xtask test"]
async fn moments_are_told_in_the_zone_of_the_reader() {
    // 2026-03-29T00:30:00Z
    let clock = Clock::manual(Timestamp::from_ms(1_774_744_200_000));
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let url = format!("http://127.0.0.1:{port}");
    let options = vec![("http.listen", format!("127.0.0.1:{port}")), ("public_url", url)];
    let server = TestServer::start_at(TestDatabase::sqlite(), clock, options).await;
    let plain = Browser::start(Window { script: false, ..DESKTOP }).await;
    set_up(&server, &plain).await;
    plain.open(&format!("{}/console/security", server.url)).await;
    plain.sees_in("tbody time", "29 Mar 2026, 00:30 UTC").await;
    let browser = Browser::start(DESKTOP).await;
    super::sign_in(&server, &browser).await;
    // A day earlier, a day later, and on both sides of the hour that a zone leaves out on that night.
    for (zone, local) in [
        ("Pacific/Honolulu", "Mar 28, 2026, 2:30"),
        ("Pacific/Kiritimati", "Mar 29, 2026, 2:30"),
        ("Europe/Paris", "Mar 29, 2026, 1:30"),
        ("Asia/Kathmandu", "Mar 29, 2026, 6:15"),
    ] {
        browser.live_in(zone).await;
        browser.open(&format!("{}/console/security", server.url)).await;
        let told = browser.attribute_of("tbody time", "title").await;
        assert!(told.starts_with(local) && told.contains("00:30\u{a0}UTC"), "{zone}: {told}");
    }
    server.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs Chromium: cargo xtask test"]
async fn a_secret_is_copied_without_tls_too() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let url = format!("http://{REMOTE}:{port}");
    let options = vec![("http.listen", format!("127.0.0.1:{port}")), ("public_url", url.clone())];
    let mut server = TestServer::start_with(TestDatabase::sqlite(), options).await;
    let here = std::mem::replace(&mut server.url, url);
    let browser = Browser::start(DESKTOP).await;
    set_up(&server, &browser).await;
    browser.open(&format!("{}/console/tokens/new", server.url)).await;
    assert_eq!(browser.run("return isSecureContext").await, false);
    browser.fill("name", "nightly").await;
    browser.press("form.card button").await;
    let secret = browser.value_of("#bearer").await;
    assert_eq!(logs::secrets_in(&secret).len(), 1);
    browser.press(".secret button").await;
    browser.sees_in(".secret [role=status]", "Copied").await;
    browser.open(&format!("{}/console/admin/explain", server.url)).await;
    browser.fill("q", "").await;
    browser.press("[name=q]").await;
    browser.keys("\u{e009}v").await;
    assert_eq!(browser.value_of("[name=q]").await, secret, "it is in the clipboard");
    server.url = here;
    server.finish().await;
}

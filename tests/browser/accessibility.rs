//! axe-core finds nothing to complain about, on any page, in either theme.

use serde_json::Value;

use super::driver::{Browser, DESKTOP, Window};
use super::screenshots::{PAGES, REACHED, fill, reach};
use super::{server, set_up};
use crate::support::TestDatabase;

async fn violations(browser: &Browser, axe: &str) -> Vec<String> {
    browser.run(axe).await;
    let found = browser
        .run_async("const done = arguments[arguments.length - 1]; axe.run().then(r => done(r.violations.map(v => `${v.id}: ${v.nodes.map(n => n.target + ' ' + (n.any[0]?.message ?? '')).join('; ')}`)), e => done([String(e)]))")
        .await;
    found.as_array().unwrap_or(&Vec::new()).iter().map(|text| Value::as_str(text).unwrap_or("?").to_owned()).collect()
}

async fn no_page_has_a_violation(window: Window) {
    let modules = std::env::var("JETON_TEST_NODE_PATH").expect("JETON_TEST_NODE_PATH is set by cargo xtask test");
    let axe = std::fs::read_to_string(format!("{modules}/axe-core/axe.min.js")).unwrap();
    let server = server(TestDatabase::sqlite()).await;
    let browser = Browser::start(window).await;
    let mut found = Vec::new();
    browser.open(&format!("{}/console/sign-in", server.url)).await;
    found.extend(violations(&browser, &axe).await.into_iter().map(|text| format!("sign-in: {text}")));
    set_up(&server, &browser).await;
    fill(&server).await;
    for (name, path) in PAGES {
        browser.open(&format!("{}{path}", server.url)).await;
        found.extend(violations(&browser, &axe).await.into_iter().map(|text| format!("{name}: {text}")));
    }
    for (name, from, press) in REACHED {
        reach(&server, &browser, from, press).await;
        found.extend(violations(&browser, &axe).await.into_iter().map(|text| format!("{name}: {text}")));
    }
    browser.open(&format!("{}/console/admin/new/client", server.url)).await;
    browser.fill("name", "shown once").await;
    browser.fill("scopes", "\"").await;
    browser.press("form.card button").await;
    browser.text_of("#scopes-error").await;
    found.extend(violations(&browser, &axe).await.into_iter().map(|text| format!("client-refused: {text}")));
    browser.open(&format!("{}/console/tokens/new", server.url)).await;
    browser.fill("name", "shown once").await;
    browser.press("form[action='/console/tokens/new'] button").await;
    found.extend(violations(&browser, &axe).await.into_iter().map(|text| format!("secret: {text}")));
    browser.open(&format!("{}/console/admin/tokens?q=nightly", server.url)).await;
    browser.press("td.name a").await;
    found.extend(violations(&browser, &axe).await.into_iter().map(|text| format!("overview: {text}")));
    browser.press(".head a[href$='/edit']").await;
    found.extend(violations(&browser, &axe).await.into_iter().map(|text| format!("edit: {text}")));
    browser.back().await;
    browser.press(".head button.danger").await;
    found.extend(violations(&browser, &axe).await.into_iter().map(|text| format!("confirm: {text}")));
    assert!(found.is_empty(), "{}", found.join("\n"));
    server.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs Chromium and axe-core: cargo xtask test"]
async fn no_page_has_a_violation_in_light() {
    no_page_has_a_violation(DESKTOP).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs Chromium and axe-core: cargo xtask test"]
async fn no_page_has_a_violation_in_dark() {
    no_page_has_a_violation(Window { dark: true, ..DESKTOP }).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs Chromium and axe-core: cargo xtask test"]
async fn no_page_has_a_violation_on_a_phone() {
    no_page_has_a_violation(Window { size: (360, 740), ..DESKTOP }).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs Chromium and axe-core: cargo xtask test"]
async fn no_page_has_a_violation_in_french() {
    no_page_has_a_violation(Window { language: "fr", ..DESKTOP }).await;
}

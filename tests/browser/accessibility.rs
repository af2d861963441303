//! axe-core finds nothing to complain about, on any page, in either theme.

use jeton::http::routes;
use reqwest::Method;
use serde_json::Value;

use super::driver::{Browser, DESKTOP, PHONE, Window};
use super::walk::{self, Look};

/// Has axe look at each page, and notes what it complains about.
struct Inspector {
    axe: String,
    paths: Vec<String>,
    found: Vec<String>,
}

impl Look for Inspector {
    async fn look(&mut self, browser: &Browser, page: &str) {
        browser.run(&self.axe).await;
        let found = browser
            .run_async("const done = arguments[arguments.length - 1]; axe.run().then(r => done(r.violations.map(v => `${v.id}: ${v.nodes.map(n => n.target + ' ' + (n.any[0]?.message ?? '')).join('; ')}`)), e => done([String(e)]))")
            .await;
        let found = found.as_array().unwrap_or_else(|| panic!("{page}: axe has not answered: {found}"));
        let address = url::Url::parse(&browser.address().await).unwrap();
        self.paths.push(address.path().to_owned());
        let wide = browser.run("return document.documentElement.scrollWidth > innerWidth").await;
        if wide == true {
            self.found.push(format!("{page}: it is wider than the window"));
        }
        self.found.extend(found.iter().map(|text| format!("{page}: {}", Value::as_str(text).unwrap_or("?"))));
    }
}

async fn no_page_has_a_violation(window: Window) {
    let modules = std::env::var("JETON_TEST_NODE_PATH").expect("JETON_TEST_NODE_PATH is set by cargo xtask test");
    let axe = std::fs::read_to_string(format!("{modules}/axe-core/axe.min.js")).unwrap();
    let mut inspector = Inspector { axe, paths: Vec::new(), found: Vec::new() };
    walk::every_page(window, &mut inspector).await;
    assert!(inspector.found.is_empty(), "{}", inspector.found.join("\n"));
    // A file is no page, and the start only leads to one.
    let others = ["/console/assets/{file}", "/console/admin/export/tokens", "/console"];
    let left_out = routes::pages().into_iter().filter(|page| page.method == Some(Method::GET)).map(|page| page.path);
    let left_out =
        left_out.filter(|page| !others.contains(page) && !inspector.paths.iter().any(|path| is_of(path, page)));
    assert_eq!(left_out.collect::<Vec<_>>(), [""; 0], "pages that the walk leaves out");
}

/// Whether a path is one of a line of the table of routes.
fn is_of(path: &str, line: &str) -> bool {
    let (path, line): (Vec<_>, Vec<_>) = (path.split('/').collect(), line.split('/').collect());
    path.len() == line.len() && path.iter().zip(&line).all(|(path, line)| line.starts_with('{') || path == line)
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
    no_page_has_a_violation(PHONE).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs Chromium and axe-core: cargo xtask test"]
async fn no_page_has_a_violation_in_french() {
    no_page_has_a_violation(Window { language: "fr", ..DESKTOP }).await;
}

//! Everything by keys alone: no press of a mouse, and the focus is always seen.

use serde_json::json;

use super::driver::{Browser, DESKTOP};
use super::{server, set_up};
use crate::support::TestDatabase;

const TAB: &str = "\u{e004}";
const ENTER: &str = "\u{e007}";
const SPACE: &str = "\u{e00d}";
const ESCAPE: &str = "\u{e00c}";
const UP: &str = "\u{e013}";
const DOWN: &str = "\u{e015}";
/// No page has so many stops.
const STOPS: usize = 200;

/// Goes from stop to stop until the focus is where it is wanted. Every stop on the way must be seen.
async fn tab_to(browser: &Browser, wanted: &str) {
    browser.has(wanted).await;
    for _ in 0..STOPS {
        browser.keys(TAB).await;
        let stop = browser
            .run(&format!(
                "const at = document.activeElement, style = getComputedStyle(at), box = at.getBoundingClientRect(); \
                 return {{ there: at.matches(\"{wanted}\"), body: at === document.body, what: at.outerHTML.slice(0, 120), \
                 seen: style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2 && box.width > 0 && box.height > 0 }}"
            ))
            .await;
        assert!(stop["body"] == true || stop["seen"] == true, "the focus is not seen: {stop}");
        if stop["there"] == true {
            return;
        }
    }
    panic!("no way by Tab to {wanted} on {}", browser.address().await);
}

async fn enter(browser: &Browser, wanted: &str) {
    tab_to(browser, wanted).await;
    browser.keys(ENTER).await;
}

async fn write(browser: &Browser, name: &str, text: &str) {
    tab_to(browser, &format!("main [name='{name}']")).await;
    browser.keys(text).await;
}

async fn has_focus(browser: &Browser, wanted: &str) -> bool {
    browser.run(&format!("return document.activeElement.matches(\"{wanted}\")")).await == true
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs Chromium: cargo xtask test"]
async fn what_administrators_do_needs_only_the_keyboard() {
    let server = server(TestDatabase::sqlite()).await;
    let browser = Browser::start(DESKTOP).await;
    set_up(&server, &browser).await;
    let import = server.legacy_token("old-token-one").await;

    // Past the menu at once.
    browser.keys(TAB).await;
    assert!(has_focus(&browser, ".skip").await, "the first stop leads past the menu");
    browser.keys(ENTER).await;
    browser.is_at("#main").await;
    assert!(has_focus(&browser, "main").await);

    // A client, and its secret.
    enter(&browser, ".rail a[href='/console/admin/clients']").await;
    enter(&browser, ".head a[href='/console/admin/new/client']").await;
    write(&browser, "name", "Orders").await;
    enter(&browser, "form.card button").await;
    browser.has("[data-secret]").await;
    assert!(has_focus(&browser, "#secret").await, "the secret is where one begins");
    enter(&browser, ".secret button").await;
    browser.sees_in(".secret [role=status]", "Copied").await;
    enter(&browser, ".actions a.primary").await;
    browser.sees_in("h1", "Orders").await;

    // An API, a plan for it, and the menu of its row.
    enter(&browser, ".rail a[href='/console/admin/apis']").await;
    enter(&browser, ".head a.primary").await;
    write(&browser, "name", "orders").await;
    write(&browser, "audience", "https://orders.example").await;
    enter(&browser, "form.card button").await;
    browser.sees("The API is made.").await;
    enter(&browser, ".rail a[href='/console/admin/plans']").await;
    enter(&browser, ".head a.primary").await;
    write(&browser, "name", "small").await;
    tab_to(&browser, "input[type=checkbox][value=orders]").await;
    browser.keys(SPACE).await;
    enter(&browser, "form.card button").await;
    browser.sees("The plan is made.").await;
    enter(&browser, ".dots summary").await;
    browser.has(".dots[open]").await;
    browser.keys(DOWN).await;
    assert!(has_focus(&browser, ".dots .sheet :first-child").await, "arrows lead into the menu");
    browser.keys(UP).await;
    assert!(has_focus(&browser, ".dots .sheet :last-child").await, "and around");
    browser.keys(ESCAPE).await;
    assert!(has_focus(&browser, ".dots summary").await, "Escape gives the focus back");
    assert_eq!(browser.run("return document.querySelectorAll('.dots[open]').length").await, 0);
    browser.keys(ENTER).await;
    enter(&browser, ".dots .sheet a.warn").await;
    browser.sees("Delete the plan small?").await;
    enter(&browser, "button.danger").await;
    browser.sees("The plan is deleted.").await;

    // A user, and the link for them.
    enter(&browser, ".rail a[href='/console/admin/users']").await;
    write(&browser, "username", "ada").await;
    enter(&browser, "form[action='/console/admin/users'].card button").await;
    browser.has("#link").await;
    enter(&browser, ".actions a.primary").await;
    browser.is_at("/console/admin/users").await;

    // Figures, as numbers too; and why a request was refused.
    enter(&browser, ".rail a[href='/console/admin']").await;
    browser.sees_in("h1", "Overview").await;
    server.verify("nonsense").await.expect(401);
    enter(&browser, ".rail a[href='/console/admin/explain']").await;
    let refused = server.verify("more-nonsense").await.expect(401);
    write(&browser, "q", refused.header("x-request-id")).await;
    browser.keys(ENTER).await;
    browser.sees("Refused requests").await;

    // Old tokens: more time, and an end.
    enter(&browser, ".rail a[href='/console/admin/legacy']").await;
    enter(&browser, &format!("a[href$='{import}']")).await;
    enter(&browser, "form[action$='/extend'] button").await;
    browser.sees("The deadline is moved.").await;
    enter(&browser, ".head a.warn").await;
    enter(&browser, "button.danger").await;
    browser.sees("Every token of it is revoked.").await;

    // Tokens: filtered, ticked, and ended after the question.
    let body = json!({ "policy": "api", "name": "nightly", "lifetime": "30d" });
    let token = server.own_token(&body).await.text("access_token");
    enter(&browser, ".rail a[href='/console/admin/tokens']").await;
    write(&browser, "q", "nightly").await;
    browser.keys(ENTER).await;
    browser.is_at("q=nightly").await;
    enter(&browser, "td.name a").await;
    browser.has(".tabs").await;
    enter(&browser, ".tabs a:nth-child(2)").await;
    browser.sees_in(".tabs [aria-current=page]", "APIs and Plans").await;
    browser.back().await;
    browser.back().await;
    tab_to(&browser, "tbody input[type=checkbox]").await;
    browser.keys(SPACE).await;
    // Around the page to the buttons above the list.
    enter(&browser, "form[data-bulk] button[value=revoke]").await;
    browser.sees("Revoke 1 token?").await;
    server.verify(&token).await.expect(200);
    write(&browser, "reason", "by keys").await;
    enter(&browser, "button.danger").await;
    browser.sees("Revoked.").await;
    server.verify(&token).await.expect_invalid_token();
    enter(&browser, ".rail form[action='/console/sign-out'] button").await;
    browser.sees("You are signed out.").await;
    server.finish().await;
}

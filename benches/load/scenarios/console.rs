//! The pages of the console where a million tokens are stored: how long each takes, and what it weighs.

use std::time::Duration;

use anyhow::{Context as _, ensure};
use serde_json::{Value, json};
use tokio::runtime::Builder;

use super::session::{OWN_SITE, sign_in};
use super::{Bench, stored};
use crate::connection::Connection;
use crate::generator::now;
use crate::jeton::Jeton;
use crate::report::Table;
use crate::sample::Latency;
use crate::script::{get, post_form};

/// A page: what it is called in the report, and the request for it.
struct Page {
    name: &'static str,
    request: Vec<u8>,
}

struct Found {
    name: &'static str,
    latency: Latency,
    bytes: usize,
}

/// Requests of one page; what is left over of the first ones is not counted.
const REQUESTS: usize = 300;
const REQUESTS_OF_A_QUICK_RUN: usize = 20;
const WARM_UP: usize = 5;
/// The goals: the whole answer, seen from a connection of the same machine, and the weight of the page.
const GOAL: Duration = Duration::from_millis(20);
const GOAL_BYTES: usize = 100_000;

pub(super) fn measure(bench: &Bench<'_>) -> anyhow::Result<()> {
    for (database, store) in bench.stores() {
        eprintln!("console, {database}");
        let jeton = Jeton::start(store, None)?;
        let pages = prepare(bench, &jeton)?;
        let requests = if bench.quick { REQUESTS_OF_A_QUICK_RUN } else { REQUESTS };
        let mut found = pages.iter().map(|page| one(&jeton, page, requests)).collect::<anyhow::Result<Vec<_>>>()?;
        found.sort_by_key(|page| std::cmp::Reverse(page.latency.p99));
        print(database, bench.quick, &found);
    }
    Ok(())
}

fn print(database: &str, quick: bool, found: &[Found]) {
    let ms = |time: Duration| format!("{:.2}", time.as_secs_f64() * 1e3);
    let mut table = Table::new(&["page", "median, ms", "p99, ms", "KB", "within 20 ms and 100 KB"]);
    for Found { name, latency, bytes } in found {
        let met = latency.p99 < GOAL && *bytes < GOAL_BYTES;
        let kilobytes = format!("{:.1}", *bytes as f64 / 1e3);
        let verdict = if met { "yes" } else { "no" };
        table.row([(*name).to_owned(), ms(latency.p50), ms(latency.p99), kilobytes, verdict.to_owned()]);
    }
    let stored = if quick { "20 000" } else { "1 000 000" };
    table.print(&format!("Pages of the console with {stored} tokens, {database}"));
}

/// Asks for one page again and again, on one connection.
fn one(jeton: &Jeton<'_>, page: &Page, requests: usize) -> anyhow::Result<Found> {
    Builder::new_current_thread().enable_all().build()?.block_on(async {
        let mut connection = Connection::open(jeton.address()).await?;
        let (mut times, mut bytes) = (Vec::new(), 0);
        for number in 0..WARM_UP + requests {
            let began = now();
            let answer = connection.call(&page.request).await.with_context(|| page.name)?;
            let took = began.elapsed();
            ensure!(answer.status == 200, "{} was answered with {}", page.name, answer.status);
            ensure!(answer.body.starts_with(b"<!DOCTYPE html>"), "{} is no page", page.name);
            bytes = answer.body.len();
            if number >= WARM_UP {
                times.push(u32::try_from(took.as_nanos()).unwrap_or(u32::MAX));
            }
        }
        Ok(Found { name: page.name, latency: Latency::of(times).context("nothing was asked")?, bytes })
    })
}

/// Stores the tokens, and things for the pages about one thing.
fn prepare(bench: &Bench<'_>, jeton: &Jeton<'_>) -> anyhow::Result<Vec<Page>> {
    let api = jeton.api();
    let cookie = sign_in(jeton)?;
    let make = |path: &str, body: &Value, member: &str| -> anyhow::Result<String> {
        let made = api.create(path, body)?;
        Ok(made.pointer(member).and_then(Value::as_str).with_context(|| format!("{path} gives {member}"))?.to_owned())
    };
    let user = json!({ "username": "large", "email": "large@load.test", "role": "member" });
    let large = make("/admin/v1/users", &user, "/id")?;
    let user = json!({ "username": "small", "email": "small@load.test", "role": "member" });
    let small = make("/admin/v1/users", &user, "/id")?;
    let resource = json!({ "name": "orders", "audience": "https://orders.load.test", "scopes": [] });
    let resource = make("/admin/v1/apis", &resource, "/id")?;
    let plan = json!({ "name": "small", "requests": 100, "period": "1m", "apis": ["orders"] });
    let plan = make("/admin/v1/plans", &plan, "/id")?;
    let token = |owner: &str, name: &str| {
        let body = json!({ "policy": "managed", "owner": owner, "name": name, "lifetime": "90d" });
        make("/admin/v1/tokens", &body, "/token/id")
    };
    let (few, template) = (token(&small, "few")?, token(&large, "template")?);
    let deadline = &api.get(&format!("/admin/v1/tokens/{few}"))?["expires_at"];
    let import = json!({
        "source": "older", "scheme": "plain", "deadline": deadline,
        "unmapped_owner": { "type": "user", "id": small },
    });
    let import = make("/admin/v1/legacy-imports", &import, "/id")?;
    jeton.run_sql(if bench.quick { stored::THOUSANDS } else { stored::MILLION })?;
    let second = api.get("/admin/v1/tokens?limit=50")?;
    ensure!(second["next_cursor"].is_string(), "there is more than a page");
    // Whoever is signed in is led on from this one.
    let mut pages = vec![Page { name: "sign in", request: get("/console/sign-in", "") }];
    let mut page = |name: &'static str, path: String| {
        pages.push(Page { name, request: get(&format!("/console{path}"), &cookie) });
    };
    for (name, path) in [
        ("my tokens", "/tokens"),
        ("generate", "/tokens/new"),
        ("security settings", "/security"),
        ("revoke all access tokens", "/security/revoke-all"),
        ("account", "/account"),
        ("overview", "/admin"),
        ("all tokens", "/admin/tokens"),
        ("all tokens, active", "/admin/tokens?status=active"),
        ("all tokens, revoked: none", "/admin/tokens?status=revoked"),
        ("all tokens, by name: all", "/admin/tokens?q=template"),
        ("all tokens, by name: none", "/admin/tokens?q=nobody"),
        ("all tokens, by policy: none", "/admin/tokens?policy=session"),
        ("all tokens, by API: none", "/admin/tokens?api=orders"),
        ("all tokens, by day", "/admin/tokens?created-after=2026-01-01&expires-before=2099-01-01"),
        ("clients", "/admin/clients"),
        ("APIs", "/admin/apis"),
        ("plans", "/admin/plans"),
        ("users", "/admin/users"),
        ("policies", "/admin/policies"),
        ("legacy tokens", "/admin/legacy"),
        ("explain", "/admin/explain"),
        ("audit", "/admin/audit"),
        ("new client", "/admin/new/client"),
        ("new API", "/admin/new/api"),
        ("new plan", "/admin/new/plan"),
        ("client", "/admin/clients/default-api-tokens"),
    ] {
        page(name, path.to_owned());
    }
    page("all tokens, by owner: all", format!("/admin/tokens?owner={large}"));
    page("all tokens, by owner: one", format!("/admin/tokens?owner={small}"));
    page("token", format!("/admin/tokens/{template}"));
    page("APIs and plans of a token", format!("/admin/tokens/{template}/associations"));
    page("edit a token", format!("/admin/tokens/{template}/edit"));
    page("explain a token", format!("/admin/explain?token_id={few}"));
    page("edit a user", format!("/admin/users/{large}/edit"));
    page("delete a user with one token", format!("/admin/users/{small}/delete"));
    page("delete the user with all of them", format!("/admin/users/{large}/delete"));
    page("edit an API", format!("/admin/apis/{resource}/edit"));
    page("delete an API", format!("/admin/apis/{resource}/delete"));
    page("edit a plan", format!("/admin/plans/{plan}/edit"));
    page("delete a plan", format!("/admin/plans/{plan}/delete"));
    page("legacy import", format!("/admin/legacy/{import}"));
    page("revoke a legacy import", format!("/admin/legacy/{import}/revoke"));
    let form = [("action", "revoke"), ("id", &template), ("id", &few)];
    let confirm = post_form("/console/admin/tokens/confirm", &format!("{cookie}{OWN_SITE}"), &form);
    pages.push(Page { name: "revoke two: the question", request: confirm });
    Ok(pages)
}

//! What users and clients can write stays text on every page that shows it: nothing of it runs, nothing of it is an element.

use serde_json::json;

use super::driver::{Browser, DESKTOP};
use super::{PASSWORD, server, set_up};
use crate::support::{TestDatabase, TestServer};

/// Each would leave a mark if it ran.
const CORPUS: [&str; 8] = [
    "<script>window.ran=1</script>",
    "\"><img src=x onerror=window.ran=1>",
    "'><svg/onload=window.ran=1>",
    "</textarea><script>window.ran=1</script>",
    "</title><script>window.ran=1</script>",
    "javascript:window.ran=1",
    "{{7*7}}<b id=planted>",
    "&lt;script&gt;window.ran=1&lt;/script&gt;",
];

/// Writes the corpus into every field that takes it. Returns the pages of single things.
async fn plant(server: &TestServer) -> Vec<String> {
    let mut pages = Vec::new();
    let key = &server.admin_key;
    for (index, text) in CORPUS.iter().enumerate() {
        let extra = json!({ *text: text });
        let body = json!({ "policy": "api", "name": text, "lifetime": "30d", "extra_fields": extra });
        let id = server.own_token(&body).await.json()["token"]["id"].as_str().unwrap().to_owned();
        pages.push(format!("/console/tokens/{id}"));
        pages.push(format!("/console/admin/tokens/{id}/edit"));
        pages.push(format!("/console/admin/explain?token_id={id}"));
        let ended = server.own_token(&body).await.json()["token"]["id"].as_str().unwrap().to_owned();
        let revoke = format!("/api/v1/tokens/{ended}/revoke");
        server.post_json(&revoke, key, &json!({ "reason": text })).await.expect(200);
        pages.push(format!("/console/admin/tokens/{ended}"));
        pages.push(format!("/console/admin/explain?token_id={ended}"));
        let client = json!({
            "name": text, "client_id": format!("{index}{}", text.replace(' ', "_")),
            "grant_types": ["client_credentials"], "redirect_uris": [format!("https://x.test/?{index}'<svg/onload=1>")],
        });
        let made = server.client_with(client).await;
        server.access_token(&made).await;
        let path: String = form_urlencoded::byte_serialize(made.id.as_bytes()).collect();
        for page in ["", "/edit", "/rotate", "/delete"] {
            pages.push(format!("/console/admin/clients/{path}{page}"));
        }
        let user = json!({ "username": text, "email": format!("\"{index}<svg/onload=1>\"@x.test"), "role": "member", "password": PASSWORD });
        let user = server.post_json("/admin/v1/users", key, &user).await;
        let user = if user.status == 201 {
            user
        } else {
            let user = json!({ "username": text, "role": "member", "password": PASSWORD });
            server.post_json("/admin/v1/users", key, &user).await.expect(201)
        };
        for page in ["edit", "delete"] {
            pages.push(format!("/console/admin/users/{}/{page}", user.text("id")));
        }
        let import =
            server.import("plain", json!({ "source": text, "unmapped_owner": { "type": "user", "id": text } })).await;
        server.upload(&import, "", &[json!({ "token": format!("old-token-{index}"), "name": text })]).await.expect(200);
        server.verify(&format!("old-token-{index}")).await.expect(200);
        for page in ["", "/revoke"] {
            pages.push(format!("/console/admin/legacy/{import}{page}"));
        }
        let login: String = form_urlencoded::Serializer::new(String::new())
            .extend_pairs([("username", "admin"), ("password", PASSWORD)])
            .finish();
        let request = server.request(reqwest::Method::POST, "/console/sign-in").header("user-agent", *text);
        let request = request.header("sec-fetch-site", "same-origin");
        let request = request.header("content-type", "application/x-www-form-urlencoded").body(login);
        server.send(request).await.expect(303);
        let query: String = form_urlencoded::byte_serialize(text.as_bytes()).collect();
        for list in ["/console/tokens", "/console/admin/tokens", "/console/admin/clients", "/console/admin/users"] {
            pages.push(format!("{list}?q={query}&status={query}&done={query}"));
        }
        pages.push(format!("/console/admin/audit?action={query}&actor={query}"));
    }
    server.service().flush_uses().await.unwrap();
    pages.extend(
        [
            "/console/account",
            "/console/tokens",
            "/console/admin/tokens",
            "/console/admin/clients",
            "/console/admin/users",
            "/console/admin/legacy",
            "/console/admin/audit",
            "/console/security",
        ]
        .map(ToOwned::to_owned),
    );
    pages
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs Chromium: cargo xtask test"]
async fn what_people_write_never_runs_on_any_page() {
    let server = server(TestDatabase::sqlite()).await;
    let browser = Browser::start(DESKTOP).await;
    set_up(&server, &browser).await;
    let mut bytes = 0;
    for page in plant(&server).await {
        browser.open(&format!("{}{page}", server.url)).await;
        let found = browser
            .run(
                "return { ran: window.ran ?? null, planted: document.querySelectorAll('#planted, img[src=x], svg[onload], main script').length, \
                 links: [...document.links].filter(link => link.protocol === 'javascript:').length, \
                 bytes: document.documentElement.outerHTML.length, title: document.title }",
            )
            .await;
        assert!(found["title"].as_str().is_some_and(|title| title.ends_with("Jeton")), "{page}: {found}");
        assert!(found["ran"].is_null() && found["planted"] == 0 && found["links"] == 0, "{page}: {found}");
        bytes = bytes.max(found["bytes"].as_u64().unwrap());
    }
    assert!(bytes < 100_000, "a page weighs {bytes}");
    server.finish().await;
}

//! `/console/admin/clients…`: a client is made, its secret shown once, changed, edited and deleted.

use super::browser::{Browser, PASSWORD};
use super::tokens::{field_of, form_of};
use crate::support::{TestClient, TestServer, logs};

const NEW: &str = "/console/admin/new/client";

/// Makes a client by the form; returns it and the path of its page.
async fn make(browser: &Browser<'_>, name: &str) -> (TestClient, String) {
    let form = form_of(&browser.get(NEW).await.expect(200).body, NEW);
    let fields = [
        ("form", form.as_str()),
        ("name", name),
        ("token_endpoint_auth_method", "client_secret_basic"),
        ("grant_types", "client_credentials"),
        ("scopes", "orders:read orders:write"),
    ];
    let made = browser.post(NEW, &fields).await.expect(201);
    assert_eq!(made.header("cache-control"), "no-store");
    let secret = logs::secrets_in(&made.body).remove(0);
    let again = browser.post(NEW, &fields).await.expect(409);
    assert!(logs::secrets_in(&again.body).is_empty());
    let id = made.body.split("CLIENT_ID='").nth(1).unwrap().split('\'').next().unwrap().to_owned();
    (TestClient { secret, id: id.clone() }, format!("/console/admin/clients/{id}"))
}

async fn works(server: &TestServer, client: &TestClient) -> bool {
    server.post_form("/oauth20/token", Some(client), &[("grant_type", "client_credentials")]).await.status == 200
}

on_both_databases! {
    async fn a_client_is_made_and_its_secret_is_shown_once(server: &TestServer) {
        let browser = Browser::operator(server).await;
        let (client, path) = make(&browser, "Orders <b>").await;
        assert!(works(server, &client).await);
        let list = browser.get("/console/admin/clients?q=orders").await.expect(200).body;
        assert!(list.contains("Orders &#60;b&#62;") && list.contains("Get tokens of its own"));
        let page = browser.get(&path).await.expect(200).body;
        assert!(page.contains("orders:read orders:write"));
        for body in [list, page] {
            assert!(logs::secrets_in(&body).is_empty(), "a secret is shown again");
        }
    }

    async fn everything_that_is_wrong_stands_beside_its_field_and_what_was_typed_stays(server: &TestServer) {
        let browser = Browser::operator(server).await;
        let form = form_of(&browser.get(NEW).await.expect(200).body, NEW);
        let fields = [
            ("form", form.as_str()), ("name", " "), ("token_endpoint_auth_method", "none"), ("grant_types", "client_credentials"),
            ("scopes", "kept"), ("redirect_uris", "https://kept.test/a\r\njavascript:alert(1)"), ("introspect", "yes"),
        ];
        let refused = browser.post(NEW, &fields).await.expect(422).body;
        for field in ["name", "grant_types", "redirect_uris", "introspect"] {
            assert!(refused.contains(&format!("id=\"{field}-error\"")), "{field}");
        }
        assert!(refused.contains("value=\"kept\"") && refused.contains("https://kept.test/a"));
        assert_ne!(form_of(&refused, NEW), form, "the form can be sent again");
        assert!(!browser.get("/console/admin/clients").await.body.contains("kept"));
    }

    async fn two_secrets_are_accepted_until_the_overlap_ends(server: &TestServer) {
        let browser = Browser::operator(server).await;
        let (old, path) = make(&browser, "Orders").await;
        let rotate = format!("{path}/rotate");
        let form = form_of(&browser.get(&rotate).await.expect(200).body, &rotate);
        let fields = [("form", form.as_str()), ("overlap", "1h")];
        let made = browser.post(&rotate, &fields).await.expect(201).body;
        browser.post(&rotate, &fields).await.expect(409);
        let new = TestClient { id: old.id.clone(), secret: logs::secrets_in(&made).remove(0) };
        assert!(works(server, &old).await && works(server, &new).await);
        assert!(browser.get(&path).await.body.contains("Two secrets are accepted"));
        server.advance(3_600);
        browser.sign_in("admin", PASSWORD).await.expect(303);
        assert!(!works(server, &old).await && works(server, &new).await);
        assert!(!browser.get(&path).await.body.contains("Two secrets are accepted"));
        let form = form_of(&browser.get(&rotate).await.expect(200).body, &rotate);
        browser.post(&rotate, &[("form", &form), ("overlap", "0s")]).await.expect(201);
        assert!(!works(server, &new).await, "at once");
        let form = form_of(&browser.get(&rotate).await.expect(200).body, &rotate);
        browser.post(&rotate, &[("form", &form), ("overlap", "31d")]).await.expect(400);
        browser.post(&rotate, &[("form", &form), ("overlap", "soon")]).await.expect(400);
    }

    async fn who_edits_second_sees_what_the_first_one_stored(server: &TestServer) {
        let browser = Browser::operator(server).await;
        let (_, path) = make(&browser, "Orders").await;
        let edit = format!("{path}/edit");
        let version = field_of(&browser.get(&edit).await.expect(200).body, "version");
        let form = |name: &'static str| [("version", version.clone()), ("name", name.to_owned()), ("scopes", "orders:read".to_owned())];
        let as_refs = |form: &[(&'static str, String)]| form.iter().map(|(name, value)| (*name, value.clone())).collect::<Vec<_>>();
        let send = async |name| {
            let form = as_refs(&form(name));
            let form: Vec<(&str, &str)> = form.iter().map(|(name, value)| (*name, value.as_str())).collect();
            browser.post(&edit, &form).await
        };
        send("First").await.expect(303);
        let merge = send("Second").await.expect(409).body;
        assert!(merge.contains("Somebody else has changed") && merge.contains("value=\"Second\"") && merge.contains("<code>First</code>"));
        assert!(!merge.contains("id=\"scopes-stored\""), "both typed the same");
        let version = field_of(&merge, "version");
        browser.post(&edit, &[("version", &version), ("name", "Second")]).await.expect(303);
        let page = browser.get(&path).await.expect(200).body;
        assert!(page.contains("<h1>Second</h1>") && !page.contains("orders:read"));
    }

    async fn deleting_a_client_tells_first_what_goes_with_it(server: &TestServer) {
        let browser = Browser::operator(server).await;
        let (client, path) = make(&browser, "Orders").await;
        let mut tokens = Vec::new();
        for _ in 0..6 {
            tokens.push(server.access_token(&client).await);
        }
        let delete = format!("{path}/delete");
        let asked = browser.get(&delete).await.expect(200).body;
        assert!(asked.contains("<dd>6</dd>") && asked.contains("HTTP 401") && asked.contains("Type 6 to confirm"));
        let wrong = browser.post(&delete, &[("expected", "6"), ("typed", "5")]).await.expect(422).body;
        assert!(wrong.contains("That is not the number."));
        browser.post(&delete, &[]).await.expect(422);
        server.verify(&tokens[0]).await.expect(200);
        browser.post(&delete, &[("expected", "6"), ("typed", "6")]).await.expect(303);
        for token in &tokens {
            server.verify(token).await.expect_invalid_token();
        }
        browser.get(&path).await.expect(404);
        assert!(!works(server, &client).await);
    }

    async fn the_workspaces_own_client_stays_and_says_so(server: &TestServer) {
        let browser = Browser::operator(server).await;
        let page = browser.get("/console/admin/clients/default-api-tokens").await.expect(200).body;
        assert!(page.contains("can’t be edited or deleted") && !page.contains("/delete\"") && !page.contains("/edit\""));
        browser.get("/console/admin/clients/default-api-tokens/delete").await.expect(409);
        browser.get("/console/admin/clients/default-api-tokens/rotate").await.expect(404);
        browser.get("/console/admin/clients/nobody").await.expect(404);
    }
}

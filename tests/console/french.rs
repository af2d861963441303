//! What is wrong with a form is said in the reader's language, whoever has found it.

use serde_json::json;

use super::browser::Browser;
use super::tokens::{field_of, form_of};
use crate::support::TestServer;

/// Every form with something wrong, and what a French reader is told.
async fn refusals(server: &TestServer, browser: &Browser<'_>) -> Vec<(String, &'static str)> {
    let long = "x".repeat(201);
    let api = [("name", "orders"), ("audience", "https://orders.test")];
    browser.post("/console/admin/new/api", &api).await.expect(303);
    let import = server.legacy_token("old-token-one").await;
    server.own_token(&json!({ "policy": "api", "name": "crm", "lifetime": "30d" })).await;
    let list = browser.get("/console/admin/tokens?q=crm").await.expect(200).body;
    let edit = format!("/console/admin/tokens/{}/edit", field_of(&list, "id"));
    let version = field_of(&browser.get(&edit).await.expect(200).body, "version");
    let user = server.user("ada", "member").await;
    let user = format!("/console/admin/users/{}/edit", user.id);
    let user_version = field_of(&browser.get(&user).await.expect(200).body, "version");
    let mut told = Vec::new();
    for (page, form, says) in [
        ("/console/admin/new/api", vec![("name", "A b"), ("audience", "https://x.test")], "De 1 à 64 minuscules"),
        ("/console/admin/new/api", vec![("name", "b"), ("audience", "nowhere")], "Une adresse absolue"),
        (
            "/console/admin/new/api",
            vec![("name", "b"), ("audience", "https://x.test"), ("scopes", "\"")],
            "Une portée se compose",
        ),
        ("/console/admin/new/api", api.to_vec(), "Ce nom est ou a été utilisé ici."),
        (
            "/console/admin/new/plan",
            vec![("name", "p"), ("requests", "0"), ("period", "1m")],
            "Un nombre entier de 1 à",
        ),
        (
            "/console/admin/new/plan",
            vec![("name", "p"), ("requests", "many"), ("period", "1m")],
            "Un nombre entier de 1 à",
        ),
        (
            "/console/admin/new/plan",
            vec![("name", "p"), ("requests", "1"), ("period", "soon")],
            "Un nombre entier de secondes",
        ),
        ("/console/admin/new/plan", vec![("name", "p"), ("requests", "1"), ("period", "400d")], "De 1s à"),
        (
            "/console/admin/new/plan",
            vec![("name", "p"), ("requests", "1"), ("period", "1m"), ("apis", "x")],
            "n’a pas d’API",
        ),
        (&user, vec![("version", &*user_version), ("role", "member"), ("email", "nobody")], "Une adresse e-mail"),
        (&edit, vec![("version", &*version), ("owner", "nobody")], "Aucun utilisateur ni client"),
        (&edit, vec![("version", &*version), ("owner", "admin"), ("plan", "x")], "n’a pas de forfait"),
        (
            "/console/admin/legacy/IMPORT/extend",
            vec![("deadline", "2026-11-25T00:00")],
            "Elle précède l’échéance actuelle",
        ),
        ("/console/admin/legacy/IMPORT/extend", vec![("deadline", "2036-01-01T00:00")], "Elle doit être à venir"),
    ] {
        let answer = browser.post(&page.replace("IMPORT", &import), &form).await;
        assert_eq!(answer.status, 422, "{page}: {}", answer.body);
        told.push((answer.body, says));
    }
    for (redirect, says) in [
        ("nowhere", "Ce n’est pas une adresse absolue."),
        ("http://x.test", "Elle doit commencer par https"),
        ("https://x.test/#a", "Sans fragment"),
        ("https://*.x.test", "joker"),
        ("javascript:x", "ne peut pas servir de redirection"),
    ] {
        let form =
            form_of(&browser.get("/console/admin/new/client").await.expect(200).body, "/console/admin/new/client");
        let fields = [("form", &*form), ("name", "a"), ("redirect_uris", redirect)];
        told.push((browser.post("/console/admin/new/client", &fields).await.expect(422).body, says));
    }
    for (name, says) in [
        (" ", "Ce champ ne peut pas être vide."),
        (&long, "Au plus 200 caractères."),
        ("a\u{202e}b", "changent le sens"),
    ] {
        let form =
            form_of(&browser.get("/console/admin/new/client").await.expect(200).body, "/console/admin/new/client");
        let fields = [("form", &*form), ("name", name)];
        told.push((browser.post("/console/admin/new/client", &fields).await.expect(422).body, says));
    }
    let form = form_of(&browser.get("/console/admin/users").await.expect(200).body, "/console/admin/users");
    let fields = [("form", &*form), ("username", "ada"), ("role", "member")];
    told.push((
        browser.post("/console/admin/users", &fields).await.expect(422).body,
        "Ce nom est ou a été utilisé ici.",
    ));
    told
}

on_both_databases! {
    async fn what_is_wrong_is_said_in_french(server: &TestServer) {
        let mut browser = Browser::operator(server).await;
        browser.language = "fr";
        for (page, says) in refusals(server, &browser).await {
            assert!(page.contains(says), "{says}: {page}");
            for english in ["is made of", "must be", "at most", "is no ", "can't", "in use"] {
                assert!(!page.contains(english), "{english:?} in {page}");
            }
        }
    }

    async fn what_can_not_be_done_is_said_in_french(server: &TestServer) {
        let mut browser = Browser::operator(server).await;
        browser.language = "fr";
        let list = browser.get("/console/admin/users").await.expect(200).body;
        let delete = list.split('"').find(|part| part.ends_with("/delete")).expect("a link that deletes").to_owned();
        let refused = browser.get(&delete).await.expect(409).body;
        assert!(refused.contains("Personne d’autre dans cet espace n’a le rôle Opérateur."), "{refused}");
        let client = server.client(&[]).await;
        server.access_token(&client).await;
        let list = browser.get("/console/admin/tokens?policy=session").await.expect(200).body;
        let id = field_of(&list, "id");
        let asked = browser.post("/console/admin/tokens/confirm", &[("action", "revoke"), ("id", &id)]).await.expect(200).body;
        assert!(asked.contains("Il se révoque par HTTP seulement"), "{asked}");
    }
}

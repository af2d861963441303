//! Sessions without a user, and how a user takes one over (RFC 8693).

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::json;

use crate::support::server::TestClient;
use crate::support::{Answer, TestServer};

const ANONYMOUS: &str = "urn:jeton:params:oauth:grant-type:anonymous";
const EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";

async fn shop(server: &TestServer) -> TestClient {
    let grant_types = json!([ANONYMOUS, EXCHANGE, "refresh_token", "client_credentials"]);
    let scopes = json!(["browse", "order", "pay"]);
    server
        .client_with(json!({ "name": "shop", "grant_types": grant_types, "scopes": scopes, "introspect": true }))
        .await
}

async fn open(server: &TestServer, client: &TestClient) -> Answer {
    let form =
        [("grant_type", ANONYMOUS), ("scope", "browse"), ("external_reference_id", "cart-17"), ("session_tag", "web")];
    server.post_form("/oauth20/token", Some(client), &form).await
}

async fn raise(server: &TestServer, client: &TestClient, subject: &str, actor: &str, more: &[(&str, &str)]) -> Answer {
    let mut form = vec![
        ("grant_type", EXCHANGE),
        ("subject_token", subject),
        ("subject_token_type", ACCESS_TOKEN),
        ("actor_token", actor),
        ("actor_token_type", ACCESS_TOKEN),
    ];
    form.extend_from_slice(more);
    server.post_form("/oauth20/token", Some(client), &form).await
}

async fn session(server: &TestServer, token: &str) -> serde_json::Value {
    server.get("/oauth20/access-token", token).await.expect(200).json()["session"].clone()
}

on_both_databases! {
    async fn an_anonymous_session_has_no_user_and_the_scopes_that_were_asked_for(server: &TestServer) {
        let client = shop(server).await;
        let answer = open(server, &client).await.expect(200);
        assert_eq!(answer.header("cache-control"), "no-store");
        assert_eq!((answer.text("scope"), answer.json()["expires_in"].clone()), ("browse".to_owned(), json!(3600)));
        assert_eq!(answer.json()["refresh_token_expires_in"], 86_400);
        let token = answer.text("access_token");
        let view = session(server, &token).await;
        assert_eq!((&view["authenticated"], &view["user_id"]), (&json!(false), &json!(null)));
        assert_eq!((&view["client_id"], &view["policy"]), (&json!(client.id), &json!("session")));
        assert_eq!((&view["external_reference_id"], &view["session_tag"]), (&json!("cart-17"), &json!("web")));
        let introspected = server.introspect(&client, &token).await.expect(200).json();
        assert_eq!((&introspected["sub"], &introspected["authenticated"]), (&view["session_id"], &json!(false)));
        assert_eq!(server.verify(&token).await.expect(200).header("x-auth-subject"), view["session_id"].as_str().unwrap());
        server.get("/api/v1/tokens", &token).await.expect(403);
        assert_eq!(crate::store::audit_rows(&server.database, "session.open").await.len(), 1);
    }

    async fn without_a_scope_it_has_none_and_never_one_beyond_the_client(server: &TestServer) {
        let client = shop(server).await;
        let bare = server.post_form("/oauth20/token", Some(&client), &[("grant_type", ANONYMOUS)]).await.expect(200);
        assert_eq!(bare.text("scope"), "");
        let form = [("grant_type", ANONYMOUS), ("scope", "admin")];
        server.post_form("/oauth20/token", Some(&client), &form).await.expect_oauth_error(400, "invalid_scope");
    }

    async fn a_clients_own_session_is_authenticated_and_may_carry_references(server: &TestServer) {
        let client = shop(server).await;
        let form = [("grant_type", "client_credentials"), ("external_reference_id", "job-1")];
        let token = server.post_form("/oauth20/token", Some(&client), &form).await.expect(200).text("access_token");
        let view = session(server, &token).await;
        assert_eq!((&view["authenticated"], &view["external_reference_id"]), (&json!(true), &json!("job-1")));
        assert_eq!(view["session_tag"], json!(null));
    }

    async fn references_are_bounded_and_plain(server: &TestServer) {
        let client = shop(server).await;
        let long = "x".repeat(129);
        for name in ["external_reference_id", "session_tag"] {
            for bad in [long.as_str(), "a\r\nb", "\u{202e}x", " "] {
                let form = [("grant_type", ANONYMOUS), (name, bad)];
                let refused = server.post_form("/oauth20/token", Some(&client), &form).await;
                refused.expect_oauth_error(400, "invalid_request");
            }
        }
        let form = [("grant_type", ANONYMOUS), ("session_tag", &long[1..])];
        server.post_form("/oauth20/token", Some(&client), &form).await.expect(200);
    }

    async fn only_registered_confidential_clients_open_them(server: &TestServer) {
        let client = server.client(&["browse"]).await;
        open(server, &client).await.expect_oauth_error(400, "unauthorized_client");
        let public = json!({ "name": "x", "grant_types": [ANONYMOUS], "token_endpoint_auth_method": "none" });
        server.post_json("/admin/v1/clients", &server.admin_key, &public).await.expect_field_error("/grant_types");
    }

    async fn it_ends_like_any_other_session(server: &TestServer) {
        let client = shop(server).await;
        let answer = open(server, &client).await.expect(200);
        let token = answer.text("access_token");
        let ended = server.delete("/oauth20/access-token", &token).await.expect(200).json();
        assert_eq!((&ended["session"]["status"], &ended["session"]["authenticated"]), (&json!("revoked"), &json!(false)));
        server.delete("/oauth20/access-token", &token).await.expect_invalid_token();
        let form = [("grant_type", "refresh_token"), ("refresh_token", &answer.text("refresh_token"))];
        server.post_form("/oauth20/token", Some(&client), &form).await.expect_oauth_error(400, "invalid_grant");
        raise(server, &client, &server.admin_key, &token, &[]).await.expect_oauth_error(400, "invalid_request");
    }

    async fn a_user_takes_a_session_over_and_it_keeps_its_id(server: &TestServer) {
        let client = shop(server).await;
        let old = open(server, &client).await.expect(200).text("access_token");
        let before = session(server, &old).await;
        server.advance(600);
        let more = [("session_tag", "app"), ("requested_token_type", ACCESS_TOKEN)];
        let answer = raise(server, &client, &server.admin_key, &old, &more).await.expect(200);
        assert_eq!(answer.header("cache-control"), "no-store");
        assert_eq!((answer.text("issued_token_type"), answer.text("token_type")), (ACCESS_TOKEN.to_owned(), "Bearer".to_owned()));
        assert_eq!((answer.text("scope"), answer.json()["expires_in"].clone()), ("browse order pay".to_owned(), json!(3600)));
        let new = answer.text("access_token");
        let after = session(server, &new).await;
        assert_eq!(after["session_id"], before["session_id"]);
        assert_eq!((&after["authenticated"], &after["expires_at"]), (&json!(true), &before["expires_at"]));
        assert_eq!((&after["external_reference_id"], &after["session_tag"]), (&json!("cart-17"), &json!("app")));
        let introspected = server.introspect(&client, &new).await.expect(200).json();
        assert_eq!((&introspected["sub"], &introspected["username"]), (&after["user_id"], &json!("admin")));
        assert!(introspected.get("authenticated").is_none());
        let rows = crate::store::audit_rows(&server.database, "session.raise").await;
        assert_eq!(rows, [(answer.header("x-request-id").to_owned(), format!("client:{}", client.id))]);
        server.get("/api/v1/tokens", &new).await.expect(403);
    }

    async fn what_was_known_of_the_session_before_is_worth_nothing_after(server: &TestServer) {
        let client = shop(server).await;
        let planted = open(server, &client).await.expect(200);
        let (old_access, old_refresh) = (planted.text("access_token"), planted.text("refresh_token"));
        server.verify(&old_access).await.expect(200);
        let new = raise(server, &client, &server.admin_key, &old_access, &[]).await.expect(200);
        server.verify(&old_access).await.expect_invalid_token();
        assert!(!server.is_active(&client, &old_access).await);
        assert!(!server.is_active(&client, &old_refresh).await);
        let refresh = async |token: &str| {
            let form = [("grant_type", "refresh_token"), ("refresh_token", token)];
            server.post_form("/oauth20/token", Some(&client), &form).await
        };
        refresh(&old_refresh).await.expect_oauth_error(400, "invalid_grant");
        raise(server, &client, &server.admin_key, &old_access, &[]).await.expect_oauth_error(400, "invalid_request");
        // Whoever planted the session can't end it either.
        server.verify(&new.text("access_token")).await.expect(200);
        let again = refresh(&new.text("refresh_token")).await.expect(200);
        assert_eq!(again.text("scope"), "browse order pay");
        assert_eq!(session(server, &again.text("access_token")).await["authenticated"], true);
    }

    async fn of_many_who_race_one_takes_the_session_over(server: &TestServer) {
        let client = shop(server).await;
        let old = open(server, &client).await.expect(200).text("access_token");
        let answers = join_all((0..10).map(|_| raise(server, &client, &server.admin_key, &old, &[]))).await;
        assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1);
        assert!(answers.iter().all(|answer| answer.status == 200 || answer.json()["error"] == "invalid_request"));
    }

    async fn the_scope_stays_within_that_of_the_subject_and_of_the_client(server: &TestServer) {
        let client = shop(server).await;
        let key = json!({ "policy": "key", "name": "narrow", "scopes": ["order", "elsewhere"] });
        let key = server.own_token(&key).await.text("api_key");
        let actor = async || open(server, &client).await.expect(200).text("access_token");
        for beyond in ["pay", "elsewhere", "order browse"] {
            let refused = raise(server, &client, &key, &actor().await, &[("scope", beyond)]).await;
            refused.expect_oauth_error(400, "invalid_scope");
        }
        assert_eq!(raise(server, &client, &key, &actor().await, &[]).await.expect(200).text("scope"), "order");
        let narrowed = raise(server, &client, &server.admin_key, &actor().await, &[("scope", "pay")]).await;
        assert_eq!(narrowed.expect(200).text("scope"), "pay");
    }

    async fn a_session_does_not_outlive_the_token_that_it_was_raised_with(server: &TestServer) {
        let client = shop(server).await;
        let short = json!({ "policy": "access", "lifetime": "30m" });
        let subject = server.own_token(&short).await.text("access_token");
        server.advance(60);
        let old = open(server, &client).await.expect(200).text("access_token");
        let answer = raise(server, &client, &subject, &old, &[]).await.expect(200);
        assert_eq!((&answer.json()["expires_in"], &answer.json()["refresh_token_expires_in"]), (&json!(1740), &json!(1740)));
        assert_eq!(session(server, &answer.text("access_token")).await["expires_in"], 1740);
    }

    async fn bad_exchanges_get_the_errors_of_rfc_8693(server: &TestServer) {
        let client = shop(server).await;
        let actor = open(server, &client).await.expect(200);
        let (actor, refresh) = (actor.text("access_token"), actor.text("refresh_token"));
        let (subject, own) = (server.admin_key.clone(), server.access_token(&client).await);
        let full = [
            ("grant_type", EXCHANGE), ("subject_token", subject.as_str()), ("subject_token_type", ACCESS_TOKEN),
            ("actor_token", actor.as_str()), ("actor_token_type", ACCESS_TOKEN),
        ];
        let ask = async |form: Vec<(&str, &str)>| server.post_form("/oauth20/token", Some(&client), &form).await;
        for left_out in 1..full.len() {
            let mut form = full.to_vec();
            form.remove(left_out);
            ask(form).await.expect_oauth_error(400, "invalid_request");
        }
        let jwt = "urn:ietf:params:oauth:token-type:jwt";
        for (place, value) in [
            (1, "garbage"), (1, own.as_str()), (1, actor.as_str()), (1, refresh.as_str()), (2, jwt),
            (3, "garbage"), (3, own.as_str()), (3, subject.as_str()), (3, refresh.as_str()), (4, jwt),
        ] {
            let mut form = full.to_vec();
            form[place].1 = value;
            ask(form).await.expect_oauth_error(400, "invalid_request");
        }
        let with = |more| full.iter().copied().chain([more]).collect::<Vec<_>>();
        ask(with(("requested_token_type", jwt))).await.expect_oauth_error(400, "invalid_request");
        ask(with(("audience", "orders"))).await.expect_oauth_error(400, "invalid_target");
        ask(with(("resource", "https://orders.test"))).await.expect_oauth_error(400, "invalid_target");
        server.post_form("/oauth20/token", None, &full).await.expect_oauth_error(401, "invalid_client");
        let other = shop(server).await;
        raise(server, &other, &subject, &actor, &[]).await.expect_oauth_error(400, "invalid_request");
        let in_url = server.post_form(&format!("/oauth20/token?actor_token={actor}"), Some(&client), &full).await;
        in_url.expect_oauth_error(400, "invalid_request");
        raise(server, &client, &subject, &actor, &[]).await.expect(200);
    }

    async fn a_dead_user_token_raises_nothing(server: &TestServer) {
        let client = shop(server).await;
        let actor = open(server, &client).await.expect(200).text("access_token");
        let subject = server.own_token(&json!({ "policy": "access" })).await.text("access_token");
        server.delete("/oauth20/access-token", &subject).await.expect(200);
        raise(server, &client, &subject, &actor, &[]).await.expect_oauth_error(400, "invalid_request");
        assert_eq!(session(server, &actor).await["authenticated"], false);
    }
}

on_both_databases! {
    with vec![("policies.session.refresh_on_any_endpoint", "true".to_owned())];

    async fn a_confidential_client_is_not_passed_by_on_any_endpoint(server: &TestServer) {
        let client = shop(server).await;
        let opened = open(server, &client).await.expect(200);
        server.advance(3601);
        let request = server.request(Method::GET, "/oauth20/verify").bearer_auth(opened.text("access_token"));
        let refused = server.send(request.header("x-refresh-token", opened.text("refresh_token"))).await;
        assert!(refused.expect_invalid_token().headers.get("x-access-token").is_none());
        let form = [("grant_type", "refresh_token"), ("refresh_token", &opened.text("refresh_token"))];
        server.post_form("/oauth20/token", Some(&client), &form).await.expect(200);
    }
}

on_both_databases! {
    with vec![("policies.session.rest_revoke", "true".to_owned())];

    async fn the_raised_session_dies_with_its_users_sessions(server: &TestServer) {
        let client = shop(server).await;
        let revoke_all = async || {
            let body = json!({ "policy": "session" });
            server.post_json("/api/v1/tokens/revoke-all", &server.admin_key, &body).await.expect(200);
        };
        let old = open(server, &client).await.expect(200).text("access_token");
        // It is nobody's yet, and a revocation of before must not reach it once it is somebody's.
        revoke_all().await;
        let new = raise(server, &client, &server.admin_key, &old, &[]).await.expect(200).text("access_token");
        server.verify(&new).await.expect(200);
        revoke_all().await;
        server.verify(&new).await.expect_invalid_token();
    }
}

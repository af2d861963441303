//! `/admin/v1/webhooks`: what arrives at a receiver, and what does not.

use std::collections::HashSet;
use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use tokio::sync::oneshot;

use crate::support::certificates::Authority;
use crate::support::receiver::{Received, Receiver, Reply};
use crate::support::server::Options;
use crate::support::{Answer, TestDatabase, TestServer};

/// The receivers of the tests are on the loopback interface.
fn near() -> Options {
    vec![("webhooks.allowed_networks", "127.0.0.0/8".to_owned())]
}

/// A webhook that a test has made.
struct Hook {
    path: String,
    secret: String,
    etag: String,
}

async fn hook(server: &TestServer, receiver: &Receiver, types: &[&str]) -> Hook {
    let body = json!({ "url": receiver.url(), "types": types, "description": "chat" });
    let made = server.post_json("/admin/v1/webhooks", &server.admin_key, &body).await.expect(201);
    let path = made.header("location").to_owned();
    assert_eq!(path, format!("/admin/v1/webhooks/{}", made.text("id")));
    Hook { path, secret: made.text("secret"), etag: made.header("etag").to_owned() }
}

async fn show(server: &TestServer, hook: &Hook) -> Value {
    server.get(&hook.path, &server.admin_key).await.expect(200).json()
}

/// Looks until this is so: what is written beside the requests shows a moment later.
async fn until(server: &TestServer, hook: &Hook, so: impl Fn(&Value) -> bool) -> Value {
    let (mut shown, mut looks) = (Value::Null, tokio::time::interval(Duration::from_millis(100)));
    for _ in 0..300 {
        looks.tick().await;
        shown = show(server, hook).await;
        if so(&shown) {
            return shown;
        }
    }
    panic!("{shown}")
}

async fn key(server: &TestServer) -> String {
    let made = server.own_token(&json!({ "policy": "key", "name": "k" })).await;
    made.json()["token"]["id"].as_str().unwrap().to_owned()
}

async fn edit(server: &TestServer, hook: &Hook, body: &Value) -> Answer {
    server.patch_json(&hook.path, &server.admin_key, "*", body).await
}

async fn test(server: &TestServer, hook: &Hook) -> Value {
    server
        .send(server.request(Method::POST, &format!("{}/test", hook.path)).bearer_auth(&server.admin_key))
        .await
        .expect(200)
        .json()
}

fn subjects(messages: &[Received]) -> Vec<String> {
    messages.iter().map(Received::subject).collect()
}

on_both_databases! {
    with near();

    async fn events_arrive_signed_in_their_order_and_once(server: &TestServer) {
        let receiver = Receiver::start().await;
        key(server).await;
        let hook = hook(server, &receiver, &[]).await;
        let mut made = Vec::new();
        for _ in 0..5 {
            made.push(key(server).await);
        }
        let messages = receiver.take(6).await;
        assert_eq!(messages[0].kind(), "webhook.created", "what was before is not told");
        assert_eq!(subjects(&messages[1..]), made);
        let events = server.get("/admin/v1/events?limit=200", &server.admin_key).await.expect(200).json();
        let events = events["data"].as_array().unwrap();
        for (message, event) in messages.iter().zip(&events[events.len() - 6..]) {
            assert_eq!(message.head, "POST /hook?k=1 HTTP/1.1");
            assert_eq!(message.headers["content-type"], "application/json");
            assert!(message.headers["user-agent"].starts_with("jeton/"));
            assert_eq!((&message.json(), &json!(message.id())), (event, &event["id"]));
            assert!(message.is_signed_by(&hook.secret) && message.signatures().count() == 1);
            assert_eq!(message.headers["webhook-timestamp"], (server.clock.now().ms() / 1000).to_string());
            assert!(!message.body.contains("jtn_"));
        }
        let shown = until(server, &hook, |shown| shown["delivery"]["behind"] == 0).await;
        assert_eq!(shown["delivery"]["condition"], "well");
        assert_eq!(shown["delivery"]["last_success_at"], json!(server.clock.now().to_string()));
        assert!(receiver.is_quiet().await);
        assert!(!shown.to_string().contains("whsec_"));
        let dump = server.database.dump().await;
        let text = hook.secret.strip_prefix("whsec_").unwrap().as_bytes();
        assert!(!dump.windows(text.len()).any(|window| window == text), "the secret is stored sealed");
        let metrics = server.management("/metrics").await.expect(200).body;
        assert!(metrics.contains("jeton_webhook_deliveries_total{outcome=\"delivered\"} 6\n"), "{metrics}");
    }

    async fn what_is_not_taken_comes_again_under_the_same_id_and_nothing_overtakes_it(server: &TestServer) {
        let receiver = Receiver::start().await;
        let hook = hook(server, &receiver, &["token.created"]).await;
        receiver.answer([Reply::status(500), Reply::HangUp]);
        let (one, two) = (key(server).await, key(server).await);
        let first = receiver.next().await;
        let shown = until(server, &hook, |shown| shown["delivery"]["condition"] == "failing").await;
        assert_eq!(shown["delivery"]["last_error"], "the receiver answered with status 500");
        assert_eq!((&shown["delivery"]["failures"], &shown["delivery"]["behind"]), (&json!(1), &json!(2)));
        assert!(receiver.is_quiet().await, "the second waits for the first");
        server.advance(6);
        let second = receiver.next().await;
        until(server, &hook, |shown| shown["delivery"]["failures"] == 2).await;
        assert!(receiver.is_quiet().await);
        server.advance(11);
        let rest = receiver.take(2).await;
        assert_eq!([first.subject(), second.subject(), rest[0].subject(), rest[1].subject()], [one.clone(), one.clone(), one, two]);
        assert_eq!((first.id(), second.id()), (rest[0].id(), rest[0].id()));
        assert_ne!(first.headers["webhook-timestamp"], rest[0].headers["webhook-timestamp"], "signed anew each time");
        assert!([&first, &second, &rest[0]].iter().all(|message| message.is_signed_by(&hook.secret)));
        let shown = until(server, &hook, |shown| shown["delivery"]["behind"] == 0).await;
        assert_eq!((&shown["delivery"]["condition"], &shown["delivery"]["failing_since"]), (&json!("well"), &Value::Null));
    }

    async fn only_a_2xx_is_a_receipt_and_a_redirect_leads_nowhere(server: &TestServer) {
        let (receiver, elsewhere) = (Receiver::start().await, Receiver::start().await);
        let hook = hook(server, &receiver, &["token.created"]).await;
        let location = format!("HTTP/1.1 307 Go\r\nlocation: {}\r\ncontent-length: 0\r\n\r\n", elsewhere.url());
        let cases = [
            (Reply::Bytes(location), "the receiver answered with status 307"),
            (Reply::status(404), "the receiver answered with status 404"),
            (Reply::status(410), "the receiver answered with status 410"),
            (Reply::status(503), "the receiver answered with status 503"),
            (Reply::Bytes("what?\r\n\r\nconnection: close".to_owned()), "the connection to the receiver broke"),
            (Reply::HangUp, "the connection to the receiver broke"),
        ];
        let made = key(server).await;
        for (number, (reply, error)) in cases.into_iter().enumerate() {
            receiver.answer([reply]);
            if number > 0 {
                server.advance(3_600);
            }
            assert_eq!(receiver.next().await.subject(), made);
            let failed = until(server, &hook, |shown| shown["delivery"]["failures"] == json!(number + 1)).await;
            assert!(failed["delivery"]["last_error"].as_str().unwrap().starts_with(error), "{failed}");
        }
        assert!(elsewhere.is_quiet().await);
        // A success is one from its first line on, however its body ends.
        receiver.answer([Reply::Bytes("HTTP/1.1 202 Yes\r\ncontent-length: 100\r\n\r\nhalf, connection: close".to_owned())]);
        server.advance(3_600);
        assert_eq!(receiver.next().await.subject(), made);
        until(server, &hook, |shown| shown["delivery"]["condition"] == "well").await;
    }

    async fn a_receiver_that_hangs_is_given_up_and_keeps_nobody_else_waiting(server: &TestServer) {
        let (hanging, well) = (Receiver::start().await, Receiver::start().await);
        let slow = hook(server, &hanging, &["token.created"]).await;
        hook(server, &well, &["token.created"]).await;
        hanging.answer([Reply::Silence]);
        let made = key(server).await;
        assert_eq!(hanging.next().await.subject(), made);
        assert_eq!(well.next().await.subject(), made);
        let shown = until(server, &slow, |shown| shown["delivery"]["condition"] == "failing").await;
        assert_eq!(shown["delivery"]["last_error"], "the receiver did not answer within 10 s");
    }

    async fn after_failing_for_days_it_is_switched_off_and_others_are_told(server: &TestServer) {
        let (dead, well) = (Receiver::start().await, Receiver::start().await);
        let hook = hook(server, &dead, &["token.created"]).await;
        let other = self::hook(server, &well, &["webhook.switched_off"]).await;
        dead.answer([Reply::status(500), Reply::status(500), Reply::status(500)]);
        let made = key(server).await;
        dead.next().await;
        until(server, &hook, |shown| shown["delivery"]["failures"] == 1).await;
        server.advance(5 * 86_400 - 60);
        dead.next().await;
        let shown = until(server, &hook, |shown| shown["delivery"]["failures"] == 2).await;
        assert_eq!(shown["enabled"], true, "not yet");
        server.advance(3_600);
        dead.next().await;
        let shown = until(server, &hook, |shown| shown["enabled"] == false).await;
        assert_eq!(shown["delivery"]["condition"], "off");
        let told = well.next().await;
        assert_eq!((told.subject(), &told.json()["actor"]), (shown["id"].as_str().unwrap().to_owned(), &json!("system")));
        assert_eq!(told.json()["data"]["last_error"], "the receiver answered with status 500");
        assert!(told.is_signed_by(&other.secret));
        let missed = key(server).await;
        server.advance(86_400);
        assert!(dead.is_quiet().await);
        let on = server.patch_json(&hook.path, &server.admin_key, &hook.etag, &json!({ "enabled": true })).await;
        on.expect(412);
        edit(server, &hook, &json!({ "enabled": true })).await.expect(200);
        assert_eq!(subjects(&dead.take(2).await), [made, missed], "what has waited");
    }

    async fn who_has_lost_the_claim_moves_nothing_and_the_event_comes_again(server: &TestServer) {
        let receiver = Receiver::start().await;
        let hook = hook(server, &receiver, &["token.created"]).await;
        let (go, when) = oneshot::channel();
        receiver.answer([Reply::When(when)]);
        let made = key(server).await;
        let first = receiver.next().await;
        // As if the process that delivers had been killed before it wrote down that it was taken, and its claim had run out.
        crate::store::execute(&server.database, "UPDATE webhook SET claim = NULL, claimed_until = 0").await;
        let second = receiver.next().await;
        go.send(()).unwrap();
        assert_eq!((first.id(), first.subject()), (second.id(), made));
        until(server, &hook, |shown| shown["delivery"]["behind"] == 0).await;
        assert!(receiver.is_quiet().await);
    }

    async fn a_secret_is_changed_with_an_overlap(server: &TestServer) {
        let receiver = Receiver::start().await;
        let hook = hook(server, &receiver, &["token.created"]).await;
        let rotate = async |body: Value| server.post_json(&format!("{}/rotate-secret", hook.path), &server.admin_key, &body).await;
        let rotated = rotate(json!({ "overlap": "1h" })).await.expect(200);
        let new = rotated.text("secret");
        assert_eq!(rotated.json()["previous_secret_expires_at"], "2026-11-21T13:00:00Z");
        key(server).await;
        let both = receiver.next().await;
        assert!(both.is_signed_by(&hook.secret) && both.is_signed_by(&new));
        server.advance(3_600);
        assert_eq!(show(server, &hook).await["previous_secret_expires_at"], Value::Null);
        key(server).await;
        let one = receiver.next().await;
        assert!(!one.is_signed_by(&hook.secret) && one.is_signed_by(&new));
        let now = rotate(json!({ "overlap": 0 })).await.expect(200).text("secret");
        key(server).await;
        let one = receiver.next().await;
        assert!(!one.is_signed_by(&new) && one.is_signed_by(&now));
        rotate(json!({ "overlap": "31d" })).await.expect_field_error("/overlap");
        rotate(json!({ "overlap": null })).await.expect_field_error("/overlap");
    }

    async fn a_test_tells_what_came_of_it_and_moves_nothing(server: &TestServer) {
        let receiver = Receiver::start().await;
        let hook = hook(server, &receiver, &["token.created"]).await;
        let taken = test(server, &hook).await;
        let message = receiver.next().await;
        assert_eq!((&taken["delivered"], &taken["status"], &taken["error"]), (&json!(true), &json!(204), &Value::Null));
        assert_eq!((message.kind(), json!(message.id())), ("webhook.test".to_owned(), taken["id"].clone()));
        assert!(message.is_signed_by(&hook.secret));
        receiver.answer([Reply::status(418)]);
        let refused = test(server, &hook).await;
        receiver.next().await;
        assert_eq!((&refused["delivered"], &refused["status"]), (&json!(false), &json!(418)));
        assert_eq!(show(server, &hook).await["delivery"]["condition"], "well");
        edit(server, &hook, &json!({ "enabled": false })).await.expect(200);
        assert_eq!(test(server, &hook).await["delivered"], true, "also while it is off");
        let audit = server.get("/admin/v1/audit?action=webhook.test", &server.admin_key).await.expect(200).json();
        assert_eq!(audit["data"].as_array().unwrap().len(), 3);
    }

    async fn an_edit_counts_from_the_next_delivery_on(server: &TestServer) {
        let (receiver, moved) = (Receiver::start().await, Receiver::start().await);
        let hook = hook(server, &receiver, &["token.created"]).await;
        let without = server.request(Method::PATCH, &hook.path).bearer_auth(&server.admin_key).header("content-type", "application/json");
        server.send(without.body("{}")).await.expect(428);
        let body = json!({ "url": moved.url(), "types": ["token.revoked", "token.created"], "description": "" });
        let edited = server.patch_json(&hook.path, &server.admin_key, &hook.etag, &body).await.expect(200);
        assert_eq!((&edited.json()["types"], &edited.json()["description"]), (&json!(["token.created", "token.revoked"]), &json!("")));
        server.patch_json(&hook.path, &server.admin_key, &hook.etag, &body).await.expect(412);
        let made = key(server).await;
        assert_eq!(moved.next().await.subject(), made);
        assert!(receiver.is_quiet().await);
        until(server, &hook, |shown| shown["delivery"]["behind"] == 0).await;
        edit(server, &hook, &json!({ "enabled": false })).await.expect(200);
        let meanwhile = key(server).await;
        edit(server, &hook, &json!({ "enabled": true })).await.expect(200);
        assert_eq!(moved.next().await.subject(), meanwhile);
        until(server, &hook, |shown| shown["delivery"]["behind"] == 0).await;
        moved.answer([Reply::status(500)]);
        let waiting = key(server).await;
        assert_eq!(moved.next().await.subject(), waiting);
        let tried = server.delete(&format!("{}?dry_run=true", hook.path), &server.admin_key).await.expect(200).json();
        assert_eq!((&tried["dry_run"], &tried["behind"]), (&json!(true), &json!(1)));
        server.delete(&hook.path, &server.admin_key).await.expect(200);
        server.delete(&hook.path, &server.admin_key).await.expect(404);
        server.get(&hook.path, &server.admin_key).await.expect(404);
        let acts = server.get("/admin/v1/audit?limit=200", &server.admin_key).await.expect(200).json();
        let acts: Vec<&str> = acts["data"].as_array().unwrap().iter().map(|row| row["action"].as_str().unwrap()).filter(|action| action.starts_with("webhook.")).collect();
        assert_eq!(acts.len(), 5, "{acts:?}");
        assert!(!server.get("/admin/v1/audit?action=webhook.update", &server.admin_key).await.body.contains("k=1"), "a query may be a secret");
    }

    async fn what_is_another_workspaces_is_neither_shown_nor_told(server: &TestServer) {
        let (receiver, acme) = (Receiver::start().await, server.workspace("acme").await);
        let hook = hook(server, &receiver, &[]).await;
        assert_eq!(receiver.next().await.kind(), "webhook.created");
        for (method, path) in [
            (Method::GET, hook.path.clone()), (Method::DELETE, hook.path.clone()),
            (Method::POST, format!("{}/test", hook.path)), (Method::POST, format!("{}/rotate-secret", hook.path)),
        ] {
            server.send(server.request(method, &path).bearer_auth(&acme.key)).await.expect(404);
        }
        server.patch_json(&hook.path, &acme.key, "*", &json!({ "enabled": false })).await.expect(404);
        let listed = server.get("/admin/v1/webhooks", &acme.key).await.expect(200);
        assert_eq!(listed.json(), json!({ "data": [], "next_cursor": null }));
        let body = json!({ "policy": "key", "name": "theirs" });
        server.post_json("/admin/v1/tokens", &acme.key, &body).await.expect(201);
        let own = key(server).await;
        assert_eq!(receiver.next().await.subject(), own);
        let listed = server.get("/admin/v1/webhooks", &server.admin_key).await.expect(200).json();
        assert_eq!(listed["data"].as_array().unwrap().len(), 1);
        // A workspace that is gone tells nobody.
        let theirs = json!({ "url": receiver.url(), "types": ["token.created"] });
        server.post_json("/admin/v1/webhooks", &acme.key, &theirs).await.expect(201);
        server.delete(&acme.path, &server.admin_key).await.expect(200);
        assert!(receiver.is_quiet().await);
    }

    async fn bad_fields_are_refused_by_name(server: &TestServer) {
        let post = async |body: Value| server.post_json("/admin/v1/webhooks", &server.admin_key, &body).await;
        for (body, pointer) in [
            (json!({}), "/url"), (json!({ "url": "" }), "/url"), (json!({ "url": "hooks" }), "/url"), (json!({ "url": 1 }), "/url"),
            (json!({ "url": "ftp://a.example/" }), "/url"), (json!({ "url": "https://u:p@a.example/" }), "/url"),
            (json!({ "url": format!("https://a.example/{}", "x".repeat(500)) }), "/url"),
            (json!({ "url": "https://a.example/", "types": ["token.created", "token.create"] }), "/types/1"),
            (json!({ "url": "https://a.example/", "types": null }), "/types"),
            (json!({ "url": "https://a.example/", "description": "x".repeat(201) }), "/description"),
            (json!({ "url": "https://a.example/", "description": "a\u{202e}b" }), "/description"),
            (json!({ "url": "https://a.example/", "secret": "whsec_x" }), "/secret"),
        ] {
            post(body).await.expect_field_error(pointer);
        }
        for number in 0..100 {
            post(json!({ "url": format!("https://a.example/{number}") })).await.expect(201);
        }
        post(json!({ "url": "https://a.example/100" })).await.expect(409);
    }
}

/// Ways to say an address inside that are refused where no operator has allowed it.
const INSIDE: [&str; 16] = [
    "https://127.0.0.1/",
    "https://127.1/",
    "https://2130706433/",
    "https://0x7f000001/",
    "https://0177.0.0.1/",
    "https://0.0.0.0/",
    "https://10.1.2.3/",
    "https://172.16.0.1/",
    "https://192.168.0.1/",
    "https://100.64.0.1/",
    "https://169.254.169.254/latest/meta-data/",
    "https://[::1]/",
    "https://[::ffff:127.0.0.1]/",
    "https://[64:ff9b::7f00:1]/",
    "https://[fd00:ec2::254]/",
    "https://[fe80::1]/",
];

mod by_default {
    use super::*;

    on_both_databases! {
        async fn nothing_inside_is_reached_and_nothing_without_tls(server: &TestServer) {
            let receiver = Receiver::start().await;
            let post = async |url: &str| server.post_json("/admin/v1/webhooks", &server.admin_key, &json!({ "url": url })).await;
            for url in INSIDE {
                let refused = post(url).await.expect_field_error("/url");
                assert!(refused.body.contains("not public"), "{url}: {}", refused.body);
            }
            for url in ["http://hooks.acme.example/", "http://8.8.8.8/"] {
                assert!(post(url).await.expect_field_error("/url").body.contains("https"), "{url}");
            }
            // A name says where it leads only when it is resolved.
            let made = post(&format!("https://localhost:{}/", receiver.address.port())).await.expect(201);
            let hook = Hook { path: made.header("location").to_owned(), secret: String::new(), etag: String::new() };
            let result = test(server, &hook).await;
            assert_eq!((&result["delivered"], &result["status"]), (&json!(false), &Value::Null));
            assert!(result["error"].as_str().unwrap().contains("not public"), "{result}");
            let shown = until(server, &hook, |shown| shown["delivery"]["condition"] == "failing").await;
            assert!(shown["delivery"]["last_error"].as_str().unwrap().contains("not public"), "{shown}");
            assert!(receiver.is_quiet().await, "nobody has connected");
        }
    }
}

mod where_all_is_allowed {
    use super::*;

    on_both_databases! {
        with vec![("webhooks.allowed_networks", "127.0.0.0/8,::1/128".to_owned())];

        async fn a_certificate_that_nobody_vouches_for_and_a_name_that_is_none_are_failures(server: &TestServer) {
            let directory = tempfile::tempdir().unwrap();
            let own = Authority::new().issue(directory.path(), "own", 90);
            let tls = vec![("http.tls.certificate", own.certificate.display().to_string()), ("http.tls.key", own.key.display().to_string())];
            let elsewhere = TestServer::start_with(TestDatabase::sqlite(), tls).await;
            for (url, error) in [
                (elsewhere.url.replace("http:", "https:"), "no connection to the receiver: invalid peer certificate"),
                ("https://nobody.invalid/".to_owned(), "the name of the receiver can't be resolved"),
                ("https://127.0.0.1:9/".to_owned(), "no connection to the receiver"),
                // Not among what is named, and public addresses need TLS.
                ("https://10.0.0.1/".to_owned(), ""),
            ] {
                let made = server.post_json("/admin/v1/webhooks", &server.admin_key, &json!({ "url": url })).await;
                if error.is_empty() {
                    made.expect_field_error("/url");
                    continue;
                }
                let hook = Hook { path: made.expect(201).header("location").to_owned(), secret: String::new(), etag: String::new() };
                let result = test(server, &hook).await;
                assert!(result["error"].as_str().unwrap().starts_with(error), "{url}: {result}");
            }
            elsewhere.finish().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: cargo xtask test"]
async fn two_nodes_deliver_each_event_once_in_their_order() {
    let one = TestServer::start_with(TestDatabase::postgres().await, near()).await;
    let two = one.beside(near()).await;
    let receiver = Receiver::start().await;
    hook(&one, &receiver, &["token.created"]).await;
    let mut made = Vec::new();
    for number in 0..30 {
        made.push(key(if number % 2 == 0 { &one } else { &two }).await);
    }
    let messages = receiver.take(30).await;
    assert_eq!(subjects(&messages), made);
    assert_eq!(messages.iter().map(Received::id).collect::<HashSet<_>>().len(), 30);
    assert!(receiver.is_quiet().await);
    two.finish().await;
    one.finish().await;
}

/// Stops while the receiver has the message and has not answered, and starts again.
async fn a_stop_between_delivery_and_receipt(server: TestServer) {
    let receiver = Receiver::start().await;
    hook(&server, &receiver, &["token.created"]).await;
    receiver.answer([Reply::Silence]);
    let made = key(&server).await;
    let first = receiver.next().await;
    let server = server.restart_with(near()).await;
    let second = receiver.next().await;
    assert_eq!((first.id(), first.subject(), second.subject()), (second.id(), made.clone(), made));
    server.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_under_way_at_a_stop_comes_again_on_sqlite() {
    a_stop_between_delivery_and_receipt(TestServer::start_with(TestDatabase::sqlite(), near()).await).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: cargo xtask test"]
async fn what_was_under_way_at_a_stop_comes_again_on_postgres() {
    a_stop_between_delivery_and_receipt(TestServer::start_with(TestDatabase::postgres().await, near()).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_outlives_a_change_of_the_master_key() {
    let server = TestServer::start_with(TestDatabase::sqlite(), near()).await;
    let receiver = Receiver::start().await;
    let hook = hook(&server, &receiver, &["token.created"]).await;
    let old = std::fs::read_to_string(server.data_dir().join("master.key")).unwrap().trim().to_owned();
    let with = |pairs: &[(&'static str, &str)]| {
        let pairs = pairs.iter().map(|(key, value)| (*key, (*value).to_owned()));
        pairs.chain(near()).collect::<Options>()
    };
    let new = "7".repeat(64);
    let server = server.restart_with(with(&[("keys.master", &new), ("keys.previous", &old)])).await;
    // Made under the new key, to ask with when the old one is gone.
    let made = server.own_token(&json!({ "policy": "key", "name": "new" })).await;
    assert!(receiver.next().await.is_signed_by(&hook.secret));
    server.service().tidy().await.unwrap();
    let server = server.restart_with(with(&[("keys.master", &new)])).await;
    server
        .post_json("/api/v1/tokens", &made.text("api_key"), &json!({ "policy": "key", "name": "k" }))
        .await
        .expect(201);
    assert!(receiver.next().await.is_signed_by(&hook.secret));
    server.finish().await;
}

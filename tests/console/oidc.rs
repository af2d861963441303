//! `/console/sign-in/oidc`: people sign in by a real provider.

use jeton::domain::clock::Clock;
use serde_json::{Value, json};

use super::browser::{Browser, PASSWORD};
use super::provider::{CLIENT_SECRET, Provider, Visitor, Ways};
use super::tokens::{field_of, form_of};
use crate::store;
use crate::support::server::Options;
use crate::support::{Answer, TestDatabase, TestServer, logs};

const PUBLIC_URL: &str = "https://auth.test";

/// Whom the provider knows.
fn people() -> Value {
    json!({
        "sub-ada": { "email": "Ada@example.test", "email_verified": true, "preferred_username": "ada", "groups": ["staff"] },
        "sub-eve": { "email": "ada@example.test", "email_verified": true, "preferred_username": "eve", "groups": [] },
        "sub-mal": { "email": "ada@example.test", "email_verified": false, "preferred_username": "mal" },
        "sub-bob": { "email": "bob@example.test", "email_verified": true, "preferred_username": "bob", "groups": ["staff", "root"] },
    })
}

/// A server and its provider.
struct Both {
    server: TestServer,
    provider: Provider,
}

/// Somebody with one browser for both.
struct Person<'b> {
    both: &'b Both,
    here: Browser<'b>,
    there: Visitor,
}

impl Both {
    async fn start(database: TestDatabase, ways: Ways, options: Options) -> Self {
        let provider = Provider::start(PUBLIC_URL, ways, &people());
        let options = [provider.options(), options].concat();
        // Of this day: the provider has no clock that a test moves.
        let clock = Clock::manual(Clock::default().now());
        Self { server: TestServer::start_at(database, clock, options).await, provider }
    }

    fn person(&self) -> Person<'_> {
        Person { both: self, here: Browser::new(&self.server), there: Visitor::default() }
    }

    async fn user(&self, username: &str) -> String {
        self.server.user(username, "member").await.path
    }

    async fn shown(&self, path: &str) -> Value {
        self.server.get(path, &self.server.admin_key).await.expect(200).json()
    }

    async fn patch(&self, path: &str, patch: &Value) -> Answer {
        self.server.patch_json(path, &self.server.admin_key, "*", patch).await
    }
}

impl Person<'_> {
    /// To the provider and back; the path that the browser comes back to.
    async fn come_back(&self, next: &str, login: Option<&str>) -> String {
        let begun = self.here.get(&format!("/console/sign-in/oidc?next={next}")).await.expect(303);
        let back = self.there.go(&self.both.server.http, begun.header("location"), login).await;
        back.strip_prefix(PUBLIC_URL).expect("back at this server").to_owned()
    }

    async fn sign_in(&self, login: &str) -> Answer {
        let back = self.come_back("", Some(login)).await;
        self.here.get(&back).await
    }

    /// The name that the pages call the user by.
    async fn is_in_as(&self, name: &str) {
        let page = self.here.get("/console/account").await.expect(200).body;
        assert!(page.contains(&format!("You are {name}")) || page.contains(&format!(">{name}<")), "{page}");
    }
}

fn by_email() -> Options {
    vec![("console.oidc.match_by", "email".to_owned())]
}

macro_rules! with_a_provider {
    ($($(#[$meta:meta])* async fn $name:ident($both:ident: &mut Both, $ways:expr, $options:expr) $body:block)*) => {$(
        mod $name {
            use super::*;

            $(#[$meta])*
            async fn case($both: &mut Both) $body

            async fn on(database: TestDatabase) {
                let mut both = Both::start(database, $ways, $options).await;
                let start = logs::position();
                case(&mut both).await;
                let log = logs::captured_since(start);
                let log = String::from_utf8_lossy(&log);
                for secret in [CLIENT_SECRET, "code=", "id_token", "eyJ", "Basic "] {
                    assert!(!log.contains(secret), "{secret} is in the log");
                }
                both.server.finish().await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            #[ignore = "needs node-oidc-provider: cargo xtask test"]
            async fn on_sqlite() {
                on(TestDatabase::sqlite()).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            #[ignore = "needs PostgreSQL and node-oidc-provider: cargo xtask test"]
            async fn on_postgres() {
                on(TestDatabase::postgres().await).await;
            }
        }
    )*};
}

with_a_provider! {
    async fn a_verified_address_ties_a_user_once_and_from_then_on_the_subject_decides(both: &mut Both, Ways::default(), by_email()) {
        let ada = both.user("ada").await;
        let person = both.person();
        let page = person.here.get("/console/sign-in?next=/console/account").await.expect(200).body;
        assert!(page.contains("Sign in with Acme") && page.contains("href=\"/console/sign-in/oidc?next=%2Fconsole%2Faccount\""), "{page}");
        let back = person.come_back("/console/account", Some("sub-ada")).await;
        let signed_in = person.here.get(&back).await.expect(303);
        assert_eq!(signed_in.header("location"), "/console/account");
        person.is_in_as("ada").await;
        assert!(person.here.cookie("__Host-jeton_oidc").is_none(), "what the browser carried is taken away");
        let identity = &both.shown(&ada).await["identity"];
        assert_eq!((identity["issuer"].as_str(), identity["subject"].as_str()), (Some(both.provider.issuer.as_str()), Some("sub-ada")));
        let linked = store::audit_details(&both.server.database, "user.link_identity").await;
        assert_eq!(linked.len(), 1);
        assert!(linked[0].contains("sub-ada"), "{linked:?}");
        let opened = store::audit_details(&both.server.database, "session.open").await;
        assert!(opened.iter().any(|detail| detail.contains("oidc")), "{opened:?}");
        // The address goes to somebody else; the person stays who they are.
        both.patch(&ada, &json!({ "email": "countess@example.test" })).await.expect(200);
        let again = both.person();
        again.sign_in("sub-ada").await.expect(303);
        again.is_in_as("ada").await;
        assert_eq!(store::audit_rows(&both.server.database, "user.link_identity").await.len(), 1);
    }

    async fn an_address_that_nobody_has_verified_proves_nothing(both: &mut Both, Ways::default(), by_email()) {
        let ada = both.user("ada").await;
        let person = both.person();
        let refused = person.sign_in("sub-mal").await.expect(403);
        assert!(refused.body.contains("You have no account here"), "{}", refused.body);
        person.here.get("/console/account").await.expect(303);
        assert_eq!(both.shown(&ada).await["identity"], Value::Null);
        // Nor does an address that several have.
        both.user("bob").await;
        let twin = json!({ "username": "twin", "email": "BOB@example.test" });
        both.server.post_json("/admin/v1/users", &both.server.admin_key, &twin).await.expect(201);
        assert!(both.person().sign_in("sub-bob").await.expect(403).body.contains("More than one account fits you"));
    }

    async fn a_user_who_is_tied_goes_to_nobody_else_until_an_administrator_unties_them(both: &mut Both, Ways::default(), by_email()) {
        let ada = both.user("ada").await;
        let person = both.person();
        person.sign_in("sub-ada").await.expect(303);
        assert!(both.person().sign_in("sub-eve").await.expect(403).body.contains("tied to somebody else"));
        both.patch(&ada, &json!({ "identity": null })).await.expect(200);
        person.here.get("/console/account").await.expect(303);
        let eve = both.person();
        eve.sign_in("sub-eve").await.expect(303);
        eve.is_in_as("ada").await;
        // The page of the user does the same.
        let operator = Browser::operator(&both.server).await;
        let edit = format!("{}/edit", ada.replace("/admin/v1", "/console/admin"));
        let form = operator.get(&edit).await.expect(200).body;
        assert!(form.contains("value=\"sub-eve\""));
        let fields = [("version", field_of(&form, "version")), ("role", "member".to_owned()), ("identity", String::new())];
        let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
        operator.post(&edit, &fields).await.expect(303);
        eve.here.get("/console/account").await.expect(303);
        assert_eq!(both.shown(&ada).await["identity"], Value::Null);
    }

    async fn an_administrator_notes_who_somebody_is(both: &mut Both, Ways { public: true, ..Ways::default() }, Vec::new()) {
        let (ada, bob) = (both.user("ada").await, both.user("bob").await);
        both.person().sign_in("sub-ada").await.expect(403);
        for bad in [json!({ "subject": "" }), json!({ "subject": "caf\u{e9}" }), json!({}), json!("sub-ada"), json!({ "subject": "x", "issuer": "y" })] {
            both.patch(&ada, &json!({ "identity": bad })).await.expect(400);
        }
        both.patch(&ada, &json!({ "identity": { "subject": "sub-ada" } })).await.expect(200);
        let taken = both.patch(&bob, &json!({ "identity": { "subject": "sub-ada" } })).await.expect(409);
        assert!(taken.body.contains("another user"), "{}", taken.body);
        let person = both.person();
        person.sign_in("sub-ada").await.expect(303);
        person.is_in_as("ada").await;
        both.server.delete(&ada, &both.server.admin_key).await.expect(200);
        both.person().sign_in("sub-ada").await.expect(403);
        both.patch(&bob, &json!({ "identity": { "subject": "sub-ada" } })).await.expect(200);
    }

    async fn who_is_not_recognized_gets_an_account_where_that_is_wanted(both: &mut Both, Ways { bare: true, ..Ways::default() }, vec![("console.oidc.create_users", "true".to_owned())]) {
        let person = both.person();
        person.sign_in("sub-ada").await.expect(303);
        person.is_in_as("ada").await;
        person.here.get("/console/admin/users").await.expect(403);
        let users = both.shown("/admin/v1/users?q=ada").await;
        let made = &users["data"][0];
        assert_eq!((&made["role"], &made["email"], &made["has_password"]), (&json!("member"), &json!("Ada@example.test"), &json!(false)));
        both.person().sign_in("sub-ada").await.expect(303);
        assert_eq!(both.shown("/admin/v1/users").await["data"].as_array().unwrap().len(), 2, "one account, however often");
        // A name that is somebody's is not taken over.
        both.user("eve").await;
        assert!(both.person().sign_in("sub-eve").await.expect(403).body.contains("An account with your name exists"));
        assert_eq!(store::audit_rows(&both.server.database, "user.create").await.len(), 2);
    }

    async fn a_group_makes_administrators_and_leaving_it_unmakes_them(both: &mut Both, Ways { post: true, ..Ways::default() }, vec![("console.oidc.match_by", "username".to_owned()), ("console.oidc.admin_group", "root".to_owned())]) {
        let (ada, bob) = (both.user("ada").await, both.user("bob").await);
        both.patch(&ada, &json!({ "role": "admin" })).await.expect(200);
        both.person().sign_in("sub-bob").await.expect(303);
        assert_eq!(both.shown(&bob).await["role"], "admin");
        both.person().sign_in("sub-ada").await.expect(303);
        assert_eq!(both.shown(&ada).await["role"], "member", "staff are no administrators");
        let mut fewer = people();
        fewer["sub-bob"]["groups"] = json!(null);
        both.provider.restart(&fewer);
        both.person().sign_in("sub-bob").await.expect(303);
        assert_eq!(both.shown(&bob).await["role"], "member");
        let me = both.shown("/api/v1/me").await["user"]["id"].as_str().unwrap().to_owned();
        both.patch(&format!("/admin/v1/users/{me}"), &json!({ "identity": { "subject": "sub-eve" } })).await.expect(200);
        both.person().sign_in("sub-eve").await.expect(303);
        assert_eq!(both.shown("/api/v1/me").await["user"]["role"], "operator", "operators stay");
        let changes = store::audit_details(&both.server.database, "user.update").await;
        assert!(changes.iter().any(|detail| detail.contains("\"group\":\"root\"")), "{changes:?}");
    }

    async fn what_was_not_begun_in_this_browser_is_not_finished_in_it(both: &mut Both, Ways::default(), by_email()) {
        both.user("ada").await;
        let (ada, victim) = (both.person(), both.person());
        // Somebody else's answer, in a browser that has begun nothing, and in one that has begun something else.
        let stolen = ada.come_back("", Some("sub-ada")).await;
        victim.here.get(&stolen).await.expect(400);
        victim.here.get("/console/sign-in/oidc").await.expect(303);
        let refused = victim.here.get(&stolen).await.expect(400);
        assert!(refused.body.contains("Begin again") && victim.here.cookie("__Host-jeton_oidc").is_some());
        victim.here.get("/console/account").await.expect(303);
        for changed in [stolen.replace("state=", "state=x"), format!("{stolen}&state=x"), stolen.replace("state=", "x="), stolen.replace("code=", "x=")] {
            ada.here.get(&changed).await.expect(400);
        }
        let other = stolen.replace(&both.provider.issuer.replace(':', "%3A").replace('/', "%2F"), "https%3A%2F%2Fevil.test");
        assert_ne!(other, stolen);
        ada.here.get(&other).await.expect(502);
        // An answer that was of another provider has ended this attempt: the next one.
        let fresh = ada.come_back("", Some("sub-ada")).await;
        ada.here.get(&fresh).await.expect(303);
        ada.here.get(&fresh).await.expect(400);
        let slow = both.person();
        let late = slow.come_back("", Some("sub-ada")).await;
        both.server.advance(600);
        slow.here.get(&late).await.expect(400);
    }

    async fn a_sign_in_leads_nowhere_else_and_makes_a_new_session(both: &mut Both, Ways::default(), by_email()) {
        both.user("ada").await;
        let person = both.person();
        for elsewhere in ["https://evil.test", "//evil.test", "/console//evil.test", "/api/v1/tokens"] {
            let stranger = both.person();
            let back = stranger.come_back(elsewhere, Some("sub-ada")).await;
            assert_eq!(stranger.here.get(&back).await.expect(303).header("location"), "/console");
        }
        let operator = Browser::operator(&both.server).await;
        let back = person.come_back("", Some("sub-ada")).await;
        person.here.set_session(&operator.session());
        person.here.get(&back).await.expect(303);
        assert_ne!(person.here.session(), operator.session(), "a session that was planted is not the one after");
        person.is_in_as("ada").await;
        // Another site sends nobody to the provider.
        let visitor = Browser::new(&both.server);
        let request = visitor.request(reqwest::Method::GET, "/console/sign-in/oidc?next=/console/account");
        let sent = both.server.send(request.header("sec-fetch-site", "cross-site")).await.expect(303);
        assert_eq!(sent.header("location"), "/console/sign-in?next=%2Fconsole%2Faccount");
        assert!(sent.headers.get("set-cookie").is_none());
    }

    async fn who_cancels_is_told_so_in_words_of_this_service(both: &mut Both, Ways::default(), by_email()) {
        let person = both.person();
        let back = person.come_back("", None).await;
        let told = person.here.get(&back).await.expect(403);
        assert!(told.body.contains("You were not signed in") && !told.body.contains("0800") && !told.body.contains("alert"), "{}", told.body);
        let mut french = Browser::new(&both.server);
        french.language = "fr";
        assert!(french.get("/console/sign-in/oidc/callback").await.expect(400).body.contains("Recommencez"));
    }

    async fn a_provider_that_is_away_leaves_passwords_and_comes_back_with_new_keys(both: &mut Both, Ways::default(), by_email()) {
        both.user("ada").await;
        both.person().sign_in("sub-ada").await.expect(303);
        let person = both.person();
        let back = person.come_back("", Some("sub-ada")).await;
        both.provider.stop();
        let away = both.person();
        let operator = Browser::operator(&both.server).await;
        let told = away.here.get(&back.replace("state=", "state=x")).await;
        told.expect(400);
        // Its configuration is known; what needs an answer gets none.
        both.server.advance(3_601);
        let told = away.here.get("/console/sign-in/oidc").await.expect(503);
        assert!(told.body.contains("Try again in a moment") && !told.header("retry-after").is_empty());
        away.here.get("/console/sign-in/oidc").await.expect(503);
        away.here.get("/console/sign-in").await.expect(200);
        operator.sign_in("admin", PASSWORD).await.expect(303);
        both.provider.restart(&people());
        let begun = both.person().here.get("/console/sign-in/oidc").await;
        assert_eq!(begun.status, 503, "a failure is told for three seconds");
        both.server.advance(3);
        both.person().here.get("/console/sign-in/oidc").await.expect(303);
    }

    async fn keys_that_change_are_read_again(both: &mut Both, Ways::default(), by_email()) {
        both.user("ada").await;
        both.person().sign_in("sub-ada").await.expect(303);
        both.provider.restart(&people());
        both.person().sign_in("sub-ada").await.expect(303);
        // Not at once again: made-up keys must not make this server ask without end.
        both.provider.restart(&people());
        both.person().sign_in("sub-ada").await.expect(502);
        both.server.advance(10);
        both.person().sign_in("sub-ada").await.expect(303);
    }

    async fn passwords_can_be_switched_off(both: &mut Both, Ways::default(), [by_email(), vec![("console.password_sign_in", "false".to_owned())]].concat()) {
        let me = both.shown("/api/v1/me").await["user"]["id"].as_str().unwrap().to_owned();
        assert!(both.server.service().first_password_link().await.unwrap().is_none());
        both.patch(&format!("/admin/v1/users/{me}"), &json!({ "identity": { "subject": "sub-bob" }, "password": PASSWORD })).await.expect(200);
        let visitor = Browser::new(&both.server);
        let page = visitor.get("/console/sign-in").await.expect(200).body;
        assert!(page.contains("Sign in with Acme") && !page.contains("type=\"password\""), "{page}");
        assert!(visitor.sign_in("admin", PASSWORD).await.expect(403).body.contains("Passwords are switched off"));
        let person = both.person();
        person.sign_in("sub-bob").await.expect(303);
        let account = person.here.get("/console/account").await.expect(200).body;
        assert!(account.contains("You can sign in with Acme since") && !account.contains("type=\"password\""));
        let form = [("old-password", PASSWORD), ("new-password", "another horse battery"), ("new-password-again", "another horse battery")];
        person.here.post("/console/account/password", &form).await.expect(403);
        let users = person.here.get("/console/admin/users").await.expect(200).body;
        assert!(!users.contains("/link\""));
        let form = form_of(&users, "/console/admin/users");
        let fields = [("form", form.as_str()), ("username", "ada"), ("email", "ada@example.test"), ("role", "member")];
        let made = person.here.post("/console/admin/users", &fields).await.expect(303);
        assert_eq!(made.header("location"), "/console/admin/users?done=user-made");
        both.person().sign_in("sub-ada").await.expect(303);
    }
}

/// The issuer is compared as it is written: a slash more is another provider.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs node-oidc-provider: cargo xtask test"]
async fn a_provider_that_calls_itself_otherwise_is_not_the_one() {
    let provider = Provider::start(PUBLIC_URL, Ways::default(), &people());
    let mut options = provider.options();
    options.push(("console.oidc.issuer", format!("{}/", provider.issuer)));
    let server = TestServer::start_with(TestDatabase::sqlite(), options).await;
    let told = Browser::new(&server).get("/console/sign-in/oidc").await.expect(502);
    assert!(told.body.contains("wrong answer"), "{}", told.body);
    server.finish().await;
}

on_both_databases! {
    async fn without_a_provider_there_is_nothing(server: &TestServer) {
        let browser = Browser::new(server);
        for path in ["/console/sign-in/oidc", "/console/sign-in/oidc/callback?state=x&code=y"] {
            browser.get(path).await.expect(404);
        }
        assert!(!browser.get("/console/sign-in").await.expect(200).body.contains("/console/sign-in/oidc"));
        let ada = server.user("ada", "member").await;
        let told = server.patch_json(&ada.path, &server.admin_key, "*", &json!({ "identity": { "subject": "x" } })).await.expect(400);
        assert!(told.body.contains("/identity/subject"), "{}", told.body);
        server.patch_json(&ada.path, &server.admin_key, "*", &json!({ "identity": null })).await.expect(200);
    }
}

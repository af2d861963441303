//! A service of thirty lines behind `jeton-guard` (`guard/examples/orders.rs`), and the network between it and Jeton: cut,
//! slowed, healed. Both are processes of their own; everything is seen from outside.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::time::{Instant, timeout};

use crate::support::TestDatabase;
use crate::support::process::Jeton;
use crate::support::proxy::{Proxy, pause};

/// What the crate promises of a validator that is built as in the example.
const BOUND: Duration = Duration::from_secs(3);
/// Far longer than anything takes: only what hangs meets it.
const PATIENCE: Duration = Duration::from_secs(60);
const LOOK_EVERY: Duration = Duration::from_millis(10);

struct Setting {
    jeton: Jeton,
    proxy: Proxy,
    http: reqwest::Client,
    client: (String, String),
    orders: String,
    _service: Child,
}

/// What the service has said, and when it was asked.
#[derive(Clone, Copy, Debug)]
struct Seen {
    asked: Instant,
    status: u16,
}

impl Setting {
    async fn new(database: &TestDatabase) -> Self {
        let jeton = tokio::task::block_in_place(|| Jeton::fresh(database));
        let http = reqwest::Client::builder().no_proxy().timeout(PATIENCE).build().unwrap();
        let body = json!({
            "name": "orders", "grant_types": ["client_credentials"], "scopes": ["orders:read"], "introspect": true,
        });
        let request = http.post(format!("{}/admin/v1/clients", jeton.public)).bearer_auth(jeton.admin_key());
        let made = request.header("content-type", "application/json").body(body.to_string()).send().await.unwrap();
        let made: Value = serde_json::from_str(&made.text().await.unwrap()).unwrap();
        let text = |name: &str| made[name].as_str().unwrap().to_owned();
        let client = (text("client_id"), text("client_secret"));

        let proxy = Proxy::start(jeton.public.trim_start_matches("http://").parse().unwrap()).await;
        let listen = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
        let example = Path::new(env!("CARGO_BIN_EXE_jeton")).with_file_name("examples").join("orders");
        let mut service = Command::new(example);
        service.env("JETON_URL", format!("http://{}", proxy.address)).env("LISTEN", &listen);
        service.env("CLIENT_ID", &client.0).env("CLIENT_SECRET", &client.1).kill_on_drop(true);
        let service = service.spawn().expect("the example is built");
        let listens = async {
            while TcpStream::connect(&listen).await.is_err() {
                pause(LOOK_EVERY).await;
            }
        };
        timeout(PATIENCE, listens).await.expect("the service listens");
        Self { jeton, proxy, http, client, orders: format!("http://{listen}/orders"), _service: service }
    }

    async fn form(&self, path: &str, body: String) -> (u16, Value) {
        let request = self.http.post(format!("{}{path}", self.jeton.public));
        let request = request.basic_auth(&self.client.0, Some(&self.client.1)).body(body);
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), serde_json::from_str(&answer.text().await.unwrap()).unwrap_or_default())
    }

    async fn issue(&self) -> String {
        let (status, body) = self.form("/oauth20/token", "grant_type=client_credentials".to_owned()).await;
        assert_eq!(status, 200, "{body}");
        body["access_token"].as_str().unwrap().to_owned()
    }

    /// Revokes at the server itself. When it was answered.
    async fn revoke(&self, token: &str) -> Instant {
        assert_eq!(self.form("/oauth20/revoke", format!("token={token}")).await.0, 200);
        Instant::now()
    }

    async fn ask(&self, token: &str) -> Seen {
        let asked = Instant::now();
        let answer = self.http.get(&self.orders).bearer_auth(token).send().await.unwrap();
        Seen { asked, status: answer.status().as_u16() }
    }

    /// Asks until the answer is this one.
    async fn until(&self, token: &str, status: u16) {
        let asking = async {
            while self.ask(token).await.status != status {
                pause(LOOK_EVERY).await;
            }
        };
        timeout(PATIENCE, asking).await.unwrap_or_else(|_| panic!("no {status} in {PATIENCE:?}"));
    }

    /// Asks until the token is answered from what is remembered, which no question to the server needs.
    async fn remembered(&self, token: &str) {
        let introspected = async || {
            let metrics = self.http.get(format!("{}/metrics", self.jeton.management)).send().await.unwrap();
            let metrics = metrics.text().await.unwrap();
            let own = metrics.lines().find(|line| line.contains("path=\"/oauth20/introspect\",status=\"2xx\""));
            own.map(|line| line.rsplit(' ').next().unwrap().to_owned())
        };
        let asking = async {
            loop {
                let before = introspected().await;
                assert_eq!(self.ask(token).await.status, 200);
                if introspected().await == before {
                    return;
                }
            }
        };
        timeout(PATIENCE, asking).await.expect("the token is remembered at last");
    }

    async fn watch(&self, token: &str, done: &AtomicBool) -> Vec<Seen> {
        let mut seen = Vec::new();
        while !done.load(Ordering::SeqCst) {
            seen.push(self.ask(token).await);
            pause(LOOK_EVERY).await;
        }
        seen
    }

    /// Revokes one of two tokens that are remembered while the network is as it is, and looks for as long again as the bound is
    /// at what the service makes of both. Whether the one that is good was refused for a time.
    async fn revoke_unseen(&self) -> bool {
        let (good, bad) = (self.issue().await, self.issue().await);
        self.watched(&good, &bad, async {}).await
    }

    /// As [`Self::revoke_unseen`], of these tokens, after `meanwhile`.
    async fn watched(&self, good: &str, bad: &str, meanwhile: impl Future<Output = ()>) -> bool {
        let done = AtomicBool::new(false);
        let revoking = async {
            meanwhile.await;
            let revoked = self.revoke(bad).await;
            pause(2 * BOUND).await;
            done.store(true, Ordering::SeqCst);
            revoked
        };
        let (revoked, of_good, of_bad) = tokio::join!(revoking, self.watch(good, &done), self.watch(bad, &done));
        for seen in &of_good {
            assert!(matches!(seen.status, 200 | 503), "an outage looks like a bad token: {}", seen.status);
        }
        for seen in &of_bad {
            let late = seen.asked.saturating_duration_since(revoked);
            assert!(seen.status != 200 || late <= BOUND, "accepted {late:?} after it was revoked");
        }
        assert!(of_bad.iter().any(|seen| seen.asked > revoked + BOUND), "nobody has asked late enough");
        of_good.iter().any(|seen| seen.status == 503)
    }
}

async fn a_revoked_token_is_refused_within_the_bound(database: &TestDatabase) {
    let setting = Setting::new(database).await;

    // Nothing is wrong.
    let (good, bad) = (setting.issue().await, setting.issue().await);
    setting.remembered(&good).await;
    setting.remembered(&bad).await;
    let revoked = setting.revoke(&bad).await;
    setting.until(&bad, 401).await;
    assert!(revoked.elapsed() < BOUND);
    assert!(!setting.revoke_unseen().await, "a good token was refused while nothing was wrong");

    // Cut: what is remembered is used for no longer than the bound, and then there is no answer.
    let bad = setting.issue().await;
    setting.remembered(&good).await;
    setting.remembered(&bad).await;
    assert!(setting.watched(&good, &bad, async { setting.proxy.cut(true) }).await);
    assert_eq!(setting.ask(&bad).await.status, 503);

    // Healed: it goes on where it was.
    setting.proxy.cut(false);
    setting.until(&good, 200).await;
    setting.until(&bad, 401).await;

    // Slowed, little by little, so that the stream never falls silent: heartbeats go on to come, but they are old.
    let bad = setting.issue().await;
    setting.remembered(&good).await;
    setting.remembered(&bad).await;
    let slowing = async {
        for ms in [2500, 5000, 7500] {
            setting.proxy.delay(ms);
            pause(Duration::from_millis(3000)).await;
        }
    };
    assert!(setting.watched(&good, &bad, slowing).await);

    // And healed again.
    setting.proxy.delay(0);
    setting.until(&good, 200).await;
    setting.until(&bad, 401).await;
    setting.remembered(&good).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "needs the example of jeton-guard, which cargo xtask test builds"]
async fn a_revoked_token_is_refused_within_the_bound_whatever_the_network_does_on_sqlite() {
    a_revoked_token_is_refused_within_the_bound(&TestDatabase::sqlite()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "needs PostgreSQL and the example of jeton-guard: cargo xtask test"]
async fn a_revoked_token_is_refused_within_the_bound_whatever_the_network_does_on_postgres() {
    let database = TestDatabase::postgres().await;
    a_revoked_token_is_refused_within_the_bound(&database).await;
    database.remove().await;
}

//! kill -9 in the middle of issue, refresh and revoke load: what was acknowledged is there afterwards.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::support::process::Jeton;
use crate::support::{TestDatabase, logs};

const ROUNDS: usize = 20;
const WORKERS: usize = 6;
/// Acknowledged acts of a round before the process is killed.
const ACTS_BEFORE_KILL: usize = 60;

/// What the server has acknowledged so far.
#[derive(Default)]
struct Acknowledged {
    live: Vec<String>,
    revoked: Vec<String>,
    /// Refresh tokens that must still rotate, and ones whose rotation was acknowledged.
    current: Vec<String>,
}

struct Load {
    http: reqwest::Client,
    url: String,
    key: String,
    client: (String, String),
    acknowledged: Mutex<Acknowledged>,
    stop: AtomicBool,
}

impl Load {
    async fn form(&self, path: &str, body: &str, authenticated: bool) -> Option<(StatusCode, Value)> {
        let mut request = self.http.post(format!("{}{path}", self.url));
        if authenticated {
            request = request.basic_auth(&self.client.0, Some(&self.client.1));
        }
        let request = request.header("content-type", "application/x-www-form-urlencoded").body(body.to_owned());
        let response = request.send().await.ok()?;
        let status = response.status();
        let text = response.text().await.ok()?;
        Some((status, serde_json::from_str(&text).unwrap_or_default()))
    }

    async fn issue(&self) -> Option<String> {
        let (status, body) = self.form("/oauth20/token", "grant_type=client_credentials", true).await?;
        (status == 200).then(|| body["access_token"].as_str().unwrap().to_owned())
    }

    async fn is_live(&self, token: &str) -> bool {
        let response = self.http.get(format!("{}/oauth20/verify", self.url)).bearer_auth(token).send().await.unwrap();
        match response.status().as_u16() {
            200 => true,
            401 => false,
            other => panic!("{other} for a token after the restart"),
        }
    }

    /// One worker: issues, revokes every other token, rotates a chain of its own.
    async fn work(&self, mut chain: String) {
        for turn in 0.. {
            if self.stop.load(Ordering::Relaxed) {
                break;
            }
            let Some(token) = self.issue().await else { break };
            if turn % 2 == 0 {
                self.acknowledged.lock().unwrap().live.push(token);
            } else {
                match self.form("/oauth20/revoke", &format!("token={token}"), true).await {
                    Some((status, _)) if status == 200 => self.acknowledged.lock().unwrap().revoked.push(token),
                    _ => break,
                }
            }
            let body = format!("grant_type=refresh_token&client_id=default-api-tokens&refresh_token={chain}");
            match self.form("/oauth20/token", &body, false).await {
                Some((status, body)) if status == 200 => body["refresh_token"].as_str().unwrap().clone_into(&mut chain),
                _ => break,
            }
        }
        self.acknowledged.lock().unwrap().current.push(chain);
    }

    async fn pair(&self) -> String {
        let body = json!({ "policy": "api", "name": "chain", "lifetime": "30d" }).to_string();
        let request = self.http.post(format!("{}/api/v1/tokens", self.url)).bearer_auth(&self.key);
        let response = request.header("content-type", "application/json").body(body).send().await.unwrap();
        let body: Value = serde_json::from_str(&response.text().await.unwrap()).unwrap();
        body["refresh_token"].as_str().unwrap().to_owned()
    }

    fn acts(&self) -> usize {
        let acknowledged = self.acknowledged.lock().unwrap();
        acknowledged.live.len() + acknowledged.revoked.len()
    }
}

async fn survives(database: TestDatabase) {
    let directory = tempfile::tempdir().unwrap();
    let url = database.url();
    let environment = [
        ("DATABASE_URL", url.as_str()),
        ("RUST_LOG", "trace"),
        ("JETON__VALIDATION__SINGLE_NODE", "true"),
        // Beside other tests the machine is busy: a start that waits for a connection is not what is tested here.
        ("JETON__DATABASE__ACQUIRE_TIMEOUT", "20s"),
    ];
    let (mut live, mut revoked): (Vec<String>, Vec<String>) = (Vec::new(), Vec::new());
    let mut client = None;
    for _ in 0..ROUNDS {
        let mut server = Jeton::start(directory.path(), &environment);
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let key = server.admin_key();
        let client = client.get_or_insert(register(&http, &server.public, &key).await).clone();
        let load = Arc::new(Load {
            http,
            url: server.public.clone(),
            key,
            client,
            acknowledged: Mutex::default(),
            stop: AtomicBool::new(false),
        });
        let mut workers = Vec::new();
        for _ in 0..WORKERS {
            let (load, chain) = (Arc::clone(&load), load.pair().await);
            workers.push(tokio::spawn(async move { load.work(chain).await }));
        }
        while load.acts() < ACTS_BEFORE_KILL {
            tokio::task::yield_now().await;
        }
        server.kill();
        for worker in workers {
            worker.await.unwrap();
        }
        let Ok(load) = Arc::try_unwrap(load) else { panic!("a worker lives on") };
        let acknowledged = load.acknowledged.into_inner().unwrap();

        let again = Jeton::start(directory.path(), &environment);
        let after = Load { url: again.public.clone(), acknowledged: Mutex::default(), ..load };
        for token in &acknowledged.live {
            assert!(after.is_live(token).await, "an acknowledged token is lost");
        }
        for token in &acknowledged.revoked {
            assert!(!after.is_live(token).await, "an acknowledged revocation is undone");
        }
        for chain in &acknowledged.current {
            // Current, or rotated by a call whose answer was lost: a repeat gets the same pair either way.
            let body = format!("grant_type=refresh_token&client_id=default-api-tokens&refresh_token={chain}");
            let (status, body) = after.form("/oauth20/token", &body, false).await.unwrap();
            assert_eq!(status, 200, "a refresh chain is broken: {body}");
        }
        live.extend(acknowledged.live);
        revoked.extend(acknowledged.revoked);
    }
    let last = Jeton::start(directory.path(), &environment);
    let log = std::fs::read(directory.path().join("log")).unwrap();
    let mut secrets = [live, revoked].concat();
    secrets.push(last.admin_key());
    logs::assert_no_secret(&log, &secrets, "the log at trace level");
    logs::assert_no_secret(&database.dump().await, &secrets, "the database");
    drop(last);
    database.remove().await;
}

async fn register(http: &reqwest::Client, url: &str, key: &str) -> (String, String) {
    let body = json!({ "name": "load", "grant_types": ["client_credentials"], "scopes": ["a"] }).to_string();
    let request =
        http.post(format!("{url}/admin/v1/clients")).bearer_auth(key).header("content-type", "application/json");
    let body: Value = serde_json::from_str(&request.body(body).send().await.unwrap().text().await.unwrap()).unwrap();
    (body["client_id"].as_str().unwrap().to_owned(), body["client_secret"].as_str().unwrap().to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_survives_kill_9_on_sqlite() {
    survives(TestDatabase::sqlite()).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: cargo xtask test"]
async fn what_was_acknowledged_survives_kill_9_on_postgres() {
    survives(TestDatabase::postgres().await).await;
}

//! The steps of the runbook for several nodes, taken one node after the other while clients go on.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, RwLock};
use std::time::Duration;

use reqwest::RequestBuilder;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio::time::interval;

use crate::support::TestDatabase;
use crate::support::process::Jeton;

const NODES: usize = 2;
/// Lives of a token that clients see through while each node is replaced.
const LIVES_PER_STEP: u64 = 10;

/// Nodes that are replaced one by one, and what clients know of them.
struct Fleet {
    database: String,
    directory: TempDir,
    nodes: Vec<Jeton>,
    urls: Arc<RwLock<Vec<String>>>,
}

impl Fleet {
    fn start(database: &TestDatabase, settings: &[(&str, &str)]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let mut fleet = Self { database: database.url(), directory, nodes: Vec::new(), urls: Arc::default() };
        for number in 0..NODES {
            let node = fleet.node(number, settings);
            fleet.urls.write().unwrap().push(node.public.clone());
            fleet.nodes.push(node);
        }
        fleet
    }

    fn node(&self, number: usize, settings: &[(&str, &str)]) -> Jeton {
        let directory = self.directory(number);
        std::fs::create_dir_all(&directory).unwrap();
        let name = format!("node{number}");
        let own = [
            ("DATABASE_URL", self.database.as_str()),
            ("JETON__PUBLIC_URL", "https://auth.test"),
            ("JETON__VALIDATION__NODE_NAME", name.as_str()),
        ];
        Jeton::start(&directory, &[&own, settings].concat())
    }

    fn directory(&self, number: usize) -> PathBuf {
        self.directory.path().join(number.to_string())
    }

    /// Stops each node and starts it with other settings, while the load goes on at the others.
    async fn replace_each(&mut self, load: &Load, settings: &[(&str, &str)]) {
        for number in 0..NODES {
            self.nodes[number].signal("-TERM");
            assert!(self.nodes[number].ended_cleanly());
            self.nodes[number] = self.node(number, settings);
            self.urls.write().unwrap()[number].clone_from(&self.nodes[number].public);
            load.goes_on().await;
        }
    }
}

/// Clients that live through the whole life of one token after the other, each step at another node.
struct Load {
    lives: Arc<AtomicU64>,
    stop: Arc<AtomicBool>,
    worker: JoinHandle<()>,
}

struct Client {
    http: reqwest::Client,
    urls: Arc<RwLock<Vec<String>>>,
    id: String,
    secret: String,
    turn: AtomicU64,
}

impl Load {
    async fn start(fleet: &Fleet) -> (Self, Arc<Client>) {
        let http = reqwest::Client::builder().no_proxy().pool_max_idle_per_host(0).build().unwrap();
        let body = json!({ "name": "load", "grant_types": ["client_credentials"], "scopes": ["a"] }).to_string();
        let request = http.post(format!("{}/admin/v1/clients", fleet.nodes[0].public)).body(body);
        let request = request.bearer_auth(fleet.nodes[0].admin_key()).header("content-type", "application/json");
        let made: Value = serde_json::from_str(&request.send().await.unwrap().text().await.unwrap()).unwrap();
        let text = |name: &str| made[name].as_str().unwrap_or_else(|| panic!("{made}")).to_owned();
        let (id, secret) = (text("client_id"), text("client_secret"));
        let client = Arc::new(Client { http, urls: Arc::clone(&fleet.urls), id, secret, turn: AtomicU64::new(0) });
        let (lives, stop) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
        let worker = tokio::spawn({
            let (lives, stop, client) = (Arc::clone(&lives), Arc::clone(&stop), Arc::clone(&client));
            async move {
                while !stop.load(Ordering::Relaxed) {
                    client.lives_through().await;
                    lives.fetch_add(1, Ordering::Relaxed);
                }
            }
        });
        (Self { lives, stop, worker }, client)
    }

    /// Returns after some more lives; fails if the load has found something false.
    async fn goes_on(&self) {
        let enough = self.lives.load(Ordering::Relaxed) + LIVES_PER_STEP;
        let mut look = interval(Duration::from_millis(20));
        while self.lives.load(Ordering::Relaxed) < enough {
            assert!(!self.worker.is_finished(), "a client was told something false");
            look.tick().await;
        }
    }

    async fn end(self) {
        self.stop.store(true, Ordering::Relaxed);
        self.worker.await.expect("no client was told anything false");
    }
}

impl Client {
    /// Sends at the next node, and at the one after it when that one is just being replaced.
    async fn send(&self, path: &str, request: impl Fn(RequestBuilder) -> RequestBuilder) -> (u16, Value) {
        loop {
            let turn = usize::try_from(self.turn.fetch_add(1, Ordering::Relaxed)).unwrap();
            let url = format!("{}{path}", self.urls.read().unwrap()[turn % NODES]);
            let Ok(answer) = request(self.http.post(url)).send().await else { continue };
            let status = answer.status().as_u16();
            // A node whose first lease is on its way says so.
            if status == 503 {
                continue;
            }
            if let Ok(text) = answer.text().await {
                return (status, serde_json::from_str(&text).unwrap_or_default());
            }
        }
    }

    async fn form(&self, path: &str, form: &str) -> (u16, Value) {
        self.send(path, |request| {
            let request = request.basic_auth(&self.id, Some(&self.secret));
            request.header("content-type", "application/x-www-form-urlencoded").body(form.to_owned())
        })
        .await
    }

    async fn issue(&self) -> String {
        let (status, body) = self.form("/oauth20/token", "grant_type=client_credentials").await;
        assert_eq!(status, 200, "{body}");
        body["access_token"].as_str().unwrap().to_owned()
    }

    async fn verify(&self, token: &str) -> u16 {
        self.send("/oauth20/verify", |request| request.bearer_auth(token)).await.0
    }

    async fn lives_through(&self) {
        let token = self.issue().await;
        for _ in 0..NODES {
            assert_eq!(self.verify(&token).await, 200, "a good token is refused");
        }
        assert_eq!(self.form("/oauth20/revoke", &format!("token={token}")).await.0, 200);
        for _ in 0..NODES {
            assert_eq!(self.verify(&token).await, 401, "a revoked token is accepted");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: cargo xtask test"]
async fn the_master_key_is_changed_node_by_node_and_no_client_is_told_anything_false() {
    let database = TestDatabase::postgres().await;
    let (old, new) = ("11".repeat(32), "22".repeat(32));
    let (master, previous) = ("JETON__KEYS__MASTER", "JETON__KEYS__PREVIOUS");
    let mut fleet = Fleet::start(&database, &[(master, &old)]);
    let (load, client) = Load::start(&fleet).await;
    let from_before = client.issue().await;
    load.goes_on().await;

    fleet.replace_each(&load, &[(master, &old), (previous, &new)]).await;
    fleet.replace_each(&load, &[(master, &new), (previous, &old)]).await;

    load.end().await;
    for _ in 0..NODES {
        assert_eq!(client.verify(&from_before).await, 200, "what was made under the old key is lost");
    }
    drop(fleet);
    database.remove().await;
}

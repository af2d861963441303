//! Clients that live through the whole life of one token after the other, and notice whatever is false.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use reqwest::RequestBuilder;
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio::time::{Instant, interval};

use super::site::Site;

/// Clients at the same time.
const CLIENTS: usize = 3;
/// Lives of a token that clients see through while each step is taken.
const LIVES_PER_STEP: u64 = 10;
/// Between a request that was not answered and the next try.
const PAUSE: Duration = Duration::from_millis(20);

/// What clients put up with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tolerance {
    /// Every request is answered, and rightly.
    Nothing,
    /// A request may be answered with 503 or not at all; it is repeated. What is answered is right.
    Outage,
}

/// What they have seen.
#[derive(Clone, Copy, Debug, Default)]
pub struct Seen {
    pub requests: u64,
    /// Without an answer, or with one that says so.
    pub unanswered: u64,
    /// The longest time that one client had to repeat one request.
    pub longest_outage: Duration,
    /// The longest time that an answer took.
    pub slowest: Duration,
}

pub struct Load {
    client: Arc<Client>,
    lives: Arc<AtomicU64>,
    stop: Arc<AtomicBool>,
    workers: JoinSet<()>,
}

pub struct Client {
    http: reqwest::Client,
    url: String,
    tolerance: Tolerance,
    id: String,
    secret: String,
    seen: Mutex<Seen>,
}

impl Load {
    pub async fn start(site: &Site, tolerance: Tolerance) -> Self {
        let http = reqwest::Client::builder().no_proxy().pool_max_idle_per_host(0).build().unwrap();
        let body = json!({ "name": "load", "grant_types": ["client_credentials"], "scopes": ["a"] }).to_string();
        let request = http.post(site.url(0, "/admin/v1/clients")).body(body).bearer_auth(site.admin_key());
        let answer = request.header("content-type", "application/json").send().await.unwrap();
        let made: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
        let text = |name: &str| made[name].as_str().unwrap_or_else(|| panic!("{made}")).to_owned();
        let (id, secret) = (text("client_id"), text("client_secret"));
        let client = Arc::new(Client { http, url: site.url(0, ""), tolerance, id, secret, seen: Mutex::default() });
        let (lives, stop) = (Arc::<AtomicU64>::default(), Arc::<AtomicBool>::default());
        let mut workers = JoinSet::new();
        for _ in 0..CLIENTS {
            let (lives, stop, client) = (Arc::clone(&lives), Arc::clone(&stop), Arc::clone(&client));
            workers.spawn(async move {
                while !stop.load(Ordering::Relaxed) {
                    client.lives_through().await;
                    lives.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        Self { client, lives, stop, workers }
    }

    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Returns after some more lives; fails if a client was told something false.
    pub async fn goes_on(&mut self) {
        let enough = self.lives.load(Ordering::Relaxed) + LIVES_PER_STEP;
        let mut look = interval(PAUSE);
        while self.lives.load(Ordering::Relaxed) < enough {
            if let Some(ended) = self.workers.try_join_next() {
                ended.expect("no client is told anything false");
            }
            look.tick().await;
        }
    }

    /// Takes a step of the runbook while the load goes on.
    pub async fn during<T: Send + 'static>(&mut self, step: impl FnOnce() -> T + Send + 'static) -> T {
        let step = tokio::task::spawn_blocking(step).await.expect("the step is taken");
        self.goes_on().await;
        step
    }

    pub async fn end(self) -> Seen {
        *self.client_after_the_load().await.seen.lock().unwrap()
    }

    /// Ends the load; one client goes on to ask what the test wants to know.
    pub async fn client_after_the_load(mut self) -> Arc<Client> {
        self.stop.store(true, Ordering::Relaxed);
        while let Some(ended) = self.workers.join_next().await {
            ended.expect("no client was told anything false");
        }
        self.client
    }
}

impl Client {
    async fn send(&self, path: &str, request: impl Fn(RequestBuilder) -> RequestBuilder) -> (u16, Value) {
        let first = Instant::now();
        let mut pause = interval(PAUSE);
        loop {
            pause.tick().await;
            let sent = Instant::now();
            let answer = match request(self.http.post(format!("{}{path}", self.url))).send().await {
                Ok(answer) => {
                    let status = answer.status().as_u16();
                    answer.text().await.map(|text| (status, text))
                }
                Err(error) => Err(error),
            };
            let answered = answer.as_ref().is_ok_and(|(status, _)| !matches!(status, 502..=504));
            {
                let mut seen = self.seen.lock().unwrap();
                seen.requests += 1;
                if answered {
                    seen.slowest = seen.slowest.max(sent.elapsed());
                    seen.longest_outage = seen.longest_outage.max(sent.duration_since(first));
                } else {
                    seen.unanswered += 1;
                }
            }
            if let (true, Ok((status, text))) = (answered, &answer) {
                return (*status, serde_json::from_str(text).unwrap_or_default());
            }
            assert_eq!(self.tolerance, Tolerance::Outage, "{path} is not answered: {answer:?}");
        }
    }

    async fn form(&self, path: &str, form: &str) -> (u16, Value) {
        self.send(path, |request| {
            let request = request.basic_auth(&self.id, Some(&self.secret));
            request.header("content-type", "application/x-www-form-urlencoded").body(form.to_owned())
        })
        .await
    }

    pub async fn issue(&self) -> String {
        let (status, body) = self.form("/oauth20/token", "grant_type=client_credentials").await;
        assert_eq!(status, 200, "{body}");
        body["access_token"].as_str().unwrap().to_owned()
    }

    pub async fn revoke(&self, token: &str) {
        let (status, body) = self.form("/oauth20/revoke", &format!("token={token}")).await;
        assert_eq!(status, 200, "{body}");
    }

    pub async fn verify(&self, token: &str) -> u16 {
        self.send("/oauth20/verify", |request| request.bearer_auth(token)).await.0
    }

    async fn lives_through(&self) {
        let token = self.issue().await;
        for _ in 0..3 {
            assert_eq!(self.verify(&token).await, 200, "a good token is refused");
        }
        self.revoke(&token).await;
        for _ in 0..3 {
            assert_eq!(self.verify(&token).await, 401, "a revoked token is accepted");
        }
    }
}

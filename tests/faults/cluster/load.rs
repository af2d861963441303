//! The clients of the cluster: they issue, validate and revoke from outside, and keep what they should not have seen.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use futures_util::future::{join, join_all};
use serde_json::Value;

use super::{NODES, now};

/// A lease, one in a hundred, half a second, and two seconds for a debug build on a machine that does other things too.
const LONGEST: Duration = Duration::from_millis(5530);

pub(super) struct Load {
    http: reqwest::Client,
    /// They change when a node is started again.
    urls: Mutex<Vec<String>>,
    client: (String, String),
    stop: AtomicBool,
    rounds: AtomicUsize,
    validations: AtomicUsize,
    violations: Mutex<Vec<String>>,
    /// The node that can't do its part now; `NODES` for none, and `ALL` for all of them.
    struck: AtomicUsize,
    /// The node whose wall clock is wrong, so that it takes good tokens for expired ones.
    astray: AtomicUsize,
}

/// In place of the number of a node.
pub(super) const ALL: usize = NODES + 1;

/// What a node said of a token, and when it was asked.
struct Seen {
    node: usize,
    asked: Instant,
    status: u16,
}

impl Load {
    pub(super) fn new(urls: Vec<String>, client: (String, String)) -> Self {
        Self {
            http: reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(60)).build().unwrap(),
            urls: Mutex::new(urls),
            client,
            stop: AtomicBool::new(false),
            rounds: AtomicUsize::new(0),
            validations: AtomicUsize::new(0),
            violations: Mutex::default(),
            struck: AtomicUsize::new(NODES),
            astray: AtomicUsize::new(NODES),
        }
    }

    pub(super) fn moved(&self, node: usize, url: &str) {
        url.clone_into(&mut self.urls.lock().unwrap()[node]);
    }

    pub(super) fn strike(&self, node: usize) {
        self.struck.store(node, Ordering::SeqCst);
    }

    pub(super) fn lead_astray(&self, node: usize) {
        self.astray.store(node, Ordering::SeqCst);
    }

    pub(super) fn stop(&self) {
        self.stop.store(true, Ordering::SeqCst);
    }

    /// Rounds that were answered to their end.
    pub(super) fn rounds(&self) -> usize {
        self.rounds.load(Ordering::Relaxed)
    }

    pub(super) fn validations(&self) -> usize {
        self.validations.load(Ordering::Relaxed)
    }

    pub(super) fn violations(&self) -> Vec<String> {
        self.violations.lock().unwrap().clone()
    }

    fn violated(&self, what: String) {
        self.violations.lock().unwrap().push(what);
    }

    async fn form(&self, node: usize, path: &str, body: &str) -> Option<(u16, Value)> {
        let url = self.urls.lock().unwrap()[node % NODES].clone();
        let request = self.http.post(format!("{url}{path}")).basic_auth(&self.client.0, Some(&self.client.1));
        let request = request.header("content-type", "application/x-www-form-urlencoded").body(body.to_owned());
        let response = request.send().await.ok()?;
        let status = response.status().as_u16();
        Some((status, serde_json::from_str(&response.text().await.ok()?).unwrap_or_default()))
    }

    pub(super) async fn issue(&self, node: usize) -> Option<String> {
        let (status, body) = self.form(node, "/oauth20/token", "grant_type=client_credentials").await?;
        Some(body["access_token"].as_str().filter(|_| status == 200)?.to_owned())
    }

    /// Whether the revocation is acknowledged.
    async fn revoke(&self, node: usize, token: &str) -> bool {
        let answer = self.form(node, "/oauth20/revoke", &format!("token={token}")).await;
        answer.is_some_and(|(status, _)| status == 200)
    }

    /// `None` where there is no answer.
    async fn verify(&self, node: usize, token: &str) -> Option<Seen> {
        let url = self.urls.lock().unwrap()[node].clone();
        let asked = now();
        let response = self.http.get(format!("{url}/oauth20/verify")).bearer_auth(token).send().await.ok()?;
        self.validations.fetch_add(1, Ordering::Relaxed);
        Some(Seen { node, asked, status: response.status().as_u16() })
    }

    async fn verify_everywhere(&self, token: &str) -> Vec<Seen> {
        join_all((0..NODES).map(|node| self.verify(node, token))).await.into_iter().flatten().collect()
    }

    /// Asks every node again and again until all are done with what they are asked for.
    async fn watch(&self, token: &str, done: &AtomicBool) -> Vec<Seen> {
        let watched = (0..NODES).map(|node| async move {
            let mut seen = Vec::new();
            while !done.load(Ordering::SeqCst) {
                seen.extend(self.verify(node, token).await);
            }
            seen
        });
        join_all(watched).await.into_iter().flatten().collect()
    }

    /// Issues a token, revokes it at `at` (several nodes: at once) while it is validated, and validates it afterwards.
    /// `None` where the cluster could not do it.
    async fn round(&self, from: usize, at: &[usize]) -> Option<()> {
        let token = self.issue(from).await?;
        for Seen { node, status, .. } in self.verify_everywhere(&token).await {
            if status == 401 && self.astray.load(Ordering::SeqCst) != node {
                self.violated(format!("node {node} refuses an acknowledged token"));
            }
        }
        let well = || {
            let struck = self.struck.load(Ordering::SeqCst);
            struck != ALL && !at.iter().any(|node| node % NODES == struck)
        };
        let (was_well, started, done) = (well(), now(), AtomicBool::new(false));
        let revoking = async {
            let answered = at.iter().map(|node| async {
                let acknowledged = self.revoke(*node, &token).await;
                (acknowledged, now())
            });
            let answered = join_all(answered).await;
            done.store(true, Ordering::SeqCst);
            answered
        };
        let (answered, seen) = join(revoking, self.watch(&token, &done)).await;
        let first = answered.iter().filter(|(acknowledged, _)| *acknowledged).map(|(_, when)| *when).min()?;
        let slowest = answered.iter().map(|(_, when)| when.duration_since(started)).max()?;
        if was_well && well() && slowest > LONGEST {
            self.violated(format!("a revocation took {slowest:?}"));
        }
        for Seen { node, asked, status } in seen.into_iter().chain(self.verify_everywhere(&token).await) {
            if status == 200 && asked > first {
                self.violated(format!("node {node} accepts what was revoked {:?} before", asked.duration_since(first)));
            }
        }
        Some(())
    }

    /// One client after another node, until it is told to stop.
    pub(super) async fn work(&self, worker: usize) {
        for turn in worker.. {
            if self.stop.load(Ordering::SeqCst) {
                return;
            }
            if self.round(turn, &[turn + 1]).await.is_some() {
                self.rounds.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    /// Clients that don't wait for an answer before they ask the next node for the same revocation, and again.
    pub(super) async fn storm(&self) {
        let everywhere: Vec<usize> = (0..4 * NODES).collect();
        join_all((0..4).map(|from| self.round(from, &everywhere))).await;
    }
}

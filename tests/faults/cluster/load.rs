//! The clients of the cluster: they issue, validate and revoke from outside, and keep what they should not have seen.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use futures_util::future::{join, join_all};
use futures_util::stream::{FuturesUnordered, StreamExt as _};
use serde_json::Value;

use super::{NODES, now};
use crate::support::proxy::pause;

/// A lease, one in a hundred, half a second, and two seconds for a debug build on a machine that does other things too.
const LONGEST: Duration = Duration::from_millis(5530);
/// Between requests of a client that does not wait for answers, and how many of them may be without one.
const ASK_EVERY: Duration = Duration::from_millis(5);
const MOST_UNANSWERED: usize = 200;

pub(super) struct Load {
    http: reqwest::Client,
    /// They change when a node is started again.
    urls: Mutex<Vec<String>>,
    client: (String, String),
    stop: AtomicBool,
    /// No round is begun.
    rest: AtomicBool,
    /// Rounds that are under way.
    busy: AtomicUsize,
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

/// The violation that counts most: what each of the others may lead to.
const STALE: &str = "accepts what was revoked";

/// What a node said of a token, and when it was asked.
pub(super) struct Seen {
    node: usize,
    asked: Instant,
    pub(super) status: u16,
}

impl Load {
    pub(super) fn new(urls: Vec<String>, client: (String, String)) -> Self {
        Self {
            http: reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(60)).build().unwrap(),
            urls: Mutex::new(urls),
            client,
            stop: AtomicBool::new(false),
            rest: AtomicBool::new(false),
            busy: AtomicUsize::new(0),
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

    /// The answers that break the promise.
    #[cfg(jeton_mutants)]
    pub(super) fn stale(&self) -> Vec<String> {
        self.violations().into_iter().filter(|violation| violation.contains(STALE)).collect()
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

    /// Revokes at one node. When it was acknowledged, if it was.
    pub(super) async fn revoke(&self, node: usize, token: &str) -> Option<Instant> {
        let (status, _) = self.form(node, "/oauth20/revoke", &format!("token={token}")).await?;
        (status == 200).then(now)
    }

    /// `None` where there is no answer.
    pub(super) async fn verify(&self, node: usize, token: &str) -> Option<Seen> {
        let url = self.urls.lock().unwrap()[node].clone();
        let asked = now();
        let response = self.http.get(format!("{url}/oauth20/verify")).bearer_auth(token).send().await.ok()?;
        self.validations.fetch_add(1, Ordering::Relaxed);
        Some(Seen { node, asked, status: response.status().as_u16() })
    }

    async fn verify_everywhere(&self, token: &str) -> Vec<Seen> {
        join_all((0..NODES).map(|node| self.verify(node, token))).await.into_iter().flatten().collect()
    }

    /// A new token that every node remembers.
    pub(super) async fn remembered(&self) -> String {
        loop {
            if let Some(token) = self.issue(0).await {
                // The first answer may have come from the database, and so may one that was given without a lease.
                let mut accepted = 0;
                for _ in 0..3 {
                    accepted += self.verify_everywhere(&token).await.iter().filter(|seen| seen.status == 200).count();
                }
                if accepted == 3 * NODES {
                    return token;
                }
            }
        }
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

    /// Asks one node every few milliseconds, without waiting for answers, for as long as something goes on there.
    pub(super) async fn ask_during(&self, node: usize, token: &str, goes_on: impl Future<Output = ()>) -> Vec<Seen> {
        let (mut asked, mut seen) = (FuturesUnordered::new(), Vec::new());
        let asking = async {
            loop {
                tokio::select! {
                    () = pause(ASK_EVERY), if asked.len() < MOST_UNANSWERED => asked.push(self.verify(node, token)),
                    Some(answer) = asked.next(), if !asked.is_empty() => seen.extend(answer),
                }
            }
        };
        tokio::select! {
            () = goes_on => {}
            () = asking => unreachable!("it goes on"),
        }
        seen.extend(asked.collect::<Vec<_>>().await.into_iter().flatten());
        seen
    }

    /// What was asked after the acknowledgement of a revocation must not have been answered active.
    pub(super) fn judge(&self, seen: impl IntoIterator<Item = Seen>, revoked: Instant) {
        for Seen { node, asked, status } in seen {
            if status == 200 && asked > revoked {
                self.violated(format!("node {node} {STALE} {:?} before", asked.duration_since(revoked)));
            }
        }
    }

    /// Issues a token, revokes it at `at` (several nodes: at once) while it is validated, and validates it afterwards; in a `cold` round
    /// no node has seen it before it is revoked. `None` where the cluster could not do it.
    async fn round(&self, from: usize, at: &[usize], cold: bool) -> Option<()> {
        let token = self.issue(from).await?;
        let warming = if cold { Vec::new() } else { self.verify_everywhere(&token).await };
        for Seen { node, status, .. } in warming {
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
                // While those are still on their way that were asked before.
                let seen = if acknowledged.is_some() { self.verify_everywhere(&token).await } else { Vec::new() };
                (acknowledged, now(), seen)
            });
            let answered = join_all(answered).await;
            done.store(true, Ordering::SeqCst);
            answered
        };
        let (answered, mut seen) = join(revoking, self.watch(&token, &done)).await;
        let first = answered.iter().filter_map(|(acknowledged, ..)| *acknowledged).min()?;
        let slowest = answered.iter().map(|(acknowledged, ended, _)| acknowledged.unwrap_or(*ended)).max()?;
        let slowest = slowest.duration_since(started);
        if was_well && well() && slowest > LONGEST {
            self.violated(format!("a revocation took {slowest:?}"));
        }
        seen.extend(answered.into_iter().flat_map(|(_, _, seen)| seen));
        seen.extend(self.verify_everywhere(&token).await);
        self.judge(seen, first);
        Some(())
    }

    /// One client after another node, until it is told to stop.
    pub(super) async fn work(&self, worker: usize) {
        for turn in worker.. {
            if self.stop.load(Ordering::SeqCst) {
                return;
            }
            self.busy.fetch_add(1, Ordering::SeqCst);
            if !self.rest.load(Ordering::SeqCst) && self.round(turn, &[turn + 1], turn / NODES % 2 == 1).await.is_some()
            {
                self.rounds.fetch_add(1, Ordering::Relaxed);
            }
            self.busy.fetch_sub(1, Ordering::SeqCst);
            while self.rest.load(Ordering::SeqCst) {
                pause(ASK_EVERY).await;
            }
        }
    }

    /// Lets the clients end their rounds, and begin none.
    pub(super) async fn rest(&self) {
        self.rest.store(true, Ordering::SeqCst);
        while self.busy.load(Ordering::SeqCst) > 0 {
            pause(ASK_EVERY).await;
        }
    }

    pub(super) fn go_on(&self) {
        self.rest.store(false, Ordering::SeqCst);
    }

    /// Clients that don't wait for an answer before they ask the next node for the same revocation, and again.
    pub(super) async fn storm(&self) {
        let everywhere: Vec<usize> = (0..4 * NODES).collect();
        join_all((0..4).map(|from| self.round(from, &everywhere, false))).await;
    }
}

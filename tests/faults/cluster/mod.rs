//! Three real nodes on one PostgreSQL, and what can happen to them. From outside it is checked that no validation that
//! began after a revocation's 2xx is answered active, that no acknowledged token is lost, and that nodes that are well
//! revoke in time.
//!
//! The short form runs each fault once. `JETON_FAULT_SEEDS=5` runs all of them with as many seeds.

mod fault;
mod load;
#[cfg(jeton_mutants)]
mod mutants;
mod node;
mod scene;

use std::sync::Arc;
use std::time::{Duration, Instant};

use fault::{Fault, Struck};
use futures_util::future::join_all;
use jeton::domain::entropy::Entropy;
use load::Load;
use node::Node;
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use crate::support::cluster::Cluster;
use crate::support::proxy::pause;

const NODES: usize = 3;
const WORKERS: usize = 4;
/// In which a cluster recovers by itself; many times what it takes on a machine that does other things too.
const PATIENCE: Duration = Duration::from_secs(120);
/// The default of `validation.lease`.
const LEASE: Duration = Duration::from_secs(3);

#[expect(clippy::disallowed_methods, reason = "measured from outside")]
fn now() -> Instant {
    Instant::now()
}

async fn register(url: &str, key: &str) -> (String, String) {
    let body = json!({ "name": "load", "grant_types": ["client_credentials"], "scopes": ["a"] }).to_string();
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let request = http.post(format!("{url}/admin/v1/clients")).bearer_auth(key);
    let response = request.header("content-type", "application/json").body(body).send().await.unwrap();
    let body: Value = serde_json::from_str(&response.text().await.unwrap()).unwrap();
    (body["client_id"].as_str().unwrap().to_owned(), body["client_secret"].as_str().unwrap().to_owned())
}

/// A cluster under load.
struct Run {
    seed: u64,
    entropy: Entropy,
    key: String,
    nodes: Vec<Node>,
    load: Arc<Load>,
    workers: Vec<JoinHandle<()>>,
    /// The last to go.
    database: Cluster,
}

impl Run {
    async fn start(seed: u64, mutant: Option<&str>) -> Self {
        let database = tokio::task::block_in_place(Cluster::start);
        let entropy = Entropy::seeded(seed);
        let key: String = entropy.secret::<32>().iter().map(|byte| format!("{byte:02x}")).collect();
        let mut nodes = Vec::new();
        for number in 0..NODES {
            nodes.push(Node::start(&database.url(), &key, number, mutant).await);
        }
        let client = register(&nodes[0].process.public, &nodes[0].process.admin_key()).await;
        let load = Arc::new(Load::new(nodes.iter().map(|node| node.process.public.clone()).collect(), client));
        let workers = (0..WORKERS).map(|worker| {
            let load = Arc::clone(&load);
            tokio::spawn(async move { load.work(worker).await })
        });
        let workers = workers.collect();
        Self { seed, entropy, key, nodes, load, workers, database }
    }

    /// Lets a fault happen. It is over when all clients are served again.
    async fn strike(&mut self, fault: Fault) {
        let Self { seed, entropy, key, nodes, load, database, .. } = self;
        Struck { database, nodes, load, key, entropy }.by(fault).await;
        let before = load.rounds();
        let served = async {
            while load.rounds() < before + WORKERS {
                pause(Duration::from_millis(20)).await;
            }
        };
        let recovered = tokio::time::timeout(PATIENCE, served).await;
        assert!(
            recovered.is_ok(),
            "seed {seed}: {PATIENCE:?} after {fault:?} clients are not served: {:?}",
            load.violations()
        );
        load.strike(NODES);
    }

    async fn end(self) {
        self.load.stop();
        for worker in join_all(self.workers).await {
            worker.unwrap();
        }
    }
}

async fn nothing_is_violated(seed: u64) {
    let mut run = Run::start(seed, None).await;
    for fault in Fault::ALL {
        run.strike(fault).await;
        let violations = run.load.violations();
        assert!(violations.is_empty(), "seed {seed}, {fault:?}: {violations:?}");
    }
    let load = Arc::clone(&run.load);
    run.end().await;
    let violations = load.violations();
    assert!(violations.is_empty(), "seed {seed}: {violations:?}");
    assert!(load.rounds() > Fault::ALL.len() * WORKERS && load.validations() > 1000, "too little was tried");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "needs PostgreSQL: cargo xtask test"]
async fn no_node_accepts_what_was_revoked_whatever_happens_to_it() {
    let seeds = std::env::var("JETON_FAULT_SEEDS").ok().and_then(|seeds| seeds.parse().ok()).unwrap_or(1);
    for seed in 1..=seeds {
        nothing_is_violated(seed).await;
    }
}

//! What happens to a cluster.

use std::time::Duration;

use jeton::domain::entropy::Entropy;
use sqlx::{Connection as _, Executor as _, PgConnection};

use super::load::{ALL, Load};
use super::node::Node;
use super::{LEASE, NODES};
use crate::support::cluster::Cluster;
use crate::support::proxy::pause;

#[derive(Clone, Copy, Debug)]
pub(super) enum Fault {
    /// The connections that follow the log are ended every 200 ms.
    ListenersKilled,
    /// A node can't reach the database; clients reach it.
    CutOff,
    /// A node stands still for half a lease to ten, with requests in its socket.
    Paused,
    /// The database answers a node after 200 to 500 ms; then at once or as late as that, as it comes.
    SlowDatabase,
    /// A token is read before its revocation, and the answer comes after it.
    Overtaken,
    /// An answer of the database reaches a node late, and is the last one.
    ToldLate,
    /// A node that was taken for dead comes back in the middle of a slow revocation.
    TakenForDead,
    /// kill -9, and another process in its place.
    Killed,
    /// PostgreSQL crashes and recovers.
    DatabaseRestarted,
    /// Every revocation is asked for many times, at every node, at once, while one of them hears of it late.
    RetryStorm,
    /// A fourth node joins and leaves every 2 s, by SIGTERM and by SIGKILL.
    Churn,
    /// A node's wall clock jumps an hour ahead, and back.
    ClockJump,
}

impl Fault {
    pub(super) const ALL: [Self; 12] = [
        Self::ListenersKilled,
        Self::CutOff,
        Self::Paused,
        Self::SlowDatabase,
        Self::Overtaken,
        Self::ToldLate,
        Self::TakenForDead,
        Self::Killed,
        Self::DatabaseRestarted,
        Self::RetryStorm,
        Self::Churn,
        Self::ClockJump,
    ];

    /// Which nodes can't do their part while it lasts.
    fn struck(self, node: usize) -> usize {
        match self {
            Self::ListenersKilled | Self::Churn | Self::ClockJump => NODES,
            Self::CutOff
            | Self::Paused
            | Self::SlowDatabase
            | Self::Overtaken
            | Self::ToldLate
            | Self::Killed
            | Self::RetryStorm => node,
            Self::TakenForDead | Self::DatabaseRestarted => ALL,
        }
    }
}

/// The cluster that a fault happens to.
pub(super) struct Struck<'c> {
    pub(super) database: &'c Cluster,
    pub(super) nodes: &'c mut [Node],
    pub(super) load: &'c Load,
    pub(super) key: &'c str,
    pub(super) entropy: &'c Entropy,
}

impl Struck<'_> {
    /// Lets `fault` happen, to a node by lot.
    pub(super) async fn by(&mut self, fault: Fault) {
        let node = self.drawn(NODES);
        self.load.strike(fault.struck(node));
        match fault {
            Fault::ListenersKilled => self.kill_listeners().await,
            Fault::CutOff => self.cut_off(node).await,
            Fault::Paused => self.paused(node, LEASE * [1, 3, 20][self.drawn(3)] / 2).await,
            Fault::SlowDatabase => {
                let proxy = &self.nodes[node].proxy;
                proxy.delay([100, 175, 250][self.drawn(3)]);
                pause(2 * LEASE).await;
                proxy.delay(0);
                proxy.scatter(true);
                pause(2 * LEASE).await;
                proxy.scatter(false);
            }
            Fault::Overtaken => self.overtaken(node).await,
            Fault::ToldLate => self.told_late(node).await,
            Fault::TakenForDead => self.taken_for_dead(node).await,
            Fault::Killed => {
                self.nodes[node].restart();
                self.load.moved(node, &self.nodes[node].process.public);
            }
            Fault::DatabaseRestarted => tokio::task::block_in_place(|| {
                self.database.stop();
                self.database.resume();
            }),
            Fault::RetryStorm => {
                self.nodes[node].proxy.delay(100);
                self.load.storm().await;
                self.nodes[node].proxy.delay(0);
            }
            Fault::Churn => self.churn().await,
            Fault::ClockJump => {
                self.load.lead_astray(node);
                self.nodes[node].move_clock(3600);
                pause(LEASE).await;
                self.nodes[node].move_clock(0);
                pause(LEASE).await;
                self.load.lead_astray(NODES);
            }
        }
    }

    fn drawn(&self, below: usize) -> usize {
        usize::from(self.entropy.secret::<1>()[0]) % below
    }

    async fn kill_listeners(&self) {
        const KILL: &str = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
            WHERE datname = current_database() AND pid <> pg_backend_pid() AND (query LIKE 'LISTEN%' \
            OR query LIKE '%renewals = renewals%' OR query LIKE 'UPDATE node%')";
        let mut admin = PgConnection::connect(&self.database.url()).await.unwrap();
        for _ in 0..15 {
            admin.execute(KILL).await.unwrap();
            pause(Duration::from_millis(200)).await;
        }
    }

    async fn churn(&self) {
        for signal in ["-TERM", "-KILL", "-TERM"] {
            let fourth = Node::start(&self.database.url(), self.key, NODES, None).await;
            pause(Duration::from_secs(2)).await;
            fourth.process.signal(signal);
        }
    }
}

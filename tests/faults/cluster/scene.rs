//! What is played in a certain order, because it would hardly ever come about by lot: a token that a node remembers is revoked elsewhere
//! while the node can't hear of it, and the node is asked for it at the moment that matters.

use std::time::Duration;

use futures_util::future::join;
use sqlx::{Connection as _, PgConnection};

use super::fault::Struck;
use super::{LEASE, NODES};
use crate::support::proxy::pause;

/// A lease is over for certain.
const OVER: Duration = Duration::from_millis(3100);
const A_MOMENT: Duration = Duration::from_millis(300);

impl Struck<'_> {
    /// The node can't reach the database until long after the revocation, and is asked while it hears of everything again.
    pub(super) async fn cut_off(&self, node: usize) {
        let token = self.load.remembered().await;
        let proxy = &self.nodes[node].proxy;
        proxy.cut(true);
        let (revoked, ()) = join(self.load.revoke((node + 1) % NODES, &token), pause(2 * LEASE - A_MOMENT)).await;
        let healed = async {
            pause(A_MOMENT).await;
            proxy.cut(false);
            pause(3 * A_MOMENT).await;
        };
        let seen = self.load.ask_during(node, &token, healed).await;
        if let Some(revoked) = revoked {
            self.load.judge(seen, revoked);
        }
    }

    /// The node stands still for a while; what it is asked after the revocation waits in its socket.
    pub(super) async fn paused(&self, node: usize, during: Duration) {
        let token = self.load.remembered().await;
        let process = &self.nodes[node].process;
        process.signal("-STOP");
        let before = if during > OVER { OVER } else { Duration::ZERO };
        let going_on = async {
            pause(before).await;
            let still = async {
                pause(during.saturating_sub(before)).await;
                process.signal("-CONT");
                pause(A_MOMENT).await;
            };
            self.load.ask_during(node, &token, still).await
        };
        let (revoked, seen) = join(self.load.revoke((node + 1) % NODES, &token), going_on).await;
        if let Some(revoked) = revoked {
            self.load.judge(seen, revoked);
        }
    }

    /// What the database answers to a renewal is under way for more than half a lease, and is the last that the node hears. The token is
    /// revoked just after that renewal.
    pub(super) async fn told_late(&self, node: usize) {
        let token = self.load.remembered().await;
        let (proxy, mut database) = (&self.nodes[node].proxy, self.connect().await);
        proxy.hold_replies();
        let before = renewals(&mut database, &self.nodes[node].name).await;
        while renewals(&mut database, &self.nodes[node].name).await == before {
            pause(Duration::from_millis(5)).await;
        }
        let late = async {
            pause(LEASE * 6 / 10).await;
            proxy.cut_behind();
        };
        let (revoked, ()) = join(self.load.revoke((node + 1) % NODES, &token), late).await;
        let apart = async {
            pause(LEASE * 2 / 3).await;
            proxy.cut(false);
            pause(A_MOMENT).await;
        };
        let seen = self.load.ask_during(node, &token, apart).await;
        if let Some(revoked) = revoked {
            self.load.judge(seen, revoked);
        }
    }

    /// What the database says to the node's requests is late, what it says to its follower is not: the token is read there before it is
    /// revoked, and the answer arrives after the revocation has returned.
    pub(super) async fn overtaken(&self, node: usize) {
        // Whoever revokes there would be kept waiting.
        self.load.rest().await;
        let (proxy, other) = (&self.nodes[node].proxy, (node + 1) % NODES);
        if let Some(token) = self.load.issue(other).await {
            proxy.hold_answers();
            let revoking = async {
                proxy.holds().await;
                let revoked = self.load.revoke(other, &token).await;
                let arriving = async {
                    pause(A_MOMENT).await;
                    proxy.cut(false);
                    pause(A_MOMENT).await;
                };
                (revoked, self.load.ask_during(node, &token, arriving).await)
            };
            let (_, (revoked, seen)) = join(self.load.verify(node, &token), revoking).await;
            if let Some(revoked) = revoked {
                self.load.judge(seen, revoked);
            }
        }
        self.load.go_on();
    }

    /// The node was taken for dead, comes back while another one that is far from the database revokes, remembers the token in time, and
    /// is gone again.
    pub(super) async fn taken_for_dead(&self, node: usize) {
        // Who else revokes there would be waited for.
        self.load.rest().await;
        self.return_in_the_middle(node).await;
        self.load.go_on();
    }

    async fn return_in_the_middle(&self, node: usize) {
        let mut database = self.connect().await;
        let (back, slow) = (&self.nodes[node], (node + 1) % NODES);
        back.proxy.cut(true);
        while renewals(&mut database, &back.name).await.is_some() {
            pause(Duration::from_millis(50)).await;
        }
        let Some(token) = self.load.issue(slow).await else {
            return back.proxy.cut(false);
        };
        self.nodes[slow].proxy.delay(250);
        let coming = async {
            // Nobody else is in the middle of a transaction now.
            while !in_transaction(&mut database).await {
                pause(Duration::from_millis(5)).await;
            }
            back.proxy.cut(false);
            while renewals(&mut database, &back.name).await.is_none_or(|renewals| renewals == 0) {
                pause(Duration::from_millis(5)).await;
            }
            self.load.verify(node, &token).await;
            self.load.verify(node, &token).await;
            back.proxy.cut(true);
        };
        let (revoked, ()) = join(self.load.revoke(slow, &token), coming).await;
        self.nodes[slow].proxy.delay(0);
        let gone = async {
            pause(LEASE / 3).await;
            back.proxy.cut(false);
            pause(A_MOMENT).await;
        };
        let seen = self.load.ask_during(node, &token, gone).await;
        if let Some(revoked) = revoked {
            self.load.judge(seen, revoked);
        }
    }

    async fn connect(&self) -> PgConnection {
        PgConnection::connect(&self.database.url()).await.unwrap()
    }
}

/// Whether a session waits for the next statement of a transaction.
async fn in_transaction(database: &mut PgConnection) -> bool {
    let query = "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE state = 'idle in transaction')";
    sqlx::query_scalar(query).fetch_one(database).await.unwrap()
}

/// How often the node of this name has renewed its lease; `None` while it has no row.
async fn renewals(database: &mut PgConnection, name: &str) -> Option<i64> {
    let query = sqlx::query_scalar("SELECT renewals FROM node WHERE name = $1 ORDER BY joined_at DESC LIMIT 1");
    query.bind(name).fetch_optional(database).await.unwrap()
}

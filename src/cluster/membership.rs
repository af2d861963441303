//! This process as a node of the cluster: who it is, what it must agree on with the others, and how it joins them.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::fingerprint;
use super::reaper::Reaper;
use super::waiting::Waits;
use crate::domain::clock::Clock;
use crate::domain::entropy::Entropy;
use crate::domain::grant::Revision;
use crate::domain::ids::NodeId;
use crate::store::node::{Joined, Node};
use crate::store::{Store, StoreError};

/// A node, from its start to its end.
#[derive(Debug)]
pub struct Membership {
    pub id: NodeId,
    pub name: String,
    pub lease: Duration,
    /// Whether the doorbell is to be heard; else the log is polled.
    pub doorbell: bool,
    fingerprint: String,
    seat: Mutex<Option<Seat>>,
    pub figures: MemberFigures,
    pub waits: Waits,
}

/// The row that the node has now.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seat {
    pub incarnation: i64,
    /// What had been applied when it was taken.
    pub applied: Revision,
}

/// What is counted of a node.
#[derive(Debug, Default)]
pub struct MemberFigures {
    pub renewals: AtomicU64,
    /// Renewals that failed, or came too late.
    pub failed_renewals: AtomicU64,
    /// Times that the cache had to start afresh.
    pub restarts: AtomicU64,
    /// The newest revision that a renewal has seen.
    pub head_seen: AtomicI64,
    /// From the commit of a probe until it was in force here, in microseconds: the last, and the longest.
    pub probe_last_us: AtomicU64,
    pub probe_most_us: AtomicU64,
}

/// Why a node can't join.
#[derive(Debug, thiserror::Error)]
pub enum JoinError {
    #[error(
        "the node {name} runs on this database with {theirs}, this one has {own}: nodes of one cluster have the same \
         validation.lease, and each accepts the key that the others issue under (keys.previous). To change the lease, \
         stop all of them first"
    )]
    Disagrees { name: String, theirs: String, own: String },
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Membership {
    #[must_use]
    pub fn new(name: String, lease: Duration, doorbell: bool, fingerprint: String, entropy: &Entropy) -> Self {
        Self {
            id: NodeId::generate(entropy),
            name,
            lease,
            doorbell,
            fingerprint,
            seat: Mutex::default(),
            figures: MemberFigures::default(),
            waits: Waits::default(),
        }
    }

    /// Takes a seat. A node that disagrees and is dead is given the time to prove it; one that lives is an error.
    ///
    /// # Errors
    /// [`JoinError`].
    pub async fn join(&self, store: &Store, clock: &Clock, entropy: &Entropy) -> Result<(), JoinError> {
        let mut reaper = Reaper::default();
        loop {
            let node = Node {
                id: self.id,
                incarnation: i64::from_be_bytes(entropy.secret()),
                name: self.name.clone(),
                fingerprint: self.fingerprint.clone(),
                lease_ms: i64::try_from(self.lease.as_millis()).unwrap_or(i64::MAX),
                applied: Revision::ZERO,
                renewals: 0,
            };
            let incarnation = node.incarnation;
            let strangers = match store.join(node, clock.now(), fingerprint::agree).await? {
                Joined::At(applied) => {
                    tracing::info!(node.id = %self.id, node.name = self.name, revision = applied.value(), "joined");
                    self.sit(Some(Seat { incarnation, applied }));
                    return Ok(());
                }
                Joined::Refused(strangers) => strangers,
            };
            reaper.look(&strangers, clock);
            if let Some(alive) = reaper.alive() {
                return Err(JoinError::Disagrees {
                    name: alive.name.clone(),
                    theirs: alive.fingerprint.clone(),
                    own: self.fingerprint.clone(),
                });
            }
            for dead in reaper.dead(clock) {
                store.reap_node(&dead).await?;
            }
            pause(LOOK_EVERY).await;
        }
    }

    pub(super) fn seat(&self) -> Option<Seat> {
        *self.seat.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn sit(&self, seat: Option<Seat>) {
        *self.seat.lock().unwrap_or_else(PoisonError::into_inner) = seat;
    }

    pub(super) fn note_head(&self, head: Revision) {
        self.figures.head_seen.store(head.value(), Ordering::Relaxed);
    }
}

/// How often a node that may be dead is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(200);

#[expect(clippy::disallowed_methods, reason = "paces polling; what is decided is decided by the injected clock")]
pub(super) async fn pause(duration: Duration) {
    tokio::time::sleep(duration).await;
}

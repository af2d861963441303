//! Follows the revocation log, and by that keeps the lease.
//!
//! The order is the protocol. The time is read; then one transaction, which begins after that, renews the node's row and
//! reads the log; when it has committed, what it has read is applied; only then is the lease granted, counted from the
//! time that was read; then the others are told. A notification only makes the next round come sooner.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::sync::watch;

use super::cache::{Cacheable, ValidationCache};
use super::history::History;
use super::membership::{Membership, Seat, pause};
use super::reaper::Reaper;
use crate::domain::clock::{BootTime, Clock};
use crate::domain::entropy::Entropy;
use crate::domain::grant::Revision;
use crate::domain::mutant::{self, Mutant};
use crate::store::follow::{CatchUp, FollowerConnection};
use crate::store::{Store, StoreError};

/// The task that follows.
#[derive(Debug)]
pub struct Follower<T> {
    pub member: Arc<Membership>,
    pub cache: Arc<ValidationCache<T>>,
    pub history: Arc<History>,
    pub store: Store,
    pub clock: Clock,
    pub entropy: Entropy,
}

/// Where this node stands.
struct Position {
    incarnation: i64,
    applied: Revision,
    /// What the node's row says.
    acknowledged: Revision,
    timeline: Option<String>,
}

/// Why a connection is given up.
enum End {
    Stopped,
    Lost(StoreError),
    /// The row is gone: somebody took this node for dead.
    Reaped,
    /// The log is shorter than it was.
    WentBack,
}

impl From<StoreError> for End {
    fn from(error: StoreError) -> Self {
        Self::Lost(error)
    }
}

/// Before the next attempt to connect, or to join.
const RETRY_AFTER: Duration = Duration::from_millis(100);
/// How often the log is read where no doorbell can be heard.
const POLL_EVERY: Duration = Duration::from_millis(50);

impl<T: Cacheable> Follower<T> {
    /// Follows until `stop`, then leaves the cluster.
    pub async fn run(self, mut stop: watch::Receiver<bool>) {
        let mut position = None;
        while !*stop.borrow() {
            if position.is_none() {
                position = self.take_seat().await;
            }
            let end = match &mut position {
                Some(position) if !self.history.goes_on(position.applied) => End::WentBack,
                Some(position) => self.connect_and_follow(position, &mut stop).await,
                None => End::Lost(StoreError::Unavailable(None)),
            };
            match end {
                End::Stopped => break,
                End::WentBack => {
                    tracing::error!(
                        seen = self.history.newest().value(),
                        "the database has gone back: it was restored, or lost commits in a failover"
                    );
                    self.cache.end_lease();
                    break;
                }
                End::Reaped => {
                    tracing::warn!(node.id = %self.member.id, "this node was taken for dead; it joins again");
                    self.cache.end_lease();
                    self.member.sit(None);
                    position = None;
                }
                End::Lost(error) => {
                    self.member.figures.failed_renewals.fetch_add(1, Ordering::Relaxed);
                    tracing::warn!(error = ?error, "the revocation log can't be followed; trying again");
                    tokio::select! {
                        biased;
                        _ = stop.wait_for(|stop| *stop) => break,
                        () = pause(RETRY_AFTER) => {}
                    }
                }
            }
        }
        self.leave().await;
    }

    /// The seat that the start has taken, or another one. Everything that was kept before is dropped after it is taken:
    /// what is read from then on reflects at least what the seat says.
    async fn take_seat(&self) -> Option<Position> {
        if self.member.seat().is_none() {
            let joined = self.member.join(&self.store, &self.clock, &self.entropy).await;
            joined.inspect_err(|error| tracing::error!(error = ?error, "this node can't join the cluster")).ok()?;
        }
        let Seat { incarnation, applied } = self.member.seat()?;
        self.restart(applied);
        Some(Position { incarnation, applied, acknowledged: applied, timeline: None })
    }

    fn restart(&self, at: Revision) {
        self.member.figures.restarts.fetch_add(1, Ordering::Relaxed);
        self.cache.restart(at);
    }

    async fn connect_and_follow(&self, position: &mut Position, stop: &mut watch::Receiver<bool>) -> End {
        let connecting = within(self.member.lease, self.store.connect_follower(self.member.lease));
        let connected = tokio::select! {
            biased;
            _ = stop.wait_for(|stop| *stop) => return End::Stopped,
            connected = connecting => connected,
        };
        match connected {
            Ok(Some(mut connection)) => self.follow(&mut connection, position, stop).await,
            Ok(None) => End::Stopped,
            Err(error) => End::Lost(error),
        }
    }

    async fn follow(
        &self,
        connection: &mut FollowerConnection,
        position: &mut Position,
        stop: &mut watch::Receiver<bool>,
    ) -> End {
        let (mut reaper, mut buried) = (Reaper::default(), BootTime::from_ns(0));
        let every = if self.member.doorbell { self.member.lease / 3 } else { POLL_EVERY };
        loop {
            let sent = self.clock.boottime();
            let round = async {
                self.renew(connection, position, sent).await?;
                self.acknowledge(connection, position).await
            };
            tokio::select! {
                biased;
                _ = stop.wait_for(|stop| *stop) => return End::Stopped,
                done = round => if let Err(end) = done { return end },
            }
            if sent.since(buried) >= self.member.lease / 3 {
                buried = sent;
                self.bury(&mut reaper).await;
            }
            // A round that took long has eaten into the lease: the next one then comes at once.
            let left = every.saturating_sub(self.clock.boottime().since(sent));
            tokio::select! {
                biased;
                _ = stop.wait_for(|stop| *stop) => return End::Stopped,
                rung = connection.rung() => if let Err(error) = rung { return End::Lost(error) },
                () = pause(left) => {}
            }
        }
    }

    async fn renew(
        &self,
        connection: &mut FollowerConnection,
        position: &mut Position,
        sent: BootTime,
    ) -> Result<(), End> {
        let renewing = connection.renew(self.member.id, position.incarnation, position.applied);
        let caught_up = within(self.member.lease, renewing).await?.ok_or(End::Reaped)?;
        if !self.history.goes_on(caught_up.head) {
            return Err(End::WentBack);
        }
        if mutant::is(Mutant::AckBeforeApply) {
            connection.acknowledge(self.member.id, position.incarnation, caught_up.head).await?;
        }
        self.apply(caught_up, position);
        let counted_from = if mutant::is(Mutant::LeaseFromReceipt) { self.clock.boottime() } else { sent };
        self.cache.grant_lease(counted_from.plus(self.member.lease));
        self.member.figures.renewals.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    fn apply(&self, caught_up: CatchUp, position: &mut Position) {
        let CatchUp { head, timeline, entries } = caught_up;
        let same_history = position.timeline.as_ref().is_none_or(|known| *known == timeline);
        match entries.filter(|_| same_history) {
            Some(entries) => self.cache.follow(&entries, head),
            None => {
                tracing::warn!(
                    revision = head.value(),
                    timeline,
                    "another history, or too much of it: starting afresh"
                );
                self.restart(head);
            }
        }
        self.cache.continue_as(&timeline);
        (position.applied, position.timeline) = (head, Some(timeline));
        self.member.note_head(head);
    }

    async fn acknowledge(&self, connection: &mut FollowerConnection, position: &mut Position) -> Result<(), End> {
        if position.acknowledged != position.applied {
            let acknowledging = connection.acknowledge(self.member.id, position.incarnation, position.applied);
            within(self.member.lease, acknowledging).await?;
            position.acknowledged = position.applied;
        }
        Ok(())
    }

    /// Removes nodes that are dead. Not urgent: a revocation waits a lease for them, not for ever.
    async fn bury(&self, reaper: &mut Reaper) {
        let looked = async {
            let nodes = self.store.list_nodes().await?;
            let others: Vec<_> = nodes.iter().filter(|node| node.id != self.member.id).cloned().collect();
            reaper.look(&others, &self.clock);
            for dead in reaper.dead(&self.clock) {
                if self.store.reap_node(&dead).await? {
                    tracing::warn!(node.id = %dead.id, node.name = dead.name, "a node that renews no more is removed");
                }
            }
            Ok::<_, StoreError>(())
        };
        let looked = within(self.member.lease / 3, looked).await;
        let _next_time = looked.inspect_err(|error| tracing::debug!(error = ?error, "nodes could not be looked at"));
    }

    /// First nothing is answered from memory any more, then the others are told that they need not wait.
    async fn leave(&self) {
        self.cache.end_lease();
        let Some(Seat { incarnation, .. }) = self.member.seat() else { return };
        self.member.sit(None);
        let left = within(self.member.lease, self.store.leave(self.member.id, incarnation)).await;
        let _reaped_by_others = left.inspect_err(|error| tracing::info!(error = ?error, "could not leave the cluster"));
    }
}

async fn within<T>(limit: Duration, step: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
    tokio::time::timeout(limit, step).await.unwrap_or(Err(StoreError::Unavailable(None)))
}

//! Waits until a revocation is in force on every node.
//!
//! The nodes are read after the commit: whoever joins later has read the revocation. A node that does not answer is
//! waited for until its lease is certainly over, by the clock of this process, counted from after the commit.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::membership::{Membership, pause};
use crate::domain::clock::{BootTime, Clock};
use crate::domain::grant::Revision;
#[cfg(jeton_mutants)]
use crate::domain::mutant::{self, Mutant};
use crate::store::Store;
use crate::store::node::Node;

/// On how many nodes a revocation is known to be applied; on all the others nothing is answered from memory that was
/// read before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reached {
    pub applied_by: u32,
    pub of: u32,
}

impl Reached {
    /// Where there is one process.
    pub const SOLE: Self = Self { applied_by: 1, of: 1 };
}

/// A committed revocation that is to be waited for.
pub struct Awaited<'a> {
    pub revision: Revision,
    /// Some moment after its commit.
    pub committed: BootTime,
    /// Whether this process has applied it.
    pub applied_here: &'a (dyn Fn() -> bool + Sync),
}

impl std::fmt::Debug for Awaited<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Awaited").field("revision", &self.revision).finish_non_exhaustive()
    }
}

/// How long revocations have waited, by what ended the wait.
#[derive(Debug, Default)]
pub struct Waits {
    pub by_ack: WaitSum,
    pub by_lease: WaitSum,
}

#[derive(Debug, Default)]
pub struct WaitSum {
    pub count: AtomicU64,
    pub micros: AtomicU64,
}

impl WaitSum {
    fn add(&self, took: Duration) {
        self.count.fetch_add(1, Ordering::Relaxed);
        self.micros.fetch_add(u64::try_from(took.as_micros()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }
}

/// The first look comes at once; later ones come rarer, up to this.
const LONGEST_PAUSE: Duration = Duration::from_millis(16);
const FIRST_PAUSE: Duration = Duration::from_millis(1);

/// A lease with one in a hundred more: two clocks may differ that much in their rate.
fn certainly_over(lease: Duration) -> Duration {
    lease + lease / 100
}

/// Returns once no node answers from what `awaited` has killed. A database that can't be asked is waited for as a node
/// that does not answer.
pub async fn until_in_force(member: &Membership, store: &Store, clock: &Clock, awaited: &Awaited<'_>) -> Reached {
    let waits = &member.waits;
    let (mut wait, mut reached) = (FIRST_PAUSE, Reached { applied_by: 0, of: 1 });
    loop {
        // A look that does not come back must not outlast the lease.
        let left = certainly_over(member.lease).saturating_sub(clock.boottime().since(awaited.committed));
        if let Ok(Ok(nodes)) = tokio::time::timeout(left + FIRST_PAUSE, store.list_nodes()).await {
            reached = count(&nodes, member, awaited);
        }
        let waited = clock.boottime().since(awaited.committed);
        if reached.applied_by == reached.of {
            waits.by_ack.add(waited);
            return reached;
        }
        if waited > certainly_over(member.lease) {
            waits.by_lease.add(waited);
            return reached;
        }
        pause(wait).await;
        wait = (wait * 2).min(LONGEST_PAUSE);
    }
}

/// This node knows of itself what its row does not say yet.
fn count(nodes: &[Node], member: &Membership, awaited: &Awaited<'_>) -> Reached {
    let others = nodes.iter().filter(|node| node.id != member.id && is_waited_for(node));
    let (applied, of) =
        others.fold((0, 0), |(applied, of), node| (applied + u32::from(node.applied >= awaited.revision), of + 1));
    Reached { applied_by: applied + u32::from((awaited.applied_here)()), of: of + 1 }
}

/// Every one that is there after the commit.
#[cfg(not(jeton_mutants))]
const fn is_waited_for(_: &Node) -> bool {
    true
}

#[cfg(jeton_mutants)]
tokio::task_local! {
    /// The nodes as they were before the commit.
    pub static COUNTED: std::sync::Arc<[Node]>;
}

#[cfg(jeton_mutants)]
fn is_waited_for(node: &Node) -> bool {
    let same = |counted: &Node| (counted.id, counted.incarnation) == (node.id, node.incarnation);
    !mutant::is(Mutant::MembershipBeforeCommit) || COUNTED.try_with(|counted| counted.iter().any(same)).unwrap_or(true)
}

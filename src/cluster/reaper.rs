//! Tells dead nodes from living ones: a node is dead when its counter has stood still for longer than its lease.
//!
//! The time is this process's own, from when the counter was first read at its value: a lease that the value stands for
//! was granted before that.

use std::collections::HashMap;
use std::time::Duration;

use crate::domain::clock::{BootTime, Clock};
use crate::domain::ids::NodeId;
use crate::store::node::Node;

#[derive(Debug, Default)]
pub(super) struct Reaper {
    seen: HashMap<NodeId, Seen>,
}

#[derive(Debug)]
struct Seen {
    node: Node,
    since: BootTime,
    has_moved: bool,
}

impl Reaper {
    /// Compares the nodes with what was seen of them before.
    pub(super) fn look(&mut self, nodes: &[Node], clock: &Clock) {
        let now = clock.boottime();
        self.seen.retain(|id, _| nodes.iter().any(|node| node.id == *id));
        for node in nodes {
            let same = |seen: &Seen| (seen.node.incarnation, seen.node.renewals) == (node.incarnation, node.renewals);
            match self.seen.get_mut(&node.id) {
                Some(seen) if same(seen) => {}
                Some(seen) => *seen = Seen { node: node.clone(), since: now, has_moved: true },
                None => {
                    self.seen.insert(node.id, Seen { node: node.clone(), since: now, has_moved: false });
                }
            }
        }
    }

    /// One that has certainly renewed since it was first seen.
    pub(super) fn alive(&self) -> Option<&Node> {
        self.seen.values().find(|seen| seen.has_moved).map(|seen| &seen.node)
    }

    /// Those whose lease is certainly over.
    pub(super) fn dead(&self, clock: &Clock) -> Vec<Node> {
        let now = clock.boottime();
        let over = |seen: &&Seen| now.since(seen.since) > still_for(&seen.node);
        self.seen.values().filter(over).map(|seen| seen.node.clone()).collect()
    }
}

/// Twice the lease: more than clocks can differ in their rate, and a node that is merely slow keeps its row.
fn still_for(node: &Node) -> Duration {
    2 * Duration::from_millis(node.lease_ms.max(0).unsigned_abs())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::clock::Timestamp;
    use crate::domain::grant::Revision;

    fn node(renewals: i64) -> Node {
        Node {
            id: NodeId::from_bytes([1; 16]),
            incarnation: 7,
            name: "a".to_owned(),
            fingerprint: String::new(),
            lease_ms: 3000,
            applied: Revision::ZERO,
            renewals,
        }
    }

    #[test]
    fn a_node_is_dead_only_after_its_counter_has_stood_still_for_twice_its_lease() {
        let (clock, mut reaper) = (Clock::manual(Timestamp::from_ms(0)), Reaper::default());
        reaper.look(&[node(1)], &clock);
        assert!(reaper.alive().is_none(), "nobody knows yet");
        clock.advance(Duration::from_secs(6));
        reaper.look(&[node(1)], &clock);
        assert!(reaper.dead(&clock).is_empty());
        reaper.look(&[node(2)], &clock);
        assert_eq!(reaper.alive(), Some(&node(2)));
        clock.advance(Duration::from_millis(6001));
        reaper.look(&[node(2)], &clock);
        assert_eq!(reaper.dead(&clock), [node(2)]);
        reaper.look(&[], &clock);
        assert!(reaper.dead(&clock).is_empty(), "somebody else has reaped it");
    }

    #[test]
    fn a_node_that_has_joined_again_is_another_one() {
        let (clock, mut reaper) = (Clock::manual(Timestamp::from_ms(0)), Reaper::default());
        reaper.look(&[node(5)], &clock);
        clock.advance(Duration::from_secs(7));
        reaper.look(&[Node { incarnation: 8, ..node(5) }], &clock);
        assert!(reaper.dead(&clock).is_empty());
    }
}

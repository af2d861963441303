//! What the nodes of one cluster must agree on: the length of the lease, and that each accepts the other's tokens.
//!
//! A revocation waits for one lease of its own length; a node with a longer one would answer beyond it. A node that does
//! not know another's key would call its tokens forged.

use std::time::Duration;

use crate::domain::keys::{KeyRing, KeyVersion, Keys};

/// The canonical text: `lease_ms=3000 keys=1a2b3c4d,5e6f7081`, the key that is issued under first.
#[must_use]
pub fn of(lease: Duration, keys: &KeyRing) -> String {
    let current = keys.current().version();
    let others = keys.live().map(Keys::version).filter(|version| *version != current);
    let versions: Vec<String> = std::iter::once(current).chain(others).map(name).collect();
    format!("lease_ms={} keys={}", lease.as_millis(), versions.join(","))
}

fn name(version: KeyVersion) -> String {
    format!("{:08x}", version.as_i32().cast_unsigned())
}

/// Whether nodes with these two can be in one cluster.
#[must_use]
pub fn agree(one: &str, other: &str) -> bool {
    let read = |text: &str| {
        let (lease, keys) = text.split_once(" keys=")?;
        let keys: Vec<String> = keys.split(',').map(str::to_owned).collect();
        Some((lease.to_owned(), keys))
    };
    let (Some((lease, keys)), Some((other_lease, other_keys))) = (read(one), read(other)) else {
        return false;
    };
    lease == other_lease && keys.contains(&other_keys[0]) && other_keys.contains(&keys[0])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_agree_if_their_leases_are_equal_and_each_accepts_what_the_other_issues() {
        let node = |lease: u32, keys: &str| format!("lease_ms={lease} keys={keys}");
        assert!(agree(&node(3000, "a"), &node(3000, "a")));
        assert!(!agree(&node(3000, "a"), &node(5000, "a")));
        assert!(!agree(&node(3000, "a"), &node(3000, "b")));
        // A rotation: first every node accepts the new key, then each issues under it.
        assert!(agree(&node(3000, "old"), &node(3000, "old,new")));
        assert!(agree(&node(3000, "old,new"), &node(3000, "new,old")));
        assert!(agree(&node(3000, "new,old"), &node(3000, "new")));
        assert!(!agree(&node(3000, "old"), &node(3000, "new,old")), "the first would refuse what the second issues");
        assert!(!agree(&node(3000, "a"), "something else"));
    }
}

//! The other nodes of the same database: that this one can be among them, and who is dead.

use std::time::Duration;

use super::{Finding, keys};
use crate::cluster::fingerprint;
use crate::config::Config;
use crate::domain::grant::Revision;
use crate::store::node::Node;
use crate::store::{DatabaseOptions, inspect};

const CHECK: &str = "other nodes";
/// Longer than the third of a lease after which nodes renew.
const RENEWED_WITHIN: u32 = 2;

/// `before` are the nodes as they were a moment ago; they are looked at again when each must have renewed.
pub(super) async fn examine(config: &Config, options: &DatabaseOptions, before: &[Node]) -> Vec<Finding> {
    if before.is_empty() {
        return vec![Finding::ok(CHECK, "none")];
    }
    wait(config.validation.lease.as_duration() / RENEWED_WITHIN).await;
    match inspect::nodes(options).await {
        Ok(after) => judge(config, before, &after),
        Err(error) => {
            let found = format!("they can't be read again: {:#}", anyhow::Error::from(error));
            vec![Finding::error(CHECK, found, "the database was there a moment ago: see its log")]
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "waits for what other machines do")]
async fn wait(duration: Duration) {
    tokio::time::sleep(duration).await;
}

fn judge(config: &Config, before: &[Node], after: &[Node]) -> Vec<Finding> {
    let renewals = |node: &Node| {
        let earlier = before.iter().find(|earlier| (earlier.id, earlier.incarnation) == (node.id, node.incarnation));
        earlier.map(|earlier| node.renewals != earlier.renewals)
    };
    let (alive, dead): (Vec<&Node>, Vec<&Node>) = after.iter().partition(|node| renewals(node) != Some(false));
    let names = |nodes: &[&Node]| nodes.iter().map(|node| node.name.as_str()).collect::<Vec<_>>().join(", ");
    let mut findings = Vec::new();
    if !dead.is_empty() {
        let found = format!("{} do not renew their lease: {}", dead.len(), names(&dead));
        let advice = "they hang, are cut off, or were killed; each keeps revocations waiting until it is removed after two leases";
        findings.push(Finding::warning(CHECK, found, advice));
    }
    if config.validation.single_node && !alive.is_empty() {
        let found = format!("validation.single_node is set, and others serve from this database: {}", names(&alive));
        findings.push(Finding::error(CHECK, found, "unset it on all nodes, or stop the others"));
    }
    if let Ok(Some(ring)) = keys::ring(config) {
        let own = fingerprint::of(config.validation.lease.as_duration(), &ring);
        let strangers: Vec<&Node> = after.iter().filter(|node| !fingerprint::agree(&own, &node.fingerprint)).collect();
        if !strangers.is_empty() {
            let found = format!("this node has {own}; {} have {}", names(&strangers), strangers[0].fingerprint);
            let advice =
                "give all nodes one keys.master and one validation.lease; change them as docs/operations.md says";
            findings.push(Finding::error(CHECK, found, advice));
        }
    }
    if findings.is_empty() {
        let behind = alive.iter().map(|node| node.applied).min().unwrap_or(Revision::ZERO);
        let found = format!(
            "{} renew their lease and agree with this one: {} (applied {})",
            alive.len(),
            names(&alive),
            behind.value()
        );
        findings.push(Finding::ok(CHECK, found));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::super::Verdict;
    use super::*;
    use crate::domain::ids::NodeId;
    use crate::domain::keys::{KeyRing, MasterKey};

    const MASTER: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

    fn config() -> Config {
        let mut config = Config::default();
        config.keys.master = MASTER.to_owned();
        config
    }

    fn node(number: u8, renewals: i64) -> Node {
        let ring = KeyRing::new(&MasterKey::parse(MASTER).unwrap(), None);
        Node {
            id: NodeId::from_bytes([number; 16]),
            incarnation: 1,
            name: format!("node{number}"),
            fingerprint: fingerprint::of(config().validation.lease.as_duration(), &ring),
            lease_ms: 3000,
            applied: Revision::new(7),
            renewals,
        }
    }

    fn verdicts(config: &Config, before: &[Node], after: &[Node]) -> Vec<Verdict> {
        judge(config, before, after).into_iter().map(|finding| finding.verdict).collect()
    }

    #[test]
    fn who_has_not_renewed_is_named() {
        let before = [node(1, 5), node(2, 5)];
        assert_eq!(verdicts(&config(), &before, &[node(1, 6), node(2, 6)]), [Verdict::Ok]);
        let findings = judge(&config(), &before, &[node(1, 6), node(2, 5)]);
        assert_eq!(findings[0].verdict, Verdict::Warning);
        assert!(findings[0].found.ends_with(": node2"), "{findings:?}");
        // One that has joined meanwhile, and one that has left.
        assert_eq!(verdicts(&config(), &before[..1], &[node(3, 0)]), [Verdict::Ok]);
        assert_eq!(verdicts(&config(), &before, &[]), [Verdict::Ok]);
    }

    #[test]
    fn a_node_that_would_be_refused_is_an_error() {
        let mut longer = config();
        longer.validation.lease = crate::domain::lifetime::Lifetime::from_secs(5);
        let mut alone = config();
        alone.validation.single_node = true;
        let mut other_key = config();
        other_key.keys.master.replace_range(..2, "ff");
        for config in [longer, alone, other_key] {
            assert_eq!(verdicts(&config, &[node(1, 5)], &[node(1, 6)]), [Verdict::Error]);
        }
    }
}

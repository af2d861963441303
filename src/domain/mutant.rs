//! Wrong orders of the revocation protocol, each a small deviation at its place in the code: the fault suite is proven by finding
//! them. They are in builds with `--cfg jeton_mutants` only (`cargo xtask mutants`); in every other one `is` is a constant.

/// One wrong order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mutant {
    /// The others are told before what was read is in force.
    AckBeforeApply,
    /// The lease is counted from the renewal's answer, not from before its question.
    LeaseFromReceipt,
    /// The lease is looked at after the cache.
    CacheBeforeLease,
    /// What was read is kept, whatever was revoked meanwhile.
    UnfencedFill,
    /// A read that is under way answers those too who came after it began.
    UnconditionalJoin,
    /// A revocation waits for the nodes that were there before its commit.
    MembershipBeforeCommit,
    /// A call that finds the token revoked returns at once.
    FastPathOnRetry,
    /// Numbers of the log are given out early, and become visible in another order.
    NumbersNotInCommitOrder,
}

/// Whether this process follows that order.
#[cfg(not(jeton_mutants))]
pub(crate) const fn is(_: Mutant) -> bool {
    false
}

/// A place between two steps of the protocol, where a thread may be kept waiting.
#[cfg(not(jeton_mutants))]
pub(crate) const fn falter() {}

#[cfg(jeton_mutants)]
pub(crate) use chosen::{falter, is};

#[cfg(jeton_mutants)]
mod chosen {
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::time::Duration;

    use super::Mutant;

    impl Mutant {
        fn named(name: &str) -> Option<Self> {
            Some(match name {
                "ack-before-apply" => Self::AckBeforeApply,
                "lease-from-receipt" => Self::LeaseFromReceipt,
                "cache-before-lease" => Self::CacheBeforeLease,
                "unfenced-fill" => Self::UnfencedFill,
                "unconditional-join" => Self::UnconditionalJoin,
                "membership-before-commit" => Self::MembershipBeforeCommit,
                "fast-path-on-retry" => Self::FastPathOnRetry,
                "numbers-not-in-commit-order" => Self::NumbersNotInCommitOrder,
                _ => return None,
            })
        }
    }

    pub(crate) fn is(mutant: Mutant) -> bool {
        static CHOSEN: OnceLock<Option<Mutant>> = OnceLock::new();
        *CHOSEN.get_or_init(|| {
            let name = std::env::var("JETON_MUTANT").ok()?;
            Some(Mutant::named(&name).expect("JETON_MUTANT names a mutant"))
        }) == Some(mutant)
    }

    /// Every so often, also where the order is right: a scheduler does so seldom, and is free to do so at any time.
    pub(crate) fn falter() {
        static CALLS: AtomicU64 = AtomicU64::new(0);
        if CALLS.fetch_add(1, Ordering::Relaxed) % 7 == 0 {
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

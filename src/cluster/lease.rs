//! Until when this process may answer from memory.
//!
//! A lease is counted from before its renewal was sent, by a clock that nobody sets. Only the follower moves it, after
//! everything that the renewal has brought is in force.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::domain::clock::{BootTime, Clock};

/// What an answer from memory rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trust {
    /// This process is the only one that revokes.
    Sole,
    /// A lease, renewed by reading the log.
    Leased,
    /// A read of the log's head that began after the question.
    Confirmed,
}

/// Proof that memory may be read: made before the read, by looking at the lease or at the log.
#[derive(Debug)]
pub struct Trusted(());

#[derive(Debug)]
pub(super) struct Lease {
    trust: Trust,
    /// In ns since boot.
    until: AtomicU64,
}

impl Lease {
    pub(super) fn new(trust: Trust) -> Self {
        let until = if trust == Trust::Sole { u64::MAX } else { 0 };
        Self { trust, until: AtomicU64::new(until) }
    }

    /// The lease first, the cache after it: an entry that is found then reflects whatever had to be applied before.
    pub(super) fn check(&self, clock: &Clock) -> Option<Trusted> {
        match self.trust {
            Trust::Sole => Some(Trusted(())),
            Trust::Leased => self.holds(clock).then_some(Trusted(())),
            Trust::Confirmed => None,
        }
    }

    /// For a cache that has applied what a read of the log's head has shown.
    pub(super) const fn confirmed() -> Trusted {
        Trusted(())
    }

    /// Whether the lease is running, whatever it is needed for.
    pub(super) fn holds(&self, clock: &Clock) -> bool {
        let until = self.until.load(Ordering::Acquire);
        until == u64::MAX || clock.boottime().ns() < until
    }

    pub(super) fn grant(&self, until: BootTime) {
        self.until.store(until.ns().min(u64::MAX - 1), Ordering::Release);
    }

    pub(super) fn end(&self) {
        self.until.store(0, Ordering::Release);
    }

    /// What is left of it; `None` where none is needed.
    pub(super) fn left(&self, clock: &Clock) -> Option<Duration> {
        let until = self.until.load(Ordering::Acquire);
        (until != u64::MAX).then(|| BootTime::from_ns(until).since(clock.boottime()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::clock::Timestamp;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_lease_ends_by_the_time_since_boot_whatever_the_wall_clock_does() {
        let (clock, lease) = (Clock::manual(Timestamp::from_ms(0)), Lease::new(Trust::Leased));
        assert!(lease.check(&clock).is_none(), "none was granted yet");
        lease.grant(clock.boottime().plus(3 * SECOND));
        clock.set_wall(Timestamp::from_ms(3_600_000));
        assert!(lease.check(&clock).is_some());
        assert_eq!(lease.left(&clock), Some(3 * SECOND));
        clock.advance(3 * SECOND);
        assert!(lease.check(&clock).is_none());
        assert_eq!(lease.left(&clock), Some(Duration::ZERO));
    }

    #[test]
    fn a_sole_process_needs_no_lease_and_a_confirming_one_is_not_trusted_by_it() {
        let clock = Clock::manual(Timestamp::from_ms(0));
        assert!(Lease::new(Trust::Sole).check(&clock).is_some());
        let lease = Lease::new(Trust::Confirmed);
        lease.grant(clock.boottime().plus(3 * SECOND));
        assert!(lease.check(&clock).is_none() && lease.holds(&clock));
    }
}

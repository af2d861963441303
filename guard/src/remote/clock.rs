//! Owns the one clock that decides what may be remembered: the time since boot, sleep included, which nobody sets.

use std::time::Duration;

/// A moment, in nanoseconds since boot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Moment(u64);

impl Moment {
    #[cfg(test)]
    pub(super) const fn from_ns(ns: u64) -> Self {
        Self(ns)
    }

    pub(super) const fn ns(self) -> u64 {
        self.0
    }

    pub(super) fn plus(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)))
    }

    pub(super) fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

/// Now. The monotonic clock of Linux stands still while the machine sleeps; that of macOS does not.
pub(super) fn now() -> Moment {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    let id = rustix::time::ClockId::Boottime;
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    let id = rustix::time::ClockId::Monotonic;
    let now = rustix::time::clock_gettime(id);
    let (seconds, ns) = (now.tv_sec.unsigned_abs(), now.tv_nsec.unsigned_abs());
    Moment(seconds.saturating_mul(1_000_000_000).saturating_add(ns))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_never_go_back() {
        let first = now();
        assert!(first.ns() > 0 && now() >= first);
        assert_eq!(first.plus(Duration::from_secs(1)).since(first), Duration::from_secs(1));
        assert_eq!(first.since(first.plus(Duration::from_secs(1))), Duration::ZERO);
    }
}

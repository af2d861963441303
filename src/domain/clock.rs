//! Time as an injected capability: the wall clock, whose timestamps the store and the wire use, and the time since boot,
//! which leases are measured by.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Serialize, Serializer};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// Milliseconds since the Unix epoch, UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    #[must_use]
    pub const fn from_ms(ms: i64) -> Self {
        Self(ms)
    }

    #[must_use]
    pub const fn ms(self) -> i64 {
        self.0
    }

    /// Whole seconds since the epoch, as the OAuth RFCs count.
    #[must_use]
    pub const fn seconds(self) -> i64 {
        self.0.div_euclid(1000)
    }

    #[must_use]
    pub fn plus(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(millis(duration)))
    }

    #[must_use]
    pub fn minus(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub(millis(duration)))
    }

    /// Whole seconds from `now` until this moment; 0 when it has passed.
    #[must_use]
    pub fn seconds_left(self, now: Self) -> i64 {
        (self.0.saturating_sub(now.0)).max(0) / 1000
    }
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

/// RFC 3339, UTC, milliseconds where there are any.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = OffsetDateTime::from_unix_timestamp_nanos(i128::from(self.0) * 1_000_000)
            .ok()
            .and_then(|moment| moment.format(&Rfc3339).ok());
        match text {
            Some(text) => f.write_str(&text),
            None => write!(f, "{}ms", self.0),
        }
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A text that is not an RFC 3339 time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a time: write it as in RFC 3339, for instance 2026-11-24T12:00:00Z")]
pub struct NotATimestamp;

impl std::str::FromStr for Timestamp {
    type Err = NotATimestamp;

    fn from_str(text: &str) -> Result<Self, NotATimestamp> {
        let moment = OffsetDateTime::parse(text, &Rfc3339).ok().ok_or(NotATimestamp)?;
        i64::try_from(moment.unix_timestamp_nanos() / 1_000_000).map(Self).ok().ok_or(NotATimestamp)
    }
}

/// Time since the machine was booted, sleep included. No one sets it, and it never goes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct BootTime(u64);

impl BootTime {
    #[must_use]
    pub const fn from_ns(ns: u64) -> Self {
        Self(ns)
    }

    #[must_use]
    pub const fn ns(self) -> u64 {
        self.0
    }

    #[must_use]
    pub fn plus(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(nanos(duration)))
    }

    /// How long ago `earlier` was.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// Tells the time. Cloning is cheap; all clones tell the same time.
#[derive(Clone, Debug, Default)]
pub struct Clock(Source);

#[derive(Clone, Debug, Default)]
enum Source {
    #[default]
    System,
    Manual(Arc<Manual>),
}

#[derive(Debug)]
struct Manual {
    wall_ms: AtomicI64,
    boot_ns: AtomicU64,
}

/// Where the time since boot of a manual clock starts.
const MANUAL_BOOT_NS: u64 = 1_000_000_000_000;

impl Clock {
    #[must_use]
    pub fn system() -> Self {
        Self(Source::System)
    }

    /// A clock that stands still until [`Clock::advance`] moves it.
    #[must_use]
    pub fn manual(start: Timestamp) -> Self {
        let manual = Manual { wall_ms: AtomicI64::new(start.ms()), boot_ns: AtomicU64::new(MANUAL_BOOT_NS) };
        Self(Source::Manual(Arc::new(manual)))
    }

    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the system clock")]
    pub fn now(&self) -> Timestamp {
        match &self.0 {
            Source::System => Timestamp(SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, millis)),
            Source::Manual(manual) => Timestamp(manual.wall_ms.load(Ordering::SeqCst)),
        }
    }

    /// `CLOCK_BOOTTIME` where there is one: the monotonic clock of Linux stands still while the machine sleeps.
    #[must_use]
    pub fn boottime(&self) -> BootTime {
        match &self.0 {
            Source::System => system_boottime(),
            Source::Manual(manual) => BootTime(manual.boot_ns.load(Ordering::SeqCst)),
        }
    }

    /// Lets time pass on a manual clock; the system clock is not moved.
    pub fn advance(&self, by: Duration) {
        if let Source::Manual(manual) = &self.0 {
            manual.wall_ms.fetch_add(millis(by), Ordering::SeqCst);
            manual.boot_ns.fetch_add(nanos(by), Ordering::SeqCst);
        }
    }

    /// Sets a manual wall clock, as an operator or NTP does: no time passes.
    pub fn set_wall(&self, to: Timestamp) {
        if let Source::Manual(manual) = &self.0 {
            manual.wall_ms.store(to.ms(), Ordering::SeqCst);
        }
    }
}

fn system_boottime() -> BootTime {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    let id = rustix::time::ClockId::Boottime;
    // The monotonic clock of macOS counts sleep; elsewhere a machine that sleeps is no server.
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    let id = rustix::time::ClockId::Monotonic;
    let now = rustix::time::clock_gettime(id);
    let (seconds, ns) = (now.tv_sec.unsigned_abs(), now.tv_nsec.unsigned_abs());
    BootTime(seconds.saturating_mul(1_000_000_000).saturating_add(ns))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timestamp_prints_as_rfc_3339_in_utc() {
        assert_eq!(Timestamp::from_ms(0).to_string(), "1970-01-01T00:00:00Z");
        assert_eq!(Timestamp::from_ms(1_764_000_000_250).to_string(), "2025-11-24T16:00:00.25Z");
    }

    #[test]
    fn seconds_left_never_goes_below_zero() {
        let now = Timestamp::from_ms(10_000);
        assert_eq!(Timestamp::from_ms(12_999).seconds_left(now), 2);
        assert_eq!(Timestamp::from_ms(1).seconds_left(now), 0);
        assert_eq!(Timestamp::from_ms(i64::MIN).seconds_left(now), 0);
    }

    #[test]
    fn a_manual_clock_moves_only_when_told() {
        let clock = Clock::manual(Timestamp::from_ms(5));
        let other = clock.clone();
        assert_eq!(clock.now(), other.now());
        let before = clock.boottime();
        other.advance(Duration::from_secs(1));
        assert_eq!(clock.now(), Timestamp::from_ms(1005));
        assert_eq!(clock.boottime().since(before), Duration::from_secs(1));
    }

    #[test]
    fn a_wall_clock_that_is_set_does_not_move_the_time_since_boot() {
        let clock = Clock::manual(Timestamp::from_ms(5));
        let before = clock.boottime();
        clock.set_wall(Timestamp::from_ms(3_600_000));
        assert_eq!((clock.now(), clock.boottime()), (Timestamp::from_ms(3_600_000), before));
    }

    #[test]
    fn the_systems_time_since_boot_never_goes_back() {
        let clock = Clock::system();
        let first = clock.boottime();
        assert!(first.ns() > 0 && clock.boottime() >= first);
    }
}

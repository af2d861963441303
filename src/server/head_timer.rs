//! The timer by which a connection gives up on the head of a request.
//!
//! hyper asks for one with every request. Tokio's would then be taken into the wheel that all workers share and out of it
//! again, each time behind its lock. This one writes the deadline down, and the connection itself wakes up when the last
//! deadline that it knows of has passed: a busy connection once in a while, an idle one at its end.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use hyper::rt::{Sleep, Timer};

/// Of one connection.
#[derive(Clone, Debug)]
pub(super) struct HeadTimer(Arc<Deadlines>);

/// Times in ns since `begin`.
#[derive(Debug)]
struct Deadlines {
    begin: Instant,
    /// The newest deadline that was asked for.
    next: AtomicU64,
    /// Deadlines up to this have passed.
    passed: AtomicU64,
}

impl HeadTimer {
    pub(super) fn start() -> Self {
        Self(Arc::new(Deadlines { begin: now(), next: AtomicU64::new(0), passed: AtomicU64::new(0) }))
    }

    /// Returns when deadlines have passed. The connection must be polled then.
    pub(super) async fn tick(self, at_least: Duration) {
        let Deadlines { begin, next, passed } = &*self.0;
        let since = begin.elapsed();
        // Without a deadline ahead, one that is asked for from now on is not earlier than this.
        let ahead = Duration::from_nanos(next.load(Ordering::Relaxed)).checked_sub(since);
        wait(ahead.filter(|ahead| !ahead.is_zero()).unwrap_or(at_least)).await;
        passed.store(self.0.ns(now()), Ordering::Relaxed);
    }
}

impl Deadlines {
    fn ns(&self, at: Instant) -> u64 {
        u64::try_from(at.saturating_duration_since(self.begin).as_nanos()).unwrap_or(u64::MAX)
    }
}

#[expect(clippy::disallowed_methods, reason = "bounds how long a peer may take, decides nothing else")]
fn now() -> Instant {
    Instant::now()
}

#[expect(clippy::disallowed_methods, reason = "waits for a peer, not for the clock of the product")]
async fn wait(duration: Duration) {
    tokio::time::sleep(duration).await;
}

impl Timer for HeadTimer {
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Sleep>> {
        self.sleep_until(now() + duration)
    }

    fn sleep_until(&self, deadline: Instant) -> Pin<Box<dyn Sleep>> {
        let at = self.0.ns(deadline);
        self.0.next.store(at, Ordering::Relaxed);
        Box::pin(Deadline { at, of: Arc::clone(&self.0) })
    }

    fn now(&self) -> Instant {
        now()
    }
}

/// Polled by the connection that [`HeadTimer::tick`] wakes: it needs no waker of its own.
struct Deadline {
    at: u64,
    of: Arc<Deadlines>,
}

impl Future for Deadline {
    type Output = ();

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        if self.of.passed.load(Ordering::Relaxed) < self.at { Poll::Pending } else { Poll::Ready(()) }
    }
}

impl Sleep for Deadline {}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Duration = Duration::from_millis(10);

    fn has_passed(sleep: &mut Pin<Box<dyn Sleep>>) -> bool {
        sleep.as_mut().poll(&mut Context::from_waker(std::task::Waker::noop())).is_ready()
    }

    #[tokio::test]
    async fn a_deadline_has_passed_after_the_tick_that_follows_it_and_not_before() {
        let timer = HeadTimer::start();
        let mut sleep = timer.sleep(LIMIT);
        assert!(!has_passed(&mut sleep));
        timer.clone().tick(LIMIT).await;
        assert!(has_passed(&mut sleep));
        let mut far = timer.sleep(1000 * LIMIT);
        assert!(!has_passed(&mut far), "it was asked for later");
    }

    #[tokio::test]
    async fn without_a_deadline_ahead_a_tick_takes_as_long_as_a_new_deadline_would() {
        let timer = HeadTimer::start();
        let begun = now();
        timer.clone().tick(LIMIT).await;
        assert!(begun.elapsed() >= LIMIT);
    }
}
